"""solve --format csv: the answer as a spreadsheet, which csv.reader and data frames read back."""

import csv
import json
import re
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case
from conftest import Run, examples
from hypothesis import given
from hypothesis import strategies as st

from implicitgrad import solve
from implicitgrad.text.characters import printable
from implicitgrad.writers.formats import FORMATS
from implicitgrad.writers.options import WriteOptions

ESCAPED = re.compile(r"'(?=['\s]*[=+\-@＝＋－＠])")
"""What is put before a name that a spreadsheet would evaluate."""


def sheet(text: str) -> tuple[list[str], dict[str, list[str]]]:
    """The names of the columns, and the cells of each row by its name."""
    (_, *heads), *rows = csv.reader(StringIO(text, newline=""))
    return heads, {label: cells for label, *cells in rows}


def write(solution: Any, **options: Any) -> str:
    text = FORMATS["csv"].write(solution, WriteOptions(**options))
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("case", CASES, ids=str)
def test_cells_are_the_entries_that_are_determined(case: Case) -> None:
    solution = solve(case.A, case.dL_dy, B=case.B)
    heads, rows = sheet(write(solution))
    assert heads == list(solution.x)
    expected = dict(zip(solution.y, solution.dy_dx, strict=True))
    losses = solution.dL_dx_rows or ()
    expected |= {"dL/dx" if len(losses) == 1 else f"dL{k}/dx": row for k, row in enumerate(losses, start=1)}
    assert list(rows) == list(expected)
    for label, values in expected.items():
        for cell, value in zip(rows[label], values, strict=True):
            assert (cell == "") == (value is None)
            if value is not None:
                assert "/" not in cell
                assert Fraction(cell) == pytest.approx(value, rel=2**-53, abs=0)


def test_a_sheet_holds_jacobian_and_gradient(run: Run, tmp_path: Path) -> None:
    expected = "dy/dx,x1,x2\ny1,-2,1\ny2,1.5,-0.5\ndL/dx,-0.5,0.5\n"
    arguments = ["-A", "1 2; 3 4", "-g", "1 1"]
    result = run("solve", *arguments, "--format", "csv")
    assert (result.returncode, result.stdout, result.stderr) == (0, expected, "")
    assert run("solve", *arguments, "-o", "a.csv").returncode == 0
    assert (tmp_path / "a.csv").read_text() == expected
    assert run("solve", *arguments, "-f", "csv", "--only", "dL_dx").stdout == "dy/dx,x1,x2\ndL/dx,-0.5,0.5\n"
    again = run("solve", "a.csv")
    assert (again.returncode, again.stdout) == (2, "")
    assert "a.csv:4:1: expected the name of an input, or dL/dy, got 'dL/dx', which is of the answer" in again.stderr


def test_a_change_along_dx_is_a_column(run: Run) -> None:
    arguments = ["solve", "-A", "1 0 0; 0 2 3", "-g", "5 0 0; 0 1 0", "--dx", "2 1", "-f", "csv"]
    expected = "dy/dx,x1,x2,along dx\ny1,1,0,2\ny2,,,\ny3,,,\ndL1/dx,5,0,10\ndL2/dx,,,\n"
    assert run(*arguments).stdout == expected
    assert run(*arguments, "--show", "y1,x2").stdout == "dy/dx,x2,along dx\ny1,0,2\ndL1/dx,0,10\ndL2/dx,,\n"
    assert run(*arguments, "--only", "dL_dx").stdout == "dy/dx,x1,x2,along dx\ndL1/dx,5,0,10\ndL2/dx,,,\n"


def test_an_answer_is_not_taken_for_a_system(run: Run) -> None:
    for text in ("dy/dx,x1\ny1,2\n", "∂y/∂x,x1\ny1,2\n", "dz/d,z\nz1,2\n"):
        result = run("solve", "a.csv", files={"a.csv": text})
        assert (result.returncode, result.stdout) == (2, "")
        corner = text.partition(",")[0]
        message = f"a.csv:1:1: expected a system, got an answer: '{corner}' is in its corner. To read it as a system, "
        assert result.stderr == f"implicitgrad: {message}empty the corner\n"
    assert run("solve", "a.csv", files={"a.csv": ",x1\ny1,2\n"}).returncode == 0


def test_what_is_not_determined_is_empty_and_said_beside_a_file(run: Run, tmp_path: Path) -> None:
    result = run("solve", "-A", "1 0 0; 0 2 3", "-g", "5 2 3; 0 1 0", "-o", "a.csv")
    message = "implicitgrad: a.csv: 6 entries not determined, and empty there; --format json says what is known\n"
    assert (result.returncode, result.stderr) == (0, message)
    assert (tmp_path / "a.csv").read_text() == "dy/dx,x1,x2\ny1,1,0\ny2,,\ny3,,\ndL1/dx,5,1\ndL2/dx,,\n"


@pytest.mark.parametrize(
    ("A", "cell"),
    [
        ("3", "0.3333333333333333"),
        ("-4/3", "-0.75"),
        ("1e-20", "1e+20"),
        ("1/12345678901234567", "12345678901234567"),
        ("1e399", "1e-399"),
        ("-3e-399", "-3.3333333333333333e+398"),
        ("1e310", "1e-310"),
    ],
)
def test_decimals_are_those_of_the_nearest_double(run: Run, A: str, cell: str) -> None:
    assert run("solve", "-A", A, "-f", "csv").stdout == f"dy/dx,x1\ny1,{cell}\n"


def test_doubles_are_written_as_in_json(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(3).normal(size=(60, 60)))
    record = json.loads(run("solve", "a.npy", "-f", "json").stdout)
    _, rows = sheet(run("solve", "a.npy", "-f", "csv").stdout)
    assert [[float(cell) for cell in row] for row in rows.values()] == record["dy_dx"]


def test_letters_are_expressions_that_are_no_formulas(run: Run) -> None:
    result = run("solve", "-A", "a 0 0; 0 1 -1/b; 0 0 1", "-f", "csv")
    assert result.stdout == "dy/dx,x1,x2,x3\ny1,1/a,0,0\ny2,0,1,1/b\ny3,0,0,1\n"
    negative = run("solve", "-e", "x = -a*y", "--unknowns", "y", "--x", "x", "-f", "csv")
    assert negative.stdout == "dy/dx,x\ny,'-1/a\n"
    root = run("solve", "-e", "y^2 = 2*x", "--unknowns", "y", "--at", "x=1,y=sqrt(2)", "-f", "csv").stdout
    assert float(root.split(",")[-1]) == pytest.approx(2**-0.5, rel=1e-15)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-x", "'-x"),
        ("+x", "'+x"),
        ("'=x", "''=x"),
        ("＝1", "'＝1"),
        ("'plain'", "'plain'"),
        ("a=b", "a=b"),
        ("2019", "2019"),
        ("dL/dx", "dL/dx"),
        ('a,"b"', '"a,""b"""'),
        ("a\nb", '"a\nb"'),
        ("::error::x", "\\x3a:error::x"),
        ("a\x1b[31m", "a\\x1b[31m"),
    ],
)
def test_a_name_is_a_quoted_cell_and_no_formula(run: Run, tmp_path: Path, name: str, cell: str) -> None:
    files = {"a.json": json.dumps({"A": [[1]], "x": [name], "y": ["y"]})}
    result = run("solve", "a.json", "-f", "csv", files=files)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"dy/dx,{cell}\ny,1\n", "")
    assert run("solve", "a.json", "-o", "a.csv").returncode == 0
    assert (tmp_path / "a.csv").read_text("utf-8") == result.stdout


@given(st.lists(st.text(min_size=1, max_size=6).filter(str.strip), min_size=2, max_size=2, unique=True))
@examples(100)
def test_names_are_read_back(names: list[str]) -> None:
    text = write(solve([["1", "2"], ["3", "4"]], x=names, y=names))
    heads, rows = sheet(text)
    expected = ["\n".join(map(printable, name.split("\n"))) for name in names]
    assert [ESCAPED.sub("", head, count=1) if ESCAPED.match(head) else head for head in heads] == expected
    assert len(rows) == 2
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in (*heads, *rows))


PROGRAM = "P: [[2, 0], [0, 2]]\nq: [-2, -5]\nG: [[1, 2], [-1, 2]]\nh: [6, 2]\ndL_dz: [1, 1]\n"
KINK = "minimize: (z - x)^2/2\nsubject_to: [z >= 0]\nz: [z]\nat: {x: 0}\n"


def test_a_program_is_z_beside_its_derivatives(run: Run) -> None:
    result = run("solve", "p.yaml", "-f", "csv", files={"p.yaml": PROGRAM})
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (
        "dz/d,z,q[z1],q[z2],h1,h2\nz1,1.4,-0.4,-0.2,0,-0.2\nz2,1.7,-0.2,-0.1,0,0.4\ndL/d,,-0.6,-0.3,0,0.2\n"
    )
    assert run("solve", "p.yaml", "-f", "csv", "--wrt", "h").stdout.startswith("dz/d,z,h1,h2\nz1,1.4,0,-0.2\n")


def test_a_derivative_at_a_kink_is_empty(run: Run) -> None:
    assert run("solve", "k.yaml", "-f", "csv", files={"k.yaml": KINK}).stdout == "dz/d,z,x\nz,0,\n"
    assert run("solve", "k.yaml", "-f", "csv", "--show", "h1").stdout == "dz/d,z,h1\nz,0,\n"
    said = run("solve", "k.yaml", "-o", "k.csv").stderr
    assert said == "implicitgrad: k.csv: 1 entry not determined, and empty there; --format json says what is known\n"
    refused = run("solve", "k.yaml", "-f", "csv", "--wrt", "h,G")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "implicitgrad: k.yaml: CSV has no place for derivatives in G. --format json has them\n"


def test_only_what_is_shown_is_said_to_be_empty(run: Run) -> None:
    arguments = ["solve", "-A", "1 0 0; 0 2 3", "-o", "a.csv"]
    assert run(*arguments, "--show", "y1").stderr == ""
    assert "a.csv: 1 entry not determined" in run(*arguments, "--show", "y2,x1").stderr


def test_an_infeasible_program_has_no_numbers(run: Run) -> None:
    files = {"p.yaml": "q: [1]\nG: [[1], [-1]]\nh: [-1, 0]\n"}
    assert run("solve", "p.yaml", "-f", "csv", files=files).stdout == "dz/d,z\nz1,\n"


def test_a_sheet_holds_one_answer(run: Run) -> None:
    result = run("solve", "two.yaml", "-f", "csv", files={"two.yaml": "A: [[1]]\n---\nA: [[2]]\n"})
    assert (result.returncode, result.stdout) == (2, "")
    assert "--format csv holds one system's answer, and there are 2. --format table, json, plain, " in result.stderr


def test_an_empty_spreadsheet_says_so_on_a_screen_too(run: Run) -> None:
    result = run("solve", "-A", "1 2; 2 4; 3 6", "--format", "csv")
    assert (result.returncode, result.stdout) == (0, "dy/dx,x1,x2,x3\ny1,,,\ny2,,,\n")
    message = "standard output: 6 entries not determined, and empty there; --format json says what is known"
    assert result.stderr == f"implicitgrad: {message}\n"
    assert run("solve", "-A", "1 0; 0 0", "--format", "csv").stderr == ""

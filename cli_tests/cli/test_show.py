"""solve --show: the rows and the columns that names and patterns select."""

import csv
import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from conftest import Run

SYSTEM = """\
A: [[2, 0, 0, 0], [0, 4, 0, 0], [0, 0, 5, 0], [1, 0, 0, 10]]
y: [Energy, Construction, "Energy, other", flow]
x: [flow, steel, "a*", ab]
dL_dy: [[1, 1, 1, 1], [0, 0, 0, 1]]
"""


def cells(text: str) -> tuple[list[str], list[str]]:
    """The names of a spreadsheet's columns and rows."""
    (_, *heads), *rows = csv.reader(StringIO(text))
    return heads, [label for label, *_ in rows]


@pytest.mark.parametrize(
    ("names", "columns", "rows"),
    [
        ("Construction,Energy", "flow steel a* ab", "Construction Energy"),
        ("steel", "steel", "Energy Construction Energy, other flow"),
        ("flow", "flow", "flow"),
        ("flow,Con*", "flow", "flow Construction"),
        ("E*", "flow steel a* ab", "Energy Energy, other"),
        ('"Energy, other",ab', "ab", "Energy, other"),
        ("a*", "a*", "Energy Construction Energy, other flow"),
        ("a?", "a* ab", "Energy Construction Energy, other flow"),
        ("[!f]*", "steel a* ab", "Energy Construction Energy, other"),
        ("*", "flow steel a* ab", "Energy Construction Energy, other flow"),
        ("Energy,Energy", "flow steel a* ab", "Energy"),
    ],
)
def test_names_and_patterns_select_rows_and_columns(run: Run, names: str, columns: str, rows: str) -> None:
    result = run("solve", "s.yaml", "--show", names, "-f", "csv", files={"s.yaml": SYSTEM})
    assert (result.returncode, result.stderr) == (0, "")
    heads, labels = cells(result.stdout)
    assert heads == columns.split(" ")
    assert " ".join(labels) == f"{rows} dL1/dx dL2/dx"


def test_each_page_has_what_is_selected_and_records_have_everything(run: Run) -> None:
    table = """\
s.yaml   x = A·y   4 equations, 4 unknowns
determined: rank 4 of 4, condition 7.3, exact

  2 of 4 rows and 1 of 4 columns are shown

  ∂y/∂x            flow
 ──────────────────────
  flow            -1/20
  Energy, other       0

  ∂L1/∂x           9/20
  ∂L2/∂x          -1/20
"""
    arguments = ["s.yaml", "--show", 'flow,"Energy, o*"']
    assert run("solve", *arguments, files={"s.yaml": SYSTEM}).stdout == table
    plain = run("solve", *arguments, "--plain").stdout
    assert plain.endswith(
        "dy_dx[flow][flow] = -1/20\ndy_dx[Energy, other][flow] = 0\ndL1_dx[flow] = 9/20\ndL2_dx[flow] = -1/20\n"
    )
    markdown = run("solve", *arguments, "-f", "markdown").stdout
    assert "| ∂y/∂x | flow |\n| :-- | --: |\n| flow | -1/20 |\n| Energy, other | 0 |\n| **∂L1/∂x** |" in markdown
    latex = run("solve", *arguments, "-f", "latex").stdout
    jacobian = (
        "\\frac{\\partial (\\mathrm{flow}, \\text{Energy, other})}{\\partial \\mathrm{flow}} = \\begin{pmatrix}\n"
    )
    assert f"{jacobian}  -\\frac{{1}}{{20}} \\\\\n  0\n\\end{{pmatrix}}" in latex
    html = run("solve", *arguments, "-f", "html").stdout
    assert html.count('<th scope="row">') == 4
    assert html.count('<th scope="col">') == 1
    for form in ("json", "yaml"):
        assert run("solve", *arguments, "-f", form).stdout == run("solve", "s.yaml", "-f", form).stdout


def test_what_is_not_unique_is_expressed_by_what_is_not_shown(run: Run) -> None:
    result = run("solve", "-A", "3 5", "-g", "7 11", "--show", "y2")
    shown, _, chosen = result.stdout.partition("one choice of many")
    assert "\n  y2      1/5 − 3/5·∂y1/∂x1\n" in shown
    assert "\n  ∂L/∂x   11/5 + 2/5·∂y1/∂x1 " in shown
    assert "\n  y2       5/34\n\n  ∂L/∂x   38/17\n" in chosen
    assert "  y1 " not in shown.partition("─")[2] + chosen


def test_second_derivatives_are_in_the_inputs_that_are_shown(run: Run) -> None:
    equation = ["-e", "y = a^2*b + c*a", "--unknowns", "y", "--order", "2"]
    text = run("solve", *equation, "--show", "b,a").stdout
    assert [line.split(" = ")[0].strip() for line in text.splitlines() if "∂²" in line] == [
        "∂²y/∂b²", "∂²y/∂b∂a", "∂²y/∂a²",
    ]  # fmt: skip
    assert "∂²y/∂b∂a = 2·a\n" in text


@pytest.mark.parametrize("arithmetic", ["exact", "float"])
def test_a_part_of_a_large_answer_is_a_table_of_its_numbers(run: Run, tmp_path: Path, arithmetic: str) -> None:
    A = np.random.default_rng(5).integers(-9, 10, (60, 60)) + 100 * np.eye(60, dtype=int)
    system = {"A": A.tolist(), "dL_dy": [1] * 60}
    files = {"s.json": json.dumps(system)}
    options = ["--arithmetic", arithmetic]
    record = json.loads(run("solve", "s.json", "-f", "json", *options, files=files).stdout)
    facts = run("solve", "s.json", "--show", "y7,y5?,x3", "--plain", "--digits", "9", *options).stdout
    found = dict(line.split(" = ") for line in facts.splitlines() if line.startswith("d"))
    assert list(found) == [*(f"dy_dx[y{j}][x3]" for j in (7, *range(50, 60))), "dL_dx[x3]"]
    for j in (7, 50, 59):
        assert float(found[f"dy_dx[y{j}][x3]"].strip("~")) == pytest.approx(record["dy_dx"][j - 1][2], rel=1e-8)
    assert float(found["dL_dx[x3]"].strip("~")) == pytest.approx(record["dL_dx"][2], rel=1e-8)
    on_screen = run("solve", "s.json", "--show", "y7,x3", *options, FORCE_COLOR="").stdout
    assert "\n  y7 " in on_screen
    assert "Frobenius" not in on_screen
    summary = run("solve", "s.json", "--show", "x3,x4", *options, FORCE_COLOR="").stdout
    assert "60 of 60 rows and 2 of 60 columns are shown" in summary
    assert "60 × 2" in summary


def test_a_selection_of_a_summary_has_its_own_largest_entries(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.diag(np.arange(1.0, 61)))
    text = run("solve", "a.npy", "--show", "y2*,y3*,y4*,y5*,x*").stdout
    assert "44 of 60 rows and 60 of 60 columns are shown" in text
    assert "∂y2/∂x2" in text
    assert "∂y1/∂x1 " not in text


PROGRAM = (
    "P: [[2, 0], [0, 2]]\nq: [-2, -5]\nG: [[1, 2], [-1, 2]]\nh: [6, 2]\ndL_dz: [1, 1]\nnames: {z: [bread, cake]}\n"
)


def test_a_programs_unknowns_are_rows_and_its_parameters_columns(run: Run) -> None:
    files = {"p.yaml": PROGRAM}
    text = run("solve", "p.yaml", "--show", "cake,h*", files=files).stdout
    assert text.endswith("  ∂z/∂   h1    h2\n ────────────────\n  cake    0   2/5\n\n  ∂L/∂    0   1/5\n\n"
                         "  1 inactive constraint: derivatives 0\n")  # fmt: skip
    assert "  bread" not in text
    assert cells(run("solve", "p.yaml", "--show", "q[[]cake]", "-f", "csv").stdout)[0] == ["z", "q[cake]"]
    assert cells(run("solve", "p.yaml", "--show", "q[cake]", "-f", "csv").stdout)[0] == ["z", "q[cake]"]
    whole = run("solve", "p.yaml", "-f", "json").stdout
    assert run("solve", "p.yaml", "-f", "json", "--show", "cake").stdout == whole


@pytest.mark.parametrize("form", ["table", "markdown", "latex", "html", "plain", "csv"])
def test_every_page_of_a_program_takes_a_selection(run: Run, form: str) -> None:
    wrt = "h" if form == "csv" else "h,P"
    text = run("solve", "p.yaml", "--show", "cake,h2", "-f", form, "--wrt", wrt, files={"p.yaml": PROGRAM}).stdout
    assert "cake" in text
    assert "bread" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["s.yaml", "--show", "Enrgy"],
         "s.yaml: --show: expected names of unknowns or inputs, got 'Enrgy'. Did you mean Energy?"),
        (["s.yaml", "--show", "steel,zz*"],
         "s.yaml: --show: expected names of unknowns or inputs, got 'zz*'. The unknowns are Energy, Construction, "
         '"Energy, other", flow; the inputs are flow, steel, a*, ab'),
        (["c.csv", "--show", "Trade, Energy"],
         "c.csv: --show: expected names of unknowns or inputs, got 'Trade'. A name with a comma stands in quotes of "
         "its own: --show '\"Trade, Energy\"'"),
        (["c.csv", "--show", "zz"],
         "c.csv: --show: expected names of unknowns or inputs, got 'zz'. The unknowns are \"Trade, Energy\", b; the "
         "inputs are r1, r2"),
        (["s.yaml", "--show", ""], "Invalid value for '--show': expected names such as y1,y3, got ''."),
        (["-A", "1; 2", "--show", "x2"],
         "<inline>: --show: expected an input that varies freely, got x2. The constraint leaves x1 free"),
        (["-A", "1 2; 3 4", "--steps", "--show", "y1"],
         "--show is for the table, and --steps prints none; expected one of them, got both"),
        (["p.yaml", "--show", "tart"],
         "p.yaml: --show: expected names of unknowns or inputs, got 'tart'. The unknowns are bread, cake; the inputs "
         "are q[bread], q[cake], h1, h2"),
    ],
)  # fmt: skip
def test_what_selects_nothing_is_refused(run: Run, arguments: list[str], message: str) -> None:
    table = ',"Trade, Energy",b\nr1,1,2\nr2,3,4\n'
    result = run("solve", *arguments, files={"s.yaml": SYSTEM, "p.yaml": PROGRAM, "c.csv": table})
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr


SIZES = {"A": [[4, 0, 0], [0, 0.5, 0], [0, 1, -2]], "dL_dy": [9, 0, 1]}


@pytest.mark.parametrize(
    ("options", "columns", "rows"),
    [
        ([], "x2 x3 x1", "y2 y3 y1"),
        (["--arithmetic", "float"], "x2 x3 x1", "y2 y3 y1"),
        (["--show", "x3,x1"], "x3 x1", "y3 y1 y2"),
        (["--show", "y1,y2,x3"], "x3", "y1 y2"),
        (["--only", "dL_dx"], "x1 x2 x3", ""),
    ],
    ids=str,
)
def test_the_largest_entries_come_first(run: Run, options: list[str], columns: str, rows: str) -> None:
    result = run("solve", "s.json", "--sort", "-f", "csv", *options, files={"s.json": json.dumps(SIZES)})
    assert (result.returncode, result.stderr) == (0, "")
    heads, labels = cells(result.stdout)
    assert (" ".join(heads), " ".join(labels)) == (columns, f"{rows} dL/dx".strip())


def test_sorting_needs_numbers_and_takes_the_minimum_norm_ones(run: Run) -> None:
    refused = run("solve", "-A", "a 1; 0 1", "--sort")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "<inline>: --sort compares numbers, and there are letters" in refused.stderr
    table = run("solve", "-A", "3 5; 6 10", "--sort").stdout.partition("─\n")[2]
    assert [line.split()[0] for line in table.splitlines()[:2]] == ["y2", "y1"]
    program = run("solve", "p.yaml", "--sort", "-f", "csv", files={"p.yaml": PROGRAM}).stdout
    assert program.splitlines()[0] == "dz/d,z,q[bread],h2,q[cake],h1"
    assert run("solve", "p.yaml", "--sort", "-f", "json").stdout == run("solve", "p.yaml", "-f", "json").stdout


def test_what_is_known_at_a_value_of_x_is_shown_of_the_same_unknowns_and_inputs(run: Run) -> None:
    arguments = ["-A", "1 2; 3 4", "-B", "1 0 1; 0 2 1", "-g", "1 1", "--at", "x1=1,x2=2,x3=3", "--wrt", "A,B"]
    whole = run("solve", *arguments, "--plain").stdout.splitlines()
    part = run("solve", *arguments, "--show", "y2,x3", "--plain").stdout.splitlines()
    values = [line for line in whole if line.startswith(("y", "dL_dA", "dL_dB"))]
    assert len(values) == 2 + 4 + 6
    kept = [line for line in values if line.startswith("y2") or "[y2]" in line or "[x3]" in line]
    assert [line for line in part if line.startswith(("y", "dL_dA", "dL_dB"))] == kept


def test_check_takes_it_for_claims_about_a_large_sparse_system_alone(run: Run) -> None:
    result = run("check", "s.yaml", "--show", "Energy", files={"s.yaml": SYSTEM})
    assert result.returncode == 2
    assert result.stderr == "implicitgrad: s.yaml: --show is for claims about a large sparse system\n"

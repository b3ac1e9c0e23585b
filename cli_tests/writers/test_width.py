"""No line of a page is wider than the screen, whatever is on it, and nothing is left out to make it so."""

import json
import re
from fractions import Fraction
from functools import partial
from pathlib import Path
from random import Random

import pytest
from cases import CASES
from command import on_a_terminal
from conftest import ROOT, Run, is_program, only_thorough, spread
from rich.cells import cell_len
from written import write_table

from implicitgrad import solve
from implicitgrad.numbers.display.style import Expression
from implicitgrad.terminal.streams import Screen
from implicitgrad.writers.screen import page as terminal_page
from implicitgrad.writers.screen.line_breaks import break_expression, break_line
from implicitgrad.writers.screen.matrices import lay_out

WIDTHS = (60, 80, 120)
SAMPLES = sorted(path for path in (ROOT / "sample_systems").iterdir() if path.suffix in (".yaml", ".csv"))
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
LONG_NAMES = [
    "electricity sold to households in the north of the country", "price at the border", "流量" * 40, "q" * 130, "z",
]  # fmt: skip
SECTORS = [f"{kind} of {what}" for kind in ("Growing", "Manufacture", "Repair", "Wholesale", "Transport")
           for what in ("food products", "textiles and wearing apparel", "basic metals", "electrical equipment",
                        "motor vehicles and trailers", "furniture", "chemicals and plastics")]  # fmt: skip


def too_wide(text: str, width: int) -> list[str]:
    return [line for line in ESCAPE.sub("", text).splitlines() if cell_len(line) > width]


def letters_of(text: str) -> str:
    """The text without blanks and rules."""
    return re.sub(r"[\s─]", "", text)


def sectors() -> str:
    """A Leontief system of 35 sectors with long names."""
    random = Random(3)
    A = [[f"{(i == j) - random.randrange(400) / 10000:.4f}" for j in range(35)] for i in range(35)]
    return json.dumps({"A": A, "dL_dy": [1] * 35, "y": SECTORS, "x": [f"demand, {name}" for name in SECTORS]})


@pytest.mark.parametrize("path", spread(SAMPLES, 3), ids=lambda path: path.name)
def test_no_line_of_a_sample_is_wider_than_the_screen(run: Run, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, solved = terminal_page.write, []
    with monkeypatch.context() as patch:
        patch.setattr(terminal_page, "write", lambda solution, options: solved.append((solution, options)) or "")
        for options in ((), ("--wrt", "q,h,b,lb,ub,P,G,A")) if is_program(path) else ((), ("--steps",), ("--full",)):
            assert run("solve", str(path), *options).returncode == 0
    assert solved
    for width in WIDTHS:
        monkeypatch.setattr(terminal_page, "stdout_screen", partial(Screen, width, has_color=True))
        for solution, written in solved:
            assert too_wide(write(solution, written), width) == []


@pytest.mark.parametrize("case", spread(CASES, 2), ids=str)
def test_no_line_of_a_case_is_wider_than_the_screen(case: object) -> None:
    assert isinstance(case, type(CASES[0]))
    P = len(case.A) if case.B is None else len(case.B[0])
    names = {"y": LONG_NAMES[: len(case.A[0])], "x": [f"demand for {name}" for name in (LONG_NAMES * 2)[:P]]}
    for named in ({}, names if len(case.A[0]) <= len(LONG_NAMES) and len(set(names["x"])) == P else {}):
        solution = solve(case.A, case.dL_dy, B=case.B, **named)
        whole = write_table(solution, Screen())
        for width in WIDTHS:
            for encoding in ("utf-8", "ascii"):
                text = write_table(solution, Screen(width, False, encoding))
                assert too_wide(text, width) == []
            narrow = letters_of(write_table(solution, Screen(width)))
            for number in re.findall(r"(?<=\s)≈?-?\d+(?:[./]\d+)?(?:e[+-]\d+)?(?=\s)", whole.partition("exact\n")[2]):
                assert number in narrow


@pytest.mark.parametrize("width", [80, pytest.param(60, marks=only_thorough), pytest.param(120, marks=only_thorough)])
def test_thirty_five_sectors_have_a_summary_on_a_terminal_and_a_readable_table_on_request(
    tmp_path: Path, width: int
) -> None:
    path = tmp_path / "sectors.yaml"
    path.write_text(sectors(), "utf-8")
    summary = on_a_terminal(width, "solve", str(path))
    assert too_wide(summary, width) == []
    assert "each cell" in summary
    assert len(summary.splitlines()) <= 2 * 24
    full = on_a_terminal(width, "solve", str(path), "--full")
    assert too_wide(full, width) == []
    lines = ESCAPE.sub("", full).splitlines()
    assert "…" not in full
    assert len(re.findall("≈", full)) == 1 + 36 * 35
    if width == 80:
        assert len(lines) <= 1310
        start = lines.index("  Growing of food products")
        assert re.fullmatch(r"    demand, Growing of food products  +≈1\.0\d+ *", lines[start + 1])


def identity(size: int) -> str:
    return "; ".join(" ".join(str(int(i == j)) for j in range(size)) for i in range(size))


@pytest.mark.parametrize(("size", "is_whole"), [(47, True), (48, False)])
def test_a_table_of_up_to_two_screens_is_shown_whole(run: Run, size: int, is_whole: bool) -> None:
    arguments = ("solve", "-A", identity(size), "-B", "; ".join(["1"] * size), "--arithmetic", "exact")
    result = run(*arguments, COLUMNS="80", LINES="25")
    assert (result.returncode, "--full" in result.stdout) == (0, not is_whole)
    assert "--full" not in run(*arguments, "--full", COLUMNS="80", LINES="25").stdout
    assert "--full" not in run("solve", "-A", identity(12), COLUMNS="80", LINES="5").stdout


def test_a_pipe_has_no_size(run: Run) -> None:
    for size, is_whole in ((40, True), (41, False)):
        result = run("solve", "-A", identity(size), "--arithmetic", "exact", LINES="10")
        assert ("--full" not in result.stdout) == is_whole


def test_one_row_of_many_unknowns_is_a_table_in_a_pipe(run: Run) -> None:
    result = run("solve", "-A", identity(41), "-B", "; ".join(["1"] * 41), "-g", " ".join("1" * 41), "--only", "dL_dx")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("\n  ∂L/∂x   41\n")


def test_a_long_equation_is_broken_before_an_equals_sign_or_a_term() -> None:
    pieces = ("x =", "(1/(5·cosh(a + b − c)))·y", "− 3/4·∂name of many words/∂x", "+ 2")
    assert break_expression(Expression(pieces), 34) == [
        "x = (1/(5·cosh(a + b − c)))·y", "  − 3/4·∂name of many words/∂x + 2"
    ]  # fmt: skip
    assert break_expression(Expression(pieces), 26) == [
        "x =", "  (1/(5·cosh(a + b", "  − c)))·y", "  − 3/4", "  ·∂name of many words/∂x", "  + 2"
    ]  # fmt: skip
    assert break_expression(Expression(("a·b = c", "+ d = e")), 7) == ["a·b = c", "  + d", "  = e"]
    assert break_expression(Expression(("a·b = c", "+ d ≈ e")), 7) == ["a·b = c", "  + d", "  ≈ e"]


@pytest.mark.parametrize("width", [24, 40])
def test_what_has_no_place_to_break_is_broken_anywhere(width: int) -> None:
    number = str(Fraction(10**70 + 1, 3**100))
    for lines in (break_expression(Expression((f"-{number}",)), width), break_line(number, width)):
        assert all(len(line) <= width for line in lines) or width == 24
        assert "".join(line.strip() for line in lines).removeprefix("-") == number


def test_matrices_that_do_not_fit_stand_below_one_another() -> None:
    A, J, B = [["1", "2"], ["3", "4"]], [["∂y1/∂x1", "∂y1/∂x2"], ["∂y2/∂x1", "∂y2/∂x2"]], [["1", "0"], ["0", "1"]]
    pieces = (A, " · ", J, " = ", B)
    assert lay_out(pieces, 40) == lay_out(pieces, None) == [
        "[1  2] · [∂y1/∂x1  ∂y1/∂x2] = [1  0]",
        "[3  4]   [∂y2/∂x1  ∂y2/∂x2]   [0  1]",
    ]  # fmt: skip
    assert lay_out(pieces, 30) == [
        "[1  2] · [∂y1/∂x1  ∂y1/∂x2]",
        "[3  4]   [∂y2/∂x1  ∂y2/∂x2]",
        "= [1  0]",
        "  [0  1]",
    ]  # fmt: skip
    assert lay_out((J,), 14) == ["[∂y1/∂x1", " ∂y1/∂x2]", "[∂y2/∂x1", " ∂y2/∂x2]"]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_line_of_a_report_is_wider_than_the_screen(run: Run, encoding: str) -> None:
    names = json.dumps({"y": LONG_NAMES[:2], "x": LONG_NAMES[3:]})[1:-1]
    claims = '"expect": {"dL_dx": [1, 2], "dy_dx": [[1, 2], [3, 4]], "rank": 1, "status": "determined"}'
    file = "n" * 150 + ".yaml"
    files = {file: f'{{"A": [[1, 2], [3, 4]], "dL_dy": [1, 1], {names}, {claims}}}'}
    for width in WIDTHS:
        result = run("check", file, files=files, COLUMNS=str(width), PYTHONIOENCODING=encoding)
        assert (result.returncode, result.stderr) == (1, "")
        assert too_wide(result.stdout, width) == []
        assert letters_of(result.stdout).count("n" * 150) >= 2


def test_no_line_of_a_program_with_long_names_is_wider_than_the_screen(run: Run) -> None:
    names = ["electricity_sold_to_households_in_the_north_of_the_country", "price_" * 20, "z"]
    squares = " + ".join(f"({name} - target_of_{name})^2" for name in names)
    at = ",".join(f"target_of_{name}={k}/7" for k, name in enumerate(names))
    arguments = ("--minimize", squares, "--subject-to", f"{names[0]} + {names[1]} <= 1/3", "--at", at, "-g", "1 1 1")
    for options in ((), ("--steps",), ("--wrt", "q,h,P,G")):
        for width in WIDTHS:
            result = run("solve", *arguments, "--unknowns", ",".join(names), *options, COLUMNS=str(width))
            assert (result.returncode, result.stderr) == (0, "")
            assert too_wide(result.stdout, width) == []


def test_active_constraints_are_not_put_under_an_unknown(run: Run) -> None:
    result = run("solve", str(ROOT / "sample_systems" / "minimum_variance.yaml"), COLUMNS="40")
    assert (
        """
                 z
 ─────────────────
  bonds    0.50000
  shares   0.30000
  land     0.20000

  active   multiplier
 ───────────────────────────────
  return      0.20000
  budget     -0.01100   equality

"""
        in result.stdout
    )
    assert too_wide(result.stdout, 40) == []

"""--plain: a fact a line, for screen readers, grep and awk."""

import re
from fractions import Fraction

import pytest
from cases import CASES, Case
from conftest import Run

import implicitgrad
from implicitgrad.numbers.display.form import NumberOptions
from implicitgrad.terminal import streams
from implicitgrad.writers.formats import FORMATS, PLAIN
from implicitgrad.writers.options import WriteOptions

WIDE = """\
system = x = A*y, 1 equation, 2 unknowns
status = underdetermined
rank = 1 of 2
note = 1 unknown is free
condition = 1
arithmetic = exact
note = y1 and y2 are not determined; 3*y1 + 5*y2 is
dy_dx[y1][x1] = free
dy_dx[y2][x1] = 1/5 - 3/5*dy_dx[y1][x1]
dL_dx[x1] = 11/5 + 2/5*dy_dx[y1][x1]
note = dL/dx is not unique: dL/dy is not in the row space of A; it would need dL/dy proportional to (3, 5)
note = one choice of many, the minimum-norm one
minimum_norm.dy_dx[y1][x1] = 3/34
minimum_norm.dy_dx[y2][x1] = 5/34
minimum_norm.dL_dx[x1] = 38/17
"""
SECOND = """\
system = F(x, y) = 0, 1 equation, 1 unknown, 1 input
status = determined
rank = 1 of 1
arithmetic = symbolic
dy_dx[y][x] = -x/y
d2y_dx2[x][x] = -25/y^3
note = holds where y != 0
note = elsewhere dF/dy is singular or has no value, and the implicit function theorem does not apply
"""
CONSTRAINED = """\
system = x = A*y, 2 equations, 1 unknown
status = overdetermined
rank = 1 of 1
note = 1 constraint on x
condition = 1
arithmetic = exact
note = x is constrained: b in = 2*a
note = derivatives along the constraint: b in follows
note = the equations depend on each other in the unknowns: equation b in = 2*equation a
dy_dx[u][a] = 1/2
dL1_dx[a] = 1/2
dL2_dx[a] = 3/2
"""
PROGRAM = """\
system = minimise ½*z^TPz + q^Tz, 1 unknown, 1 inequality
status = differentiable
note = z is unique
note = 1 inequality is active
arithmetic = exact
z[z1] = 1
multiplier[h1] = 2
objective = -5/2
dz_d[z1][q[z1]] = 0
dz_d[z1][h1] = 1
"""


@pytest.mark.parametrize(
    ("arguments", "stdin", "expected"),
    [
        (["-A", "3 5", "-g", "7 11"], "", WIDE),
        (["-e", "x**2 + y**2 = 25", "--unknowns", "y", "--order", "2"], "", SECOND),
        (["-A", "2; 4", "-g", "1; 3", "--x", "a,b in", "--y", "u"], "", CONSTRAINED),
        (["-"], "P: [[1]]\nq: [-3]\nG: [[1]]\nh: [1]\n", PROGRAM.replace("system = ", "system = -, ")),
    ],
)
def test_each_fact_is_a_line(run: Run, arguments: list[str], stdin: str, expected: str) -> None:
    for options in (["--plain"], ["--format", "plain"], ["--plain", "--format", "plain"]):
        result = run("solve", *arguments, *options, stdin=stdin)
        assert (result.returncode, result.stdout, result.stderr) == (0, expected, "")


def is_shown(value: Fraction, text: str) -> bool:
    """Return whether a text is a number, or, with a ~, its first 100 digits."""
    allowed = abs(value) / 10**99 if text.startswith("~") else 0
    return abs(Fraction(text.removeprefix("~")) - value) <= allowed


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_facts_of_every_case_are_its_numbers(case: Case) -> None:
    solution = implicitgrad.solve(case.A, case.dL_dy, B=case.B)
    text = FORMATS[PLAIN].write(solution, WriteOptions(NumberOptions(100)))
    assert isinstance(text, str)
    lines = text.splitlines()
    assert text.isascii()
    assert all(" = " in line for line in lines)
    facts = dict(line.split(" = ", 1) for line in lines if line.startswith(("dy_dx", "dL_dx")))
    for y, row in zip(solution.y, solution.general.particular, strict=True):
        is_determined = not any(solution.general.null_space[solution.y.index(y)])
        for x, value in zip(solution.independent, row, strict=True):
            shown = facts[f"dy_dx[{y}][{x}]"]
            if is_determined:
                assert is_shown(value, shown)
            else:
                assert shown == "free" or "dy_dx[" in shown
    if solution.dL_dx is not None and not isinstance(solution.dL_dx[0], tuple) and solution.constraints is None:
        for x, value in zip(solution.x, solution.dL_dx, strict=True):
            if value is not None:
                assert is_shown(value, facts[f"dL_dx[{x}]"])


def test_check_prints_a_line_for_each_claim(run: Run) -> None:
    files = {
        "a.yaml": "A: [[1, 2], [3, 4]]\ndL_dy: [1, 2]\nexpect: {rank: 2, dL_dx: [0, 0.5]}\n",
        "b.yaml": "A: [[1]]\n",
        "c.yaml": "A: [[x\n",
    }
    result = run("check", "a.yaml", "b.yaml", "--plain", files=files)
    fails = (
        "a.yaml:3:19: dL_dx fails: 2 of 2 entries; worst dL_dx[1] (dL/dx1): claimed 0, correct is 1, difference -1; "
        "the claim equals A^-1*dL/dy: was the transpose forgotten?\n"
    )
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout == f"a.yaml:3:10: rank holds\n{fails}b.yaml: solved, nothing claimed\n"
    assert run("check", "a.yaml", "b.yaml", "--plain", "--quiet").stdout == fails
    assert run("check", "c.yaml", "--plain").stdout == "c.yaml: not read\n"


def test_plain_goes_with_no_other_format(run: Run) -> None:
    result = run("solve", "-A", "1", "--plain", "--format", "latex")
    message = "implicitgrad: --plain is --format plain; expected it or --format latex, got both\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", message)


def test_colours_can_be_read_on_light_and_on_dark_terminals() -> None:
    levels = [0, 95, 135, 175, 215, 255]  # of xterm's 6×6×6 colour cube
    for color in (streams.GOOD, streams.DOUBTFUL, streams.BAD, streams.LABEL, streams.UNDETERMINED):
        match = re.fullmatch(r"color\((\d+)\)", color)
        assert match
        number = int(match[1]) - 16
        parts = [levels[one] / 255 for one in (number // 36, number // 6 % 6, number % 6)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]  # WCAG 2
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert min(1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05) >= 3.9


def test_a_rounded_fact_has_an_equals_sign(run: Run) -> None:
    curve = ("solve", "-e", "3*x = y^2", "--unknowns", "y", "--at", "x=2,y=sqrt(6)", "--order", "2")
    result = run(*curve, "--notation", "decimal", "--plain")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("dy_dx[y][x] = ~0.612372\nd2y_dx2[x][x] = ~-0.153093\n")

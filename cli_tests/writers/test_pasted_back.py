"""What solve prints is read back by check: as text in JSON, as a table has it, and as sympy prints the same."""

import json
import random
import re

import pytest
import sympy
from conftest import Run, spread

from implicitgrad.symbolic.to_sympy import read_value

TERMS = (
    "x*y", "x^2*y", "y^2/x", "a*x", "exp(x*y)", "sin(x + y)", "cos(a*y)", "sqrt(x^2 + y^2)", "log(x/y)", "x^(2/3)",
    "y^(1/3)", "x^1.5", "y^-0.25", "atan2(y, x)", "erf(x - y)", "abs(x)*y", "cbrt(x - y)", "asin(x/a)", "acosh(y)",
    "log10(a*y)", "tanh(x)", "sec(y)", "pi*y", "2^y", "y^a", "-3*y", "y/7", "x/(a + y)",
)  # fmt: skip


def equation_of(seed: int) -> str:
    chosen = random.Random(seed).sample(TERMS, 2)
    return f"y + {' + '.join(chosen)} = 3"


def cells_of(table: str, name: str) -> list[str]:
    """The entries of a row of a table."""
    (row,) = re.findall(rf"^  {name}  +(.*)$", table, re.MULTILINE)
    return re.split("  +", row.strip())


@pytest.mark.parametrize("seed", spread(range(4), 4))
def test_every_expression_that_is_printed_is_read_back_to_the_same_value(run: Run, seed: int) -> None:
    arguments = ("-e", equation_of(seed), "--unknowns", "y", "--inputs", "x,a")
    record = json.loads(run("solve", *arguments, "-fjson").stdout)
    texts = [str(text) for text in record["dy_dx"][0]]
    shown = cells_of(run("solve", *arguments).stdout, "y")
    there = {name: sympy.Rational(number) for name, number in (("x", "7/5"), ("y", "6/5"), ("a", "3"))}
    there = {sympy.Symbol(name, real=True): value for name, value in there.items()}
    F = read_value(equation_of(seed).partition("=")[0])
    y = sympy.Symbol("y", real=True)
    for name, text, cell in zip(("x", "a"), texts, shown, strict=True):
        slope = -F.diff(sympy.Symbol(name, real=True)) / F.diff(y)
        for one in (text, cell):
            assert abs((read_value(one) - slope).subs(there).evalf(30)) < 1e-20
    for row in spread((shown, texts), 2):
        result = run("check", *arguments, "--dydx", ", ".join(row), "-q")
        assert (result.returncode, result.stderr) == (0, "")
        result = run("check", *arguments, "--dydx", f"[[{'  ,'.join(row)}]]", "-q")
        assert result.returncode == 0


@pytest.mark.parametrize(
    "A", spread(["a b; c d", "a 1/2 0; 0 b -c; 1 1 a*b", "sqrt(a) -1; exp(b) 2^(1/3)", "a^2 -b; a*b 3"], 2)
)
def test_answers_with_letters_are_pasted_back(run: Run, A: str) -> None:
    record = json.loads(run("solve", "-A", A, "-fjson").stdout)
    table = run("solve", "-A", A).stdout
    rows = [cells_of(table, name) for name in record["y"]]
    assert (
        run("check", "-A", A, "--dydx", "; ".join(", ".join(map(str, row)) for row in record["dy_dx"])).returncode == 0
    )
    assert run("check", "-A", A, "--dydx", "; ".join("  ".join(row) for row in rows)).returncode == 0


def test_the_number_of_entries_decides_where_blanks_leave_a_doubt(run: Run) -> None:
    one = ("check", "-e", "y = x^2/2 - x", "--unknowns", "y", "--dydx")
    assert run(*one, "x -1").returncode == 0
    assert run(*one, "x - 1").returncode == 0
    assert run(*one, "x -2").returncode == 1
    two = ("check", "-e", "y = x - z", "--unknowns", "y", "--inputs", "x,z", "--dydx")
    assert run(*two, "1 -1").returncode == 0
    assert "has 2 entries; expected 1" in run(*one, "1 -1").stderr


@pytest.mark.parametrize(
    "curve", spread(["x**3 + y**3 - 6*x*y", "x*exp(y) - y**2*sin(x)", "atan2(y, x) - x*y", "x**y - y**x"], 2)
)
def test_what_sympy_prints_is_read(run: Run, curve: str) -> None:
    x, y = sympy.symbols("x y", positive=True)
    slope = str(sympy.idiff(sympy.sympify(curve, locals={"x": x, "y": y}), y, x))
    check = ("check", "-e", f"{curve} = 0", "--unknowns", "y", "--dydx")
    assert run(*check, slope).returncode == 0
    assert run(*check, f"-({slope})").returncode == 1


def test_a_typographic_minus_is_read_inline_and_nowhere_else(run: Run) -> None:
    assert run("check", "-A", "−1/2 0; 0 1e−1", "--dydx", "−2 0; 0 10", "-q").returncode == 0
    assert run("solve", "-e", "y^2 = x", "--unknowns", "y", "--at", "x=4,y=−2").returncode == 0
    rounded = run("solve", "-e", "y^2 = x", "--unknowns", "y", "--at", "x=2,y=−1.41421")
    assert (rounded.returncode, rounded.stderr) == (0, "")
    for name, text in (("s.yaml", "A: [[−1]]"), ("s.csv", "−1,2\n3,4\n")):
        result = run("solve", name, files={name: text})
        assert result.returncode == 2
        assert "U+2212" in result.stderr

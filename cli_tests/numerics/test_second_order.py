"""Second derivatives of several unknowns, against sympy's derivatives of the slopes."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from conftest import Run, spread

from implicitgrad import UsageError
from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.readers.equations.reader import EquationLine, Point, add_linearization, read_equations
from implicitgrad.readers.systems.build import build_system
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.symbolic.function_field.field import expression_of


def solved(equations: list[str], y: str, x: str, at: dict[str, str] | None = None, solve_for: str = "") -> Any:
    lines = [EquationLine(text, "e") for text in equations]
    values = {name: EquationLine(value, "at") for name, value in (at or {}).items()}
    point = Point(values, solve_for.split()) if at else None
    spec = SystemSpec("s", {}, "s")
    spec.order = 2
    names = [SourceValue(one.split()) for one in (y, x)]
    add_linearization(spec, read_equations(lines, *names, "e", point))
    if spec.linearize is not None:
        spec.linearize()
    return solve_system(build_system(spec), order=2)


def by_sympy(equations: list[str], y: str, x: str) -> list[list[list[Any]]]:
    """Differentiate F(x, y(x)) = 0 twice with y as functions, and solve for the second derivatives."""
    letters = {name: sympy.Symbol(name, real=True) for name in f"{y} {x} a b".split()}
    inputs, unknowns = [[letters[name] for name in one.split()] for one in (x, y)]
    F = [
        sympy.sympify(left, letters) - sympy.sympify(right, letters)
        for left, right in (e.split("=") for e in equations)
    ]
    A = sympy.Matrix([[f.diff(v) for v in unknowns] for f in F])
    J = -A.inv() * sympy.Matrix([[f.diff(v) for v in inputs] for f in F])

    def total(expression: Any, k: int) -> Any:
        slopes = sum((expression.diff(v) * J[j, k] for j, v in enumerate(unknowns)), sympy.Integer(0))
        return expression.diff(inputs[k]) + slopes

    P = len(inputs)
    return [[[total(J[j, i], k) for k in range(P)] for i in range(P)] for j in range(len(unknowns))]


SYSTEMS = {
    "polar": (["u = r*cos(t)", "v = r*sin(t)"], "r t", "u v", "2 7/10 2*cos(7/10) 2*sin(7/10)"),
    "one input": (["x = y1 + y2", "x = y1*y2"], "y1 y2", "x", "3 3/2 9/2"),
    "letters": (["u = a*y1 + y1*y2", "v = y2**2 - b*y1"], "y1 y2", "u v", "2 5 14 19 2 3"),
    "three": (["u = y1*y2", "v = y2*y3", "w = y3*y1 + y2"], "y1 y2 y3", "u v w", "2 3 5 6 15 13"),
    "inputs as coefficients": (["u*v + v**2*y2 = y1", "u = y1*y2 + y2"], "y1 y2", "u v", "-4 2 -6 1"),
}
"""Equations, the unknowns, the inputs, and a solution: the unknowns, the inputs, a and b."""


@pytest.mark.parametrize(("equations", "y", "x", "values"), spread(SYSTEMS.values(), 4), ids=spread(SYSTEMS, 4))
def test_second_derivatives_are_those_of_the_slopes(equations: list[str], y: str, x: str, values: str) -> None:
    found, expected = solved(equations, y, x), by_sympy(equations, y, x)
    N, P = len(y.split()), len(x.split())
    assert found.second.shape == (N * P, P)
    point = dict(zip([*y.split(), *x.split(), "a", "b"], map(sympy.sympify, values.split()), strict=False))

    def there(expression: Any) -> Any:
        return expression.subs({symbol: point[symbol.name] for symbol in expression.free_symbols}).evalf(30)

    for j in range(N):
        for i in range(P):
            for k in range(P):
                value = there(expression_of(found.second[P * j + i][k]))
                assert abs(value - there(expected[j][i][k])) < 1e-20


def test_at_an_exact_point_they_are_fractions_and_at_a_computed_one_have_bounds() -> None:
    equations = ["u = y1**2 + y2", "v = y1*y2"]
    expected = by_sympy(equations, "y1 y2", "u v")
    exact = solved(equations, "y1 y2", "u v", {"u": "11", "v": "6", "y1": "3", "y2": "2"})
    near = solved(equations, "y1 y2", "u v", {"u": "11.5", "v": "6", "y1": "3", "y2": "2"}, "y1 y2")
    assert exact.arithmetic == "exact"
    assert near.arithmetic == "float"
    assert 0 < near.second_error_bound < 1e-12
    digits = {name: sympy.Rational(value) for name, value in near.system.origin.point}
    for j in range(2):
        for i in range(2):
            for k in range(2):
                entry = expected[j][i][k]
                at = entry.subs({s: {"u": 11, "v": 6, "y1": 3, "y2": 2}[s.name] for s in entry.free_symbols})
                assert exact.second[2 * j + i][k] == Fraction(str(at))
                true = entry.subs({s: digits[s.name] for s in entry.free_symbols})
                assert abs(float(near.second[2 * j + i][k]) - float(true)) <= near.second_error_bound + 1e-15


def test_a_rounded_point_has_a_bound_that_covers_its_solutions() -> None:
    equations = ["u = y1**2 + y2", "v = y1*y2"]
    found = solved(equations, "y1 y2", "u v", {"u": "4.409", "v": "3.408", "y1": "1.414", "y2": "2.41"})
    expected = by_sympy(equations, "y1 y2", "u v")
    for y1, y2 in ((1.4138, 2.412), (1.4142, 2.409)):
        for row in range(4):
            for k in range(2):
                entry = expected[row // 2][row % 2][k]
                values = {"y1": y1, "y2": y2, "u": y1**2 + y2, "v": y1 * y2}
                true = float(entry.subs({s: values[s.name] for s in entry.free_symbols}))
                assert abs(float(found.second[row][k]) - true) <= found.second_error_bound


def test_linear_systems_have_zeros_and_singular_ones_none(run: Run) -> None:
    linear = solved(["u = 2*y1 + y2", "v = y1 - y2"], "y1 y2", "u v")
    assert list(linear.second) == [(0, 0)] * 4
    fold = solved(["u = y1**2 + y2", "v = y1*y2"], "y1 y2", "u v", {"u": "3", "v": "2", "y1": "1", "y2": "2"})
    assert not fold.second
    with pytest.raises(UsageError, match="as many equations as unknowns, got 1 equation in 2 unknowns"):
        solved(["u = y1**2 + y2"], "y1 y2", "u")
    result = run("solve", "-A", "2 1; 1 -1", "--order", "2")
    assert "  ∂²y/∂x² is 0 throughout, for the system is linear\n" in result.stdout


POLAR = ("solve", "-e", "u = r*cos(t)", "-e", "v = r*sin(t)", "--unknowns", "r,t", "--inputs", "u,v", "--order", "2")
TABLE = """
  ∂²r/∂x²                 u                 v
 ────────────────────────────────────────────
  u               sin(t)²/r   -sin(2·t)/(2·r)
  v         -sin(2·t)/(2·r)         cos(t)²/r
"""


def test_the_command_prints_a_table_for_each_unknown(run: Run) -> None:
    result = run(*POLAR)
    assert (result.returncode, result.stderr) == (0, "")
    assert TABLE in result.stdout
    formats = (
        (["--plain"], "d2r_dx2[u][u] = sin(t)^2/r\n"),
        (["-flatex"], "\\frac{\\partial^2 r}{\\partial x^2} = \\begin{pmatrix}"),
    )
    for options, text in spread(formats, 2):
        assert text in run(*POLAR, *options).stdout
    record = json.loads(run(*POLAR, "--format", "json").stdout)
    assert [len(rows) for rows in record["d2y_dx2"]] == [2, 2]
    assert record["d2y_dx2"][0][0][0] == "sin(t)**2/r"
    refused = run(*POLAR, "--steps")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert (
        "--steps derives the second derivatives of one unknown, got 2. Leave out --steps or --order 2" in refused.stderr
    )


@pytest.mark.parametrize(
    ("equation", "at"),
    [
        ("y**2*1e-350 + y + x = 0", "x=0,y=0"), ("1e350*y**2 + y + x = 0", "x=0,y=0"),
        ("y**3 + x = 1e-300", "x=0,y=1e-100"),
    ],
)  # fmt: skip
def test_second_derivatives_that_doubles_cannot_hold_are_refused(run: Run, equation: str, at: str) -> None:
    given = ("solve", "-e", equation, "--unknowns", "y", "--inputs", "x", "--at", at, "--order", "2")
    result = run(*given, "--arithmetic", "float", "-fjson")
    assert result.returncode == 2
    assert json.loads(result.stderr)["error"]["code"] == "overflow"
    assert run(*given, "-fjson").returncode == 0


def test_second_derivatives_that_are_not_determined_are_said_to_be_so(run: Run) -> None:
    node = ("solve", "-e", "y^2 = x^3 - 3*x + 2", "--unknowns", "y", "--at", "x=1,y=0", "--order", "2")
    for options in ((), ("--steps",)):
        result = run(*node, *options)
        assert (result.returncode, result.stderr) == (0, "")
        assert "\n  ∂²y/∂x² is not determined, for ∂y/∂x is not\n" in result.stdout
    sentence = r"$\partial^2 y/\partial x^2$ is not determined, for $\partial y/\partial x$ is not."
    assert f"\n{sentence}\n" in run(*node, "--format", "latex").stdout


def test_second_derivatives_are_in_every_format_or_refused(run: Run, tmp_path: Path) -> None:
    two = ("solve", "-e", "u^2 + v = x + z", "-e", "u*v = z", "--unknowns", "u,v", "--at", "x=1,z=0,u=1,v=0")
    node = ("solve", "-e", "y^2 = x^3", "--unknowns", "y", "--at", "x=0,y=0")
    for question, shape in ((two, (2, 2, 2)), (node, (1, 1, 1))):
        result = run(*question, "--order", "2", "-o", "a.npz")
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
        found = np.load(tmp_path / "a.npz")["d2y_dx2"]
        assert found.shape == shape
        record = json.loads(run(*question, "--order", "2", "--format", "json").stdout)["d2y_dx2"]
        assert np.isnan(found).all() if record is None else found.tolist() == record
    refused = run(*two, "--order", "2", "--format", "csv")
    message = "implicitgrad: <inline>: CSV has no place for ∂²y/∂x². --format json has them\n"
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", message)

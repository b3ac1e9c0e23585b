"""Systems with letters of some size: answered right, or refused before the work."""

import json
import random
from typing import Any

import pytest
import sympy
from conftest import Run

from implicitgrad.symbolic.to_sympy import read_value, symbol


def exactly(text: str, point: dict[str, sympy.Expr]) -> sympy.Expr:
    return sympy.sympify(text, locals={name: sympy.Symbol(name) for name in point}).subs(point)


def numbers(text: str, point: dict[str, sympy.Expr]) -> sympy.Float:
    return exactly(text, point).evalf(30)


def rational_point(names: list[str], seed: int = 4) -> dict[str, sympy.Expr]:
    generator = random.Random(seed)
    return {name: sympy.Rational(generator.randrange(1, 30), 20) for name in names}


def test_the_derivative_of_a_layer_of_tanh_is_the_adjugate_over_the_determinant(run: Run) -> None:
    F = ["z1 = tanh(w11*z1+w12*z2+x1)", "z2 = tanh(w21*z1+w22*z2+x2)"]
    given = ("-e", F[0], "-e", F[1], "--unknowns", "z1,z2", "--inputs", "x1,x2")
    record = json.loads(run("solve", *given, "-f", "json").stdout)
    z, x = [symbol("z1"), symbol("z2")], [symbol("x1"), symbol("x2")]
    differences = [read_value(left) - read_value(right) for left, right in (text.split(" = ") for text in F)]
    point = rational_point(["z1", "z2", "x1", "x2", "w11", "w12", "w21", "w22"])
    A, B = (sympy.Matrix(differences).jacobian(some).subs({symbol(n): v for n, v in point.items()}) for some in (z, x))
    expected = -A.adjugate() / A.det() * B
    for i in range(2):
        for k in range(2):
            assert abs(numbers(record["dy_dx"][i][k], point) - expected[i, k].evalf(30)) < 1e-25
    claimed = "; ".join(" ".join(entry.replace(" ", "") for entry in row) for row in record["dy_dx"])
    assert run("check", *given, "--dydx", claimed).returncode == 0
    assert run("check", *given, "--dydx", claimed.replace("w12", "w21")).returncode == 1


def nested(function: str, depth: int, inside: str = "y") -> str:
    return f"{function}(" * depth + inside + ")" * depth


@pytest.mark.parametrize(("function", "depth"), [("sin", 12), ("tanh", 5), ("cos", 9), ("log", 4), ("exp", 3)])
def test_nested_functions_have_the_derivatives_of_the_chain_rule(run: Run, function: str, depth: int) -> None:
    given = ("-e", f"x={nested(function, depth)}", "--unknowns", "y")
    result = run("solve", *given, "--order", "2", "-f", "json")
    assert (result.returncode, result.stderr) == (0, "")
    record = json.loads(result.stdout)
    y = symbol("y")
    f = read_value(nested(function, depth))
    slope, bend = (sympy.diff(f, y, order) for order in (1, 2))
    start = sympy.Integer(10) ** 20 if function == "log" else sympy.Rational(-7, 10)
    expected = [(1 / slope).subs(y, start).evalf(30), (-bend / slope**3).subs(y, start).evalf(30)]
    point = {"y": start, "x": f.subs(y, start).evalf(40)}
    found = [numbers(record[key][0][0], point) for key in ("dy_dx", "d2y_dx2")]
    for one, other in zip(found, expected, strict=True):
        assert abs(one - other) < 1e-20 * abs(other)
    own = record["dy_dx"][0][0]
    assert run("check", *given, "--dydx", own).returncode == 0
    assert run("check", *given, "--dydx", f"{own}*1.001").returncode == 1


def test_a_sum_of_many_sines_has_its_derivative(run: Run) -> None:
    terms = "+".join(f"sin({i}*y)" for i in range(1, 60))
    result = run("solve", "-e", f"x={terms}", "--unknowns", "y", "-f", "json")
    (((found,),),) = (json.loads(result.stdout)["dy_dx"],)
    y = sympy.Rational(3, 10)
    expected = 1 / sum(i * sympy.cos(i * y) for i in range(1, 60))
    assert abs(numbers(found, {"y": y}) - expected.evalf(30)) < 1e-25


def letters(rows: int, columns: int) -> str:
    return "; ".join(" ".join(f"{'abcdefghij'[i]}{j}" for j in range(columns)) for i in range(rows))


def band(n: int) -> str:
    def entry(i: int, j: int) -> str:
        return f"a{i}" if i == j else f"b{min(i, j)}" if abs(i - j) == 1 else "0"

    return "; ".join(" ".join(entry(i, j) for j in range(n)) for i in range(n))


TOO_LONG = {
    "12×12 band": ((band(12),), "the answer would have 38,212 terms; expected at most 15,000"),
    "12×12 band with --steps": ((band(12), "--steps"), "--steps is for at most 6 equations, unknowns and inputs"),
    "4×8": ((letters(4, 8),), "the choice of minimum norm would have denominators of more than 500 terms"),
    "3×9": ((letters(3, 9),), "the choice of minimum norm would have denominators of more than 500 terms"),
    "7×7": ((letters(7, 7),), "the answer would have determinants of up to 5,040 terms; expected at most 500"),
}


@pytest.mark.parametrize("name", TOO_LONG)
def test_what_nobody_reads_is_refused_before_the_work(run: Run, name: str) -> None:
    (matrix, *options), message = TOO_LONG[name]
    result = run("solve", "-A", matrix, *options)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.parametrize("matrix", [band(8), letters(4, 4), letters(2, 6), letters(3, 5)])
def test_what_is_answered_solves_the_equations(run: Run, matrix: str) -> None:
    result = run("solve", "-A", matrix, "-f", "json")
    assert (result.returncode, result.stderr) == (0, "")
    record = json.loads(result.stdout)
    names = sorted({name for row in matrix.split("; ") for name in row.split() if name != "0"})
    point = rational_point(names)
    A = evaluated([row.split() for row in matrix.split("; ")], point)
    if record["general"] is None:
        assert A * evaluated(record["dy_dx"], point) == sympy.eye(len(record["x"]))
        return
    particular, null_space, least = (
        evaluated(record["general"][key], point) for key in ("particular", "null_space", "minimum_norm")
    )
    assert A * particular == A * least == sympy.eye(len(record["x"]))
    assert A * null_space == sympy.zeros(*(A * null_space).shape)
    assert least == A.pinv()


def evaluated(rows: list[list[Any]], point: dict[str, sympy.Expr]) -> sympy.Matrix:
    return sympy.Matrix([[sympy.Rational(entry) if isinstance(entry, int) else exactly(entry, point) for entry in row]
                         for row in rows])  # fmt: skip

"""Systems with letters of some size: answered right, or refused before the work."""

import json
import random
import re
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy
from conftest import IS_THOROUGH, Run, only_thorough, spread

import implicitgrad
from implicitgrad.symbolic.to_sympy import read_value, symbol


def exactly(text: str, point: dict[str, sympy.Expr]) -> sympy.Expr:
    return sympy.sympify(text, locals={name: sympy.Symbol(name) for name in point}).subs(point)


def numbers(text: str, point: dict[str, sympy.Expr]) -> sympy.Float:
    return exactly(text, point).evalf(30)


def rational_point(names: list[str], seed: int = 4) -> dict[str, sympy.Expr]:
    generator = random.Random(seed)
    return {name: sympy.Rational(generator.randrange(1, 30), 20) for name in names}


@only_thorough
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


@only_thorough
def test_a_dense_matrix_of_many_minors_has_the_answer_of_numbers_in_place_of_its_letter() -> None:
    generator = random.Random(2)
    A = [[str(generator.randint(-9, 9)) for _ in range(11)] for _ in range(11)]
    in_letters, in_numbers = (
        implicitgrad.solve([[corner, *A[0][1:]], *A[1:]], ["1"] * 11).dL_dx for corner in ("a", "7")
    )
    assert [exactly(str(entry), {"a": sympy.Integer(7)}) for entry in in_letters] == [
        sympy.Rational(entry.numerator, entry.denominator) for entry in in_numbers
    ]


NESTED_A_LITTLE = [("log", 2), ("exp", 2)]


def nested(function: str, depth: int, inside: str = "y") -> str:
    return f"{function}(" * depth + inside + ")" * depth


@pytest.mark.parametrize(
    ("function", "depth"),
    [("sin", 9), ("tanh", 4), ("log", 4), ("exp", 3)] if IS_THOROUGH else NESTED_A_LITTLE,
)
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


@only_thorough
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


@pytest.mark.parametrize(
    "matrix", [band(6 if IS_THOROUGH else 4), *spread([letters(2, 5), letters(4, 4), letters(3, 4)], 3)]
)
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
    assert null_space.T * least == sympy.zeros(*(null_space.T * least).shape)


def evaluated(rows: list[list[Any]], point: dict[str, sympy.Expr]) -> sympy.Matrix:
    """Return the rows as numbers, by Python's own arithmetic."""
    names = {"F": Fraction} | {name: Fraction(int(value.p), int(value.q)) for name, value in point.items()}
    return sympy.Matrix([[eval(re.sub(r"\b\d+\b", r"F(\g<0>)", str(entry)), names) for entry in row] for row in rows])


@pytest.mark.parametrize(
    ("function", "depth", "inside"),
    spread([("tan", 12, "y"), ("tanh", 20, "y"), ("atan", 20, "y"), ("asin", 8, "y/9"), ("atan", 6, "x*y+y"),
            ("sqrt", 45, "x*y+y")], 4),
)  # fmt: skip
def test_deeply_nested_functions_have_their_slopes(run: Run, function: str, depth: int, inside: str) -> None:
    given = ("-e", f"{nested(function, depth, inside)}=z", "--unknowns", "y", "--inputs", "x,z")
    result = run("solve", *given, "-f", "json")
    assert (result.returncode, result.stderr) == (0, "")

    def value(x: Any, y: Any) -> Any:
        found = {"y": y, "y/9": y / 9, "x*y+y": x * y + y}[inside]
        for _ in range(depth):
            found = getattr(mpmath, function)(found)
        return found

    with mpmath.workdps(50):
        point = mpmath.mpf("0.25"), mpmath.mpf("0.4")
        by_x, by_y = (mpmath.diff(value, point, order) for order in ((1, 0), (0, 1)))
        for text, expected in zip(json.loads(result.stdout)["dy_dx"][0], [-by_x / by_y, 1 / by_y], strict=True):
            found = eval(text, vars(mpmath) | {"x": point[0], "y": point[1]}) if isinstance(text, str) else text
            assert abs(found - expected) <= abs(expected) * mpmath.mpf(10) ** -12


REFUSED = {
    "exp nested": (
        ("-e", f"x={nested('exp', 45)}", "--unknowns", "y"),
        "expected expressions that can be computed for some values of their letters, found complex numbers, or exp of "
        "more than 100,000,000, for all that were tried",
    ),
    "log nested": (
        ("-e", f"x={nested('log', 9)}", "--unknowns", "y"),
        "expected expressions that are real for some values of their letters, found complex numbers, for all that were",
    ),
    "cosh of a trillion": (
        ("-e", "cosh(y)=x", "--y", "y", "--at", "y=1e12,x=1", "--solve-for", "x"),
        "expected numbers of at most 4,000 digits, and the equations have more at y = 1000000000000, x = 1",
    ),
    "many inputs": (
        ("-e", "+".join(f"a{i}*y**2" for i in range(40)) + "=x", "--unknowns", "y"),
        "expected at most 16 equations, unknowns and inputs with letters, got 1 equation, 1 unknown, 41 inputs",
    ),
    "y**y at 1e6": (("-e", "y**y=x", "--y", "y", "--at", "x=1,y=1e6"), "expected numbers of at most 4,000 digits"),
    "y**y at 1e300": (("-e", "y**y=x", "--y", "y", "--at", "x=1,y=1e300"), "expected numbers of at most 4,000 digits"),
    "powers of powers": (
        ("-e", "((y**90)**90)**90=x", "--y", "y", "--at", "x=1,y=3/2"),
        "expected numbers of at most 4,000 digits, and the equations have more at x = 1, y = 3/2",
    ),
    "exp of exp": (
        ("-e", "exp(exp(exp(y)))=x", "--y", "y", "--at", "x=1,y=3"),
        "expected numbers of at most 4,000 digits, and the equations have more at x = 1, y = 3",
    ),
    "a sum of fractions": (
        ("-e", "+".join(f"1/(y+{p})**99" for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)) + "=x", "--y", "y", "--at",
         "x=1,y=1/1000000"),
        "expected numbers of at most 4,000 digits",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_equations_of_too_large_numbers_are_refused(run: Run, name: str) -> None:
    arguments, message = REFUSED[name]
    result = run("solve", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_equations_of_large_numbers_are_answered(run: Run) -> None:
    result = run("solve", "-e", "y**y=x", "--y", "y", "--at", "y=200,x=200**200/1", "-f", "json")
    assert result.returncode == 2  # 200**200 is more than a power may be
    result = run("solve", "-e", "y**40=x**20", "--y", "y", "--at", "y=1e12,x=1e24", "-f", "json")
    record = json.loads(result.stdout)
    assert record["exact"]["dy_dx"] == [["1/2000000000000"]]
    result = run("solve", "-e", "log(y)=x", "--y", "y", "--at", "y=exp(9000),x=9000", "-f", "json")
    assert json.loads(result.stdout)["exact"]["dy_dx"] == [["exp(9000)"]]


CONSTANTS = {
    "a point of transcendental numbers": (
        ("-e", "exp(y*x)/4=z", "--unknowns", "y", "--at", "y=1,x=1/3,z=exp(1/3)/4"),
        [[-3, 12 * sympy.exp(-sympy.Rational(1, 3))]],
    ),
    "entries": (("-A", "sqrt(2) 1; pi exp(1)"), sympy.Matrix([[sympy.sqrt(2), 1], [sympy.pi, sympy.E]]).inv().tolist()),
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_are_doubles_with_bounds_where_that_is_asked_for(run: Run, name: str) -> None:
    arguments, expected = CONSTANTS[name]
    record = json.loads(run("solve", *arguments, "--arithmetic", "float", "-f", "json").stdout)
    assert record["arithmetic"] == "float"
    bound = record["error_bound"]["dy_dx"]
    assert 0 < bound < 1e-14
    for row, others in zip(record["dy_dx"], expected, strict=True):
        for found, other in zip(row, others, strict=True):
            assert abs(sympy.Rational(found) - sympy.sympify(other).evalf(40)) <= bound
    exact = json.loads(run("solve", *arguments, "-f", "json").stdout)
    assert exact["arithmetic"] == "symbolic"
    assert [abs(a - b) < 1e-13 for a, b in zip(exact["dy_dx"][0], record["dy_dx"][0], strict=True)] == [True] * 2


def test_letters_are_no_constants(run: Run) -> None:
    result = run("solve", "-A", "sqrt(2) a; 1 2", "--arithmetic", "float")
    assert (result.returncode, result.stdout) == (2, "")
    assert "Letters are for exact arithmetic" in result.stderr


@pytest.mark.parametrize("wrong", ["sqrt(-2)", "asin(2)", "1/sin(pi)", "log(0)", "sinn(1)", "a*log(-1)"])
def test_what_is_wrong_with_a_constant_is_said_alike_in_both_arithmetics(run: Run, wrong: str) -> None:
    for arguments in (("-A", f"1 2; 3 {wrong}"), ("-A", "1", "-B", wrong), ("-A", "1", "-g", wrong)):
        exact = run("solve", *arguments)
        result = run("solve", *arguments, "--arithmetic", "float")
        assert (exact.returncode, result.returncode) == (2, 2)
        assert result.stderr == exact.stderr
        assert "Letters are for" not in result.stderr


def test_many_equations_at_a_point_of_transcendental_numbers_are_answered_in_doubles(run: Run) -> None:
    n = 20
    equations = [part for i in range(n) for part in ("-e", f"exp(y{i + 1})+y{(i + 1) % n + 1}/9=x{i + 1}")]
    values = [f"y{i + 1}=1/{i + 2}" for i in range(n)]
    values += [f"x{i + 1}=exp(1/{i + 2})+1/{9 * ((i + 1) % n + 2)}" for i in range(n)]
    names = ("--unknowns", ",".join(f"y{i + 1}" for i in range(n)))
    result = run("solve", *equations, *names, "--at", ",".join(values), "-f", "json")
    record = json.loads(result.stdout)
    assert (record["arithmetic"], record["status"]) == ("float", "determined")
    A = sympy.zeros(n)
    for i in range(n):
        A[i, i] = sympy.exp(sympy.Rational(1, i + 2)).evalf(40)
        A[i, (i + 1) % n] = sympy.Rational(1, 9)
    found = sympy.Matrix([[sympy.Rational(value) for value in row] for row in record["dy_dx"]])
    assert max(map(abs, A.inv() - found)) <= record["error_bound"]["dy_dx"] < 1e-13

"""The functions and powers of equations: derivatives against sympy's idiff and mpmath's, and by solving again."""

import json

import mpmath
import pytest
import sympy
from conftest import Run, spread

from implicitgrad import linear_system, solve
from implicitgrad.symbolic.grammar.functions import FUNCTIONS
from implicitgrad.symbolic.to_sympy import read_value

x, y = sympy.symbols("x y", real=True)
IN_MPMATH = {
    "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan, "sec": mpmath.sec, "csc": mpmath.csc, "cot": mpmath.cot,
    "asin": mpmath.asin, "acos": mpmath.acos, "atan": mpmath.atan, "atan2": lambda u: mpmath.atan2(u, 2),
    "sinh": mpmath.sinh, "cosh": mpmath.cosh, "tanh": mpmath.tanh, "asinh": mpmath.asinh,
    "acosh": lambda u: mpmath.acosh(u + 1), "atanh": mpmath.atanh, "exp": mpmath.exp, "log": mpmath.log,
    "ln": mpmath.log, "log10": mpmath.log10, "log2": lambda u: mpmath.log(u, 2), "sqrt": mpmath.sqrt,
    "cbrt": mpmath.cbrt, "abs": abs, "erf": mpmath.erf,
}  # fmt: skip
ARGUMENTS = {"atan2": "u, 2", "acosh": "u + 1"}


def call(name: str, argument: str) -> str:
    return f"{name}({ARGUMENTS.get(name, 'u').replace('u', f'({argument})')})"


@pytest.mark.parametrize("name", spread(FUNCTIONS, 5))
def test_every_function_has_its_value_and_derivatives(run: Run, name: str) -> None:
    function = IN_MPMATH[name]
    record = json.loads(
        run("solve", "-e", f"y = {call(name, 'x')}", "--unknowns", "y", "--order", "2", "-fjson").stdout
    )
    first, second = (read_value(str(text)) for text in (record["dy_dx"][0][0], record["d2y_dx2"][0][0]))
    with mpmath.workdps(30):
        for u in ("0.375", "0.8"):
            there = {x: sympy.Rational(u), y: sympy.Float(str(function(mpmath.mpf(u))), 30)}
            for order, found in enumerate((first, second), start=1):
                expected = mpmath.diff(function, mpmath.mpf(u), order)
                assert abs(mpmath.mpf(str(found.subs(there).evalf(25))) - expected) < 1e-10
            assert abs(mpmath.mpf(str(read_value(call(name, u)).evalf(25))) - function(mpmath.mpf(u))) < 1e-20


@pytest.mark.parametrize("name", spread([name for name in reversed(FUNCTIONS) if name != "abs"], 2))
def test_every_function_is_bounded_where_a_solution_is_found(run: Run, name: str) -> None:
    arguments = ("-e", f"{call(name, 'y')} = a + x", "--unknowns", "y", "--inputs", "x")
    start = IN_MPMATH[name](mpmath.mpf("0.7"))
    at = ("--at", f"x=0,a={mpmath.nstr(start, 12)},y=0.7", "--solve-for", "y")
    record = json.loads(run("solve", *arguments, *at, "-fjson").stdout)
    expected = 1 / mpmath.diff(IN_MPMATH[name], mpmath.mpf(record["at"]["y"]))
    assert abs(record["dy_dx"][0][0] - expected) <= 1e-12 * abs(expected)
    assert record["error_bound"]["dy_dx"] < 1e-12 * abs(expected)


@pytest.mark.parametrize(
    ("equation", "at", "expected"),
    spread(
        [
            ("x^(2/3) + y^(2/3) = 4", "x=-3*sqrt(3),y=1", 1 / sympy.sqrt(3)),
            ("x^(2/3) + y^(2/3) = 4", "x=3*sqrt(3),y=1", -1 / sympy.sqrt(3)),
            ("x^(2/3) + y^(2/3) = 4", "x=-3*sqrt(3),y=-1", -1 / sympy.sqrt(3)),
            ("cbrt(x) + cbrt(y) = -3", "x=-1,y=-8", sympy.Integer(-4)),
            ("x^0.2*y = 2", "x=-32,y=-1", sympy.Rational(-1, 160)),
            ("x^0.6 + y = -6", "x=-32,y=2", sympy.Rational(-3, 20)),
            ("y^3 = x", "x=2,y=2^(1/3)", 2 ** sympy.Rational(1, 3) / 6),
            ("y^3 = x", "x=-2/3,y=-(2/3)^(1/3)", sympy.Rational(2, 3) ** sympy.Rational(-2, 3) / 3),
            ("y^5 = x", "x=-2,y=-2^(1/5)", 2 ** sympy.Rational(1, 5) / 10),
            ("y^8 = x", "x=3,y=3^0.125", 3 ** sympy.Rational(1, 8) / 24),
            ("h^2 = x*y^1.852", "h=1,x=1,y=1", sympy.Rational(-250, 463)),
            ("x = (y^(1/3))^(1/5)", "x=-2,y=-32768", sympy.Integer(245760)),
        ],
        2,
    ),
)
def test_roots_and_decimal_powers_at_exact_points(run: Run, equation: str, at: str, expected: sympy.Expr) -> None:
    result = run("solve", "-e", equation, "--unknowns", "y", "--inputs", "x", "--at", at, "-fjson")
    record = json.loads(result.stdout)
    found = record["exact"]["dy_dx"][0][0]
    assert (result.returncode, sympy.simplify(read_value(found) - expected)) == (0, 0)
    check = ("check", "-e", equation, "--unknowns", "y", "--inputs", "x", "--at", at, "--dydx")
    assert run(*check, found).returncode == 0
    assert run(*check, f"2*({found})").returncode in (1, 2)


@pytest.mark.parametrize("exponent", ["1.852", "0.54", "2/3", "-1.25", "1.04", "7/5", "1/13", "2.0001"])
def test_powers_are_differentiated_at_either_sign_that_they_have(exponent: str) -> None:
    power = read_value(f"x^({exponent})")
    q, p = sympy.Rational(exponent).q, sympy.Rational(exponent).p
    for u in (sympy.Rational(5, 4), *([sympy.Rational(-5, 4)] if q % 2 else [])):
        size = abs(u) ** sympy.Rational(p, q)
        sign = -1 if u < 0 and p % 2 else 1
        assert power.subs(x, u).equals(sign * size)
        assert power.diff(x).subs(x, u).equals(sympy.Rational(p, q) * sign * size / u)


def test_what_is_known_of_roots_makes_claims_hold(run: Run) -> None:
    check = ("check", "-e", "x^(2/3) + y^(2/3) = 4", "--unknowns", "y", "--dydx")
    for claim, code in (
        ("-cbrt(y/x)", 0), ("-(y/x)^(1/3)", 0), ("-cbrt(x^2*y)/x", 0), ("cbrt(y/x)", 1),
        ("-sqrt(4-x^(2/3))/cbrt(x)", 1),
    ):  # fmt: skip
        assert run(*check, claim).returncode == code
    check = ("check", "-e", "h = K*Q^1.852", "--unknowns", "Q", "--inputs", "h", "--dydx")
    for claim, code in (("Q/(1.852*h)", 0), ("1/(1.852*K*Q^0.852)", 0), ("Q/(1.85*h)", 1)):
        assert run(*check, claim).returncode == code
    assert solve(linear_system([["t^(1/3)", 1], [1, "t^(2/3)"]])).rank == 2
    assert solve(linear_system([["cbrt(a^3)", "a"], ["cbrt(a)^2", "a^(2/3)"]])).rank == 1


def test_no_derivative_is_taken_where_an_angle_jumps(run: Run) -> None:
    arguments = ("solve", "-e", "t = atan2(y, x)", "--unknowns", "t", "--at")
    result = run(*arguments, "x=-1,y=0,t=pi")
    assert (result.returncode, result.stdout) == (2, "")
    assert "equation 1 has no derivative at x = -1, y = 0, t = pi: atan2 jumps there" in result.stderr
    for there in ("x=1,y=0,t=0", "x=0,y=-2,t=-pi/2", "x=-3,y=3,t=3*pi/4"):
        assert run(*arguments, there).returncode == 0

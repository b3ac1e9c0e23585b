"""Intervals: what they hold, and what is proved by them, against sympy's numbers in more digits."""

from fractions import Fraction

import mpmath
import pytest
import sympy
from mpmath import iv

from implicitgrad.symbolic.equations.interval import Unbounded, bound, enclose, interval, surround
from implicitgrad.symbolic.odd_root import OddRoot

x, y, z = sympy.symbols("x y z", real=True)
TINY = sympy.Rational(1, 10**36)
EXPRESSIONS = (
    x + y / 3, x * y - 2, x**3, x**-2, sympy.sqrt(x), x ** sympy.Rational(-2, 3), x**y, sympy.exp(x * y),
    sympy.log(x + y), sympy.sin(x), sympy.cos(3 * y), sympy.tan(x), sympy.Abs(x - 3), sympy.Abs(x) / (-x), sympy.pi * x,
    sympy.E + y, sympy.E**x, 2**x, sympy.asin(x), sympy.acos(y / 2), sympy.atan(-y), sympy.asinh(x - 2), sympy.acosh(y),
    sympy.atanh(x), sympy.erf(x * y), sympy.atan2(y, x), sympy.atan2(x, -y), sympy.atan2(-x, -y), sympy.atan2(x - 1, x),
    sympy.sinh(x - y), sympy.cosh(x - y), sympy.tanh(y), OddRoot(x - 1, 3), OddRoot(x - y, 5) ** 2,
)  # fmt: skip


def contains(found: object, value: sympy.Expr) -> bool:
    with mpmath.workdps(90):
        number = mpmath.mpf(sympy.Float(value.evalf(90), 90)._mpf_)
        return bool(mpmath.mpf(found.a) <= number <= mpmath.mpf(found.b))  # type: ignore[attr-defined]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_an_interval_holds_all_values_and_little_more(expression: sympy.Expr) -> None:
    middle, radius = {x: Fraction(7, 10), y: Fraction(4, 3)}, Fraction(1, 1000)
    values = surround(
        {v: sympy.Rational(m.numerator, m.denominator) for v, m in middle.items()}, dict.fromkeys(middle, radius)
    )
    found = interval(expression, values)
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            point = {x: sympy.Rational(7, 10) + dx * sympy.Rational(1, 1000)}
            point[y] = sympy.Rational(4, 3) + dy * sympy.Rational(1, 1000)
            assert contains(found, expression.subs(point))
    assert mpmath.mpf(found.delta) <= 0.02
    assert iv.dps < 60


@pytest.mark.parametrize(
    "expression",
    [
        sympy.asin(x), sympy.acos(x), sympy.atanh(x), sympy.acosh(2 - x), sympy.log(1 - x), sympy.sqrt(1 - x),
        sympy.atan2(x - 1, -x), sympy.tan(sympy.pi * x / 2), 1 / OddRoot(1 - x, 3),
    ],
    ids=str,
)  # fmt: skip
def test_an_interval_that_leaves_the_domain_has_no_values(expression: sympy.Expr) -> None:
    inside = surround({x: sympy.Rational(9, 10)}, {x: Fraction(1, 100)})
    beyond = surround({x: sympy.Rational(999, 1000)}, {x: Fraction(1, 100)})
    assert mpmath.mpf(interval(expression, inside).delta) < 10
    try:
        found = interval(expression, beyond)
    except (NotImplementedError, ZeroDivisionError, ValueError):
        return
    assert mpmath.mpf(found.delta) == mpmath.inf


def test_a_solution_is_proved_where_there_is_one_alone() -> None:
    root = sympy.Rational(str(sympy.sqrt(2).evalf(50)))
    found = enclose([y**2 - 2], [[2 * y]], [y], {y: root + TINY})
    assert found is not None
    assert contains(found[y], sympy.sqrt(2))
    assert not contains(found[y], root + TINY)
    assert mpmath.mpf(found[y].delta) < 1e-50
    found = enclose(
        [x * y - z, x + y - 3], [[y, x], [sympy.S.One] * 2], [x, y], {x: 1 + TINY, y: 2 - TINY, z: sympy.Integer(2)}
    )
    assert found is not None
    assert contains(found[x], sympy.Integer(1))
    assert contains(found[y], sympy.Integer(2))


@pytest.mark.parametrize(
    ("f", "point"),
    [
        (y**2 - TINY**2 / 100, TINY / 10),
        (y**2 - TINY**2 / 100, TINY / 9),
        (y**2, sympy.Integer(0)),
        (y**2 + TINY**4, TINY),
        (y**2 - 2, sympy.Rational(3, 2)),
        (sympy.Abs(y) - TINY, TINY),
        (sympy.log(y) + 100, TINY),
    ],
)
def test_nothing_is_proved_where_there_are_two_solutions_or_none(f: sympy.Expr, point: sympy.Expr) -> None:
    slope = f.diff(y).replace(sympy.sign, lambda u: u / sympy.Abs(u))
    assert enclose([f], [[slope]], [y], {y: point}) is None


def test_a_bound_is_of_all_that_an_entry_can_be() -> None:
    point, roundings = {x: sympy.Rational(1, 2), y: sympy.Integer(3)}, {x: Fraction(1, 20)}
    texts, radii = bound([[x**2, sympy.Rational(2, 3), y]], point, surround(point, roundings))
    assert [Fraction(text) for text in texts[0]] == [Fraction(1, 4), Fraction(2, 3), 3]
    assert radii[0] == pytest.approx((0.0525, 0, 0))
    assert radii[0][0] >= 0.0525
    assert radii[0][2] < 1e-40
    with pytest.raises(Unbounded):
        bound([[1 / (x - sympy.Rational(52, 100))]], point, surround(point, roundings))

"""Intervals around a solution of equations, and bounds on what is computed from it.

Krawczyk's operator in interval arithmetic (Neumaier 1990, *Interval Methods for Systems of Equations*, ch. 5): with y
near a solution, C near F'(y)⁻¹ and X an interval around y, there is exactly one solution in X if

    y − C·F(y) + (I − C·F'(X))·(X − y)

is inside X, and then it is in that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, NamedTuple

import mpmath
from mpmath import iv
from sympy import (
    Abs,
    E,
    Expr,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    erf,
    exp,
    log,
    pi,
    sin,
    sinh,
    tan,
    tanh,
)  # fmt: skip

from implicitgrad.symbolic.grammar import ExpressionError
from implicitgrad.symbolic.odd_root import OddRoot
from implicitgrad.symbolic.to_sympy import read_value

DIGITS = 60
GUARD_DIGITS = 10
"""Of functions that mpmath has no intervals of, where the last of its digits may be wrong."""
WRITTEN = 45
RADIUS = mpmath.mpf(10) ** -35
"""Of the interval, relative to the solution where that is beyond 1."""
_INFINITY = float("inf")
_RISING: dict[type[Expr], tuple[Callable[[Any], Any], float, float]] = {
    asin: (mpmath.asin, -1, 1),
    atan: (mpmath.atan, -_INFINITY, _INFINITY),
    asinh: (mpmath.asinh, -_INFINITY, _INFINITY),
    acosh: (mpmath.acosh, 1, _INFINITY),
    atanh: (mpmath.atanh, -1, 1),
    erf: (mpmath.erf, -_INFINITY, _INFINITY),
}
"""Functions that rise, and from where to where they are defined."""

Radii = tuple[tuple[float, ...], ...]
"""How far the entries of a matrix may be from what they stand for."""


class Unbounded(Exception):
    """There is no end to how far."""


def enclose(
    F: list[Expr], slopes: list[list[Expr]], variables: list[Expr], point: dict[Expr, Expr]
) -> dict[Expr, Any] | None:
    """An interval for every name of the point; None where it cannot be shown that they hold one solution.

    F : as many as variables. slopes : ∂F/∂variables. point : exact values, those of the variables near the solution.
    """
    n = len(variables)
    with working_digits():
        try:
            fixed = {v: interval(value, {}) for v, value in point.items()}
            wide = fixed | {v: fixed[v] + _around(fixed[v]) for v in variables}
            values = [interval(f, fixed) for f in F]
            inverse = mpmath.matrix([[mpmath.mpf(interval(slope, fixed).mid) for slope in row] for row in slopes]) ** -1
            steep = [[interval(slope, wide) for slope in row] for row in slopes]
        except (ZeroDivisionError, ValueError, NotImplementedError):
            return None
        C = [[iv.mpf(inverse[i, k]) for k in range(n)] for i in range(n)]
        found = {}
        for i, v in enumerate(variables):
            image = fixed[v] - _dot(C[i], values)
            for j, w in enumerate(variables):
                contraction = int(i == j) - _dot(C[i], [row[j] for row in steep])
                image += contraction * (wide[w] - fixed[w])
            if not (wide[v].a < image.a and image.b < wide[v].b):
                return None
            found[v] = image
        return fixed | found


@contextmanager
def working_digits() -> Iterator[None]:
    """In which intervals are computed with."""
    before = iv.dps
    iv.dps = DIGITS
    try:
        with mpmath.workdps(DIGITS):
            yield
    finally:
        iv.dps = before


def _around(value: Any) -> Any:
    radius = RADIUS * max(1, abs(mpmath.mpf(value.mid)))
    return iv.mpf([-radius, radius])


def _dot(left: list[Any], right: list[Any]) -> Any:
    return sum((one * other for one, other in zip(left, right, strict=True)), iv.mpf(0))


def surround(point: dict[Expr, Expr], roundings: dict[Expr, Fraction]) -> dict[Expr, Any]:
    """An interval for every name of a point: its value, and as far around it as it was rounded."""
    with working_digits():
        found = {v: interval(value, {}) for v, value in point.items()}
        for v, rounding in roundings.items():
            radius = iv.mpf(rounding.numerator) / rounding.denominator
            found[v] += radius * iv.mpf([-1, 1])
        return found


def bound(matrix: list[list[Expr]], point: dict[Expr, Expr], values: dict[Expr, Any]) -> tuple[list[list[str]], Radii]:
    """The entries at a point, and how far they are from those anywhere in the intervals. Raises Unbounded."""
    with working_digits():
        exact = {v: interval(value, {}) for v, value in point.items()}
        try:
            found = [[_bounded(entry, exact, values) for entry in row] for row in matrix]
        except (ZeroDivisionError, ValueError, NotImplementedError):
            raise Unbounded from None
    return [[text for text, _ in row] for row in found], tuple(tuple(radius for _, radius in row) for row in found)


def _bounded(entry: Expr, exact: dict[Expr, Any], values: dict[Expr, Any]) -> tuple[str, float]:
    if entry.is_Rational:
        return f"{entry.p}/{entry.q}", 0.0
    here, anywhere = interval(entry, exact), interval(entry, values)
    text = mpmath.nstr(mpmath.mpf(here.mid), WRITTEN)
    radius = mpmath.mpf(abs(anywhere - iv.mpf(text)).b)
    if not radius < mpmath.inf:
        raise Unbounded
    return text, float(radius) * (1 + 2.0**-50)


class Approximation(NamedTuple):
    """A number near a constant."""

    value: Fraction
    radius: float
    """How far it may be from that."""


def approximation(constant: Expr | str) -> Approximation | None:
    """What a constant is near, as an expression or a text of the grammar; None of what has letters, or no value."""
    try:
        expression = read_value(constant) if isinstance(constant, str) else constant
        if expression.free_symbols:
            return None
        [[text]], [[radius]] = bound([[expression]], {}, {})
    except (ExpressionError, Unbounded):
        return None
    return Approximation(Fraction(text), radius)


def interval(expression: Expr, values: dict[Expr, Any]) -> Any:
    """What an expression can be for values in intervals.

    Raises NotImplementedError, ZeroDivisionError or ValueError where that is not to be had.
    """
    if expression.is_Rational:
        return iv.mpf(int(expression.p)) / int(expression.q)
    if expression.is_Symbol:
        return values[expression]
    if expression == pi:
        return iv.pi
    if expression == E:
        return iv.e
    parts = [interval(part, values) for part in expression.args]
    if expression.is_Add:
        return sum(parts, iv.mpf(0))
    if expression.is_Mul:
        return _product(parts)
    if isinstance(expression, exp):
        return iv.exp(parts[0])
    if expression.is_Pow and expression.exp.is_Integer:
        return parts[0] ** int(expression.exp)
    if expression.is_Pow and parts[0].a > 0:
        return iv.exp(parts[1] * iv.log(parts[0]))
    if isinstance(expression, log) and parts[0].a > 0:
        return iv.log(parts[0])
    if isinstance(expression, sin):
        return iv.sin(parts[0])
    if isinstance(expression, cos):
        return iv.cos(parts[0])
    if isinstance(expression, tan):
        return iv.sin(parts[0]) / iv.cos(parts[0])
    if isinstance(expression, sinh | cosh | tanh):
        return _hyperbolic(type(expression), parts[0])
    if isinstance(expression, Abs):
        return abs(parts[0])
    if expression.func in _RISING:
        return _rising(*_RISING[expression.func], parts[0])
    if isinstance(expression, acos):
        return iv.pi / 2 - _rising(*_RISING[asin], parts[0])
    if isinstance(expression, atan2):
        return _angle(*parts)
    if isinstance(expression, OddRoot):
        order = int(expression.args[1])
        return _rising(lambda u: mpmath.sign(u) * mpmath.root(abs(u), order), -_INFINITY, _INFINITY, parts[0])
    raise NotImplementedError(expression)


def _hyperbolic(function: type[Expr], u: Any) -> Any:
    """sinh and tanh, which rise, from the ends of an interval; cosh from those of its absolute value."""
    if function is cosh:
        u = abs(u)
    ends = []
    for end in (u.a, u.b):
        up, down = iv.exp(end), iv.exp(-end)
        found = (up + down if function is cosh else up - down) / (up + down if function is tanh else 2)
        ends.append(found)
    return iv.mpf([ends[0].a, ends[1].b])


def _rising(function: Callable[[Any], Any], least: float, most: float, u: Any) -> Any:
    """A rising function from the ends of an interval, and a little around it for what is rounded."""
    low, high = mpmath.mpf(u.a), mpmath.mpf(u.b)
    if low < least or high > most:
        raise NotImplementedError(function)
    with mpmath.workdps(DIGITS + GUARD_DIGITS):
        ends = [function(low), function(high)]
    around = iv.mpf(10) ** -(DIGITS + GUARD_DIGITS // 2) * iv.mpf([-1, 1])
    return iv.mpf([(iv.mpf(ends[0]) * (1 + around)).a, (iv.mpf(ends[1]) * (1 + around)).b])


def _angle(y: Any, x: Any) -> Any:
    """atan2(y, x) away from its jump at x ≤ 0, y = 0."""
    if x.a > 0:
        return _rising(*_RISING[atan], y / x)
    if y.a > 0 or y.b < 0:
        return (iv.pi if y.a > 0 else -iv.pi) / 2 - _rising(*_RISING[atan], x / y)
    raise NotImplementedError(atan2)


def _product(factors: list[Any]) -> Any:
    found = iv.mpf(1)
    for factor in factors:
        found = found * factor
    return found

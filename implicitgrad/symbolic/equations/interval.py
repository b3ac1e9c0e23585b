"""Interval Newton: enclose a solution of equations, and bound what is computed from it.

Krawczyk's operator in interval arithmetic (Neumaier 1990, *Interval Methods for Systems of Equations*, ch. 5): with y
near a solution, C near F'(y)⁻¹ and X an interval around y, X contains exactly one solution if

    y − C·F(y) + (I − C·F'(X))·(X − y)

is inside X, and that contains the solution too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial, reduce
from math import inf
from operator import mul
from typing import NamedTuple

import mpmath
from mpmath import iv, mpf
from mpmath.ctx_iv import ivmpf
from sympy import Abs, E, Expr, pi
from sympy.functions import acos, acosh, asin, asinh, atan, atan2, atanh, cos, cosh, erf, exp, log, sin, sinh, tan, tanh

from implicitgrad.symbolic.grammar.expressions import ExpressionError
from implicitgrad.symbolic.odd_root import OddRoot
from implicitgrad.symbolic.to_sympy import read_value

DIGITS = 60
GUARD_DIGITS = 10
"""More digits for functions that mpmath has no intervals for, since the last digits of its values may be wrong."""
WRITTEN = 45
RADIUS = mpmath.mpf(10) ** -35
"""The radius of an interval around a solution, relative to it if that exceeds 1."""
Radii = tuple[tuple[float, ...], ...]
"""Bounds on the errors of the entries of a matrix."""


class Unbounded(Exception):
    """The error cannot be bounded."""


def enclose(
    F: list[Expr], slopes: list[list[Expr]], variables: list[Expr], point: dict[Expr, Expr]
) -> dict[Expr, ivmpf] | None:
    """Return an interval for every name of the point; None if they cannot be proved to contain one solution.

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
    """Set the precision of interval arithmetic."""
    before = iv.dps
    iv.dps = DIGITS
    try:
        with mpmath.workdps(DIGITS):
            yield
    finally:
        iv.dps = before


def _around(value: ivmpf) -> ivmpf:
    radius = RADIUS * max(1, abs(mpmath.mpf(value.mid)))
    return iv.mpf([-radius, radius])


def _dot(left: list[ivmpf], right: list[ivmpf]) -> ivmpf:
    return sum((one * other for one, other in zip(left, right, strict=True)), iv.mpf(0))


def surround(point: dict[Expr, Expr], roundings: dict[Expr, Fraction]) -> dict[Expr, ivmpf]:
    """Return an interval for every name of a point: its value ± its rounding."""
    with working_digits():
        found = {v: interval(value, {}) for v, value in point.items()}
        for v, rounding in roundings.items():
            radius = iv.mpf(rounding.numerator) / rounding.denominator
            found[v] += radius * iv.mpf([-1, 1])
        return found


def bound(
    matrix: list[list[Expr]], point: dict[Expr, Expr], values: dict[Expr, ivmpf]
) -> tuple[list[list[str]], Radii]:
    """Return the entries at a point, and their largest distances from those in the intervals. Raises Unbounded."""
    with working_digits():
        exact = {v: interval(value, {}) for v, value in point.items()}
        try:
            found = [[_bounded(entry, exact, values) for entry in row] for row in matrix]
        except (ZeroDivisionError, ValueError, NotImplementedError):
            raise Unbounded from None
    return [[text for text, _ in row] for row in found], tuple(tuple(radius for _, radius in row) for row in found)


def _bounded(entry: Expr, exact: dict[Expr, ivmpf], values: dict[Expr, ivmpf]) -> tuple[str, float]:
    if entry.is_Rational:
        return f"{entry.p}/{entry.q}", 0.0
    here, anywhere = interval(entry, exact), interval(entry, values)
    text = mpmath.nstr(mpmath.mpf(here.mid), WRITTEN)
    radius = mpmath.mpf(abs(anywhere - iv.mpf(text)).b)
    if not radius < mpmath.inf:
        raise Unbounded
    return text, float(radius) * (1 + 2.0**-50)


class Approximation(NamedTuple):
    """A number near a constant, and a bound on its error."""

    value: Fraction
    radius: float


def approximation(constant: Expr | str) -> Approximation | None:
    """Approximate a constant, given as an expression or a text; return None if it has letters or no value."""
    try:
        expression = read_value(constant) if isinstance(constant, str) else constant
        if expression.free_symbols:
            return None
        [[text]], [[radius]] = bound([[expression]], {}, {})
    except (ExpressionError, Unbounded):
        return None
    return Approximation(Fraction(text), radius)


def interval(expression: Expr, values: dict[Expr, ivmpf]) -> ivmpf:
    """Return an interval that contains an expression's values for letters in intervals.

    Raises NotImplementedError, ZeroDivisionError or ValueError if there is none.
    """
    if expression.is_Rational:
        return iv.mpf(int(expression.p)) / int(expression.q)
    if expression.is_Symbol:
        return values[expression]
    if expression in (pi, E):
        return iv.pi if expression == pi else iv.e
    parts = [interval(part, values) for part in expression.args]
    if expression.is_Add or expression.is_Mul:
        return sum(parts, iv.mpf(0)) if expression.is_Add else reduce(mul, parts, iv.mpf(1))
    if expression.is_Pow and expression.exp.is_Integer:
        return parts[0] ** int(expression.exp)
    if expression.is_Pow and parts[0].a > 0:
        return iv.exp(parts[1] * iv.log(parts[0]))
    if isinstance(expression, OddRoot):
        order = int(expression.args[1])
        return _increasing(lambda u: mpmath.sign(u) * mpmath.root(abs(u), order), parts[0])
    if expression.func not in _FUNCTIONS:
        raise NotImplementedError(expression)
    return _FUNCTIONS[expression.func](*parts)


def _log(u: ivmpf) -> ivmpf:
    if not u.a > 0:
        raise NotImplementedError(log)
    return iv.log(u)


def _increasing(function: Callable[[mpf], mpf], u: ivmpf, least: float = -inf, most: float = inf) -> ivmpf:
    """Evaluate an increasing function, defined from ``least`` to ``most``, at the ends of an interval, and widen."""
    low, high = mpmath.mpf(u.a), mpmath.mpf(u.b)
    if low < least or high > most:
        raise NotImplementedError(function)
    with mpmath.workdps(DIGITS + GUARD_DIGITS):
        ends = [function(low), function(high)]
    around = iv.mpf(10) ** -(DIGITS + GUARD_DIGITS // 2) * iv.mpf([-1, 1])
    return iv.mpf([(iv.mpf(ends[0]) * (1 + around)).a, (iv.mpf(ends[1]) * (1 + around)).b])


def _atan2(y: ivmpf, x: ivmpf) -> ivmpf:
    """Return atan2(y, x) away from its jump at x ≤ 0, y = 0."""
    if x.a > 0:
        return _increasing(mpmath.atan, y / x)
    if y.a > 0 or y.b < 0:
        return (iv.pi if y.a > 0 else -iv.pi) / 2 - _increasing(mpmath.atan, x / y)
    raise NotImplementedError(atan2)


_FUNCTIONS: dict[type[Expr], Callable[..., ivmpf]] = {
    Abs: abs,
    exp: iv.exp,
    log: _log,
    sin: iv.sin,
    cos: iv.cos,
    tan: iv.tan,
    sinh: partial(_increasing, mpmath.sinh),
    cosh: lambda u: _increasing(mpmath.cosh, abs(u)),
    tanh: partial(_increasing, mpmath.tanh),
    asin: partial(_increasing, mpmath.asin, least=-1, most=1),
    acos: lambda u: iv.pi / 2 - _increasing(mpmath.asin, u, -1, 1),
    atan: partial(_increasing, mpmath.atan),
    atan2: _atan2,
    asinh: partial(_increasing, mpmath.asinh),
    acosh: partial(_increasing, mpmath.acosh, least=1),
    atanh: partial(_increasing, mpmath.atanh, least=-1, most=1),
    erf: partial(_increasing, mpmath.erf),
}

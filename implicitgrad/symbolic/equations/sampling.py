"""Find points at which equations F = 0 hold, by Newton's method from random real values, and prove that they exist."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import mpmath
from mpmath import mpf
from mpmath.ctx_base import StandardBaseContext
from sympy import Expr, Rational, Symbol, lambdify

from implicitgrad.symbolic.equations.interval import enclose, interval, working_digits
from implicitgrad.symbolic.equations.linearize import derivative
from implicitgrad.symbolic.equations.points import PointError

DIGITS = 60
WRITTEN = 50
ROUGHLY, CLOSE = 1e-9, 1e-48
"""The largest last step of Newton's method relative to the solution, in doubles and then in many digits."""
MAX_STEPS = 30
ATTEMPTS = 60
COMPARED_DIGITS = 20
"""The digits by which points differ."""
POINTS = 8
PARTS = 8
"""Starting values are multiples of 1/PARTS."""
MAX_START = 5
MAX_ITERATE = 1000
"""The largest value during Newton's method, and the largest argument of exp."""
NEGLIGIBLE = mpmath.mpf(10) ** -45
"""Smaller values of a solution are replaced by 0 and tried again."""
SHIFTS = (Rational(1, 97), Rational(-2, 89), Rational(3, 83))
"""The distances of chosen letters from a point to its neighbours."""
NARROW = Fraction(1, 10**25)
"""An interval around 0 narrower than this counts as 0."""

Values = dict[Symbol, Any]


class SamplePoint(NamedTuple):
    """A point where all equations hold."""

    values: Values
    """Rational values of the letters: exact if chosen, to fifty digits if solved for."""
    intervals: Values
    """Intervals that contain one solution."""
    solved: frozenset[Symbol]
    F: tuple[Expr, ...]
    """The equations."""

    def distance(self, expression: Expr) -> RealInterval | None:
        """Return the least and the largest absolute value of an expression there; None if it has none."""
        with working_digits():
            try:
                found = abs(interval(expression, self.intervals))
            except (ZeroDivisionError, ValueError, NotImplementedError):
                return None
            least, most = mpmath.mpf(found.a), mpmath.mpf(found.b)
            return None if not most < mpmath.inf else RealInterval(_fraction(least), _fraction(most))

    def value(self, expression: Expr) -> Fraction | None:
        """Return the value of an expression there, to about fifty digits; None if it is not real."""
        size = self.distance(expression)
        if size is not None and size.is_zero:
            return Fraction(0)
        with working_digits():
            try:
                return _fraction(mpmath.mpf(interval(expression, self.intervals).mid))
            except (ZeroDivisionError, ValueError, NotImplementedError):
                return None


class RealInterval(NamedTuple):
    """The bounds of an absolute value."""

    least: Fraction
    most: Fraction

    @property
    def is_zero(self) -> bool:
        """Return whether the value counts as 0."""
        return not self.least and self.most < NARROW


def find_points(F: list[Expr], sought: list[Symbol], letters: Sequence[Symbol]) -> list[SamplePoint]:
    """Return some points, always the same, on branches that random starts lead to and where ∂F/∂sought is regular.

    sought : the letters to solve for, as many as F; the others are multiples of 1/8.
    """
    found: dict[tuple[Any, ...], SamplePoint] = {}
    for point in _found(F, sought, _starts(letters, sought)):
        found.setdefault(tuple([point.values[v].round(COMPARED_DIGITS) for v in letters]), point)
        if len(found) >= POINTS:
            break
    return list(found.values())


def points_beside(point: SamplePoint) -> list[SamplePoint]:
    """Return some points on the same branch, with the chosen letters shifted by small, unequal amounts."""
    chosen = [v for v in point.values if v not in point.solved]
    shifts = [{v: point.values[v] + shift * k for k, v in enumerate(chosen, 1)} for shift in SHIFTS]
    starts = [point.values | shifted for shifted in shifts]
    return list(_found(point.F, [v for v in point.values if v in point.solved], starts))


def _found(F: Sequence[Expr], sought: Sequence[Symbol], starts: Iterable[Values]) -> Iterator[SamplePoint]:
    """Yield the proved points that Newton's method finds from the starts."""
    try:
        slopes = [[derivative(f, v) for v in sought] for f in F]
    except PointError:
        return
    functions = [*F, *(slope for row in slopes for slope in row)]
    compute: tuple[Callable[..., Any], ...] = ()
    for start in starts:
        compute = compute or tuple(
            [lambdify([*start], functions, modules=name, dummify=True) for name in ("math", "mpmath")]
        )
        rough = _solved(mpmath.fp, compute[0], {v: float(value) for v, value in start.items()}, sought, ROUGHLY)
        if rough is None:
            continue
        with mpmath.workdps(DIGITS):
            exact = {v: mpmath.mpf(int(value.p)) / int(value.q) for v, value in start.items()}
            start_there = exact | {v: mpmath.mpf(rough[v]) for v in sought}
            solved = _solved(mpmath.mp, compute[1], start_there, sought, CLOSE)
            if solved is None:
                continue
            values = start | {
                v: Rational(0 if abs(solved[v]) < NEGLIGIBLE else mpmath.nstr(solved[v], WRITTEN)) for v in sought
            }
        proved = enclose([*F], slopes, [*sought], values)
        if proved is not None:
            yield SamplePoint(values, proved, frozenset(sought), tuple(F))


def _starts(letters: Sequence[Symbol], sought: Sequence[Symbol]) -> Iterator[Values]:
    """Yield starting values, always the same; letters to solve for also with the opposite sign."""
    generator = random.Random(12)
    for attempt in range(ATTEMPTS):
        signs = (1,) if attempt % 2 else (-1, 1)
        start = {
            v: Rational(generator.choice(signs) * generator.randrange(1, MAX_START * PARTS), PARTS) for v in letters
        }
        yield start
        yield start | {v: -start[v] for v in sought}


def _solved(
    numbers: StandardBaseContext, compute: Callable[..., Any], start: Values, sought: Sequence[Symbol], close: float
) -> Values | None:
    """Solve for the sought letters by Newton's method; return None if it does not converge to real values.

    numbers : mpmath's context, of doubles or of many digits. close : the largest last step relative to the solution.
    """
    n, values = len(sought), dict(start)
    for _ in range(MAX_STEPS):
        try:
            found = compute(*values.values())
            slopes = numbers.matrix([found[n + n * i : n + n * (i + 1)] for i in range(n)])
            steps = list(numbers.lu_solve(slopes, numbers.matrix(found[:n])))
        except (ZeroDivisionError, ValueError, OverflowError, TypeError):
            return None
        if any(isinstance(step, complex | mpmath.mpc) or not abs(step) < mpmath.inf for step in steps):
            return None
        for v, step in zip(sought, steps, strict=True):
            values[v] -= step
        if any(abs(values[v]) > MAX_ITERATE for v in sought):
            return None
        if all(abs(step) <= close * max(1, abs(values[v])) for v, step in zip(sought, steps, strict=True)):
            return values
    return None


def _fraction(number: mpf) -> Fraction:
    return Fraction(*map(int, mpmath.libmp.to_rational(number._mpf_)))

"""Points at which equations F = 0 hold: found by Newton's method from random real values, and proved to be there."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import mpmath
from sympy import Expr, Rational, Symbol, lambdify

from implicitgrad.symbolic.interval import enclose, interval, working_digits
from implicitgrad.symbolic.linearize import PointError, derivative

DIGITS = 60
WRITTEN = 50
ROUGHLY, CLOSE = 1e-9, 1e-48
"""The last step of Newton's method beside the solution, in doubles and then in many digits."""
MAX_STEPS = 30
ATTEMPTS = 60
TOLD_APART = 20
"""The digits by which points are."""
POINTS = 8
PARTS = 8
"""Values to start from are so many parts of 1."""
LARGEST = 5
FARTHEST = 1000
"""What Newton's method may come to on its way, and exp is computed of."""
NEGLIGIBLE = mpmath.mpf(10) ** -45
"""What is solved for and smaller is tried as 0."""
SHIFTS = (Rational(1, 97), Rational(-2, 89), Rational(3, 83))
"""Of what is chosen, from a point to those beside it."""
NARROW = Fraction(1, 10**25)
"""An interval around 0 that is called 0."""

Values = dict[Symbol, Any]


class SamplePoint(NamedTuple):
    """Where all equations hold."""

    values: Values
    """Rational numbers: of what was chosen exactly, of what was solved for to fifty digits."""
    near: Values
    """Intervals that hold one solution."""
    solved: frozenset[Symbol]
    F: tuple[Expr, ...]
    """The equations that it was found of."""

    def distance(self, expression: Expr) -> RealInterval | None:
        """The least and the greatest absolute value that an expression may have there; None if it has none."""
        with working_digits():
            try:
                found = abs(interval(expression, self.near))
            except (ZeroDivisionError, ValueError, NotImplementedError):
                return None
            least, most = mpmath.mpf(found.a), mpmath.mpf(found.b)
            return None if not most < mpmath.inf else RealInterval(_fraction(least), _fraction(most))

    def value(self, expression: Expr) -> Fraction | None:
        """What an expression is there, to fifty digits or so; None if that is no real number."""
        size = self.distance(expression)
        if size is not None and size.is_zero:
            return Fraction(0)
        with working_digits():
            try:
                return _fraction(mpmath.mpf(interval(expression, self.near).mid))
            except (ZeroDivisionError, ValueError, NotImplementedError):
                return None


class RealInterval(NamedTuple):
    """Of an absolute value."""

    least: Fraction
    most: Fraction

    @property
    def is_zero(self) -> bool:
        """Whether nothing tells it from 0."""
        return not self.least and self.most < NARROW


def find_points(F: list[Expr], sought: list[Symbol], letters: Sequence[Symbol]) -> list[SamplePoint]:
    """Some points, always the same, on whatever branches random starts lead to; none where ∂F/∂sought is singular.

    sought : as many as F, which are solved for; the other letters are multiples of 1/8.
    """
    found: dict[tuple[Any, ...], SamplePoint] = {}
    for point in _found(F, sought, _starts(letters, sought)):
        found.setdefault(tuple([point.values[v].round(TOLD_APART) for v in letters]), point)
        if len(found) >= POINTS:
            break
    return list(found.values())


def points_beside(point: SamplePoint) -> list[SamplePoint]:
    """Some points on the same branch: the chosen letters are shifted a little, by unlike amounts."""
    chosen = [v for v in point.values if v not in point.solved]
    shifts = [{v: point.values[v] + shift * k for k, v in enumerate(chosen, 1)} for shift in SHIFTS]
    starts = [point.values | shifted for shifted in shifts]
    return list(_found(point.F, [v for v in point.values if v in point.solved], starts))


def _found(F: Sequence[Expr], sought: Sequence[Symbol], starts: Iterable[Values]) -> Iterator[SamplePoint]:
    """What Newton's method leads to from each start, where it is shown that there is a point."""
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
        near = _solved(mpmath.fp, compute[0], {v: float(value) for v, value in start.items()}, sought, ROUGHLY)
        if near is None:
            continue
        with mpmath.workdps(DIGITS):
            exact = {v: mpmath.mpf(int(value.p)) / int(value.q) for v, value in start.items()}
            start_there = exact | {v: mpmath.mpf(near[v]) for v in sought}
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
    """Values to start from, always the same; of what is sought each time the negative ones, too."""
    generator = random.Random(12)
    for attempt in range(ATTEMPTS):
        signs = (1,) if attempt % 2 else (-1, 1)
        start = {v: Rational(generator.choice(signs) * generator.randrange(1, LARGEST * PARTS), PARTS) for v in letters}
        yield start
        yield start | {v: -start[v] for v in sought}


def _solved(
    numbers: Any, compute: Callable[..., Any], start: Values, sought: Sequence[Symbol], close: float
) -> Values | None:
    """The values with those of what is sought after Newton's method; None where it does not converge to real ones.

    numbers : mpmath's context, of doubles or of many digits. close : the last step beside the solution.
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
        if any(abs(values[v]) > FARTHEST for v in sought):
            return None
        if all(abs(step) <= close * max(1, abs(values[v])) for v, step in zip(sought, steps, strict=True)):
            return values
    return None


def _fraction(number: Any) -> Fraction:
    return Fraction(*map(int, mpmath.libmp.to_rational(number._mpf_)))

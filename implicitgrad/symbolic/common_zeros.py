"""Real points at which some expressions are all 0, on whatever branches random starts lead to.

The Levenberg–Marquardt method with a damping of ‖f‖² converges quadratically to a zero that is not isolated, too, and
where more equations are given than are independent (Yamashita and Fukushima 2001).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mpmath
from sympy import Expr, Symbol, diff, lambdify

from implicitgrad.symbolic.points import DIGITS

WORKING_DIGITS = 2 * DIGITS + 20
"""The equations of a step have the square of a matrix in them."""
REACHED = mpmath.mpf(10) ** -52
NEGLIGIBLE = mpmath.mpf(10) ** -45
MOST_STEPS = 30
ATTEMPTS = 6
POINTS = 6
TURNED, TURNS = 2, 3
LARGEST = 7
"""Of the values to start from."""

Point = list[Any]


def points_where(zeros: Sequence[Expr], letters: Sequence[Symbol], angles: Sequence[Expr] = ()) -> list[Point]:
    """Some points, always the same, at which all expressions are 0.

    Values of the letters in their order, to fifty digits; what is a multiple of 1/60 to these is that. angles : of
    sines and cosines, multiples of π are added to, since random starts may lead to points that are all alike to these.
    """
    slopes = [diff(zero, letter) for zero in zeros for letter in letters]
    compute = lambdify(letters, [*zeros, *slopes], modules="mpmath", dummify=True)
    found: list[Point] = []
    with mpmath.workdps(WORKING_DIGITS):
        for start in _starts(len(letters)):
            point = _converged(compute, start, len(zeros))
            if point is not None:
                found.append(point)
            if len(found) == POINTS:
                break
        turned = [other for point in found[:TURNED] for other in _turned(point, letters, angles)]
        found += [point for point in turned if _converged(compute, point, len(zeros), most_steps=1)]
    return found


def _starts(n: int) -> Iterator[Point]:
    """Random values, their negatives and their absolute values."""
    generator = random.Random(7)
    for _ in range(ATTEMPTS):
        start = [mpmath.mpf(generator.randrange(-LARGEST * 2**60, LARGEST * 2**60)) / 2**60 for _ in range(n)]
        yield from (start, [-value for value in start], [abs(value) for value in start])


def _turned(point: Point, letters: Sequence[Symbol], angles: Sequence[Expr]) -> Iterator[Point]:
    """The point with π and a few of its multiples added to each angle."""
    for angle in angles:
        for j, letter in enumerate(letters):
            slope = diff(angle, letter)
            if slope.is_Rational and slope:
                half = mpmath.pi * int(slope.q) / int(slope.p)
                for k in range(1, TURNS + 1):
                    yield [value + k * half if i == j else value for i, value in enumerate(point)]


def _converged(compute: Callable[..., Any], start: Point, size: int, most_steps: int = MOST_STEPS) -> Point | None:
    """A zero that is reached from a point, if one is."""
    point, n = start, len(start)
    for _ in range(most_steps):
        try:
            values = compute(*point)
        except (ZeroDivisionError, ValueError, OverflowError):
            return None
        if not all(isinstance(value, int | mpmath.mpf) and abs(value) < mpmath.inf for value in values):
            return None
        f, J = values[:size], [values[size + n * i : size + n * (i + 1)] for i in range(size)]
        if max(map(abs, f), default=0) < REACHED:
            return list(map(_simple, point))
        squared = sum(value * value for value in f)
        damping = squared / (1 + squared)
        square = mpmath.matrix(
            [[mpmath.fdot(J[i], J[k]) + (damping if i == k else 0) for k in range(size)] for i in range(size)]
        )
        try:
            weights = mpmath.lu_solve(square, mpmath.matrix(f))
        except ZeroDivisionError:
            return None
        point = [value - mpmath.fdot(weights, [row[j] for row in J]) for j, value in enumerate(point)]
    return None


def _simple(value: Any) -> Any:
    """The multiple of 1/60 that nothing tells a value from, if there is one: cbrt(a − 1) is 0 at 1, not near it."""
    nearest = mpmath.nint(60 * value) / 60
    return nearest if abs(value - nearest) < NEGLIGIBLE else value

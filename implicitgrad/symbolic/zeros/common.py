"""Find real points at which some expressions are all 0, on any branches that random starts lead to.

The Levenberg–Marquardt method with a damping of ‖f‖² converges quadratically even to zeros that are not isolated, and
with more equations than are independent (Yamashita and Fukushima 2001).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mpmath
from mpmath import mpf
from sympy import Expr, Symbol, diff, lambdify

from implicitgrad.symbolic.function_field.zero_test import DIGITS

WORKING_DIGITS = 2 * DIGITS + 20
"""A step squares a matrix, and so needs twice the digits."""
INFINITY = float("inf")
ROUGHLY = 1e-5
REACHED = mpmath.mpf(10) ** -52
NEGLIGIBLE = mpmath.mpf(10) ** -45
MAX_STEPS = 30
ATTEMPTS = 16
POINTS = 6
IMAGED, TURNS = 2, 3
"""The number of points of which images are tried, and of multiples of π added to an angle."""
MAX_START = 7
"""The largest absolute value to start from."""

Point = list[Any]


def points_where(zeros: Sequence[Expr], letters: Sequence[Symbol], angles: Sequence[Expr] = ()) -> list[Point]:
    """Return some points, always the same, at which all expressions are 0.

    A point has values of the letters in their order, to fifty digits, or exact multiples of 1/60. angles : arguments of
    sines and cosines. Random starts may find only points of one sign or one angle, so other angles of the same sine or
    cosine, and the opposite sign of a letter, are tried too.
    """
    slopes = [diff(zero, letter) for zero in zeros for letter in letters]
    roughly, precisely = (
        lambdify(letters, [*zeros, *slopes], modules=name, dummify=True) for name in ("math", "mpmath")
    )
    found: list[Point] = []
    with mpmath.workdps(WORKING_DIGITS):
        for start in _starts(len(letters)):
            rough = _converged(roughly, start, len(zeros), ROUGHLY)
            point = rough and _converged(precisely, list(map(mpmath.mpf, rough)), len(zeros), REACHED)
            if point:
                found.append(list(map(_simple, point)))
            if len(found) == POINTS:
                break
        images = [image for point in found[:IMAGED] for image in _images(point, letters, angles)]
        found += [image for image in images if _converged(precisely, image, len(zeros), REACHED, most_steps=0)]
    return found


def _starts(n: int) -> Iterator[Point]:
    """Yield random values, alternately of both signs and positive."""
    generator = random.Random(7)
    for attempt in range(ATTEMPTS):
        yield [generator.uniform(0 if attempt % 2 else -MAX_START, MAX_START) for _ in range(n)]


def _images(point: Point, letters: Sequence[Symbol], angles: Sequence[Expr]) -> Iterator[Point]:
    """Yield points with one letter changed: its sign, or so that an angle turns by multiples of π or is reflected."""
    for j, value in enumerate(point):
        others = [-value] if value else []
        for angle in angles:
            slope = diff(angle, letters[j])
            if slope.is_Rational and slope:
                at = lambdify(letters, angle, modules="mpmath", dummify=True)(*point)
                turns = [k * mpmath.pi for k in range(1, TURNS + 1)] + [-2 * at, mpmath.pi - 2 * at]
                others += [value + turn * int(slope.q) / int(slope.p) for turn in turns]
        yield from ([*point[:j], other, *point[j + 1 :]] for other in others)


def _converged(
    compute: Callable[..., Any], start: Point, size: int, reached: mpf, most_steps: int = MAX_STEPS
) -> Point | None:
    """Return the zero that the method reaches from a point, or None."""
    point, n = start, len(start)
    for step in range(most_steps + 1):
        try:
            values = compute(*point)
            if not all(abs(value) < INFINITY for value in values) or any(hasattr(value, "_mpc_") for value in values):
                return None
        except (ZeroDivisionError, ValueError, OverflowError, TypeError):
            return None
        f, J = values[:size], [values[size + n * i : size + n * (i + 1)] for i in range(size)]
        if all(abs(value) < reached for value in f):
            return point
        if step < most_steps:
            weights = _damped(f, J)
            point = [value - _dot(weights, [row[j] for row in J]) for j, value in enumerate(point)]
    return None


def _damped(f: Sequence[Any], J: Sequence[Sequence[Any]]) -> list[Any]:
    """Return (J·Jᵀ + damping·I)⁻¹·f by elimination; the matrix is positive definite except for rounding."""
    squared = _dot(f, f)
    rows = [
        [_dot(row, other) + (squared / (1 + squared) if i == k else 0) for k, other in enumerate(J)] + [f[i]]
        for i, row in enumerate(J)
    ]
    for i, row in enumerate(rows):
        if row[i] > 0:
            for k, other in enumerate(rows):
                if k != i and other[i]:
                    factor = other[i] / row[i]
                    rows[k] = [a - factor * b for a, b in zip(other, row, strict=True)]
    return [row[-1] / row[i] if row[i] > 0 else 0 for i, row in enumerate(rows)]


def _dot(left: Sequence[mpf], right: Sequence[mpf]) -> mpf:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _simple(value: mpf) -> Expr | mpf:
    """Return the multiple of 1/60 that a value equals to 45 digits, if any: cbrt(a − 1) is 0 at 1, but not near it."""
    nearest = mpmath.nint(60 * value) / 60
    return nearest if abs(value - nearest) < NEGLIGIBLE else value

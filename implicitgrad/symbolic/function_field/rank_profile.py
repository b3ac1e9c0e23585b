"""The rank profile: rows and columns that form a basis of a matrix of high-precision numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import mpmath

from implicitgrad.symbolic.function_field.zero_test import DIGITS

ZERO = mpmath.mpf(10) ** -35
"""A number is 0 below this, relative to the sum of what it was computed from."""


class Profile(NamedTuple):
    """The pivots of a row reduction."""

    pivots: list[int]
    """Their columns, in order."""
    sources: list[int]
    """Their rows."""
    rank: int
    """The number of pivots in the first N columns."""


def profile_at(rows: Sequence[Sequence[Any]], order: Iterable[int], N: int) -> Profile:
    """Row reduce a matrix of mpmath numbers; each column's pivot is its first nonzero entry."""
    reduced = [[(entry, abs(entry)) for entry in row] for row in rows]
    pivots: list[int] = []
    sources: list[int] = []
    with mpmath.workdps(DIGITS):
        for column in order:
            chosen = next((i for i, row in enumerate(reduced) if i not in sources and not _is_zero(row[column])), None)
            if chosen is None:
                continue
            pivots.append(column)
            sources.append(chosen)
            for i, row in enumerate(reduced):
                if i == chosen:
                    continue
                if not _is_zero(row[column]):  # rounding errors must not become the size of other entries
                    factor = row[column][0] / reduced[chosen][column][0]
                    reduced[i] = [
                        (a - factor * b, size + abs(factor) * other)
                        for (a, size), (b, other) in zip(row, reduced[chosen], strict=True)
                    ]
                reduced[i][column] = (mpmath.mpf(0), mpmath.mpf(0))
    return Profile(pivots, sources, sum(column < N for column in pivots))


def _is_zero(entry: tuple[Any, Any]) -> bool:
    value, size = entry
    return bool(abs(value) <= ZERO * size)

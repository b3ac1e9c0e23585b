"""Read the inverse and the null space of an integer matrix off its row reduction."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from implicitgrad.numbers.exact import IntegerRow
from implicitgrad.numbers.row_reduction import reduce_rows


def inverse(rows: Sequence[IntegerRow]) -> tuple[list[IntegerRow], int] | None:
    """Return the inverse of a square matrix as numerators and denominator; None if it is singular."""
    n = len(rows)
    found = reduce_rows(rows, range(n), beside_identity=True)
    if len(found.pivots) < n:
        return None
    places = [found.columns.index(n + k) for k in range(n)]
    in_order = [row for _, row in sorted(zip(found.pivots, found.rows, strict=True))]
    return [[row[place] for place in places] for row in in_order], found.d


def null_space(rows: Sequence[IntegerRow], columns: int) -> list[IntegerRow]:
    """Return a basis of the null space, each vector without a common factor and with a positive first entry."""
    reduced = reduce_rows(list(rows) or [[0] * columns], range(columns))
    found = []
    for place, j in enumerate(reduced.columns):
        vector = [0] * columns
        vector[j] = reduced.d
        for pivot, row in zip(reduced.pivots, reduced.rows):  # noqa: B905 (rows without a pivot are zero)
            vector[pivot] = -row[place]
        common = gcd(*vector) * (-1 if next(filter(None, vector)) < 0 else 1)
        found.append([entry // common for entry in vector])
    return found

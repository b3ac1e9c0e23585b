"""Fraction-free row reduction of integer matrices (Bareiss 1968, *Sylvester's identity*, Math. Comp. 22)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import lcm
from typing import NamedTuple

IntegerRow = list[int]


def integers(row: Sequence[Fraction]) -> tuple[IntegerRow, int]:
    """A rational row times its least common denominator, and that denominator."""
    denominator = lcm(*[entry.denominator for entry in row])
    return [entry.numerator * (denominator // entry.denominator) for entry in row], denominator


class Reduced(NamedTuple):
    """A matrix in Jordan form: row i has d in column pivots[i] and 0 in the other pivots' columns."""

    rows: list[IntegerRow]
    """Those with a pivot first; the others are zero in every column that could have been one."""
    pivots: list[int]
    d: int
    sources: list[int]
    """Which row of the matrix each row was."""


def reduce_rows(rows: Sequence[IntegerRow], columns: Iterable[int]) -> Reduced:
    """Row reduce to Jordan form, taking pivots in ``columns`` in the order given.

    All divisions are exact: after k pivots each entry is a k×k or (k+1)×(k+1) minor of ``rows``, which is also why no
    entry grows beyond Hadamard's bound.
    """
    reduced = list(rows)
    sources = list(range(len(reduced)))
    pivots: list[int] = []
    d = 1
    for column in columns:
        done = len(pivots)
        candidates = [i for i in range(done, len(reduced)) if reduced[i][column]]
        if not candidates:
            continue
        chosen = min(candidates, key=lambda i: abs(reduced[i][column]))
        reduced[done], reduced[chosen] = reduced[chosen], reduced[done]
        sources[done], sources[chosen] = sources[chosen], sources[done]
        pivot_row = reduced[done]
        pivot = pivot_row[column]
        for i, row in enumerate(reduced):
            if i == done:
                continue
            factor = row[column]
            if factor:
                reduced[i] = [(pivot * a - factor * b) // d for a, b in zip(row, pivot_row, strict=True)]
            elif pivot != d:
                reduced[i] = [pivot * a // d for a in row]
        d = pivot
        pivots.append(column)
    return Reduced(reduced, pivots, d, sources)

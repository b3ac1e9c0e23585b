"""Compute adjugates of polynomial matrices by expansion: without divisions, and without terms that cancel later.

A minor without row i and column j is Σ ±above(S)·below(S') (Laplace): above(S) are the minors of the rows above i with
a set S of columns, below(S') those of the rows below with the remaining columns. Few are nonzero for a sparse matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sympy.polys.rings import PolyElement

Minors = dict[int, "PolyElement"]
"""Minors of the first or last rows, by their columns as the bits of an integer."""


MAX_MINORS = 3_000


def has_few_minors(rows: Sequence[Sequence[PolyElement]]) -> bool:
    """Return whether few minors of the first rows, and of the last, may be nonzero, so that expansion is quick."""
    total = 0
    for ordered in (rows, rows[::-1]):
        reached = {0}
        for row in ordered:
            places = [j for j, entry in enumerate(row) if entry]
            reached = {columns | 1 << j for columns in reached for j in places if not columns >> j & 1}
            total += len(reached)
            if total > MAX_MINORS:
                return False
    return True


def adjugate(rows: Sequence[Sequence[PolyElement]], zero: PolyElement) -> tuple[list[list[PolyElement]], PolyElement]:
    """Return the adjugate and the determinant of a square matrix with at least one row."""
    n, everything = len(rows), (1 << len(rows)) - 1
    above, below = _minors(rows, zero), _minors([row[::-1] for row in rows[::-1]], zero)
    found = [[zero] * n for _ in rows]
    for i in range(n):
        for columns, minor in above[i].items():
            for j in range(n):
                remaining = everything & ~columns & ~(1 << j)
                if columns >> j & 1 or (other := below[n - 1 - i].get(_reversed(remaining, n))) is None:
                    continue
                sign = -1 if (_inversions(columns, remaining) + i + j) % 2 else 1
                found[j][i] += sign * minor * other
    return found, above[n].get(everything, zero)


def determinant(rows: Sequence[Sequence[PolyElement]], zero: PolyElement) -> PolyElement:
    """Return the determinant of a square matrix with at least one row."""
    return _minors(rows, zero)[-1].get((1 << len(rows)) - 1, zero)


def _minors(rows: Sequence[Sequence[PolyElement]], zero: PolyElement) -> list[Minors]:
    """Return the minors of no row, of the first one, of the first two, …, by expansion along the last row."""
    found: list[Minors] = [{0: zero + 1}]
    for row in rows:
        following: Minors = {}
        for columns, minor in found[-1].items():
            for j, entry in enumerate(row):
                if entry and not columns >> j & 1:
                    product = minor * entry if (columns >> j).bit_count() % 2 == 0 else -minor * entry
                    both = columns | 1 << j
                    following[both] = following.get(both, zero) + product
        found.append({columns: minor for columns, minor in following.items() if minor})
    return found


def _inversions(above: int, below: int) -> int:
    """Count the pairs of a column of the rows above and a smaller one of the rows below."""
    return sum((below & ((1 << j) - 1)).bit_count() for j in range(above.bit_length()) if above >> j & 1)


def _reversed(columns: int, n: int) -> int:
    return sum(1 << (n - 1 - j) for j in range(n) if columns >> j & 1)

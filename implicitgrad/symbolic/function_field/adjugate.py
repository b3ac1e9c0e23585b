"""Compute adjugates of polynomial matrices by expansion: without divisions, and without terms that cancel later.

The minors of the first k rows, one for each set of k columns, follow from those of k − 1 rows by expansion along row k.
Few are nonzero for a sparse matrix.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy.polys.rings import PolyElement

Minors = dict[int, PolyElement]
"""Minors of some rows, by their columns as the bits of an integer."""
MAX_MINORS = 1_500


def has_few_minors(rows: Sequence[Sequence[PolyElement]]) -> bool:
    """Return whether few minors of the first rows may be nonzero, so that expansion is quick."""
    total, reached = 0, {0}
    for row in rows:
        places = [j for j, entry in enumerate(row) if entry]
        reached = {columns | 1 << j for columns in reached for j in places if not columns >> j & 1}
        total += len(reached)
        if total > MAX_MINORS:
            return False
    return True


def adjugate(rows: Sequence[Sequence[PolyElement]], zero: PolyElement) -> tuple[list[list[PolyElement]], PolyElement]:
    """Return the adjugate and the determinant of a square matrix with at least one row."""
    n = len(rows)
    above: Minors = {0: zero + 1}
    found = [[zero] * n for _ in rows]
    for i, row in enumerate(rows):
        for columns, minor in _expanded(above, rows[i + 1 :]).items():
            j = (~columns & ((1 << n) - 1)).bit_length() - 1
            found[j][i] = -minor if (i + j) % 2 else minor
        above = _expanded(above, [row])
    return found, above.get((1 << n) - 1, zero)


def determinant(rows: Sequence[Sequence[PolyElement]], zero: PolyElement) -> PolyElement:
    """Return the determinant of a square matrix with at least one row."""
    return _expanded({0: zero + 1}, rows).get((1 << len(rows)) - 1, zero)


def _expanded(minors: Minors, rows: Sequence[Sequence[PolyElement]]) -> Minors:
    """Return the minors of some rows and of further ones, from those of the former, by expansion along the last row."""
    for row in rows:
        following: Minors = {}
        for columns, minor in minors.items():
            for j, entry in enumerate(row):
                if entry and not columns >> j & 1:
                    product = minor * entry if (columns >> j).bit_count() % 2 == 0 else -minor * entry
                    both = columns | 1 << j
                    following[both] = following[both] + product if both in following else product
        minors = {columns: minor for columns, minor in following.items() if minor}
    return minors

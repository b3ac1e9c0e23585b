"""Fraction-free row reduction of integer matrices, exchanging a row's variable for a column's.

Dividing by the last pivot follows Bareiss (1968, *Sylvester's identity*, Math. Comp. 22); keeping only the columns that
are no unit vectors is integer pivoting (Edmonds 1994; Azulay and Pique 2001, ACM TOMS 27).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import cache
from math import lcm

from implicitgrad.numbers.exact import IntegerRow, Reduced

MAX_WITHOUT_FLINT = 32
"""Rows and columns up to which loading python-flint costs more than it gains."""


@cache
def flint_reduction() -> Callable[..., Reduced | None] | None:
    """Return reduce_by_flint, or None if python-flint is not installed."""
    try:
        from implicitgrad.numbers.flint_reduction import reduce_by_flint
    except ImportError:
        return None
    return reduce_by_flint


def integers(row: Sequence[Fraction]) -> tuple[IntegerRow, int]:
    """Return a rational row times its least common denominator, and that denominator."""
    pairs = [entry.as_integer_ratio() for entry in row]
    denominator = lcm(*[d for _, d in pairs])
    return [n * (denominator // d) for n, d in pairs], denominator


def pivot_order(N: int, P: int, wanted: set[int]) -> list[int]:
    """Order the columns of A from the right, the ``wanted`` ones last, then those of B from the right."""
    order = sorted(range(N), key=lambda j: (j in wanted, -j)) if wanted else range(N - 1, -1, -1)
    return [*order, *range(N + P - 1, N - 1, -1)]


def reduce_rows(rows: Sequence[IntegerRow], order: Iterable[int], *, beside_identity: bool = False) -> Reduced:
    """Row reduce to Jordan form, taking pivots in the columns of ``order``.

    beside_identity : reduce [rows | I], to whose columns ``order`` then refers; it must include all columns of I if the
    rows are not of full rank.

    All divisions are exact: after k pivots each entry is a k×k or (k+1)×(k+1) minor of the matrix. So no entry exceeds
    Hadamard's bound.
    """
    if not rows:
        return Reduced([], [], [], 1, [])
    width = len(rows[0])
    if max(len(rows), width) > MAX_WITHOUT_FLINT and (by_flint := flint_reduction()) is not None:
        order = list(order)
        found = by_flint(rows, order, beside_identity=beside_identity)
        if found is not None:
            return found
    reduced = list(rows)
    columns = list(range(width))
    remaining = list(range(len(reduced)))
    units: list[int | None] = [width + i if beside_identity else None for i in remaining]
    pivots: list[int] = []
    sources: list[int] = []
    d = 1
    for column in order:
        if not remaining:
            break
        if column in columns:
            place = columns.index(column)
            least = chosen = 0
            for i in remaining:
                size = abs(reduced[i][place])
                if size and (size < least or not least):
                    least, chosen = size, i
            if not least:
                continue
            d = exchange(reduced, chosen, place, d)
            unit = units[chosen]
            if unit is None:
                del columns[place]
                for row in reduced:
                    del row[place]
            else:
                columns[place] = unit
        else:
            chosen = units.index(column)
        pivots.append(column)
        sources.append(chosen)
        remaining.remove(chosen)
    sources += remaining
    return Reduced([reduced[i] for i in sources], columns, pivots, d, sources)


def exchange(rows: list[IntegerRow], chosen: int, place: int, d: int) -> int:
    """Pivot: make a column the chosen row's unit vector and keep that row's old unit vector in its place; return d."""
    pivot_row = rows[chosen]
    pivot = pivot_row[place]
    for i, row in enumerate(rows):
        if i == chosen:
            continue
        factor = row[place]
        if factor:
            rows[i] = row = [(pivot * a - factor * b) // d for a, b in zip(row, pivot_row)]  # noqa: B905 (15 % slower)
            row[place] = -factor
        else:
            rows[i] = [pivot * a // d for a in row] if pivot != d else row.copy()
    rows[chosen] = pivot_row.copy()
    rows[chosen][place] = d
    return pivot

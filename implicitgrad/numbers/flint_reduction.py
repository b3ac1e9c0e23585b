"""Row reduction of large integer matrices by FLINT, with the same result.

The reduced row echelon form of a matrix is unique, and so are its pivot columns. The pivot rows are not unique: any
independent rows serve.
"""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpz_mat, nmod_mat

from implicitgrad.numbers.exact import IntegerRow, Reduced

PRIMES = (2**61 - 1, 2**62 - 57, 2**62 - 87)


def reduce_by_flint(rows: Sequence[IntegerRow], order: Sequence[int], *, beside_identity: bool) -> Reduced | None:
    """Row reduce as reduce_rows; return None if a pivot would be taken in a column that is not in ``order``."""
    M, width = len(rows), len(rows[0])
    total = width + M if beside_identity else width
    given = set(order)
    columns = [*order, *(column for column in range(total) if column not in given)]
    extended = [[*row, *(int(i == k) for k in range(M))] for i, row in enumerate(rows)] if beside_identity else rows
    echelon, d, rank = fmpz_mat([[row[column] for column in columns] for row in extended]).rref()
    found = [[int(entry) for entry in row] for row in echelon.tolist()]
    places = [next(place for place, entry in enumerate(row) if entry) for row in found[:rank]]
    if any(place >= len(order) for place in places):
        return None
    pivots = [columns[place] for place in places]
    taken = set(pivots)
    place_of = {column: place for place, column in enumerate(columns)}
    others = [column for column in range(total) if column not in taken]
    kept = [place_of[column] for column in others]
    of_rows = [pivot for pivot in pivots if pivot < width]
    sources = _independent_rows([[row[pivot] for pivot in of_rows] for row in rows])
    if sources is None:
        return None
    sources += sorted({*range(M)} - {*sources})
    return Reduced([[row[place] for place in kept] for row in found], others, pivots, int(d), sources)


def _independent_rows(columns: Sequence[IntegerRow]) -> list[int] | None:
    """Return as many independent rows as there are columns; None if none are found.

    Rows that are independent modulo a prime are independent.
    """
    rank = len(columns[0])
    if rank == len(columns):
        return list(range(rank))
    for prime in PRIMES:
        transposed = [[entry % prime for entry in column] for column in zip(*columns, strict=True)]
        echelon, found = nmod_mat(transposed, prime).rref()
        if found == rank:
            rows = [[int(entry) for entry in row] for row in echelon.tolist()]
            return [next(place for place, entry in enumerate(row) if entry) for row in rows]
    return None

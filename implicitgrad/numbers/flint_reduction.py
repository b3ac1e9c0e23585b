"""Row reduction of large integer matrices by FLINT, with the same result.

The reduced row echelon form of a matrix is unique, and so are its pivot columns. The pivot rows are not unique: any
independent rows serve.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

IntegerRow = list[int]
PRIMES = (2**61 - 1, 2**62 - 57, 2**62 - 87)


@cache
def is_flint_installed() -> bool:
    """Return whether python-flint can be used."""
    try:
        import flint  # noqa: F401
    except ImportError:
        return False
    return True


def reduce_by_flint(
    rows: Sequence[IntegerRow], order: Sequence[int], *, beside_identity: bool
) -> tuple[list[IntegerRow], list[int], list[int], int, list[int]] | None:
    """Row reduce as reduce_rows, and return the fields of a Reduced.

    Return None if python-flint is not installed, or a pivot would be taken in a column that is not in ``order``.
    """
    if not is_flint_installed():
        return None
    from flint import fmpz_mat

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
    return [[row[place] for place in kept] for row in found], others, pivots, int(d), sources


def _independent_rows(columns: Sequence[IntegerRow]) -> list[int] | None:
    """Return as many independent rows as there are columns; None if none are found.

    Rows that are independent modulo a prime are independent.
    """
    from flint import nmod_mat

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

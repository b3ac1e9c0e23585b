"""Which columns of a matrix are taken as its basis: the preferred ones, as far as the others stay small beside them.

For Q (r, n) of rank r and a basis p, the other columns are Q_f = Q_p·T. An entry t of T beyond the limit is mended by
an exchange of its two columns, which makes |det Q_p| |t| times as large; so this ends, with every |t| at most
the limit (Gu and Eisenstat 1996, *Efficient algorithms for computing a strong rank-revealing QR factorization*).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from implicitgrad.doubles import Array

LIMIT = 1000.0
INDEPENDENT = 1e-10
"""What must remain of a column, which has entries near 1, for it to count as independent of others."""
MOST_AT_ONCE = 1e6


class Choice(NamedTuple):
    """A basis of columns, in order, and the inverse of Q_p where it was come by on the way."""

    columns: list[int]
    inverse: Array | None = None


def choose_columns(Q: Array, preferred: list[int], last: frozenset[int] = frozenset()) -> Choice:
    """A basis of r columns of Q (r, n), of rank r.

    preferred : all columns, the most welcome first. last : those of them that are not to be exchanged for others.
    """
    r, n = Q.shape
    if r == n or r == 0:
        return Choice(list(range(r)))
    basis = np.array(sorted(preferred[:r]))
    inverse = _inverse(Q, basis)
    table = None if inverse is None else _table(Q, inverse, basis, preferred)
    if table is None:
        basis = np.array(_eliminated(Q, preferred))
        inverse = _inverse(Q, basis)
        table = None if inverse is None else _table(Q, inverse, basis, preferred, np.inf)
    if table is None:
        return Choice(sorted(basis.tolist()))
    if not np.abs(table).max() > LIMIT and (np.diff(basis) > 0).all():
        return Choice(basis.tolist(), inverse)
    chosen = set(basis.tolist())
    others = np.array([j for j in preferred if j not in chosen])
    may_enter = np.array([j not in last for j in others.tolist()])
    for _ in range(20 * n):
        sizes = np.abs(table) * may_enter
        i, j = divmod(int(sizes.argmax()), len(others))
        if not sizes[i, j] > LIMIT:
            break
        basis[i], others[j] = others[j], basis[i]
        may_enter[j] = others[j] not in last
        _exchange(table, i, j)
    return Choice(sorted(basis.tolist()))


def _inverse(Q: Array, basis: Array) -> Array | None:
    try:
        inverse: Array = np.linalg.inv(Q[:, basis])
    except np.linalg.LinAlgError:
        return None
    return inverse


def _table(Q: Array, inverse: Array, basis: Array, preferred: list[int], most: float = MOST_AT_ONCE) -> Array | None:
    """Q_p⁻¹·Q_f; None where the basis is none, or nearly."""
    chosen = set(basis.tolist())
    table: Array = inverse @ Q[:, [j for j in preferred if j not in chosen]]
    return table if np.isfinite(table).all() and np.abs(table).max() < most else None


def _exchange(table: Array, i: int, j: int) -> None:
    """The table after basis column i and other column j have changed places."""
    pivot = table[i, j]
    row, column = table[i] / pivot, table[:, j].copy()
    table -= np.outer(column, row)
    table[i] = row
    table[:, j] = -column / pivot
    table[i, j] = 1 / pivot


def _eliminated(Q: Array, preferred: list[int]) -> list[int]:
    """The first columns in the order of preference that are independent of those before."""
    r = len(Q)
    work = Q[:, preferred].copy()
    chosen: list[int] = []
    for threshold in (INDEPENDENT, 0.0):
        for column in range(len(preferred)):
            done = len(chosen)
            if done == r:
                break
            if column in chosen:
                continue
            row = done + int(np.abs(work[done:, column]).argmax())
            pivot = work[row, column]
            if not abs(pivot) > threshold:
                continue
            work[[done, row]] = work[[row, done]]
            work[done + 1 :] -= np.outer(work[done + 1 :, column] / pivot, work[done])
            chosen.append(column)
    return [preferred[column] for column in chosen]

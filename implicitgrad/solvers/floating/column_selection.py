"""Choose basis columns of a matrix: preferred ones, as far as the others have small coefficients in that basis.

For Q (r, n) of rank r and a basis p, the other columns are Q_f = Q_p·T. An entry t of T beyond the limit is removed by
exchanging its two columns, which multiplies |det Q_p| by |t|. So this ends, with every |t| at most the limit (Gu and
Eisenstat 1996, *Efficient algorithms for computing a strong rank-revealing QR factorization*).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from implicitgrad.numbers.ball import Array

LIMIT = 1000.0
INDEPENDENT = 1e-10
"""The norm that must remain of a column, which has entries near 1, for it to be independent of others."""
MAX_AT_ONCE = 1e6
BLOCK = 64


class ColumnSelection(NamedTuple):
    """A basis of columns, in order, and the inverse of Q_p if it was computed on the way."""

    columns: list[int]
    inverse: Array | None = None


def choose_columns(Q: Array, preferred: list[int], last: frozenset[int] = frozenset()) -> ColumnSelection:
    """Return r independent columns of Q (r, n), of rank r.

    preferred : all columns, the most preferred first. last : those that must not replace others.
    """
    r, n = Q.shape
    if r == n or r == 0:
        return ColumnSelection(list(range(r)))
    basis = np.array(sorted(preferred[:r]))
    inverse = _inverse(Q, basis)
    table = None if inverse is None else _table(Q, inverse, basis, preferred)
    if table is None:
        basis = np.array(_eliminated(Q, preferred))
        inverse = _inverse(Q, basis)
        table = None if inverse is None else _table(Q, inverse, basis, preferred, np.inf)
    if table is None:
        return ColumnSelection(sorted(basis.tolist()))
    if not np.abs(table).max() > LIMIT and (np.diff(basis) > 0).all():
        return ColumnSelection(basis.tolist(), inverse)
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
    return ColumnSelection(sorted(basis.tolist()))


def _inverse(Q: Array, basis: Array) -> Array | None:
    try:
        inverse: Array = np.linalg.inv(Q[:, basis])
    except np.linalg.LinAlgError:
        return None
    return inverse


def _table(Q: Array, inverse: Array, basis: Array, preferred: list[int], most: float = MAX_AT_ONCE) -> Array | None:
    """Return Q_p⁻¹·Q_f; None if Q_p is singular or nearly so."""
    chosen = set(basis.tolist())
    table: Array = inverse @ Q[:, [j for j in preferred if j not in chosen]]
    return table if np.isfinite(table).all() and np.abs(table).max() < most else None


def _exchange(table: Array, i: int, j: int) -> None:
    """Exchange basis column i and other column j in the table."""
    pivot = table[i, j]
    row, column = table[i] / pivot, table[:, j].copy()
    table -= np.outer(column, row)
    table[i] = row
    table[:, j] = -column / pivot
    table[i, j] = 1 / pivot


def _eliminated(Q: Array, preferred: list[int]) -> list[int]:
    """Return the first columns, in the preferred order, that are independent of earlier ones, completed to r."""
    r = len(Q)
    found = np.zeros((r, r))
    """The orthonormal columns found so far."""
    chosen: list[int] = []
    for start in range(0, len(preferred), BLOCK):
        block = preferred[start : start + BLOCK]
        rest = _without(Q[:, block], found[:, : len(chosen)])
        for k, column in enumerate(block):
            if len(chosen) == r:
                return chosen
            if float(np.linalg.norm(rest[:, k])) > INDEPENDENT:
                direction = _unit(_without(rest[:, k], found[:, : len(chosen)]))
                rest -= np.outer(direction, direction @ rest)
                found[:, len(chosen)] = direction
                chosen.append(column)
    taken = set(chosen)
    others = [column for column in preferred if column not in taken]
    rest = _without(Q[:, others], found[:, : len(chosen)])
    while len(chosen) < r:
        k = int(np.linalg.norm(rest, axis=0).argmax())
        direction = _unit(rest[:, k])
        rest -= np.outer(direction, direction @ rest)
        rest = np.delete(rest, k, axis=1)
        chosen.append(others.pop(k))
    return chosen


def _without(columns: Array, found: Array) -> Array:
    """Return the components orthogonal to the orthonormal columns found."""
    rest: Array = columns - found @ (found.T @ columns)
    return rest


def _unit(direction: Array) -> Array:
    size = float(np.linalg.norm(direction))
    return direction / size if size else direction

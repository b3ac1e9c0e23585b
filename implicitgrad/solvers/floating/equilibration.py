"""Equilibrate by powers of two, without rounding: scale rows and columns of A to entries near 1.

With A = 2⁻ʳ·Â·2⁻ᶜ, B = 2⁻ʳ·B̂·2ᵇ and Â·Ĵ = B̂, the Jacobian is J = 2ᶜ·Ĵ·2ᵇ. Exponents of rows stand at the left,
those of columns at the right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from implicitgrad.numbers.ball import Array, BallMatrix
from implicitgrad.solvers.floating.error_free import U
from implicitgrad.solvers.floating.inverse import BallArray

if TYPE_CHECKING:
    Exponents = np.ndarray[Any, np.dtype[np.int64]]

EVEN = 8
"""A matrix is even if the exponents of its rows differ by at most 8, and those of its columns."""
LEAST = -(2**20)
"""Less than any sum of exponents."""


class Scaled(NamedTuple):
    """A system in scaled units, with bounds on the errors of its entries."""

    A: Array
    dA: Array | None
    B: Array | None
    """None: the identity, whose scaling is in ``inputs``."""
    dB: Array | None
    rows: Exponents
    columns: Exponents
    inputs: Exponents
    """J = 2^columns·Ĵ·2^inputs"""


def equilibration(A: Array) -> tuple[Exponents, Exponents]:
    """Return r and c such that 2ʳ·A·2ᶜ has entries up to 1, and one of at least 1/2 in each nonzero row and column.

    An even A is only multiplied by one power of two, and only if its entries are far from 1.
    """
    sizes = _largest(A, 1), _largest(A, 0)
    rows, columns = map(_exponents, sizes)
    there = [exponents[largest > 0] for exponents, largest in zip((rows, columns), sizes, strict=True)]
    if all(np.ptp(exponents) <= EVEN for exponents in there if len(exponents)):
        is_close = all(np.abs(exponents).max(initial=0) <= EVEN for exponents in there)
        return np.full_like(rows, 0 if is_close else -there[0].max()), np.zeros_like(columns)
    return -rows, -_exponents(_largest(shifted(A, -rows[:, None]), 0))


def beside_others(B: Array, rows: Exponents, is_empty: Array) -> Exponents:
    """Return r with exponents for the rows 0 = B·x that A leaves to B, which make B as large there as in other rows.

    is_empty : (M,), which rows these are. Each is compared with earlier rows by the inputs they share, and then sets
    the scale of its new inputs. Where rows share no inputs with others, the first of them sets the scale.
    """
    inputs, is_known = column_exponents(B[~is_empty], rows[~is_empty]), B[~is_empty].any(axis=0)
    own, is_there = np.frexp(B[is_empty])[1], B[is_empty] != 0
    found, remaining = np.zeros(len(own), dtype=np.int64), is_there.any(axis=1)
    new = is_known
    while remaining.any():
        now = remaining & is_there[:, new].any(axis=1)
        if now.any():
            found[now] = -np.max(own[now] - inputs, axis=1, where=is_there[now] & is_known, initial=LEAST)
            new = is_there[now].any(axis=0) & ~is_known
            inputs[new] = column_exponents(B[is_empty][now], found[now])[new]
            remaining &= ~now
        else:
            first = int(np.flatnonzero(remaining)[0])
            new = is_there[first]
            inputs[new] = own[first, new]
        is_known = is_known | new
    scaled = rows.copy()
    scaled[is_empty] = found
    return scaled


def column_exponents(B: Array, rows: Exponents | None = None) -> Exponents:
    """Return the exponents of the largest entries of the columns of B, or of 2^rows·B, which may overflow doubles."""
    if rows is None or not rows.any():
        return _exponents(_largest(B, 0))
    largest = np.max(np.frexp(B)[1] + rows[:, None], axis=0, where=B != 0, initial=LEAST)
    return np.where(largest > LEAST, largest, 0)


def row_exponents(B: Array) -> Exponents:
    """Return the exponents of the largest entries of the rows."""
    return _exponents(_largest(B, 1))


def sums(rows: Exponents, columns: Exponents) -> Exponents:
    """Return the exponents of entries, rows[:, None] + columns; a single 0 if nothing is scaled."""
    if rows.any() or columns.any():
        return rows[:, None] + columns
    return np.zeros((1, 1), dtype=np.int64)


def shifted(a: Array, exponents: Exponents) -> Array:
    """Return a·2^exponents, rounded only below the normal range."""
    if not exponents.any():
        return a
    with np.errstate(under="ignore", over="ignore"):
        result: Array = np.ldexp(a, exponents)
    return result


def lost(a: Array, exponents: Exponents) -> Array | float:
    """Return a bound on the rounding errors of ``shifted``."""
    if not exponents.any():
        return 0.0
    result = shifted(a, exponents)
    is_exact = bool((shifted(result, -exponents) == a).all())
    return 0.0 if is_exact else 2.0**-1074


def shifted_pair(matrix: BallMatrix, exponents: Exponents) -> tuple[Array, Array | None]:
    """Return a scaled matrix and the bound on its errors, None if it is exact."""
    value = shifted(matrix.array, exponents)
    loss = lost(matrix.array, exponents)
    if not np.any(matrix.error) and not loss:
        return value, None
    error = shifted(np.broadcast_to(np.asarray(matrix.error), value.shape), exponents) + loss
    return value, error * (1 + 4 * U)


def scaled_gradients(g: BallMatrix, columns: Exponents) -> tuple[Exponents, Array, Array | None]:
    """Return the exponents of the losses, ĝ = 2^(−losses)·g·2^columns, and the bound on its errors."""
    losses = column_exponents(g.array.T, columns)
    return (losses, *shifted_pair(g, sums(-losses, columns)))


def unscaled(found: BallArray, exponents: Exponents) -> BallArray:
    """Return a scaled result and its bound in the system's own units. Raises OverflowError."""
    value = shifted(found.value, exponents)
    if not np.isfinite(value).all():
        raise OverflowError
    if not exponents.any():
        return found
    error = shifted(np.asarray(found.error), exponents)
    if (np.abs(error) < 2.0**-1020).any() or (np.abs(value) < 2.0**-1020).any():
        error = np.where(np.asarray(found.error) > 0, np.nextafter(error, np.inf), error)
        error = error + lost(found.value, exponents)
    return BallArray(value, error)


def _largest(A: Array, axis: int) -> Array:
    """Return the largest magnitudes of rows (axis 1) or columns (axis 0)."""
    largest: Array = np.maximum(A.max(axis=axis, initial=0.0), -A.min(axis=axis, initial=0.0))
    return largest


def _exponents(largest: Array) -> Exponents:
    """Return the e with largest/2^e in [1/2, 1); 0 for 0."""
    return np.frexp(largest)[1].astype(np.int64)

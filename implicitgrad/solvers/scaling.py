"""Equilibration by powers of two, which loses nothing: rows and columns of A get entries near 1.

With A = 2⁻ʳ·Â·2⁻ᶜ, B = 2⁻ʳ·B̂·2ᵇ and Â·Ĵ = B̂ the Jacobian is J = 2ᶜ·Ĵ·2ᵇ, exponents of rows at the left and of
columns at the right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from implicitgrad.solvers.inverse import Bounded

if TYPE_CHECKING:
    from implicitgrad.doubles import Array

    Exponents = np.ndarray[Any, np.dtype[np.int64]]

EVEN = 8
"""Where all exponents are within ±8 nothing is scaled."""


class Scaled(NamedTuple):
    """A system in scaled units, and what its numbers may hide."""

    A: Array
    dA: Array | None
    B: Array | None
    """None: the identity, which scaling leaves to ``B_exponents``."""
    dB: Array | None
    rows: Exponents
    columns: Exponents
    inputs: Exponents
    """J = 2^columns·Ĵ·2^inputs"""


def equilibration(A: Array) -> tuple[Exponents, Exponents]:
    """r and c, for which no entry of 2ʳ·A·2ᶜ is beyond 1 and the largest of each row and column is at least 1/2."""
    rows = -_exponents(_largest(A, 1))
    if np.abs(rows).max() <= EVEN:
        columns = -_exponents(_largest(A, 0))
        if np.abs(columns).max() <= EVEN:
            return np.zeros_like(rows), np.zeros_like(columns)
    return rows, -_exponents(_largest(shifted(A, rows[:, None]), 0))


def column_exponents(B: Array) -> Exponents:
    """Of the largest entry of each column."""
    return _exponents(_largest(B, 0))


def sums(rows: Exponents, columns: Exponents) -> Exponents:
    """The exponents of entries, rows[:, None] + columns; one 0 for all where nothing is scaled."""
    if rows.any() or columns.any():
        return rows[:, None] + columns
    return np.zeros((1, 1), dtype=np.int64)


def shifted(a: Array, exponents: Exponents) -> Array:
    """a·2^exponents, at the one rounding that a result below the normal range suffers."""
    if not exponents.any():
        return a
    with np.errstate(under="ignore", over="ignore"):
        result: Array = np.ldexp(a, exponents)
    return result


def lost(a: Array, exponents: Exponents) -> Array | float:
    """A bound on the rounding of ``shifted``."""
    if not exponents.any():
        return 0.0
    result = shifted(a, exponents)
    is_exact = bool((shifted(result, -exponents) == a).all())
    return 0.0 if is_exact else 2.0**-1074


def unscaled(found: Bounded, exponents: Exponents) -> Bounded:
    """A scaled result and its bound, as they are in the system's own units. Raises OverflowError."""
    if not exponents.any():
        return found
    value = shifted(found.value, exponents)
    if not np.isfinite(value).all():
        raise OverflowError
    error = shifted(np.asarray(found.error), exponents)
    if (np.abs(error) < 2.0**-1020).any() or (np.abs(value) < 2.0**-1020).any():
        error = np.where(np.asarray(found.error) > 0, np.nextafter(error, np.inf), error)
        error = error + lost(found.value, exponents)
    return Bounded(value, error)


def _largest(A: Array, axis: int) -> Array:
    """The largest magnitudes of rows (axis 1) or columns (axis 0)."""
    largest: Array = np.maximum(A.max(axis=axis), -A.min(axis=axis))
    return largest


def _exponents(largest: Array) -> Exponents:
    """The e with largest/2^e in [1/2, 1); 0 for 0."""
    return np.frexp(largest)[1].astype(np.int64)

"""What doubles can prove of whether c − C·z can be small in every entry: by the z of least squares, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from implicitgrad.doubles import DoubleMatrix, from_fractions
from implicitgrad.solvers.products import U, bound_product, enlarged, gamma, precise_residual

if TYPE_CHECKING:
    from implicitgrad.doubles import Array
    from implicitgrad.system import Matrix

FURTHER = 1 + 8 * U
"""Outweighs the rounding of a few operations on bounds."""


class Sought(NamedTuple):
    """Columns z, each with |c − C·z| ≤ t in every row, for a column of c and of t; all matrices are rational."""

    c: Matrix
    """(R, P)"""
    C: Matrix
    """(R, F)"""
    enough: Matrix
    """(R, P): the t with which such z are what is sought."""
    needed: Matrix
    """(R, P): the t, not less, without which there are none."""
    fixed: Sequence[int]
    """Rows whose part of C is the identity; none, if there are no such."""


def is_there_one(sought: Sought) -> bool | None:
    """Whether such z are there for all columns; None where doubles cannot tell.

    There are if those of least squares are near enough. Their residuals ρ, weighed, have Cᵀ·ρ ≈ 0, so that ρᵀ·(c − C·z)
    is much the same for every z; a z with |c − C·z| ≤ t makes it at most |ρ|ᵀ·t (Farkas). What it may differ by is
    |Cᵀ·ρ|ᵀ·|z − z₀|, where z is known to within t of c in the rows that are fixed.
    """
    try:
        c, C = _doubles(sought.c), _doubles(sought.C)
        enough, needed = (from_fractions(radii).array for radii in (sought.enough, sought.needed))
    except OverflowError:
        return None
    enough, needed = np.nextafter(enough, 0.0), np.nextafter(needed, np.inf)
    with np.errstate(all="ignore"):  # what is not finite proves nothing
        weights = 1 / enough.min(axis=1, keepdims=True)
        weights = weights / weights.max() if np.isfinite(weights).all() else np.ones_like(weights)
        try:
            z = np.linalg.lstsq(weights * C.value, weights * c.value, rcond=None)[0]
        except np.linalg.LinAlgError:
            return None
        rest, error = precise_residual(c.value, C.value, z)
        error = (error + c.error + bound_product(C.error, np.abs(z))) * FURTHER
        if ((np.abs(rest) + error) * FURTHER <= enough).all():
            return True
        return False if _is_any_too_far(rest, error, C, needed, weights**2, list(sought.fixed)) else None


class _Doubles(NamedTuple):
    value: Array
    error: Array


def _doubles(matrix: Matrix) -> _Doubles:
    if isinstance(matrix, DoubleMatrix):  # which are these numbers, whatever they are near to
        return _Doubles(matrix.array, np.zeros_like(matrix.array))
    found = from_fractions(matrix)
    return _Doubles(found.array, np.broadcast_to(np.asarray(found.error), found.array.shape))


def _is_any_too_far(rest: Array, error: Array, C: _Doubles, needed: Array, weights: Array, fixed: list[int]) -> bool:
    """Whether no z at all will do for some column, rest = c − C·z₀."""
    R = len(rest)
    rho = weights * rest
    sizes = np.abs(rho)
    shown = (rho * rest).sum(axis=0) * (1 - (2 * R + 8) * U)
    allowed = enlarged((sizes * (needed + error)).sum(axis=0), R + 1)
    turned = np.abs(C.value.T @ rho) * FURTHER + bound_product(gamma(R) * np.abs(C.value).T + C.error.T, sizes)
    if fixed:
        turned = turned * (np.abs(rest[fixed]) + error[fixed] + needed[fixed]) * FURTHER
    elif turned.any():
        return False
    return bool((shown > (allowed + enlarged(turned.sum(axis=0), len(turned))) * FURTHER).any())

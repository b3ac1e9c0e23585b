"""What doubles can prove of whether c − C·z can be small in every entry: by the z of least squares, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from implicitgrad.numbers.ball import BallMatrix, from_fractions
from implicitgrad.solvers.floating.error_free import SMALLEST, U, bound_product, enlarged, gamma, precise_residual

if TYPE_CHECKING:
    from implicitgrad.model.system import Matrix
    from implicitgrad.numbers.ball import Array

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
    T: Matrix = ()
    """(D, P): c may be changed by Δ·T, which is what makes ``needed`` more than ``enough``; none if it may not."""
    changes: Matrix = ()
    """(R, D): how large Δ may be."""


def is_there_one(sought: Sought) -> bool | None:
    """Whether such z are there for all columns; None where doubles cannot tell.

    There are, if those of least squares are near enough. Their residuals ρ, weighed, have Cᵀ·ρ ≈ 0, so that
    ρᵀ·(c − C·z) is much the same for every z; a z with |c − C·z| ≤ t makes it at most |ρ|ᵀ·t (Farkas). What it may
    differ by is |Cᵀ·ρ|ᵀ·|z − z₀|, where z is known to within t of c in the rows that are fixed.
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
        if _is_near(rest, error, enough):
            return True
        rho = weights**2 * rest
        reach = np.full((C.value.shape[1], 1), np.inf)
        if sought.fixed:
            fixed = list(sought.fixed)
            reach = (np.abs(rest[fixed]) + error[fixed] + needed[fixed]) * FURTHER
        shown, allowed = _weighed(rho, rest, needed + error, C, reach)
        if (shown > allowed).any():
            return False
        return _is_there_one_with_changes(sought, rest, error, enough, rho, C, reach) if len(sought.T) else None


def largest_residual(B: Matrix, A: Matrix, X: Matrix) -> tuple[int, int] | None:
    """The place of the largest entry of |B − A·X|; None beyond the range of doubles."""
    try:
        residual = np.abs(precise_residual(*[_doubles(matrix).value for matrix in (B, A, X)])[0])
    except OverflowError:
        return None
    i, j = divmod(int(residual.argmax()), residual.shape[1])
    return i, j


def _is_near(rest: Array, error: Array, enough: Array) -> bool:
    return bool(((np.abs(rest) + error) * FURTHER <= enough).all())


def _is_there_one_with_changes(
    sought: Sought, rest: Array, error: Array, enough: Array, rho: Array, C: _LeastSquares, reach: Array
) -> bool | None:
    """The same, with Δ of least squares, −ρ·(I + Tᵀ·T)⁻¹·Tᵀ, and ρ·(I + Tᵀ·T)⁻¹ for all columns together."""
    try:
        T, changes = _doubles(sought.T), from_fractions(sought.changes).array
        parted = np.linalg.inv(np.eye(T.value.shape[1]) + T.value.T @ T.value)
    except (OverflowError, np.linalg.LinAlgError):
        return None
    change = -rest @ parted @ T.value.T
    left, lost = precise_residual(rest, -change, T.value)
    lost = (lost + error + bound_product(np.abs(change), T.error)) * FURTHER
    if (np.abs(change) <= np.nextafter(changes, 0.0)).all() and _is_near(left, lost, enough):
        return True
    rho = rho @ parted
    shown, allowed = _weighed(rho, rest, np.nextafter(enough, np.inf) * FURTHER + error, C, reach)
    along = np.abs(rho @ T.value.T) + bound_product(np.abs(rho), gamma(len(parted)) * np.abs(T.value).T + T.error.T)
    spent = enlarged((along * np.nextafter(changes, np.inf)).sum(), along.size + 4) + enlarged(allowed.sum(), rho.size)
    return False if shown.sum() * (1 - (rho.size + 8) * U) > spent * FURTHER + SMALLEST else None


class _LeastSquares(NamedTuple):
    value: Array
    error: Array


def _doubles(matrix: Matrix) -> _LeastSquares:
    if isinstance(matrix, BallMatrix):  # which are these numbers, whatever they are near to
        return _LeastSquares(matrix.array, np.zeros_like(matrix.array))
    found = from_fractions(matrix)
    return _LeastSquares(found.array, np.broadcast_to(np.asarray(found.error), found.array.shape))


def _weighed(rho: Array, rest: Array, t: Array, C: _LeastSquares, reach: Array) -> tuple[Array, Array]:
    """Of each column ρᵀ·(c − C·z₀), or less, and |ρ|ᵀ·t + |Cᵀ·ρ|ᵀ·|z − z₀|, or more; reach : what z − z₀ may be."""
    R, sizes = len(rest), np.abs(rho)
    shown = rho * rest
    shown = shown.sum(axis=0) - enlarged(np.abs(shown).sum(axis=0), R) * (R + 2) * U
    turned = np.abs(C.value.T @ rho) * FURTHER + bound_product(gamma(R) * np.abs(C.value).T + C.error.T, sizes)
    moved = np.where(turned > 0, turned * reach, 0.0).sum(axis=0)
    return shown, enlarged((sizes * t).sum(axis=0) + moved, R + len(turned) + 4) * FURTHER + SMALLEST

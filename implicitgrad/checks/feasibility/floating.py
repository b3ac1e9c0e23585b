"""The floating-point feasibility test of |c − C·z| ≤ t, from the residual of least squares.

Either the least-squares z is feasible, or its residual certifies that no z is (Farkas), or nothing is proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from implicitgrad.checks.feasibility.decision import Decision
from implicitgrad.numbers.ball import Array, BallMatrix, from_fractions
from implicitgrad.solvers.floating.error_free import SMALLEST, U, bound_product, enlarged, gamma, precise_residual

if TYPE_CHECKING:
    from implicitgrad.model.system import Matrix

INFLATION = 1 + 8 * U
"""A factor that covers the rounding errors of a few operations on bounds."""


class IntervalProblem(NamedTuple):
    """Find columns z with |c − C·z| ≤ t in every row, for each column of c and t; all matrices are rational."""

    c: Matrix
    """(R, P)"""
    C: Matrix
    """(R, F)"""
    sufficient: Matrix
    """(R, P): radii t within which a z is a solution."""
    necessary: Matrix
    """(R, P): radii t ≥ sufficient that every solution satisfies."""
    identity_rows: Sequence[int]
    """The rows of C that are the identity, if there are any."""
    T: Matrix = ()
    """(D, P): c may be replaced by c + Δ·T, which accounts for necessary > sufficient; empty if it may not."""
    change_radii: Matrix = ()
    """(R, D): bounds on |Δ|."""


class _Doubles(NamedTuple):
    """The doubles nearest to a rational matrix, and bounds on their errors."""

    value: Array
    error: Array


class _LeastSquares(NamedTuple):
    """The least-squares solution of a problem, and the bounds that certificates need."""

    C: _Doubles
    residual: Array
    error: Array
    """(R, P): a bound on the error of the residual."""
    reach: Array
    """(F, P) or (F, 1): a bound on |z − z₀| for every solution z, infinite if there is none."""


def decide(problem: IntervalProblem) -> Decision:
    """Return whether all columns of a problem have a solution; UNDECIDED if doubles prove neither.

    There are solutions if those of least squares are near enough. Their weighted residuals ρ have Cᵀ·ρ ≈ 0, so that
    ρᵀ·(c − C·z) is much the same for every z, while a z with |c − C·z| ≤ t makes it at most |ρ|ᵀ·t (Farkas). It differs
    by at most |Cᵀ·ρ|ᵀ·|z − z₀|, where z is known to within t of c in the identity rows.
    """
    try:
        c, C = _doubles(problem.c), _doubles(problem.C)
        sufficient, necessary = (from_fractions(radii).array for radii in (problem.sufficient, problem.necessary))
    except OverflowError:
        return Decision.UNDECIDED
    sufficient, necessary = np.nextafter(sufficient, 0.0), np.nextafter(necessary, np.inf)
    with np.errstate(all="ignore"):  # infinities and NaN prove nothing
        weights = 1 / sufficient.min(axis=1, keepdims=True)
        weights = weights / weights.max() if np.isfinite(weights).all() else np.ones_like(weights)
        try:
            z = np.linalg.lstsq(weights * C.value, weights * c.value, rcond=None)[0]
        except np.linalg.LinAlgError:
            return Decision.UNDECIDED
        residual, error = precise_residual(c.value, C.value, z)
        error = (error + c.error + bound_product(C.error, np.abs(z))) * INFLATION
        if _is_within(residual, error, sufficient):
            return Decision.YES
        rho = weights**2 * residual
        reach = np.full((C.value.shape[1], 1), np.inf)
        if problem.identity_rows:
            rows = list(problem.identity_rows)
            reach = (np.abs(residual[rows]) + error[rows] + necessary[rows]) * INFLATION
        solution = _LeastSquares(C, residual, error, reach)
        shown, allowed = _certificate(rho, necessary + error, solution)
        if (shown > allowed).any():
            return Decision.NO
        return _decide_with_changes(problem, sufficient, rho, solution) if len(problem.T) else Decision.UNDECIDED


def find_largest_residual(B: Matrix, A: Matrix, X: Matrix) -> tuple[int, int] | None:
    """Return the position of the largest entry of |B − A·X|, or None beyond the range of doubles."""
    try:
        residual = np.abs(precise_residual(*[_doubles(matrix).value for matrix in (B, A, X)])[0])
    except OverflowError:
        return None
    i, j = divmod(int(residual.argmax()), residual.shape[1])
    return i, j


def _is_within(residual: Array, error: Array, radii: Array) -> bool:
    return bool(((np.abs(residual) + error) * INFLATION <= radii).all())


def _decide_with_changes(problem: IntervalProblem, sufficient: Array, rho: Array, solution: _LeastSquares) -> Decision:
    """Decide the same with Δ of least squares, −ρ·(I + Tᵀ·T)⁻¹·Tᵀ, and ρ·(I + Tᵀ·T)⁻¹ for all columns together."""
    _, residual, error, _ = solution
    try:
        T, change_radii = _doubles(problem.T), from_fractions(problem.change_radii).array
        inverse = np.linalg.inv(np.eye(T.value.shape[1]) + T.value.T @ T.value)
    except (OverflowError, np.linalg.LinAlgError):
        return Decision.UNDECIDED
    change = -residual @ inverse @ T.value.T
    changed, changed_error = precise_residual(residual, -change, T.value)
    changed_error = (changed_error + error + bound_product(np.abs(change), T.error)) * INFLATION
    is_allowed = (np.abs(change) <= np.nextafter(change_radii, 0.0)).all()
    if is_allowed and _is_within(changed, changed_error, sufficient):
        return Decision.YES
    rho = rho @ inverse
    shown, allowed = _certificate(rho, np.nextafter(sufficient, np.inf) * INFLATION + error, solution)
    changes = np.abs(rho @ T.value.T) + bound_product(np.abs(rho), gamma(len(inverse)) * np.abs(T.value).T + T.error.T)
    total = enlarged((changes * np.nextafter(change_radii, np.inf)).sum(), changes.size + 4)
    total += enlarged(allowed.sum(), rho.size)
    is_excluded = shown.sum() * (1 - (rho.size + 8) * U) > total * INFLATION + SMALLEST
    return Decision.NO if is_excluded else Decision.UNDECIDED


def _doubles(matrix: Matrix) -> _Doubles:
    if isinstance(matrix, BallMatrix):  # its doubles are meant exactly
        return _Doubles(matrix.array, np.zeros_like(matrix.array))
    found = from_fractions(matrix)
    return _Doubles(found.array, np.broadcast_to(np.asarray(found.error), found.array.shape))


def _certificate(rho: Array, radii: Array, solution: _LeastSquares) -> tuple[Array, Array]:
    """Return for each column a lower bound on ρᵀ·(c − C·z₀) and an upper bound on |ρ|ᵀ·t + |Cᵀ·ρ|ᵀ·|z − z₀|."""
    C, residual, _, reach = solution
    R, sizes = len(residual), np.abs(rho)
    shown = rho * residual
    shown = shown.sum(axis=0) - enlarged(np.abs(shown).sum(axis=0), R) * (R + 2) * U
    turned = np.abs(C.value.T @ rho) * INFLATION + bound_product(gamma(R) * np.abs(C.value).T + C.error.T, sizes)
    moved = np.where(turned > 0, turned * reach, 0.0).sum(axis=0)
    return shown, enlarged((sizes * radii).sum(axis=0) + moved, R + len(turned) + 4) * INFLATION + SMALLEST

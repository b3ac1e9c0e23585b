"""Compute the Jacobian of least norm from a particular one and the null space.

With G = A[I, p]⁻¹·A[I, :], which is [I, −V] in the order p, f, ‖G⁺‖ ≤ 1 and ‖V⁺‖ ≤ 1. So an approximate solution y of
G·y = J₀ differs from the least one by G⁺·(J₀ − G·y) in the row space of G, and by at most ‖Vᵀ·y‖ in the null space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from implicitgrad.numbers.ball import Array
from implicitgrad.solvers.floating.error_free import U, gamma, norm, norms

if TYPE_CHECKING:
    from implicitgrad.solvers.floating.inverse import BallArray

MAX_SQUARED = 1e5
"""The largest entry of V for which refined normal equations are accurate enough."""
MAX_UNREFINED = 10.0


class LeastNorm(NamedTuple):
    """The rows of the pivot and of the free unknowns, and a bound on the errors of each column."""

    pivots: Array
    free: Array
    error: Array


def minimum_norm(particular: BallArray, null_space: BallArray) -> LeastNorm:
    """Return the least solution from the rows of the pivot unknowns in J₀ (r, P′) and in V (r, F)."""
    J, V = particular.value, null_space.value
    y_p, y_f, off, inside = least_solution(V, J)
    dJ, dV = np.broadcast_to(particular.error, J.shape), np.broadcast_to(null_space.error, V.shape)
    sizes = np.hypot(norms(y_p, 0), norms(y_f, 0)) * (1 + 4 * U)
    dJ_norms, dV_norm, V_norm, J_norms = norms(dJ, 0), norm(dV), norm(V), norms(J, 0)
    off = off + dJ_norms + dV_norm * sizes + gamma(V.shape[1] + 3) * (J_norms + (1 + V_norm) * sizes)
    inside = inside + (dV_norm + gamma(len(V)) * V_norm) * sizes
    error = (off + inside) * (1 + 32 * U)
    return LeastNorm(y_p, y_f, np.where(np.isfinite(error), error, np.inf))


class LeastSolution(NamedTuple):
    """The least y_p and y_f with y_p = right + V·y_f, approximately."""

    pivots: Array
    free: Array
    off: Array | float
    """The norms of the columns of right + V·y_f − y_p, except for the rounding of one of these products."""
    inside: Array | float
    """The norms of the columns of Vᵀ·y_p + y_f, which would be 0 without rounding."""


def least_solution(V: Array, right: Array) -> LeastSolution:
    """Solve the smaller of the two normal equations."""
    largest = max(float(V.max(initial=0.0)), -float(V.min(initial=0.0)))
    if not largest < MAX_SQUARED:
        return _by_qr(V, right)
    r, F = V.shape
    if r >= F:
        S = V.T @ V
        S.flat[:: F + 1] += 1
        inverse = np.linalg.inv(S)
        y_f = inverse @ (-V.T @ right)
        y_p, rest = _by_free(V, right, y_f)
        if largest > MAX_UNREFINED:
            y_f -= inverse @ rest
            y_p, rest = _by_free(V, right, y_f)
        return LeastSolution(y_p, y_f, 0.0, norms(rest, 0))
    S = V @ V.T
    S.flat[:: r + 1] += 1
    inverse = np.linalg.inv(S)
    y_p = inverse @ right
    if largest > MAX_UNREFINED:
        y_p += inverse @ (right - y_p - V @ (V.T @ y_p))
    y_f = -V.T @ y_p
    return LeastSolution(y_p, y_f, norms(right - y_p + V @ y_f, 0), 0.0)


def _by_free(V: Array, right: Array, y_f: Array) -> tuple[Array, Array]:
    """Return y_p = right + V·y_f and Vᵀ·y_p + y_f."""
    y_p = V @ y_f
    y_p += right
    rest = V.T @ y_p
    rest += y_f
    return y_p, rest


def _by_qr(V: Array, right: Array) -> LeastSolution:
    r = len(V)
    Q, R = np.linalg.qr(np.concatenate([np.eye(r), -V.T]))
    found = Q @ np.linalg.solve(R.T, right)
    y_p, y_f = found[:r], found[r:]
    return LeastSolution(y_p, y_f, norms(right - y_p + V @ y_f, 0), norms(V.T @ y_p + y_f, 0))

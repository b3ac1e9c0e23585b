"""Compute g·K⁻¹ for a square K without its inverse: solve with Kᵀ, and certify by a Cholesky factorization.

If KᵀK − s·I has a Cholesky factor in doubles, σ_min(K)² ≥ s − δ, where δ bounds the rounding errors of KᵀK and of the
factorization (Rump 2006, *Verification of positive definiteness*, BIT 46). Then |g·K⁻¹ − w| ≤ ‖g − w·K‖/σ_min.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from implicitgrad.numbers.ball import Array
from implicitgrad.solvers.floating.error_free import U, blocked_gamma, blocked_residual, gamma, norm, norms
from implicitgrad.solvers.floating.inverse import BallArray

PROBES = 8
SHARES = (0.5, 0.1)
"""The fractions of the estimated σ_min that are tried as lower bounds."""


class Adjoint:
    """Solutions with Kᵀ; ``inverse_norm`` is an upper bound of ‖K⁻¹‖₂, infinite if none was found."""

    def __init__(self, K: Array, dK: Array | None, g: Array, dg: Array | None) -> None:
        n = len(K)
        probes = np.random.default_rng(0).choice([-1.0, 1.0], size=(PROBES, n))
        solved = np.linalg.solve(K.T, np.concatenate([g, probes]).T).T
        w, responses = solved[: len(g)], solved[len(g) :]
        guess = 1 / max(float(np.sqrt((responses**2).sum(axis=1).mean())), 1e-300)
        K_norm, dK_norm = norm(K), 0.0 if dK is None else norm(dK)
        sigma = _least_singular_value(K, K_norm, guess) - dK_norm
        self.inverse_norm = (1 + 4 * U) / sigma if sigma > 0 else np.inf
        residuals = norms(blocked_residual(g.T, K.T, w.T), 0)
        sizes = norms(w, 1)
        residuals += blocked_gamma(n) * (K_norm * sizes + norms(g, 1)) + dK_norm * sizes
        residuals += 0.0 if dg is None else norms(dg, 1)
        error = residuals * self.inverse_norm * (1 + 16 * U)
        self.solution = BallArray(w, np.broadcast_to(error[:, None], w.shape))


def _least_singular_value(K: Array, K_norm: float, guess: float) -> float:
    """Return a lower bound of σ_min, 0 if none could be verified."""
    n = len(K)
    gram = K.T @ K
    rounding = (gamma(n) + gamma(n + 1) / (1 - gamma(n + 1))) * K_norm**2 * (1 + 64 * n * U)
    diagonal = gram.diagonal().copy()
    for share in SHARES:
        square = (share * guess) ** 2
        np.fill_diagonal(gram, diagonal - (square + rounding) * (1 + 8 * U) - 2 * U * diagonal)
        try:
            np.linalg.cholesky(gram)
        except np.linalg.LinAlgError:
            continue
        return sqrt(square) * (1 - 8 * U)
    return 0.0

"""The certified inverse of a matrix K, and solutions with it and with its transpose, with bounds.

With X ≈ K⁻¹ and |I − K·X| ≤ E, ‖E‖ < 1, K is invertible and K⁻¹ = X·(I − G)⁻¹ for some |G| ≤ E. So for all Z and W,

    K⁻¹·B − Z = X·(I − G)⁻¹·(B − K·Z)        g·K⁻¹ − W = (g − W·K)·X·(I − G)⁻¹

and bounds on the residuals on the right bound the errors on the left (Rump 2010, *Verification methods*, §10; Higham
2002, ch. 14). Up to 128 rows, residuals have twice the precision and refine each solution; up to 512, bounds are
entrywise; above, they are norms of rows and columns.

K is scaled: no entry is much larger than 1. The bounds hold for all K, B and g within dK, dB and dg, entrywise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from implicitgrad.numbers.ball import Array
from implicitgrad.solvers.floating.error_free import (
    MAX_SPLIT,
    SMALLEST,
    U,
    blocked_gamma,
    blocked_residual,
    bound_product,
    enlarged,
    gamma,
    norm,
    norms,
    precise_residual,
    residual,
)

MAX_PRECISE = 128
MAX_ENTRYWISE = 512
MAX_REFINEMENTS = 4
MAX_DEFECT = 0.9
"""The ‖E‖ beyond which nothing is certified."""


class BallArray(NamedTuple):
    """A computed matrix and a bound on its error, of its shape or broadcasting to it."""

    value: Array
    error: Array


def certified_inverse(
    K: Array, dK: Array | None = None, X: Array | None = None, size: int = 0
) -> EntrywiseInverse | NormwiseInverse | None:
    """Return the inverse of K (n, n) if every matrix within dK is shown to be invertible, else None.

    X : an approximate inverse, if known. size : that of the matrix that K is a block of.
    """
    try:
        X = np.linalg.inv(K) if X is None else X
    except np.linalg.LinAlgError:
        return None
    largest = max(float(X.max()), -float(X.min()))
    if not largest < MAX_SPLIT:
        return None
    kind = EntrywiseInverse if max(len(K), size) <= MAX_ENTRYWISE else NormwiseInverse
    found = kind(K, X, dK)
    return found if found.defect < MAX_DEFECT else None


def accurate_residual(B: Array, A: Array, Z: Array) -> tuple[Array, Array]:
    """Return B − A·Z and a bound on its error, if few terms are added as in twice the precision."""
    return (precise_residual if A.shape[1] <= MAX_PRECISE else residual)(B, A, Z)


class EntrywiseInverse:
    """A certified inverse with entrywise bounds."""

    def __init__(self, K: Array, X: Array, dK: Array | None) -> None:
        self.K, self.X, self.dK, self.n = K, X, dK, len(K)
        self.is_precise = self.n <= MAX_PRECISE
        self._find_defect()
        if self.is_precise and 1e-8 < self.defect < MAX_DEFECT:
            self.X = self.X + self.X @ self.G
            self._find_defect()
        self.inverse_norm = norm(self.X) / (1 - self.defect) * (1 + 8 * U) if self.defect < 1 else np.inf
        """An upper bound of ‖K⁻¹‖₂."""

    def _find_defect(self) -> None:
        identity = np.eye(self.n)
        self.G, self.dG = accurate_residual(identity, self.K, self.X)
        self.magnitude = np.abs(self.X)
        E = np.abs(self.G) + self.dG
        if self.dK is not None:
            E = E + bound_product(self.dK, self.magnitude)
        self.E = E * (1 + 4 * U)
        self.row_sums = enlarged(self.E.sum(axis=1), self.n)
        self.column_sums = enlarged(self.E.sum(axis=0), self.n)
        self.defect = float(max(self.row_sums.max(), self.column_sums.max()))
        """An upper bound of ‖G‖ in the 1-, 2- and ∞-norm."""

    def solve(self, B: Array | None = None, dB: Array | None = None) -> BallArray:
        """Return K⁻¹·B, or K⁻¹ for None."""
        if B is None:
            B, Z, R, dR = np.eye(self.n), self.X, self.G, self.dG
        else:
            Z = self.X @ B
            R, dR = accurate_residual(B, self.K, Z)
        if not self.is_precise:
            return BallArray(Z, self._spread(self._spoiled(np.abs(R) + dR, Z, dB)))
        best = self._refined(Z, R, self._spoiled(dR, Z, dB))
        for _ in range(MAX_REFINEMENTS):
            R, dR = accurate_residual(B, self.K, best.value)
            following = self._refined(best.value, R, self._spoiled(dR, best.value, dB))
            if not following.error.max() < 0.9 * best.error.max():
                break
            best = following
        return best

    def solve_transposed(self, g: Array, dg: Array | None = None) -> BallArray:
        """Return g·K⁻¹."""
        W = g @ self.X
        best: BallArray | None = None
        for _ in range(1 + MAX_REFINEMENTS):
            r, dr = (part.T for part in accurate_residual(g.T, self.K.T, W.T))
            if self.dK is not None:
                dr = dr + bound_product(np.abs(W), self.dK)
            if dg is not None:
                dr = dr + dg
            step = r @ self.X
            W = W + step
            size = np.abs(r)
            total = bound_product(size + dr, self.magnitude)
            tail = bound_product(total, self.E) + total.max(axis=1, keepdims=True) * self._tail(self.column_sums, 0)
            error = bound_product(dr, self.magnitude) + tail + gamma(self.n) * bound_product(size, self.magnitude)
            error = (error + _last_rounding(W) * (step != 0)) * (1 + 16 * U)
            if best is not None and not error.max() < 0.9 * best.error.max():
                break
            best = BallArray(W, error)
        assert best is not None
        return best

    def _spoiled(self, D: Array, Z: Array, dB: Array | None) -> Array:
        """Return a bound on a residual's error that includes the errors of K and B."""
        if self.dK is not None:
            D = D + bound_product(self.dK, np.abs(Z))
        if dB is not None:
            D = D + dB
        return D * (1 + 4 * U)

    def _spread(self, D: Array) -> Array:
        """Return |X|·(D + E·D + E²·D + …), where E·D + … ≤ (E·1)·max D/(1 − ‖E‖)."""
        reach = np.outer(self.row_sums, D.max(axis=0)) / (1 - self.defect)
        return bound_product(self.magnitude, D + reach) * (1 + 8 * U)

    def _refined(self, Z: Array, R: Array, dR: Array) -> BallArray:
        """Return Z + X·R and a bound on its error: X·(δR + G·(R + δR) + G²·…), |δR| ≤ dR, and rounding."""
        step = self.X @ R
        better = Z + step
        total = (np.abs(R) + dR) * (1 + 4 * U)
        tail = bound_product(self.E, total) + np.outer(self._tail(self.row_sums, 1), total.max(axis=0))
        error = bound_product(self.magnitude, dR + tail + gamma(self.n) * np.abs(R))
        return BallArray(better, (error + _last_rounding(better) * (step != 0)) * (1 + 16 * U))

    def _tail(self, sums: Array, axis: int) -> Array:
        """Return E²·1/(1 − ‖E‖), or 1·E² for axis 0."""
        twice = self.E @ sums if axis else sums @ self.E
        return enlarged(twice, self.n) / (1 - self.defect) * (1 + 8 * U)


def _last_rounding(rounded: Array) -> Array:
    """Return half a unit in the last place."""
    half: Array = np.spacing(np.abs(rounded)) / 2
    return half


class NormwiseInverse:
    """A certified inverse with bounds on the 2-norms of rows and columns, at the cost of one matrix product."""

    def __init__(self, K: Array, X: Array, dK: Array | None) -> None:
        self.K, self.X, self.n = K, X, len(K)
        self.X_rows, self.X_columns, self.X_norm = norms(X, 1), norms(X, 0), norm(X)
        self.K_norm = norm(K)
        self.dK_norm = 0.0 if dK is None else norm(dK)
        G = blocked_residual(np.eye(self.n), K, X)
        self.largest_residual = max(float(G.max()), -float(G.min()))
        self.D = self._defects(norms(G, 0), 1.0, self.X_columns)
        """(n,): bounds of the columns of I − K·X."""
        self.defect = float(np.sqrt((self.D**2).sum())) * (1 + (self.n + 8) * U)
        self.inverse_norm = self.X_norm / (1 - self.defect) * (1 + 8 * U) if self.defect < 1 else np.inf

    def _defects(self, residuals: Array, right: Array | float, solution: Array, dB: Array | float = 0.0) -> Array:
        """Return the norms of the columns of a true residual, from those of the computed one, of B and of Z."""
        rounding = blocked_gamma(self.n) * (self.K_norm * solution + right)
        return (residuals + rounding + self.dK_norm * solution + dB) * (1 + 16 * U) + SMALLEST

    def solve(self, B: Array | None = None, dB: Array | None = None) -> BallArray:
        """Return K⁻¹·B, or K⁻¹ for None."""
        rows = self.X_rows[:, None] * ((1 + 16 * U) / (1 - self.defect))
        if B is None:
            return BallArray(self.X, rows * self.D.max())
        Z = self.X @ B
        D = self._defects(
            norms(blocked_residual(B, self.K, Z), 0), norms(B, 0), norms(Z, 0), 0.0 if dB is None else norms(dB, 0)
        )
        return BallArray(Z, rows * D)

    def solve_transposed(self, g: Array, dg: Array | None = None) -> BallArray:
        """Return g·K⁻¹."""
        W = g @ self.X
        W = W + (g - W @ self.K) @ self.X
        D = self._defects(
            norms(blocked_residual(g.T, self.K.T, W.T), 0),
            norms(g, 1),
            norms(W, 1),
            0.0 if dg is None else norms(dg, 1),
        )
        columns = self.X_columns + self.X_norm * self.defect / (1 - self.defect)
        return BallArray(W, np.outer(D, columns) * (1 + 16 * U))

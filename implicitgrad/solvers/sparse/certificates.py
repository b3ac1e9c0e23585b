"""Bounds on M⁻¹ for a sparse M, which turn a bound on a residual into one on the error of a solution.

The comparison matrix ⟨M⟩ has |mᵢᵢ| on its diagonal and −|mᵢⱼ| beside it. If ⟨M⟩·v > 0 for some v > 0, M is an H-matrix,
and |M⁻¹| ≤ ⟨M⟩⁻¹ entry by entry (Ostrowski 1937). Then |M⁻¹|·r ≤ v·max(rᵢ/wᵢ) for r ≥ 0 and 0 < w ≤ ⟨M⟩·v (Rump 2010,
*Verification methods*, Acta Numerica 19, §10.8). How v was found does not matter: w is computed with its rounding
errors bounded, and stands for every M within the bounds of its entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from scipy import sparse

from implicitgrad.solvers.floating.error_free import SMALLEST, U, enlarged
from implicitgrad.solvers.sparse.factorization import Compressed, Factored, decomposed

if TYPE_CHECKING:
    from collections.abc import Callable

    from implicitgrad.numbers.ball import Array

MAX_ITERATIONS = 20
MAX_WORK = 2 * 10**9
"""Multiplications that a bound by the columns of the inverse may take, about 2 s."""
BLOCK = 64
"""Columns of the inverse that are computed together."""


class Certificate(Protocol):
    """A bound on M⁻¹."""

    @property
    def norm(self) -> float:
        """Return a bound on ‖M⁻¹‖_∞."""

    def bound(self, r: Array) -> Array:
        """Return a bound on |M⁻¹|·r for r ≥ 0, (n, K)."""


class ComparisonMatrix(NamedTuple):
    """⟨M⟩, rounded down for every M within its bounds."""

    diagonal: Array
    beside: Compressed
    """The magnitudes beside the diagonal, with the bounds added; also on the diagonal, where they lower it."""
    width: int

    def times(self, v: Array) -> Array:
        """Return a lower bound of ⟨M⟩·v for v ≥ 0; it is negative where nothing positive can be shown."""
        w = self.diagonal * v * (1 - 2 * U) - enlarged(self.beside @ v, self.width)
        found: Array = np.where(w > 0, w * (1 - 4 * U), w * (1 + 4 * U)) - SMALLEST
        return found


class DominanceCertificate(NamedTuple):
    """v > 0 with ⟨M⟩·v ≥ w > 0."""

    comparison: ComparisonMatrix
    v: Array
    w: Array
    solve: Callable[[Array], Array] | None
    """Solves ⟨M⟩·v = r approximately, if there is a decomposition for it."""

    @property
    def norm(self) -> float:
        """Return a bound on ‖M⁻¹‖_∞."""
        return float(self.v.max() / self.w.min() * (1 + 4 * U))

    def bound(self, r: Array) -> Array:
        """Return a bound on |M⁻¹|·r: ⟨M⟩⁻¹·r, enlarged, or else a multiple of v."""
        found = np.empty_like(r)
        for k in range(r.shape[1]):
            found[:, k] = _multiple(self.v, self.w, r[:, k])
            if self.solve is not None:
                v = self.solve(r[:, k])
                w = self.comparison.times(v)
                if _is_positive(v) and _is_positive(w):
                    found[:, k] = np.minimum(found[:, k], _multiple(v, w, r[:, k]))
        return found


class InverseCertificate(NamedTuple):
    """The sums of the rows of |Z|, Z ≈ M⁻¹, and ρ < 1 with ‖I − M·Z‖_∞ ≤ ρ."""

    sums: Array
    rho: float

    @property
    def norm(self) -> float:
        """Return a bound on ‖M⁻¹‖_∞."""
        return float(self.sums.max() / (1 - self.rho) * (1 + 8 * U))

    def bound(self, r: Array) -> Array:
        """Return a bound on |M⁻¹·r|: M⁻¹ = Z·(M·Z)⁻¹, and ‖(M·Z)⁻¹‖_∞ ≤ 1/(1 − ρ)."""
        found: Array = self.sums[:, None] * (r.max(axis=0) / (1 - self.rho) * (1 + 8 * U))
        return found


def find_certificate(M: Factored) -> Certificate | None:
    """Return a bound on M⁻¹; None if none is found in a time comparable to that of the decomposition."""
    return _by_dominance(M) or _by_inverse(M)


def _by_dominance(M: Factored) -> DominanceCertificate | None:
    """Look for v where M is an H-matrix, by one solve; None if it is none."""
    comparison = _comparison(M)
    if not (comparison.diagonal > 0).all():
        return None
    solve = _solver_by_signs(M)
    if solve is None:
        v = _by_iteration(comparison)
        if v is not None and v.size:
            return DominanceCertificate(comparison, v, comparison.times(v), None)
        if v is not None:
            return None
        try:
            lu = decomposed((sparse.diags_array(comparison.diagonal) - comparison.beside).tocsc())
        except RuntimeError:
            return None
        solve = lu.solve
    v = solve(np.ones(len(comparison.diagonal)))
    w = comparison.times(v)
    return DominanceCertificate(comparison, v, w, solve) if _is_positive(v) and _is_positive(w) else None


def _comparison(M: Factored) -> ComparisonMatrix:
    diagonal = M.magnitude.diagonal()
    beside = M.magnitude - sparse.diags_array(diagonal, format=M.magnitude.format)
    if M.error is not None:
        beside = beside + M.error
    return ComparisonMatrix(diagonal, beside * (1 + 2 * U), M.width + 1)


def _solver_by_signs(M: Factored) -> Callable[[Array], Array] | None:
    """Return a solver of ⟨M⟩·v = r by that of M, if S·M or M·S is ⟨M⟩ with the signs S of the diagonal; else None."""
    signs = np.sign(M.value.diagonal())
    entries = M.value.tocoo()
    is_beside = entries.row != entries.col
    rows, columns, data = entries.row[is_beside], entries.col[is_beside], entries.data[is_beside]
    if not (data * signs[rows] > 0).any():
        return lambda r: M.solve(signs * r)
    if not (data * signs[columns] > 0).any():
        return lambda r: signs * M.solve(r)
    return None


def _by_iteration(comparison: ComparisonMatrix) -> Array | None:
    """Iterate v ← v + |D⁻¹·E|·v, E beside the diagonal D, which tends to the Perron vector.

    Return v with ⟨M⟩·v > 0; an empty array if ⟨M⟩·v ≤ 0 for some v > 0, and there is none; None if undecided.
    """
    v = np.ones(len(comparison.diagonal))
    for _ in range(MAX_ITERATIONS):
        if _is_positive(comparison.times(v)):
            return v
        moved = (comparison.beside @ v) / comparison.diagonal
        if (moved >= v * (1 + 1e-9)).all():
            return v[:0]
        v = v + moved
        v = v / v.max()
    return None


def _by_inverse(M: Factored) -> InverseCertificate | None:
    """Compute the columns of an approximate inverse, a block at a time, if that is affordable."""
    n = M.value.shape[0]
    if n * (M.lu.nnz + M.value.nnz) > MAX_WORK:
        return None
    sums, rests = np.zeros(n), np.zeros(n)
    for start in range(0, n, BLOCK):
        columns = np.arange(start, min(start + BLOCK, n))
        unit = np.zeros((n, len(columns)))
        unit[columns, columns - start] = 1.0
        Z = M.solve(unit)
        rests += M.residual(unit, 0.0, Z)[1].sum(axis=1)
        sums += np.abs(Z).sum(axis=1)
    rho = float(enlarged(rests, n + BLOCK).max())
    return InverseCertificate(enlarged(sums, n + BLOCK), rho) if rho < 1 else None


def _multiple(v: Array, w: Array, r: Array) -> Array:
    """Return v·max(rᵢ/wᵢ), rounded up."""
    found: Array = v * (float((r / w).max()) * (1 + 4 * U)) * (1 + 4 * U)
    return found


def _is_positive(v: Array) -> bool:
    return bool((v > 0).all() and np.isfinite(v).all())

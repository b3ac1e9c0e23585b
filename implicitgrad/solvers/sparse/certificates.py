"""Bounds on M⁻¹ for a sparse M, which turn a bound on a residual into one on the error of a solution.

The comparison matrix ⟨M⟩ has |mᵢᵢ| on its diagonal and −|mᵢⱼ| beside it. If ⟨M⟩·v > 0 for some v > 0, M is an H-matrix,
and |M⁻¹| ≤ ⟨M⟩⁻¹ entry by entry (Ostrowski 1937). Then |M⁻¹|·r ≤ v·max(rᵢ/wᵢ) for r ≥ 0 and 0 < w ≤ ⟨M⟩·v (Rump 2010,
*Verification methods*, Acta Numerica 19, §10.8). How v was found does not matter: w is computed with its rounding
errors bounded, and stands for every M within the bounds of its entries.

A symmetric M is positive definite with λ_min ≥ α − ‖R‖ if M − α·I = L·D·Lᵀ + R with D > 0 (Rump 2006, *Verification of
positive definiteness*, BIT 46). R is bounded by the errors of Gaussian elimination, γ_k·|L|·|U| (Higham 2002, §9.3),
and by what U differs from D·Lᵀ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy import sparse

from implicitgrad.numbers.ball import Array
from implicitgrad.solvers.floating.error_free import SMALLEST, U, enlarged, gamma
from implicitgrad.solvers.sparse.factorization import Compressed, Factored, decomposed, without_pivoting

MAX_ITERATIONS = 20
MAX_WORK = 2 * 10**9
"""Multiplications that a bound by the columns of the inverse may take, about 2 s."""
PROBES = 8
SHARES = (0.5, 0.1)
"""The fractions of the estimated least eigenvalue that are tried as lower bounds."""
BLOCK = 64
"""Columns of the inverse that are computed together."""


class Certificate(Protocol):
    """A bound on M⁻¹."""

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

    def bound(self, r: Array) -> Array:
        """Return a bound on |M⁻¹·r|: M⁻¹ = Z·(M·Z)⁻¹, and ‖(M·Z)⁻¹‖_∞ ≤ 1/(1 − ρ)."""
        found: Array = self.sums[:, None] * (r.max(axis=0) / (1 - self.rho) * (1 + 8 * U))
        return found


class DefiniteCertificate(NamedTuple):
    """A lower bound of σ_min(M)."""

    sigma: float

    def bound(self, r: Array) -> Array:
        """Return ‖r‖₂/σ_min, which bounds each entry of |M⁻¹·r|."""
        largest = r.max(axis=0, initial=0.0) + SMALLEST
        norms = largest * np.sqrt(enlarged(((r / largest) ** 2).sum(axis=0), len(r))) * (1 + 16 * U)
        return np.broadcast_to(norms / self.sigma * (1 + 4 * U), r.shape)


def find_certificate(M: Factored) -> Certificate | None:
    """Return a bound on M⁻¹; None if none is found in a time comparable to that of the decomposition."""
    return _by_dominance(M) or _by_inverse(M) or _by_definiteness(M)


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


def _by_definiteness(M: Factored) -> DefiniteCertificate | None:
    """Decompose a symmetric M less a share of its estimated least eigenvalue; None if that proves nothing."""
    if not (_has_positive_pivots(M.lu) and (M.value != M.value.T).nnz == 0):
        return None
    n = M.value.shape[0]
    v, least = np.random.default_rng(0).standard_normal(n), 0.0
    for _ in range(PROBES):
        w = M.solve(v)
        size = float(np.linalg.norm(w))
        least, v = float(np.linalg.norm(v)) / size, w / size
    for share in SHARES:
        sigma = _least_eigenvalue(M, share * least)
        if sigma > 0:
            return DefiniteCertificate(sigma)
    return None


def _has_positive_pivots(lu: Any) -> bool:  # noqa: ANN401 (SuperLU's type has no public name)
    """Return whether all pivots were taken from the diagonal and are positive."""
    return np.array_equal(lu.perm_r, lu.perm_c) and bool((lu.U.diagonal() > 0).all())


def _least_eigenvalue(M: Factored, shift: float) -> float:
    """Return a lower bound of the least eigenvalue of a symmetric M near ``shift``; 0 if none is proved."""
    S = (M.value - shift * sparse.eye_array(M.value.shape[0], format="csc")).tocsc()
    try:
        lu = without_pivoting(S)
    except RuntimeError:
        return 0.0
    if not _has_positive_pivots(lu):
        return 0.0
    L, U_factor = lu.L, lu.U
    D = U_factor.diagonal()
    scaled = (L @ sparse.diags_array(D)).T.tocsc()  # D·Lᵀ, each entry rounded once
    apart = abs(U_factor - scaled) + 4 * U * abs(scaled)
    ones, width = np.ones(len(D)), int(max(np.bincount(L.indices).max(), np.bincount(U_factor.indices).max()))
    sizes = gamma(width + 1) * enlarged(abs(U_factor) @ ones, width) + enlarged(apart @ ones, width)
    rest = float(enlarged(abs(L) @ sizes, width).max()) * (1 + 16 * U) + 2 * U * float(np.abs(S.diagonal()).max())
    if M.error is not None:
        rest += float(max(enlarged(M.error.sum(axis=axis), M.width).max() for axis in (0, 1)))
    return (shift - rest * (1 + 8 * U) - SMALLEST) * (1 - 4 * U)


def _multiple(v: Array, w: Array, r: Array) -> Array:
    """Return v·max(rᵢ/wᵢ), rounded up."""
    found: Array = v * (float((r / w).max()) * (1 + 4 * U)) * (1 + 4 * U)
    return found


def _is_positive(v: Array) -> bool:
    return bool((v > 0).all() and np.isfinite(v).all())

"""A sparse square matrix with its LU decomposition, and residuals with bounds.

The decomposition is SuperLU's (Demmel et al. 1999). Bounds come from the residual of what it computes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from implicitgrad.numbers.ball import Array
from implicitgrad.solvers.floating.error_free import SMALLEST, U, enlarged, gamma

PIVOT_SHARE = 0.1
"""The least size of an entry on the diagonal, relative to the largest of its column, that may be a pivot unseen."""
MAX_BACKWARD_ERROR = 1e-12
Compressed = Any
"""A csc_array or csr_array."""


class Factored(NamedTuple):
    """A matrix M, known up to a bound on the error of each entry, and the means to solve M·u = g."""

    value: Compressed
    magnitude: Compressed
    error: Compressed | None
    """None if the entries are exact."""
    width: int
    """The most nonzero entries of a row or column."""
    lu: Any
    is_transposed: bool = False
    """Whether the decomposition is that of Mᵀ."""

    def transposed(self) -> Factored:
        """Return Mᵀ with the same decomposition."""
        error = None if self.error is None else self.error.T
        return self._replace(
            value=self.value.T, magnitude=self.magnitude.T, error=error, is_transposed=not self.is_transposed
        )

    def solve(self, g: Array) -> Array:
        """Return an approximate solution of M·u = g, g (n,) or (n, K)."""
        found: Array = self.lu.solve(g, trans="T" if self.is_transposed else "N")
        return found

    def residual(self, g: Array, dg: Array | float, u: Array) -> tuple[Array, Array]:
        """Return g − M·u in doubles, and a bound on the magnitude of the true residual, for all g within dg.

        The error of a sum of k products is at most γ_k times the sum of their magnitudes (Higham 2002, §3.1).
        """
        found = g - self.value @ u
        sizes = enlarged(self.magnitude @ np.abs(u), self.width) + np.abs(g)
        bound = np.abs(found) + gamma(self.width + 2) * sizes + dg
        if self.error is not None:
            bound = bound + enlarged(self.error @ np.abs(u), self.width)
        return found, bound * (1 + 16 * U) + SMALLEST


def factored(value: Compressed, error: Compressed | None) -> Factored:
    """Decompose a square matrix, a csc_array. Raise RuntimeError if a pivot is 0."""
    magnitude = sparse.csc_array((np.abs(value.data), value.indices, value.indptr), shape=value.shape)
    widths = np.diff(value.indptr), np.bincount(value.indices, minlength=value.shape[0])
    return Factored(value, magnitude, error, int(max(width.max() for width in widths)), decomposed(value))


def decomposed(matrix: Compressed) -> Any:  # noqa: ANN401 (SuperLU's type has no public name)
    """Return the LU decomposition, in an order of the columns that suits the pattern.

    Where the pattern is symmetric and the diagonal not small, minimum degree on Aᵀ+A has half as many entries as COLAMD
    (Davis 2006, ch. 7), if the pivots stay on the diagonal and supernodes are not relaxed by entries that are 0.
    H-matrices allow that; whether others do is tried.
    """
    if _has_symmetric_pattern(matrix):
        try:
            lu = without_pivoting(matrix)
        except RuntimeError:  # a pivot is 0
            return splu(matrix)
        if _is_stable(matrix, lu):
            return lu
        del lu
    return splu(matrix)


def without_pivoting(matrix: Compressed) -> Any:  # noqa: ANN401
    """Return the decomposition with its pivots on the diagonal. Raise RuntimeError if one is 0."""
    mode = {"SymmetricMode": True}
    return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, relax=1, options=mode)


def _has_symmetric_pattern(matrix: Compressed) -> bool:
    """Return whether the pattern is symmetric, and the diagonal not small beside the largest entry of its column."""
    other = matrix.tocsr()
    if not (np.array_equal(other.indptr, matrix.indptr) and np.array_equal(other.indices, matrix.indices)):
        return False
    largest = np.maximum.reduceat(np.abs(matrix.data), matrix.indptr[:-1])
    return bool((np.abs(matrix.diagonal()) >= PIVOT_SHARE * largest).all())


def _is_stable(matrix: Compressed, lu: Any) -> bool:  # noqa: ANN401
    """Return whether the solution of one system has a small residual."""
    g = matrix @ np.ones(matrix.shape[0])
    found = lu.solve(g)
    sizes = np.abs(matrix) @ np.abs(found) + np.abs(g)
    return bool((np.abs(matrix @ found - g) <= MAX_BACKWARD_ERROR * sizes.max()).all())

"""Find the basis of A: r rows I and r columns p with K = A[I, p] invertible.

The rank is the number of singular values beyond the cutoff. If the inverse of K shows that all of them are, the rank is
known without computing them, and results computed with that inverse are certified. A deficient rank is decided by the
cutoff alone, and nothing is certified.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from implicitgrad.numbers.ball import Array
from implicitgrad.solvers.floating.column_selection import choose_columns
from implicitgrad.solvers.floating.error_free import U, norm
from implicitgrad.solvers.floating.inverse import EntrywiseInverse, NormwiseInverse, certified_inverse
from implicitgrad.text.characters import count

CertifiedInverse = EntrywiseInverse | NormwiseInverse
EPS = 2 * U
SVD_ERROR = 8
"""A factor of max(M, N)·eps·σ_max that exceeds the errors of LAPACK's singular values."""


MAX_FEW_NUMBERS = 50_000
"""The nonzero entries of A up to which it may come from a text of 100 kB, whose author does not expect minutes."""
MAX_SVD_OF_FEW = 4_000_000_000
"""M·N·min(M, N) of the largest matrix of few numbers that is decomposed unasked: about 9 s."""
MAX_ANSWER_OF_FEW = 12_000_000
"""Entries of the largest null space or Jacobian of such a matrix, if it is wide: about 500 MiB."""


class TooMuchWork(Exception):
    """A matrix of few numbers takes longer, or more memory, than whoever wrote it may expect."""


class SingularInverse:
    """The inverse of K from the singular values and vectors of A beyond the cutoff, A = U·Σ·Vᵀ; not certified."""

    def __init__(self, left: Array, sigma: Array, right: Array, rows: list[int], columns: list[int]) -> None:
        self.left, self.sigma, self.right = left, sigma, right
        """(M, r), (r,) and (r, N)."""
        self.left_inverse = np.linalg.inv(left[rows])
        self.right_inverse = np.linalg.inv(right[:, columns])
        self.inverse_norm = 1 / float(sigma[-1]) if len(sigma) else 0.0

    @property
    def X(self) -> Array:
        """Return K⁻¹."""
        inverse: Array = (self.right_inverse / self.sigma) @ self.left_inverse
        return inverse


AnyInverse = CertifiedInverse | SingularInverse


class Basis(NamedTuple):
    """The basis rows and columns of A, and the inverse of the block in both."""

    rank: int
    tolerance: float
    """The cutoff on the singular values of the scaled A."""
    rows: list[int]
    other_rows: list[int]
    columns: list[int]
    free: list[int]
    inverse: AnyInverse
    is_certain: bool
    """Whether the rank is proved to be full."""


def cutoff(A: Array, rtol: float | None) -> float:
    """Return an upper bound of the cutoff on the singular values of A, using ‖A‖_F ≥ σ_max."""
    relative = max(A.shape) * EPS if rtol is None else rtol
    return relative * norm(A)


def slack(A: Array) -> float:
    """Return the distance from the cutoff at which a computed singular value decides the true one."""
    return norm(A) * SVD_ERROR * EPS * int(max(A.shape))


def find_basis(A: Array, dA: Array | None, rtol: float | None, wanted: frozenset[int]) -> Basis:
    """Return the basis of a scaled A, with ``wanted`` columns only where they are needed.

    Raise TooMuchWork for a large A of few numbers, unless the rank is asked for by rtol.
    """
    M, N = A.shape
    has_few_numbers = rtol is None and np.count_nonzero(A) <= MAX_FEW_NUMBERS
    has_much_work = M * N * min(M, N) > MAX_SVD_OF_FEW
    if has_few_numbers and M != N and (has_much_work or N**2 > MAX_ANSWER_OF_FEW):
        found = f"got {count(M, 'equation')} in {count(N, 'unknown')}"
        raise TooMuchWork(f"expected so many unknowns as equations in a system of this size, {found}")
    if A.any():
        full = _full_rank_basis(A, dA, cutoff(A, rtol), wanted)
        if full is not None:
            return full
    if has_few_numbers and has_much_work:
        message = (
            f"expected independent equations, so many as there are, got {M} in {count(N, 'unknown')} whose rank is in"
        )
        raise TooMuchWork(f"{message} doubt; their singular values, which would tell, take more than 10 s")
    return _basis_by_svd(A, dA, max(A.shape) * EPS if rtol is None else rtol, wanted)


def _full_rank_basis(A: Array, dA: Array | None, tolerance: float, wanted: frozenset[int]) -> Basis | None:
    """Return the basis if its own inverse shows that every singular value exceeds the cutoff, else None."""
    M, N = A.shape
    rows, columns = list(range(M)), list(range(N))
    X = None
    if M > N:
        rows, X = choose_columns(A.T, rows)
    elif N > M:
        columns, X = choose_columns(A, _preference(N, wanted), wanted)
    inverse = certified_inverse(*picked(A, dA, rows, columns), X if X is None or N > M else X.T, max(M, N))
    if inverse is None:
        return None
    if not inverse.inverse_norm * (tolerance + slack(A)) < 1:
        return None
    return _basis(A, rows, columns, tolerance, inverse, is_certain=True)


def _basis_by_svd(A: Array, dA: Array | None, relative: float, wanted: frozenset[int]) -> Basis:
    M, N = A.shape
    left, sigma, right = _svd(A)
    tolerance = relative * float(sigma[0]) if len(sigma) else 0.0
    rank = int((sigma > tolerance).sum())
    left, sigma, right = left[:, :rank], sigma[:rank], right[:rank]
    rows = choose_columns(left.T, list(range(M))).columns
    columns = choose_columns(right, _preference(N, wanted), wanted).columns
    inverse: AnyInverse | None = None
    if rank == min(M, N):
        inverse = certified_inverse(*picked(A, dA, rows, columns), size=max(M, N))
    is_certain = inverse is not None or (not A.any() and dA is None)
    inverse = inverse or SingularInverse(left, sigma, right, rows, columns)
    return _basis(A, rows, columns, tolerance, inverse, is_certain=is_certain)


def _svd(A: Array) -> tuple[Array, Array, Array]:
    """Return the singular values and vectors, computed without zero rows and columns."""
    M, N = A.shape
    rows, columns = np.flatnonzero(A.any(axis=1)), np.flatnonzero(A.any(axis=0))
    if len(rows) == M and len(columns) == N:
        return np.linalg.svd(A, full_matrices=False)
    found, sigma, of_columns = np.linalg.svd(A[np.ix_(rows, columns)], full_matrices=False)
    left, right = np.zeros((M, len(sigma))), np.zeros((len(sigma), N))
    left[rows], right[:, columns] = found, of_columns
    return left, sigma, right


def _basis(
    A: Array,
    rows: list[int],
    columns: list[int],
    tolerance: float,
    inverse: CertifiedInverse | SingularInverse,
    *,
    is_certain: bool,
) -> Basis:
    M, N = A.shape
    taken, chosen = set(rows), set(columns)
    other_rows = [i for i in range(M) if i not in taken]
    free = [j for j in range(N) if j not in chosen]
    return Basis(len(rows), tolerance, rows, other_rows, columns, free, inverse, is_certain)


def _preference(N: int, wanted: frozenset[int]) -> list[int]:
    """Order the unknowns from the last to the first, those in ``wanted`` after all others."""
    return sorted(range(N), key=lambda j: (j in wanted, -j))


def picked(A: Array, dA: Array | None, rows: list[int], columns: list[int]) -> tuple[Array, Array | None]:
    """Return A[rows, columns], and the same of its error bounds."""
    if len(rows) == len(A) and len(columns) == len(A[0]):
        return A, dA
    at = np.ix_(rows, columns)
    return A[at], None if dA is None else dA[at]

"""Solve every case in doubles, with LAPACK and certified bounds: scale, find a basis, substitute, scale back."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial

import numpy as np

from implicitgrad.model.conditioning import ILL_CONDITIONED
from implicitgrad.model.conversion import answer_beyond_doubles, in_arithmetic
from implicitgrad.model.solution import Found, Solution, assemble
from implicitgrad.model.system import Arithmetic, LinearSystem, Matrix
from implicitgrad.numbers.ball import Array, BallMatrix
from implicitgrad.numbers.matrix import RowMatrix
from implicitgrad.solvers.floating.adjoint import Adjoint
from implicitgrad.solvers.floating.back_substitution import CLEARLY_SMALL, Answers, find_answers, times
from implicitgrad.solvers.floating.basis import EPS, SingularInverse, TooMuchWork, cutoff, find_basis, slack
from implicitgrad.solvers.floating.equilibration import (
    Scaled,
    beside_others,
    column_exponents,
    equilibration,
    scaled_gradients,
    shifted,
    shifted_pair,
    sums,
    unscaled,
)
from implicitgrad.solvers.floating.error_free import norm
from implicitgrad.solvers.floating.inverse import MAX_PRECISE, BallArray, NormwiseInverse
from implicitgrad.solvers.floating.minimum_norm import least_solution, minimum_norm
from implicitgrad.solvers.floating.structural_zeros import pattern
from implicitgrad.solvers.floating.truncated_svd import find_uncertified
from implicitgrad.solvers.free_unknowns import impossible_choice, indices
from implicitgrad.solvers.memory_limit import refuse_too_large
from implicitgrad.text.characters import count
from implicitgrad.text.errors import InputError, Problem

Remark = tuple[str, str]
MAX_UNSCALED = 200
"""The largest exponent up to which norms are computed without scaling."""
MAX_ENTRIES = 100_000_000


def solve_float(
    system: LinearSystem, free: Sequence[str] = (), rtol: float | None = None, *, gradient_alone: bool = False
) -> Solution:
    """Solve ``system`` in doubles.

    free : as in exact arithmetic. rtol : the cutoff on the singular values of the scaled A relative to the largest,
    max(M, N)·2⁻⁵² by default. gradient_alone : leave out ∂y/∂x; if A is invertible, neither its inverse nor its
    condition is computed. Raises InputError for numbers beyond the range of doubles, and UsageError for an
    impossible choice of free unknowns.
    """
    refuse_too_large(system, MAX_ENTRIES)
    wanted = indices(system, free)
    try:
        system = in_arithmetic(system, Arithmetic.FLOAT)
        with np.errstate(all="ignore"):  # overflow is found in the results
            found = _gradient_of_invertible(system, rtol) if gradient_alone and not wanted else None
            return found or _Solving(system, wanted, free, rtol).solution()._replace(is_gradient_alone=gradient_alone)
    except TooMuchWork as error:
        hint = f"--rtol {max(system.equations, system.unknowns) * EPS:.0e} computes it, however long it takes"
        raise InputError([Problem(str(error), hint, "too-large", system.source)]) from None
    except OverflowError:
        raise answer_beyond_doubles(system) from None


class _Solving:
    """The state of solving one system."""

    def __init__(self, system: LinearSystem, wanted: set[int], free: Sequence[str], rtol: float | None) -> None:
        self.system = system
        self.A = _doubles(system.A)
        self.B, self.g = (None if matrix is None else _doubles(matrix) for matrix in (system.B, system.dL_dy))
        self.scaled = _scaled(self.A, self.B)
        self.basis = find_basis(self.scaled.A, self.scaled.dA, rtol, frozenset(wanted))
        self.losses = np.zeros(0, dtype=np.int64)
        self.answers = self._answers()
        if not wanted <= set(self.basis.free):
            raise impossible_choice(system, free, BallMatrix(self._null_space(self._of_free()).value))

    def _answers(self) -> Answers:
        g = dg = None
        if self.g is not None:
            self.losses, g, dg = scaled_gradients(self.g, self.scaled.columns)
        inverse = self.basis.inverse
        if isinstance(inverse, SingularInverse):
            return find_uncertified(self.scaled, self.basis, inverse, g, dg)
        return find_answers(self.scaled, self.basis, inverse, g, dg)

    def solution(self) -> Solution:
        system, basis, answers = self.system, self.basis, self.answers
        independent, dependent = answers.independent, answers.dependent
        inputs = self.scaled.inputs[independent]
        exponents = sums(self.scaled.columns[basis.columns], inputs)
        pivots, of_free = unscaled(answers.pivots, exponents), self._of_free()
        particular, null_space = self._with_zeros(pivots), self._null_space(of_free)
        minimum_norm = self._minimum_norm(pivots, of_free) if basis.free else particular
        constraints = None
        if dependent:
            constraints = unscaled(answers.constraints, sums(-self.scaled.inputs[dependent], inputs))
        matrix = partial(_matrix, is_certain=answers.is_certain)
        gradients = None
        if answers.dL_dx is not None and answers.coefficients is not None:
            dL_dx = unscaled(answers.dL_dx, sums(self.losses, inputs))
            coefficients = unscaled(answers.coefficients, sums(self.losses, -self.scaled.columns[basis.free]))
            gradients = matrix(dL_dx), matrix(coefficients)
        condition = self._condition(minimum_norm, of_free)
        C = None if constraints is None else matrix(constraints)
        return assemble(
            system,
            Found(basis.free, independent, dependent, matrix(particular), matrix(null_space), C),
            matrix(minimum_norm),
            gradients,
            condition_squared=None if condition is None else Fraction(condition) ** 2,
            rank_tolerance=basis.tolerance,
            residual=self._residual(particular, constraints),
            remarks=tuple(self._remarks(answers.is_certain)),
        )

    def _with_zeros(self, pivots: BallArray) -> BallArray:
        """Complete the rows of the pivot unknowns by rows of zeros for the free ones."""
        if not self.basis.free:
            return pivots
        return BallArray(self._expanded(pivots.value), self._expanded(pivots.error))

    def _expanded(self, rows: Array) -> Array:
        expanded = np.zeros((self.system.unknowns, rows.shape[1]))
        expanded[self.basis.columns] = rows
        return expanded

    def _of_free(self) -> BallArray:
        """Return the pivot unknowns in terms of the free ones (r, F), in the units of the system."""
        columns = self.scaled.columns
        return unscaled(self.answers.null_space, sums(columns[self.basis.columns], -columns[self.basis.free]))

    def _null_space(self, of_free: BallArray) -> BallArray:
        """Return the null space (N, F)."""
        found = self._with_zeros(of_free)
        found.value[self.basis.free, range(len(self.basis.free))] = 1.0
        return found

    def _minimum_norm(self, pivots: BallArray, of_free: BallArray) -> BallArray:
        """Return the minimum-norm Jacobian (N, P′). Raises OverflowError."""
        least = minimum_norm(pivots, of_free)
        found = self._expanded(least.pivots)
        found[self.basis.free] = least.free
        if not np.isfinite(found).all():
            raise OverflowError
        return BallArray(found, np.broadcast_to(least.error, found.shape))

    def _condition(self, minimum_norm: BallArray, of_free: BallArray) -> float | None:
        """Return ‖A‖_F·‖A⁺‖_F of the unscaled A; None for A = 0, and if it overflows doubles.

        A⁺ is the minimum-norm Jacobian if every x is possible and B = I. Otherwise A⁺ = G⁺·F⁺ with A = F·G,
        F = A[:, p] and G = A[I, p]⁻¹·A[I, :].
        """
        basis, A = self.basis, self.A.array
        if not basis.rank:
            return None
        size = int(column_exponents(A).max())
        size = size if abs(size) > MAX_UNSCALED else 0
        A = shifted(A, np.array(-size))
        if basis.rank == len(A) and self.B is None:
            inverse = shifted(minimum_norm.value, np.array(size))
        else:
            if basis.rank == len(A):
                exponents = sums(self.scaled.columns[basis.columns] + size, self.scaled.rows[basis.rows])
                inverse = shifted(basis.inverse.X, exponents)
            else:
                try:
                    inverse = np.linalg.inv(np.linalg.qr(A[:, basis.columns], mode="r"))
                except np.linalg.LinAlgError:  # the condition overflows
                    return None
            if basis.free:
                least = least_solution(of_free.value, inverse)
                inverse = np.concatenate([least.pivots, least.free])
        found = _frobenius(A) * _frobenius(inverse)
        return found if np.isfinite(found) else None

    def _residual(self, particular: BallArray, constraints: BallArray | None) -> float:
        """Return the largest |A·J − B·T| of the particular Jacobian, in doubles."""
        inverse = self.basis.inverse
        is_unscaled = not (self.scaled.rows.any() or self.scaled.columns.any())
        if isinstance(inverse, NormwiseInverse) and self.B is None and is_unscaled and not self.answers.dependent:
            return inverse.largest_residual
        p = self.basis.columns
        A, J = (self.A.array, particular.value) if not self.basis.free else (self.A.array[:, p], particular.value[p])
        rest = A @ J
        independent, dependent = self.answers.independent, self.answers.dependent
        if self.B is None:
            rest[independent, range(len(independent))] -= 1.0
            if constraints is not None:
                rest[dependent] -= constraints.value
        else:
            rest -= self.B.array[:, independent]
            if constraints is not None:
                rest -= self.B.array[:, dependent] @ constraints.value
        found = max(float(rest.max(initial=0.0)), -float(rest.min(initial=0.0)))
        if not np.isfinite(found):
            raise OverflowError
        return found

    def _remarks(self, is_certain: bool) -> list[Remark]:
        found = []
        basis, A = self.basis, self.A.array
        if not basis.is_certain and A.any():
            values = count(basis.rank, "singular value")
            message = f"the rank was decided by a cutoff: {values} of A, scaled, beyond {basis.tolerance:.1e}"
            message += "; nothing is certified, and exact arithmetic may say otherwise"
            found.append(("rank-by-cutoff", message))
            if basis.tolerance * basis.inverse.inverse_norm > CLEARLY_SMALL:
                message = (
                    f"the least singular value that counts, {1 / basis.inverse.inverse_norm:.1e}, is near the cutoff"
                )
                message += ": another one (--rtol) may give quite other numbers"
                found.append(("no-gap", message))
        elif not is_certain:
            message = "zeros were decided by a cutoff; nothing is certified, and exact arithmetic may say otherwise"
            found.append(("zero-by-cutoff", message))
        dA = self.scaled.dA
        if dA is not None and basis.rank == min(A.shape) and norm(dA) * basis.inverse.inverse_norm >= 1:
            found.append(ILL_CONDITIONED)
        if self.scaled.rows.any() or self.scaled.columns.any():
            unscaled_rank = _rank_by_svd(A, max(A.shape) * EPS)
            if unscaled_rank != basis.rank:
                message = (
                    f"A is badly scaled: rank {basis.rank} once its rows and columns are scaled by powers of two, "
                )
                found.append(("badly-scaled", message + f"rank {unscaled_rank} as it stands"))
        return found


def _doubles(matrix: Matrix) -> BallMatrix:
    assert isinstance(matrix, BallMatrix)
    return matrix


def _scaled(A: BallMatrix, B: BallMatrix | None) -> Scaled:
    rows, columns = equilibration(A.array)
    A_hat, dA = shifted_pair(A, sums(rows, columns))
    if B is None:
        return Scaled(A_hat, dA, None, None, rows, columns, rows)
    is_empty: Array = np.logical_not(pattern(A_hat, dA).any(axis=1))
    if is_empty.any():
        rows = beside_others(B.array, rows, is_empty)
    inputs = column_exponents(B.array, rows)
    B_hat, dB = shifted_pair(B, sums(rows, -inputs))
    return Scaled(A_hat, dA, B_hat, dB, rows, columns, inputs)


def _gradient_of_invertible(system: LinearSystem, rtol: float | None) -> Solution | None:
    """Return ∂L/∂x if A is square, large and proved invertible without its inverse; else None."""
    n = system.unknowns
    if system.dL_dy is None or system.equations != n or n <= MAX_PRECISE:
        return None
    scaled = _scaled(_doubles(system.A), None if system.B is None else _doubles(system.B))
    losses, g, dg = scaled_gradients(_doubles(system.dL_dy), scaled.columns)
    try:
        adjoint = Adjoint(scaled.A, scaled.dA, g, dg)
    except np.linalg.LinAlgError:
        return None
    tolerance = cutoff(scaled.A, rtol)
    if not adjoint.inverse_norm * (tolerance + slack(scaled.A)) < 1:
        return None
    found = adjoint.solution
    if scaled.B is not None:
        found = times(found, BallArray(scaled.B, np.zeros_like(scaled.B) if scaled.dB is None else scaled.dB))
    dL_dx = _matrix(unscaled(found, sums(losses, scaled.inputs)), is_certain=True)
    nothing = RowMatrix()
    return assemble(
        system,
        Found((), range(system.inputs), (), nothing, nothing, None),
        nothing,
        (dL_dx, BallMatrix(np.zeros((len(g), 0)))),
        condition_squared=None,
        rank_tolerance=tolerance,
        is_gradient_alone=True,
    )


def _matrix(found: BallArray, is_certain: bool) -> BallMatrix:
    return BallMatrix(found.value, found.error if is_certain else None)


def _rank_by_svd(A: Array, relative: float) -> int:
    sigma = np.linalg.svd(shifted(A, -np.broadcast_to(column_exponents(A).max(), A.shape)), compute_uv=False)
    return int((sigma > relative * sigma[0]).sum())


def _frobenius(a: Array) -> float:
    plain = float(np.linalg.norm(a))
    if 1e-140 < plain < 1e140:
        return plain
    largest = float(np.abs(a).max())
    return largest * float(np.sqrt(((a / largest) ** 2).sum())) if largest and np.isfinite(largest) else largest

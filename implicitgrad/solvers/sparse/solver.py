"""Solve a sparse system: ∂L/∂x by one LU decomposition of Aᵀ, with a bound on its error where one can be proved.

Aᵀ·u = ∂L/∂y, and ∂L/∂x = Bᵀ·u. With powers of two, M = 2ᶜ·Aᵀ·2ʳ has entries near 1, M·û = 2^(c − l)·∂L/∂y, and
u = 2^(r + l)·û.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, onenormest

from implicitgrad.model.solution import Found, Solution, assemble
from implicitgrad.numbers.ball import Array, BallMatrix
from implicitgrad.numbers.matrix import BaseMatrix, RowMatrix
from implicitgrad.numbers.sparse import SparseMatrix
from implicitgrad.solvers.floating.equilibration import EVEN, lost, scaled_gradients, shifted, sums, unscaled
from implicitgrad.solvers.floating.error_free import SMALLEST, U, enlarged, gamma
from implicitgrad.solvers.floating.inverse import BallArray
from implicitgrad.solvers.sparse.certificates import Certificate, find_certificate
from implicitgrad.solvers.sparse.factorization import Factored, factored
from implicitgrad.solvers.sparse.structure import MAX_NAMES, listed, refuse_deficient
from implicitgrad.text.characters import count, printable
from implicitgrad.text.errors import InputError, Problem

if TYPE_CHECKING:
    from implicitgrad.model.selection import Selection
    from implicitgrad.model.system import LinearSystem
    from implicitgrad.solvers.floating.equilibration import Exponents
    from implicitgrad.solvers.sparse.factorization import Compressed

SINGULAR = 2.0**51
"""A condition number beyond which doubles cannot tell A from a singular matrix."""
NOT_CERTIFIED = "nothing is certified, for no bound on the inverse of A was found; its condition is about"
RESIDUAL = ", and |∂L/∂y − Aᵀ·u|"
SWEEPS = 10
SHARE = 0.5
"""Entries of a null vector that are counted: those of at least this share of the largest."""


class ScaledAdjoint(NamedTuple):
    """M = 2ᶜ·Aᵀ·2ʳ with its decomposition."""

    M: Factored
    rows: Exponents
    """r, for each equation."""
    columns: Exponents
    """c, for each unknown."""


class Reach(NamedTuple):
    """What is known of the size of M⁻¹."""

    certificate: Certificate | None
    norm: float
    """An estimate of ‖M⁻¹‖_∞; 0 if there is a certificate."""

    def bound(self, residual: Array) -> Array | None:
        """Return a bound on the error of a solution; None if nothing is certified."""
        return None if self.certificate is None else self.certificate.bound(residual)

    def estimate(self, sizes: Array) -> Array:
        """Return how much a residual of these sizes changes a solution."""
        return self.norm * sizes if self.certificate is None else self.certificate.bound(sizes)


class SparseSolution(NamedTuple):
    """The solution of one sparse system for several right-hand sides, (n, K)."""

    value: Array
    error: Array | None
    """A bound on the error; None if nothing is certified."""
    sensitivity: Array
    """The change of the solution, to first order, per relative change of all entries of the system."""

    def of_rows(self, rows: list[int]) -> SparseSolution:
        """Return some rows."""
        error = None if self.error is None else self.error[rows]
        return SparseSolution(self.value[rows], error, self.sensitivity[rows])

    def transposed(self) -> SparseSolution:
        """Return it with rows for columns."""
        return SparseSolution(self.value.T, None if self.error is None else self.error.T, self.sensitivity.T)


def solve_sparse(system: LinearSystem, shown: Selection | None = None) -> Solution:
    """Return ∂L/∂x of a sparse system, and whether it is certified.

    shown : rows and columns of ∂y/∂x that are computed, too; the solution is then of these unknowns and inputs. Raise
    InputError if A is not invertible, by its pattern or in doubles, and for numbers beyond the range of doubles.
    """
    A, B = as_sparse(system.A), None if system.B is None else as_sparse(system.B)
    system = system._replace(A=A, B=B)
    refuse_deficient(system, A)
    J: BaseMatrix[Any] = RowMatrix()
    dL_dx = J_sensitivity = None
    residual = 0.0
    try:
        with np.errstate(all="ignore"):  # overflow is found in the results
            scaled = _scaled(system, A)
            reach, remarks = _reach(system, scaled)
            if system.dL_dy is not None:
                assert isinstance(system.dL_dy, BallMatrix)
                u = _solution(scaled.M, system.dL_dy, scaled.columns, scaled.rows, reach)
                dL_dx = _along_inputs(u, B)
                rest = np.abs(system.dL_dy.array.T - A.array.T @ u.value).max()
                remarks = [(code, f"{text}{RESIDUAL} ≤ {rest:.1e} where ∂L/∂x = Bᵀ·u") for code, text in remarks]
            if shown is not None:
                found, residual = _jacobian(system, scaled, shown, reach)
                J, J_sensitivity = BallMatrix(found.value, found.error), BallMatrix(found.sensitivity)
    except OverflowError:
        message = "expected an answer within the range of doubles, got a number beyond ±1.8e308"
        raise InputError([Problem(message, None, "overflow", system.source)]) from None
    rank = system.unknowns
    if shown is not None:
        x, y = [system.x[k] for k in shown.columns], [system.y[j] for j in shown.rows]
        system = system._replace(x=tuple(x), y=tuple(y))
        dL_dx = None if dL_dx is None else dL_dx.of_rows(list(shown.columns))
    rows = None if dL_dx is None else BallMatrix(*dL_dx.transposed()[:2])
    if not remarks and any(found is not None and found.largest_error() is None for found in (rows, J)):
        remarks = [("not-certified", "a bound on an error is beyond the range of doubles, and nothing is certified")]
    V = RowMatrix() if shown is None else BallMatrix(np.zeros((len(system.y), 0)))
    answer = assemble(
        system,
        Found((), range(len(system.x)), (), J, V, None),
        J,
        None if rows is None else (rows, BallMatrix(np.zeros((len(rows), 0)))),
        condition_squared=None,
        residual=residual,
        is_gradient_alone=shown is None,
        remarks=tuple(remarks),
        sensitivities=(J_sensitivity, None if dL_dx is None else BallMatrix(dL_dx.sensitivity.T)),
    )
    return answer._replace(rank=rank)


def as_sparse(matrix: BaseMatrix[Any]) -> SparseMatrix:
    """Return a matrix of doubles without its zeros."""
    if isinstance(matrix, SparseMatrix):
        return matrix
    assert isinstance(matrix, BallMatrix)
    return SparseMatrix.of_doubles(matrix)


def _scaled(system: LinearSystem, A: SparseMatrix) -> ScaledAdjoint:
    """Scale and decompose Aᵀ. Raise InputError if a pivot is 0."""
    value, error = A.array, A.errors
    rows, columns = _equilibration(A.magnitudes)
    if rows.any() or columns.any():
        exponents = np.repeat(rows, np.diff(value.indptr)) + columns[value.indices]
        data = shifted(value.data, exponents)
        loss = lost(value.data, exponents)
        if error is not None or loss:
            bounds = np.zeros_like(data) if error is None else shifted(error.data, exponents)
            error = _with_data(value, (bounds + loss) * (1 + 4 * U))
        value = _with_data(value, data)
    try:
        return ScaledAdjoint(factored(value.T, None if error is None else error.T), rows, columns)
    except RuntimeError:
        message = "A is singular, or so nearly that its LU decomposition in doubles has a pivot of 0"
        raise InputError([Problem(message, None, "singular", system.source)]) from None


def _with_data(matrix: Compressed, data: Array) -> Compressed:
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _equilibration(magnitudes: Compressed) -> tuple[Exponents, Exponents]:
    """Return r and c such that 2ʳ·|A|·2ᶜ has entries up to about 1, and most near 1; 0 if those of A are near 1.

    If that is possible, 2ʳ = 2ᶜ make the diagonal 1, which keeps A symmetric. Otherwise the sum of the squares of the
    exponents of all entries is made small, by means over rows and columns in turn (Curtis, Reid 1972).
    """
    M, N = magnitudes.shape
    counts = np.diff(magnitudes.indptr)
    i, j = np.repeat(np.arange(M), counts), magnitudes.indices
    entries = np.frexp(magnitudes.data)[1].astype(np.int64)
    rows, columns = np.zeros(M, dtype=np.int64), np.zeros(N, dtype=np.int64)
    if np.abs(entries).max() <= EVEN:
        return rows, columns
    diagonal = magnitudes.diagonal()
    if diagonal.all():
        halves = -(np.frexp(diagonal)[1].astype(np.int64) // 2)
        if (entries + halves[i] + halves[j]).max() <= 2:
            return halves, halves
    counts_of_columns = np.bincount(j, minlength=N)
    for _ in range(SWEEPS):
        rows = -np.rint(np.bincount(i, entries + columns[j], M) / counts).astype(np.int64)
        columns = -np.rint(np.bincount(j, entries + rows[i], N) / counts_of_columns).astype(np.int64)
    return rows - np.maximum.reduceat(entries + rows[i] + columns[j], magnitudes.indptr[:-1]), columns


def _reach(system: LinearSystem, scaled: ScaledAdjoint) -> tuple[Reach, list[tuple[str, str]]]:
    """Return what is known of M⁻¹, and the warning if it is not certified.

    Raise InputError if doubles cannot tell A from a singular matrix.
    """
    M = scaled.M
    certificate = find_certificate(M)
    if certificate is not None:
        return Reach(certificate, 0.0), []
    condition, norm, direction = _estimated_condition(M)
    if not condition < SINGULAR:
        raise _singular(system, condition, direction)
    return Reach(None, norm), [("not-certified", f"{NOT_CERTIFIED} {condition:.0e}")]


def _solution(M: Factored, sides: BallMatrix, before: Exponents, after: Exponents, reach: Reach) -> SparseSolution:
    """Solve with the matrix that M scales for right-hand sides (K, n). Raise OverflowError.

    before, after : the exponents of what the sides are multiplied by, and the solutions.
    """
    exponents, g, dg = scaled_gradients(sides, before)
    u, bound = _refined(M, g.T, 0.0 if dg is None else dg.T)
    sizes = (M.magnitude @ np.abs(u) + np.abs(g.T)).max(axis=0, initial=0.0)
    error, back = reach.bound(bound), sums(after, exponents)
    found = unscaled(BallArray(u, np.zeros_like(u) if error is None else error), back)
    sensitivity = shifted(reach.estimate(np.broadcast_to(sizes, u.shape)), back)
    return SparseSolution(found.value, None if error is None else found.error, sensitivity)


def _jacobian(
    system: LinearSystem, scaled: ScaledAdjoint, shown: Selection, reach: Reach
) -> tuple[SparseSolution, float]:
    """Return some rows and columns of ∂y/∂x, found by rows or by columns, whichever are fewer, and their residual.

    Raise OverflowError.
    """
    A, B = as_sparse(system.A), None if system.B is None else as_sparse(system.B)
    rows, columns = map(list, shown)
    if len(rows) < len(columns):
        units = _units(rows, system.unknowns)
        u = _solution(scaled.M, units, scaled.columns, scaled.rows, reach)
        residual = np.abs(units.array.T - A.array.T @ u.value).max()
        return _along_inputs(u, B).of_rows(columns).transposed(), float(residual)
    sides = _units(columns, system.inputs) if B is None else _columns_of(B, columns)
    N = scaled.M.transposed()
    if reach.certificate is not None:
        reach = Reach(find_certificate(N), 0.0)
    u = _solution(N, sides, scaled.rows, scaled.columns, reach)
    residual = np.abs(sides.array.T - A.array @ u.value).max()
    return u.of_rows(rows), float(residual)


def _units(places: list[int], n: int) -> BallMatrix:
    """Return rows of the identity of order n."""
    array = np.zeros((len(places), n))
    array[np.arange(len(places)), places] = 1.0
    return BallMatrix(array)


def _columns_of(B: SparseMatrix, columns: list[int]) -> BallMatrix:
    """Return columns of B, in rows."""
    errors = B.errors
    error = 0.0 if errors is None else errors[:, columns].toarray().T
    return BallMatrix(B.array[:, columns].toarray().T, error)


def _refined(M: Factored, g: Array, dg: Array | float) -> tuple[Array, Array]:
    """Solve M·u = g with one step of refinement; return u and a bound on its residual."""
    if not g.size:
        return g, g
    u = M.solve(g)
    residual, bound = M.residual(g, dg, u)
    better = u + M.solve(residual)
    better_bound = M.residual(g, dg, better)[1]
    return (better, better_bound) if better_bound.sum() < bound.sum() else (u, bound)


def _estimated_condition(M: Factored) -> tuple[float, float, Array]:
    """Return estimates of ‖M‖_∞·‖M⁻¹‖_∞ and ‖M⁻¹‖_∞, and a v with A·2ᶜ·v small (Higham, Tisseur 2000)."""
    other = M.transposed()
    inverse = LinearOperator(M.value.shape, matvec=other.solve, rmatvec=M.solve, matmat=other.solve, rmatmat=M.solve)
    norm, v = onenormest(inverse, compute_w=True)
    return float(norm * M.magnitude.sum(axis=1).max()), float(norm), v


def _singular(system: LinearSystem, condition: float, direction: Array) -> InputError:
    """Return the error for an A that doubles cannot tell from a singular matrix. direction : A·2ᶜ·direction ≈ 0."""
    v = np.abs(direction)
    there = np.flatnonzero(v >= SHARE * v.max()) if np.isfinite(v).all() else np.arange(system.unknowns)
    names = listed([printable(system.y[j]) for j in there[: MAX_NAMES + 1]])
    message = f"doubles cannot tell A from a singular matrix, its condition being about {condition:.0e}: A·v ≈ 0 for a "
    message += f"v in which {count(len(there), 'unknown')} {'has' if len(there) == 1 else 'have'} a large part, {names}"
    hint = "If one of these is fixed, as by grounding a node, the others may be determined"
    return InputError([Problem(message, hint, "singular", system.source)])


def _along_inputs(u: SparseSolution, B: SparseMatrix | None) -> SparseSolution:
    """Return ∂L/∂x = Bᵀ·u (P, K). Raise OverflowError."""
    if B is None:
        return u
    sizes, width = B.magnitudes.T, int(np.bincount(B.array.indices).max(initial=0))
    value = B.array.T @ u.value
    if not np.isfinite(value).all():
        raise OverflowError
    product = enlarged(sizes @ np.abs(u.value), width)
    sensitivity = sizes @ u.sensitivity + product
    if u.error is None:
        return SparseSolution(value, None, sensitivity)
    error = enlarged(sizes @ u.error, width) + gamma(width + 1) * product
    if B.errors is not None:
        error = error + enlarged(B.errors.T @ (np.abs(u.value) + u.error), width + 1)
    return SparseSolution(value, error * (1 + 8 * U) + SMALLEST, sensitivity)

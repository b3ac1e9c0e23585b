"""Back substitution: derive the answer from the basis of A, in scaled units, with bounds.

y_p = K⁻¹·(B_I·x − A[I, f]·y_f)              the pivot unknowns in terms of the free ones
(B_I' − W·B_I)·x = 0, W = A[I', p]·K⁻¹       the conditions that the other rows impose on x
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from implicitgrad.numbers.ball import Array
from implicitgrad.solvers.floating.basis import EPS, SVD_ERROR, Basis, CertifiedInverse, picked
from implicitgrad.solvers.floating.column_selection import choose_columns
from implicitgrad.solvers.floating.equilibration import column_exponents, lost, row_exponents, shifted, sums, unscaled
from implicitgrad.solvers.floating.error_free import U, bound_product, gamma, norm
from implicitgrad.solvers.floating.inverse import BallArray, accurate_residual, certified_inverse
from implicitgrad.solvers.floating.structural_zeros import Structure, inverse_pattern, pattern, product_pattern

if TYPE_CHECKING:
    from implicitgrad.solvers.floating.equilibration import Exponents, Scaled

CLEARLY_SMALL = 1e-6
"""A number above this, relative to 1, is never set to 0 by a cutoff alone."""
MAX_NOISE = 1e-12
"""The largest number set to 0, relative to 1, if no gap in the singular values justifies more."""


class Answers(NamedTuple):
    """The answer in scaled units; unknowns in the order of ``Basis.columns``, or all in their own."""

    independent: list[int]
    dependent: list[int]
    constraints: BallArray
    """(D, P′)"""
    pivots: BallArray
    """(r, P′): the pivot unknowns when the free ones are 0."""
    null_space: BallArray
    """(r, F): the pivot unknowns in terms of the free ones."""
    dL_dx: BallArray | None
    """(K, P′)"""
    coefficients: BallArray | None
    """(K, F)"""
    is_certain: bool


def find_answers(scaled: Scaled, basis: Basis, inverse: CertifiedInverse, g: Array | None, dg: Array | None) -> Answers:
    """Return everything that follows from the basis."""
    p, f = basis.columns, basis.free
    A, dA = scaled.A, scaled.dA
    W = _solve_left(inverse, *picked(A, dA, basis.other_rows, p))
    structure = Structure(scaled, basis)
    independent, dependent, constraints, possible, reach, is_known = inputs_of(scaled, basis, W, structure)
    is_certain = basis.is_certain and is_known
    right: BallArray | None = None
    if scaled.B is None:
        pivots = inverse.solve()
    else:
        right = constrained_B(scaled, basis, independent, dependent, constraints)
        pivots = _solve_right(inverse, right.value, right.error if right.error.any() else None)
    A_free, dA_free = picked(A, dA, basis.rows, f)
    found = _solve_right(inverse, -A_free, dA_free)
    null_space, is_decided = flush_zeros(found, None, structure.null_space)
    is_certain &= is_decided
    constraints, is_decided = flush_zeros(constraints, reach, possible)
    is_certain &= is_decided
    dL_dx = coefficients = None
    if g is not None:
        w = _solve_left(inverse, g[:, p], None if dg is None else dg[:, p])
        dL_dx = w if right is None else times(w, right)
        value, error = remainders(g[:, f], w, A_free, dA_free)
        error = error if dg is None else error + dg[:, f]
        bounded = BallArray(value, error * (1 + 8 * U))
        coefficients, is_decided = flush_zeros(bounded, None, partial(structure.coefficients, g, dg))
        is_certain &= is_decided
    return Answers(independent, dependent, constraints, pivots, null_space, dL_dx, coefficients, is_certain)


def remainders(g: Array, w: BallArray, A: Array, dA: Array | None) -> tuple[Array, Array]:
    """Return g − w·A and a bound on its error."""
    value, error = accurate_residual(g, w.value, A)
    if np.any(w.error):
        error = error + _bound_errors(w.error, np.abs(A) + (0.0 if dA is None else dA), A.shape, w.value.shape)
    if dA is not None:
        error = error + bound_product(np.abs(w.value), dA)
    return value, error


def _solve_left(inverse: CertifiedInverse, rows: Array, drows: Array | None) -> BallArray:
    """Return rows·K⁻¹."""
    return inverse.solve_transposed(rows, drows) if rows.size else BallArray(rows, rows)


def _solve_right(inverse: CertifiedInverse, columns: Array, dcolumns: Array | None) -> BallArray:
    """Return K⁻¹·columns."""
    if not columns.size:
        return BallArray(columns, columns)
    if dcolumns is not None and not np.isfinite(dcolumns).all():
        return BallArray(inverse.solve(columns).value, np.full((len(columns), columns.shape[1]), np.inf))
    return inverse.solve(columns, dcolumns)


class Inputs(NamedTuple):
    """The independent inputs, and the others in terms of them."""

    independent: list[int]
    dependent: list[int]
    constraints: BallArray
    """(D, P′)"""
    possible: Callable[[], Array]
    """Returns the structural pattern of the constraints, False where an entry must be 0."""
    reach: Array
    """The magnitudes up to which unbounded constraints count as 0."""
    is_known: bool = True


def inputs_of(scaled: Scaled, basis: Basis, W: BallArray, structure: Structure) -> Inputs:
    """Solve the conditions on x of the other rows; W = A[I', p]·K⁻¹."""
    if scaled.B is None:
        reach = _reach_of_constraints(basis, W.value)
        return Inputs(basis.rows, basis.other_rows, W, structure.other_rows, reach)
    C, dC = _conditions(scaled, basis, W, structure)
    some = pattern(C, dC).any(axis=1)
    every = list(range(C.shape[1]))
    none = np.zeros((0, len(every)))
    everything = Inputs(every, [], BallArray(none, none), lambda: none, none)
    if not some.any():
        return everything
    doubts = _sensitivity(scaled, basis, W.value, structure)[some]
    columns, C, dC, doubts = _balanced(C[some], dC[some], doubts)
    _, sigma, right = np.linalg.svd(C)
    D = int((sigma > indifference(basis, max(C.shape)) * norm(doubts)).sum())
    if D == 0:
        return everything._replace(is_known=False)
    dependent = choose_columns(right[:D], every[::-1]).columns
    taken = set(dependent)
    independent = [k for k in every if k not in taken]
    units = sums(columns[dependent], -columns[independent])
    solved = _solved(C, dC, dependent, independent) if len(C) == D else None
    value = -np.linalg.solve(right[:D][:, dependent], right[:D][:, independent]) if solved is None else solved.value
    reach = shifted(_reach_of_constraints(basis, value), np.broadcast_to(units, value.shape))
    found = unscaled(solved or BallArray(value, np.full(value.shape, np.inf)), units)

    def possible() -> Array:
        if solved is None:
            return np.ones(value.shape, dtype=bool)
        where = pattern(C, dC)
        return product_pattern(inverse_pattern(where[:, dependent]), where[:, independent])

    return Inputs(independent, dependent, found, possible, reach, solved is not None)


def _conditions(scaled: Scaled, basis: Basis, W: BallArray, structure: Structure) -> tuple[Array, Array]:
    """Return B_I' − W·B_I, (M − r, P), and a bound on its error."""
    B, dB = scaled.B, scaled.dB
    assert B is not None
    if not basis.other_rows:
        return np.zeros((0, B.shape[1])), np.zeros((0, B.shape[1]))
    B_rows, dB_rows = B[basis.rows], None if dB is None else dB[basis.rows]
    C, dC = remainders(B[basis.other_rows], W, B_rows, dB_rows)
    dC = dC if dB is None else dC + dB[basis.other_rows]
    possible = structure.conditions()
    return np.where(possible, C, 0.0), np.where(possible, dC, 0.0)


def _balanced(C: Array, dC: Array, doubts: Array) -> tuple[Exponents, Array, Array, Array]:
    """Return c and 2ʳ·C·2ᶜ, with its errors and doubts, scaled so that the doubts of each row and column are near 1."""
    rows = -row_exponents(doubts)
    columns = -column_exponents(doubts, rows)
    units = np.broadcast_to(sums(rows, columns), C.shape)
    dC = shifted(dC, units) + lost(C, units) + lost(dC, units)
    return columns, shifted(C, units), dC, shifted(doubts, units)


def _solved(C: Array, dC: Array, dependent: list[int], independent: list[int]) -> BallArray | None:
    """Return the dependent inputs in terms of the independent ones, (D, P′), with bounds; None if there are none."""
    if not np.isfinite(dC).all():
        return None
    inverse = certified_inverse(C[:, dependent], dC[:, dependent])
    return None if inverse is None else _solve_right(inverse, -C[:, independent], dC[:, independent])


def _sensitivity(scaled: Scaled, basis: Basis, W: Array, structure: Structure) -> Array:
    """Return the sensitivity (M − r, P) of B_I' − W·B_I to relative changes of W and B."""
    assert scaled.B is not None
    B = np.abs(scaled.B)
    sizes = 1 + np.sqrt((W**2).sum(axis=1, keepdims=True))
    found: Array = B[basis.other_rows] + sizes * (structure.other_rows() @ B[basis.rows])
    return found


def constrained_B(
    scaled: Scaled, basis: Basis, independent: list[int], dependent: list[int], constraints: BallArray
) -> BallArray:
    """Return B_I·T, (r, P′)."""
    B, dB = scaled.B, scaled.dB
    assert B is not None
    value = B[np.ix_(basis.rows, independent)]
    error = np.zeros_like(value) if dB is None else dB[np.ix_(basis.rows, independent)]
    if not dependent:
        return BallArray(value, error)
    left = B[np.ix_(basis.rows, dependent)]
    dleft = np.zeros_like(left) if dB is None else dB[np.ix_(basis.rows, dependent)]
    moved = times(BallArray(left, dleft), constraints)
    total = value + moved.value
    return BallArray(total, (error + moved.error + U * np.abs(total)) * (1 + 8 * U))


def times(a: BallArray, b: BallArray) -> BallArray:
    """Return a·b, with the errors of both and of the product."""
    value = a.value @ b.value
    sizes = np.abs(a.value), np.abs(b.value)
    error = gamma(max(a.value.shape[-1], 1)) * bound_product(*sizes)
    if np.any(b.error):
        error = error + _bound_errors(sizes[0], b.error, b.value.shape)
    if np.any(a.error):
        error = error + _bound_errors(a.error, sizes[1] + b.error, b.value.shape, a.value.shape)
    return BallArray(value, np.broadcast_to(error * (1 + 8 * U), value.shape))


def _bound_errors(
    left: Array, right: Array, shape: tuple[int, ...], left_shape: tuple[int, ...] | None = None
) -> Array:
    """Return left·right for errors that may be infinite, with 0·∞ = ∞."""
    left = left if left_shape is None else np.broadcast_to(left, left_shape)
    right = np.broadcast_to(right, shape)
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        return np.full((*left.shape[:-1], right.shape[-1]), np.inf)
    return bound_product(left, right)


def flush_zeros(found: BallArray, reach: Array | None, possible: Callable[[], Array]) -> tuple[BallArray, bool]:
    """Flush entries that are indistinguishable from zero, and return whether no decision was in doubt.

    reach : the magnitudes that count as 0 where there is no bound. possible : returns the structural pattern.
    """
    bound = np.broadcast_to(found.error, found.value.shape)
    is_bounded = np.isfinite(bound)
    if not is_bounded.all():
        bound = np.where(is_bounded, bound, 0.0 if reach is None else reach)
    is_zero = np.abs(found.value) <= bound
    if not is_zero.any():
        return found, True
    is_doubtful = is_zero & (bound > 0)
    if is_doubtful.any():
        is_known = ~possible()
        is_zero |= is_known
        is_doubtful &= ~is_known
    is_decided = not is_doubtful.any()
    return BallArray(np.where(is_zero, 0.0, found.value), np.where(is_zero & is_bounded, 0.0, found.error)), is_decided


def _reach_of_constraints(basis: Basis, constraints: Array) -> Array:
    """Return the magnitudes up to which unbounded constraints count as 0."""
    small = indifference(basis, sum(constraints.shape))
    rows = 1 + np.abs(constraints).sum(axis=1, keepdims=True)
    return np.broadcast_to(
        np.minimum(small * rows, max_noise(small) * np.abs(constraints).max(initial=1.0)), constraints.shape
    )


def max_noise(small: float) -> float:
    """Return the largest number set to 0, relative to 1, for a cutoff that implies ``small``."""
    return CLEARLY_SMALL if small < CLEARLY_SMALL else MAX_NOISE


def indifference(basis: Basis, size: int = 0) -> float:
    """Return the effect on a 0 among numbers near 1 of a change of A within the cutoff, if nothing else bounds it.

    size : the dimensions of a matrix beside A, whose singular vectors are rounded even if A is 0.
    """
    return min(max(basis.tolerance * basis.inverse.inverse_norm, size * SVD_ERROR * EPS), CLEARLY_SMALL)

"""What follows from the basis of A, in scaled units, with bounds.

y_p = K⁻¹·(B_I·x − A[I, f]·y_f)              the pivot unknowns by the free ones
(B_I' − W·B_I)·x = 0, W = A[I', p]·K⁻¹       what the other rows ask of x
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from implicitgrad.solvers.basis import Basis, CertifiedInverse, picked
from implicitgrad.solvers.inverse import MOST_PRECISE, Bounded, certified_inverse
from implicitgrad.solvers.products import U, bound_product, gamma, norm, precise_residual, residual
from implicitgrad.solvers.selection import choose_columns
from implicitgrad.solvers.structure import Structure, inverse_pattern, pattern, product_pattern

if TYPE_CHECKING:
    from implicitgrad.doubles import Array
    from implicitgrad.solvers.scaling import Scaled

CLEARLY_SMALL = 1e-6
"""What is larger, beside 1, is never taken for 0 by a cutoff alone."""


class Answers(NamedTuple):
    """What is found in scaled units; unknowns in the order of ``Basis.columns``, or all in their own."""

    independent: list[int]
    dependent: list[int]
    constraints: Bounded
    """(D, P′)"""
    pivots: Bounded
    """(r, P′): the pivot unknowns where the free ones are 0."""
    null_space: Bounded
    """(r, F): the pivot unknowns by the free ones."""
    dL_dx: Bounded | None
    """(K, P′)"""
    coefficients: Bounded | None
    """(K, F)"""
    is_certain: bool


def find_answers(scaled: Scaled, basis: Basis, inverse: CertifiedInverse, g: Array | None, dg: Array | None) -> Answers:
    """Everything that follows from the basis."""
    p, f = basis.columns, basis.free
    A, dA = scaled.A, scaled.dA
    W = _left(inverse, *picked(A, dA, basis.other_rows, p))
    structure = Structure(scaled, basis)
    independent, dependent, constraints, possible, is_known = inputs_of(scaled, basis, W, structure)
    is_certain = basis.is_certain and is_known
    right: Bounded | None = None
    if scaled.B is None:
        pivots = inverse.solve()
    else:
        right = along(scaled, basis, independent, dependent, constraints)
        pivots = _right(inverse, right.value, right.error if right.error.any() else None)
    A_free, dA_free = picked(A, dA, basis.rows, f)
    found = _right(inverse, -A_free, dA_free)
    null_space, is_decided = cleaned(found, None, structure.null_space)
    is_certain &= is_decided
    constraints, is_decided = cleaned(constraints, reach_of_constraints(basis, constraints), possible)
    is_certain &= is_decided
    dL_dx = coefficients = None
    if g is not None:
        w = _left(inverse, g[:, p], None if dg is None else dg[:, p])
        dL_dx = w if right is None else times(w, right)
        value, error = remainders(g[:, f], w, A_free, dA_free, is_precise=len(p) <= MOST_PRECISE)
        error = error if dg is None else error + dg[:, f]
        bounded = Bounded(value, error * (1 + 8 * U))
        coefficients, is_decided = cleaned(bounded, None, partial(structure.coefficients, g, dg))
        is_certain &= is_decided
    return Answers(independent, dependent, constraints, pivots, null_space, dL_dx, coefficients, is_certain)


def remainders(g: Array, w: Bounded, A: Array, dA: Array | None, *, is_precise: bool) -> tuple[Array, Array]:
    """g − w·A and a bound on its error."""
    value, error = (precise_residual if is_precise else residual)(g, w.value, A)
    if np.any(w.error):
        error = error + _spread(w.error, np.abs(A) + (0.0 if dA is None else dA), A.shape, w.value.shape)
    if dA is not None:
        error = error + bound_product(np.abs(w.value), dA)
    return value, error


def _left(inverse: CertifiedInverse, rows: Array, drows: Array | None) -> Bounded:
    """rows·K⁻¹"""
    return inverse.solve_transposed(rows, drows) if rows.size else Bounded(rows, rows)


def _right(inverse: CertifiedInverse, columns: Array, dcolumns: Array | None) -> Bounded:
    """K⁻¹·columns"""
    if not columns.size:
        return Bounded(columns, columns)
    if dcolumns is not None and not np.isfinite(dcolumns).all():
        return Bounded(inverse.solve(columns).value, np.full((len(columns), columns.shape[1]), np.inf))
    return inverse.solve(columns, dcolumns)


class Inputs(NamedTuple):
    """Which inputs may be anything, and what the others then are."""

    independent: list[int]
    dependent: list[int]
    constraints: Bounded
    """(D, P′)"""
    possible: Callable[[], Array]
    """Where the constraints may have something else than 0."""
    is_known: bool = True


def inputs_of(scaled: Scaled, basis: Basis, W: Bounded, structure: Structure) -> Inputs:
    """What the other rows ask of x; W = A[I', p]·K⁻¹."""
    B, dB = scaled.B, scaled.dB
    if B is None:
        return Inputs(basis.rows, basis.other_rows, W, structure.left)
    every = list(range(B.shape[1]))
    none = np.zeros((0, len(every)))
    everything = Inputs(every, [], Bounded(none, none), lambda: none)
    if not basis.other_rows:
        return everything
    B_rows, dB_rows = B[basis.rows], None if dB is None else dB[basis.rows]
    C, dC = remainders(B[basis.other_rows], W, B_rows, dB_rows, is_precise=basis.rank <= MOST_PRECISE)
    dC = dC if dB is None else dC + dB[basis.other_rows]
    possible = structure.conditions()
    C, dC = np.where(possible, C, 0.0), np.where(possible, dC, 0.0)
    some = pattern(C, dC).any(axis=1)
    C, dC = C[some], dC[some]
    reach = indifference(basis) * (1 + norm(W.value)) * norm(B)
    if not C.size:
        return everything
    _, sigma, right = np.linalg.svd(C)
    D = int((sigma > reach).sum())
    if D == 0:
        return everything._replace(is_known=False)
    dependent = choose_columns(right[:D], every[::-1]).columns
    taken = set(dependent)
    independent = [k for k in every if k not in taken]
    if len(C) == D and np.isfinite(dC).all():
        inverse = certified_inverse(C[:, dependent], dC[:, dependent])
        if inverse is not None:
            found = _right(inverse, -C[:, independent], dC[:, independent])
            left, right = pattern(C[:, dependent], dC[:, dependent]), pattern(C[:, independent], dC[:, independent])
            return Inputs(independent, dependent, found, lambda: product_pattern(inverse_pattern(left), right))
    value = -np.linalg.solve(right[:D][:, dependent], right[:D][:, independent])
    found = Bounded(value, np.full(value.shape, np.inf))
    return Inputs(independent, dependent, found, lambda: np.ones(value.shape, dtype=bool), is_known=False)


def along(scaled: Scaled, basis: Basis, independent: list[int], dependent: list[int], constraints: Bounded) -> Bounded:
    """B_I·T, (r, P′)"""
    B, dB = scaled.B, scaled.dB
    assert B is not None
    value = B[np.ix_(basis.rows, independent)]
    error = np.zeros_like(value) if dB is None else dB[np.ix_(basis.rows, independent)]
    if not dependent:
        return Bounded(value, error)
    left = B[np.ix_(basis.rows, dependent)]
    dleft = np.zeros_like(left) if dB is None else dB[np.ix_(basis.rows, dependent)]
    moved = times(Bounded(left, dleft), constraints)
    total = value + moved.value
    return Bounded(total, (error + moved.error + U * np.abs(total)) * (1 + 8 * U))


def times(a: Bounded, b: Bounded) -> Bounded:
    """a·b, with the errors of both and of the product."""
    value = a.value @ b.value
    sizes = np.abs(a.value), np.abs(b.value)
    error = gamma(max(a.value.shape[1], 1)) * bound_product(*sizes)
    if np.any(b.error):
        error = error + _spread(sizes[0], b.error, b.value.shape)
    if np.any(a.error):
        error = error + _spread(a.error, sizes[1] + b.error, b.value.shape, a.value.shape)
    return Bounded(value, np.broadcast_to(error * (1 + 8 * U), value.shape))


def _spread(left: Array, right: Array, shape: tuple[int, ...], left_shape: tuple[int, ...] | None = None) -> Array:
    """left·right for errors that may be infinite, where 0·∞ is ∞."""
    left = left if left_shape is None else np.broadcast_to(left, left_shape)
    right = np.broadcast_to(right, shape)
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        return np.full((left.shape[0], right.shape[1]), np.inf)
    return bound_product(left, right)


def cleaned(found: Bounded, reach: Array | None, possible: Callable[[], Array]) -> tuple[Bounded, bool]:
    """What cannot be told from 0 made 0, and whether nothing was in doubt.

    reach : what counts as 0 where nothing is bounded. possible : where something else than 0 may be.
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
    return Bounded(np.where(is_zero, 0.0, found.value), np.where(is_zero & is_bounded, 0.0, found.error)), is_decided


def reach_of_constraints(basis: Basis, constraints: Bounded) -> Array:
    """What counts as 0 among constraints that nothing bounds."""
    rows = 1 + np.abs(constraints.value).sum(axis=1)
    return np.broadcast_to(indifference(basis) * rows[:, None], constraints.value.shape)


def indifference(basis: Basis) -> float:
    """What a change of A within the cutoff can make of a 0 among numbers near 1, where nothing else bounds it."""
    return min(basis.tolerance * basis.inverse.inverse_norm, CLEARLY_SMALL)

"""Derive the answer from the singular vectors of A if the cutoff decided its rank and nothing is certified.

With A = U·Σ·Vᵀ for the r singular values beyond the cutoff, the null space is that of Vᵀ, the other rows require that
x is in the range of U, and A⁺ = V·Σ⁻¹·Uᵀ. Each approximates that of a matrix within the cutoff of A as closely as
doubles allow (Golub and Van Loan 2013, *Matrix Computations*, §5.5).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from implicitgrad.numbers.ball import Array
from implicitgrad.solvers.floating.back_substitution import (
    Answers,
    Inputs,
    constrained_B,
    flush_zeros,
    indifference,
    inputs_of,
    max_noise,
)
from implicitgrad.solvers.floating.column_selection import LIMIT
from implicitgrad.solvers.floating.error_free import U as UNIT_ROUNDOFF
from implicitgrad.solvers.floating.error_free import norms
from implicitgrad.solvers.floating.inverse import BallArray
from implicitgrad.solvers.floating.structural_zeros import Structure

if TYPE_CHECKING:
    from implicitgrad.solvers.floating.basis import Basis, SingularInverse
    from implicitgrad.solvers.floating.equilibration import Scaled

FAR = 10.0
"""A multiple of the basis's limit, beyond which solutions with K are noise."""


def find_uncertified(
    scaled: Scaled, basis: Basis, inverse: SingularInverse, g: Array | None, dg: Array | None
) -> Answers:
    """Return the answer as find_answers, without bounds unless A = 0; entries within the cutoff's effect count as 0."""
    p, f = basis.columns, basis.free
    structure = Structure(scaled, basis)
    small = indifference(basis)
    most = max_noise(small)

    def bounded(value: Array) -> BallArray:
        return BallArray(value, np.full(value.shape, 0.0 if basis.is_certain else np.inf))

    V, W = _dependencies(scaled.A, basis, inverse)
    reach = small * np.outer(norms(inverse.right_inverse, 1), np.sqrt(1 + norms(V, 0) ** 2))
    reach = np.minimum(reach, most * np.abs(V).max(axis=0, initial=1.0))
    null_space, _ = flush_zeros(bounded(V), reach, structure.null_space)
    V = null_space.value

    reach_of_rows = small * np.outer(np.sqrt(1 + norms(W, 1) ** 2), norms(inverse.left_inverse, 0))
    reach_of_rows = np.minimum(reach_of_rows, most * np.abs(W).max(axis=1, initial=1.0)[:, None])
    W = flush_zeros(bounded(W), reach_of_rows, structure.other_rows)[0].value
    inputs = inputs_of(scaled, basis, BallArray(W, np.zeros_like(W)), structure)
    is_certain = basis.is_certain and inputs.is_known
    constraints = inputs.constraints
    if not is_certain:
        constraints = BallArray(constraints.value, np.full(constraints.value.shape, np.inf))
    constraints, is_decided = flush_zeros(constraints, inputs.reach, inputs.possible)
    inputs = inputs._replace(constraints=constraints)
    is_certain &= is_decided

    J = inverse.right.T @ ((inverse.left.T @ _allowed(scaled, basis, inputs)) / inverse.sigma[:, None])
    pivots = J[p] - V @ J[f]
    dL_dx = coefficients = None
    if g is not None:
        dL_dx = bounded(g[:, p] @ pivots)
        sizes = np.abs(g[:, f]) + np.abs(g[:, p]) @ np.abs(V)
        doubt = np.abs(g[:, p]) @ reach + len(p) * UNIT_ROUNDOFF * sizes
        found = BallArray(g, np.zeros_like(g) if dg is None else dg) if is_certain else bounded(g[:, f] + g[:, p] @ V)
        coefficients, is_decided = flush_zeros(
            found, np.minimum(doubt, most * sizes), partial(structure.coefficients, g, dg)
        )
        is_certain &= is_decided
    return Answers(
        inputs.independent, inputs.dependent, constraints, bounded(pivots), null_space, dL_dx, coefficients, is_certain
    )


def _dependencies(A: Array, basis: Basis, inverse: SingularInverse) -> tuple[Array, Array]:
    """Return V (r, F), the pivot unknowns in terms of the free ones, and W (M − r, r), the other rows likewise.

    Solving with K has errors relative to the size of each row of A. If K is singular in doubles, the singular vectors
    serve instead.
    """
    p, f, rows = basis.columns, basis.free, basis.rows
    try:
        K = A[np.ix_(rows, p)]
        V, W = np.linalg.solve(K, -A[np.ix_(rows, f)]), np.linalg.solve(K.T, A[np.ix_(basis.other_rows, p)].T).T
        if max(np.abs(V).max(initial=0.0), np.abs(W).max(initial=0.0)) <= FAR * LIMIT:
            return V, W
    except np.linalg.LinAlgError:
        pass
    return -inverse.right_inverse @ inverse.right[:, f], inverse.left[basis.other_rows] @ inverse.left_inverse


def _allowed(scaled: Scaled, basis: Basis, inputs: Inputs) -> Array:
    """Return B·T, (M, P′)."""
    if scaled.B is not None:
        every_row = basis._replace(rows=list(range(len(scaled.A))))
        return constrained_B(scaled, every_row, inputs.independent, inputs.dependent, inputs.constraints).value
    allowed = np.zeros((len(scaled.A), len(inputs.independent)))
    allowed[inputs.independent, range(len(inputs.independent))] = 1.0
    allowed[inputs.dependent] = inputs.constraints.value
    return allowed

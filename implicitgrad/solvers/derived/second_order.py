"""Compute the second derivatives of the unknowns of as many equations F(x, y) = 0.

Differentiating twice, with J = ∂y/∂x: F_xx + F_xy·J + (F_xy·J)ᵀ + Jᵀ·F_yy·J of each equation is a right side for
A = F_y, of which each pair of inputs has one: ∂²y/∂xᵢ∂xₖ = −A⁻¹ times them.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from implicitgrad.model.solution import Solution
from implicitgrad.model.system import Status
from implicitgrad.numbers.matrix import BaseMatrix, RowMatrix
from implicitgrad.numbers.symbolic_matrix import SymbolicMatrix
from implicitgrad.numbers.values import is_ball_matrix
from implicitgrad.solvers.derived.consistency import beyond_doubles, times
from implicitgrad.solvers.derived.value import Solve, of_right_sides
from implicitgrad.text.characters import count
from implicitgrad.text.errors import InputError, Problem, UsageError

MAX_NUMBERS = 1_000_000


def with_second_derivatives(solution: Solution, solve: Solve) -> Solution:
    """Return the solution with ∂²y/∂x², () if y is no unique function of every x.

    Raises UsageError for another number of equations than of unknowns.
    """
    system = solution.system
    M, N = system.equations, system.unknowns
    if M != N:
        message = f"{system.source}: --order 2 is for as many equations as unknowns"
        raise UsageError(f"{message}, got {count(M, 'equation')} in {count(N, 'unknown')}")
    if solution.status is not Status.DETERMINED:
        return solution._replace(second=RowMatrix())
    origin, J = system.origin, solution.general.particular
    P, hessian = J.shape[1], None if origin is None else origin.hessian
    if N * P * P > MAX_NUMBERS:
        message = f"expected at most {MAX_NUMBERS:,} second derivatives, got {N * P * P:,}"
        raise InputError([Problem(message, code="too-large", source=system.source)])
    if hessian is None or origin is None:
        return solution._replace(second=RowMatrix([[Fraction(0)] * P] * (N * P)))
    if J.has_bounds and origin.second is not None:
        import numpy as np

        from implicitgrad.numbers.ball import BallMatrix

        texts, radii = origin.second
        values = np.array([[float(Fraction(text)) for text in row] for row in texts])
        return solution._replace(second=BallMatrix(values, np.array(radii) + np.spacing(np.abs(values))))
    try:
        found = _second_derivatives(solution, hessian, solve)
    except OverflowError:
        raise beyond_doubles(system.source) from None
    if isinstance(found, SymbolicMatrix) and not origin.point:
        found = found.with_rows([found.field.shortened(entry, origin.parsed) for entry in row] for row in found)
    return solution._replace(second=found)


def _second_derivatives(solution: Solution, hessian: BaseMatrix[Any], solve: Solve) -> BaseMatrix[Any]:
    """Return (N·P, P) from the second derivatives of F, (P + N) rows for each equation. Raise OverflowError."""
    system, origin, J = solution.system, solution.system.origin, solution.general.particular
    N, P = J.shape
    assert origin is not None
    if J.has_bounds and not hessian.has_bounds:
        from implicitgrad.numbers.ball import from_fractions

        hessian = from_fractions(hessian)
    if origin.residual is not None:
        hessian = hessian.widened(origin.hessian_radii)
    sides = []
    for i in range(N):
        rows = hessian.rows_at(range((P + N) * i, (P + N) * (i + 1)))
        of_x, of_y = (rows.rows_at(part).transposed() for part in (range(P), range(P, P + N)))
        mixed = of_x.rows_at(range(P, P + N)).transposed().times(J)
        curved = J.transposed().times(of_y.rows_at(range(P, P + N)).transposed().times(J))
        side = of_x.rows_at(range(P)).plus(mixed).plus(mixed.transposed()).plus(curved)
        sides.append(_reshaped(side, P * P, 1))
    inverse = solve(of_right_sides(system)._replace(dL_dy=None), gradient_alone=False).general.particular
    found = times(sides[0].beside(*sides[1:]), inverse.transposed())
    return _reshaped(found.negative().transposed(), N * P, P)


def _reshaped(matrix: BaseMatrix[Any], rows: int, columns: int) -> BaseMatrix[Any]:
    """Return the entries, row after row, in another shape of as many."""
    if is_ball_matrix(matrix):
        return matrix.reshaped(rows, columns)
    entries = [entry for row in matrix.rows for entry in row]
    return matrix.with_rows(entries[columns * i : columns * (i + 1)] for i in range(rows))

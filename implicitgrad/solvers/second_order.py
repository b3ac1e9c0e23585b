"""Compute the second derivatives of the one unknown of one equation F(x, y) = 0.

Differentiating twice, with J = ∂y/∂x: F_ik + F_iy·J_k + F_ky·J_i + F_yy·J_i·J_k + F_y·∂²y/∂xᵢ∂xₖ = 0.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from implicitgrad.model.solution import Solution
from implicitgrad.model.system import Status
from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.numbers.matrix import RowMatrix
from implicitgrad.numbers.symbolic_matrix import SymbolicMatrix
from implicitgrad.text.errors import UsageError


def with_second_derivatives(solution: Solution) -> Solution:
    """Return the solution with ∂²y/∂x², () without ∂y/∂x. Raises UsageError for several equations or unknowns."""
    system = solution.system
    if system.equations != 1 or system.unknowns != 1:
        message = f"{system.source}: --order 2 is for one equation in one unknown"
        raise UsageError(f"{message}, got {system.equations} in {system.unknowns}")
    if solution.status is not Status.DETERMINED:
        return solution._replace(second=RowMatrix())
    J: list[Any] = list(solution.general.particular[0])
    P, F_y = len(J), system.A[0][0]
    hessian = None if system.origin is None else system.origin.hessian
    if hessian is None:
        zero = J[0] - J[0]
        return solution._replace(second=RowMatrix([[zero] * P] * P))
    F: list[list[Any]] = [list(row) for row in hessian]
    rows = [
        [-(F[i][k] + F[i][P] * J[k] + F[k][P] * J[i] + F[P][P] * J[i] * J[k]) / F_y for k in range(P)] for i in range(P)
    ]
    A = system.A
    if isinstance(A, BallMatrix):
        import numpy as np

        if system.origin is not None and system.origin.second is not None:
            texts, radii = system.origin.second
            values = np.array([[float(Fraction(text)) for text in row] for row in texts])
            return solution._replace(second=BallMatrix(values, np.array(radii) + np.spacing(np.abs(values))))
        return solution._replace(second=BallMatrix(np.array([[float(entry) for entry in row] for row in rows]), None))
    if isinstance(A, SymbolicMatrix) and system.origin is not None and not system.origin.point:
        rows = [[A.field.shortened(entry, system.origin.parsed) for entry in row] for row in rows]
    return solution._replace(second=RowMatrix(rows))

"""What is to be said of an answer because its equations are not linear, or its point only nearly solves them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from implicitgrad.doubles import DoubleMatrix
from implicitgrad.solution import Solution
from implicitgrad.system import Origin


def with_origin(solution: Solution) -> Solution:
    """The solution of a system that was made from equations, with remarks, and bounds only where the point is exact."""
    origin = solution.system.origin
    if origin is None:
        return solution
    remarks = []
    if origin.residual != "0":
        solution = _uncertified(solution)
        what = f"{', '.join(origin.found)} was found by Newton's method" if origin.found else "the point was rounded"
        remarks.append(("nearly-solved", f"{what}: max |F| is {origin.residual} at the point; nothing is certified"))
    if not origin.is_linear and solution.rank < solution.system.equations:
        remarks.append(_failing(solution, origin))
    return replace(solution, remarks=(*solution.remarks, *remarks))


def _failing(solution: Solution, origin: Origin) -> tuple[str, str]:
    """Why the implicit function theorem does not apply where A has not as many independent rows as there are."""
    M, rank = solution.system.equations, solution.rank
    dependent = 0 if solution.constraints is None else len(solution.constraints.dependent)
    where = "at the point" if origin.point else "anywhere"
    message = f"the implicit function theorem does not apply {where}: ∂F/∂y has rank {rank}, not {M}"
    if rank + dependent == M:
        return "fold", f"{message}. With ∂F/∂x it has: a fold, where y is no differentiable function of x"
    return "singular-point", f"{message}, nor has it with ∂F/∂x: a singular point, or dependent equations"


def _uncertified(solution: Solution) -> Solution:
    def bare(matrix: Any) -> Any:
        return DoubleMatrix(matrix.array, None) if isinstance(matrix, DoubleMatrix) else matrix

    general, constraints = solution.general, solution.constraints
    return replace(
        solution,
        dy_dx=bare(solution.dy_dx),
        dL_dx_rows=bare(solution.dL_dx_rows),
        general=general._replace(**{key: bare(value) for key, value in general._asdict().items() if key != "free"}),
        constraints=constraints and constraints._replace(matrix=bare(constraints.matrix)),
    )

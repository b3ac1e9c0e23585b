"""What is to be said of an answer because its equations are not linear, or their point is rounded."""

from __future__ import annotations

from dataclasses import replace

from implicitgrad.solution import Solution
from implicitgrad.system import Origin


def with_origin(solution: Solution) -> Solution:
    """The solution of a system that was made from equations, with remarks."""
    origin = solution.system.origin
    if origin is None:
        return solution
    remarks = []
    if origin.residual != "0" and not origin.found:
        message = f"the point is rounded: max |F| is {origin.residual} there"
        remarks.append(("rounded-point", f"{message}, and the error is that of any solution that rounds to it"))
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

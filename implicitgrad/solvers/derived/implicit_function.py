"""Warn about nonlinear equations: a rounded point, an unused unknown, a failing implicit function theorem."""

from __future__ import annotations

from implicitgrad.model.implicit_equations import ImplicitEquations, PointAccuracy
from implicitgrad.model.solution import Solution


def with_origin(solution: Solution) -> Solution:
    """Return the solution of a system made from equations, with warnings about these."""
    origin = solution.system.origin
    if origin is None:
        return solution
    remarks = []
    if origin.accuracy is PointAccuracy.ROUNDED:
        message = f"the point is rounded: max |F| is {origin.residual} there"
        remarks.append(("rounded-point", f"{message}, and the error is that of any solution that rounds to it"))
    if unused := _unused(solution, origin):
        which = f"{', '.join(unused)} {'is' if len(unused) == 1 else 'are'}"
        remarks.append(("unused-unknown", f"{which} in none of the equations"))
    elif solution.theorem_fails:
        remarks.append(_failing(solution, origin))
    return solution._replace(remarks=(*solution.remarks, *remarks))


def _unused(solution: Solution, origin: ImplicitEquations) -> list[str]:
    used = {name for equation in origin.parsed for name in equation.names()}
    return [name for name in solution.y if name not in used]


def _failing(solution: Solution, origin: ImplicitEquations) -> tuple[str, str]:
    """Explain why the implicit function theorem does not apply if A has less rank than its shape allows."""
    M, rank = solution.system.equations, solution.rank
    rank_of_both = rank + (0 if solution.constraints is None else len(solution.constraints.dependent))
    found = f"∂F/∂y has rank {rank}, not {min(M, solution.system.unknowns)}"
    if not origin.point:
        message = f"the implicit function theorem does not apply anywhere: {found}, whatever the point"
        return "dependent", f"{message}; the equations are dependent in y"
    message = f"the implicit function theorem does not apply at the point: {found}"
    if rank_of_both == M:
        why = "a fold, or a vertical tangent: y is no differentiable function of x"
        return "fold", f"{message}. With ∂F/∂x it has {M}: {why}"
    return "singular-point", f"{message}, and no full rank with ∂F/∂x either: a singular point, or dependent equations"

"""Add to an answer what the system's equations, its value of x and the options ask for."""

from __future__ import annotations

from collections.abc import Callable, Collection

from implicitgrad.model.implicit_equations import ImplicitEquations, PointAccuracy, partial_derivatives
from implicitgrad.model.solution import Solution
from implicitgrad.text.errors import UsageError


def extended(
    found: Solution, solve: Callable[..., Solution], wrt: Collection[str], order: int, *, steps: bool
) -> Solution:
    """Return an answer with all that was asked for. solve : the solver that found it. Others : as of solve_system."""
    system = found.system
    if system.origin is not None:
        found = found._replace(remarks=(*found.remarks, *_remarks_on_equations(found, system.origin)))
    if system.dx is not None:
        from implicitgrad.solvers.derived.change import with_change

        found = with_change(found, system.dx)
    if system.x_value is not None or system.by_letter is not None:
        from implicitgrad.solvers.derived.value import with_value

        found = with_value(found, wrt, solve)
    found = found._replace(remarks=(*system.remarks, *found.remarks))
    if order == 2:
        if steps and system.unknowns > 1:
            message = f"{system.source}: --steps derives the second derivatives of one unknown, got {system.unknowns}"
            raise UsageError(message, "Leave out --steps or --order 2")
        from implicitgrad.solvers.derived.second_order import with_second_derivatives

        found = with_second_derivatives(found, solve)
    if steps:
        from implicitgrad.solvers.exact.derivation import with_derivation

        found = with_derivation(found)
    return found


def _remarks_on_equations(solution: Solution, origin: ImplicitEquations) -> list[tuple[str, str]]:
    """Warn of a rounded point, an unused unknown, a failing implicit function theorem."""
    remarks = []
    if origin.accuracy is PointAccuracy.ROUNDED:
        message = f"the point is rounded: max |F| is {origin.residual} there"
        remarks.append(("rounded-point", f"{message}, and the error is that of any solution that rounds to it"))
    used = {name for equation in origin.parsed for name in equation.names()}
    if unused := [name for name in solution.y if name not in used]:
        from implicitgrad.symbolic.grammar.mistaken_names import likely_spelling

        which = f"{', '.join(unused)} {'is' if len(unused) == 1 else 'are'}"
        clauses = [f"{which} in none of the equations", *filter(None, (likely_spelling(name, used) for name in unused))]
        remarks.append(("unused-unknown", "; ".join(clauses)))
    elif solution.theorem_fails:
        remarks.append(_failing(solution, origin))
    return remarks


def _failing(solution: Solution, origin: ImplicitEquations) -> tuple[str, str]:
    """Explain why the implicit function theorem does not apply if A has less rank than its shape allows."""
    M, rank = solution.system.equations, solution.rank
    rank_of_both = rank + (0 if solution.constraints is None else len(solution.constraints.dependent))
    of_y, of_x = partial_derivatives(solution.x, solution.y)
    found = f"{of_y} has rank {rank}, not {min(M, solution.system.unknowns)}"
    if not origin.point:
        message = f"the implicit function theorem does not apply anywhere: {found}, whatever the point"
        return "dependent", f"{message}; the equations are dependent in y"
    message = f"the implicit function theorem does not apply at the point: {found}"
    if rank_of_both == M:
        unknowns, inputs = of_y.removeprefix("∂F/∂"), of_x.removeprefix("∂F/∂")
        why = f"a fold, or a vertical tangent: {unknowns} is no differentiable function of {inputs}"
        return "fold", f"{message}. With {of_x} it has {M}: {why}"
    return "singular-point", f"{message}, and no full rank with {of_x} either: a singular point, or dependent equations"

"""Add to an answer what the system's equations, its value of x and the options ask for."""

from __future__ import annotations

from collections.abc import Callable, Collection

from implicitgrad.model.solution import Solution
from implicitgrad.text.errors import UsageError


def extended(
    found: Solution, solve: Callable[..., Solution], wrt: Collection[str], order: int, *, steps: bool
) -> Solution:
    """Return an answer with all that was asked for. solve : the solver that found it. Others : as of solve_system."""
    system = found.system
    if system.origin is not None:
        from implicitgrad.solvers.derived.implicit_function import with_origin

        found = with_origin(found)
    if system.dx is not None:
        from implicitgrad.solvers.derived.change import with_change

        found = with_change(found, system.dx)
    if system.x_value is not None or system.by_letter is not None:
        from implicitgrad.solvers.derived.value import with_value

        found = with_value(found, wrt, solve)
    found = found._replace(remarks=(*system.remarks, *found.remarks))
    if order == 2:
        if steps and system.unknowns > 1:
            raise UsageError(f"{system.source}: --steps of second derivatives is for one unknown; expected one of both")
        from implicitgrad.solvers.derived.second_order import with_second_derivatives

        found = with_second_derivatives(found, solve)
    if steps:
        from implicitgrad.solvers.exact.derivation import with_derivation

        found = with_derivation(found)
    return found

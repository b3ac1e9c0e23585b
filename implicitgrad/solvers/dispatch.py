"""Choose the solver for a system, and add what its equations and options ask for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from numbers import Real

from implicitgrad.model.solution import Solution
from implicitgrad.model.system import AUTO, Arithmetic, LinearSystem, chosen_arithmetic
from implicitgrad.solvers.exact.solver import solve_exact
from implicitgrad.text.errors import UsageError


def solve_system(
    system: LinearSystem,
    free: Sequence[str] = (),
    arithmetic: str = AUTO,
    rtol: float | None = None,
    *,
    gradient_alone: bool = False,
    order: int = 1,
    steps: bool = False,
    wrt: Collection[str] = (),
) -> Solution:
    """Solve a system, as implicitgrad.solve; "auto" uses the arithmetic that it was made for.

    gradient_alone : leave out ∂y/∂x. order : 2 adds ∂²y/∂x². steps : add the derivation. wrt : A and B add ∂L/∂A and
    ∂L/∂B, for which the system must have a value of x.
    """
    if system.is_sparse:
        from implicitgrad.solvers.sparse.request import solve_sparse_system

        settings = {"free": free, "rtol": rtol is not None, "order": order > 1, "steps": steps}
        settings |= {"at": system.x_value is not None, "dx": system.dx is not None}
        return solve_sparse_system(system, arithmetic, settings, gradient_alone=gradient_alone)
    chosen = system.arithmetic
    if arithmetic != AUTO:
        from implicitgrad.model.conversion import for_arithmetic

        system, chosen = for_arithmetic(chosen_arithmetic(arithmetic), system)
    refuse_cutoff(rtol)
    if steps:
        from implicitgrad.solvers.exact.derivation import refuse_unfit, with_derivation

        refuse_unfit(system, chosen)
    exactly = system.exactly if arithmetic == AUTO and rtol is None else None
    # which unknowns can be free depends on the rank
    found = _solve(system, free if exactly is None else (), chosen, rtol, gradient_alone=gradient_alone)
    if exactly is not None:
        from implicitgrad.model.exact_cost import can_be_settled

        if None in found.error_bounds and can_be_settled(exact := exactly()):
            system, found = exact, _solve(exact, free, Arithmetic.EXACT, None, gradient_alone=gradient_alone)
        elif free:
            found = _solve(system, free, chosen, rtol, gradient_alone=gradient_alone)
    if system.origin is not None:
        from implicitgrad.solvers.derived.implicit_function import with_origin

        found = with_origin(found)
    if system.dx is not None:
        from implicitgrad.solvers.derived.change import with_change

        found = with_change(found, system.dx)
    if system.x_value is not None or system.by_letter is not None:
        found = add_value(found, wrt, rtol)
    if system.remarks:
        found = found._replace(remarks=(*system.remarks, *found.remarks))
    if order == 2:
        if steps and system.unknowns > 1:
            raise UsageError(f"{system.source}: --steps of second derivatives is for one unknown; expected one of both")
        from implicitgrad.solvers.derived.second_order import with_second_derivatives

        found = with_second_derivatives(found, partial(_solve, free=(), chosen=found.arithmetic, rtol=rtol))
    if steps:
        found = with_derivation(found)
    return found


def refuse_cutoff(rtol: float | None) -> None:
    """Raise UsageError if the relative cutoff on singular values is none."""
    if rtol is not None and not (isinstance(rtol, Real) and 0 <= rtol < 1):
        raise UsageError(f"rtol: expected a number from 0 to 1, got {rtol!r}")


def add_value(solution: Solution, wrt: Collection[str], rtol: float | None = None) -> Solution:
    """Add y at the value of x, and ∂L/∂A and ∂L/∂B if they are in ``wrt``. Raises InputError if there is no such y.

    rtol : the cutoff with which the solution was found.
    """
    from implicitgrad.solvers.derived.value import with_value

    return with_value(solution, wrt, partial(_solve, free=(), chosen=solution.arithmetic, rtol=rtol))


def _solve(
    system: LinearSystem, free: Sequence[str], chosen: Arithmetic, rtol: float | None, *, gradient_alone: bool
) -> Solution:
    if chosen is Arithmetic.FLOAT:
        from implicitgrad.solvers.floating.solver import solve_float

        return solve_float(system, free, rtol, gradient_alone=gradient_alone)
    if chosen is Arithmetic.EXACT:
        found = solve_exact(system, free)
    else:
        from implicitgrad.solvers.symbolic.solver import solve_symbolic

        found = solve_symbolic(system, free)
    return found._replace(is_gradient_alone=True) if gradient_alone else found

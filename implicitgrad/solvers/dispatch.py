"""Choose the solver for a system, and add what its equations and options ask for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from numbers import Real

from implicitgrad.model.solution import Solution
from implicitgrad.model.system import AUTO, Arithmetic, LinearSystem
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

        options = {"free": free, "rtol": rtol is not None, "order": order > 1, "steps": steps}
        return solve_sparse_system(system, arithmetic, options, gradient_alone=gradient_alone)
    chosen = system.arithmetic
    if arithmetic != AUTO:
        from implicitgrad.model.conversion import for_arithmetic

        system, chosen = for_arithmetic(arithmetic, system)
    refuse_cutoff(rtol)
    if steps:
        from implicitgrad.solvers.exact.derivation import refuse_unfit

        refuse_unfit(system, chosen)
    exactly = system.exactly if arithmetic == AUTO and rtol is None else None
    # which unknowns can be free depends on the rank
    found = _solve(system, free if exactly is None else (), chosen, rtol, gradient_alone=gradient_alone)
    if exactly is not None:
        from implicitgrad.model.exact_cost import can_be_settled

        if None in found.error_bounds and can_be_settled(exact := exactly()):
            found = _solve(exact, free, Arithmetic.EXACT, None, gradient_alone=gradient_alone)
        elif free:
            found = _solve(system, free, chosen, rtol, gradient_alone=gradient_alone)
    system = found.system
    more = (system.origin, system.dx, system.x_value, system.by_letter)
    if order == 1 and not steps and not system.remarks and all(one is None for one in more):
        return found
    from implicitgrad.solvers.derived.extensions import extended

    return extended(found, _solver_like(found, rtol), wrt, order, steps=steps)


def refuse_cutoff(rtol: float | None) -> None:
    """Raise UsageError if the relative cutoff on singular values is none."""
    if rtol is not None and not (isinstance(rtol, Real) and 0 <= rtol < 1):
        raise UsageError(f"rtol: expected a number from 0 to 1, got {rtol!r}")


def add_value(solution: Solution, wrt: Collection[str]) -> Solution:
    """Add y at the value of x, and ∂L/∂A and ∂L/∂B if they are in ``wrt``. Raises InputError if there is no such y."""
    from implicitgrad.solvers.derived.value import with_value

    return with_value(solution, wrt, _solver_like(solution, None))


def _solver_like(solution: Solution, rtol: float | None) -> Callable[..., Solution]:
    """Return the solver of systems like that of a solution. rtol : the cutoff with which it was found."""
    return partial(_solve, free=(), chosen=solution.arithmetic, rtol=rtol)


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

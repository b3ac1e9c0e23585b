"""Choose the solver for a system, and add what its equations and options ask for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
    if arithmetic != AUTO:
        from implicitgrad.model.conversion import for_arithmetic

        system = for_arithmetic(arithmetic, system)
    refuse_cutoff(rtol)
    if steps:
        from implicitgrad.solvers.exact.derivation import refuse_unfit

        refuse_unfit(system)
    if system.exactly is not None and arithmetic == AUTO and rtol is None:
        from implicitgrad.solvers.floating.doubtful_rank import solve_or_settle

        found = solve_or_settle(system, system.exactly, free, gradient_alone=gradient_alone)
    else:
        found = solve_alone(system, free, rtol, gradient_alone=gradient_alone)
    system = found.system
    more = (system.origin, system.dx, system.x_value, system.by_letter)
    if order == 1 and not steps and not system.remarks and all(one is None for one in more):
        return found
    from implicitgrad.solvers.derived.extensions import extended

    return extended(found, partial(solve_alone, rtol=rtol), wrt, order, steps=steps)


def refuse_cutoff(rtol: float | None) -> None:
    """Raise UsageError if the relative cutoff on singular values is none."""
    if rtol is not None and not (isinstance(rtol, Real) and 0 <= rtol < 1):
        raise UsageError(f"rtol: expected a number from 0 to 1, got {rtol!r}")


def solve_alone(
    system: LinearSystem, free: Sequence[str] = (), rtol: float | None = None, *, gradient_alone: bool
) -> Solution:
    """Solve a system in its arithmetic, and do nothing that its equations ask for beside it."""
    if system.arithmetic is Arithmetic.FLOAT:
        from implicitgrad.solvers.floating.solver import solve_float

        return solve_float(system, free, rtol, gradient_alone=gradient_alone)
    if system.arithmetic is Arithmetic.EXACT:
        found = solve_exact(system, free)
    else:
        from implicitgrad.solvers.symbolic.solver import solve_symbolic

        found = solve_symbolic(system, free)
    return found._replace(is_gradient_alone=True) if gradient_alone else found

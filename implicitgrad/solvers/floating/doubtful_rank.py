"""Solve systems that were read as doubles to save time, exactly if doubles leave the rank in doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from implicitgrad.model.exact_cost import can_be_settled
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import LinearSystem
from implicitgrad.solvers.exact.solver import solve_exact
from implicitgrad.solvers.floating.solver import solve_float


def solve_or_settle(
    system: LinearSystem, exactly: Callable[[], LinearSystem], free: Sequence[str], *, gradient_alone: bool
) -> Solution:
    """Solve in doubles; exactly if only a cutoff decides there, and rational numbers take but seconds.

    exactly : reads the system as rational numbers. Which unknowns can be free depends on the rank.
    """
    found = solve_float(system, gradient_alone=gradient_alone)
    if None in found.error_bounds and can_be_settled(exact := exactly()):
        return solve_exact(exact, free)._replace(is_gradient_alone=gradient_alone)
    return solve_float(system, free, gradient_alone=gradient_alone) if free else found

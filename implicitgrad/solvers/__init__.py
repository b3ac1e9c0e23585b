"""LinearSystem → Solution."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

from implicitgrad.draft import AUTO, chosen_arithmetic, linear_system
from implicitgrad.errors import UsageError
from implicitgrad.solution import Solution
from implicitgrad.solvers.exact import solve_exact
from implicitgrad.system import Arithmetic, LinearSystem
from implicitgrad.work import can_be_settled


def solve(
    A: object,
    dL_dy: object = None,
    *,
    B: object = None,
    x: Sequence[str] | None = None,
    y: Sequence[str] | None = None,
    name: str | None = None,
    free: str | Sequence[str] = (),
    arithmetic: str = AUTO,
    rtol: float | None = None,
) -> Solution:
    """What is known of ∂y/∂x and ∂L/∂x in B·x = A·y.

    A : (M, N) nested sequences or array of numbers or their texts, or a LinearSystem, which has all the rest.
    dL_dy : (N,), or (K, N) for K losses. B : (M, P); the identity unless given. x, y : the P and N names.
    free : name or names of the unknowns to be free where ∂y/∂x is not unique.

    arithmetic : "exact" rational numbers, a float standing for its exact binary value; "float", doubles with bounds on
    their errors; or "auto": doubles for arrays and for
    what would take rational numbers more than about 0.1 s, unless a cutoff would decide the rank and these decide it
    in about 5 s. rtol : in
    doubles, the cutoff on the singular values of the scaled A, relative to the largest; max(M, N)·2⁻⁵² unless given.

    A singular A is an answer. Raises InputError for values that make no system, UsageError for a choice of free
    unknowns that is impossible.
    """
    if isinstance(free, str):
        free = [free]
    if isinstance(A, LinearSystem):
        if any(given is not None for given in (dL_dy, B, x, y, name)):
            raise TypeError("a LinearSystem has its own dL_dy, B, x, y and name")
        return solve_system(A, free, arithmetic, rtol)
    return solve_system(linear_system(A, dL_dy, B=B, x=x, y=y, name=name, arithmetic=arithmetic), free, AUTO, rtol)


def solve_system(
    system: LinearSystem,
    free: Sequence[str] = (),
    arithmetic: str = AUTO,
    rtol: float | None = None,
    *,
    gradient_alone: bool = False,
    order: int = 1,
    steps: bool = False,
) -> Solution:
    """As solve, of a system; "auto" is the arithmetic that it was made for.

    gradient_alone : leave out ∂y/∂x. order : 2 for ∂²y/∂x², too. steps : with the derivation.
    """
    chosen = system.arithmetic
    if arithmetic != AUTO:
        system, chosen = _in(chosen_arithmetic(arithmetic), system)
    if rtol is not None and not (isinstance(rtol, Real) and 0 <= rtol < 1):
        raise UsageError(f"rtol: expected a number from 0 to 1, got {rtol!r}")
    if steps:
        from implicitgrad.solvers.derivation import refuse_unfit, with_derivation

        refuse_unfit(system, chosen)
    settled = system.exactly if arithmetic == AUTO and rtol is None else None
    # which unknowns can be free depends on the rank
    found = _solve(system, free if settled is None else (), chosen, rtol, gradient_alone=gradient_alone)
    if settled is not None:
        if None in found.error_bounds and can_be_settled(exact := settled()):
            system, found = exact, _solve(exact, free, Arithmetic.EXACT, None, gradient_alone=gradient_alone)
        elif free:
            found = _solve(system, free, chosen, rtol, gradient_alone=gradient_alone)
    if system.origin is not None:
        from implicitgrad.solvers.at_point import with_origin

        found = with_origin(found)
    if system.remarks:
        found = found._replace(remarks=(*system.remarks, *found.remarks))
    if order == 2:
        from implicitgrad.solvers.second import with_second_derivatives

        found = with_second_derivatives(found)
    if steps:
        found = with_derivation(found)
    return found


def _in(arithmetic: Arithmetic, system: LinearSystem) -> tuple[LinearSystem, Arithmetic]:
    """A system that is to be solved in some arithmetic, and the one that will be; doubles are made by their solver."""
    if system.arithmetic is Arithmetic.SYMBOLIC:
        return system.with_arithmetic(arithmetic), Arithmetic.SYMBOLIC
    return (system if arithmetic is Arithmetic.FLOAT else system.with_arithmetic(arithmetic)), arithmetic


def _solve(
    system: LinearSystem, free: Sequence[str], chosen: Arithmetic, rtol: float | None, *, gradient_alone: bool
) -> Solution:
    if chosen is Arithmetic.FLOAT:
        from implicitgrad.solvers.floating import solve_float

        return solve_float(system, free, rtol, gradient_alone=gradient_alone)
    if chosen is Arithmetic.EXACT:
        found = solve_exact(system, free)
    else:
        from implicitgrad.solvers.symbolic import solve_symbolic

        found = solve_symbolic(system, free)
    return found._replace(is_gradient_alone=True) if gradient_alone else found

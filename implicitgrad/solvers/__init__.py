"""LinearSystem → Solution."""

from __future__ import annotations

from collections.abc import Sequence

from implicitgrad.draft import linear_system
from implicitgrad.solution import Solution
from implicitgrad.solvers.exact import solve_exact
from implicitgrad.system import LinearSystem


def solve(
    A: object,
    dL_dy: object = None,
    *,
    B: object = None,
    x: Sequence[str] | None = None,
    y: Sequence[str] | None = None,
    name: str | None = None,
    free: str | Sequence[str] = (),
) -> Solution:
    """What is known of ∂y/∂x and ∂L/∂x in B·x = A·y.

    A : (M, N) nested sequences or array of numbers or their texts, or a LinearSystem, which has all the rest.
    dL_dy : (N,), or (K, N) for K losses. B : (M, P); the identity unless given. x, y : the P and N names.
    free : name or names of the unknowns to be free where ∂y/∂x is not unique.

    The arithmetic is exact; a float stands for its exact binary value (see linear_system). A singular A
    is an answer. Raises InputError for values that make no system, UsageError for a choice of free unknowns that is
    impossible.
    """
    if isinstance(free, str):
        free = [free]
    if isinstance(A, LinearSystem):
        if any(given is not None for given in (dL_dy, B, x, y, name)):
            raise TypeError("a LinearSystem has its own dL_dy, B, x, y and name")
        return solve_exact(A, free)
    return solve_exact(linear_system(A, dL_dy, B=B, x=x, y=y, name=name), free)

"""What --require may ask of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from implicitgrad.errors import Problem

if TYPE_CHECKING:
    from implicitgrad.solution import Solution

UNIQUE_GRADIENT = "unique-dL_dx"
REQUIREMENTS = ("determined", "underdetermined", "overdetermined", "rank-deficient", UNIQUE_GRADIENT)


def unmet(solution: Solution, requirement: str) -> Problem | None:
    """What is asked for and the answer is not."""
    if requirement == solution.status:
        return None
    if requirement == UNIQUE_GRADIENT:
        if solution.dL_dx_rows is not None and all(solution.unique_losses):
            return None
        found = "a dL_dx that is not unique" if solution.dL_dx_rows is not None else "no dL_dy, and so no dL_dx"
    else:
        found = str(solution.status)
    message = f"expected {requirement} (--require), got {found}"
    return Problem(message, code="requirement", source=solution.system.source)

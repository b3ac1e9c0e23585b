"""Requirements that --require states of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.text.errors import Problem

if TYPE_CHECKING:
    from implicitgrad.model.solution import Solution

UNIQUE_GRADIENT = "unique-dL_dx"
REQUIREMENTS = ("determined", "underdetermined", "overdetermined", "rank-deficient", UNIQUE_GRADIENT)


class Facts(NamedTuple):
    """The facts about an answer that a requirement may concern."""

    source: str
    status: str
    is_gradient_unique: bool | None
    """None if there is no gradient."""


def facts_of(solution: Solution) -> Facts:
    """Return the facts about a solution."""
    is_unique = None if solution.dL_dx_rows is None else all(solution.unique_losses)
    return Facts(solution.system.source, str(solution.status), is_unique)


def unmet(facts: Facts, requirement: str) -> Problem | None:
    """Return a Problem if an answer does not meet a requirement, else None."""
    if requirement == facts.status or (requirement == UNIQUE_GRADIENT and facts.is_gradient_unique):
        return None
    found = facts.status
    if requirement == UNIQUE_GRADIENT:
        has_gradient = facts.is_gradient_unique is not None
        found = "a dL_dx that is not unique" if has_gradient else "no dL_dy, and so no dL_dx"
    message = f"expected {requirement} (--require), got {found}"
    return Problem(message, code="requirement", source=facts.source)

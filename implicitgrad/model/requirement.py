"""Requirements that --require states of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.model.spec import UNIQUE_GRADIENT
from implicitgrad.text.errors import Problem

if TYPE_CHECKING:
    from implicitgrad.model.program.solution import ProgramSolution
    from implicitgrad.model.solution import Solution


class Facts(NamedTuple):
    """The facts about an answer that a requirement may concern."""

    source: str
    status: str
    is_gradient_unique: bool | None
    """None if there is no gradient."""
    others: tuple[str, ...] = ()
    """Requirements beside the status that are met."""


def facts_of(solution: Solution | ProgramSolution) -> Facts:
    """Return the facts about a solution."""
    if solution.kind == "program":
        others = program_requirements(has_minimum=solution.z is not None, is_unique=solution.is_unique)
        found, has_losses = solution.derivatives, bool(solution.program.losses)
        exists = found is not None and not any(None in row for row in found.losses)
        return Facts(solution.program.source, str(solution.status), exists if has_losses else None, others)
    is_unique = None if solution.dL_dx_rows is None else all(solution.unique_losses)
    return Facts(solution.system.source, str(solution.status), is_unique)


def program_requirements(*, has_minimum: bool, is_unique: bool) -> tuple[str, ...]:
    """Return the requirements, beside its status, that the answer to a program meets."""
    return tuple(name for name, is_met in (("optimal", has_minimum), ("unique-z", is_unique)) if is_met)


def unmet(facts: Facts, requirement: str) -> Problem | None:
    """Return a Problem if an answer does not meet a requirement, else None."""
    if requirement in (facts.status, *facts.others) or (requirement == UNIQUE_GRADIENT and facts.is_gradient_unique):
        return None
    found = facts.status
    if requirement == UNIQUE_GRADIENT:
        has_gradient = facts.is_gradient_unique is not None
        found = "a dL_dx that is not unique" if has_gradient else "no dL_dy, and so no dL_dx"
    message = f"expected {requirement} (--require), got {found}"
    return Problem(message, code="requirement", source=facts.source)

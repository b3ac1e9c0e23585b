"""What a format offers to batch, and the refusal of programs in formats without a place for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from implicitgrad.text.errors import UsageError

if TYPE_CHECKING:
    from implicitgrad.model.solution import Solution
    from implicitgrad.text.errors import Problem
    from implicitgrad.writers.options import AnySolution

BatchAnswer = tuple[str, str, Any]
"""A source, a verdict or "error", and what ``BatchFormat.answer`` returned."""


class BatchFormat(NamedTuple):
    """How batch writes the answers to many systems into one output."""

    answer: Callable[[AnySolution, str | None], Any]
    """Write a Solution with the hash of its source's content."""
    failure: Callable[[str, str, Problem, str | None], str]
    """Write a source, its name, the problem with it and the hash."""
    header: str = ""
    """The text before the answers."""
    assemble: Callable[[Sequence[BatchAnswer], BinaryIO], None] | None = None
    """Write all answers at the end; None if each is a line of text, written at once."""


def linear_alone(solution: AnySolution) -> Solution:
    """Return the solution of a linear system. Raise UsageError for that of a program."""
    if solution.kind == "program":
        raise UsageError(
            f"{solution.program.source}: this format has no place for a quadratic program", "--format json"
        )
    return solution

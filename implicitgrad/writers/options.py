"""What a writer is given beside the answer, and what it offers to batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from implicitgrad.numbers.number_form import DEFAULT, NumberOptions
from implicitgrad.text.errors import UsageError

if TYPE_CHECKING:
    from implicitgrad.model.program_solution import ProgramSolution
    from implicitgrad.model.selection import Selection
    from implicitgrad.model.solution import Solution
    from implicitgrad.model.spec import SourceValue
    from implicitgrad.text.errors import Problem
    from implicitgrad.writers.record import Json

    AnySolution = Solution | ProgramSolution

BatchAnswer = tuple[str, str, Any]
"""A source, a verdict or "error", and what ``BatchFormat.answer`` returned."""


class WriteOptions(NamedTuple):
    """The options of writing one answer, each obeyed by the formats that it concerns."""

    numbers: NumberOptions = DEFAULT
    is_full: bool = True
    """Whether a large answer is written entry by entry, and not summarised."""
    is_on_screen: bool = False
    """Whether a page is laid out for the screen behind standard output, and not for a file."""
    values: Mapping[str, SourceValue] = MappingProxyType({})
    """The system's values as they were written, by key."""
    record_keys: Mapping[str, Json] = MappingProxyType({})
    """Further keys of a JSON record."""
    wrt: tuple[str, ...] = ()
    """The parameters of a program whose derivatives a page shows, by their keys; none for the usual ones."""
    has_steps: bool = False
    """Whether a page on a program has the derivation."""
    selection: Selection | None = None
    """The rows and the columns that a page or a spreadsheet shows; None for all."""


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

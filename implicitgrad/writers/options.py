"""What a writer is given beside the answer, and what of the answer it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.numbers.display.form import DEFAULT, NumberOptions

if TYPE_CHECKING:
    from fractions import Fraction

    from implicitgrad.model.program.solution import ProgramSolution
    from implicitgrad.model.selection import Selection
    from implicitgrad.model.solution import General, Solution
    from implicitgrad.model.spec import SourceValue
    from implicitgrad.numbers.matrix import BaseMatrix
    from implicitgrad.writers.record import Json

    AnySolution = Solution | ProgramSolution


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


class ShownAnswer(NamedTuple):
    """The unknowns and the independent inputs that are shown, and all Jacobians, restricted to them."""

    y: tuple[str, ...]
    x: tuple[str, ...]
    general: General
    """Its null space has a column for every free unknown."""
    minimum_norm: BaseMatrix[Fraction]
    """(N, shown inputs): every row."""
    unknowns: Sequence[int]
    """The indices of the shown ones of all unknowns."""
    inputs: Sequence[int]
    """The same of all inputs."""
    note: str = ""
    """How much of ∂y/∂x is shown, if that is not all."""

    @classmethod
    def whole(cls, solution: Solution) -> ShownAnswer:
        """Return all of an answer."""
        general, unknowns, inputs = solution.general, range(len(solution.y)), range(len(solution.x))
        return cls(solution.y, solution.independent, general, general.minimum_norm, unknowns, inputs)

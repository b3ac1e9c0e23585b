"""What a writer is given beside the answer."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.numbers.display.form import DEFAULT, NumberOptions

if TYPE_CHECKING:
    from implicitgrad.model.program.solution import ProgramSolution
    from implicitgrad.model.selection import Selection
    from implicitgrad.model.solution import Solution
    from implicitgrad.model.spec import SourceValue
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

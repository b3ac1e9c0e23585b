"""The elements of a page: sections of sentences, equations, matrices and tables, which each page format lays out."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import NamedTuple

from implicitgrad.numbers.display.style import Expression

NOT_FILES = ("<inline>", "<python>")
FREE = Expression(("free",))
"""The cell of a free entry of ∂y/∂x."""
OPEN = Expression(("not determined",))
"""The cell of an entry of ∂L/∂A or ∂L/∂B that is not determined."""


class Role(Enum):
    """The role of a sentence, which decides on its style."""

    PROSE = auto()
    FINDING = auto()
    """A result in words."""
    ASIDE = auto()
    """A remark on the numbers that follow."""
    CONDITION = auto()
    """An item of the list of cases in which an answer holds."""
    WARNING = auto()


class Sentence(NamedTuple):
    """A sentence without its capital and its full stop."""

    text: str
    role: Role = Role.PROSE
    is_spelled: bool = False
    """Whether the text is written in the format's own markup, and not to be escaped."""


class Equations(NamedTuple):
    """Equations, one a line."""

    lines: tuple[Expression, ...]


class Matrices(NamedTuple):
    """Matrices side by side."""

    pieces: tuple[str | Sequence[Sequence[str]], ...]
    """The matrices by their rows, and the operators between them."""


class Row(NamedTuple):
    """A row of a table: its label and a cell for each column."""

    label: str
    cells: tuple[Expression, ...]
    note: str = ""
    """Why the row is as it is."""


class Block(NamedTuple):
    """A table: a column for each independent input, rows of ∂y/∂x, then rows of ∂L/∂x."""

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    losses: tuple[Row, ...] = ()
    corner: str = "∂y/∂x"
    """The head of the labels."""
    left_columns: frozenset[int] = frozenset()
    """The columns that are aligned at the left."""

    @property
    def lines(self) -> tuple[Row, ...]:
        """Return all rows."""
        return self.rows + self.losses

    def is_wordy(self, column: int) -> bool:
        """Return whether a column has words or sums in it, and not numbers alone."""
        if column in self.left_columns:
            return True
        return any(line.cells[column] is FREE or len(line.cells[column].pieces) > 1 for line in self.lines)

    def notes(self) -> list[str]:
        """Return the notes as sentences."""
        return [f"{line.label} is {line.note}" for line in self.losses if line.note]


Element = Sentence | Equations | Matrices | Block


class Section(NamedTuple):
    """Elements that belong together."""

    elements: tuple[Element, ...]
    heading: str = ""


def titled(source: str, name: str, label: Callable[[str], str], parts: list[str]) -> list[str]:
    """Return the parts of a question, headed by its file, and by its name unless that repeats the file's."""
    if source.startswith(NOT_FILES):
        return parts
    file = os.path.basename(source)
    return [label(file) if _is_file_name(name, file) else f"{label(file)}: {label(name)}", *parts]


def _is_file_name(name: str, title: str) -> bool:
    """Return whether a name repeats that of its file."""
    file, _, index = title.rpartition("[")
    if name.endswith(f"[{index}"):  # a system of a stack
        name, title = name.removesuffix(f"[{index}"), file
    words = name.replace("-", "_")
    file, _, document = title.rpartition("#")
    file = (file if document.isdecimal() else title).replace("-", "_")
    return words in (file, file.rpartition(".")[0])


def loss_labels(K: int, below: str = "x") -> list[str]:
    """Return ``∂L/∂x`` for one loss, and ``∂L1/∂x`` and so on for several."""
    return [f"∂{loss}/∂{below}" for loss in loss_names(K)]


def loss_names(K: int) -> list[str]:
    """Return ``L`` for one loss, and ``L1`` and so on for several."""
    return ["L"] if K == 1 else [f"L{k + 1}" for k in range(K)]

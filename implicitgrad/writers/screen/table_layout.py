"""Lay out one table, in groups of columns that fit a width."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from rich.cells import cell_len

from implicitgrad.numbers.display.sums import Expression
from implicitgrad.terminal.streams import DOUBTFUL, LABEL, UNDETERMINED
from implicitgrad.writers.elements import FREE, OPEN, Block
from implicitgrad.writers.screen.line_breaks import break_expression

Line = list[tuple[str, str]]
"""Texts side by side, each with its style."""
GAP = "   "
MARGIN = "  "
NARROWEST_CELL = 24
"""The columns from which on a sum is broken in its cell."""
MAX_PIECES = 200
"""The terms of a sum on one line where a line may have any length."""
MAX_NOTE_BESIDE = 100
"""The columns of a note beside a table if a line may have any length."""


class TableLayout:
    """A table laid out in a width. room : the columns beside its margin; None if lines may have any length."""

    def __init__(self, block: Block, room: int | None) -> None:
        self.block, self.room = block, room
        self.corner = block.corner if block.rows else ""
        self.is_wordy = [block.is_wordy(k) for k in self.columns]
        self.label_width = max(cell_len(text) for text in [self.corner, *(line.label for line in block.lines)])
        beside = None if room is None else room - self.label_width
        breaks_at = None if beside is None or beside - len(GAP) < NARROWEST_CELL else beside - len(GAP)
        if room is None and any(len(cell.pieces) > MAX_PIECES for line in block.lines for cell in line.cells):
            breaks_at = MAX_NOTE_BESIDE
        self.cells = [[break_expression(line.cells[k], breaks_at) for line in block.lines] for k in self.columns]
        self.widths = [
            len(GAP) + max(cell_len(text) for text in [head, *(text for cell in column for text in cell)])
            for head, column in zip(block.heads, self.cells, strict=True)
        ]
        self.groups = _groups(self.widths, beside)
        longest_note = max((cell_len(line.note) for line in block.losses), default=0)
        space = MAX_NOTE_BESIDE if beside is None else beside - sum(self.widths) - len(GAP)
        self.is_narrow = beside is not None and (max(self.widths) > beside or self._is_shorter_by_entries())
        """Whether a line for each entry fits better."""
        self.has_notes_beside = len(self.groups) == 1 and longest_note <= space and not self.is_narrow

    @property
    def columns(self) -> range:
        """Return the numbers of the columns."""
        return range(len(self.block.heads))

    def _is_shorter_by_entries(self) -> bool:
        """Return whether groups would have one column each, and more lines than a line for each entry."""
        if len(self.groups) == 1 or max(map(len, self.groups)) > 1:
            return False
        rows = len(self.block.lines)
        in_groups = sum(len(cell) for column in self.cells for cell in column) + len(self.groups) * 4
        return in_groups > rows * (1 + len(self.groups)) + 3

    def lines(self) -> Iterator[Line]:
        """Yield as many columns side by side as fit, the others below them."""
        for number, group in enumerate(self.groups):
            if number:
                yield []
            heads = [(self.block.heads[k], "bold") for k in group]
            yield self._line((self.corner, "bold"), heads, group)
            yield [(" " + "─" * (self.label_width + 1 + sum(self.widths[k] for k in group)), "")]
            for i, row in enumerate(self.block.lines):
                is_loss = i >= len(self.block.rows)
                if self.block.rows and i == len(self.block.rows):
                    yield []
                note = f"{GAP}{row.note}" if self.has_notes_beside and row.note else ""
                label = row.label
                for texts in zip_longest(*(self.cells[k][i] for k in group), fillvalue=""):
                    cells = [(text, style_of(row.cells[k], is_loss)) for text, k in zip(texts, group, strict=True)]
                    yield [*self._line((label, LABEL), cells, group), (note, DOUBTFUL)]
                    label = note = ""

    def _line(self, label: tuple[str, str], cells: list[tuple[str, str]], group: list[int]) -> Line:
        """Return a line of padded cells: words are aligned at the left, numbers at the right."""
        line = [(MARGIN, ""), label, (" " * (self.label_width - cell_len(label[0])), "")]
        for k, (text, style) in zip(group, cells, strict=True):
            padding = " " * (self.widths[k] - len(GAP) - cell_len(text))
            is_wordy = self.is_wordy[k]
            line += [(GAP if is_wordy else GAP + padding, ""), (text, style), (padding if is_wordy else "", "")]
        return line


def style_of(cell: Expression, is_loss: bool) -> str:
    """Return the style of an entry, of ∂L/∂x or of ∂y/∂x."""
    if cell is FREE or cell is OPEN:
        return UNDETERMINED
    return "bold" if is_loss else ""


def _groups(widths: list[int], room: int | None) -> list[list[int]]:
    """Return groups of consecutive columns that fit side by side."""
    groups: list[list[int]] = [[]]
    used = 0
    for k, width in enumerate(widths):
        if groups[-1] and room is not None and used + width > room:
            groups.append([])
            used = 0
        groups[-1].append(k)
        used += width
    return groups

"""Lay out one table, its columns side by side."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, zip_longest

from rich.cells import cell_len

from implicitgrad.numbers.display.style import Expression
from implicitgrad.terminal.streams import DOUBTFUL, LABEL, UNDETERMINED
from implicitgrad.writers.elements import FREE, OPEN, Block

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
        self.block = block
        self.corner = block.corner if block.rows else ""
        columns = range(len(block.heads))
        self.is_wordy = list(map(block.is_wordy, columns))
        self.label_width = max(cell_len(text) for text in [self.corner, *(line.label for line in block.lines)])
        beside = None if room is None else room - self.label_width
        breaks_at = None if beside is None or beside - len(GAP) < NARROWEST_CELL else beside - len(GAP)
        if room is None and any(len(cell.pieces) > MAX_PIECES for line in block.lines for cell in line.cells):
            breaks_at = MAX_NOTE_BESIDE
        self.cells = [[lines_of(line.cells[k], breaks_at) for line in block.lines] for k in columns]
        self.widths = [
            len(GAP) + max(map(cell_len, [head, *chain.from_iterable(column)]))
            for head, column in zip(block.heads, self.cells, strict=True)
        ]
        self.fits = beside is None or sum(self.widths) <= beside
        longest_note = max((cell_len(line.note) for line in block.losses), default=0)
        space = MAX_NOTE_BESIDE if beside is None else beside - sum(self.widths) - len(GAP)
        self.has_notes_beside = self.fits and longest_note <= space

    def lines(self) -> Iterator[Line]:
        """Yield the heads, a rule, and the rows with their notes, those of ∂L/∂x below an empty line."""
        yield self._line((self.corner, "bold"), [(head, "bold") for head in self.block.heads])
        yield [(" " + "─" * (self.label_width + 1 + sum(self.widths)), "")]
        for i, row in enumerate(self.block.lines):
            is_loss = i >= len(self.block.rows)
            if self.block.rows and i == len(self.block.rows):
                yield []
            label, note = row.label, f"{GAP}{row.note}" if self.has_notes_beside and row.note else ""
            for texts in zip_longest(*(column[i] for column in self.cells), fillvalue=""):
                cells = [(text, style_of(cell, is_loss)) for text, cell in zip(texts, row.cells, strict=True)]
                yield [*self._line((label, LABEL), cells), (note, DOUBTFUL)]
                label = note = ""

    def _line(self, label: tuple[str, str], cells: Line) -> Line:
        """Return a line of padded cells: words are aligned at the left, numbers at the right."""
        line = [(MARGIN, ""), label, (" " * (self.label_width - cell_len(label[0])), "")]
        for (text, style), width, is_wordy in zip(cells, self.widths, self.is_wordy, strict=True):
            padding = " " * (width - len(GAP) - cell_len(text))
            line += [(GAP if is_wordy else GAP + padding, ""), (text, style), (padding if is_wordy else "", "")]
        return line


def lines_of(content: Expression | str, width: int | None, *, is_list: bool = False) -> list[str]:
    """Return an expression, a sentence or a list as one line, or as several if it is wider than ``width``."""
    text = str(content)
    if width is None or cell_len(text) <= width:
        return [text]
    from implicitgrad.writers.screen.line_breaks import break_expression, break_line

    if isinstance(content, Expression):
        return break_expression(content, width)
    return break_line(content, width, is_list=is_list)


def style_of(cell: Expression, is_loss: bool) -> str:
    """Return the style of an entry, of ∂L/∂x or of ∂y/∂x."""
    if cell is FREE or cell is OPEN:
        return UNDETERMINED
    return "bold" if is_loss else ""

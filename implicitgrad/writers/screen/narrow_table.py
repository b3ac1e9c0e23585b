"""Lay out a table on a screen too narrow for its columns: one entry a line, or as two tables."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from rich.cells import cell_len

from implicitgrad.numbers.display.sums import Expression
from implicitgrad.terminal.streams import LABEL
from implicitgrad.writers.elements import Block
from implicitgrad.writers.screen.line_breaks import break_expression, break_line
from implicitgrad.writers.screen.table_layout import GAP, MARGIN, NARROWEST_CELL, Line, style_of


class EntryLayout:
    """A table with a heading for each row and one entry a line. room : the columns beside its margin."""

    def __init__(self, block: Block, room: int) -> None:
        self.block, self.room = block, room
        self.is_wordy = [block.is_wordy(k) for k in range(len(block.heads))]

    def lines(self) -> Iterator[Line]:
        """Yield a heading for each row, and below it the name and the value of each entry, or one below the other."""
        indent = MARGIN * 2
        room = max(1, self.room - len(MARGIN))
        names, values = self._entry_widths(room)
        is_stacked = names + len(GAP) + values > room
        corner = self.block.corner if self.block.rows else ""
        if corner:
            yield from self._heading(corner, "bold")
            yield [(" " + "─" * (min(room, names + len(GAP) + values) + 1 + len(MARGIN)), "")]
        for i, row in enumerate(self.block.lines):
            is_loss = i >= len(self.block.rows)
            if self.block.rows and i == len(self.block.rows):
                yield []
            yield from self._heading(row.label, "bold" if is_loss else LABEL)
            for k, head in enumerate(self.block.heads):
                style, is_wordy = style_of(row.cells[k], is_loss), self.is_wordy[k]
                is_aligned = not (is_wordy or is_stacked)
                cell = Expression(tuple(piece if is_aligned else piece.strip() for piece in row.cells[k].pieces))
                if not str(cell).strip():
                    continue
                value = break_expression(cell, values)
                name = break_line(head, names)
                if is_stacked:
                    yield from ([(indent + text, "")] for text in break_line(head, room))
                    yield from ([(indent + MARGIN, ""), (text, style)] for text in value)
                    continue
                for left, right in zip_longest(name, value, fillvalue=""):
                    padding = "" if is_wordy else " " * (values - cell_len(right))
                    yield [(indent + left + " " * (names - cell_len(left)) + GAP + padding, ""), (right, style)]

    def _heading(self, label: str, style: str) -> Iterator[Line]:
        for text in break_line(label, self.room):
            yield [(MARGIN, ""), (text, style)]

    def _entry_widths(self, room: int) -> tuple[int, int]:
        """Return the columns for the names and for the values of the entries."""
        names = max(map(cell_len, self.block.heads))
        values = max(cell_len(str(cell)) for row in self.block.lines for cell in row.cells)
        if names + len(GAP) + values <= room:
            return names, values
        narrow = min(values, max(room - len(GAP) - names, NARROWEST_CELL))
        if any(self.is_wordy) and narrow + len(GAP) + names <= room:
            return names, narrow
        beside = room - len(GAP) - values
        if beside >= NARROWEST_CELL:
            return beside, values
        return names, room - len(MARGIN) if values > room - len(MARGIN) else values


def parts_of(block: Block) -> tuple[Block, Block] | None:
    """Return the two tables that stand side by side in one, unknowns and active constraints, if there are two."""
    if block.corner or not any(k < len(block.heads) for k in block.left_columns):
        return None
    split = min(block.left_columns)
    left = tuple(row._replace(cells=row.cells[:split]) for row in block.rows if row.label)
    right = tuple(
        row._replace(label=str(row.cells[split]), cells=row.cells[split + 1 :])
        for row in block.rows
        if str(row.cells[split])
    )
    heads = block.heads
    others = frozenset(k - split - 1 for k in block.left_columns if k > split)
    return Block(heads[:split], left, (), corner=""), Block(heads[split + 1 :], right, (), heads[split], others)

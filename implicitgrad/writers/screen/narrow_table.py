"""Lay out a table on a screen too narrow for it: as two tables, in groups of columns, or one entry a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.cells import cell_len

from implicitgrad.numbers.display.style import Expression
from implicitgrad.terminal.streams import LABEL
from implicitgrad.writers.elements import Block, Row
from implicitgrad.writers.screen.line_breaks import break_expression, break_line
from implicitgrad.writers.screen.table_layout import GAP, MARGIN, NARROWEST_CELL, Line, TableLayout, style_of


def narrowed(block: Block, room: int) -> Iterator[Line]:
    """Yield the lines of a table, those of a wide one in another form. room : the columns beside its margin."""
    table = TableLayout(block, room)
    if table.fits:
        yield from table.lines()
        return
    parts = _side_by_side(block)
    if not parts:
        groups = _groups(table.widths, room - table.label_width)
        if max(table.widths) > room - table.label_width or _is_longer_in_groups(table, groups):
            yield from _EntryLayout(block, room).lines()
            return
        parts = [_columns(block, group) for group in groups]
    for number, part in enumerate(parts):
        if number:
            yield []
        yield from narrowed(part, room)


def _side_by_side(block: Block) -> list[Block]:
    """Return the two tables that stand side by side in one, unknowns and active constraints, if there are two."""
    if block.corner or not any(k < len(block.heads) for k in block.left_columns):
        return []
    split = min(block.left_columns)
    left, right = _columns(block, range(split)), _columns(block, range(split + 1, len(block.heads)))
    labels = [str(row.cells[split]) for row in block.rows]
    labelled = [row._replace(label=label) for row, label in zip(right.rows, labels, strict=True) if label]
    return [
        left._replace(rows=tuple(row for row in left.rows if row.label)),
        right._replace(rows=tuple(labelled), corner=block.heads[split]),
    ]


def _columns(block: Block, columns: Sequence[int]) -> Block:
    """Return some columns of a table, without its notes."""
    rows, losses = (
        tuple(Row(row.label, tuple(row.cells[k] for k in columns)) for row in rows)
        for rows in (block.rows, block.losses)
    )
    left = frozenset(m for m, k in enumerate(columns) if k in block.left_columns)
    return Block(tuple(block.heads[k] for k in columns), rows, losses, block.corner, left)


def _groups(widths: Sequence[int], room: int) -> list[list[int]]:
    """Return groups of consecutive columns that fit side by side."""
    groups: list[list[int]] = [[]]
    used = 0
    for k, width in enumerate(widths):
        if groups[-1] and used + width > room:
            groups.append([])
            used = 0
        groups[-1].append(k)
        used += width
    return groups


def _is_longer_in_groups(table: TableLayout, groups: Sequence[Sequence[int]]) -> bool:
    """Return whether groups have one column each, and more lines than a line for each entry."""
    if max(map(len, groups)) > 1:
        return False
    in_groups = sum(len(cell) for column in table.cells for cell in column) + len(groups) * 4
    return in_groups > len(table.block.lines) * (1 + len(groups)) + 3


class _EntryLayout:
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

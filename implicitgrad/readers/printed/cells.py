"""Split printed lines into cells: labels and blocks of columns are removed, and the names of rows and columns found."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from implicitgrad.readers.csv.cells import Table
from implicitgrad.readers.printed.dialects import LABEL
from implicitgrad.readers.printed.inline import InlineError, Token
from implicitgrad.text.characters import count, quoted
from implicitgrad.text.number_texts import as_number

BLANKS = " \t\r\v"
Row = list[Token]


@dataclass(slots=True)
class PlacedTable(Table):
    """A table whose cells know their positions."""

    places: list[list[tuple[int, int]]] = field(default_factory=list)

    def position(self, row: int, cell: int) -> tuple[int, int]:
        """Return (line, column) of a cell, 1-based."""
        return self.places[row][cell]


class Grid(NamedTuple):
    """The cells of a matrix, and which of them are names."""

    rows: list[Row]
    has_header: bool | None = None
    """Whether the first row holds names; None if its content decides."""
    has_names: bool | None = None
    """Whether the first column does."""
    is_column: bool = False
    """Whether the one row is a column where it was printed."""


def split_cells(text: str, original: str, separator: str) -> list[Row]:
    """Return the cells of each line that has any; a separator of " " is any number of blanks.

    original : the text before it was rewritten, of the same length, whose lines count.
    """
    starts = [0]
    for line in original.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    rows, offset = [], 0
    for line in text.split("\n"):
        row = []
        pieces = re.findall(rf"[^{BLANKS}]+", line) if separator == " " else line.split(separator)
        column = 0
        for piece in pieces if line.strip(BLANKS) else ():
            cell = piece.strip(BLANKS)
            column = line.index(cell, column)
            place = bisect_right(starts, offset + column) - 1
            row.append(Token(_plain(cell), (place + 1, offset + column - starts[place] + 1)))
            column += len(cell)
            if separator != " ":
                column = line.find(separator, column) + 1
        if row:
            rows.append(row)
        offset += len(line) + 1
    return rows


def _plain(cell: str) -> str:
    """Return a cell without blanks around signs and in fractions; 1 2 remains what is no number."""
    parts = re.findall(rf"[^{BLANKS}]+", cell)
    is_one = all(a[-1] in "-+−/" or b[0] in "/" for a, b in pairwise(parts))
    return (is_one and as_number(cell)) or " ".join(parts)


def read_grid(rows: list[Row], *, has_names: bool) -> Grid:
    """Join the blocks of columns that were printed below one another, and remove labels. Raise InlineError."""
    if all(_are_labels(row[:1]) and not _are_labels(row) for row in rows):
        return Grid([_whole_vector(rows)], has_header=False, has_names=False)
    blocks: list[list[Row]] = [[]]
    for row, following in zip(rows, [*rows[1:], []], strict=True):
        if _are_labels(row) or (has_names and len(following) == len(row) + 1 and not _are_labels(row[:1])):
            blocks.append([_numbered(row, len(following))])
        else:
            blocks[-1].append(row)
    if blocks[0] and len(blocks) > 1:
        raise InlineError(f"expected a matrix, got {quoted(blocks[0][0][0].text)} above one", blocks[0][0][0])
    if len(blocks) == 1:
        return Grid(rows, has_header=False, has_names=False)
    return _without_labels(_joined(blocks[1:]))


def _are_labels(row: Sequence[Token]) -> bool:
    return all(token.text.startswith(LABEL) for token in row)


def _numbered(header: Row, width: int) -> Row:
    """Return a label for each of ``width`` columns if the header is of several, 1:8. Raise InlineError."""
    first, colon, last = header[0].text[1:].partition(":")
    if not colon or not _are_labels(header):
        return header
    if int(last) - int(first) + 1 != width:
        message = f"expected columns {first} to {last} below this line, got {count(width, 'cell')}"
        raise InlineError(message, header[0])
    return [Token(f"{LABEL}{k}", header[0].position) for k in range(int(first), int(last) + 1)]


def _joined(blocks: list[list[Row]]) -> list[Row]:
    """Return blocks of columns, each under its header, beside one another. Raise InlineError if they do not fit."""
    whole: list[Row] = []
    for header, *body in blocks:
        if not body:
            raise InlineError("expected rows below this line, got none", header[0])
        first = int(len(body[0]) == len(header) + 1 or _are_labels(body[0][:1]))
        block = [[Token("", header[0].position)] * first + header, *body]
        for row in block:
            if len(row) != len(header) + first:
                found = f"got {count(len(row), 'cell')}"
                raise InlineError(
                    f"expected {count(len(header) + first, 'cell')}, as below the header, {found}", row[0]
                )
        if not whole:
            whole = block
            continue
        if [row[0].text for row in block[first:]] != [row[0].text for row in whole[first:]] and first:
            raise InlineError("expected the same rows in each block of columns", header[0])
        if len(block) != len(whole):
            raise InlineError(f"expected {count(len(whole) - 1, 'row')} in each block of columns", header[0])
        whole = [[*row, *more[first:]] for row, more in zip(whole, block, strict=True)]
    return whole


def _without_labels(rows: list[Row]) -> Grid:
    """Return a table without the numbers of its rows and columns. Raise InlineError if some are missing."""
    first = int(not rows[0][0].text)
    column = [row[0] for row in rows[1:]]
    has_header = not _are_labels(rows[0][first:])
    if not has_header:
        _refuse_gap(rows[0][first:], "column")
        rows = rows[1:]
    has_names = bool(first)
    if first and _are_labels(column):
        _refuse_gap(column, "row")
        rows, has_names = [row[1:] for row in rows], False
    return Grid(rows, has_header, has_names)


def _refuse_gap(labels: Iterable[Token], what: str) -> None:
    for k, label in enumerate(labels, start=1):
        if label.text != f"{LABEL}{k}":
            message = f"expected {what} {k}, got {what} {label.text[1:]}: a part of the print is missing"
            raise InlineError(message, label)


def _whole_vector(rows: list[Row]) -> Row:
    """Return the entries of lines that each begin with the number of their first entry. Raise InlineError."""
    vector: Row = []
    for label, *entries in rows:
        if label.text != f"{LABEL}{len(vector) + 1}":
            message = f"expected entry {len(vector) + 1}, got entry {label.text[1:]}: a part of the print is missing"
            raise InlineError(message, label)
        vector += entries
    return vector


def placed_table(grid: Grid, source: str) -> PlacedTable:
    """Return cells as the rows of a CSV file. Raise InlineError if the rows differ in length."""
    first = grid.rows[0]
    for row in grid.rows:
        if len(row) != len(first):
            expected = f"expected {count(len(first), 'cell')}, as on line {first[0].position[0]}"
            raise InlineError(f"{expected}, got {len(row)}", row[-1])
    texts = [[cell.text for cell in row] for row in grid.rows]
    places = [[cell.position for cell in row] for row in grid.rows]
    return PlacedTable(source, ",", ".", texts, places=places)

"""Read large CSV tables of plain decimals as doubles, all at once.

Nothing here reports an error: cells.py reads or explains all other tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from implicitgrad.model.spec import CsvFormat
from implicitgrad.numbers.doubles import Decimals
from implicitgrad.readers.csv.cells import Table, is_comment, refuse_another_delimiter, split_lines

LARGE = 2**16
"""Characters; cells.py takes 10 ms for so many, and loading numpy 50 or more."""
DELIMITERS = (",", ";", "\t", "|")
MAX_HEADING_LENGTH = 2**16
"""The csv module refuses cells twice as long."""


class NotPlain(Exception):
    """The table is not one of plain decimals."""


@dataclass(slots=True)
class LargeTable(Table):
    """A table without quotes. ``rows`` has headings only: the first row, and the first cell of each other row."""

    def has_decimals(self, rows: Iterable[int]) -> bool:
        """Return whether a number after the first cell of some rows has a decimal point."""
        lines = (self.lines[self.starts[row] - 1] for row in rows)
        return any("." in line.partition(self.delimiter)[2] for line in lines)

    def numbers(self, rows: list[int], first_cell: int) -> Decimals:
        """Return the numbers of some rows, from a cell on. Raises NotPlain."""
        from implicitgrad.readers.arrays.decimals import from_lines

        lines = [self.lines[self.starts[row] - 1] for row in rows]
        if first_cell:
            lines = [line.partition(self.delimiter)[2] for line in lines]
        found = from_lines(lines, self.delimiter, len(self.rows[0]) - first_cell)
        if found is None:
            raise NotPlain
        return Decimals(*found, lambda: [list(map(self.number, line.split(self.delimiter))) for line in lines])


def read_large_table(text: str, source: str, form: CsvFormat) -> LargeTable | None:
    """Return the table if it is large and has no quote outside comments, else None. Raises InputError."""
    delimiter = form.delimiter or ","
    if len(text) < LARGE or delimiter not in DELIMITERS or form.decimal == ",":
        return None
    table = LargeTable(source, delimiter, form.decimal, lines=split_lines(text))
    for number, line in enumerate(table.lines, start=1):
        if is_comment(line):
            continue
        if '"' in line:
            return None
        table.rows.append([line.partition(delimiter)[0]] if table.rows else line.split(delimiter))
        table.starts.append(number)
    headings = [*(table.rows[0] if table.rows else ()), *(row[0] for row in table.rows)]
    if max(map(len, headings), default=MAX_HEADING_LENGTH) >= MAX_HEADING_LENGTH:
        return None
    if len(table.rows[0]) == 1:
        refuse_another_delimiter(table)
    return table

"""The large CSV table, whose numbers become doubles at once; whatever it has beyond plain decimals is for csv_rows.

Nothing here reports an error: what this cannot read, the careful reader reads, or explains.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from implicitgrad.model.spec import CsvFormat
from implicitgrad.numbers.ball import Decimals
from implicitgrad.readers.csv_rows import Table, is_passed_over, refuse_another_delimiter, split_lines

LARGE = 2**16
"""Characters; the careful reader takes 10 ms for so many, and numpy 50 or more to be loaded."""
DELIMITERS = (",", ";", "\t", "|")
LONGEST_HEADING = 2**16
"""The csv module refuses cells twice as long."""


class NotPlain(Exception):
    """Something in the table needs the careful reader."""


@dataclass(slots=True)
class LargeTable(Table):
    """A table without a quote. ``rows`` has headings alone: the first row, and of each other row the first cell."""

    def has_decimals(self, rows: Iterable[int]) -> bool:
        """Whether a number behind the first cell of some rows has a decimal point."""
        lines = (self.lines[self.starts[row] - 1] for row in rows)
        return any("." in line.partition(self.delimiter)[2] for line in lines)

    def numbers(self, rows: list[int], first_cell: int) -> Decimals:
        """The numbers of some rows, from a cell on. Raises NotPlain."""
        from implicitgrad.readers.decimals import from_lines

        lines = [self.lines[self.starts[row] - 1] for row in rows]
        if first_cell:
            lines = [line.partition(self.delimiter)[2] for line in lines]
        found = from_lines(lines, self.delimiter, len(self.rows[0]) - first_cell)
        if found is None:
            raise NotPlain
        return Decimals(*found, lambda: [list(map(self.number, line.split(self.delimiter))) for line in lines])


def read_large_table(text: str, source: str, form: CsvFormat) -> LargeTable | None:
    """The table in a text without a quote outside comments; None for any other, and a small one. Raises InputError."""
    delimiter = form.delimiter or ","
    if len(text) < LARGE or delimiter not in DELIMITERS or form.decimal == ",":
        return None
    table = LargeTable(source, delimiter, form.decimal, lines=split_lines(text))
    for number, line in enumerate(table.lines, start=1):
        if is_passed_over(line):
            continue
        if '"' in line:
            return None
        table.rows.append([line.partition(delimiter)[0]] if table.rows else line.split(delimiter))
        table.starts.append(number)
    headings = [*(table.rows[0] if table.rows else ()), *(row[0] for row in table.rows)]
    if max(map(len, headings), default=LONGEST_HEADING) >= LONGEST_HEADING:
        return None
    if len(table.rows[0]) == 1:
        refuse_another_delimiter(table)
    return table

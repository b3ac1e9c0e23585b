"""Split CSV text into rows of cells with their positions; the csv module parses, strictly."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from implicitgrad.model.spec import CsvFormat
from implicitgrad.numbers.doubles import Decimals
from implicitgrad.text.characters import count, printable, quoted
from implicitgrad.text.errors import MAX_PROBLEMS_SHOWN, InputError, Problem
from implicitgrad.text.number_grammar import is_number


@dataclass(slots=True)
class Table:
    """The rows of a CSV file as written."""

    source: str
    delimiter: str
    decimal: str
    rows: list[list[str]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """The 1-based line that each row starts on."""
    lines: list[str] = field(default_factory=list)
    placed: int = 0
    """The number of problems with a place."""

    def position(self, row: int, cell: int) -> tuple[int, int]:
        """Return (line, column) of a cell, 1-based; a quote opens only at a cell's start, and a doubled one reopens."""
        line = self.starts[row]
        column, in_quotes, passed = 1, False, 0
        for text in self.lines[line - 1 :]:
            previous = self.delimiter
            for column, character in enumerate(text, start=1):
                if passed == cell and not in_quotes:
                    return line, column
                if character == '"':
                    in_quotes = not in_quotes and previous in (self.delimiter, '"')
                passed += character == self.delimiter and not in_quotes
                previous = character
            line += 1
            if not in_quotes:
                break
        return line - 1, column + 1

    def problem(self, message: str, row: int, cell: int, hint: str | None = None, code: str = "bad-csv") -> Problem:
        """Return a problem placed at a cell; only as many are placed as are shown."""
        self.placed += 1
        place = self.position(row, cell) if self.placed <= MAX_PROBLEMS_SHOWN else None
        return Problem(message, hint, code).at(self.source, place)

    def is_number(self, cell: str) -> bool:
        """Return whether a cell has the form of a number."""
        return is_number(self.number(cell))

    def number(self, cell: str) -> str:
        """Return a cell's text with a point as decimal mark."""
        stripped = cell.strip(" \t")
        with_point = stripped.replace(",", ".")
        return with_point if self.decimal == "," and is_number(with_point) else stripped

    def has_decimals(self, rows: Iterable[int]) -> bool:
        """Return whether a number after the first cell of some rows has a decimal point."""
        return any("." in self.number(cell) for row in rows for cell in self.rows[row][1:])

    def numbers(self, rows: list[int], first_cell: int) -> Decimals | list[list[str]]:
        """Return the texts of the numbers in some rows, from a cell on."""
        return [[self.number(cell) for cell in self.rows[row][first_cell:]] for row in rows]


def split_lines(text: str) -> list[str]:
    """Split a text into lines, with any line endings."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def is_comment(line: str) -> bool:
    """Return whether a line between rows is a comment, or blank."""
    return not line.strip(" ") or line.lstrip().startswith("#")


def read_table(text: str, source: str, form: CsvFormat) -> Table:
    """Return the rows of a CSV file, all of one length. Raises InputError."""
    delimiter = form.delimiter or ","
    table = Table(source, delimiter, form.decimal, lines=split_lines(text))
    try:
        _read_rows(table)
    except csv.Error as error:
        line = min(table.starts[-1] if table.starts else 1, len(table.lines))
        reason = "a quote is not closed" if "unexpected end" in str(error) else printable(str(error))
        hint = 'A quoted cell ends with " followed by the delimiter; a quote inside it is doubled'
        if "field larger" in reason:
            hint = "A cell that long is no number and no name"
        raise InputError([Problem(f"not valid CSV: {reason}", hint, "bad-csv", source, line)]) from None
    if not table.rows:
        raise InputError([Problem("empty; expected a system", code="empty", source=source)])
    _refuse_line_of_excel(table)
    _refuse_ragged(table)
    refuse_another_delimiter(table)
    if table.decimal == ",":
        _refuse_points(table)
    return table


def _refuse_line_of_excel(table: Table) -> None:
    """Raise InputError for the line sep=; that tells Excel the delimiter."""
    line = table.lines[table.starts[0] - 1].strip(" ")
    if (found := re.fullmatch('"?sep=(.)"?', line, re.IGNORECASE)) is not None:
        hint = "It tells Excel the delimiter: delete the line"
        if found[1] != table.delimiter:
            hint += f", and give --delimiter {shown_delimiter(found[1])}"
        raise InputError([table.problem(f"expected a header or numbers, got {quoted(line)}", 0, 0, hint)])


def _refuse_ragged(table: Table) -> None:
    width, first = len(table.rows[0]), table.starts[0]
    ragged = [r for r, row in enumerate(table.rows) if len(row) != width]
    problems = []
    seen = _other_delimiter(table) if ragged else None
    hint = delimiter_hint(seen) if seen else _ragged_hint(table, ragged) if ragged else None
    for r in ragged[:1] if seen else ragged:
        found = len(table.rows[r])
        message = f"expected {count(width, 'cell')}, as on line {first}, got {found}"
        problems.append(table.problem(message, r, min(width, found - 1), hint, "ragged"))
    if problems:
        raise InputError(problems)


def refuse_another_delimiter(table: Table) -> None:
    """Raise InputError if there is one column and each of its cells contains the same other delimiter."""
    if len(table.rows[0]) > 1:
        return
    for other in (";", "\t", ",", "|"):
        if other not in (table.delimiter, table.decimal) and all(other in row[0] for row in table.rows):
            name = shown_delimiter(other)
            hint = f"Is {name} the delimiter? --delimiter {name} says so"
            if other == ",":
                hint += ". Is it the decimal mark? --decimal , says so"
            message = (
                f"expected columns separated by {shown_delimiter(table.delimiter)}, got {quoted(table.rows[0][0])}"
            )
            raise InputError([table.problem(message, 0, 0, hint)])


def _refuse_points(table: Table) -> None:
    cells = [(r, c, cell.strip()) for r, row in enumerate(table.rows) for c, cell in enumerate(row)]
    problems = [
        table.problem(f"expected a decimal comma, got {quoted(cell)}", r, c, _point_hint(cell), "bad-number")
        for r, c, cell in cells
        if "." in cell and is_number(cell)
    ]
    if problems:
        raise InputError(problems)


def _point_hint(cell: str) -> str:
    """Return what to write instead of a number with a point where commas are decimal marks."""
    comma = cell.replace(".", ",")
    if re.fullmatch(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}", cell):
        return f"Write {cell.replace('.', '')} if the point separates thousands, {comma} if it is the decimal mark"
    return f"Write {comma}; where all decimal marks are points, leave out --decimal ,"


def _read_rows(table: Table) -> None:
    """Fill the table, without blank lines and full-line comments between rows."""
    position = 0
    is_row_start = True

    def lines() -> Iterator[str]:
        nonlocal position, is_row_start
        for line in table.lines:
            position += 1
            if is_row_start:
                if is_comment(line):
                    continue
                table.starts.append(position)
                is_row_start = False
            yield line + "\n"

    for row in csv.reader(lines(), delimiter=table.delimiter, strict=True):
        table.rows.append(row)
        is_row_start = True


def _other_delimiter(table: Table) -> str | None:
    """Return another delimiter that every row contains."""
    others = [d for d in (";", "\t", ",", "|") if d not in (table.delimiter, table.decimal)]
    return next((d for d in others if all(d in table.lines[start - 1] for start in table.starts)), None)


def _ragged_hint(table: Table, ragged: list[int]) -> str | None:
    if table.delimiter == "," and table.decimal == ",":
        return "With --decimal , the columns need another --delimiter, or quotes"
    if any(not table.rows[r][-1] for r in ragged):
        return "Remove the trailing delimiter"
    width = len(table.rows[0])
    if {len(table.rows[r]) for r in ragged} != {width + 1} or any(map(table.is_number, table.rows[0])):
        return None
    if len(ragged) == len(table.rows) - 1:
        return "If the rows begin with names, the header begins with an empty cell: R's write.csv writes one"
    if not any(table.is_number(table.rows[r][0]) for r in ragged):
        return "If one row begins with a name, all do, and the header begins with an empty cell"
    return None


def shown_delimiter(delimiter: str) -> str:
    """Return a delimiter as written in a shell."""
    return "','" if delimiter == "," else "'\\t'" if delimiter == "\t" else quoted(delimiter)


def delimiter_hint(seen: str) -> str:
    """Return the hint for a cell that contains another delimiter."""
    name = shown_delimiter(seen)
    if seen == ",":
        return "Is ',' the delimiter? --delimiter ',' says so"
    return f"If {name} separates the columns and ',' is the decimal mark: --delimiter {name} --decimal ,"

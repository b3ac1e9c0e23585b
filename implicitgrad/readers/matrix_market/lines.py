"""Read the entries of a MatrixMarket file line by line, and locate what is wrong with one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from implicitgrad.text.characters import count, quoted
from implicitgrad.text.errors import MAX_PROBLEMS_SHOWN, InputError, Problem
from implicitgrad.text.number_grammar import NumberError, parse_ratio

INDEX = re.compile("[0-9]{1,18}")


class Header(NamedTuple):
    """What a file says of its matrix before the entries."""

    is_coordinate: bool
    """Whether each entry is written with its row and column; otherwise all are written, column by column."""
    symmetry: str
    shape: tuple[int, int]
    entries: int
    """The number of lines of entries."""
    line: int
    """The line of the sizes, 1-based."""


class Entries(NamedTuple):
    """The entries as written, with 0-based indices."""

    rows: list[int]
    columns: list[int]
    texts: list[str]


class LineReader:
    """A reader of entries, line by line, that collects problems."""

    def __init__(self, path: str, header: Header, lines: Iterator[tuple[int, str]]) -> None:
        self.path, self.header, self.lines = path, header, lines
        self.found = Entries([], [], [])
        self.problems: list[Problem] = []
        self.seen: dict[tuple[int, int], int] = {}
        """The line of each entry that is written, and of its mirror image."""

    def entries(self) -> Entries:
        """Return the entries, with those that a symmetry adds. Raise InputError with every problem found."""
        header, number, last = self.header, 0, self.header.line
        places = None if header.is_coordinate else _by_columns(header)
        for number, (line, text) in enumerate(self.lines, start=1):
            last = line
            if number > header.entries:
                continue
            self._take(line, text, None if places is None else next(places))
            if len(self.problems) >= MAX_PROBLEMS_SHOWN:
                break
        else:
            if number != header.entries:
                message = f"the header promises {count(header.entries, 'entry')}, and there "
                message += f"{'is' if number == 1 else 'are'} {number}"
                hint = "The file may be truncated" if number < header.entries else None
                self._refuse(message, last, None, hint)
        if self.problems:
            raise InputError(self.problems)
        return self.found

    def _refuse(
        self, message: str, line: int, column: int | None, hint: str | None = None, code: str = "bad-syntax"
    ) -> None:
        self.problems.append(Problem(message, hint, code, self.path, line, column))

    def _take(self, line: int, text: str, place: tuple[int, int] | None) -> None:
        """Take the entry of a line. place : its row and column unless they are written in the line."""
        words = [(match.start() + 1, match.group()) for match in re.finditer(r"\S+", text)]
        expected = "a row, a column and a number" if place is None else "one number"
        if len(words) != (3 if place is None else 1):
            hint = "This is an entry of a complex matrix" if len(words) == (4 if place is None else 2) else None
            self._refuse(f"expected {expected}, got {quoted(text.strip())}", line, words[0][0], hint)
            return
        column, number = words[-1]
        try:
            parse_ratio(number)
        except NumberError as error:
            hint = error.problem.hint
            if re.fullmatch(r"[-+]?[0-9.]+[dD][-+]?[0-9]+", number):
                hint = "An exponent is written with e: 1e-3"
            self._refuse(error.problem.message, line, column, hint, "bad-number")
            return
        if place is None:
            place = self._place(line, words)
            if place is None:
                return
        self._add(line, column, place, number)

    def _place(self, line: int, words: list[tuple[int, str]]) -> tuple[int, int] | None:
        """Return the 0-based row and column that a line names; None if they are refused."""
        found = []
        for (column, word), most, what in zip(words, self.header.shape, ("row", "column"), strict=False):
            number = int(word) if INDEX.fullmatch(word) else 0
            if not 1 <= number <= most:
                hint = "Rows and columns are numbered from 1" if word == "0" else None
                self._refuse(f"expected a {what} from 1 to {most}, got {quoted(word)}", line, column, hint)
                return None
            found.append(number - 1)
        return found[0], found[1]

    def _add(self, line: int, column: int, place: tuple[int, int], number: str) -> None:
        (i, j), symmetry = place, self.header.symmetry
        if self.header.is_coordinate:
            if symmetry == "skew-symmetric" and i == j:
                self._refuse(
                    f"expected no entry on the diagonal of a skew-symmetric matrix, got {number}", line, column
                )
                return
            before = self.seen.setdefault(place, line)
            if before != line:
                message = f"duplicate entry ({i + 1}, {j + 1}), which line {before} has, too"
                hint = "Programs sum them or take one of them; in SciPy, A.sum_duplicates() before mmwrite sums them"
                self._refuse(message, line, column, hint)
                return
            if symmetry != "general":
                self.seen.setdefault((j, i), line)
        entries = [(i, j, number)]
        if symmetry != "general" and i != j:
            entries.append((j, i, number if symmetry == "symmetric" else _negative(number)))
        for row, other, text in entries:
            self.found.rows.append(row)
            self.found.columns.append(other)
            self.found.texts.append(text)


def _negative(number: str) -> str:
    return number[1:] if number.startswith("-") else f"-{number.removeprefix('+')}"


def _by_columns(header: Header) -> Iterator[tuple[int, int]]:
    """Yield the places of the entries of an array, column by column; below the diagonal of a symmetric one."""
    M, N = header.shape
    offset = {"general": 0, "symmetric": 0, "skew-symmetric": 1}[header.symmetry]
    for j in range(N):
        for i in range(0 if header.symmetry == "general" else j + offset, M):
            yield i, j


def as_rows(shape: tuple[int, int], entries: Entries) -> list[list[str]]:
    """Return all entries as texts, zeros included."""
    rows = [["0"] * shape[1] for _ in range(shape[0])]
    for i, j, text in zip(*entries, strict=True):
        rows[i][j] = text
    return rows

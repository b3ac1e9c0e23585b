"""Read CSV and TSV by fixed rules.

A first row without numbers (except in its corner) is the header and names the unknowns; a first column without numbers
names the inputs; rows named dL/dy are gradients. A mix of numbers and names is an error. One column of numbers is taken
for names: a data frame's index, integers under an empty corner. Under a name it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from implicitgrad.model.spec import UNSTATED, CsvFormat, Path, SourceValue, SystemSpec
from implicitgrad.numbers.doubles import Decimals
from implicitgrad.readers.csv.cells import Table, delimiter_hint, read_table
from implicitgrad.readers.csv.claims import csv_site, read_csv_claims
from implicitgrad.readers.csv.large import NotPlain, read_large_table
from implicitgrad.readers.sources import stem
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.hints import number_hint
from implicitgrad.text.number_grammar import is_number
from implicitgrad.text.number_texts import looks_like_number

GRADIENT_NAMES = ("dL/dy", "dL_dy")
_GRADIENT = re.compile(r"\s*[d∂]\s*L\d*\s*[/_]\s*[d∂]\s*[^\W\d_]_?\d*\s*", re.IGNORECASE)
EMPTY_CORNERS = ("", "Unnamed: 0")
"""pandas renames an empty corner to the second when it reads it."""
FIRST_COLUMN = "the first column"
INDEX_HINT = "If the first column holds names, --index says so"


def read_systems(text: str, source: str, form: CsvFormat = UNSTATED) -> list[SystemSpec]:
    """Return the one system of a CSV file. Raise InputError."""
    name = stem(source)
    try:
        large = read_large_table(text, source, form)
        if large is not None:
            return [table_spec(large, name, form)]
    except (NotPlain, InputError):  # the slower reader then reports and locates the problem
        pass
    return [table_spec(read_table(text, source, form), name, form)]


def table_spec(table: Table, name: str, form: CsvFormat) -> SystemSpec:
    """Return the system in a table. Raise InputError."""
    has_names = _has_names_column(table, form)
    has_header = form.header if form.header is not None else _has_header(table, has_names)
    if has_header and not has_names and form.index_column is None:
        _refuse_named_index(table)
    if has_names and not has_header:
        if not table.rows[0][0].strip():
            message = "the first row has numbers and no name: expected a name, got an empty cell"
            raise InputError([table.problem(message, 0, 0, "If it is a header, --header says so")])
        if form.index_column is None:
            _holds_names(table, [(r, 0, row[0]) for r, row in enumerate(table.rows)], FIRST_COLUMN)
    first_row, first_cell = int(has_header), int(has_names)
    labels = [row[0].strip() for row in table.rows] if has_names else [""] * len(table.rows)
    body = range(first_row, len(table.rows))
    gradients = [r for r in body if labels[r] in GRADIENT_NAMES]
    equations = [r for r in body if labels[r] not in GRADIENT_NAMES]
    _refuse_misspelt_gradients(table, {r: labels[r] for r in equations})
    if has_header and has_names and _letters(table.rows[0][0]) in ("dydx", "dzd"):
        message = f"expected a system, got an answer: {quoted(table.rows[0][0].strip())} is in its corner"
        raise InputError([table.problem(message, 0, 0, "To read it as a system, empty the corner")])
    if not equations:
        raise InputError([Problem("expected rows of A, got none", code="empty", source=table.source)])

    spec = SystemSpec(table.source, {"A": _matrix(table, equations, first_cell)}, name)
    if not (has_header and has_names):  # letters could be names
        spec.no_letters_hint = "Letters are read from a table with names: a header, and a first column"
    spec.expect, spec.site = partial(read_csv_claims, table), partial(csv_site, table)
    if gradients:
        rows = _matrix(table, gradients, first_cell)
        spec.values["dL_dy"] = _row_of(rows) if len(gradients) == 1 else rows
    if has_header:
        cells = [cell.strip() for cell in table.rows[0][first_cell:]]
        spec.values["y"] = SourceValue(cells, table.source, lambda path: table.position(0, first_cell + sum(path)))
    if has_names:
        names = [labels[r] for r in equations]
        spec.values["x"] = SourceValue(names, table.source, lambda path: table.position(equations[sum(path)], 0))
    return spec


def _refuse_misspelt_gradients(table: Table, labels: dict[int, str]) -> None:
    """Raise InputError if a row's name looks like a misspelt gradient."""
    problems = []
    for row, label in labels.items():
        letters = _letters(label)
        if letters in ("dldy", "dldx", "grad", "gradient", "expect", "expected") or _GRADIENT.fullmatch(label):
            if letters in ("dldx", "expect", "expected"):
                of = "which is of the answer" if letters == "dldx" else "which is of claims"
                message = f"expected the name of an input, or dL/dy, got {quoted(label)}, {of}"
                hint = "A claim is a comment, # expect: {dL_dx: [...]}"
            else:
                message = f"expected the name dL/dy for a gradient, got {quoted(label)}"
                hint = "Several such rows are several losses; an input needs another name"
            problems.append(table.problem(message, row, 0, hint))
    if problems:
        raise InputError(problems)


def _letters(label: str) -> str:
    return "".join(filter(str.isalpha, label.lower().replace("∂", "d")))


def read_matrix(text: str, source: str, form: CsvFormat = UNSTATED) -> SourceValue:
    """Return the one bare matrix or vector, without names, of a CSV file. Raise InputError."""
    table = read_table(text, source, form)
    if _is_index(table, UNSTATED):
        hint = "pandas: to_csv(index=False, header=False); R: write.table(sep=',', row.names=FALSE, col.names=FALSE)"
        raise InputError([table.problem("expected numbers alone, got an index under an empty corner", 0, 0, hint)])
    if _has_names_column(table, UNSTATED) or _has_header(table, has_names=False):
        hint = "Give a table with names as the SYSTEM, not as an option's @FILE"
        raise InputError([table.problem("expected numbers alone, got names", 0, 0, hint)])
    part = _matrix(table, list(range(len(table.rows))), 0)
    return _row_of(part) if len(table.rows) == 1 else part


def _matrix(table: Table, rows: list[int], first_cell: int) -> SourceValue:
    def locate(path: Path) -> tuple[int, int]:
        row, cell = (*path, 0, 0)[:2]
        return table.position(rows[row], first_cell + cell)

    return SourceValue(table.numbers(rows, first_cell), table.source, locate)


def _row_of(part: SourceValue) -> SourceValue:
    """Return the only row of a matrix as a vector."""
    value = part.value
    if isinstance(value, Decimals):
        row: object = value._replace(texts=lambda: value.texts()[0], ndim=1)
    else:
        assert isinstance(value, list)
        row = value[0]
    return SourceValue(row, part.source, lambda path: part.locate((0, *path)))


def _has_names_column(table: Table, form: CsvFormat) -> bool:
    """Return whether the first column holds names."""
    row = table.rows[0]
    if form.index_column is not None:
        if form.index_column and len(row) == 1:
            message = "expected numbers beside the names in the first column, got one column"
            raise InputError([table.problem(message, 0, 0, "--no-index says that it holds no names")])
        return form.index_column
    if len(row) == 1:
        return False
    if _is_index(table, form):
        return True
    if len(table.rows) == 1:
        return not table.is_number(row[0]) and any(map(table.is_number, row[1:]))
    below = [(r, 0, row[0]) for r, row in enumerate(table.rows) if r > 0]
    return _holds_names(table, below, FIRST_COLUMN)


def _has_header(table: Table, has_names: bool) -> bool:
    """Return whether the first row holds names; its corner, above a column of names, may be anything."""
    first = 1 if has_names else 0
    row = table.rows[0]
    cells = [(0, j, row[j]) for j in range(first, len(row))]
    if has_names and not row[0].strip() and _counts(row[1:]) and _is_index(table, UNSTATED):
        return True
    return _holds_names(table, cells, "the first row")


def _is_index(table: Table, form: CsvFormat) -> bool:
    """Return whether the first column is the index of a data frame, integers under an empty corner of a header."""
    corner, *header = (cell.strip() for cell in table.rows[0])
    column = [row[0].strip() for row in table.rows[1:]]
    integers = [cell for cell in column if cell not in GRADIENT_NAMES]
    return (
        corner in EMPTY_CORNERS
        and form.header is not False
        and bool(header and integers)
        and all(re.fullmatch("[+-]?[0-9]+", cell) for cell in integers)
        and (bool(form.header) or not any(map(table.is_number, header)) or (_counts(header) and _counts(integers)))
    )


def _counts(cells: Sequence[str]) -> bool:
    """Return whether cells are 0, 1, 2, … or 1, 2, 3, …"""
    return any(all(cell.strip() == str(k) for k, cell in enumerate(cells, start)) for start in (0, 1))


def _refuse_named_index(table: Table) -> None:
    """Raise InputError for a column of row numbers under a name, which could be an unknown or an index."""
    rows = range(1, len(table.rows))
    if len(table.rows[0]) > 1 and not table.rows[0][0].strip():
        message = "expected the name of an unknown, got an empty cell over a column of numbers"
        raise InputError([table.problem(message, 0, 0, INDEX_HINT, "bad-name")])
    if (
        len(rows) > 1
        and len(table.rows[0]) == len(table.rows)
        and _counts([table.rows[row][0] for row in rows])
        and table.has_decimals(rows)
    ):
        name, first = quoted(table.rows[0][0].strip()), table.rows[1][0].strip()
        message = f"expected to be told whether {name}, which counts the rows from {first}, is an index or an unknown"
        hint = "--index: its numbers are names of the rows; --no-index: they are coefficients"
        raise InputError([table.problem(message, 0, 0, hint, "bad-csv")])


def _holds_names(table: Table, cells: list[tuple[int, int, str]], where: str) -> bool:
    """Return whether none of the cells is a number. Raises InputError if some are and some are not."""
    others = [cell for cell in cells if not table.is_number(cell[2])]
    has_numbers = len(others) < len(cells)
    if has_numbers:
        refused, reason = others, f"{where} mixes numbers and names: expected a number"
    else:
        refused = [cell for cell in others if looks_like_number(cell[2])]
        reason = f"{where} holds neither numbers nor names: expected a number or a name"
    problems = []
    for row, cell, text in refused:
        found = quoted(text) if text.strip() else "an empty cell"
        hint = _mix_hint(table, text, is_last=cell == len(table.rows[row]) - 1)
        if hint is None and where == FIRST_COLUMN:
            hint = INDEX_HINT
        elif (row, cell) == (0, 0) and not text.strip():
            hint = "An entry is empty; write 0 if it is zero. If the row is a header, --header says so"
        problems.append(table.problem(f"{reason}, got {found}", row, cell, hint, "bad-number"))
    if problems:
        raise InputError(problems)
    return not has_numbers


def _mix_hint(table: Table, text: str, *, is_last: bool) -> str | None:
    if not text.strip() and is_last:
        return "Remove the trailing delimiter, or write 0 if the entry is zero"
    for delimiter in (";", "\t", "|"):
        if delimiter in text and delimiter != table.delimiter:
            return delimiter_hint(delimiter)
    return number_hint(text, is_number)

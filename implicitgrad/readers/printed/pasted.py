"""Read a matrix as another program prints it. Nothing is evaluated; a number means its decimal text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from implicitgrad.model.spec import CsvFormat, SourceValue, SystemSpec
from implicitgrad.readers.csv.reader import table_spec
from implicitgrad.readers.printed.brackets import in_brackets, in_its_words
from implicitgrad.readers.printed.cells import Grid, placed_table, read_grid, split_cells
from implicitgrad.readers.printed.dialects import (
    COMMENTS,
    CONSOLE,
    DIALECTS,
    ECHO,
    LAST_PROMPT,
    LATEX_BEGIN,
    NUMBER,
    TABLE,
    Dialect,
)
from implicitgrad.readers.printed.inline import InlineError, Token, as_matrix, read_inline, source_value
from implicitgrad.readers.printed.refused import one_environment, refuse_another_shape, refuse_what_is_missing
from implicitgrad.readers.printed.rewriting import refuse_at, rewritten
from implicitgrad.readers.sources import stem
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.number_grammar import is_number

FACTOR = rf"(?:(?<=\()|(?m:^))[ \t]*({NUMBER})[ \t]*\*(?=[ \t]*\n)"
"""A common factor above a matrix."""


class Pasted(NamedTuple):
    """A matrix that another program printed."""

    dialect: str
    """The notation, as in "read as a NumPy array"."""
    value: SourceValue
    """Its rows; flat if there is one row and no second pair of brackets."""
    is_column: bool = False
    """Whether a flat value is a column where it was printed."""
    spec: SystemSpec | None = None
    """The system in a table whose rows or columns may have names."""

    @property
    def matrix(self) -> SourceValue:
        """The value as rows."""
        if not self.is_column:
            return as_matrix(self.value)
        assert isinstance(self.value.value, list)
        return self.value._replace(
            value=[[entry] for entry in self.value.value],
            locate=lambda path: self.value.locate(path[:1]),
            with_fewer_entries=None,
        )


def recognise(text: str, source: str) -> Pasted | None:
    """Return the matrix that a whole text shows, if it is recognised. Raise InputError if it cannot be read then."""
    dialect = _dialect_of(_without_echo(text))
    if dialect is not DIALECTS[-1]:
        return read_pasted(text, source)
    if "," in text and ";" in text:  # one of them may be the decimal mark
        return None
    try:
        pasted = read_pasted(text, source)
    except InputError:
        return None
    return pasted if pasted.spec is not None or all(map(is_number, _entries(pasted.value.value))) else None


def recognise_system(text: str, source: str) -> tuple[str, SystemSpec] | None:
    """Return the notation of a whole text and the system whose A it shows; None if it is not recognised."""
    from implicitgrad.model.program.spec import PROGRAM_KEYS
    from implicitgrad.readers.yaml.reader import KEYS

    keys = "|".join({*KEYS, *PROGRAM_KEYS, "dL/dy"})
    if re.search(rf"(?m)^[\s{{,-]*[\"']?(?:{keys})[\"']?[ \t]*:", text) is not None:
        return None
    pasted = recognise(text, source)
    if pasted is None:
        return None
    return pasted.dialect, pasted.spec or SystemSpec(source, {"A": pasted.matrix}, stem(source))


def read_pasted(text: str, source: str) -> Pasted:
    """Return the matrix that a text shows. Raise InputError."""
    text = _without_echo(text)
    try:
        dialect = _dialect_of(text)
        pasted = _read(text, source, dialect)
        if dialect.is_rounded:
            pasted = pasted._replace(value=pasted.value._replace(display=dialect.name))
        refuse_another_shape(text, pasted.matrix.value)
        return pasted
    except InlineError as error:
        problem = Problem(error.message, error.hint, "bad-syntax")
        raise InputError([problem.at(source, error.token.position)]) from None


def _without_echo(text: str) -> str:
    """Return a text without what was typed at prompts above it."""
    return rewritten(text.replace("\r\n", "\n"), [LAST_PROMPT, *[(ECHO, _without_command)] * 3])


def _without_command(echo: re.Match[str]) -> str:
    """Return blanks for a line typed at a prompt, or for the prompt alone if a bracket that it opens is still open."""
    line = echo[0]
    is_open = any(line.count(opening) > line.count(closing) for opening, closing in ("[]", "{}", "()"))
    if is_open and (prompt := re.match(rf"\s*{CONSOLE}", line)) is not None:
        return re.sub(r"[^\n]", " ", prompt[0]) + line[prompt.end() :]
    return re.sub(r"[^\n]", " ", line)


def _dialect_of(text: str) -> Dialect:
    text = rewritten(text, [COMMENTS])
    found = next(one for one in DIALECTS if re.search(one.mark, text))
    return TABLE if found is DIALECTS[-1] and _has_short_header(text) else found


def _has_short_header(text: str) -> bool:
    """Return whether the first row has no cell above the names or the numbers of the rows."""
    lines = [line.rstrip(" \\").split() for line in text.split("\n") if line.strip(" \\\t")]
    if len(lines) < 2 or not lines[0] or len(lines[1]) != len(lines[0]) + 1:
        return False
    header, *rows = lines
    names = [row[0] for row in rows if len(row) == len(lines[1])]
    is_counted = any(names == [str(k) for k in range(start, len(names) + start)] for start in (0, 1))
    if any(map(is_number, header)):
        return is_counted and header == [str(k) for k in range(len(header))]
    return is_number(rows[0][1]) and (is_counted or not any(map(is_number, names)))


def _read(text: str, source: str, dialect: Dialect) -> Pasted:
    refuse_what_is_missing(rewritten(text, [COMMENTS]), dialect)
    original, power = text, 0
    if (factor := re.search(FACTOR, text)) is not None:
        power = _power_of_ten(factor, text)
        text = rewritten(text, [(FACTOR, "")])
    if re.search(LATEX_BEGIN, text):
        text = one_environment(text)
    text = rewritten(text, dialect.rules)
    if dialect.separator is not None:
        grid = _grid(text, original, dialect)
        if grid.has_header is False and grid.has_names is False:
            value = source_value(grid.rows, source, is_matrix=len(grid.rows) > 1)
            return Pasted(dialect.name, _scaled(value, power), is_column=grid.is_column)
        return _named(grid, source, dialect, power)
    text = in_brackets(text, is_literal=dialect.is_literal)
    try:
        value = _scaled(read_inline(text, source), power)
    except InputError as error:
        raise in_its_words(error, dialect) from None
    is_flat = isinstance(value.value, list) and not any(isinstance(row, list) for row in value.value)
    return Pasted(dialect.name, value, is_column=dialect.has_columns and is_flat)


def _power_of_ten(factor: re.Match[str], text: str) -> int:
    power = re.fullmatch(r"10?\.?0*(?:[eE]([-+]?\d{1,4}))?", factor[1])
    if power is None:
        refuse_at(f"expected a power of ten as common factor, got {quoted(factor[1])}", text, factor.start(1))
    for other in re.finditer(FACTOR, text):
        if other[1] != factor[1]:
            refuse_at(f"expected the common factor {factor[1]} again, got {quoted(other[1])}", text, other.start(1))
    return int(power[1] or 0) + factor[1].startswith("10")


def _scaled(value: SourceValue, power: int) -> SourceValue:
    """Return a value with all numbers multiplied by a power of ten."""
    if not power:
        return value

    def scaled(item: object) -> object:
        if isinstance(item, list):
            return list(map(scaled, item))
        number = re.fullmatch(r"([-+\d.]+)(?:[eE]([-+]?\d{1,9}))?", str(item))
        return item if number is None else f"{number[1]}e{int(number[2] or 0) + power}"

    return value._replace(value=scaled(value.value), with_fewer_entries=None)


def _entries(value: object) -> Iterable[str]:
    if isinstance(value, list):
        for item in value:
            yield from _entries(item)
    else:
        yield str(value)


def _grid(text: str, original: str, dialect: Dialect) -> Grid:
    """Return the cells of a text that has no brackets. Raise InlineError."""
    rows = split_cells(text, original, dialect.separator or " ")
    if not rows:
        refuse_at("expected rows of numbers, got none", original, 0)
    if dialect.is_display:
        for cell in (cell for row in rows for cell in row if re.fullmatch(r"[-+]?0?\.0+", cell.text)):
            message = f"expected a number, got {quoted(cell.text)}, which is rounded: 0 itself is displayed as 0"
            raise InlineError(message, cell, dialect.print_all)
    if dialect.separator == " ":
        if re.match(r"\s*\d+-element", original) and all(len(row) == 1 for row in rows):
            return Grid([[cell for row in rows for cell in row]], has_header=False, has_names=False, is_column=True)
        return read_grid(rows, has_names=dialect.has_names)
    if dialect.separator == "|" and not any(row[0].text for row in rows):  # each line begins with a bar
        rows = [row[1:] for row in rows]
    if not dialect.has_names:
        return Grid(rows, has_header=False, has_names=False)
    if not any(cell.text for cell in rows[0]) and len(rows) > 1:
        return Grid(rows[1:], has_header=False)
    if dialect.separator == "|":
        _refuse_numbers_above_a_rule(rows, text, original)
    return Grid(rows)


def _refuse_numbers_above_a_rule(rows: list[list[Token]], text: str, original: str) -> None:
    """Raise InlineError if the first row has numbers and only it has a line below it, as a header has."""
    lines = zip(text.split("\n"), original.split("\n"), strict=True)
    is_rule = r"\s*(?:[|\u2502]|[^=\u2550]*[=\u2550])"  # +---+ may follow every row
    kinds = "".join("r" if row.strip() else "-" for row, line in lines if row.strip() or re.match(is_rule, line))
    if re.fullmatch("-*r-+r+-*", kinds) and rows[0][0].text and all(is_number(cell.text) for cell in rows[0]):
        message = "expected names above the line, got numbers, which may be names or a row of the matrix"
        raise InlineError(message, rows[0][0], "Leave out the line, or give the columns names")


def _named(grid: Grid, source: str, dialect: Dialect, power: int) -> Pasted:
    """Return the matrix of a table whose rows or columns have names."""
    form = CsvFormat(header=grid.has_header, index_column=grid.has_names)
    try:
        spec = table_spec(placed_table(grid, source), stem(source), form)
    except InputError as error:  # hints about options for CSV
        without = [one._replace(hint=None) if "--" in (one.hint or "") else one for one in error.problems]
        raise InputError(without) from None
    spec.no_letters_hint = None
    for key in {"A", "dL_dy"} & set(spec.values):
        spec.values[key] = _scaled(spec.values[key], power)
    value = spec.values["A"]
    rows = value.value
    if isinstance(rows, list) and len(rows) == 1:
        value = SourceValue(rows[0], source, lambda path: spec.values["A"].locate((0, *path)))
    return Pasted(dialect.name, value, spec=spec)

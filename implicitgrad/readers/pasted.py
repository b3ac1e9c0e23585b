"""Read a matrix as another program prints it. Nothing is evaluated; a number means its decimal text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from itertools import pairwise
from typing import NamedTuple, NoReturn

from implicitgrad.model.spec import CsvFormat, SourceValue, SystemSpec
from implicitgrad.readers.cells import Grid, placed_table, read_grid, split_cells
from implicitgrad.readers.csv import table_spec
from implicitgrad.readers.dialects import (
    AFTER_LATEX,
    BEFORE_LATEX,
    COMMENTS,
    DIALECTS,
    ECHO,
    LATEX_BEGIN,
    LATEX_END,
    NUMBER,
    TABLE,
    Dialect,
    Rule,
)
from implicitgrad.readers.inline import NEWLINES, SAME_ROW, InlineError, Token, as_matrix, read_inline, source_value
from implicitgrad.readers.source import stem
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.number_grammar import is_number

LINE_WIDTH = 70
"""NumPy breaks lines at 75 characters unless told otherwise; a row of MATLAB's is rarely that long."""
FACTOR = rf"(?:(?<=\()|(?m:^))[ \t]*({NUMBER})[ \t]*\*(?=[ \t]*\n)"
"""A common factor above a matrix."""
COMPLEX = r"(?<![\w.])(?:\d++\.?\d*+|\.\d++)(?:[eE][-+]?\d++)?+(?:[ijJ]|im|\*I)(?!\w)"
ELLIPSIS = r"\.\.\.|[\u2026\u22ee\u22ef\u22f1]|\\[clvd]?dots\b|\bomitted\b"
CONTINUATION = r"\.\.\.(?=[^\S\n]*(?:[%A-Za-z][^\n]*)?\n)"
NOTHING_COMPUTED = "Nothing is computed; expected one matrix as it is printed"
REFUSED = (
    (r"masked_array\(", "a masked array", "A masked entry has no value; fill it first"),
    (r"indices=|\bSparseArray\[|Compressed \w+ Sparse|\(\d+, \d+\)\t|\(\d+, \d+\) ->|\bsparse(?:Matrix)?\(",
     "a sparse matrix", "Convert it to a dense one before printing it"),
    (r"structure\(c\(|matrix\(\s*(?:data\s*=\s*)?c\(", "R code, whose numbers go down the columns", "Print the matrix"),
    (r"\(:,:,\d+\) *=|(?m:^, , \d+)", "an array of three dimensions", "Paste one matrix of it"),
    (r"\u2500(?=[^\n|]*[\u23a5\u23a6\u239f\u23a0])", "fractions drawn over several lines", "Print str() of it"),
    (r"(?m:^(?:Name: .*)?dtype: \w+\s*\Z)", "a pandas Series", "Print its .to_list()"),
)  # fmt: skip


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
    from implicitgrad.model.program_spec import PROGRAM_KEYS
    from implicitgrad.readers.yaml import KEYS

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
        return _read(text, source, _dialect_of(text))
    except InlineError as error:
        problem = Problem(error.message, error.hint, "bad-syntax")
        raise InputError([problem.at(source, error.token.position)]) from None


def _without_echo(text: str) -> str:
    """Return a text without what was typed at prompts above it."""
    return _rewritten(text.replace("\r\n", "\n"), [(ECHO, lambda echo: re.sub(r"[^\n]", " ", echo[0]))] * 3)


def _dialect_of(text: str) -> Dialect:
    found = next(one for one in DIALECTS if re.search(one.mark, text))
    return TABLE if found is DIALECTS[-1] and _has_short_header(_rewritten(text, [COMMENTS])) else found


def _has_short_header(text: str) -> bool:
    """Return whether the first row has no cell above the names or the numbers of the rows."""
    lines = [line.rstrip(" \\").split() for line in text.split("\n") if line.strip()]
    if len(lines) < 2 or len(lines[1]) != len(lines[0]) + 1:
        return False
    header, *rows = lines
    names = [row[0] for row in rows if len(row) == len(lines[1])]
    is_counted = any(names == [str(k) for k in range(start, len(names) + start)] for start in (0, 1))
    if any(map(is_number, header)):
        return is_counted and header == [str(k) for k in range(len(header))]
    return is_number(rows[0][1]) and (is_counted or not any(map(is_number, names)))


def _read(text: str, source: str, dialect: Dialect) -> Pasted:
    _refuse_what_is_missing(text, dialect)
    original, power = text, 0
    if (factor := re.search(FACTOR, text)) is not None:
        power = _power_of_ten(factor, text)
        text = _rewritten(text, [(FACTOR, "")])
    if re.search(LATEX_BEGIN, text):
        text = _one_environment(text)
    text = _rewritten(text, dialect.rules)
    if dialect.separator is not None:
        grid = _grid(text, original, dialect)
        if grid.has_header is False and grid.has_names is False:
            value = source_value(grid.rows, source, is_matrix=len(grid.rows) > 1)
            return Pasted(dialect.name, _scaled(value, power), is_column=grid.is_column)
        return _named(grid, source, dialect)
    text = _in_brackets(text, is_literal=dialect.is_literal)
    try:
        value = _scaled(read_inline(text, source), power)
    except InputError as error:
        raise _in_its_words(error, dialect) from None
    is_column = dialect.has_columns and not any(isinstance(row, list) for row in _rows(value))
    return Pasted(dialect.name, value, is_column)


def _rewritten(text: str, rules: Iterable[Rule]) -> str:
    for pattern, replacement in rules:
        text = re.sub(pattern, partial(_padded, replacement), text)
    return text


def _padded(replacement: object, match: re.Match[str]) -> str:
    """Return what replaces a match, as long as the match, with its newlines where they were but within one row."""
    new = replacement(match) if callable(replacement) else match.expand(str(replacement))
    old = match[0]
    if "\n" in old[: len(new)] and "\n" not in new:
        blanks = len(old) - len(new)
        return "".join(SAME_ROW if c in NEWLINES else " " for c in old[:blanks]) + new
    return new + "".join(SAME_ROW if c in NEWLINES else " " for c in old[len(new) :])


def _refuse(message: str, text: str, offset: int, hint: str | None = None) -> NoReturn:
    """Raise InlineError for what stands at an offset."""
    position = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
    raise InlineError(message, Token("", position), hint)


def _refuse_what_is_missing(text: str, dialect: Dialect) -> None:
    """Raise InlineError for prints that do not show all of a real matrix."""
    for pattern, what, hint in REFUSED:
        if (found := re.search(pattern, text)) is not None:
            _refuse(f"expected one matrix of numbers, got {what}", text, found.start(), hint)
    for found in re.finditer(ELLIPSIS, text):
        if not dialect.is_literal or not re.compile(CONTINUATION).match(text, found.start()) or _is_numpys(text):
            message = f"expected every entry, got {quoted(found[0])} in place of some"
            _refuse(message, text, found.start(), dialect.print_all or "Print all of them")
    if (found := re.search(COMPLEX, text)) is not None:
        _refuse(f"expected real numbers, got {quoted(found[0])}, which is imaginary", text, found.start())
    if dialect.constants and (found := re.search(rf"(?<![\w.])(?:{dialect.constants})\b", text)) is not None:
        _refuse(f"expected numbers or letters, got the constant {quoted(found[0])}", text, found.start())


def _is_numpys(text: str) -> bool:
    """Return whether ... at a line's end may also be NumPy's, between the first and the last three entries."""
    before, _, after = text.partition("...")
    sides = [re.findall(r"[^\s\[\],]+", side) for side in (before, after)]
    return ";" not in text and [len(side) for side in sides] == [3, 3] and len(before) > LINE_WIDTH - 10


def _power_of_ten(factor: re.Match[str], text: str) -> int:
    power = re.fullmatch(r"10?\.?0*(?:[eE]([-+]?\d{1,4}))?", factor[1])
    if power is None:
        _refuse(f"expected a power of ten as common factor, got {quoted(factor[1])}", text, factor.start(1))
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


def _one_environment(text: str) -> str:
    """Return LaTeX without what may stand around a matrix. Raise InlineError for anything else around it."""
    openings, closings = list(re.finditer(LATEX_BEGIN, text)), list(re.finditer(LATEX_END, text))
    first, last = openings[0].start(), closings[-1].end() if closings else len(text)
    if len(openings) > 1:
        _refuse("expected one matrix, got another", text, openings[1].start())
    if not closings:
        _refuse("expected an \\end for this \\begin, got none", text, first)
    before, after = re.match(BEFORE_LATEX, text[:first]), re.match(AFTER_LATEX, text[last:])
    assert before is not None
    assert after is not None
    for end, match in ((first, before), (len(text), after)):
        start = match.end() + (last if match is after else 0)
        if start < end:
            message = f"expected a matrix alone, got {quoted(text[start:end].strip())} beside it"
            _refuse(message, text, start, NOTHING_COMPUTED)
    return _rewritten(text[:first], [(r"(?s).+", "")]) + text[first:last] + _rewritten(text[last:], [(r"(?s).+", "")])


def _grid(text: str, original: str, dialect: Dialect) -> Grid:
    """Return the cells of a text that has no brackets. Raise InlineError."""
    rows = split_cells(text, original, dialect.separator or " ")
    if not rows:
        _refuse("expected rows of numbers, got none", original, 0)
    if dialect.is_display:
        for cell in (cell for row in rows for cell in row if re.fullmatch(r"[-+]?0?\.0+", cell.text)):
            message = f"expected a number, got {quoted(cell.text)}, which is rounded: 0 itself is displayed as 0"
            raise InlineError(message, cell, dialect.print_all)
    if dialect.separator == " ":
        if re.match(r"\s*\d+-element", original) and all(len(row) == 1 for row in rows):
            return Grid([[cell for row in rows for cell in row]], has_header=False, has_names=False, is_column=True)
        return read_grid(rows, has_names=dialect.has_names)
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


def _named(grid: Grid, source: str, dialect: Dialect) -> Pasted:
    """Return the matrix of a table whose rows or columns have names."""
    form = CsvFormat(header=grid.has_header, index_column=grid.has_names)
    try:
        spec = table_spec(placed_table(grid, source), stem(source), form)
    except InputError as error:  # hints about options for CSV
        without = [one._replace(hint=None) if "--" in (one.hint or "") else one for one in error.problems]
        raise InputError(without) from None
    spec.no_letters_hint = None
    value = spec.values["A"]
    rows = value.value
    if isinstance(rows, list) and len(rows) == 1:
        value = SourceValue(rows[0], source, lambda path: spec.values["A"].locate((0, *path)))
    return Pasted(dialect.name, value, spec=spec)


def _in_brackets(text: str, *, is_literal: bool) -> str:
    """Return a text of lists in square brackets, with the newlines and commas that inline.py reads.

    is_literal : newlines may separate rows, as in MATLAB.
    """
    if "(" in text:
        text = _without_tuples(text)
    text = re.sub(r"(?<=[^\s,\[]),(?=\s*\])", " ", text)
    if text.count("[") == 1 and ";" not in text and "\n" in text.strip():
        if is_literal and not _is_wrapped(text):
            return text
        head, _, tail = text.partition("]")
        return head.replace("\n", SAME_ROW) + "]" + tail
    return text


def _without_tuples(text: str) -> str:
    """Write tuples as lists, and leave out parentheses around lists; others belong to expressions."""
    characters = list(text)
    stack: list[list[int]] = []
    for i, character in enumerate(text):
        if character == "(":
            stack.append([i, 0])
        elif character == "," and stack:
            stack[-1][1] += 1
        elif character == "[" and stack:
            stack.append([i, 0])
        elif character in "])" and stack:
            start, commas = stack.pop()
            if text[start] != "(" or character != ")":
                continue
            if re.search(r"[\w)\]]\Z", text[max(0, start - 1) : start]):
                if "[" in text[start:i]:
                    name = re.search(r"[\w.]*\Z", text[:start])
                    assert name is not None
                    _refuse(
                        f"expected a matrix, got the call {quoted(name[0] + '(…)')}",
                        text,
                        name.start(),
                        NOTHING_COMPUTED,
                    )
                continue
            if commas or "[" in text[start:i]:
                characters[start], characters[i] = "[]" if commas else "  "
    return "".join(characters)


def _is_wrapped(text: str) -> bool:
    """Return whether the lines in brackets are one row. Raise InlineError if they may also be several."""
    lines = [line for line in text.strip().split("\n") if line.strip(" []")]
    counts = {len(line.strip(" []").split()) for line in lines}
    has_commas = all(line.rstrip().endswith(",") for line in lines[:-1])
    is_full = all(
        len(line) + len(following.split()[0]) >= LINE_WIDTH and re.match(r" \S| +[-\d]", following)
        for line, following in pairwise(lines)
    )
    if not has_commas and (not is_full or "," in text):
        return False
    if len(lines) > 1 and counts != {1} and len(counts) == 1:
        message = "expected to be told whether this is one row on several lines, or several rows"
        _refuse(message, text, text.index("["), "Write it on one line, or a semicolon after each row")
    return True


def _rows(value: SourceValue) -> list[object]:
    return value.value if isinstance(value.value, list) else []


def _in_its_words(error: InputError, dialect: Dialect) -> InputError:
    """Return an error of inline.py about the notation as it was written."""
    problems = []
    for one in error.problems:
        hint = one.hint
        if one.message.endswith((r"got '\n'", "got ';'")) and "end after" in one.message:
            hint = "Give each matrix by an option of its own, -A, -B or -g"
        if one.code == "bad-syntax" and re.match("expected (the end after|brackets around)", one.message):
            hint = hint or NOTHING_COMPUTED
        message = one.message.translate(str.maketrans("[]", "{}")) if "braces" in dialect.name else one.message
        problems.append(one._replace(message=message, hint=hint))
    return InputError(problems)

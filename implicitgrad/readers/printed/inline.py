"""Read a matrix or vector from a shell argument, in MATLAB's or NumPy's notation.

    1 2; 3 4      [1, 2; 3, 4]      [[1, 2], [3, 4]]      [[1. 2.]
                                                           [3. 4.]]

Blanks or commas separate entries; semicolons, newlines or brackets of their own separate rows. A flat list is one row.
Blanks in parentheses and around an operator belong to the entry, -x / y or a - b; before a sign without a blank after
it they separate entries, as in MATLAB: a -b is two entries, unless the row has commas.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from implicitgrad.model.spec import Path, SourceValue
from implicitgrad.text.characters import count, quoted
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.number_texts import as_number

SAME_ROW = "\v"
"""Stands for a newline within a row, where a reader of another notation found one."""
_PLAIN = frozenset("-+\u22120123456789.,;/eE \t\r\n[]")
"""The characters of plain numbers in rows."""
_FOREIGN = (
    r"[{}&\\|`=#%:<>'\"\u2026\u22c5\u22ee\u22ef\u22f1\u239b-\u23a6\u2502]|[(]\s*[\[(]|(?<![\w)])\([^()]*,|\d[Lf]"
    r"|\b(?:[Ff]raction|Rational|Integer|Float|Decimal|mp[fqz]|u?int\d*|b?float\d*|[Tt]ensor|[Aa]rray|c)\("
    r"|\.\w+\(|Matrix|Columns? \d|\*[ \t]*\n|\*\^"
)
"""Signs of the notations of other programs."""
_PRINTED_ROW = r"\s*\[(?:\d+\][ \t]|[^\[\];\n]{40,}\n)"
"""Matches R's [1] before a vector, and a vector of NumPy's on several lines."""
_TOKEN = re.compile(r"[\[\],;\n\v]|[^\[\],; \t\r\n\v]+")
_SEPARATOR = re.compile(r"[\[\],; \t]")
NEWLINES = ("\n", SAME_ROW)
_OPERATORS = "*/^·"
_SIGNS = "+-−"


@dataclass(frozen=True, slots=True)
class Token:
    """A bracket, a separator or an entry, and its position."""

    text: str
    position: tuple[int, int]
    """(line, column), 1-based."""


class InlineError(Exception):
    """A token in the wrong place."""

    def __init__(self, message: str, token: Token, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.token, self.hint = message, token, hint


def may_be_pasted(text: str) -> bool:
    """Return whether a text has signs of the notation of another program."""
    if "..." in text or "//" in text or "[," in text or ("\n" in text and re.match(_PRINTED_ROW, text)):
        return True
    return not _PLAIN.issuperset(text) and re.search(_FOREIGN, text) is not None


def read_inline(text: str, source: str) -> SourceValue:
    """Return the nested list of number texts that ``text`` spells; flat if it is one row. Raises InputError."""
    tokens = _tokens(text)
    try:
        depth = _depth(tokens)
        rows = _bracketed_rows(tokens) if depth == 2 else _separated_rows(tokens, depth)
    except InlineError as error:
        problem = Problem(error.message, error.hint, "bad-syntax")
        raise InputError([problem.at(source, error.token.position)]) from None
    if not tokens:
        raise InputError([Problem("empty; expected numbers such as '1 2; 3 4'", code="empty", source=source)])
    is_matrix = depth == 2 or len(rows) > 1

    def with_fewer_entries() -> SourceValue:
        return source_value([_joined(row, is_separated=True) for row in rows], source, is_matrix=is_matrix)

    return source_value(rows, source, is_matrix=is_matrix)._replace(with_fewer_entries=with_fewer_entries)


def as_matrix(value: SourceValue) -> SourceValue:
    """Return one flat row as a matrix."""
    if getattr(value.value, "ndim", 0) == 1:
        return value._replace(value=value.value[None])  # type: ignore[index]
    if isinstance(value.value, list) and not any(isinstance(row, list) for row in value.value):
        return SourceValue([value.value], value.source, lambda path: value.locate(path[1:]))
    return value


def source_value(rows: list[list[Token]], source: str, *, is_matrix: bool) -> SourceValue:
    """Return rows of entries as a value with places; of one row the entries alone unless ``is_matrix``."""

    def locate(path: Path) -> tuple[int, int] | None:
        row = rows[path[0]] if is_matrix and path else rows[0]
        index = path[-1] if len(path) == 1 + is_matrix else 0
        return row[index].position if row else None

    values = [[token.text for token in row] for row in rows]
    return SourceValue(values if is_matrix else values[0], source, locate)


def _tokens(text: str) -> list[Token]:
    """Return the tokens of ``text`` without row ends around it."""
    tokens = []
    line, before_line = 1, -1
    for match in _TOKEN.finditer(_without_blanks_in_parentheses(text) if "(" in text else text):
        found = text[match.start() : match.end()]
        if found != SAME_ROW:
            tokens.append(Token(found, (line, match.start() - before_line)))
        if found in NEWLINES:
            line, before_line = line + 1, match.start()
    while tokens and tokens[-1].text in "\n;":
        tokens.pop()
    first = next((i for i, token in enumerate(tokens) if token.text != "\n"), 0)
    return tokens[first:]


def _without_blanks_in_parentheses(text: str) -> str:
    """Replace separators in parentheses by underscores."""
    found, start, depth = [], 0, 0
    for match in re.finditer(r"[()\n]", text):
        if match.group() == "(":
            depth += 1
            if depth == 1:
                found.append(text[start : match.start()])
                start = match.start()
        elif match.group() == ")" and depth:
            depth -= 1
            if not depth:
                found.append(_SEPARATOR.sub("_", text[start : match.end()]))
                start = match.end()
        elif match.group() == "\n":
            depth = 0
    return "".join([*found, text[start:]])


def _depth(tokens: list[Token]) -> int:
    """Return the nesting depth of the brackets, 0 to 2. Raises InlineError if they are unbalanced or incomplete."""
    depth = deepest = 0
    for token in tokens:
        if deepest and not depth:
            hint = "Write rows as [[1, 2], [3, 4]]" if token.text in "[,;\n" else None
            raise InlineError(f"expected the end after the last ], got {quoted(token.text)}", token, hint)
        depth += {"[": 1, "]": -1}.get(token.text, 0)
        deepest = max(deepest, depth)
        if depth < 0:
            raise InlineError("expected a number, got a ] without its [", token)
        if depth > 2:
            raise InlineError("expected at most two levels of brackets, got three", token)
    if depth:
        raise InlineError("expected a ] at the end, got a [ that is not closed", tokens[0])
    if deepest and tokens[0].text != "[":
        raise InlineError(f"expected brackets around all or none, got {quoted(tokens[0].text)} outside", tokens[0])
    return deepest


def _bracketed_rows(tokens: list[Token]) -> list[list[Token]]:
    """Return the rows of [[...], [...]]."""
    rows: list[list[Token]] = []
    row: list[Token] | None = None
    allows_separator = False  # a row has ended, and no separator has followed
    for token in tokens[1:-1]:
        if token.text == "[":
            row = []
        elif token.text == "]":
            rows.append(_entries(row or []))
            row, allows_separator = None, True
        elif row is None and token.text in ",;" and allows_separator:
            allows_separator = False
        elif row is None and token.text != "\n":
            raise InlineError(f"expected a row in brackets, got {quoted(token.text)}", token)
        elif row is not None and token.text == ";":
            raise InlineError("expected a number or ], got ';'", token)
        elif row is not None and token.text != "\n":
            row.append(token)
    return rows


def _separated_rows(tokens: list[Token], depth: int) -> list[list[Token]]:
    """Return the rows of 1 2; 3 4, with or without one pair of brackets around them."""
    rows: list[list[Token]] = [[]]
    for token in tokens[depth : len(tokens) - depth]:
        if token.text == ";" and not rows[-1]:
            raise InlineError("expected a number, got ';'", token)
        if token.text == ";" or (token.text == "\n" and rows[-1]):
            rows.append([])
        elif token.text == "\n":
            continue
        else:
            rows[-1].append(token)
    return [_entries(row) for row in rows if row] or [[]]


def _entries(row: list[Token]) -> list[Token]:
    """Return a row's entries without the commas between them. Raises InlineError for misplaced commas."""
    has_commas = any(token.text == "," for token in row)
    row = _joined(row, is_separated=has_commas)
    previous = ","
    for token in row:
        if token.text == previous == ",":
            raise InlineError("expected a number, got ','", token)
        previous = token.text
    if row and previous == ",":
        raise InlineError("expected a number after the comma", row[-1])
    entries = [token for token in row if token.text != ","]
    commas = len(row) - len(entries)
    if 0 < commas < len(entries) - 1:
        message = f"expected commas between all entries of a row or none, got {count(commas, 'comma')}"
        raise InlineError(f"{message} for {len(entries)} entries", row[0], "A decimal comma is written as a point")
    return [_plain(token) if " " in token.text or "−" in token.text else token for token in entries]


def _joined(row: list[Token], *, is_separated: bool) -> list[Token]:
    """Join the tokens that an operator holds together.

    is_separated : commas separate the entries, so that a -b is one.
    """
    found: list[Token] = []
    for token in row:
        if found and _belong_together(found[-1].text, token.text, is_separated=is_separated):
            blanks = " " * (token.position[1] - found[-1].position[1] - len(found[-1].text))
            found[-1] = Token(found[-1].text + blanks + token.text, found[-1].position)
        else:
            found.append(token)
    return found


def _plain(token: Token) -> Token:
    """Return a number without blanks, and with the minus sign of a keyboard."""
    return Token(as_number(token.text) or token.text, token.position)


def _belong_together(left: str, right: str, *, is_separated: bool) -> bool:
    if "," in (left, right):
        return False
    if left[-1] in _OPERATORS + _SIGNS or right[0] in _OPERATORS or right in tuple(_SIGNS):
        return True
    return is_separated and right[0] in _SIGNS and not (as_number(left) and as_number(right))

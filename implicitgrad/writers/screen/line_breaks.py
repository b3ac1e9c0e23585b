"""Break lines at the width of a screen, where a reader would; nothing is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len

from implicitgrad.numbers.display.style import Expression

NARROWEST = 24
"""The columns from which on a word or a number that is wider is broken; a narrower screen gets it whole."""
INDENT = "  "
"""Stands before all lines of an expression and of a list but the first."""
_BETWEEN_WORDS = re.compile(" ")
_BETWEEN_SYMBOLS = re.compile("(?<![+−=≤≈]) ")
_AFTER_COMMA = re.compile("(?<=,) ")
_BEFORE_TERM = re.compile(" (?=[+−] )")
_BEFORE_EQUALS = re.compile(" (?=[=≤≈] )")
_BEFORE_FACTOR = re.compile("(?=[·*]|/[^0-9])")
_ANYWHERE = re.compile("(?<=.)(?=.)")
OF_EXPRESSIONS = (_BEFORE_EQUALS, _BEFORE_TERM, _AFTER_COMMA, _BEFORE_FACTOR, _BETWEEN_SYMBOLS)
"""Where an expression may be broken, the best first."""


def break_line(text: str, width: int, *, is_list: bool = False) -> list[str]:
    """Return lines of at most ``width`` columns, broken between words, a list after commas and indented."""
    lines = _Lines(width, INDENT if is_list else "")
    return lines.put(text, "", (_AFTER_COMMA, _BETWEEN_WORDS) if is_list else (_BETWEEN_WORDS,))


def break_expression(expression: Expression, width: int) -> list[str]:
    """Return lines broken between the terms of a sum, or else in a term that is wider than a line."""
    lines = _Lines(width, INDENT)
    for piece in expression.pieces:
        lines.put(piece, " ", OF_EXPRESSIONS, begins_line=not lines.holds(piece))
    return lines.lines


class _Lines:
    """Lines that are filled one after the other."""

    def __init__(self, width: int, indent: str) -> None:
        self.width, self.indent = width, indent
        self.lines: list[str] = []

    def holds(self, text: str) -> bool:
        """Return whether a line of its own has room for a text."""
        return self._fits(self.indent + text)

    def put(self, text: str, glue: str, places: Sequence[re.Pattern[str]], *, begins_line: bool = False) -> list[str]:
        """Add a text to the last line, to a line of its own, or broken; return the lines so far."""
        if self.lines and not begins_line and self._fits(f"{self.lines[-1]}{glue}{text}"):
            self.lines[-1] += glue + text
            return self.lines
        new = f"{self.indent if self.lines else ''}{text}"
        if self._fits(new) or not (places := self._applicable(text, places)):
            self.lines.append(new)
            return self.lines
        place, *others = places
        for part in place.split(text):
            self.put(part, glue, others, begins_line=begins_line)
            begins_line = False
            glue = " " if " " in place.pattern else ""
        return self.lines

    def _fits(self, line: str) -> bool:
        return cell_len(line) <= self.width

    def _applicable(self, text: str, places: Sequence[re.Pattern[str]]) -> Sequence[re.Pattern[str]]:
        """Return the places to break a text at, from the first that it has; any place for one without."""
        found = [k for k, place in enumerate(places) if place.search(text)]
        if found:
            return places[found[0] :]
        is_wide_enough = self.width - len(self.indent) >= NARROWEST
        return [_ANYWHERE] if is_wide_enough and len(text) > 1 else []

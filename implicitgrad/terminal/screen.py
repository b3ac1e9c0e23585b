"""The screen that a page is written to: its width, colours and characters."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from implicitgrad.text.characters import SYMBOLS, can_encode, encodable, printable

USUAL_WIDTH, USUAL_HEIGHT = 80, 24
GOOD, DOUBTFUL, BAD, LABEL, UNDETERMINED = (f"color({number})" for number in (28, 130, 196, 30, 133))
"""Colours that can be read on a light and on a dark background: each has a contrast of at least 3.9 to both."""


class Screen(NamedTuple):
    """The properties of a terminal, file or pipe that a page is laid out for."""

    width: int | None = None
    """Columns; None if lines may have any length."""
    has_color: bool = False
    encoding: str = "utf-8"
    height: int = USUAL_HEIGHT
    """Lines of one screen."""

    @property
    def has_symbols(self) -> bool:
        """Whether the encoding has ∂ and the like; if not, they are spelled in ASCII."""
        return can_encode(SYMBOLS, self.encoding)

    def label(self, name: str) -> str:
        """Return a name with control characters, and characters that the encoding lacks, escaped."""
        shown = printable(name)
        if self.has_symbols and can_encode(shown, self.encoding):
            return shown
        return shown.encode("ascii", "backslashreplace").decode("ascii")

    def sentence(self, text: str) -> str:
        """Return a message, with its symbols in ASCII if the encoding lacks them."""
        return encodable(printable(text), self.encoding)


def stdout_screen() -> Screen:
    """Return the screen behind standard output.

    The width is COLUMNS, else the terminal's; a pipe has none. The height is LINES, else the terminal's. NO_COLOR
    wins over FORCE_COLOR, and that over TERM=dumb.
    """
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    encoding = (sys.stdout.encoding if sys.stdout is not None else None) or "utf-8"
    columns, lines = _terminal_size() if is_terminal else (None, USUAL_HEIGHT)
    width, height = _stated("COLUMNS"), _stated("LINES")
    return Screen(
        columns if width is None else width, _has_color(is_terminal), encoding, lines if height is None else height
    )


def _stated(variable: str) -> int | None:
    """Return the number of at most nine digits in an environment variable, from 1 to a million; None without one."""
    text = os.environ.get(variable, "")
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    return min(max(1, int(text)), 10**6) if is_number else None


def _terminal_size() -> tuple[int, int]:
    try:
        columns, lines = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return USUAL_WIDTH, USUAL_HEIGHT
    return columns or USUAL_WIDTH, lines or USUAL_HEIGHT


def _has_color(is_terminal: bool) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")

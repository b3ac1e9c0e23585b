"""What a page is written to, and what that can show: its width, colour and characters."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from implicitgrad.text.characters import SYMBOLS, can_encode, encodable, printable

USUAL_WIDTH = 80


class Screen(NamedTuple):
    """Where a table goes."""

    width: int | None = None
    """Columns; None where lines may be as long as they need to be."""
    has_color: bool = False
    encoding: str = "utf-8"

    @property
    def has_symbols(self) -> bool:
        """Whether the encoding has ∂ and the like; where not, they are in ASCII."""
        return can_encode(SYMBOLS, self.encoding)

    def label(self, name: str) -> str:
        """A name as it is, but for what the screen would act on or cannot show."""
        shown = printable(name)
        if self.has_symbols and can_encode(shown, self.encoding):
            return shown
        return shown.encode("ascii", "backslashreplace").decode("ascii")

    def sentence(self, text: str) -> str:
        """A message, its symbols in ASCII where the screen has none."""
        return encodable(printable(text), self.encoding)


def stdout_screen() -> Screen:
    """The screen behind standard output.

    COLUMNS is obeyed; a terminal's own width comes next; a pipe is as wide as it needs to be. NO_COLOR wins over
    FORCE_COLOR, and that over TERM=dumb.
    """
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    encoding = (sys.stdout.encoding if sys.stdout is not None else None) or "utf-8"
    return Screen(_width(is_terminal), _has_color(is_terminal), encoding)


def _width(is_terminal: bool) -> int | None:
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit():
        return min(max(1, int(columns)), 10**6) if len(columns) < 10 else None
    if not is_terminal:
        return None
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or USUAL_WIDTH
    except (OSError, ValueError):
        return USUAL_WIDTH


def _has_color(is_terminal: bool) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")

"""What standard output is: how wide, whether it has colour, which characters."""

from __future__ import annotations

import os
import sys

from implicitgrad.writers.screen import Screen

USUAL_WIDTH = 80


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

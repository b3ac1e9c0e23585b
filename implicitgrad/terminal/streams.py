"""Standard output and standard error: what they can show, and the one place that escapes text from a file."""

from __future__ import annotations

import io
import os
import sys
from contextlib import nullcontext, suppress

from implicitgrad.text.characters import SYMBOLS, can_encode, encodable, printable, printable_lines

TYPE_CHECKING = False  # typing need not be loaded for it
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import TextIO

USUAL_WIDTH, USUAL_HEIGHT = 80, 24
GOOD, DOUBTFUL, BAD, LABEL, UNDETERMINED = (f"color({number})" for number in (28, 130, 196, 30, 133))
"""Colours that can be read on a light and on a dark background: each has a contrast of at least 3.9 to both."""


class Screen:
    """The properties of a terminal, file or pipe that a page is laid out for.

    width : columns; None if lines may have any length. height : lines of one screen.
    """

    def __init__(
        self, width: int | None = None, has_color: bool = False, encoding: str = "utf-8", height: int = USUAL_HEIGHT
    ) -> None:
        self.width, self.has_color, self.encoding, self.height = width, has_color, encoding, height
        self.has_symbols = can_encode(SYMBOLS, encoding)
        """Whether the encoding has ∂ and the like; if not, they are spelled in ASCII."""

    def label(self, name: str) -> str:
        """Return a name with control characters, and characters that the encoding lacks, escaped."""
        shown = printable(name)
        if self.has_symbols and can_encode(shown, self.encoding):
            return shown
        return shown.encode("ascii", "backslashreplace").decode("ascii")


def stdout_screen() -> Screen:
    """Return the screen behind standard output.

    The width is COLUMNS, else the terminal's; a pipe has none. The height is LINES, else the terminal's. NO_COLOR
    wins over FORCE_COLOR, and that over TERM=dumb.
    """
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    width, height = _terminal_size() if is_terminal else (None, USUAL_HEIGHT)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return Screen(_stated("COLUMNS") or width, _has_color(is_terminal), encoding, _stated("LINES") or height)


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


def say(line: str) -> None:
    """Write one line to standard error, with everything in it escaped."""
    write_stderr(printable(line) + "\n")


def write_stderr(text: str) -> None:
    """Write lines to standard error, escaped. A failure to write them is ignored."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(encodable(printable_lines(text), sys.stderr.encoding or "utf-8"))
            sys.stderr.flush()


def spinner(activity: str) -> AbstractContextManager[None]:
    """Return a context that shows a spinner beside ``activity`` on a terminal if the work within takes long."""
    if sys.stderr is None or not sys.stderr.isatty():
        return nullcontext()
    from implicitgrad.terminal.spinner import spin

    return spin(printable(activity))


def write_stdout(text: str) -> None:
    """Write all of ``text`` to standard output, escaped. Raise ReaderGone or OutputError if that fails."""
    if sys.stdout is None:
        from implicitgrad.text.errors import OutputError

        raise OutputError("standard output is closed; expected it to be open")
    try:
        _write_whole(sys.stdout, encodable(printable_lines(text), sys.stdout.encoding or "utf-8"))
        sys.stdout.flush()
    except OSError as error:
        from implicitgrad.text.errors import OutputError, ReaderGone

        with suppress(OSError, ValueError, AttributeError):  # the interpreter would write what is still buffered
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise ReaderGone("standard output was closed by its reader") from None
        raise OutputError(f"standard output cannot be written: {error.strerror or error}") from None


def _write_whole(stream: TextIO, text: str) -> None:
    """Write all of ``text``: an unbuffered stream (PYTHONUNBUFFERED) may silently take only a part of it."""
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        stream.write(text)
        return
    rest = memoryview(text.encode(stream.encoding, stream.errors or "strict"))
    while rest:
        rest = rest[raw.write(rest) or 0 :]

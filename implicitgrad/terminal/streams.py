"""Standard output and standard error: the one place that escapes text from a file."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager, suppress

from implicitgrad.text.characters import encodable, printable, printable_lines

TYPE_CHECKING = False  # typing need not be loaded for it
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO


def say(line: str) -> None:
    """Write one line to standard error, with everything in it escaped."""
    write_stderr(printable(line) + "\n")


def write_stderr(text: str) -> None:
    """Write lines to standard error, escaped. A failure to write them is ignored."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(encodable(printable_lines(text), sys.stderr.encoding or "utf-8"))
            sys.stderr.flush()


@contextmanager
def spinner(activity: str) -> Iterator[None]:
    """Show a spinner beside ``activity`` on a terminal if the work within takes long."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from implicitgrad.terminal.spinner import spin

    with spin(printable(activity)):
        yield


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

        _discard_stdout()
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


def _discard_stdout() -> None:
    """Discard what is still buffered, which the interpreter would write at its end."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

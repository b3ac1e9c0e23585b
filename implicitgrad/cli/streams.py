"""Standard output and standard error, and the one error boundary.

The errors are imported where one is raised or caught: the help page needs none of them.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

from implicitgrad.characters import encodable, printable, printable_lines

TYPE_CHECKING = False  # typing need not be loaded for it
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TextIO

    from implicitgrad.errors import Problem

FAULT = 3


def run_safely(command: Callable[[], int | None], *, as_json: bool = False, shows_traceback: bool = False) -> int:
    """Run ``command``, report what it raises on standard error, and return the exit code."""
    try:
        return command() or 0
    except Exception as error:
        from implicitgrad.errors import ImplicitGradError, Problem, ReaderGone

        if isinstance(error, ReaderGone):
            return error.exit_code
        if isinstance(error, ImplicitGradError):
            report(error.problems, as_json=as_json)
            return error.exit_code
        if isinstance(error, MemoryError):
            report([Problem("out of memory; the system is too large for this machine", code="memory")], as_json=as_json)
            return ImplicitGradError.exit_code
        if shows_traceback:
            import traceback

            write_stderr(traceback.format_exc())
        message = f"an unexpected fault: {type(error).__name__}: {error}"
        hint = "This is a bug in implicitgrad: please report it with the command and the input; --debug shows where"
        report([Problem(message, hint, "fault")], as_json=as_json)
        return FAULT


def report(problems: Iterable[Problem], *, as_json: bool = False, hinted: set[str] | None = None) -> None:
    """Problems on standard error, one a line: the first ten, then a count.

    hinted : the hints that were reported before, which are not for people to read again.
    """
    from implicitgrad.errors import MOST_PROBLEMS_SHOWN, Problem, without_repeated_hints

    problems = list(problems)
    left_out = len(problems) - MOST_PROBLEMS_SHOWN
    if left_out > 0:
        problems[MOST_PROBLEMS_SHOWN:] = [Problem(f"... and {left_out} more problems", code="more-problems")]
    if as_json:
        from implicitgrad.writers.record import error_record, write_json

        lines = [write_json(error_record(problem)) for problem in problems]
    else:
        lines = [f"implicitgrad: {problem}" for problem in without_repeated_hints(problems, hinted)]
    for line in lines:
        say(line)


def say(line: str) -> None:
    """A line for people on standard error, whatever it quotes."""
    write_stderr(printable(line) + "\n")


def write_stderr(text: str) -> None:
    """Lines on standard error, escaped; that they cannot be written changes nothing."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(encodable(printable_lines(text), sys.stderr.encoding or "utf-8"))
            sys.stderr.flush()


def write_stdout(text: str) -> None:
    """Write ``text`` to standard output, escaped, to the end. Raises ReaderGone or OutputError."""
    if sys.stdout is None:
        from implicitgrad.errors import OutputError

        raise OutputError("standard output is closed; expected it to be open")
    try:
        _write_whole(sys.stdout, encodable(printable_lines(text), sys.stdout.encoding or "utf-8"))
        sys.stdout.flush()
    except OSError as error:
        from implicitgrad.errors import OutputError, ReaderGone

        _discard_stdout()
        if isinstance(error, BrokenPipeError):
            raise ReaderGone("standard output was closed by its reader") from None
        raise OutputError(f"standard output cannot be written: {error.strerror or error}") from None


def _write_whole(stream: TextIO, text: str) -> None:
    """All of ``text``; an unbuffered stream (PYTHONUNBUFFERED) may take a part of it and say nothing."""
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        stream.write(text)
        return
    rest = memoryview(text.encode(stream.encoding, stream.errors or "strict"))
    while rest:
        rest = rest[raw.write(rest) or 0 :]


def _discard_stdout() -> None:
    """Let what is still buffered go nowhere when the interpreter ends."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

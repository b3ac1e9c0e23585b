"""Standard output, standard error and files, written whole or not at all, and the one error boundary."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress

from implicitgrad.errors import MOST_PROBLEMS_SHOWN, ImplicitGradError, OutputError, Problem, ReaderGone, printable

INTERRUPTED = 130
FAULT = 3


def run_safely(command: Callable[[], int | None], *, as_json: bool = False, shows_traceback: bool = False) -> int:
    """Run ``command``, report what it raises on standard error, and return the exit code."""
    try:
        return command() or 0
    except ReaderGone as error:
        return error.exit_code
    except ImplicitGradError as error:
        report(error.problems, as_json=as_json)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except MemoryError:
        report([Problem("out of memory; the system is too large for this machine", code="memory")], as_json=as_json)
        return ImplicitGradError.exit_code
    except Exception as error:
        if shows_traceback:
            import traceback

            traceback.print_exc()
        message = f"an unexpected fault: {type(error).__name__}: {printable(str(error))}"
        hint = "This is a bug in implicitgrad: please report it with the command and the input; --debug shows where"
        report([Problem(message, hint, "fault")], as_json=as_json)
        return FAULT


def report(problems: Iterable[Problem], *, as_json: bool = False) -> None:
    """Problems on standard error, one a line: the first ten, then a count; as JSON all of them."""
    problems = list(problems)
    if as_json:
        import json

        from implicitgrad.writers.record import error_record

        lines = [json.dumps(error_record(problem)) for problem in problems]
    else:
        lines = [f"implicitgrad: {problem}" for problem in problems[:MOST_PROBLEMS_SHOWN]]
        if len(problems) > MOST_PROBLEMS_SHOWN:
            lines.append(f"implicitgrad: ... and {len(problems) - MOST_PROBLEMS_SHOWN} more problems")
    for line in lines:
        say(line)


def say(text: str) -> None:
    """A line for people on standard error; that it cannot be written changes nothing."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()


def write_stdout(text: str) -> None:
    """Write ``text`` to standard output, to the end. Raises ReaderGone or OutputError."""
    if sys.stdout is None:
        raise OutputError("standard output is closed; expected it to be open")
    try:
        with suppress(AttributeError):
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()
        raise ReaderGone("standard output was closed by its reader") from None
    except OSError as error:
        _discard_stdout()
        raise OutputError(f"standard output cannot be written: {error.strerror or error}") from None


def _discard_stdout() -> None:
    """Let what is still buffered go nowhere when the interpreter ends."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_file(path: str, text: str, inputs: Iterable[str] = ()) -> None:
    """Write ``text`` to a file as UTF-8, whole or not at all; never over one of ``inputs``. Raises OutputError."""
    for source in inputs:
        with suppress(OSError):
            if os.path.samefile(path, source):
                raise OutputError(f"--output {printable(path)} is the input; expected another file")
    try:
        _replace(os.path.realpath(path), text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise OutputError(f"{printable(path)}: cannot be written: {error.strerror or error}") from None


def _replace(path: str, data: bytes) -> None:
    """Through a temporary file beside ``path``, which takes its place at the end; a device is written to directly."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        mode = stat.S_IFREG | 0o666 & ~umask
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        with open(path, "wb", buffering=0) as device:
            device.write(data)
        return
    import tempfile

    descriptor, temporary = tempfile.mkstemp(prefix=".implicitgrad-", dir=os.path.dirname(path))
    try:
        with open(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise

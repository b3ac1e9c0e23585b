"""Write results as lines to standard output, a pipe or a device, or to a file that this batch has locked."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

from implicitgrad.batch.outputs.earlier import EarlierResults
from implicitgrad.batch.task import BatchResult
from implicitgrad.terminal.files import standard_stream
from implicitgrad.terminal.signals import Interruptions
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import OutputError, ReaderGone

PIECE = getattr(select, "PIPE_BUF", 512)
"""Bytes that a descriptor that is ready for writing takes without blocking."""
POLL_SECONDS = 0.1
PATIENCE = 0.5
"""Seconds for which lines are still written after an interruption."""
LONG_PATIENCE = 2.0
"""Seconds for which the rest of a line is still written after an interruption."""


class LinesOutput:
    """A stream of lines: standard output, a pipe or a device."""

    earlier: EarlierResults | None = None

    def __init__(self, descriptor: int, name: str, interruptions: Interruptions, header: str = "") -> None:
        self.descriptor, self.name, self.interruptions = descriptor, name, interruptions
        self.header = header.encode()
        """The text before the first line."""
        mode = os.fstat(descriptor).st_mode
        self.may_wait = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)
        self.until: float | None = None
        """The time at which writing ends after an interruption."""
        self.is_ended = False
        """Whether the batch is interrupted and the reader too slow."""

    def write(self, results: Sequence[BatchResult]) -> Sequence[BatchResult]:
        """Write a line for each result."""
        return results[: self._put(b"".join(map(line_of, results)))]

    def close(self, *, is_whole: bool, is_interrupted: bool) -> None:
        """Write the header if there was no line."""
        if is_whole and self.header:
            self._put(b"")

    def _put(self, data: bytes) -> int:
        """Write lines and return the number of those that were written whole."""
        header, self.header = self.header, b""
        data = header + data
        rest = memoryview(data)
        is_within = False
        try:
            while rest and not self.is_ended:
                written = self._write(rest, is_within=is_within)
                if written:
                    is_within = rest[written - 1] != ord("\n")
                    rest = rest[written:]
        except BrokenPipeError:
            raise ReaderGone(f"{self.name} was closed by its reader") from None
        except OSError as error:
            self._drop_torn_line(data[: len(data) - len(rest)])
            raise OutputError(f"{self.name} cannot be written: {error.strerror}") from None
        return max(0, data.count(b"\n", 0, len(data) - len(rest)) - header.count(b"\n"))

    def _write(self, data: memoryview, *, is_within: bool) -> int:
        """Return the number of bytes that were written; 0 if the batch is interrupted and the reader too slow.

        is_within : whether the data begin with the rest of a line.
        """
        if not self.may_wait:
            return os.write(self.descriptor, data)
        begun = monotonic()
        while True:
            is_ready = _is_ready(self.descriptor)
            if self.interruptions.is_pending:
                now = monotonic()
                self.until = self.until or now + PATIENCE
                if now > (begun + LONG_PATIENCE if is_within else self.until):
                    self.is_ended = True
                    return 0
            if is_ready:
                break
        piece = data[:PIECE]
        if self.until is not None:  # one line at a time, so that the last one is whole
            piece = piece[: bytes(piece).find(b"\n") + 1 or PIECE]
        try:
            return os.write(self.descriptor, piece)
        except BlockingIOError:  # another process made the pipe non-blocking
            return 0

    def _drop_torn_line(self, written: bytes) -> None:
        """Remove an incomplete last line, if that is possible."""


class LinesFile(LinesOutput):
    """A locked file of lines, which may have the results of an earlier batch.

    Lines that equal the earlier ones stay where they are. The first new line is appended if it follows the last earlier
    line; otherwise it and all that follow go to a copy, which replaces the file at the end.
    """

    def __init__(self, path: str, interruptions: Interruptions, header: str = "", *, is_resumed: bool = False) -> None:
        self.path, self.place = path, 0
        self.copy: str | None = None
        self.copied: set[int] = set()
        """The hashes of the sources whose lines are in the copy."""
        descriptor = locked(path)
        self.earlier = EarlierResults(path) if is_resumed else None
        if self.earlier is not None and self.earlier.is_table:
            message = f"{printable(path)} has the rows of a table; --resume needs the JSON lines of an earlier batch"
            raise OutputError(message)
        self.end = 0 if self.earlier is None else self.earlier.end
        self.is_cut = False
        """Whether what follows the earlier results in the file has been removed."""
        super().__init__(descriptor, printable(path), interruptions, header)

    def write(self, results: Sequence[BatchResult]) -> Sequence[BatchResult]:
        """Write a line for each result, unless the file already has it at its place."""
        lines = list(map(line_of, results))
        kept = 0
        while kept < len(lines) and self.place < self.end and self.earlier is not None and self.copy is None:
            if self.earlier.read(self.place, len(lines[kept])) == lines[kept]:
                self.place += len(lines[kept])
                kept += 1
            else:
                self._begin_copy()
        if kept < len(lines):
            self._put(b"".join(lines[kept:]))
        if self.copy is not None:
            self.copied |= {hash(result.source) for result in results}
        return results

    def _put(self, data: bytes) -> int:
        if not self.is_cut:
            os.ftruncate(self.descriptor, self.end)
            os.lseek(self.descriptor, self.end, os.SEEK_SET)
            self.is_cut = True
        return super()._put(data)

    def close(self, *, is_whole: bool, is_interrupted: bool) -> None:
        """Replace the file by the copy, if there is one, with the earlier lines that an interruption kept out of it.

        A batch without any system leaves the file as it is.
        """
        if self.copy is None or self.earlier is None:
            if is_whole and 0 < self.place <= self.end and not self.is_cut:
                os.ftruncate(self.descriptor, self.place)
            return
        try:
            if not is_whole:
                for line in self.earlier.lines_except(self.copied, self.place):
                    self._put(line)
            os.chmod(self.copy, stat.S_IMODE(os.stat(self.path).st_mode))
            os.replace(self.copy, os.path.realpath(self.path))
        except BaseException:
            with suppress(OSError):
                os.unlink(self.copy)
            raise

    def _drop_torn_line(self, written: bytes) -> None:
        torn = len(written) - written.rfind(b"\n") - 1
        with suppress(OSError):
            os.ftruncate(self.descriptor, os.fstat(self.descriptor).st_size - torn)

    def _begin_copy(self) -> None:
        import tempfile

        assert self.earlier is not None
        folder = os.path.dirname(os.path.realpath(self.path))
        try:
            # The file itself stays open and locked.
            self.descriptor, self.copy = tempfile.mkstemp(prefix=".implicitgrad-", dir=folder)
        except OSError as error:
            raise OutputError(f"{self.name} cannot be written: {error.strerror}") from None
        self.is_cut = True
        self._put(self.earlier.read(0, self.place))


def lines_to(path: str, interruptions: Interruptions, header: str, *, is_resumed: bool) -> LinesOutput:
    """Open a file, a device, or a pipe, for whose reader it waits. Raise OutputError."""
    with suppress(OSError):
        status = os.stat(path)
        standard = standard_stream(status)
        if standard is not None:
            return LinesOutput(standard, printable(path), interruptions, header)
        if not stat.S_ISREG(status.st_mode):
            try:
                with interruptions.allowed():
                    descriptor = os.open(path, os.O_WRONLY)
                return LinesOutput(descriptor, printable(path), interruptions, header)
            except OSError as error:
                raise OutputError(f"{printable(path)} cannot be written: {error.strerror}") from None
    return LinesFile(path, interruptions, header, is_resumed=is_resumed)


def standard_output(interruptions: Interruptions, header: str) -> LinesOutput:
    """Return standard output. Raise OutputError if it is closed."""
    if sys.stdout is None:
        raise OutputError("standard output is closed; expected it to be open")
    return LinesOutput(sys.stdout.fileno(), "standard output", interruptions, header)


def locked(path: str) -> int:
    """Open a file for writing and lock it against other batches. Raise OutputError."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise OutputError(f"{printable(path)} cannot be written: {error.strerror}") from None
        try:
            import fcntl
        except ImportError:  # Windows
            return descriptor
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            message = f"{printable(path)} is being written by another batch; expected another file"
            raise OutputError(message) from None
        except OSError:  # a file system without locks
            return descriptor
        with suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        os.close(descriptor)  # another batch has replaced the file


def line_of(result: BatchResult) -> bytes:
    """Return the line of a result."""
    written = result.written
    assert isinstance(written, str | bytes)
    return written if isinstance(written, bytes) else written.encode("utf-8", "backslashreplace")


def _is_ready(descriptor: int) -> bool:
    """Return whether a descriptor is ready for writing, or becomes so within a moment."""
    try:
        return bool(select.select([], [descriptor], [], POLL_SECONDS)[1])
    except (OSError, ValueError):  # Windows polls only sockets
        return True

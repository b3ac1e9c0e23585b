"""Results as lines: of standard output, a pipe or a device, or of a file that a batch has for itself."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

from implicitgrad.batch.resume import Old
from implicitgrad.batch.task import BatchResult
from implicitgrad.terminal.files import standard_stream
from implicitgrad.terminal.signals import Interruptions
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import OutputError, ReaderGone

PIECE = getattr(select, "PIPE_BUF", 512)
"""Bytes that what is ready to be written to takes without a wait."""
BETWEEN_LOOKS = 0.1
PATIENCE = 0.5
"""Seconds that lines are still written once all is interrupted."""
LONG_PATIENCE = 2.0
"""Seconds that the rest of a line is waited for then."""


class Lines:
    """A stream, each chunk of lines written at once: standard output, a pipe, a device."""

    def __init__(self, descriptor: int, name: str, interruptions: Interruptions, header: str = "") -> None:
        self.descriptor, self.name, self.interruptions = descriptor, name, interruptions
        self.header = header.encode()
        """What is written before all else."""
        mode = os.fstat(descriptor).st_mode
        self.may_wait = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)
        self.until: float | None = None
        """When writing ends, once all is interrupted."""
        self.is_ended = False
        """All is interrupted, and what is written to takes no more."""

    def write(self, outcomes: Sequence[BatchResult]) -> Sequence[BatchResult]:
        """One line each."""
        return outcomes[: self._put(b"".join(map(line_of, outcomes)))]

    def close(self, *, is_whole: bool, is_interrupted: bool) -> None:
        """Write what stands before all else, where nothing followed."""
        if is_whole and self.header:
            self._put(b"")

    def _put(self, data: bytes) -> int:
        """Write lines; returns how many were written whole."""
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
        """How much of it was written; nothing, ever after, where all is interrupted and it takes too long.

        is_within : it is the rest of a line.
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
        if self.until is not None:  # a line at a time, to end with a whole one
            piece = piece[: bytes(piece).find(b"\n") + 1 or PIECE]
        try:
            return os.write(self.descriptor, piece)
        except BlockingIOError:  # a pipe that somebody else made non-blocking
            return 0

    def _drop_torn_line(self, written: bytes) -> None:
        """Take back what is not a whole line, where that is possible."""


class File(Lines):
    """A file of lines that this batch alone writes.

    With the results of an earlier batch, whatever is the same as there is left where it is; what is not goes behind,
    or, where something else follows, into a copy that takes the file's place at the end.
    """

    def __init__(self, path: str, interruptions: Interruptions, header: str = "", *, is_resumed: bool = False) -> None:
        self.path, self.place = path, 0
        self.copy: str | None = None
        self.copied: set[int] = set()
        """Hashes of the sources whose lines are in the copy."""
        descriptor = locked(path)
        self.old = Old(path) if is_resumed else None
        if self.old is not None and self.old.is_table:
            message = f"{printable(path)} has the rows of a table; --resume needs the JSON lines of an earlier batch"
            raise OutputError(message)
        self.end = 0 if self.old is None else self.old.end
        self.is_cut = False
        """What follows the old results, or anything where there are none, is gone."""
        super().__init__(descriptor, printable(path), interruptions, header)

    def write(self, outcomes: Sequence[BatchResult]) -> Sequence[BatchResult]:
        """One line each, where it is not there already."""
        lines = list(map(line_of, outcomes))
        kept = 0
        while kept < len(lines) and self.place < self.end and self.old is not None and self.copy is None:
            if self.old.read(self.place, len(lines[kept])) == lines[kept]:
                self.place += len(lines[kept])
                kept += 1
            else:
                self._begin_copy()
        if kept < len(lines):
            self._put(b"".join(lines[kept:]))
        if self.copy is not None:
            self.copied |= {hash(outcome.source) for outcome in outcomes}
        return outcomes

    def _put(self, data: bytes) -> int:
        if not self.is_cut:
            os.ftruncate(self.descriptor, self.end)
            os.lseek(self.descriptor, self.end, os.SEEK_SET)
            self.is_cut = True
        return super()._put(data)

    def close(self, *, is_whole: bool, is_interrupted: bool) -> None:
        """Put the copy, if there is one, in the file's place; what an interruption kept from it, too.

        A batch without any system leaves what is there.
        """
        if self.copy is None or self.old is None:
            if is_whole and 0 < self.place <= self.end and not self.is_cut:
                os.ftruncate(self.descriptor, self.place)
            return
        try:
            if not is_whole:
                for line in self.old.lines_but(self.copied, self.place):
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

        assert self.old is not None
        folder = os.path.dirname(os.path.realpath(self.path))
        try:
            # the file itself stays open, and locked
            self.descriptor, self.copy = tempfile.mkstemp(prefix=".implicitgrad-", dir=folder)
        except OSError as error:
            raise OutputError(f"{self.name} cannot be written: {error.strerror}") from None
        self.is_cut = True
        self._put(self.old.read(0, self.place))


def lines_to(path: str, interruptions: Interruptions, header: str, *, is_resumed: bool) -> Lines:
    """A file, or what is none: a device or a pipe, whose reader is waited for, which is written to as it is."""
    with suppress(OSError):
        status = os.stat(path)
        standard = standard_stream(status)
        if standard is not None:
            return Lines(standard, printable(path), interruptions, header)
        if not stat.S_ISREG(status.st_mode):
            try:
                with interruptions.allowed():
                    descriptor = os.open(path, os.O_WRONLY)
                return Lines(descriptor, printable(path), interruptions, header)
            except OSError as error:
                raise OutputError(f"{printable(path)} cannot be written: {error.strerror}") from None
    return File(path, interruptions, header, is_resumed=is_resumed)


def standard_output(interruptions: Interruptions, header: str) -> Lines:
    """Raises OutputError where it is closed."""
    if sys.stdout is None:
        raise OutputError("standard output is closed; expected it to be open")
    return Lines(sys.stdout.fileno(), "standard output", interruptions, header)


def locked(path: str) -> int:
    """A file to write to, which no other batch writes to while this one does. Raises OutputError."""
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
        os.close(descriptor)  # another batch has put its own in its place


def line_of(outcome: BatchResult) -> bytes:
    """What is written of an outcome."""
    written = outcome.written
    assert isinstance(written, str | bytes)
    return written if isinstance(written, bytes) else written.encode("utf-8", "backslashreplace")


def _is_ready(descriptor: int) -> bool:
    """Whether it takes something at once, or comes to within a moment."""
    try:
        return bool(select.select([], [descriptor], [], BETWEEN_LOOKS)[1])
    except (OSError, ValueError):  # Windows asks sockets only
        return True

"""Where the outcomes of a batch go: lines of a file or of standard output, a directory, one file of arrays."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO, NamedTuple, Protocol

from implicitgrad.batch import Item, Outcome
from implicitgrad.characters import printable
from implicitgrad.cli.files import standard_stream, write_file
from implicitgrad.cli.items import is_result
from implicitgrad.cli.signals import Interruptions
from implicitgrad.errors import OutputError, ReaderGone
from implicitgrad.requirement import Facts, unmet
from implicitgrad.writers.rows import COLUMNS

LONGEST_RECORD = 2**16
"""As much of the first line as tells a record from a system."""
LONGEST_NAME = 200
"""Bytes of a file's name, and room for numbers and a suffix."""
RECORD_BEGINNING = b'{"name": '
SUFFIXES = {
    "json": ".json", "table": ".txt", "markdown": ".md", "latex": ".tex", "yaml": ".yaml", "csv": ".csv",
    "npy": ".npy", "npz": ".npz",
}  # fmt: skip
"""Of the files in a directory of results, by format."""


class Results(Protocol):
    """What takes outcomes."""

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Take some more. Raises OutputError or ReaderGone."""

    def close(self, *, is_whole: bool) -> None:
        """The end. is_whole : nothing was interrupted."""


class Lines:
    """A stream, each chunk of lines written at once: standard output, a pipe, a device."""

    def __init__(self, descriptor: int, name: str, interruptions: Interruptions, header: str = "") -> None:
        self.descriptor, self.name, self.interruptions = descriptor, name, interruptions
        self._put(header.encode())

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """One line each."""
        self._put(b"".join(_bytes(outcome) for outcome in outcomes))

    def close(self, *, is_whole: bool) -> None:
        """Nothing is left to do."""

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            with self.interruptions.deferred():
                while rest:
                    rest = rest[_write(self.descriptor, rest) :]
        except BrokenPipeError:
            raise ReaderGone(f"{self.name} was closed by its reader") from None
        except OSError as error:
            self._drop_torn_line(data[: len(data) - len(rest)])
            raise OutputError(f"{self.name} cannot be written: {error.strerror}") from None

    def _drop_torn_line(self, written: bytes) -> None:
        """Take back what is not a whole line, where that is possible."""


class File(Lines):
    """A file of lines that this batch alone writes.

    With ``old`` results, of an earlier batch, whatever is the same as there is left where it is; what is not goes
    behind, or, where something else follows, into a copy that takes the file's place at the end.
    """

    def __init__(self, path: str, interruptions: Interruptions, header: str = "", old: Old | None = None) -> None:
        self.path, self.old, self.place = path, old, 0
        self.copy: str | None = None
        self.copied: set[str] = set()
        descriptor = _opened(path)
        size = os.fstat(descriptor).st_size
        self.end = 0 if old is None else old.end
        if size > self.end:
            os.ftruncate(descriptor, self.end)
        os.lseek(descriptor, self.end, os.SEEK_SET)
        super().__init__(descriptor, printable(path), interruptions, header)

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """One line each, where it is not there already."""
        if self.place < self.end and self.old is not None and self.copy is None:
            for k, outcome in enumerate(outcomes):
                line = _bytes(outcome)
                if self.place == self.end:
                    super().write(outcomes[k:])
                    return
                if self.old.read(self.place, len(line)) != line:
                    self._begin_copy()
                    break
                self.place += len(line)
            else:
                return
            outcomes = outcomes[k:]
        super().write(outcomes)
        if self.copy is not None:
            self.copied |= {outcome.source for outcome in outcomes}

    def close(self, *, is_whole: bool) -> None:
        """Put the copy, if there is one, in the file's place; what an interruption kept from it, too."""
        if self.copy is None or self.old is None:
            if is_whole and self.place < self.end:
                os.ftruncate(self.descriptor, self.place)
            return
        try:
            if not is_whole:
                self._put(b"".join(self.old.lines_but(self.copied, self.place)))
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
        self._put(self.old.read(0, self.place))


class Record(NamedTuple):
    """Where an earlier result stands."""

    start: int
    length: int
    content_hash: str | None
    status: str


class Old:
    """The results of an earlier batch, by their systems; a torn last line is none."""

    def __init__(self, path: str) -> None:
        self.records: dict[str, Record] = {}
        self.order: list[str] = []
        self.end = 0
        self.file: BinaryIO | None = None
        try:
            self.file = open(path, "rb")  # noqa: SIM115 (read from as long as this lives)
        except FileNotFoundError:
            return
        except OSError as error:
            raise OutputError(f"{printable(path)} cannot be read: {error.strerror}") from None
        for line in self.file:
            found = _parsed(line)
            if found is None:
                break
            source, content_hash, status = found
            self.records[source] = Record(self.end, len(line), content_hash, status)
            self.order.append(source)
            self.end += len(line)

    def read(self, start: int, length: int) -> bytes:
        """Some of it."""
        if self.file is None:
            return b""
        self.file.seek(start)
        return self.file.read(length)

    def outcomes(self, item: Item, content_hash: str, require: Sequence[str]) -> list[Outcome]:
        """The answers that are there of an item whose content has not changed; nothing where any lacks.

        A failure is none: it may have been for want of memory.
        """
        found: list[Outcome] = []
        mark = getattr(self.records.get(item.source), "content_hash", None) or ""
        own, _, number = mark.partition("/")
        if own != content_hash:
            return []
        for k in range(1, int(number or 1) + 1):
            source = item.source if k == 1 else f"{item.source}#{k}"
            record = self.records.get(source)
            if record is None or record.content_hash != mark or record.status == "error":
                return []
            line = self.read(record.start, record.length)
            problem = next((p for one in require if (p := unmet(_facts(line), one))), None)
            found.append(Outcome(source, record.status, line, problem, is_kept=True))
        return found

    def lines_but(self, sources: set[str], start: int) -> list[bytes]:
        """The lines from a place on that are not of these systems."""
        records = [(source, self.records[source]) for source in self.order if source not in sources]
        return [self.read(record.start, record.length) for _, record in records if record.start >= start]


class Directory:
    """One file for each system, named after it; the record of a failure in JSON, whatever the answers are."""

    def __init__(self, path: str, form: str) -> None:
        self.path, self.suffix = path, SUFFIXES[form]
        self.taken: set[str] = set()
        try:
            os.makedirs(path, exist_ok=True)
        except OSError as error:
            raise OutputError(f"--output-dir {printable(path)} cannot be made: {error.strerror}") from None

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """A file each, in the place of what an earlier batch wrote of it."""
        for outcome in outcomes:
            stem = os.path.join(self.path, self._stem(outcome.source))
            written = outcome.written
            assert isinstance(written, str | bytes)
            suffixes = (self.suffix, ".json")
            suffix, other = reversed(suffixes) if outcome.is_failure else suffixes
            if suffix == ".json":
                self._refuse_foreign(stem + suffix)
            write_file(stem + suffix, written if isinstance(written, str) else memoryview(written), is_durable=False)
            if other != suffix and (other != ".json" or _begins_record(stem + other)):
                with suppress(OSError):
                    os.unlink(stem + other)

    def close(self, *, is_whole: bool) -> None:
        """Nothing is left to do."""

    def _stem(self, source: str) -> str:
        """A name inside the directory that no other system has."""
        base, _, number = source.rpartition("#")
        if not number.isdecimal() or os.path.exists(source):
            base, number = source, ""
        name = "stdin" if base == "-" else os.path.splitext(os.path.basename(base))[0]
        name = re.sub(r"[^\w.+=@ -]", "_", name).strip(". ") or "system"
        name = name.encode("utf-8", "replace")[:LONGEST_NAME].decode("utf-8", "ignore")
        stem = first = f"{name}-{number}" if number else name
        k = 1
        while stem.casefold() in self.taken:
            k += 1
            stem = f"{first}-{k}"
        self.taken.add(stem.casefold())
        return stem

    def _refuse_foreign(self, path: str) -> None:
        if os.path.isfile(path) and os.path.getsize(path) and not _begins_record(path):
            message = f"{printable(path)} exists, and is no batch's; expected another --output-dir"
            raise OutputError(message)


class Stack:
    """The numbers of all systems in one .npz file, written at the end; they are kept in memory until then."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.outcomes: list[Outcome] = []
        folder = os.path.dirname(os.path.realpath(path))
        if not os.access(folder, os.W_OK):
            reason = "no permission" if os.path.isdir(folder) else "no such directory"
            raise OutputError(f"{printable(path)} cannot be written: {reason}")

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Keep them."""
        self.outcomes += outcomes

    def close(self, *, is_whole: bool) -> None:
        """Write what there is."""
        from implicitgrad.writers.stack import write_stack

        answers = [(one.source, one.status, one.written) for one in self.outcomes]
        try:
            write_file(self.path, lambda stream: write_stack(answers, stream))
        except MemoryError:
            message = f"{printable(self.path)} cannot be written: as large as the largest system for all of them"
            hint = "--output-dir with --format npz has a file each"
            raise OutputError(f"{message}, its arrays do not fit into memory", hint) from None


def standard_output(interruptions: Interruptions, header: str) -> Lines:
    """Raises OutputError where it is closed."""
    if sys.stdout is None:
        raise OutputError("standard output is closed; expected it to be open")
    return Lines(sys.stdout.fileno(), "standard output", interruptions, header)


def refuse_foreign(path: str) -> None:
    """Raises OutputError where a file that is no batch's results would be overwritten."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or not status.st_size or standard_stream(status) is not None:
            return
        with open(path, "rb") as file:
            beginning = file.readline(LONGEST_RECORD)
        is_ours = _holds_stack(path) if beginning.startswith(b"PK") else _is_results(beginning)
    except OSError:
        return
    if not is_ours:
        message = f"--output {printable(path)} exists, and is no batch's results; expected another file"
        raise OutputError(message)


def _is_results(line: bytes) -> bool:
    """Whether a first line is that of results, or the torn beginning of one."""
    beginnings = (RECORD_BEGINNING, ",".join(COLUMNS).encode())
    if any(beginning.startswith(line) for beginning in beginnings):
        return True
    if not line.startswith(RECORD_BEGINNING):
        return line.startswith(beginnings[1])
    return is_result(line) if line.endswith(b"\n") else b'"A": ' not in line


def _begins_record(path: str) -> bool:
    """Whether a file is empty or begins as a record does."""
    try:
        with open(path, "rb") as file:
            beginning = file.read(LONGEST_RECORD)
    except OSError:
        return False
    return not beginning or (beginning.startswith(RECORD_BEGINNING) and b'"source": ' in beginning)


def _holds_stack(path: str) -> bool:
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as archive:
            return {"source.npy", "status.npy"} <= set(archive.namelist())
    except BadZipFile:
        return False


def lines_to(path: str, interruptions: Interruptions, header: str, old: Old | None) -> Results:
    """A file, or what is none: a device or a pipe, which is written to as it is."""
    with suppress(OSError):
        status = os.stat(path)
        standard = standard_stream(status)
        if standard is not None:
            return Lines(standard, printable(path), interruptions, header)
        if not stat.S_ISREG(status.st_mode):
            try:
                return Lines(os.open(path, os.O_WRONLY), printable(path), interruptions, header)
            except OSError as error:
                raise OutputError(f"{printable(path)} cannot be written: {error.strerror}") from None
    return File(path, interruptions, header, old)


def _opened(path: str) -> int:
    """A file to write to, locked. Raises OutputError."""
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
        pass
    return descriptor


def _write(descriptor: int, data: memoryview) -> int:
    """How much of it was written; a pipe that somebody else made non-blocking is waited for."""
    while True:
        try:
            return os.write(descriptor, data)
        except BlockingIOError:
            import select

            select.select([], [descriptor], [])


def _facts(line: bytes) -> Facts:
    """What --require asks of the answer that a record holds."""
    record = json.loads(line)
    coefficients = ((record["general"] or {}).get("dL_dx") or {}).get("coefficients") or []
    is_unique = not any(any(row) if isinstance(row, list) else row for row in coefficients)
    return Facts(record["source"], record["status"], None if record["dL_dx"] is None else is_unique)


def _bytes(outcome: Outcome) -> bytes:
    written = outcome.written
    assert isinstance(written, str | bytes)
    return written if isinstance(written, bytes) else written.encode("utf-8", "backslashreplace")


def _parsed(line: bytes) -> tuple[str, str | None, str] | None:
    """Source, content hash and status of a record; None for what is none."""
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or not isinstance(record.get("source"), str):
        return None
    return record["source"], record.get("content_hash"), str(record.get("status", "error"))

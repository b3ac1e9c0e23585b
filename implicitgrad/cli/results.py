"""Where the outcomes of a batch go: lines of a file or of standard output, a directory, one file of arrays."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO, NamedTuple, Protocol

from implicitgrad.batch import Item, Outcome
from implicitgrad.characters import printable
from implicitgrad.cli.files import write_file
from implicitgrad.cli.items import BATCH_SUFFIXES
from implicitgrad.cli.signals import Interruptions
from implicitgrad.errors import OutputError, ReaderGone
from implicitgrad.writers.record import error_record
from implicitgrad.writers.rows import COLUMNS

LONGEST_RECORD = 2**16
"""As much of the first line as tells a record from a system."""
SUFFIXES = {"json": ".json", "table": ".txt", "npy": ".npy", "npz": ".npz"}
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
                    rest = rest[os.write(self.descriptor, rest) :]
        except BrokenPipeError:
            raise ReaderGone(f"{self.name} was closed by its reader") from None
        except OSError as error:
            raise OutputError(f"{self.name} cannot be written: {error.strerror}") from None


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
        if not is_whole:
            self._put(b"".join(self.old.lines_but(self.copied, self.place)))
        os.chmod(self.copy, stat.S_IMODE(os.stat(self.path).st_mode))
        os.replace(self.copy, os.path.realpath(self.path))

    def _begin_copy(self) -> None:
        assert self.old is not None
        folder = os.path.dirname(os.path.realpath(self.path))
        try:
            self.locked = self.descriptor
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

    def outcomes(self, item: Item, content_hash: str) -> list[Outcome]:
        """What is there of an item whose content has not changed; nothing where that is not all."""
        found: list[Outcome] = []
        source = item.source
        while (record := self.records.get(source)) is not None and record.content_hash == content_hash:
            found.append(Outcome(source, record.status, self.read(record.start, record.length)))
            if item.line is not None:
                break
            source = f"{item.source}#{len(found) + 1}"
        may_lack = item.line is None and b"---" in (item.data or b"") and found
        return [] if may_lack and found[-1].source == self.order[-1] else found

    def lines_but(self, sources: set[str], start: int) -> list[bytes]:
        """The lines from a place on that are not of these systems."""
        records = [(source, self.records[source]) for source in self.order if source not in sources]
        return [self.read(record.start, record.length) for _, record in records if record.start >= start]


class Directory:
    """One file for each system, named after it."""

    def __init__(self, path: str, form: str) -> None:
        self.path, self.suffix = path, SUFFIXES[form]
        self.taken: set[str] = set()
        try:
            os.makedirs(path, exist_ok=True)
        except OSError as error:
            raise OutputError(f"--output-dir {printable(path)} cannot be made: {error.strerror}") from None

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """A file each; that of a failure is its record, in JSON."""
        for outcome in outcomes:
            if outcome.is_failure and outcome.problem is not None:
                record = error_record(outcome.problem._replace(source=outcome.source))
                write_file(self._file(outcome.source, ".json"), json.dumps(record) + "\n", is_durable=False)
            else:
                written = outcome.written
                assert isinstance(written, str | bytes)
                data = written if isinstance(written, str) else memoryview(written)
                write_file(self._file(outcome.source, self.suffix), data, is_durable=False)

    def close(self, *, is_whole: bool) -> None:
        """Nothing is left to do."""

    def _file(self, source: str, suffix: str) -> str:
        """A path inside the directory that no other system has."""
        base, _, number = source.partition("#") if not os.path.exists(source) else (source, "", "")
        stem = "stdin" if base == "-" else os.path.splitext(os.path.basename(base))[0]
        stem = re.sub(r"[^\w.+=@ -]", "_", stem).strip(". ") or "system"
        stem = f"{stem[:200]}-{number}" if number else stem[:200]
        name, k = stem + suffix, 1
        while name.casefold() in self.taken:
            k += 1
            name = f"{stem}-{k}{suffix}"
        self.taken.add(name.casefold())
        return os.path.join(self.path, name)


class Stack:
    """The numbers of all systems in one .npz file, written at the end."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.outcomes: list[Outcome] = []

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Keep them."""
        self.outcomes += outcomes

    def close(self, *, is_whole: bool) -> None:
        """Write what there is."""
        from implicitgrad.writers.stack import write_stack

        write_file(self.path, write_stack([(one.source, one.status, one.written) for one in self.outcomes]))


def standard_output(interruptions: Interruptions, header: str) -> Lines:
    """Raises OutputError where it is closed."""
    if sys.stdout is None:
        raise OutputError("standard output is closed; expected it to be open")
    return Lines(sys.stdout.fileno(), "standard output", interruptions, header)


def refuse_foreign(path: str) -> None:
    """Raises OutputError where a file that could be a system's, and is no batch's results, would be overwritten."""
    if not path.lower().endswith(BATCH_SUFFIXES):
        return
    try:
        if not stat.S_ISREG(os.stat(path).st_mode) or not os.path.getsize(path):
            return
        with open(path, "rb") as file:
            beginning = file.readline(LONGEST_RECORD)
        is_ours = _holds_stack(path) if beginning.startswith(b"PK") else _is_result(beginning)
    except OSError:
        return
    if not is_ours:
        message = f"--output {printable(path)} exists, and is no batch's results; expected another file"
        raise OutputError(message)


def _is_result(line: bytes) -> bool:
    """Whether a first line is that of results, or the torn beginning of one."""
    beginnings = (b'{"name": ', ",".join(COLUMNS).encode())
    if not line.endswith(b"\n") and any(beginning.startswith(line) for beginning in beginnings):
        return True
    return line.startswith(beginnings) and b'"A": ' not in line


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
        if not stat.S_ISREG(os.stat(path).st_mode):
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

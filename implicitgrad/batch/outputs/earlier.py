"""Read the results of an earlier batch, and tell files of results from other files."""

from __future__ import annotations

import json
import os
import re
import stat
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

from implicitgrad.batch.inputs.chunks import RECORD_BEGINNING, is_result
from implicitgrad.batch.task import BatchResult, Item
from implicitgrad.model.requirement import Facts, program_requirements, unmet
from implicitgrad.readers.sources import format_by_suffix, read_specs
from implicitgrad.terminal.files import standard_stream
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import OutputError

LONGEST_BEGINNING = 2**16
"""The bytes of a first line that tell a record from a system."""
TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
"""Matches a string in JSON."""


class EarlierResults:
    """The results of an earlier batch in a file of JSON lines, without a torn last line.

    Two integers for each result are kept in memory.
    """

    def __init__(self, path: str) -> None:
        try:
            self.file = open(path, "rb")  # noqa: SIM115 (open as long as this object)
        except OSError as error:
            raise OutputError(f"{printable(path)} cannot be read: {error.strerror}") from None
        marks = array("q")
        header = _table_header()
        self.is_table = self.file.readline(len(header)) == header
        self.file.seek(0)
        self.starts = array("q", [0])
        """The offset of each line, and the end of the last one."""
        for line in self.file:
            if (source := _source(line)) is None:
                break
            marks.append(hash(source))
            self.starts.append(self.starts[-1] + len(line))
        places = sorted(range(len(marks)), key=marks.__getitem__)
        self.marks = array("q", map(marks.__getitem__, places))
        """The sorted hashes of the sources."""
        self.places = array("q", places)
        """The line number of each."""

    @property
    def end(self) -> int:
        """Return the end of the last whole line."""
        return self.starts[-1]

    def read(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from an offset on."""
        self.file.seek(start)
        return self.file.read(length)

    def results_of(self, item: Item, content_hash: str, require: Sequence[str]) -> list[BatchResult]:
        """Return the answers to all systems of an item; none if its content has changed or an answer is missing.

        A failure counts as missing, since it may have been due to a lack of memory. Raise InputError if a NumPy file
        cannot be read.
        """
        found: list[BatchResult] = []
        number = 1
        stack: list[str] = []
        if self._line(item.source) is None and (form := format_by_suffix(item.source)) and not form.is_text:
            stack = [spec.source for spec in read_specs(item.source)]
        while len(found) < number:
            source = item.source if not found else f"{item.source}#{len(found) + 1}"
            source = stack[len(found)] if len(stack) > len(found) else source
            line = self._line(source)
            record = None if line is None else _record(line)
            if line is None or record is None or record.get("status") is None:
                return []
            mark = str(record.get("content_hash"))
            own, _, counted = mark.partition("/")
            if own != content_hash:
                return []
            number = int(counted or 1)
            problem = next((p for one in require if (p := unmet(_facts(record), one))), None)
            found.append(BatchResult(source, record["status"], line, problem, is_kept=True))
        return found

    def lines_except(self, sources: set[int], start: int) -> Iterator[bytes]:
        """Yield the lines from an offset on, except those of sources with the given hashes."""
        for place, end in zip(self.starts, self.starts[1:], strict=False):
            if place >= start:
                line = self.read(place, end - place)
                if hash(_source(line)) not in sources:
                    yield line

    def _line(self, source: str) -> bytes | None:
        """Return the last line of a source."""
        mark = hash(source)
        k = bisect_left(self.marks, mark)
        found = None
        while k < len(self.marks) and self.marks[k] == mark:
            start, end = self.starts[self.places[k]], self.starts[self.places[k] + 1]
            line = self.read(start, end - start)
            found = line if _source(line) == source else found
            k += 1
        return found


def refuse_foreign(path: str) -> None:
    """Raise OutputError if a file exists that is not the results of a batch."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or not status.st_size or standard_stream(status) is not None:
            return
        with open(path, "rb") as file:
            beginning = file.readline(LONGEST_BEGINNING)
        is_ours = _holds_stack(path) if beginning.startswith(b"PK") else _is_results(beginning)
    except OSError:
        return
    if not is_ours:
        message = f"--output {printable(path)} exists, and is no batch's results; expected another file"
        raise OutputError(message)


def _is_results(line: bytes) -> bool:
    """Return whether a first line, which may be torn, is that of results."""
    if line.startswith(_table_header()):
        return True
    try:
        record = json.loads(line)
    except ValueError:
        return not line.endswith(b"\n") and _begins_as_record(line)
    return isinstance(record, dict) and "content_hash" in record and is_result(line)


def _begins_as_record(line: bytes) -> bool:
    """Return whether a line, which may be torn, begins as a record does."""
    rest = line
    for expected in (RECORD_BEGINNING, TEXT, b', "source": ', TEXT, b', "'):
        if isinstance(expected, bytes):
            if not rest.startswith(expected):
                return expected.startswith(rest)
            rest = rest[len(expected) :]
        else:
            text = expected.match(rest)
            if text is None:
                return not rest or rest.startswith(b'"')
            rest = rest[text.end() :]
    keys = (b'kind": "', b'arithmetic": "', b'error": {"code": ')
    return rest.startswith(keys) or any(key.startswith(rest) for key in keys)


def _holds_stack(path: str) -> bool:
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as archive:
            return {"source.npy", "status.npy"} <= set(archive.namelist())
    except BadZipFile:
        return False


def _source(line: bytes) -> str | None:
    """Return the source of the record on a line; None if there is no record."""
    if not line.endswith(b"}\n") or not _begins_as_record(line):
        return None
    name = TEXT.match(line, len(RECORD_BEGINNING))
    source = name and TEXT.match(line, name.end() + len(b', "source": '))
    try:
        return None if source is None else str(json.loads(source[0]))
    except ValueError:  # the line is damaged
        return None


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _facts(record: dict[str, Any]) -> Facts:
    """Return the facts that --require is about, from the record of an answer."""
    if record.get("kind") == "program":
        others = program_requirements(has_minimum=record["objective"] is not None, is_unique=record["z"] is not None)
        gradients = [record[key] for key in ("dL_dq", "dL_dh", "dL_db", "dL_dlb", "dL_dub")]
        exists = None if gradients[0] is None else "null" not in json.dumps(gradients)
        return Facts(record["source"], record["status"], exists, others)
    coefficients = ((record.get("general") or {}).get("dL_dx") or {}).get("coefficients") or []
    is_unique = not any(any(row) if isinstance(row, list) else row for row in coefficients)
    return Facts(record["source"], record["status"], None if record.get("dL_dx") is None else is_unique)


def _table_header() -> bytes:
    """Return the beginning of a table of results, to its line end."""
    from implicitgrad.writers.data.csv import COLUMNS

    return ",".join(COLUMNS).encode()

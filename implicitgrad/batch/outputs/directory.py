"""Write results into a directory, one file for each system, named after it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress

from implicitgrad.batch.outputs.lines import locked
from implicitgrad.batch.task import BatchResult
from implicitgrad.model.stack import numbered
from implicitgrad.terminal.files import write_file
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import OutputError
from implicitgrad.writers.formats import FORMATS, JSON

MAX_NAME = 200
"""Bytes of a file's name, which leave room for a number and a suffix."""
LIST = ".implicitgrad-batch"
"""A file that lists, a line each, the files that batches wrote into its directory and may overwrite."""
UNFINISHED = ".implicitgrad-batch-unfinished"
"""The file being written, before it replaces the result; the next batch removes it if this one is killed."""
FAILURE_SUFFIX = FORMATS[JSON].suffixes[0]


class DirectoryOutput:
    """A directory with one file for each system; a failure is a record in JSON, whatever the format of the answers.

    Raises OutputError, as ``write`` does if a file exists that no batch wrote.
    """

    earlier = None

    def __init__(self, path: str, form: str) -> None:
        self.path, self.suffix = path, FORMATS[form].suffixes[0]
        self.taken: set[str] = set()
        try:
            os.makedirs(path, exist_ok=True)
        except OSError as error:
            raise OutputError(f"--output-dir {printable(path)} cannot be made: {error.strerror}") from None
        listed = os.path.join(path, LIST)
        if os.path.islink(listed):
            raise OutputError(f"{printable(listed)} is a link, and no batch's; expected another --output-dir")
        self.list = open(locked(listed), "r+b", buffering=0)  # noqa: SIM115
        self.unfinished = os.path.join(path, UNFINISHED)
        with suppress(OSError):
            os.unlink(self.unfinished)
        self.ours = dict.fromkeys(os.fsdecode(self.list.read()).split("\n"))
        """The names in the list, in order."""
        self._forget_missing()

    def write(self, results: Sequence[BatchResult]) -> Sequence[BatchResult]:
        """Write a file for each result, replacing those of an earlier batch."""
        for result in results:
            stem = self._stem(result.source)
            written = result.written
            assert isinstance(written, str | bytes)
            suffixes = (self.suffix, FAILURE_SUFFIX)
            suffix, other = reversed(suffixes) if result.is_failure else suffixes
            path = self._own(stem + suffix)
            content = written if isinstance(written, str) else memoryview(written)
            write_file(path, content, is_durable=False, temporary=self.unfinished)
            if other != suffix and stem + other in self.ours:
                with suppress(OSError):
                    os.unlink(os.path.join(self.path, stem + other))
        return results

    def close(self, *, is_whole: bool, is_interrupted: bool) -> None:
        """Complete the list and unlock it."""
        self._forget_missing()
        self.list.close()

    def _own(self, name: str) -> str:
        """Return the path of a file that a batch wrote or that does not exist. Raise OutputError for other files."""
        path = os.path.join(self.path, name)
        is_file = os.path.isfile(path) and not os.path.islink(path)
        if os.path.lexists(path) and not (is_file and name in self.ours):
            message = f"{printable(path)} exists, and is no batch's; expected another --output-dir"
            raise OutputError(message)
        if name not in self.ours:
            line = os.fsencode(f"{name}\n")
            try:
                while line:
                    line = line[self.list.write(line) :]
            except OSError as error:
                message = f"{printable(os.path.join(self.path, LIST))} cannot be written: {error.strerror}"
                raise OutputError(message) from None
            self.ours[name] = None
        return path

    def _forget_missing(self) -> None:
        """Make the list name exactly the files that exist; a name is listed before its file is written."""
        with suppress(OSError):
            there = set(os.listdir(self.path))
            is_there = lambda name: name in there or os.path.isfile(os.path.join(self.path, name))  # noqa: E731 (another case)
            self.ours = dict.fromkeys(filter(is_there, self.ours))
            names = os.fsencode("".join(f"{name}\n" for name in self.ours))
            if len(names) != os.fstat(self.list.fileno()).st_size:
                os.lseek(self.list.fileno(), 0, os.SEEK_SET)
                self.list.write(names)
                self.list.truncate()

    def _stem(self, source: str) -> str:
        """Return a file name, without suffix, that no other system has."""
        base, _, number = source.rpartition("#")
        if not number.isdecimal() or os.path.exists(source):
            base, index = numbered(source)
            number = "-".join(map(str, index))
        name = "stdin" if base == "-" else os.path.splitext(os.path.basename(base))[0]
        name = re.sub(r"[^\w.+=@ -]", "_", name).strip(". ") or "system"
        name = name.encode("utf-8", "replace")[:MAX_NAME].decode("utf-8", "ignore")
        stem = first = f"{name}-{number}" if number else name
        k = 1
        while stem.casefold() in self.taken:
            k += 1
            stem = f"{first}-{k}"
        self.taken.add(stem.casefold())
        return stem

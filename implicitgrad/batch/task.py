"""What a batch consists of: items to answer, the task that is the same for all of them, and results."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import NamedTuple

from implicitgrad.model.spec import UNSTATED, CsvFormat
from implicitgrad.model.system import AUTO, Arithmetic
from implicitgrad.readers.files.regular_files import regular_size
from implicitgrad.readers.sources import file_of
from implicitgrad.text.errors import Problem
from implicitgrad.writers.formats import FORMATS, JSON

DEFAULT_OPTIONS = (AUTO, (), None, (), UNSTATED, "")
"""The options of a BatchTask that may change an answer, as they are hashed."""


class Item(NamedTuple):
    """A line with one system, or a file with one or several."""

    source: str
    data: bytes | None
    """Its bytes; None for a file that is read by the process that answers it."""
    line: int | None = None
    """Its line number in a stream of JSON lines, 1-based; None for a whole file."""
    only: int | None = None
    """The one system of it that is meant, 0-based; None for all from ``since`` on."""
    since: int = 0


Chunk = list[Item]
Context = Callable[[], AbstractContextManager[object]]
"""A context to compute or to wait in, in which the process may be interrupted."""


class BatchTask(NamedTuple):
    """The options that apply to every system."""

    arithmetic: str = AUTO
    free: tuple[str, ...] = ()
    rtol: float | None = None
    require: tuple[str, ...] = ()
    csv_form: CsvFormat = UNSTATED
    form: str = JSON
    """The name of the output format."""
    time_limit: float | None = None
    """Seconds for each system."""
    is_combined: bool = True
    """Whether the answers go into one output; else each has a file of its own."""

    @property
    def is_of_numbers(self) -> bool:
        """Whether the output has arrays of numbers, for which stacked calls suffice where they certify an answer."""
        batch = FORMATS[self.form].batch
        if batch is None or not self.is_combined or self.require or self.arithmetic == Arithmetic.EXACT:
            return False
        return batch().assemble is not None

    def content_hash(self, item: Item) -> str | None:
        """Return the SHA-256 of an item's bytes and of the options that change its answer; None for a FIFO.

        Raise InputError if the file cannot be read.
        """
        if item.data is not None:
            digest = hashlib.sha256(item.data)
        elif regular_size(path := file_of(item.source)) is None:
            return None
        elif path != item.source:  # of a part of a stack, whose file has others
            status = os.stat(path)
            digest = _digest_of_version(path, status.st_ino, status.st_size, status.st_mtime_ns).copy()
        else:
            digest = _digest(path)
        options = (self.arithmetic, self.free, self.rtol, (), self.csv_form, "")
        if options != DEFAULT_OPTIONS:
            digest.update(repr(options).encode())
        return digest.hexdigest()


def _digest(path: str) -> hashlib._Hash:
    """Return the SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256")


@lru_cache(maxsize=4)
def _digest_of_version(path: str, *version: int) -> hashlib._Hash:
    """Return the SHA-256 of a file, of which each content has another version."""
    return _digest(path)


class BatchResult(NamedTuple):
    """The answer to a system, or the problem with it, ready to be written."""

    source: str
    status: str
    """The status of the solution, or "error"."""
    written: object
    """In the format ``BatchTask.form``; a failure in a file of its own is a JSON record."""
    problem: Problem | None = None
    """Why there is no answer, or how the answer differs from what --require asks."""
    is_kept: bool = False
    """Whether it was taken over from a previous batch."""

    @property
    def is_failure(self) -> bool:
        """Whether there is no answer."""
        return self.status == "error"


class ReadyResults(NamedTuple):
    """Results that need no work, in their place among the chunks."""

    results: list[BatchResult]

"""The outputs of a batch: the protocol that all implement, and one file of arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import BinaryIO, Protocol

from implicitgrad.batch.outputs.earlier import EarlierResults
from implicitgrad.batch.outputs.lines import locked
from implicitgrad.batch.task import BatchResult
from implicitgrad.terminal.files import write_file
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import OutputError
from implicitgrad.writers.data.batch_format import BatchAnswer


class Results(Protocol):
    """An output that results are written to in order."""

    @property
    def earlier(self) -> EarlierResults | None:
        """Return the results of an earlier batch that this one resumes."""

    def write(self, results: Sequence[BatchResult]) -> Sequence[BatchResult]:
        """Write results and return those that were written: all, unless an interruption ends the writing.

        Raise OutputError or ReaderGone.
        """

    def close(self, *, is_whole: bool, is_interrupted: bool) -> None:
        """Finish the output. is_whole : all systems have been answered."""


class ArraysOutput:
    """One .npz file with the numbers of all systems, which are kept in memory until the end."""

    earlier = None

    def __init__(self, path: str, assemble: Callable[[Sequence[BatchAnswer], BinaryIO], None]) -> None:
        self.path, self.assemble = path, assemble
        self.results: list[BatchResult] = []
        folder = os.path.dirname(os.path.realpath(path))
        if not os.access(folder, os.W_OK):
            reason = "no permission" if os.path.isdir(folder) else "no such directory"
            raise OutputError(f"{printable(path)} cannot be written: {reason}")
        self.lock = locked(path) if os.path.isfile(path) or not os.path.exists(path) else None

    def write(self, results: Sequence[BatchResult]) -> Sequence[BatchResult]:
        """Keep results until the end."""
        self.results += results
        return results

    def close(self, *, is_whole: bool, is_interrupted: bool) -> None:
        """Write the file, unless this batch was interrupted and the file has an earlier batch's results."""
        try:
            if not is_interrupted or (self.results and self._is_new()):
                self._write()
        finally:
            if self._is_new():
                with suppress(OSError):
                    os.unlink(self.path)

    def _is_new(self) -> bool:
        """Return whether the file is the empty one that was created to be locked."""
        return self.lock is not None and os.path.isfile(self.path) and not os.path.getsize(self.path)

    def _write(self) -> None:
        answers = [(one.source, one.status, one.written) for one in self.results]
        try:
            write_file(self.path, lambda stream: self.assemble(answers, stream))
        except MemoryError:
            message = f"{printable(self.path)} cannot be written: as large as the largest system for all of them"
            hint = "--output-dir with --format npz has a file each"
            raise OutputError(f"{message}, its arrays do not fit into memory", hint) from None

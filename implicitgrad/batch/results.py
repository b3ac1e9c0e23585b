"""Where the outcomes of a batch go: lines of a file or of standard output, a directory, one file of arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import BinaryIO, Protocol

from implicitgrad.batch.jsonl_output import locked
from implicitgrad.batch.task import BatchResult
from implicitgrad.terminal.files import write_file
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import OutputError
from implicitgrad.writers.formats import BatchAnswer


class Results(Protocol):
    """What takes outcomes."""

    def write(self, outcomes: Sequence[BatchResult]) -> Sequence[BatchResult]:
        """Take some more; returns what was taken: all, but where an interruption ends it.

        Raises OutputError or ReaderGone.
        """

    def close(self, *, is_whole: bool, is_interrupted: bool) -> None:
        """The end. is_whole : of all there were."""


class Stack:
    """The numbers of all systems in one .npz file, written at the end; they are kept in memory until then."""

    def __init__(self, path: str, assemble: Callable[[Sequence[BatchAnswer], BinaryIO], None]) -> None:
        self.path, self.assemble = path, assemble
        self.outcomes: list[BatchResult] = []
        folder = os.path.dirname(os.path.realpath(path))
        if not os.access(folder, os.W_OK):
            reason = "no permission" if os.path.isdir(folder) else "no such directory"
            raise OutputError(f"{printable(path)} cannot be written: {reason}")
        self.lock = locked(path) if os.path.isfile(path) or not os.path.exists(path) else None

    def write(self, outcomes: Sequence[BatchResult]) -> Sequence[BatchResult]:
        """Keep them."""
        self.outcomes += outcomes
        return outcomes

    def close(self, *, is_whole: bool, is_interrupted: bool) -> None:
        """Write what there is, but not in the place of an earlier batch's results where this one was interrupted."""
        try:
            if not is_interrupted or (self.outcomes and self._is_new()):
                self._write()
        finally:
            if self._is_new():
                with suppress(OSError):
                    os.unlink(self.path)

    def _is_new(self) -> bool:
        """Whether nothing is there but the file that was made to be locked."""
        return self.lock is not None and os.path.isfile(self.path) and not os.path.getsize(self.path)

    def _write(self) -> None:
        answers = [(one.source, one.status, one.written) for one in self.outcomes]
        try:
            write_file(self.path, lambda stream: self.assemble(answers, stream))
        except MemoryError:
            message = f"{printable(self.path)} cannot be written: as large as the largest system for all of them"
            hint = "--output-dir with --format npz has a file each"
            raise OutputError(f"{message}, its arrays do not fit into memory", hint) from None

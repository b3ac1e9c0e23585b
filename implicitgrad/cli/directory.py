"""Results as a directory: one file for each system, named after it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress

from implicitgrad.batch import Outcome
from implicitgrad.characters import printable
from implicitgrad.cli.files import write_file
from implicitgrad.cli.lines import locked
from implicitgrad.errors import OutputError

LONGEST_NAME = 200
"""Bytes of a file's name, and room for numbers and a suffix."""
LIST = ".implicitgrad-batch"
"""In a directory, the names of the files that batches wrote there, a line each: what they may write again."""
SUFFIXES = {
    "json": ".json", "table": ".txt", "markdown": ".md", "latex": ".tex", "yaml": ".yaml", "csv": ".csv",
    "npy": ".npy", "npz": ".npz",
}  # fmt: skip


class Directory:
    """One file for each system; the record of a failure in JSON, whatever the answers are.

    Raises OutputError, as ``write`` does where a file is there that no batch wrote.
    """

    def __init__(self, path: str, form: str) -> None:
        self.path, self.suffix = path, SUFFIXES[form]
        self.taken: set[str] = set()
        try:
            os.makedirs(path, exist_ok=True)
        except OSError as error:
            raise OutputError(f"--output-dir {printable(path)} cannot be made: {error.strerror}") from None
        listed = os.path.join(path, LIST)
        if os.path.islink(listed):
            raise OutputError(f"{printable(listed)} is a link, and no batch's; expected another --output-dir")
        self.list = open(locked(listed), "r+b", buffering=0)  # noqa: SIM115
        names = self.list.read()
        if names and not names.endswith(b"\n"):
            self._append(b"\n")
        self.ours = set(os.fsdecode(names).split("\n"))

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """A file each, in the place of what an earlier batch wrote of it."""
        for outcome in outcomes:
            stem = self._stem(outcome.source)
            written = outcome.written
            assert isinstance(written, str | bytes)
            suffixes = (self.suffix, ".json")
            suffix, other = reversed(suffixes) if outcome.is_failure else suffixes
            path = self._own(stem + suffix)
            write_file(path, written if isinstance(written, str) else memoryview(written), is_durable=False)
            if other != suffix and stem + other in self.ours:
                with suppress(OSError):
                    os.unlink(os.path.join(self.path, stem + other))

    def close(self, *, is_whole: bool, is_interrupted: bool) -> None:
        """Let go of it."""
        self.list.close()

    def _own(self, name: str) -> str:
        """The path of a file that is ours, or is not there yet. Raises OutputError where it is another's."""
        path = os.path.join(self.path, name)
        if os.path.islink(path) or (name not in self.ours and os.path.exists(path)):
            message = f"{printable(path)} exists, and is no batch's; expected another --output-dir"
            raise OutputError(message)
        if name not in self.ours:
            self._append(os.fsencode(f"{name}\n"))
            self.ours.add(name)
        return path

    def _append(self, text: bytes) -> None:
        try:
            self.list.write(text)
        except OSError as error:
            message = f"{printable(os.path.join(self.path, LIST))} cannot be written: {error.strerror}"
            raise OutputError(message) from None

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

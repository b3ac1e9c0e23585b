"""Find the source files of a batch, and refuse an output that would overwrite one of them."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain

from implicitgrad.batch.inputs.chunks import FileId, is_stream
from implicitgrad.batch.inputs.file_list import listed
from implicitgrad.batch.inputs.stack_parts import count_systems
from implicitgrad.batch.inputs.walk import PAUSE, walk
from implicitgrad.batch.outputs.earlier import refuse_foreign
from implicitgrad.readers.sources import BY_SUFFIX, file_of
from implicitgrad.terminal.files import refuse_inputs
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import InputError, UsageError


class Sources:
    """The files that paths, and the names in a list, denote.

    output, directory : where results go; None for standard output. Raises UsageError or OutputError if results would
    overwrite a source.
    """

    def __init__(
        self,
        paths: Sequence[str],
        files_from: str | None,
        exclude: Sequence[str],
        output: str | None,
        directory: str | None,
    ) -> None:
        self.paths, self.exclude, self.output, self.directory = paths, exclude, output, directory
        self.has_list = files_from is not None
        self.names: Iterable[str] = () if files_from is None else listed(files_from)
        named = [file_of(path) for path in (*paths, files_from) if path is not None]
        if output is None and directory is None:
            _refuse_standard_output(named)
        if output is not None:
            refuse_inputs(output, named)
            refuse_foreign(output)
            if os.path.exists(output) and not self.has_list and not any(map(_may_exist, paths)):
                hint = f"{printable(output)} is left as it is"
                raise UsageError(f"{printable(paths[0])}: there is no such file", hint)
        elif directory is not None and os.path.exists(directory):
            self.names = [name for name in self.names if name != PAUSE]
            for path in chain(paths, self.found()):
                if isinstance(path, str) and path != "-" and _is_inside(path, directory):
                    held = f"--output-dir {printable(directory)} holds the input {printable(path)}"
                    raise UsageError(f"{held}; expected another directory")

    def found(self) -> Iterator[str | InputError]:
        """Yield the files and the problems with directories; a list in standard input can be read once."""
        own = [] if self.directory is None else [glob.escape(os.path.abspath(self.directory))]
        return walk(chain(self.paths, self.names), [*self.exclude, *own], tuple(BY_SUFFIX))

    def total(self) -> int | None:
        """Return the number of files; None if there are streams of systems or a list of files."""
        if self.has_list:
            return None
        total = 0
        for path in self.found():
            if path == "-" or (isinstance(path, str) and is_stream(path)):
                return None
            total += count_systems(path) if isinstance(path, str) else 1
        return total

    def own(self) -> set[FileId]:
        """Return the files that results go to, which may be in a source directory."""
        found = set()
        for one in (1, self.output) if self.directory is None else ():
            with suppress(OSError):
                if one is not None and stat.S_ISREG((status := os.stat(one)).st_mode):
                    found.add((status.st_dev, status.st_ino))
        return found


def _refuse_standard_output(named: Iterable[str]) -> None:
    """Raise UsageError if standard output is one of the files that are read, since reading would never end."""
    for source in named:
        with suppress(OSError, ValueError):
            status = os.stat(0 if source == "-" else source)
            if stat.S_ISREG(status.st_mode) and os.path.samestat(status, os.stat(1)):
                shown = "standard input" if source == "-" else printable(source)
                raise UsageError(f"standard output goes into the input, {shown}; expected another file")


def _is_inside(path: str, directory: str) -> bool:
    return os.path.join(os.path.realpath(path), "").startswith(os.path.join(os.path.realpath(directory), ""))


def _may_exist(path: str) -> bool:
    path = file_of(path)
    if path == "-" or os.path.lexists(path):
        return True
    return glob.has_magic(path) and next(glob.iglob(path, recursive=True), None) is not None

"""Read the names in a list of files as they arrive."""

from __future__ import annotations

import codecs
import errno
import os
import stat
from collections.abc import Iterator
from itertools import chain

from implicitgrad.batch.inputs.blocks import read_blocks
from implicitgrad.batch.inputs.walk import PAUSE
from implicitgrad.readers.sources import open_source
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import UsageError

MAX_NAME = 2**12
"""Bytes of a path; operating systems allow no more."""


def listed(path: str) -> Iterator[str]:
    """Open a list of file names at once, standard input for "-", and yield the names. Raise UsageError.

    Names end with NULs if the beginning of the list has one, else with line ends. A PAUSE precedes each wait for more.
    """
    try:
        descriptor, beginning = open_source(path)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise IsADirectoryError(errno.EISDIR, "it is a directory, and is given without --files-from")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"--files-from {printable(path)}: cannot be read: {reason}") from None
    return _names(chain([beginning], read_blocks(descriptor)), None if path == "-" else descriptor)


def _names(blocks: Iterator[bytes], descriptor: int | None) -> Iterator[str]:
    try:
        rest = b""
        end: bytes | None = None
        is_first = True
        is_too_long = False
        for block in blocks:
            if not block:
                yield PAUSE
                continue
            rest += block
            if end is None and (b"\0" in rest or b"\n" in rest):
                end = b"\0" if b"\0" in rest else b"\n"
            if end is None and len(rest) <= MAX_NAME:
                continue
            if is_first:
                rest = rest.removeprefix(codecs.BOM_UTF8)
                is_first = False
            *names, rest = [rest] if end is None else rest.split(end)
            if is_too_long and names:
                del names[0]
                is_too_long = False
            if end == b"\n":
                names = [name.removesuffix(b"\r") for name in names]
            yield from (os.fsdecode(name) for name in names if name.strip())
            if len(rest) > MAX_NAME:
                if not is_too_long:
                    yield os.fsdecode(rest[: MAX_NAME + 1])  # too long for a file's name, as opening it reports
                is_too_long, rest = True, b""
        if rest.strip() and not is_too_long:
            yield os.fsdecode(rest.removeprefix(codecs.BOM_UTF8) if is_first else rest)
    finally:
        if descriptor is not None:
            os.close(descriptor)

"""Read a file, a FIFO or standard input in blocks of bytes, as they arrive."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator

from implicitgrad.readers.files.source import open_file

READ_SIZE = 2**16


def open_source(path: str) -> tuple[int, bytes]:
    """Open a file and return its descriptor and any bytes already read from it. Raise OSError or ValueError."""
    if path != "-":
        return open_file(path)
    if sys.stdin is None or sys.stdin.closed:
        raise OSError(errno.EBADF, "standard input is closed")
    return sys.stdin.fileno(), b""


def read_blocks(descriptor: int) -> Iterator[bytes]:
    """Yield blocks of bytes as they arrive, and an empty one before each wait."""
    while True:
        if not _is_ready(descriptor):
            yield b""
        try:
            block = os.read(descriptor, READ_SIZE)
        except BlockingIOError:
            import select

            select.select([descriptor], [], [])
            continue
        if not block:
            return
        yield block


def _is_ready(descriptor: int) -> bool:
    import select

    try:
        return bool(select.select([descriptor], [], [], 0)[0])
    except (OSError, ValueError):  # Windows polls only sockets
        return True

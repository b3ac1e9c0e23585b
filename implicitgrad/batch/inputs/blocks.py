"""Read a file, a FIFO or standard input in blocks of bytes, as they arrive."""

from __future__ import annotations

from collections.abc import Iterator

from implicitgrad.readers.sources import read_chunk


def read_blocks(descriptor: int) -> Iterator[bytes]:
    """Yield blocks of bytes as they arrive, and an empty one before each wait."""
    while True:
        if not _is_ready(descriptor):
            yield b""
        block = read_chunk(descriptor)
        if not block:
            return
        yield block


def _is_ready(descriptor: int) -> bool:
    import select

    try:
        return bool(select.select([descriptor], [], [], 0)[0])
    except (OSError, ValueError):  # Windows polls only sockets
        return True

"""Open a FIFO and wait for its writer, but not for ever."""

from __future__ import annotations

import errno
import os
import select

SECONDS_FOR_A_WRITER = 5.0


def open_fifo(path: str) -> tuple[int, bytes]:
    """Return the descriptor of a FIFO that has data, and what had to be read to find out. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        beginning = _await_writer(descriptor)
        os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, beginning


def _await_writer(descriptor: int) -> bytes:
    """Wait until a FIFO has data, and return what had to be read to find out."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if poll.poll(SECONDS_FOR_A_WRITER * 1000):
        return b""
    try:
        beginning = os.read(descriptor, 1)
    except BlockingIOError:  # a slow process has it open for writing
        return b""
    if not beginning:
        raise OSError(errno.ENODATA, f"a FIFO that nobody writes to (waited {SECONDS_FOR_A_WRITER:.0f} s)")
    return beginning

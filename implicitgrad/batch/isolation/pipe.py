"""Send pickled objects through pipes between processes."""

from __future__ import annotations

import os
import pickle
from typing import Any

LENGTH_BYTES = 8
"""Size of the length that precedes each message."""


def send(pipe: int, message: object) -> None:
    """Write a message to a pipe."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    view = memoryview(len(data).to_bytes(LENGTH_BYTES, "big") + data)
    while view:
        view = view[os.write(pipe, view) :]


def receive(pipe: int) -> Any:  # noqa: ANN401 (whatever the other process pickled)
    """Return the next message; None if the other process has ended."""
    length = _read(pipe, LENGTH_BYTES)
    message = _read(pipe, int.from_bytes(length, "big"))
    return pickle.loads(message) if message else None


def _read(pipe: int, size: int) -> bytes:
    """Read ``size`` bytes; return none if the other process ends before."""
    blocks = []
    while size:
        block = os.read(pipe, min(size, 2**20))
        if not block:
            return b""
        blocks.append(block)
        size -= len(block)
    return b"".join(blocks)

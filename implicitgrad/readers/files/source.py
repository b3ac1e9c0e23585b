"""Read the text of a path or "-": without hanging, with a size limit, decoded."""

from __future__ import annotations

import errno
import os
import stat
import sys

from implicitgrad.text.errors import InputError, Problem

STANDARD_INPUT = "-"
MAX_BYTES = 256 * 2**20
CHUNK = 2**16

FIRST_BYTES = b"\x1f\x93P%\xd0B\xfd\x28\x89S<"
"""The first bytes of the formats that not_text.py knows."""
_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def stem(path: str) -> str:
    """Return a file's name without directories and suffix."""
    return os.path.splitext(os.path.basename(path))[0]


def read_text(source: str) -> str:
    """Return the text of a file, or of standard input for "-". Raises InputError."""
    text = decode(source, read_bytes(source))
    if not text or text.isspace():
        raise _refused(source, "empty; expected a system", code="empty")
    return text


def read_bytes(source: str) -> bytes:
    """Return the content of a file, or of standard input for "-". Raises InputError."""
    try:
        descriptor, beginning = open_source(source)
        chunks, size = [beginning], len(beginning)
        try:
            while size <= MAX_BYTES and (chunk := read_chunk(descriptor)):
                chunks.append(chunk)
                size += len(chunk)
        finally:
            if source != STANDARD_INPUT:
                os.close(descriptor)
    except (OSError, ValueError) as error:
        raise unreadable(source, error) from None
    if size > MAX_BYTES:
        raise _refused(source, f"expected at most {MAX_BYTES >> 20} MiB, got more", code="too-large")
    return b"".join(chunks)


def unreadable(source: str, error: OSError | ValueError) -> InputError:
    """Return the error for a source that cannot be read."""
    reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    hint = "Give the system's file, not its directory" if getattr(error, "errno", None) == errno.EISDIR else None
    return _refused(source, f"cannot be read: {reason}", hint, "cannot-read")


def _refused(source: str, message: str, hint: str | None = None, code: str = "not-text") -> InputError:
    return InputError([Problem(message, hint, code, source)])


def open_source(source: str) -> tuple[int, bytes]:
    """Return the descriptor of a file, or of standard input for "-", and what had to be read from it already.

    Raises OSError or ValueError. A FIFO that no process opens for writing is an error.
    """
    if source == STANDARD_INPUT:
        if sys.stdin is None or sys.stdin.closed:
            raise OSError(errno.EBADF, "standard input is closed")
        return sys.stdin.fileno(), b""
    if stat.S_ISFIFO(os.stat(source).st_mode):
        from implicitgrad.readers.files.fifo import open_fifo

        return open_fifo(source)
    return os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0)), b""


def read_chunk(descriptor: int) -> bytes:
    """Return the next bytes as they arrive, b"" at the end."""
    while True:
        try:
            return os.read(descriptor, CHUNK)
        except BlockingIOError:  # another process may have made standard input non-blocking
            import select

            select.select([descriptor], [], [])


def decode(source: str, data: bytes, first_line: int = 1) -> str:
    """Decode bytes, without a byte order mark. Raises InputError.

    first_line : the line of the source on which they begin.
    """
    beginning = data[:200].lstrip()
    if beginning[:1] in FIRST_BYTES:
        from implicitgrad.readers.files.not_text import refuse_other_format

        refuse_other_format(source, data, beginning)
    encoding = next((name for bom, name in _BOMS.items() if data.startswith(bom)), "utf-8")
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        from implicitgrad.readers.files.not_text import undecodable

        raise undecodable(error, source, data, first_line) from None
    if "\0" in text:
        from implicitgrad.readers.files.not_text import binary

        raise binary(text, source, first_line)
    return text

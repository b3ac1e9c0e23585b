"""Read the text of a path or "-": without hanging, with a size limit, decoded; name the format of other files."""

from __future__ import annotations

import errno
import os
import stat
import sys

from implicitgrad.text.errors import InputError, Problem

STANDARD_INPUT = "-"
MAX_BYTES = 256 * 2**20
CHUNK = 2**16
NUMPY_HINT = "NumPy's files are read from a path that ends in .npy or .npz, and not through standard input"
SECONDS_FOR_A_WRITER = 5.0

_SIGNATURES = {
    b"\x1f\x8b": "gzip data",
    b"\x93NUMPY": "a NumPy .npy file",
    b"PK\x03\x04": "a zip archive",
    b"%PDF-": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ\x00": "xz data",
    b"\x28\xb5\x2f\xfd": "zstd data",
    b"\x89PNG": "a PNG picture",
    b"SQLite format 3": "an SQLite database",
    b"<!doctype html": "an HTML page",
    b"<html": "an HTML page",
    b"<?xml": "an XML document",
}
_FIRST_BYTES = {start[:1] for start in _SIGNATURES}
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
        data = _standard_input() if source == STANDARD_INPUT else _file(source)
    except (OSError, ValueError) as error:
        raise unreadable(source, error) from None
    if len(data) > MAX_BYTES:
        raise _refused(source, f"expected at most {MAX_BYTES >> 20} MiB, got more", code="too-large")
    return data


def regular_size(path: str) -> int | None:
    """Return the size of a file in bytes; None if it is not regular, such as a FIFO. Raises InputError.

    The file is not opened, because a FIFO's writer would take that for its reader.
    """
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode) and not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def unreadable(source: str, error: OSError | ValueError) -> InputError:
    """Return the error for a source that cannot be read."""
    reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    hint = "Give the system's file, not its directory" if getattr(error, "errno", None) == errno.EISDIR else None
    return _refused(source, f"cannot be read: {reason}", hint, "cannot-read")


def _refused(source: str, message: str, hint: str | None = None, code: str = "not-text") -> InputError:
    return InputError([Problem(message, hint, code, source)])


def _standard_input() -> bytes:
    if sys.stdin is None or sys.stdin.closed:
        raise OSError(errno.EBADF, "standard input is closed")
    return _read(sys.stdin.buffer.fileno())


def open_file(path: str) -> tuple[int, bytes]:
    """Return a descriptor, and what had to be read from it already. Raises OSError or ValueError.

    A FIFO that no process opens for writing is an error.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        beginning = _await_writer(descriptor) if stat.S_ISFIFO(os.fstat(descriptor).st_mode) else b""
        if hasattr(os, "set_blocking"):
            os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, beginning


def _file(path: str) -> bytes:
    descriptor, beginning = open_file(path)
    try:
        return beginning + _read(descriptor)
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> bytes:
    """Read to the end, or one chunk more than the limit."""
    chunks, size = [], 0
    while size <= MAX_BYTES:
        try:
            chunk = os.read(descriptor, CHUNK)
        except BlockingIOError:  # another process may have made standard input non-blocking
            import select

            select.select([descriptor], [], [])
            continue
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def _await_writer(descriptor: int) -> bytes:
    """Wait until a FIFO has data, and return what had to be read to find out."""
    import select

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


def decode(source: str, data: bytes, first_line: int = 1) -> str:
    """Decode bytes, without a byte order mark. Raises InputError.

    first_line : the line of the source on which they begin.
    """
    beginning = data[:200].lstrip()
    if beginning[:1] in _FIRST_BYTES and (found := _format_of(data, beginning)):
        hint = NUMPY_HINT if "NumPy" in found else "Export it as CSV or YAML first"
        raise _refused(source, f"expected YAML or CSV text, got {found}", hint)
    encoding = next((name for bom, name in _BOMS.items() if data.startswith(bom)), "utf-8")
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + first_line
        column = error.start - data.rfind(b"\n", 0, error.start)
        message = f"expected {encoding.upper()} text, got the byte 0x{data[error.start]:02x}"
        problem = Problem(message, "Save the file as UTF-8", "not-text", source, line, column)
        raise InputError([problem]) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + first_line
        problem = Problem("expected text, got binary data (a NUL byte)", None, "not-text", source, line)
        raise InputError([problem])
    return text


def _format_of(data: bytes, beginning: bytes) -> str | None:
    """Return the name of the format of ``data``, if it is a known one other than text."""
    found = next((name for start, name in _SIGNATURES.items() if beginning.lower().startswith(start.lower())), None)
    if found == "a zip archive" and b".npy" in beginning:
        return "a NumPy .npz file"
    return "an Excel workbook" if found == "a zip archive" and b"xl/" in data else found

"""Write files whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import BinaryIO

from implicitgrad.text.characters import printable
from implicitgrad.text.errors import OutputError, ReaderGone


def write_file(
    path: str,
    content: str | bytes | memoryview | Callable[[BinaryIO], None],
    inputs: Iterable[str] = (),
    option: str = "--output",
    *,
    is_durable: bool = True,
    temporary: str | None = None,
) -> None:
    """Write a file, whole or not at all.

    content : the bytes, the text, or a function that writes to a stream. inputs : the files that were read, which are
    never overwritten; "-" is standard input. option : the option that named the file, for messages.
    is_durable : sync the file to disk before returning. temporary : the name of the temporary file beside it; None
    for a random one.

    Raise OutputError, or ReaderGone if the file is a pipe without a reader.
    """
    refuse_inputs(path, inputs, option)
    try:
        _replace(path, _writer(content), temporary, is_durable=is_durable)
    except BrokenPipeError:
        raise ReaderGone(f"{printable(path)} was closed by its reader") from None
    except OSError as error:
        raise OutputError(f"{printable(path)}: cannot be written: {error.strerror or error}") from None


def refuse_inputs(path: str, inputs: Iterable[str], option: str = "--output") -> None:
    """Raise OutputError if ``path`` is one of the files that are read; "-" is standard input."""
    for source in inputs:
        with suppress(OSError):
            if os.path.isfile(path) and os.path.samestat(os.stat(path), os.stat(0 if source == "-" else source)):
                raise OutputError(f"{option} {printable(path)} is the input; expected another file")


def standard_stream(status: os.stat_result) -> int | None:
    """Return the descriptor of standard output or error if it writes to this file, else None."""
    for descriptor in (1, 2):
        with suppress(OSError):
            if os.path.samestat(status, os.fstat(descriptor)):
                return descriptor
    return None


def _writer(content: str | bytes | memoryview | Callable[[BinaryIO], None]) -> Callable[[BinaryIO], None]:
    if callable(content):
        return content
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content

    def write(stream: BinaryIO) -> None:
        stream.write(data)

    return write


def _replace(path: str, write: Callable[[BinaryIO], None], temporary: str | None, *, is_durable: bool) -> None:
    """Write to a temporary file beside ``path`` and rename it at the end.

    Devices, pipes and the files behind our own standard output and error are written to directly.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        if path.endswith(os.sep):
            raise
        umask = os.umask(0)
        os.umask(umask)
        mode = 0o666 & ~umask
    else:
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        standard = standard_stream(status)
        if standard is not None or not stat.S_ISREG(status.st_mode):
            with open(path if standard is None else standard, "wb", closefd=standard is None) as stream:
                write(stream)
            return
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        mode = stat.S_IMODE(status.st_mode)
    path = os.path.realpath(path)
    if temporary is None:
        import tempfile

        descriptor, temporary = tempfile.mkstemp(prefix=".implicitgrad-", dir=os.path.dirname(path))
    else:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(temporary, flags, 0o600)
    try:
        with open(descriptor, "wb") as stream:
            write(stream)
            stream.flush()
            if is_durable:
                os.fsync(stream.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise

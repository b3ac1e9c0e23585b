"""Files, written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress

from implicitgrad.characters import printable
from implicitgrad.errors import OutputError, ReaderGone


def write_file(path: str, text: str, inputs: Iterable[str | int] = ()) -> None:
    """Write ``text`` to a file as UTF-8, whole or not at all.

    inputs : the paths or descriptors it was made from, which it is never to overwrite. Raises OutputError, or
    ReaderGone where the file is a pipe that nobody reads.
    """
    for source in inputs:
        with suppress(OSError):
            if os.path.isfile(path) and os.path.samestat(os.stat(path), os.stat(source)):
                raise OutputError(f"--output {printable(path)} is the input; expected another file")
    try:
        _replace(path, text.encode("utf-8", "backslashreplace"))
    except BrokenPipeError:
        raise ReaderGone(f"{printable(path)} was closed by its reader") from None
    except OSError as error:
        raise OutputError(f"{printable(path)}: cannot be written: {error.strerror or error}") from None


def _replace(path: str, data: bytes) -> None:
    """Through a temporary file beside ``path``, which takes its place at the end; a device is written to directly."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        mode = stat.S_IFREG | 0o666 & ~umask
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        with open(path, "wb") as device:
            device.write(data)
        return
    import tempfile

    path = os.path.realpath(path)
    descriptor, temporary = tempfile.mkstemp(prefix=".implicitgrad-", dir=os.path.dirname(path))
    try:
        with open(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise

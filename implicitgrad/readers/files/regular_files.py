"""Measure files without opening them."""

from __future__ import annotations

import errno
import os
import stat

from implicitgrad.readers.files.faults import unreadable


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

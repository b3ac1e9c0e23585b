"""Tell a stack from its file's header, without reading its numbers."""

from __future__ import annotations

import zipfile

from implicitgrad.readers.npz import MEMBER_SUFFIX, read_header


def stack_shape(path: str) -> tuple[int, ...]:
    """Return the lengths of the leading axes of A in a NumPy file; () if there are none, or it cannot be read."""
    try:
        if not zipfile.is_zipfile(path):
            with open(path, "rb") as stream:
                return read_header(stream)[0][:-2]
        with zipfile.ZipFile(path) as archive, archive.open(f"A{MEMBER_SUFFIX}") as stream:
            return read_header(stream)[0][:-2]
    except Exception:  # reading it will say what is wrong
        return ()

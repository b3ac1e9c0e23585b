"""Say why a source cannot be read, or is no text: a file of another format, or bytes that no text has."""

from __future__ import annotations

import errno

from implicitgrad.text.errors import InputError, Problem

NUMPY_HINT = "NumPy's files are read from a path that ends in .npy or .npz, and not through standard input"
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

_EXPORTS = {
    **dict.fromkeys(("xlsx", "xls", "xlsm", "xlsb", "ods", "numbers"), "Save the sheet as CSV"),
    **dict.fromkeys(("parquet", "feather", "h5", "hdf5", "pkl", "pickle", "mat", "pt", "pth", "safetensors"),
                    "Save it as .npz: numpy.savez('system.npz', A=A, dL_dy=dL_dy)"),
    **dict.fromkeys(("rds", "rdata", "dta", "sav"), "Export it as CSV"),
    **dict.fromkeys(("gz", "bz2", "xz", "zst", "zip"), "Unpack it first"),
}  # fmt: skip
"""What to do with a file of another program, by the last part of its name."""


def export_hint(suffix: str) -> str | None:
    """Return how to make a file readable whose name has the suffix of another format; None if it is of none known."""
    return _EXPORTS.get(suffix.rpartition(".")[2].lower())


def unreadable(source: str, error: OSError | ValueError) -> InputError:
    """Return the error for a source that cannot be opened or read."""
    reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    hint = "Give the system's file, not its directory" if getattr(error, "errno", None) == errno.EISDIR else None
    return InputError([Problem(f"cannot be read: {reason}", hint, "cannot-read", source)])


def refuse_no_text(source: str, data: bytes, encoding: str, first_line: int) -> None:
    """Raise InputError for another format, a byte that the encoding does not allow, or a NUL byte."""
    found = _format_of(data)
    if found is not None:
        hint = NUMPY_HINT if "NumPy" in found else "Export it as CSV or YAML first"
        raise InputError([Problem(f"expected YAML or CSV text, got {found}", hint, "not-text", source)])
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + first_line
        column = error.start - data.rfind(b"\n", 0, error.start)
        message = f"expected {encoding.upper()} text, got the byte 0x{data[error.start]:02x}"
        hint = "Save the file as UTF-8"
        raise InputError([Problem(message, hint, "not-text", source, line, column)]) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + first_line
        raise InputError([Problem("expected text, got binary data (a NUL byte)", None, "not-text", source, line)])


def _format_of(data: bytes) -> str | None:
    """Return the name of the format of ``data``, if it is a known one other than text."""
    beginning = data[:200].lstrip()
    found = next((name for start, name in _SIGNATURES.items() if beginning.lower().startswith(start.lower())), None)
    if found == "a zip archive" and b".npy" in beginning:
        return "a NumPy .npz file"
    return "an Excel workbook" if found == "a zip archive" and b"xl/" in data else found

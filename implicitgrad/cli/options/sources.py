"""Read a source only once, and by the CSV options only if it is CSV."""

from __future__ import annotations

from implicitgrad.model.spec import UNSTATED, CsvFormat
from implicitgrad.readers.files.regular_files import regular_size
from implicitgrad.readers.sources import STANDARD_INPUT, format_by_suffix, read_text


def read_once(source: str | None) -> str | None:
    """Read standard input or a FIFO, which can be read only once and may block; return None for other files."""
    if source is None or ((found := format_by_suffix(source)) is not None and not found.is_text):
        return None
    return read_text(source) if source == STANDARD_INPUT or regular_size(source) is None else None


def csv_format_of(source: str | None, form: CsvFormat) -> CsvFormat:
    """Return the CSV format of one of several files, which is UNSTATED for a file of another format."""
    found = None if source is None else format_by_suffix(source)
    return UNSTATED if found is not None and found.delimiter is None else form

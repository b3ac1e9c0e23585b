"""Read a matrix or vector that is given as an option's value."""

from __future__ import annotations

from implicitgrad.model.spec import UNSTATED, CsvFormat, SourceValue
from implicitgrad.readers.formats import CSV, format_by_suffix
from implicitgrad.readers.source import read_text
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import UsageError


def read_value(text: str, option: str, *, is_matrix: bool, csv_format: CsvFormat = UNSTATED) -> SourceValue:
    """Return a matrix or vector given as an option's value: inline, or ``@path`` of a file that holds it.

    is_matrix : one flat row is a matrix of one row.
    """
    if text in ("-", "@"):
        hint = "@FILE reads it from a file, @- from standard input"
        raise UsageError(f"{option}: expected a value, got {quoted(text)}", hint)
    value = _read_file(text[1:], csv_format) if text.startswith("@") else _read_inline(text, option)
    if is_matrix and getattr(value.value, "ndim", 0) == 1:
        return value._replace(value=value.value[None])  # type: ignore[index]
    if is_matrix and isinstance(value.value, list) and not any(isinstance(row, list) for row in value.value):
        return SourceValue([value.value], value.source, lambda path: value.locate(path[1:]))
    return value


def _read_inline(text: str, source: str) -> SourceValue:
    from implicitgrad.readers.inline import read_inline

    return read_inline(text, source)


def _read_file(path: str, csv_format: CsvFormat) -> SourceValue:
    found = format_by_suffix(path)
    if found is None or not found.has_matrix:
        if csv_format.delimiter is None:
            return _read_inline(read_text(path), path)
        found = CSV
    if found.delimiter is not None:
        csv_format = csv_format._replace(delimiter=csv_format.delimiter or found.delimiter)
    reader = found.load()
    return reader.read_matrix(read_text(path), path, csv_format) if found.is_text else reader.read_matrix(path)

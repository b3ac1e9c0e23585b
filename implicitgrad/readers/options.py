"""Read a matrix or vector that is given as an option's value."""

from __future__ import annotations

from implicitgrad.model.spec import UNSTATED, CsvFormat, SourceValue
from implicitgrad.readers.matrix_market.banner import is_matrix_market
from implicitgrad.readers.printed.inline import as_matrix, may_be_pasted, read_inline
from implicitgrad.readers.sources import CSV, format_by_suffix, read_text
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import InputError, Problem, UsageError

GRADIENT_HINT = "Give a table whose rows have names as the SYSTEM: its row dL/dy is a gradient"


def read_value(text: str, option: str, *, is_matrix: bool, csv_format: CsvFormat = UNSTATED) -> SourceValue:
    """Return a matrix or vector given as an option's value: inline, or ``@path`` of a file that holds it.

    is_matrix : one flat row is a matrix of one row.
    """
    if text in ("-", "@"):
        hint = "@FILE reads it from a file, @- from standard input"
        raise UsageError(f"{option}: expected a value, got {quoted(text)}", hint)
    if text.startswith("@"):
        value = _read_file(text[1:], csv_format, is_matrix=is_matrix)
    else:
        if text[-1:].isalpha() and "." in text:
            _refuse_file_name(text, option)
        value = _read_inline(text, option, is_matrix=is_matrix)
    return as_matrix(value) if is_matrix else value


def _refuse_file_name(text: str, option: str) -> None:
    """Raise InputError for the name of a file without the @ before it."""
    from implicitgrad.readers.value_hints import names_file

    if (file := names_file(text)) is not None:
        hint = f"@ reads a file: {option} @{file}"
        raise InputError([Problem(f"expected a value, got {quoted(text)}", hint, "bad-number", option)])


def _read_inline(text: str, source: str, *, is_matrix: bool) -> SourceValue:
    """Return the matrix or vector of a text, in the notation of the command line or as another program prints it."""
    if is_matrix_market(text):
        from implicitgrad.readers.arrays.vectors import as_vector
        from implicitgrad.readers.matrix_market.reader import read_text as read_matrix_market

        value = read_matrix_market(text, source)
        return value if is_matrix else value._replace(value=as_vector(source, value.value))
    if may_be_pasted(text):
        return _read_pasted(text, source, is_matrix=is_matrix)
    try:
        value = read_inline(text, source)
    except InputError:
        return _read_pasted(text, source, is_matrix=is_matrix)
    rows = value.value
    is_table = isinstance(rows, list) and len(rows) > 1 and len(rows[0]) + 1 == len(rows[1]) and "\n" in text
    return _read_pasted(text, source, is_matrix=is_matrix) if is_table else value


def _read_pasted(text: str, source: str, *, is_matrix: bool) -> SourceValue:
    from implicitgrad.readers.printed.pasted import read_pasted

    pasted = read_pasted(text, source)
    if pasted.spec is not None and "dL_dy" in pasted.spec.values:
        problem = Problem("expected a matrix alone, got a table with a gradient", GRADIENT_HINT, "bad-shape", source)
        raise InputError([problem])
    return pasted.matrix if is_matrix else pasted.value


def _read_file(path: str, csv_format: CsvFormat, *, is_matrix: bool) -> SourceValue:
    found = format_by_suffix(path)
    if found is None or found.is_stream:
        if csv_format.delimiter is None:
            return _read_inline(read_text(path), path, is_matrix=is_matrix)
        found = CSV
    read_matrix = found.load().read_matrix
    text = [read_text(path)] if found.is_text else []
    value: SourceValue = read_matrix(*text, path, *found.csv_arguments(csv_format))
    if found.has_column_vectors and not is_matrix:
        from implicitgrad.readers.arrays.vectors import as_vector

        return value._replace(value=as_vector(path, value.value))
    return value

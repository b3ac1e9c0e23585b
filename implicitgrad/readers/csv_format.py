"""CsvFormat: what a user may state of a CSV file, apart from the reader so that stating nothing loads nothing."""

from __future__ import annotations

from typing import NamedTuple


class CsvFormat(NamedTuple):
    """How a CSV file is written, as the user states it."""

    delimiter: str | None = None
    """None: what the file's name says, a comma for .csv and a tab for .tsv."""
    decimal: str = "."
    header: bool | None = None
    """Whether the first row is a header; None: it is if no cell in it is a number."""
    index_column: bool | None = None
    """Whether the first column names the rows; None: it does if no cell in it is a number, or if it is an index."""


UNSTATED = CsvFormat()
"""Nothing is said; a file's name and content decide."""

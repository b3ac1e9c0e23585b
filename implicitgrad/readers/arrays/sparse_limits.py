"""Decide which matrices are kept with all their zeros, and refuse those with far more rows than entries."""

from __future__ import annotations

from implicitgrad.text.errors import InputError, Problem

MAX_DENSE = 10**6
"""Entries of a matrix up to which its zeros are kept."""
MAX_EMPTY = 10**6
"""Rows or columns that a file of any size may have."""
MAX_TIMES_ENTRIES = 10
"""For each entry, the further rows or columns that it may have."""


def is_sparse(shape: tuple[int, int]) -> bool:
    """Return whether a matrix is too large for its zeros to be kept."""
    return shape[0] * shape[1] > MAX_DENSE


def refuse_empty_sides(path: str, shape: tuple[int, int], entries: int, line: int | None = None) -> None:
    """Raise InputError if the rows or columns would take far more memory than the entries."""
    most = MAX_EMPTY + MAX_TIMES_ENTRIES * entries
    if max(shape) > most:
        message = f"expected at most {most:,} rows or columns with so few entries, got {shape[0]:,}×{shape[1]:,}"
        raise InputError([Problem(message, None, "too-large", path, line)])

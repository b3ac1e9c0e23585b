"""Tell a MatrixMarket file by its beginning."""

from __future__ import annotations

BANNER = "%%matrixmarket"
"""The first word of a file, in lower case."""


def is_matrix_market(text: str) -> bool:
    """Return whether a text begins as a MatrixMarket file does."""
    return text[: len(BANNER)].lower() == BANNER

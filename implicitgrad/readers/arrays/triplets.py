"""Entries of a matrix as arrays of rows, columns and values: convert many lines at once, and build the matrix."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.numbers.ball import from_texts as from_decimals
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.numbers.values import are_decimals
from implicitgrad.readers.arrays.decimals import from_lines
from implicitgrad.readers.matrix_market.lines import Entries, Header
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.number_grammar import parse_ratio

if TYPE_CHECKING:
    from implicitgrad.numbers.sparse import SparseMatrix

    Array = np.ndarray[Any, Any]

CHUNK = 2**22
"""Bytes of lines that are converted together."""
NEEDS_SCIPY = "a matrix of {}×{} is kept without its zeros, which needs SciPy"
INSTALL_SCIPY = "pip install 'implicitgrad[sparse]'"


class Triplets(NamedTuple):
    """The entries of a matrix, with 0-based indices and bounds on the errors of the values."""

    rows: Array
    columns: Array
    values: Array
    errors: Array | float
    has_decimals: bool

    def mirrored(self, sign: float) -> Triplets:
        """Return the entries and their mirror images times ``sign``."""
        there = self.rows != self.columns
        errors = self.errors if isinstance(self.errors, float) else np.concatenate([self.errors, self.errors[there]])
        return Triplets(
            np.concatenate([self.rows, self.columns[there]]),
            np.concatenate([self.columns, self.rows[there]]),
            np.concatenate([self.values, sign * self.values[there]]),
            errors,
            self.has_decimals,
        )


def from_bytes(data: bytes, header: Header) -> Triplets | None:
    """Convert the lines of entries of a MatrixMarket file.

    Return None if they are no plain decimals or do not fit the header; the line reader then locates the problem.
    """
    width = 3 if header.is_coordinate else 1
    pieces, is_any_decimal = [], False
    for lines in _chunks(data):
        found = from_lines(lines, " ", width)
        if found is None:
            return None
        pieces.append(found[0])
        is_any_decimal |= found[1]
    if sum(map(len, pieces)) != header.entries:
        return None
    if not pieces:
        none = np.zeros(0, dtype=np.int64)
        return Triplets(none, none, np.zeros(0), 0.0, False)
    table = np.concatenate([piece.array for piece in pieces])
    errors: Array | float = 0.0
    if any(np.any(piece.error) for piece in pieces):
        errors = np.concatenate([np.broadcast_to(piece.error, piece.shape)[:, -1] for piece in pieces])  # type: ignore[arg-type]
    places = _places(header, table)
    if places is None:
        return None
    entries = Triplets(*places, np.ascontiguousarray(table[:, -1]), errors, is_any_decimal)
    if header.symmetry == "general":
        return entries
    if header.symmetry == "skew-symmetric" and (entries.rows == entries.columns).any():
        return None
    return entries.mirrored(1.0 if header.symmetry == "symmetric" else -1.0)


def _places(header: Header, table: Array) -> tuple[Array, Array] | None:
    """Return the 0-based rows and columns of the entries; None if one is out of range or two are the same."""
    M, N = header.shape
    if not header.is_coordinate:
        if header.symmetry == "general":
            columns, rows = np.divmod(np.arange(M * N), M)
        else:
            columns, rows = np.triu_indices(N, int(header.symmetry == "skew-symmetric"))
        return rows, columns
    with np.errstate(invalid="ignore"):
        indices = table[:, :2].astype(np.int64)
    if (indices != table[:, :2]).any() or (indices < 1).any() or (indices > header.shape).any():
        return None
    rows, columns = indices[:, 0] - 1, indices[:, 1] - 1
    first, second = rows, columns
    if header.symmetry != "general":
        first, second = np.maximum(rows, columns), np.minimum(rows, columns)
    order = np.sort(first * N + second)
    return None if (order[1:] == order[:-1]).any() else (rows, columns)


def _chunks(data: bytes) -> Iterator[list[str]]:
    """Yield the lines that are neither blank nor comments, their words separated by one blank."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + CHUNK)
        end = len(data) if end < 0 else end + 1
        piece = data[start:end]
        start = end
        if b"\t" in piece or b"  " in piece or b" \n" in piece or b"\n " in piece or piece.startswith(b" "):
            piece = re.sub(rb" ?\n ?", b"\n", re.sub(rb"[ \t]+", b" ", piece)).strip(b" ")
        lines = piece.decode("ascii", "replace").split("\n")
        if b"\n\n" in piece or b"%" in piece or not lines[-1] or not lines[0]:
            lines = [line for line in lines if line and not line.startswith("%")]
        if lines:
            yield lines


def from_texts(entries: Entries) -> Triplets:
    """Convert entries one by one. Raise OverflowError beyond the range of doubles."""
    from implicitgrad.numbers.ball import from_fractions

    matrix = from_decimals([entries.texts]) if entries.texts else BallMatrix(np.zeros((1, 0)))
    if matrix is None:
        matrix = from_fractions(RationalMatrix.of_ratios([list(map(parse_ratio, entries.texts))]))
    errors = 0.0 if not np.any(matrix.error) else np.broadcast_to(matrix.error, matrix.shape)[0]  # type: ignore[arg-type]
    rows, columns = (np.array(indices, dtype=np.int64) for indices in (entries.rows, entries.columns))
    return Triplets(rows, columns, matrix.array[0], errors, are_decimals([entries.texts]))


def to_dense(shape: tuple[int, int], entries: Triplets) -> BallMatrix:
    """Return a matrix with all its zeros."""
    values = np.zeros(shape)
    values[entries.rows, entries.columns] = entries.values
    if isinstance(entries.errors, float):
        return BallMatrix(values, entries.errors)
    errors = np.zeros(shape)
    errors[entries.rows, entries.columns] = entries.errors
    return BallMatrix(values, errors)


def to_sparse(path: str, shape: tuple[int, int], entries: Triplets) -> SparseMatrix:
    """Return a matrix without its zeros. Raise InputError if SciPy is not installed."""
    try:
        from implicitgrad.numbers.sparse import SparseMatrix
    except ImportError:
        message = NEEDS_SCIPY.format(*shape)
        raise InputError([Problem(message, INSTALL_SCIPY, "missing-package", path)]) from None
    return SparseMatrix.of_entries(shape, entries.rows, entries.columns, entries.values, entries.errors)

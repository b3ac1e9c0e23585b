"""Turn matrices of one row or column, as which MatrixMarket files hold vectors, into vectors."""

from __future__ import annotations

from typing import Any

from implicitgrad.numbers.doubles import Decimals
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.text.errors import InputError, Problem

MAX_GRADIENTS = 10**7
"""Numbers of a vector, or of a row for each loss."""


def as_vector(path: str, value: Any) -> Any:  # noqa: ANN401 (lists, Decimals or an array)
    """Return a matrix of one column or row as a vector, and any other with its zeros. Raise InputError.

    value : rows of texts, Decimals, an array or a SparseMatrix.
    """
    if isinstance(value, BaseMatrix):
        if value.shape[0] * value.shape[1] > MAX_GRADIENTS:
            message = f"expected at most {MAX_GRADIENTS:,} numbers, got a matrix of {'×'.join(map(str, value.shape))}"
            raise InputError([Problem(message, None, "too-large", path)])
        dense = value.to_dense()  # type: ignore[attr-defined]
        value = Decimals(dense, True, lambda: dense.plain_rows())
    if isinstance(value, list):
        if len(value) == 1:
            return value[0]
        return [row[0] for row in value] if len(value[0]) == 1 else value
    shape = value.doubles.shape if isinstance(value, Decimals) else value.shape
    if 1 not in shape:
        return value
    if not isinstance(value, Decimals):
        return value.ravel()
    from implicitgrad.numbers.ball import BallMatrix

    doubles: Any = value.doubles
    texts = value.texts
    error = doubles.error if isinstance(doubles.error, float) else doubles.error.reshape(1, -1)
    row = BallMatrix(doubles.array.reshape(1, -1), error)
    return Decimals(row, value.has_decimals, lambda: [entry for line in texts() for entry in line], ndim=1)

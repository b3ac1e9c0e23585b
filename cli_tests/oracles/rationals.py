"""An independent truth about matrices of doubles: FLINT's rational numbers."""

from fractions import Fraction
from typing import Any

import flint
import numpy as np

from implicitgrad.numbers.ball import BallMatrix


def exactly(a: Any) -> flint.fmpq_mat:
    """Doubles, or fractions, as the rational numbers they are."""
    rows = [[Fraction(value) for value in row] for row in a]
    return flint.fmpq_mat(
        len(rows), len(rows[0]), [flint.fmpq(v.numerator, v.denominator) for row in rows for v in row]
    )


def fractions(a: flint.fmpq_mat) -> list[list[Fraction]]:
    return [[Fraction(int(a[i, j].p), int(a[i, j].q)) for j in range(a.ncols())] for i in range(a.nrows())]


def assert_within(matrix: Any, exact: Any, what: str = "") -> None:
    """Every entry of a BallMatrix is within its bound of the exact one, and is there exactly where that is."""
    assert isinstance(matrix, BallMatrix)
    assert matrix.error is not None, what
    errors = np.broadcast_to(matrix.error, matrix.array.shape)
    for i, (row, wanted) in enumerate(zip(matrix, exact, strict=True)):
        for j, (value, right) in enumerate(zip(row, wanted, strict=True)):
            assert (value is None) == (right is None), (what, i, j)
            if value is not None:
                assert abs(value - right) <= Fraction(float(errors[i, j])), (what, i, j, float(value), float(right))

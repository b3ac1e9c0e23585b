"""Write ∂y/∂x into a .npy file."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from implicitgrad.model.solution import PartialMatrix, Solution
from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.numbers.rounding import to_float
from implicitgrad.symbolic.function_field.element import Symbolic
from implicitgrad.text.characters import count
from implicitgrad.text.errors import UsageError
from implicitgrad.writers.data.batch_format import linear_alone

if TYPE_CHECKING:
    from implicitgrad.numbers.ball import Array
    from implicitgrad.writers.options import AnySolution, WriteOptions


def write(solution: AnySolution, options: WriteOptions) -> memoryview:
    """Return ∂y/∂x (N, P), or ∂L/∂x if only that was asked for; NaN for each entry that is not determined."""
    stream = BytesIO()
    np.save(stream, _main_matrix(linear_alone(solution)), allow_pickle=False)
    return stream.getbuffer()


def limitation(solution: AnySolution, options: WriteOptions) -> str | None:
    """Return a message on the entries that are NaN in the file; None if all are determined."""
    lacking = int(np.isnan(_main_matrix(linear_alone(solution))).sum())
    hint = "a name that ends in .npz gets the general solution"
    return f"{count(lacking, 'entry')} not determined, and NaN there; {hint}" if lacking else None


def _main_matrix(solution: Solution) -> Array:
    return gradient_of(solution) if solution.is_gradient_alone else array_of(solution.dy_dx)


def gradient_of(solution: Solution) -> Array:
    """Return ∂L/∂x (P,), or (K, P) for several losses."""
    rows = array_of(solution.dL_dx_rows or ())
    return rows[0] if solution.has_one_loss else rows


def array_of(matrix: PartialMatrix) -> Array:
    """Return (rows, columns), NaN for None and ±inf beyond the largest double."""
    if isinstance(matrix, BallMatrix):
        return matrix.array
    if not len(matrix):  # only ∂L/∂x was asked for
        return np.zeros((0, 0))
    return np.array([[_double(value) for value in row] for row in matrix])


def _double(value: Fraction | None) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, Symbolic):
        if not value.is_number:
            raise UsageError(f"NumPy's files are for numbers, and there is {value.shown}", "--format json has letters")
        value = value.approximation()
    double = to_float(value)
    return double if double is not None else float("inf") if value > 0 else float("-inf")

"""Convert a system from one arithmetic to another."""

from __future__ import annotations

from fractions import Fraction

from implicitgrad.model.system import ARITHMETIC, Arithmetic, LinearSystem
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.text.errors import UsageError


def in_arithmetic(system: LinearSystem, arithmetic: Arithmetic) -> LinearSystem:
    """Return the same system in another arithmetic, taking doubles at their exact binary values.

    Raises OverflowError for numbers beyond the largest double.
    """
    if system.arithmetic is Arithmetic.SYMBOLIC:
        if arithmetic is Arithmetic.FLOAT:
            raise UsageError(f"{system.source}: --arithmetic float is for numbers, and there are letters")
        return system
    matrices = (system.A, system.B, system.dL_dy, system.x_value)
    if all(matrix is None or ARITHMETIC[matrix.arithmetic] is arithmetic for matrix in matrices):
        return system
    A, B, dL_dy, x_value = (None if matrix is None else _as(arithmetic, matrix) for matrix in matrices)
    assert A is not None
    return system._replace(A=A, B=B, dL_dy=dL_dy, x_value=x_value)


def _as(arithmetic: Arithmetic, matrix: BaseMatrix[Fraction]) -> BaseMatrix[Fraction]:
    if ARITHMETIC[matrix.arithmetic] is arithmetic:
        return matrix
    if arithmetic is Arithmetic.EXACT:
        return RationalMatrix.of(tuple(matrix))
    from implicitgrad.numbers.ball import from_fractions

    return from_fractions(matrix)

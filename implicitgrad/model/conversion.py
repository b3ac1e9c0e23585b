"""Convert a system from one arithmetic to another."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from implicitgrad.model.system import AUTO, Arithmetic, LinearSystem
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.text.errors import InputError, Problem, UsageError

MATRICES = ("A", "B", "dL_dy", "x_value", "dx", "constants", "by_letter")
"""The fields of a LinearSystem that are matrices in its arithmetic."""


def chosen_arithmetic(name: str) -> Arithmetic:
    """Return the arithmetic of that name. Raises UsageError for an unknown name."""
    try:
        return {str(one): one for one in (Arithmetic.EXACT, Arithmetic.FLOAT)}[name]
    except KeyError:
        expected = ", ".join(map(repr, (AUTO, str(Arithmetic.EXACT), str(Arithmetic.FLOAT))))
        raise UsageError(f"arithmetic: expected {expected}, got {name!r}") from None


def in_arithmetic(system: LinearSystem, arithmetic: Arithmetic) -> LinearSystem:
    """Return the same system in another arithmetic, taking doubles at their exact binary values.

    Raises OverflowError for numbers beyond the largest double.
    """
    if system.arithmetic is Arithmetic.SYMBOLIC:
        if arithmetic is Arithmetic.FLOAT:
            raise UsageError(f"{system.source}: --arithmetic float is for numbers, and there are letters")
        return system
    found: dict[str, BaseMatrix[Fraction] | None] = {key: getattr(system, key) for key in MATRICES}
    matrices = {key: matrix for key, matrix in found.items() if matrix is not None}
    if all(matrix.arithmetic is arithmetic for matrix in matrices.values()):
        return system
    converted: dict[str, Any] = {key: _as(arithmetic, matrix) for key, matrix in matrices.items()}
    return system._replace(**converted)


def _as(arithmetic: Arithmetic, matrix: BaseMatrix[Fraction]) -> BaseMatrix[Fraction]:
    if matrix.arithmetic is arithmetic:
        return matrix
    if arithmetic is Arithmetic.EXACT:
        return RationalMatrix.of(tuple(matrix))
    from implicitgrad.numbers.ball import from_fractions

    return from_fractions(matrix)


def for_arithmetic(name: str, system: LinearSystem) -> LinearSystem:
    """Return the system in the arithmetic of that name, but one with letters as it is.

    Raises UsageError for an unknown name, InputError for numbers beyond the largest double.
    """
    try:
        return in_arithmetic(system, chosen_arithmetic(name))
    except OverflowError:
        raise answer_beyond_doubles(system) from None


def answer_beyond_doubles(system: LinearSystem) -> InputError:
    """Return the error for an answer that doubles cannot hold."""
    message = "expected an answer within the range of doubles, got a number beyond ±1.8e308"
    return InputError([Problem(message, "--arithmetic exact has it as a fraction", "overflow", system.source)])

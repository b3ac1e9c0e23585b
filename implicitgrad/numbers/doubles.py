"""Doubles as they are given and shown: single numbers with error bounds, tables of decimals, and NumPy arrays.

The matrices that are computed with are in ball.py, which a system in exact arithmetic does not need.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

if TYPE_CHECKING:
    import numpy as np

    from implicitgrad.numbers.matrix import BaseMatrix

    Array = np.ndarray[Any, Any]

BITS = 53


class Ball(Fraction):
    """A double as an exact rational number, standing for a number within ``error`` of it."""

    __slots__ = ("error",)
    error: float

    def __new__(cls, number: float | Fraction, error: float) -> Ball:  # noqa: D102
        self = super().__new__(cls, number)
        self.error = error
        return self

    def __abs__(self) -> Ball:
        return Ball(super().__abs__(), self.error)

    def __neg__(self) -> Ball:
        return Ball(super().__neg__(), self.error)

    def __reduce__(self) -> tuple[Any, ...]:
        return Ball, (Fraction(self), self.error)


class Decimals(NamedTuple):
    """A large table of decimals: its doubles, and its texts on request."""

    doubles: BaseMatrix[Any]
    has_decimals: bool
    """Whether any number has a digit after its decimal point."""
    texts: Callable[[], list[Any]]
    ndim: int = 2
    """1 if a row was written as a vector."""


def copied(array: object) -> Array:
    """Return a copy of an array, which its owner cannot change."""
    import numpy as np

    return np.array(array, subok=False)


def is_array(value: object) -> TypeGuard[Array]:
    """Return whether a value is a NumPy array of integers or floats."""
    np = sys.modules.get("numpy")
    if np is None or not isinstance(value, np.ndarray) or value.dtype.kind not in "iuf" or value.dtype.itemsize > 8:
        return False
    return not (hasattr(value, "mask") and np.ma.is_masked(value))


def is_array_of_doubles(value: object) -> bool:
    """Return whether a value is a NumPy array of numbers that are all exact as doubles."""
    if not is_array(value):
        return False
    import numpy as np

    array = value
    if array.dtype.kind == "f" or not array.size or np.abs(array.astype(float)).max() < 2.0**BITS:
        return True
    return all(int(float(number)) == number for number in array.ravel().tolist())

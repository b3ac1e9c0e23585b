"""Values as read from files or given in Python: convert them to numbers, and describe them in messages."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import chain
from numbers import Integral, Rational, Real
from typing import TYPE_CHECKING, Any, TypeGuard

from implicitgrad.numbers.doubles import Decimals, is_array
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import Problem
from implicitgrad.text.number_grammar import EXPECTED, NumberError
from implicitgrad.text.number_texts import last_place

if TYPE_CHECKING:
    from implicitgrad.numbers.ball import BallMatrix


def shape_of(value: object) -> tuple[int, ...]:
    """Return the rows and columns of a list of lists or an array; () if it does not look like a matrix."""
    if isinstance(value, list):
        return (len(value), len(value[0])) if value and isinstance(value[0], list) else ()
    if isinstance(value, Decimals):
        return value.doubles.shape
    if isinstance(value, BaseMatrix):
        return value.shape
    return tuple(getattr(value, "shape", ())) if is_array(value) else ()


def is_ball_matrix(value: object) -> TypeGuard[BallMatrix]:
    """Return whether a value is a matrix of doubles with error bounds, without loading the class of such matrices."""
    return isinstance(value, BaseMatrix) and value.has_bounds


def axes_of(value: object) -> int:
    """Return the number of axes of an array, or of nested lists of values or arrays, by their first entries."""
    axes = 0
    while isinstance(value, list | tuple) and value:
        value = value[0]
        axes += 1
    found = getattr(value, "ndim", 0)
    return axes + (found if isinstance(found, int) else 0)


def rectangle_of_texts(value: list[Any]) -> list[list[str]] | None:
    """Return rows of texts or integers, all of one length and not empty, as texts; None for anything else."""
    if {*map(type, value)} != {list} or len({*map(len, value)}) > 1:
        return None
    types = {*map(type, chain.from_iterable(value))}
    if types == {str}:
        return value
    try:
        return [[*map(str, row)] for row in value] if types and types <= {int, str} else None
    except ValueError:  # Python writes no more than 4,300 digits of an integer
        return None


def plain(value: object) -> object:
    """Convert arrays and tuples to lists, recursively."""
    if isinstance(value, BaseMatrix):
        value = value.plain_rows()
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def as_fraction(value: object) -> Fraction:
    """Return a Python number as an exact rational. Raises NumberError."""
    from decimal import Decimal

    if isinstance(value, Integral) and not isinstance(value, bool):
        return Fraction(int(value))
    if isinstance(value, Rational) and not isinstance(value, bool):
        return Fraction(int(value.numerator), int(value.denominator))
    if isinstance(value, Real | Decimal) and not isinstance(value, bool):
        try:
            # a long double has more digits than float(value)
            return Fraction(*value.as_integer_ratio()) if hasattr(value, "as_integer_ratio") else Fraction(float(value))
        except (ValueError, OverflowError):
            raise NumberError(f"expected a finite number, got {value}") from None
    raise NumberError(f"{EXPECTED}, got {described(value)}")


def text_of(value: object) -> str:
    """Return an entry's text; that of a SymPy object with letters as it prints."""
    if isinstance(value, str):
        return value
    return str(value) if getattr(value, "free_symbols", None) else ""


def are_decimals(value: object) -> bool:
    """Return whether a matrix has a number with decimals: 0.5, 2.0, 1e-3, or a float that is no integer."""
    if isinstance(value, Decimals):
        return value.has_decimals
    rows = value if isinstance(value, list) else []
    try:
        if not re.search("[.eE]", "".join(map("".join, rows))):
            return False
    except TypeError:  # not all of them are texts
        pass
    return any(_is_decimal(item) for row in rows for item in row)


def _is_decimal(item: object) -> bool:
    if isinstance(item, str):
        unit = last_place(item)
        return unit is not None and unit < 1
    return isinstance(item, float) and not item.is_integer()


def described(value: object) -> str:
    """Describe a value of the wrong kind for a message."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return quoted(value) if value else "nothing"
    if isinstance(value, list):
        return "a list"
    return "a mapping" if isinstance(value, dict) else quoted(str(value))


def with_others(problem: Problem, others: int) -> Problem:
    """Append to an entry's problem how many other entries have the same one."""
    if not others:
        return problem
    are_none = "1 other entry is no number either" if others == 1 else f"{others} other entries are no numbers either"
    return problem._replace(message=f"{problem.message}; {are_none}")

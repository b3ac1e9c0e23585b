"""Convert lines of decimals to doubles, many at once, and check the number grammar by operations on arrays of bytes.

A cell's digits, without its decimal point, are an integer m, and the cell is m / 10^p: m is a sum of two doubles, 10^p
a double. The quotient is computed with its remainder and so rounded correctly, as by float() (Dekker 1971; Ziv's test,
1991, shows whether the remainder's own rounding can matter). If it can, or if m or p is too large, the C library's
slower conversion is used.

The alternative, numpy.loadtxt after a regular expression has matched each cell, takes about twice as long.

If any cell is no decimal of the grammar (nan, 0x1F, 1_000, 010, 3/4, empty), there is no result; the slower per-cell
parser then reads it or locates the problem.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from implicitgrad.numbers.ball import BallMatrix, is_any_lost, rounding_of_decimals
from implicitgrad.numbers.doubles import BITS
from implicitgrad.text.characters import MAX_DIGITS
from implicitgrad.text.number_grammar import MAX_EXPONENT

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

AT_ONCE = 2**18
"""Characters that fit into a processor's cache."""
MAX_EXPONENT_DIGITS = 5
MAX_MANTISSA = 10**19 - 1
"""The largest mantissa, which fits into an unsigned integer of 64 bits."""
MAX_PLACES = 22
"""10^22 is the largest power of ten that is a double."""
MANY = 8
"""If more than one in MANY cells is in doubt, all are converted again together."""
POWERS = np.array([float(10**k) for k in range(MAX_PLACES + 1)])


def _halves(a: Array) -> tuple[Array, Array]:
    """Split a into the sum of two numbers of 26 bits, whose products are exact."""
    scaled = a * (2.0**27 + 1)
    high = scaled - (scaled - a)
    return high, a - high


POWERS_HIGH, POWERS_LOW = _halves(POWERS)


class Cells(NamedTuple):
    """The positions of the parts of each number in the bytes of some lines, which follow the grammar."""

    starts: Array
    ends: Array
    is_negative: Array
    marks: Array
    """The positions of e."""
    marked: Array
    """The cells that have an exponent."""
    decimals: Array
    """The number of digits after each decimal point."""
    is_plain: bool
    """Whether no cell has a decimal point or an exponent."""


def from_lines(lines: Sequence[str], delimiter: str, columns: int) -> tuple[BallMatrix, bool] | None:
    """Return the doubles nearest to decimals, one row a line, with error bounds, and whether any has decimal places.

    Blanks around a cell are allowed. Return None if a row has another number of cells, a cell is no decimal of the
    grammar, or a number overflows a double.
    """
    values = np.empty((len(lines), columns))
    tally = np.zeros(MAX_EXPONENT + MAX_DIGITS + 1, dtype=np.int64)
    is_plain = True
    height = max(1, AT_ONCE // (len(lines[0]) + 1))
    for top in range(0, len(lines), height):
        data = _bytes(lines[top : top + height], delimiter)
        cells = _cells(data, len(values[top : top + height]), columns)
        read = None if cells is None else _read(data, cells)
        if cells is None or read is None:
            return None
        values[top : top + height] = read[0].reshape(-1, columns)
        tally += np.bincount(read[1].clip(0), minlength=tally.size)
        is_plain = is_plain and cells.is_plain
    values += 0.0  # no -0
    largest = max(float(values.max()), -float(values.min()))
    if largest == np.inf:
        return None
    error: Array | float = 0.0
    if not is_plain or largest >= 2.0**BITS:
        error = rounding_of_decimals(values, int(np.flatnonzero(tally).max(initial=0)))
        if is_any_lost(values, error):
            return None
    return BallMatrix(values, error), bool(tally[1:].any())


def large_matrix(rows: list[list[str]]) -> BallMatrix | None:
    """Return rows of texts, all of one length, as doubles; None if one is no plain decimal."""
    lines = [",".join(row) for row in rows]
    if any(" " in line or "\t" in line for line in lines):
        return None
    found = from_lines(lines, ",", len(rows[0]))
    return None if found is None else found[0]


def _bytes(lines: Sequence[str], delimiter: str) -> bytes:
    """Return cells that each end with a comma, or a newline at the end of a row; ? replaces non-ASCII characters."""
    data = ("\n".join(lines) + "\n").encode("ascii", "replace")
    if delimiter != ",":
        data = data.replace(b",", b"?").replace(delimiter.encode(), b",")
    if b" " in data or b"\t" in data:
        data = data.replace(b", ", b",")
    if b" " in data or b"\t" in data:
        data = re.sub(rb"[ \t]*([,\n])[ \t]*", rb"\1", data.lstrip(b" \t"))
    return data


def _cells(data: bytes, rows: int, columns: int) -> Cells | None:
    """Return the parts of each cell; None if the number of cells is wrong or one is no decimal."""
    characters = np.frombuffer(data, np.uint8)
    is_line_end = characters == ord("\n")
    ends = np.flatnonzero(is_line_end | (characters == ord(",")))
    if ends.size != rows * columns or np.count_nonzero(is_line_end) != rows:
        return None
    if not is_line_end[ends[columns - 1 :: columns]].all():
        return None
    starts = np.concatenate(([0], ends[:-1] + 1))
    is_negative = characters[starts] == ord("-")
    is_signed = is_negative | (characters[starts] == ord("+"))
    numbers = starts + is_signed
    exponents = _exponents(data, characters, ends)
    if exponents is None:
        return None
    marks, marked, signs = exponents
    mantissa_ends = ends.copy()
    mantissa_ends[marked] = marks

    points = np.flatnonzero(characters == ord("."))
    owners = np.arange(ends.size) if points.size == ends.size else np.searchsorted(ends, points)
    decimals = np.zeros_like(ends)
    decimals[owners] = mantissa_ends[owners] - points - 1
    digits = mantissa_ends - numbers
    digits[owners] -= 1
    zeros = numbers[characters[numbers] == ord("0")]
    accounted = ends.size + points.size + marks.size + signs + np.count_nonzero(is_signed)
    if (
        np.count_nonzero(is_digit(characters)) + accounted != characters.size
        or (points < numbers[owners]).any()
        or (owners[1:] == owners[:-1]).any()
        or decimals.min() < 0
        or digits.min() < 1
        or (ends - starts).max() > MAX_DIGITS
        or is_digit(characters[zeros + 1]).any()
    ):
        return None
    return Cells(starts, ends, is_negative, marks, marked, decimals, marks.size == points.size == 0)


def _exponents(data: bytes, characters: Array, ends: Array) -> tuple[Array, Array, int] | None:
    """Return the positions of e, their cells, and the number of signs after them; None if an exponent is malformed."""
    if b"e" not in data and b"E" not in data:
        none = np.zeros(0, dtype=np.intp)
        return none, none, 0
    marks = np.flatnonzero((characters | 0x20) == ord("e"))
    marked = np.searchsorted(ends, marks)
    is_signed = (characters[marks + 1] == ord("-")) | (characters[marks + 1] == ord("+"))
    lengths = ends[marked] - marks - 1 - is_signed
    if (marked[1:] == marked[:-1]).any() or lengths.min() < 1 or lengths.max() > MAX_EXPONENT_DIGITS:
        return None
    return marks, marked, int(np.count_nonzero(is_signed))


def is_digit(characters: Array) -> Array:
    """Return which bytes are ASCII digits."""
    return characters - np.uint8(ord("0")) < 10


def _read(data: bytes, cells: Cells) -> tuple[Array, Array] | None:
    """Return the values of all cells and their numbers of decimal places; None if an exponent is too large."""
    integers = np.fromstring(data.translate(bytes.maketrans(b"eE\n", b",,,"), b".+-"), dtype=np.uint64, sep=",")
    places = cells.decimals
    if cells.marks.size:
        at = cells.marked + np.arange(1, cells.marks.size + 1)
        exponents = integers[at].astype(np.int64)
        if exponents.max() > MAX_EXPONENT:
            return None
        is_negative = np.frombuffer(data, np.uint8)[cells.marks + 1] == ord("-")
        places[cells.marked] -= np.where(is_negative, -exponents, exponents)
        integers = np.delete(integers, at)
    values, is_sure = _quotients(integers, places)
    np.negative(values, out=values, where=cells.is_negative)
    doubtful = np.flatnonzero(~is_sure)
    if MANY * doubtful.size > values.size:
        return np.fromstring(data.replace(b"\n", b","), dtype=float, sep=","), places
    bounds = zip(cells.starts[doubtful].tolist(), cells.ends[doubtful].tolist(), strict=True)
    values[doubtful] = [float(data[start:end]) for start, end in bounds]
    return values, places


def _quotients(mantissas: Array, places: Array) -> tuple[Array, Array]:
    """Return m / 10^p rounded to the nearest double, and where the rounding is certain."""
    p = places.clip(0, MAX_PLACES)
    within = np.minimum(mantissas, np.uint64(MAX_MANTISSA))
    high = within.astype(float)
    low = (within - high.astype(np.uint64)).view(np.int64)
    power = POWERS[p]
    quotient = high / power
    # remainder = high - quotient·10^p, exactly: the product is a sum of two doubles
    product = quotient * power
    a, b = _halves(quotient)
    c, d = POWERS_HIGH[p], POWERS_LOW[p]
    below = ((a * c - product) + a * d + b * c) + b * d
    correction = (((high - product) - below) + low) / power
    values = quotient + correction * (1 - 2.0**-48)
    is_sure = (values == quotient + correction * (1 + 2.0**-48)) & (p == places) & (within == mantissas)
    return values, is_sure

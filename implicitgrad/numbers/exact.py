"""Exact arithmetic: a matrix of rational numbers over one denominator, plain decimals, square roots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from math import isqrt, lcm
from operator import mul
from typing import Any, NamedTuple

from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.text.characters import MAX_DIGITS

Row = tuple[Fraction, ...]
IntegerRow = list[int]
Ratio = tuple[int, int]
_PLAIN_NUMBER = r"[+-]?(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]*+)?+|\.[0-9]++)"
_PLAIN_NUMBERS = re.compile(rf"{_PLAIN_NUMBER}(?:\n{_PLAIN_NUMBER})*+")
"""Matches decimals without exponents, one a line."""


def read_plain_decimals(rows: object) -> RationalMatrix | None:
    """Parse rows of integers and texts, all of one length, at once, with a power of 10 as the denominator.

    Return None if a text is no plain decimal or a row is anything else. The per-entry parser, which takes four times as
    long, then locates it.
    """
    if not isinstance(rows, list) or {*map(type, rows)} != {list} or len({*map(len, rows)}) > 1:
        return None
    entries: list[Any] = [entry for row in rows for entry in row]
    types = {*map(type, entries)}
    if types == {int}:
        return RationalMatrix(rows, 1)
    if not types <= {int, str}:
        return None
    try:
        texts = [*map(str, entries)]
    except ValueError:  # Python writes no more than 4,300 digits of an integer
        return None
    text = "\n".join(texts)
    if _PLAIN_NUMBERS.fullmatch(text) is None or text.count("\n") != len(texts) - 1:
        return None
    if len(text) > MAX_DIGITS and max(map(len, texts)) > MAX_DIGITS:
        return None
    places = [len(text.partition(".")[2]) for text in texts]
    most, width = max(places), len(rows[0])
    integers = [int(text.replace(".", "")) * 10 ** (most - p) for text, p in zip(texts, places, strict=True)]
    return RationalMatrix([integers[start : start + width] for start in range(0, len(integers), width)], 10**most)


class RationalMatrix(BaseMatrix[Fraction]):
    """A matrix of rational numbers, numerators / denominator."""

    __slots__ = ("_rows", "_squared", "denominator", "numerators")
    arithmetic = "exact"

    def __init__(self, numerators: list[IntegerRow], denominator: int) -> None:
        self.numerators = numerators
        """Integers, ``denominator`` times the entries; not to be changed."""
        self.denominator = denominator
        """May be negative; not necessarily in lowest terms."""
        self._rows: tuple[Row, ...] | None = None
        self._squared: int | None = None

    @classmethod
    def of(cls, rows: Sequence[Row]) -> RationalMatrix:
        """Build a matrix from rows of Fractions."""
        if isinstance(rows, RationalMatrix):
            return rows
        self = cls.of_ratios([[entry.as_integer_ratio() for entry in row] for row in rows])
        self._rows = tuple(rows)
        return self

    @classmethod
    def of_ratios(cls, rows: Sequence[Sequence[Ratio]]) -> RationalMatrix:
        """Build a matrix from rows of (numerator, positive denominator)."""
        denominators = {denominator for row in rows for _, denominator in row}
        d = lcm(*denominators)
        factors = {denominator: d // denominator for denominator in denominators}
        return cls([[numerator * factors[denominator] for numerator, denominator in row] for row in rows], d)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Return the rows as Fractions, which are made on the first call."""
        if self._rows is None:
            d = self.denominator
            self._rows = tuple([tuple([Fraction(n, d) for n in row]) for row in self.numerators])
        return self._rows

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.numerators), len(self.numerators[0])

    def squared_norm(self) -> Fraction:
        """Return ‖matrix‖_F²."""
        return Fraction(self.squared_numerators(), self.denominator**2)

    def squared_numerators(self) -> int:
        """Return the sum of the squares of the numerators."""
        if self._squared is None:
            self._squared = sum([sum(map(mul, row, row)) for row in self.numerators])
        return self._squared

    def nonzero_rows(self) -> list[bool]:
        return list(map(any, self.numerators))

    def times(self, other: BaseMatrix[Any]) -> RationalMatrix:
        right = RationalMatrix.of(other)
        columns = list(zip(*right.numerators))  # noqa: B905 (slower)
        numerators = [[sum(map(mul, row, column)) for column in columns] for row in self.numerators]
        return RationalMatrix(numerators, self.denominator * right.denominator)

    def transposed(self) -> RationalMatrix:
        return RationalMatrix([list(column) for column in zip(*self.numerators, strict=True)], self.denominator)

    def rows_at(self, places: Sequence[int]) -> RationalMatrix:
        return RationalMatrix([self.numerators[i] for i in places], self.denominator)

    def __len__(self) -> int:
        return len(self.numerators)


class Reduced(NamedTuple):
    """A matrix in Jordan form: row i has d in column pivots[i] and 0 in the columns of the other pivots."""

    rows: list[IntegerRow]
    """The columns without pivots. Rows with a pivot come first; the others are 0 in every column allowed as a pivot."""
    columns: list[int]
    """The indices of these columns."""
    pivots: list[int]
    d: int
    sources: list[int]
    """The index of the matrix row that each row was."""


def to_float(value: Fraction) -> float | None:
    """Return the double nearest to ``value``; None beyond the largest double."""
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return None


def exact_square_root(numerator: int, denominator: int) -> Fraction | None:
    """Return the square root of a rational number ≥ 0 if it is rational, else None."""
    root = isqrt(numerator * denominator)
    return Fraction(root, denominator) if root**2 == numerator * denominator else None


def float_square_root(numerator: int, denominator: int) -> float | None:
    """Return the double nearest to the square root of a rational number ≥ 0; None beyond the largest double.

    The root is computed in integers to at least 64 bits. A sticky bit records whether anything was cut off, so that
    the one rounding that follows, of a quotient of integers, is correct.
    """
    bits = max(0, 130 - numerator.bit_length() + denominator.bit_length())
    bits += bits % 2
    scaled, rest = divmod(numerator << bits, denominator)
    root = isqrt(scaled)
    sticky = int(rest != 0 or root**2 != scaled)
    try:
        return (2 * root + sticky) / (2 << (bits // 2))
    except OverflowError:
        return None

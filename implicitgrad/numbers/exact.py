"""Exact arithmetic: matrices of rational numbers over one denominator, and the row reduction of integer matrices.

The reduction is free of fractions and exchanges a row's variable for a column's. Dividing by the last pivot follows
Bareiss (1968, *Sylvester's identity*, Math. Comp. 22); keeping only the columns that are no unit vectors is integer
pivoting (Edmonds 1994; Azulay and Pique 2001, ACM TOMS 27).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import chain
from math import gcd, inf, isqrt, lcm
from operator import mul
from typing import Any, NamedTuple

from implicitgrad.numbers.matrix import Arithmetic, BaseMatrix
from implicitgrad.text.characters import MAX_DIGITS

Row = tuple[Fraction, ...]
IntegerRow = list[int]
Ratio = tuple[int, int]
_PLAIN_NUMBER = r"[+-]?(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]*+)?+|\.[0-9]++)"
_PLAIN_NUMBERS = re.compile(rf"{_PLAIN_NUMBER}(?:\n{_PLAIN_NUMBER})*+")
"""Matches decimals without exponents, one a line."""
MAX_WITHOUT_FLINT = 32
"""Rows and columns up to which loading python-flint costs more than it gains."""


def read_plain_decimals(rows: object, most: float = inf) -> RationalMatrix | None:
    """Parse rows of integers and texts, all of one length, at once, with a power of 10 as the denominator.

    Return None if there are more rows or columns than ``most``, a text is no plain decimal, or a row is anything else.
    The per-entry parser, which takes four times as long, then locates it.
    """
    if not isinstance(rows, list) or {*map(type, rows)} != {list} or len({*map(len, rows)}) > 1:
        return None
    if max(len(rows), len(rows[0])) > most:
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

    __slots__ = ("_rows", "denominator", "numerators")
    arithmetic = Arithmetic.EXACT

    def __init__(self, numerators: list[IntegerRow], denominator: int) -> None:
        self.numerators = numerators
        """Integers, ``denominator`` times the entries; not to be changed."""
        self.denominator = denominator
        """May be negative; not necessarily in lowest terms."""
        self._rows: tuple[Row, ...] | None = None

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

    def squared_numerators(self) -> int:
        """Return the sum of the squares of the numerators."""
        return sum([sum(map(mul, row, row)) for row in self.numerators])

    def nonzero_rows(self) -> list[bool]:
        return list(map(any, self.numerators))

    def times(self, other: BaseMatrix[Any]) -> RationalMatrix:
        right = RationalMatrix.of(other)
        columns = list(zip(*right.numerators))  # noqa: B905 (slower)
        numerators = [[sum(map(mul, row, column)) for column in columns] for row in self.numerators]
        return RationalMatrix(numerators, self.denominator * right.denominator)

    def transposed(self) -> RationalMatrix:
        return RationalMatrix([list(column) for column in zip(*self.numerators, strict=True)], self.denominator)

    def beside(self, *others: BaseMatrix[Any]) -> RationalMatrix:
        parts = [self, *map(RationalMatrix.of, others)]
        d = lcm(*[part.denominator for part in parts])
        scaled = [[[d // part.denominator * n for n in row] for row in part.numerators] for part in parts]
        return RationalMatrix([[*chain(*rows)] for rows in zip(*scaled, strict=True)], d)

    def integer_rows(self) -> tuple[list[IntegerRow], list[int]]:
        """Return each row times the least common denominator of its entries, and that factor."""
        d = self.denominator
        if d == 1:
            return self.numerators, [1] * len(self.numerators)
        common = [gcd(d, *row) for row in self.numerators]
        pairs = zip(common, self.numerators, strict=True)
        return [row if k == 1 else [n // k for n in row] for k, row in pairs], [d // k for k in common]

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


def pivot_order(N: int, P: int, wanted: set[int]) -> list[int]:
    """Order the columns of A from the right, the ``wanted`` ones last, then those of B from the right."""
    order = sorted(range(N), key=lambda j: (j in wanted, -j)) if wanted else range(N - 1, -1, -1)
    return [*order, *range(N + P - 1, N - 1, -1)]


def reduce_rows(rows: Sequence[IntegerRow], order: Iterable[int], *, beside_identity: bool = False) -> Reduced:
    """Row reduce to Jordan form, taking pivots in the columns of ``order``.

    beside_identity : reduce [rows | I], to whose columns ``order`` then refers; it must include all columns of I if the
    rows are not of full rank.

    All divisions are exact: after k pivots each entry is a k×k or (k+1)×(k+1) minor of the matrix. So no entry exceeds
    Hadamard's bound.
    """
    if not rows:
        return Reduced([], [], [], 1, [])
    width = len(rows[0])
    if max(len(rows), width) > MAX_WITHOUT_FLINT:
        from implicitgrad.numbers.flint_reduction import reduce_by_flint

        order = list(order)
        found = reduce_by_flint(rows, order, beside_identity=beside_identity)
        if found is not None:
            return Reduced(*found)
    reduced = list(rows)
    columns = list(range(width))
    remaining = list(range(len(reduced)))
    pivots: list[int] = []
    sources: list[int] = []
    d = 1
    for column in order:
        if not remaining:
            break
        if column in columns:
            place = columns.index(column)
            least = chosen = 0
            for i in remaining:
                size = abs(reduced[i][place])
                if size and (size < least or not least):
                    least, chosen = size, i
            if not least:
                continue
            d = exchange(reduced, chosen, place, d)
            if beside_identity:
                columns[place] = width + chosen
            else:
                del columns[place]
                for row in reduced:
                    del row[place]
        else:
            chosen = column - width
        pivots.append(column)
        sources.append(chosen)
        remaining.remove(chosen)
    sources += remaining
    return Reduced([reduced[i] for i in sources], columns, pivots, d, sources)


def exchange(rows: list[IntegerRow], chosen: int, place: int, d: int) -> int:
    """Pivot: make a column the chosen row's unit vector and keep that row's old unit vector in its place; return d."""
    pivot_row = rows[chosen]
    pivot = pivot_row[place]
    for i, row in enumerate(rows):
        if i == chosen:
            continue
        factor = row[place]
        if factor:
            rows[i] = row = [(pivot * a - factor * b) // d for a, b in zip(row, pivot_row)]  # noqa: B905 (15 % slower)
            row[place] = -factor
        else:
            rows[i] = [pivot * a // d for a in row] if pivot != d else row.copy()
    rows[chosen] = pivot_row.copy()
    rows[chosen][place] = d
    return pivot


def exact_square_root(value: Fraction) -> Fraction | None:
    """Return the square root of a rational number ≥ 0 if it is rational, else None."""
    numerator, denominator = value.as_integer_ratio()
    root = isqrt(numerator * denominator)
    return Fraction(root, denominator) if root**2 == numerator * denominator else None

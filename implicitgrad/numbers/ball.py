"""BallMatrix: a matrix of doubles with error bounds, which reads as rows of the exact rationals that they are.

Its operations and the ways to build it stand together: each has to keep the bounds valid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import inf
from typing import Any

import numpy as np

from implicitgrad.numbers.doubles import BITS, Ball, is_array
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.numbers.matrix import Arithmetic, BaseMatrix
from implicitgrad.text.characters import MAX_DIGITS
from implicitgrad.text.number_grammar import ALL_NUMBERS

Array = np.ndarray[Any, Any]

DoubleRow = tuple[Fraction | None, ...]
UNIT_ROUNDOFF = 2.0**-53
SMALLEST_ROUNDING = 2.0**-1074
"""The largest rounding error of a number below the normal range."""
DYADIC_PLACES = 10
MAX_PLACES = 323
"""Up to so many decimal places, no nonzero number is rounded to 0."""


class BallMatrix(BaseMatrix[Any]):
    """A matrix of doubles with a bound on each one's distance from the number it stands for.

    It serves wherever rows of fractions are taken; ``array`` is faster for many numbers. NaN in the array reads as
    None in a row: the entry is not determined.
    """

    __slots__ = ("array", "error")
    arithmetic = Arithmetic.FLOAT
    has_bounds = True

    def __init__(self, array: Array, error: Array | float | None = 0.0) -> None:
        self.array = array.view()
        """(rows, columns), read-only."""
        self.array.flags.writeable = False
        self.error = error
        """A bound on |array − truth|, a number or an array that broadcasts; None where there is none."""

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.array.shape
        return rows, columns

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 (a row, or rows)
        found = self.array[index].tolist()
        return tuple(map(_fractions, found)) if isinstance(index, slice) else _fractions(found)

    def __iter__(self) -> Iterator[DoubleRow]:
        for row in self.array:
            yield _fractions(row.tolist())

    @property
    def rows(self) -> tuple[DoubleRow, ...]:
        """Return the rows as Fractions, which takes long; ``array`` does not."""
        return tuple(self)

    def plain_rows(self) -> list[Any]:
        """Return the rows as lists of floats, with None for entries that are not determined."""
        rows: list[Any] = (self.array + 0.0).tolist()
        if bool((self.array != self.array).any()):
            return [[number if number == number else None for number in row] for row in rows]
        return rows

    def part(self, rows: Sequence[int], columns: Sequence[int]) -> BallMatrix:
        places = np.ix_(np.array(rows, dtype=int), np.array(columns, dtype=int))
        return self._moved(lambda array: array[places])

    def largest_error(self) -> float | None:
        if self.error is None:
            return None
        largest = float(self.error if isinstance(self.error, float) else self.error.max(initial=0.0))
        return largest if largest < inf else None

    def column_sizes(self) -> tuple[Fraction, ...]:
        """Return the root mean square of each column, approximately."""
        largest = float(np.abs(self.array).max()) or 1.0
        means = np.sqrt(np.mean((self.array / largest) ** 2, axis=0))
        return tuple([Fraction(largest) * Fraction(mean) for mean in means.tolist()])

    def widened(self, radii: Sequence[Sequence[float]] | None) -> BallMatrix:
        if self.error is None or radii is None:
            return BallMatrix(self.array, None)
        return BallMatrix(self.array, np.nextafter(self.error + np.array(radii), np.inf))

    def bounded_rows(self) -> list[tuple[Any, ...]]:
        """Return the rows as Balls, with an infinite error where there is no bound."""
        found = []
        for row, row_errors in zip(self.array, self._errors(), strict=True):
            pairs = zip(row.tolist(), row_errors.tolist(), strict=True)
            found.append(tuple([Ball(number, error) if number == number else None for number, error in pairs]))
        return found

    def count_nonzero(self) -> int:
        return int(np.count_nonzero(self.array))

    def nonzero_rows(self) -> list[bool]:
        return [bool(row.any()) for row in self.array]

    def vector(self) -> Array:
        found: Array = self.array[0]
        return found

    def times(self, other: BaseMatrix[Any]) -> BallMatrix:
        """Return the product P·Q, with |P̂·Q̂ − P·Q| ≤ |P̂|·dQ + dP·(|Q̂| + dQ), plus the rounding of N terms."""
        assert isinstance(other, BallMatrix)
        with np.errstate(over="ignore", invalid="ignore"):
            value = self.array @ other.array
            if self.error is None or other.error is None:
                return BallMatrix(value, None)
            P, Q, dP, dQ = np.abs(self.array), np.abs(other.array), self._errors(), other._errors()
            rounding = (P @ Q + np.finfo(float).tiny) * (len(Q) + 2) * 2.0**-52
            error = (P @ dQ + dP @ (Q + dQ) + rounding) * (1 + len(Q) * 2.0**-50)
        return BallMatrix(value, np.where(np.isfinite(error), error, np.inf))

    def transposed(self) -> BallMatrix:
        return self._moved(lambda array: array.T)

    def rows_at(self, places: Sequence[int]) -> BallMatrix:
        return self._moved(lambda array: array[places])

    def negative(self) -> BallMatrix:
        return BallMatrix(0.0 - self.array, self.error)

    def plus(self, other: BaseMatrix[Any]) -> BallMatrix:
        """Return the sum with another matrix of the same shape, with both bounds and the rounding in its own."""
        assert isinstance(other, BallMatrix)
        value = self.array + other.array
        if self.error is None or other.error is None:
            return BallMatrix(value, None)
        error = (self._errors() + other._errors() + np.abs(value) * UNIT_ROUNDOFF) * (1 + 2.0**-50)
        return BallMatrix(value, error)

    def reshaped(self, rows: int, columns: int) -> BallMatrix:
        """Return the entries, row after row, in another shape of as many."""
        return self._moved(lambda array: array.reshape(rows, columns))

    def beside(self, *others: BaseMatrix[Any]) -> BallMatrix:
        all_of_them = [self, *(other for other in others if isinstance(other, BallMatrix))]
        has_errors = all(one.error is not None for one in all_of_them)
        error = np.hstack([one._errors() for one in all_of_them]) if has_errors else None
        return BallMatrix(np.hstack([one.array for one in all_of_them]), error)

    def outer(self, i: int, other: BaseMatrix[Any]) -> BallMatrix:
        """Return rowᵀ·other for row i and another of one row, with |â·b̂ − a·b| ≤ |â|·db + da·(|b̂| + db) + rounding.

        A product with an entry that is not determined is 0 if the other is, else NaN. Raises OverflowError for one
        beyond the largest double.
        """
        assert isinstance(other, BallMatrix)
        a, b = self.array[i][:, None], other.array[:1]
        with np.errstate(over="ignore", invalid="ignore"):
            value = a * b
            if np.isinf(value).any():
                raise OverflowError
            if self.error is None or other.error is None:
                return BallMatrix(value, None)
            da, db = self._errors()[i][:, None], other._errors()[:1]
            rounding = np.abs(value) * UNIT_ROUNDOFF + SMALLEST_ROUNDING
            error = (np.abs(a) * db + da * (np.abs(b) + db) + rounding) * (1 + 2.0**-50)
        is_zero = ((a == 0) & (da == 0)) | ((b == 0) & (db == 0))
        value = np.where(is_zero, 0.0, value)
        return BallMatrix(value, np.where(is_zero | np.isnan(value), 0.0, error))

    def where(self, is_replaced: Sequence[bool], other: BaseMatrix[Any]) -> BallMatrix:
        """Return the matrix with some rows replaced by those of another."""
        assert isinstance(other, BallMatrix)
        chosen = np.array(is_replaced)[:, None]
        is_bounded = self.error is not None and other.error is not None
        error = np.where(chosen, other._errors(), self._errors()) if is_bounded else None
        return BallMatrix(np.where(chosen, other.array, self.array), error)

    def partial(self, coefficients: BaseMatrix[Any], column_of: Mapping[int, int], width: int) -> BallMatrix:
        """Return ``width`` columns as BaseMatrix.partial, with NaN for entries that are not determined."""
        rows = np.flatnonzero(np.logical_not(coefficients.nonzero_rows()))
        value, error = np.full((len(self), width), np.nan), np.zeros((len(self), width))
        to, source = (np.ix_(rows, np.array([*columns], dtype=int)) for columns in (column_of, column_of.values()))
        value[to], error[to] = self.array[source], self._errors()[source]
        return BallMatrix(value, None if self.error is None else error)

    def _moved(self, move: Callable[[Array], Array]) -> BallMatrix:
        """Return the entries in other places, each with its bound."""
        return BallMatrix(move(self.array), None if self.error is None else move(self._errors()))

    def _errors(self) -> Array:
        """Return the bound on each entry, infinite where there is none."""
        return np.broadcast_to(np.inf if self.error is None else self.error, self.array.shape)

    def __array__(self, dtype: np.dtype[Any] | None = None, copy: bool | None = None) -> Array:
        return self.array.astype(dtype or self.array.dtype, copy=copy is not False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BallMatrix):
            return NotImplemented
        return self.array.shape == other.array.shape and self.array.tobytes() == other.array.tobytes()

    def __repr__(self) -> str:
        return f"<{'×'.join(map(str, self.array.shape))} doubles>"

    def __hash__(self) -> int:
        return hash((self.array.shape, self.array.tobytes()))


def _fractions(row: list[float]) -> DoubleRow:
    return tuple([Fraction(number) if number == number else None for number in row])


def from_fractions(rows: Sequence[Sequence[Fraction]]) -> BallMatrix:
    """Round rational numbers to the nearest doubles, with bounds on the rounding errors.

    Raises OverflowError for a number beyond the largest double, or one that would be rounded to 0.
    """
    if isinstance(rows, RationalMatrix) and rows.denominator == 1:
        values = np.array(rows.numerators, dtype=float)
        if np.abs(values).max() < 2.0**BITS:
            return BallMatrix(values)
    return from_sparse([dict(enumerate(row)) for row in rows], len(rows[0]))


def from_sparse(rows: Sequence[Mapping[int, Fraction]], columns: int) -> BallMatrix:
    """Build a BallMatrix from each row's nonzero entries by column, as from_fractions."""
    values, errors = np.zeros((len(rows), columns)), None
    for i, row in enumerate(rows):
        for j, entry in row.items():
            values[i, j] = entry.numerator / entry.denominator
            if entry.denominator != 1 or entry.numerator.bit_length() > BITS:
                error = abs(Fraction(float(values[i, j])) - entry)
                if error and not values[i, j]:
                    raise OverflowError
                if error:
                    errors = np.zeros(values.shape) if errors is None else errors
                    errors[i, j] = np.nextafter(float(error), np.inf)
    return BallMatrix(values, 0.0 if errors is None else errors)


def from_texts(rows: Sequence[Sequence[str]]) -> BallMatrix | None:
    """Round decimals to the nearest doubles, with bounds on the rounding errors.

    Return None if a text is no decimal or overflows a double; the slower per-entry parser then locates it.
    """
    longest = max(len(text) for row in rows for text in row)
    if longest > MAX_DIGITS:
        return None
    written = "\n".join(["\n".join(row) for row in rows])
    if written.count("\n") != sum(map(len, rows)) - 1 or ALL_NUMBERS.fullmatch(written) is None:
        return None
    values = np.array([list(map(float, row)) for row in rows]) + 0.0  # no -0
    largest = np.abs(values).max()
    if largest == np.inf:
        return None
    if largest < 2.0**BITS and not re.search("[.eE]", written):
        return BallMatrix(values)
    exponents = re.findall("[eE]-([0-9]+)", written)
    error = rounding_of_decimals(values, longest + max(map(int, exponents), default=0))
    if is_any_lost(values, error):
        return None
    return BallMatrix(values, error)


def is_any_lost(values: Array, error: Array | float) -> bool:
    """Return whether a nonzero decimal may have become 0."""
    return not isinstance(error, float) and bool(((values == 0) & (error > 0)).any())


def rounding_of_decimals(values: Array, places: int) -> Array | float:
    """Return a bound on the distance of decimals from ``values``, the doubles nearest to them.

    places : the largest number of digits after a decimal point. Such a decimal differs from a multiple of 2⁻¹⁰ by a
    multiple of 2⁻¹⁰·10⁻ᵖ; it equals it if that step exceeds a rounding error.
    """
    error = np.abs(values)
    with np.errstate(over="ignore"):
        parts = values * 2.0**DYADIC_PLACES
        is_exact = (parts == np.rint(parts)) & (error * 10.0 ** min(places, 300) < 2.0 ** (BITS - DYADIC_PLACES))
    error *= UNIT_ROUNDOFF
    error += SMALLEST_ROUNDING
    if places <= MAX_PLACES:
        error[is_exact] = 0.0
    return error if error.any() else 0.0


def from_array(value: object, dimensions: tuple[int, ...]) -> BallMatrix | None:
    """Return an array of numbers that are exact as doubles as a BallMatrix; None for anything else."""
    if not is_array(value) or value.ndim not in dimensions or not value.size:
        return None
    if value.dtype.kind != "f" and np.abs(value.astype(float)).max() >= 2.0**BITS:
        return None
    array = np.atleast_2d(np.asarray(value)).astype(float, copy=False)
    return BallMatrix(array) if np.isfinite(array).all() else None

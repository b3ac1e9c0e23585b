"""BallMatrix: a matrix of doubles, which reads as rows of the exact rational numbers that they are.

numpy is loaded where doubles are made.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from implicitgrad.text.number_grammar import ALL_NUMBERS, MAX_DIGITS, is_plain_integers

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

DoubleRow = tuple[Fraction | None, ...]
BITS = 53
UNIT_ROUNDOFF = 2.0**-53
SMALLEST_ROUNDING = 2.0**-1074
"""What a number below the normal range is rounded by, at most."""
DYADIC_PLACES = 10
MAX_PLACES = 323
"""The decimal places with which a number that is not 0 is never rounded to 0."""


if TYPE_CHECKING:
    Rows = Sequence[Any]
else:
    Rows = object  # to ask whether something is an instance of an abstract class takes ten times as long


class Ball(Fraction):
    """A double as the rational number it is, which stands for one that is within ``error`` of it."""

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


class BallMatrix(Rows):
    """A matrix of doubles and how far each may be from the number it stands for.

    Everything that takes rows of fractions takes it; who has many numbers to do uses ``array``. NaN in the array is
    None in a row: not determined.
    """

    __slots__ = ("array", "error")

    def __init__(self, array: Array, error: Array | float | None = 0.0) -> None:
        self.array = array.view()
        """(rows, columns), read-only."""
        self.array.flags.writeable = False
        self.error = error
        """A bound on |array − truth|, a number or an array that broadcasts; None where there is none."""

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns."""
        rows, columns = self.array.shape
        return rows, columns

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, index: int) -> DoubleRow: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[DoubleRow, ...]: ...
    def __getitem__(self, index: int | slice) -> DoubleRow | tuple[DoubleRow, ...]:
        if isinstance(index, slice):
            return tuple(map(_fractions, self.array[index].tolist()))
        return _fractions(self.array[index].tolist())

    def __iter__(self) -> Iterator[DoubleRow]:
        for row in self.array:
            yield _fractions(row.tolist())

    def to_lists(self) -> list[Any]:
        """The rows as lists of floats, None for what is not determined."""
        rows: list[Any] = (self.array + 0.0).tolist()
        if bool((self.array != self.array).any()):
            return [[number if number == number else None for number in row] for row in rows]
        return rows

    def largest_error(self) -> float | None:
        """The bound on every entry; None where there is none, an infinite one among them."""
        if self.error is None:
            return None
        largest = float(self.error if isinstance(self.error, float) else self.error.max(initial=0.0))
        return largest if largest < inf else None

    def column_sizes(self) -> tuple[Fraction, ...]:
        """The root mean square of each column, near enough to compare with."""
        import numpy as np

        largest = float(np.abs(self.array).max()) or 1.0
        means = np.sqrt(np.mean((self.array / largest) ** 2, axis=0))
        return tuple([Fraction(largest) * Fraction(mean) for mean in means.tolist()])

    def widened(self, radii: Sequence[Sequence[float]]) -> BallMatrix:
        """The same numbers for what may be so much further from each."""
        import numpy as np

        return BallMatrix(
            self.array, None if self.error is None else np.nextafter(self.error + np.array(radii), np.inf)
        )

    def bounded_rows(self) -> Iterator[tuple[Any, ...]]:
        """The rows, each number with its bound, infinite where there is none."""
        for row, row_errors in zip(self.array, self._errors(), strict=True):
            pairs = zip(row.tolist(), row_errors.tolist(), strict=True)
            yield tuple([Ball(number, error) if number == number else None for number, error in pairs])

    def count_nonzero(self) -> int:
        """How many entries are not 0."""
        import numpy as np

        return int(np.count_nonzero(self.array))

    def nonzero_entries(self, is_passed_over: Sequence[bool] = ()) -> list[list[tuple[int, Fraction]]]:
        """Of each row the columns and numbers that are not 0, with their bounds; of a row that is passed over none."""
        import numpy as np

        errors = self._errors()
        found: list[list[tuple[int, Fraction]]] = []
        for i, row in enumerate(self.array):
            columns = [] if is_passed_over and is_passed_over[i] else np.flatnonzero(row).tolist()
            found.append([(j, Ball(float(row[j]), float(errors[i, j]))) for j in columns])
        return found

    def first_columns(self, number: int) -> BallMatrix:
        """So many of its columns."""
        return BallMatrix(self.array[:, :number], None if self.error is None else self._errors()[:, :number])

    def _errors(self) -> Array:
        """The bound on each entry, infinite where there is none."""
        import numpy as np

        return np.broadcast_to(np.inf if self.error is None else self.error, self.array.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.array.astype(dtype or self.array.dtype, copy=copy is not False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BallMatrix):
            return NotImplemented
        return self.array.shape == other.array.shape and self.array.tobytes() == other.array.tobytes()

    def __repr__(self) -> str:
        return f"<{'×'.join(map(str, self.array.shape))} doubles>"

    def __hash__(self) -> int:
        return hash((self.array.shape, self.array.tobytes()))


class Decimals(NamedTuple):
    """A large table of decimals: its doubles at hand, its texts for who asks."""

    doubles: BallMatrix
    has_decimals: bool
    """Whether any has a digit behind its point."""
    texts: Callable[[], list[Any]]
    ndim: int = 2
    """1 for a row that was written as a vector."""


def _fractions(row: list[float]) -> DoubleRow:
    return tuple([Fraction(number) if number == number else None for number in row])


def from_fractions(rows: Sequence[Sequence[Fraction]]) -> BallMatrix:
    """The doubles nearest to rational numbers, and how far from them.

    Raises OverflowError beyond the largest, and for what is not 0 and would be.
    """
    return from_sparse([dict(enumerate(row)) for row in rows], len(rows[0]))


def from_sparse(rows: Sequence[Mapping[int, Fraction]], columns: int) -> BallMatrix:
    """The same of what is not 0 in each row, by its column."""
    import numpy as np

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
    """The doubles nearest to decimals, and a bound on how far from them they are.

    None where a text is no decimal of the grammar, or beyond the range of doubles: who reads entry by entry says which.
    """
    import numpy as np

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
    if is_plain_integers(written) and largest < 2.0**BITS:
        return BallMatrix(values)
    exponents = re.findall("[eE]-([0-9]+)", written)
    error = rounding_of_decimals(values, longest + max(map(int, exponents), default=0))
    if is_any_lost(values, error):
        return None
    return BallMatrix(values, error)


def is_any_lost(values: Array, error: Array | float) -> bool:
    """Whether any decimal that is not 0 may have become 0."""
    return not isinstance(error, float) and bool(((values == 0) & (error > 0)).any())


def rounding_of_decimals(values: Array, places: int) -> Array | float:
    """A bound on how far decimals are from ``values``, the doubles nearest to them.

    places : how many digits each has behind its point, at most. From a multiple of 2⁻¹⁰ such a decimal is off by a
    multiple of 2⁻¹⁰·10⁻ᵖ, and so by nothing where that is more than a rounding.
    """
    import numpy as np

    error = np.abs(values)
    with np.errstate(over="ignore"):
        parts = values * 2.0**DYADIC_PLACES
        is_exact = (parts == np.rint(parts)) & (error * 10.0 ** min(places, 300) < 2.0 ** (BITS - DYADIC_PLACES))
    error *= UNIT_ROUNDOFF
    error += SMALLEST_ROUNDING
    if places <= MAX_PLACES:
        error[is_exact] = 0.0
    return error if error.any() else 0.0


def copied(array: Any) -> Array:
    """The numbers of an array now, whatever its owner does with it later."""
    import numpy as np

    return np.array(array, subok=False)


def is_array(value: object) -> bool:
    """Whether it is a NumPy array of integers or floats."""
    np = sys.modules.get("numpy")
    if (
        np is None
        or isinstance(value, list)
        or not isinstance(value, np.ndarray)
        or value.dtype.kind not in "iuf"
        or value.dtype.itemsize > 8
    ):
        return False
    return not (hasattr(value, "mask") and np.ma.is_masked(value))


def is_array_of_doubles(value: object) -> bool:
    """Whether it is a NumPy array of numbers that are all doubles, as integers beyond 2⁵³ mostly are not."""
    if not is_array(value):
        return False
    import numpy as np

    array: Any = value
    if array.dtype.kind == "f" or not array.size or np.abs(array.astype(float)).max() < 2.0**BITS:
        return True
    return all(int(float(number)) == number for number in array.ravel().tolist())


def from_array(value: Any, dimensions: tuple[int, ...]) -> BallMatrix | None:
    """An array of numbers that doubles hold, as rows; None for anything else."""
    import numpy as np

    if not is_array(value) or value.ndim not in dimensions or not value.size:
        return None
    if value.dtype.kind != "f" and np.abs(value.astype(float)).max() >= 2.0**BITS:
        return None
    array = np.atleast_2d(np.asarray(value)).astype(float, copy=False)
    return BallMatrix(array) if np.isfinite(array).all() else None

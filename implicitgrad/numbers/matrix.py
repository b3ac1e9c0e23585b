"""Matrix: what matrices in every arithmetic offer, and the matrices that are kept as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Any, ClassVar, TypeVar

Entry_co = TypeVar("Entry_co", covariant=True)


class Arithmetic(StrEnum):
    """How the numbers of an answer are computed."""

    EXACT = "exact"
    """Rational numbers."""
    FLOAT = "float"
    """Doubles, with bounds on their errors."""
    SYMBOLIC = "symbolic"
    """Rational functions of letters."""


class BaseMatrix(Sequence[tuple[Entry_co, ...]]):
    """An immutable sequence of rows. An entry is None where the system does not determine it."""

    __slots__ = ()
    arithmetic: ClassVar[Arithmetic]
    has_bounds: ClassVar[bool] = False
    """Whether its entries are doubles with error bounds: whether it is a BallMatrix."""
    is_sparse: ClassVar[bool] = False
    """Whether it is too large to be read as rows."""

    @property
    def rows(self) -> tuple[tuple[Entry_co, ...], ...]:
        """Return the rows."""
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int, int]:
        """Return the numbers of rows and columns; there must be a row."""
        return len(self), len(self[0])

    def nonzero_rows(self) -> list[bool]:
        """Return whether each row has a nonzero entry."""
        return [any(row) for row in self.rows]

    def count_nonzero(self) -> int:
        """Return the number of nonzero entries."""
        return sum(bool(entry) for row in self.rows for entry in row)

    def bounded_rows(self) -> Sequence[tuple[Any, ...]]:
        """Return the rows, with doubles as Balls."""
        return self.rows

    def plain_rows(self) -> Sequence[Sequence[Any]]:
        """Return the rows, with doubles as floats."""
        return self.rows

    def vector(self) -> Any:  # noqa: ANN401 (a tuple, or an array)
        """Return the first row, in doubles as an array."""
        return self.rows[0]

    def largest_error(self) -> float | None:
        """Return a bound on the error of every entry; None if there is none or it is infinite."""
        return 0.0

    def widened(self, radii: Sequence[Sequence[float]] | None) -> BaseMatrix[Entry_co]:
        """Return doubles with bounds enlarged by ``radii``, or without bounds; exact numbers unchanged."""
        return self

    def part(self, rows: Sequence[int], columns: Sequence[int]) -> BaseMatrix[Entry_co]:
        """Return some rows and columns."""
        return self.with_rows([[self.rows[i][k] for k in columns] for i in rows])

    def with_rows(self, rows: Iterable[Sequence[Any]]) -> BaseMatrix[Any]:
        """Return a matrix of other rows in the same arithmetic."""
        return RowMatrix(rows)

    def times(self, other: BaseMatrix[Any]) -> BaseMatrix[Any]:
        """Return the product with another matrix in the same arithmetic."""
        columns = list(zip(*other, strict=True))
        return self.with_rows(
            [sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in columns]
            for row in self.rows
        )

    def transposed(self) -> BaseMatrix[Any]:
        """Return the transpose."""
        return self.with_rows(zip(*self.rows, strict=True))

    def rows_at(self, places: Sequence[int]) -> BaseMatrix[Any]:
        """Return some of the rows, in the order of their indices."""
        return self.with_rows([self.rows[i] for i in places])

    def negative(self) -> BaseMatrix[Any]:
        """Return the matrix with the signs of all entries changed."""
        rows: Iterable[Sequence[Any]] = self.rows
        return self.with_rows([entry if entry is None else -entry for entry in row] for row in rows)

    def plus(self, other: BaseMatrix[Any]) -> BaseMatrix[Any]:
        """Return the sum with another matrix of the same shape."""
        rows: Iterable[tuple[Sequence[Any], Sequence[Any]]] = zip(self.rows, other, strict=True)
        return self.with_rows([a + b for a, b in zip(*pair, strict=True)] for pair in rows)

    def beside(self, *others: BaseMatrix[Any]) -> BaseMatrix[Any]:
        """Return the matrix with the columns of others to its right."""
        return self.with_rows([entry for row in rows for entry in row] for rows in zip(self, *others, strict=True))

    def partial(self, coefficients: BaseMatrix[Any], column_of: Mapping[int, int], width: int) -> BaseMatrix[Any]:
        """Return ``width`` columns, column k a copy of column_of[k], with None for entries that are not determined.

        These are all entries of other columns, and of rows in which ``coefficients`` has a nonzero entry.
        """
        columns = [column_of.get(k) for k in range(width)]
        return RowMatrix(
            [None if is_open or j is None else row[j] for j in columns]
            for row, is_open in zip(self.rows, coefficients.nonzero_rows(), strict=True)
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 (a row, or rows)
        return self.rows[index]

    def __iter__(self) -> Iterator[tuple[Entry_co, ...]]:
        return iter(self.rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BaseMatrix | tuple):
            return NotImplemented
        return self.rows == tuple(other)

    def __hash__(self) -> int:
        return hash(self.rows)

    def __repr__(self) -> str:
        return repr(self.rows)


class RowMatrix(BaseMatrix[Any]):
    """A matrix of entries that need not have one arithmetic."""

    __slots__ = ("rows",)
    rows: tuple[tuple[Any, ...], ...]

    def __init__(self, rows: Iterable[Iterable[Any]] = ()) -> None:
        self.rows = tuple(map(tuple, rows))


def largest_error(matrices: Sequence[BaseMatrix[Fraction | None] | None]) -> float | None:
    """Return a bound on the errors of all entries; None if one has none or it is infinite."""
    errors: list[Any] = [0.0 if matrix is None else matrix.largest_error() for matrix in matrices]
    return None if None in errors else max(errors)

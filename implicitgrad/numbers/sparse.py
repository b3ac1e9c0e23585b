"""SparseMatrix: a large matrix of doubles of which only the nonzero entries are kept; needs SciPy."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from scipy import sparse

from implicitgrad.numbers.ball import Array, BallMatrix
from implicitgrad.numbers.matrix import Arithmetic, BaseMatrix
from implicitgrad.text.errors import InputError, Problem

Compressed = Any
"""A sparse array of SciPy, compressed by rows."""
NO_ROWS = "a matrix of {}×{} is kept without its zeros, and they are needed here"
HINT = "--format json and --output with a name ending in .npz write the answer alone"


class SparseMatrix(BaseMatrix[Any]):
    """A matrix of doubles and zeros, with a bound on each double's distance from the number it stands for.

    The zeros are exact. Reading it as rows raises InputError: it would take too much memory.
    """

    __slots__ = ("array", "error")
    arithmetic = Arithmetic.FLOAT
    is_sparse = True

    def __init__(self, array: Compressed, error: Array | float = 0.0) -> None:
        self.array = array
        """A csr_array without duplicates and without stored zeros."""
        self.error = error
        """A bound for each stored entry, or one for all."""

    @classmethod
    def of_entries(
        cls, shape: tuple[int, int], rows: Array, columns: Array, values: Array, errors: Array | float = 0.0
    ) -> SparseMatrix:
        """Build a matrix from its entries, at most one a place. Raise ValueError if two have the same place."""
        numbers = np.arange(1, len(values) + 1)
        order = sparse.coo_array((numbers, (rows, columns)), shape=shape).tocsr()
        if order.nnz < len(values):
            raise ValueError("expected one entry a place")
        order.sort_indices()
        chosen = order.data - 1
        array = sparse.csr_array((values[chosen], order.indices, order.indptr), shape=shape)
        bounds = errors if isinstance(errors, float) else errors[chosen]
        if not array.data.all():
            kept = array.data != 0
            bounds = bounds if isinstance(bounds, float) else bounds[kept]
            array.eliminate_zeros()
        return cls(array, bounds)

    @classmethod
    def of_doubles(cls, matrix: BallMatrix) -> SparseMatrix:
        """Return a matrix of doubles without its zeros."""
        rows, columns = np.nonzero(matrix.array)
        errors = np.broadcast_to(np.asarray(matrix.error, dtype=float), matrix.shape)[rows, columns]
        return cls.of_entries(matrix.shape, rows, columns, matrix.array[rows, columns], errors)

    def to_dense(self) -> BallMatrix:
        """Return the matrix with its zeros."""
        errors = self.errors
        error = 0.0 if errors is None else errors.toarray()
        return BallMatrix(self.array.toarray(), error)

    def transposed(self) -> SparseMatrix:
        errors = self.errors
        return SparseMatrix(self.array.T.tocsr(), 0.0 if errors is None else errors.T.tocsr().data)

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.array.shape
        return int(rows), int(columns)

    @property
    def magnitudes(self) -> Compressed:
        """Return the absolute values of the doubles."""
        return self._like(np.abs(self.array.data))

    @property
    def errors(self) -> Compressed | None:
        """Return the bounds in the places of the doubles; None if all are 0."""
        if isinstance(self.error, float) and not self.error:
            return None
        return self._like(np.array(np.broadcast_to(self.error, self.array.data.shape)))

    def _like(self, data: Array) -> Compressed:
        return sparse.csr_array((data, self.array.indices, self.array.indptr), shape=self.array.shape)

    @property
    def rows(self) -> NoReturn:
        """Raise InputError."""
        raise InputError([Problem(NO_ROWS.format(*self.shape), HINT, "too-large")])

    def __len__(self) -> int:
        return self.shape[0]

    def nonzero_rows(self) -> list[bool]:
        return list((np.diff(self.array.indptr) > 0).tolist())

    def count_nonzero(self) -> int:
        return int(self.array.nnz)

    def largest_error(self) -> float:
        return float(np.max(self.error, initial=0.0))

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<{'×'.join(map(str, self.shape))} doubles, {self.count_nonzero()} of them not 0>"

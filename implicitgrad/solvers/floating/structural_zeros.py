"""Structural zeros: entries of an inverse that must be 0 for any values in the nonzero places of a matrix.

K⁻¹ is a polynomial in K. So it has a 0 wherever all powers of K have one: where no path leads from i to j over the
nonzero entries of K. That holds for any order of the columns; one with a nonzero diagonal leaves the fewest other
entries (Dulmage and Mendelsohn 1958, *Coverings of bipartite graphs*).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from implicitgrad.numbers.ball import Array
from implicitgrad.solvers.floating.basis import picked

if TYPE_CHECKING:
    from implicitgrad.solvers.floating.basis import Basis
    from implicitgrad.solvers.floating.equilibration import Scaled


class Structure:
    """The patterns of possibly nonzero entries in the answer, from the pattern of A."""

    def __init__(self, scaled: Scaled, basis: Basis) -> None:
        self.scaled, self.basis = scaled, basis

    def _pattern(self, rows: list[int], columns: list[int]) -> Array:
        return pattern(*picked(self.scaled.A, self.scaled.dA, rows, columns))

    @cached_property
    def inverse(self) -> Array:
        """Return the pattern (r, r) of K⁻¹."""
        return inverse_pattern(self._pattern(self.basis.rows, self.basis.columns))

    def null_space(self) -> Array:
        """Return the pattern (r, F) of the null space."""
        return product_pattern(self.inverse, self._pattern(self.basis.rows, self.basis.free))

    def other_rows(self) -> Array:
        """Return the pattern (M − r, r) of A[I', p]·K⁻¹."""
        return product_pattern(self._pattern(self.basis.other_rows, self.basis.columns), self.inverse)

    def conditions(self) -> Array:
        """Return the pattern (M − r, P) of B_I' − A[I', p]·K⁻¹·B_I."""
        assert self.scaled.B is not None
        B = pattern(self.scaled.B, self.scaled.dB)
        return B[self.basis.other_rows] | product_pattern(self.other_rows(), B[self.basis.rows])

    def coefficients(self, g: Array, dg: Array | None) -> Array:
        """Return the pattern (K, F) of ∂L/∂y times the null space."""
        losses = pattern(g, dg)
        return losses[:, self.basis.free] | product_pattern(losses[:, self.basis.columns], self.null_space())


def pattern(a: Array, da: Array | None) -> Array:
    """Return where a matrix is not known to be 0."""
    found: Array = a != 0 if da is None else (a != 0) | (da != 0)
    return found


def inverse_pattern(K: Array) -> Array:
    """Return where K⁻¹ may be nonzero, for the pattern (n, n) of an invertible matrix."""
    if K.all():
        return K
    order = _columns_of_rows(K)
    reached = K[:, order] | np.eye(len(K), dtype=bool)
    while True:
        further = product_pattern(reached, reached)
        if (further == reached).all():
            break
        reached = further
    found = np.empty_like(reached)
    found[order] = reached
    return found


def product_pattern(a: Array, b: Array) -> Array:
    """Return where the product of two matrices of these patterns may be nonzero."""
    found: Array = a.astype(np.float32) @ b.astype(np.float32) > 0
    return found


def _columns_of_rows(K: Array) -> list[int]:
    """Match each row with a column in which it has an entry, as far as possible, by augmenting paths (Kuhn 1955)."""
    entries = [np.flatnonzero(row).tolist() for row in K]
    column_of: list[int | None] = [None] * len(K)
    row_of: list[int | None] = [None] * len(K)
    for start in range(len(K)):
        end, reached_from = _path_to_unmatched(start, entries, row_of)
        while end is not None:
            row = reached_from[end]
            row_of[end] = row
            column_of[row], end = end, column_of[row]
    unmatched = iter([column for column, row in enumerate(row_of) if row is None])
    return [next(unmatched) if column is None else column for column in column_of]


def _path_to_unmatched(
    start: int, entries: list[list[int]], row_of: list[int | None]
) -> tuple[int | None, dict[int, int]]:
    """Find a path from a row to an unmatched column; return its end, and the row from which each column was reached."""
    reached_from: dict[int, int] = {}
    rows = [start]
    for row in rows:
        for column in entries[row]:
            if column in reached_from:
                continue
            reached_from[column] = row
            following = row_of[column]
            if following is None:
                return column, reached_from
            rows.append(following)
    return None, reached_from

"""The tableau of a mixed linear complementarity problem w = M·v + c, in integers or in doubles.

v = (z, ν, λ) and w = (stationarity, b − A·z, d − C·z) of a quadratic program, so that

        ⎡ P  Aᵀ  Cᵀ⎤        ⎡q⎤
    M = ⎢−A  0   0 ⎥,   c = ⎢b⎥,
        ⎣−C  0   0 ⎦        ⎣d⎦

which is positive semidefinite. Each row reads ``d·basic + Σ entry·nonbasic = 0``; right-hand sides are columns, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from implicitgrad.numbers.exact import IntegerRow
from implicitgrad.numbers.row_reduction import exchange
from implicitgrad.solvers.program.work import Work

RIGHT_SIDE, DIRECTION, ARTIFICIAL = -1, -2, -3
"""The labels of the columns that are no variables: c, its change, and Lemke's covering vector."""


class ComplementarityProblem(NamedTuple):
    """A quadratic program in integers: minimise ½zᵀPz + qᵀz subject to C·z ≤ d, A·z = b."""

    P: list[IntegerRow]
    q: IntegerRow
    C: list[IntegerRow]
    d: IntegerRow
    A: list[IntegerRow]
    b: IntegerRow

    @property
    def free(self) -> int:
        """The number of free variables: z and ν."""
        return len(self.q) + len(self.b)

    @property
    def size(self) -> int:
        """The number of complementary pairs, those of the free variables included."""
        return self.free + len(self.d)

    def rows(self) -> list[list[int]]:
        """Return (−M | −c)."""
        n, columns = len(self.q), list(zip(*self.C)) if self.C else []  # noqa: B905 (rows of one length)
        duals = list(zip(*self.A)) if self.A else []  # noqa: B905
        nothing = [0] * (len(self.b) + len(self.d))
        found = []
        for j in range(n):
            negatives = [*self.P[j], *(duals[j] if duals else ()), *(columns[j] if columns else ()), self.q[j]]
            found.append([-entry for entry in negatives])
        for rows, bounds in ((self.A, self.b), (self.C, self.d)):
            found += [[*row, *nothing, -bound] for row, bound in zip(rows, bounds, strict=True)]
        return found


class Tableau:
    """The tableau in integers over a common denominator. v_k has the label k, its complement w_k the label k + size."""

    def __init__(self, problem: ComplementarityProblem, work: Work) -> None:
        self.work = work
        self.size, self.free = problem.size, problem.free
        self.entries: Any = problem.rows()
        self.d = 1
        self.basis = list(range(self.size, 2 * self.size))
        self.columns = [*range(self.size), RIGHT_SIDE]

    def copy(self) -> Tableau:
        """Return a tableau that can be changed without changing this one."""
        found = object.__new__(type(self))
        found.__dict__.update(self.__dict__)
        found.entries = [row.copy() for row in self.entries]
        found.basis, found.columns = self.basis.copy(), self.columns.copy()
        return found

    def complement(self, label: int) -> int:
        """Return the label of the other variable of a pair."""
        return label + self.size if label < self.size else label - self.size

    def exchange(self, row: int, column: int) -> None:
        """Make a nonbasic variable basic in the place of the one of a row."""
        self.work.spend(len(self.basis) * len(self.columns), self.d.bit_length())
        self.d = exchange(self.entries, row, column, self.d)
        self.basis[row], self.columns[column] = self.columns[column], self.basis[row]

    def add_column(self, label: int, entries: Sequence[int]) -> None:
        """Append a column; ``entries`` are numerators over d."""
        for row, entry in zip(self.entries, entries, strict=True):
            row.append(entry)
        self.columns.append(label)

    def drop_column(self, label: int) -> None:
        """Remove a nonbasic column."""
        place = self.columns.index(label)
        del self.columns[place]
        for row in self.entries:
            del row[place]

    def column(self, label: int) -> list[Any]:
        """Return the entries of a column, times |d| > 0, the unit vector of a basic variable included."""
        sign = 1 if self.d > 0 else -1
        if label in self.columns:
            place = self.columns.index(label)
            return [sign * row[place] for row in self.entries]
        return [sign * self.d * (basic == label) for basic in self.basis]

    def variables(self, column: Sequence[int], unit: int = 1) -> list[Fraction]:
        """Return the part of every v that a right-hand side, in units, gives it."""
        found = [Fraction(0)] * self.size
        denominator = abs(self.d) * unit
        for basic, entry in zip(self.basis, column, strict=True):
            if 0 <= basic < self.size and entry:
                found[basic] = Fraction(-entry, denominator)
        return found

    def best(self, places: Iterable[tuple[int, int]]) -> tuple[int, int] | None:
        """Return the place of the pivot that keeps the numbers smallest, of those that are not zero."""
        sizes = [(abs(self.entries[i][j]), i, j) for i, j in places if self.entries[i][j]]
        return min(sizes)[1:] if sizes else None

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
from math import lcm
from typing import Any, NamedTuple

from implicitgrad.model.program.problem import CanonicalProgram, Vector
from implicitgrad.numbers.exact import exchange
from implicitgrad.numbers.null_space import integers
from implicitgrad.solvers.program.work import Work

RIGHT_SIDE, DIRECTION, ARTIFICIAL = -1, -2, -3
"""The labels of the columns that are no variables: c, its change, and Lemke's covering vector."""


class Scales(NamedTuple):
    """The positive factors that make the numbers of a program integers."""

    objective: int
    inequalities: list[int]
    equalities: list[int]

    def split(self, values: list[Fraction], n: int) -> tuple[Vector, Vector, Vector]:
        """Return z (n,), λ and ν of the values of the problem in integers."""
        p, objective = len(self.equalities), Fraction(1, self.objective)
        multipliers = [v * s * objective for v, s in zip(values[n + p :], self.inequalities, strict=True)]
        equality_multipliers = [v * s * objective for v, s in zip(values[n : n + p], self.equalities, strict=True)]
        return tuple(values[:n]), tuple(multipliers), tuple(equality_multipliers)


class Tableau:
    """The tableau in integers over a common denominator. v_k has the label k, its complement w_k the label k + size."""

    def __init__(self, program: CanonicalProgram, work: Work) -> None:
        self.work = work
        self.free = len(program.q) + len(program.b)
        """The number of free variables: z and ν."""
        self.size = self.free + len(program.d)
        """The number of complementary pairs, those of the free variables included."""
        self.scales, self.entries = _in_integers(program)
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
                found[basic] = Fraction(-entry) / denominator  # an entry may be a double
        return found

    def best(self, places: Iterable[tuple[int, int]]) -> tuple[int, int] | None:
        """Return the place of the pivot that keeps the numbers smallest, of those that are not zero."""
        sizes = [(abs(self.entries[i][j]), i, j) for i, j in places if self.entries[i][j]]
        return min(sizes)[1:] if sizes else None


def _in_integers(program: CanonicalProgram) -> tuple[Scales, Any]:
    """Return (−M | −c), the objective and each constraint times the least common denominator of its numbers."""
    objective = lcm(*[entry.denominator for row in (*program.P, program.q) for entry in row])
    equalities, inequalities = (
        [integers((*row, bound)) for row, bound in zip(rows, bounds, strict=True)]
        for rows, bounds in ((program.A, program.b), (program.C, program.d))
    )
    nothing = [0] * (len(equalities) + len(inequalities))
    found = []
    for j, (row, cost) in enumerate(zip(program.P, program.q, strict=True)):
        *own, last = (-entry.numerator * (objective // entry.denominator) for entry in (*row, cost))
        found.append([*own, *(-other[j] for other, _ in (*equalities, *inequalities)), last])
    found += [[*row[:-1], *nothing, -row[-1]] for row, _ in (*equalities, *inequalities)]
    return Scales(objective, [scale for _, scale in inequalities], [scale for _, scale in equalities]), found

"""A guess of the active constraints, by Lemke's method in doubles, which proves nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from implicitgrad.model.program.problem import CanonicalProgram
from implicitgrad.numbers.ball import Array
from implicitgrad.solvers.program.lemke import solve_complementarity
from implicitgrad.solvers.program.optimum import with_few_rows
from implicitgrad.solvers.program.tableau import RIGHT_SIDE, Tableau
from implicitgrad.solvers.program.work import Work

MAX_PIVOTS_PER_ROW = 20
MIN_FOR_QUADPROG = 60
"""Unknowns from which on quadprog, where it is installed, is asked first."""
FASTER_THAN_INTEGERS = 50


def guess_active(program: CanonicalProgram, work: Work) -> list[int] | None:
    """Return the inequalities that doubles find active in a basis of an optimum; None if they find none."""
    if len(program.q) >= MIN_FOR_QUADPROG and (found := _by_quadprog(program)) is not None:
        return found
    try:
        C, d = np.array(program.C, dtype=float), np.array(program.d, dtype=float)

        def excesses(guess: _Guess | None) -> list[float]:
            if guess is None:
                return []
            with np.errstate(all="ignore"):
                sizes = C @ guess.z - d
                limit = FloatTableau.TOLERANCE * (np.abs(C) @ np.abs(guess.z) + np.abs(d))
            found: list[float] = np.where(sizes > limit, sizes, 0).tolist()
            return found

        guess, chosen = with_few_rows(program, lambda some: _guess(some, work), excesses)
    except (PivotLimit, OverflowError):
        return None
    return None if guess is None else sorted(chosen[k] for k in guess.active)


def _by_quadprog(program: CanonicalProgram) -> list[int] | None:
    """Return the active inequalities that quadprog ends with; None without it, and where P is not definite."""
    try:
        from quadprog import solve_qp
    except ImportError:
        return None
    arrays = (np.array(part, dtype=float) for part in program)
    P, q, C, d, A, b = arrays
    p, n = len(b), len(q)
    rows = np.concatenate([A.reshape(p, n), -C.reshape(len(d), n)])
    try:
        *_, active = solve_qp(P, -q, rows.T, np.concatenate([b, -d]), p)
    except ValueError:  # not definite, inconsistent, or not finite
        return None
    return sorted(int(row) - 1 - p for row in active if row > p)


class _Guess(NamedTuple):
    active: list[int]
    z: Array


def _guess(program: CanonicalProgram, work: Work) -> _Guess | None:
    with np.errstate(all="ignore"):
        tableau = FloatTableau(program, work)
        if solve_complementarity(tableau) is not None:
            return None
    z = np.zeros(len(program.q))
    for label, entry in zip(tableau.basis, tableau.column(RIGHT_SIDE), strict=True):
        if label < len(z):
            z[label] = -entry
    return _Guess(sorted(label - tableau.free for label in tableau.basis if tableau.free <= label < tableau.size), z)


class PivotLimit(Exception):
    """Doubles took more pivots than a solution can need."""


class FloatTableau(Tableau):
    """The same in doubles, which find a basis quickly but prove nothing."""

    TOLERANCE = 1e-10

    def __init__(self, program: CanonicalProgram, work: Work) -> None:
        super().__init__(program, work)
        array = np.array(self.entries, dtype=float)
        n = len(program.q)
        of_objective = array[:n, [*range(n), -1]]
        largest = np.abs(of_objective[:, :n]).max(initial=0) or np.abs(of_objective).max(initial=0)
        array[:n, [*range(n), -1]] = of_objective * np.exp2(-np.frexp(largest or 1)[1])
        sizes = np.abs(array[:, :-1]).max(axis=1, initial=0)
        exponents = np.frexp(np.where(sizes > 0, sizes, 1))[1]
        scale = np.exp2(-exponents)
        # a row of constraints and the column of its multiplier are scaled alike, which keeps M positive semidefinite
        scale[:n] = 1
        array[:, :-1] *= scale
        self.entries = array * scale[:, None]
        norm = np.abs(self.entries).max(initial=0)
        self.zero = self.TOLERANCE * (norm or 1)
        self.pivots_left = MAX_PIVOTS_PER_ROW * (self.size + 5) + self.size

    def exchange(self, row: int, column: int) -> None:
        """Make a nonbasic variable basic in the place of the one of a row. Raise PivotLimit if that does not end."""
        self.pivots_left -= 1
        if not self.pivots_left:
            raise PivotLimit
        array = self.entries
        self.work.spend(array.size // FASTER_THAN_INTEGERS, 0)
        pivot = array[row, column]
        factors = array[:, column] / -pivot
        factors[row] = 0
        pivot_row = array[row] / pivot
        array += factors[:, None] * array[row]
        array[:, column] = factors
        pivot_row[column] = 1 / pivot
        array[row] = pivot_row
        array[abs(array) < self.zero] = 0
        self.basis[row], self.columns[column] = self.columns[column], self.basis[row]

    def add_column(self, label: int, entries: Sequence[int]) -> None:
        """Append a column."""
        self.entries = np.column_stack([self.entries, entries])
        self.columns.append(label)

    def drop_column(self, label: int) -> None:
        """Remove a nonbasic column."""
        place = self.columns.index(label)
        del self.columns[place]
        self.entries = np.delete(self.entries, place, axis=1)

    def column(self, label: int) -> list[float]:
        """Return the entries of a column, the unit vector of a basic variable included."""
        if label in self.columns:
            found: list[float] = self.entries[:, self.columns.index(label)].tolist()
            return found
        return [float(basic == label) for basic in self.basis]

    def best(self, places: Iterable[tuple[int, int]]) -> tuple[int, int] | None:
        """Return the place of the largest pivot."""
        sizes = [(abs(self.entries[i, j]), i, j) for i, j in places]
        size, *place = max(sizes, default=(0, 0, 0))
        return (place[0], place[1]) if size > self.zero else None

"""Lemke's method on the complementarity problem of a quadratic program, degeneracy resolved lexicographically.

Source: Cottle, Pang and Stone, *The Linear Complementarity Problem* (1992), algorithms 4.4.5 and 4.9.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from implicitgrad.solvers.program.tableau import ARTIFICIAL, RIGHT_SIDE, Tableau

Ray = list[Fraction]
"""A direction of v = (z, ν, λ), λ ≥ 0, along which w does not fall below 0, with M·v + (M·v)ᵀ = 0 and cᵀv < 0.

Its z and its (ν, λ) satisfy P·z = 0, A·z = 0, C·z ≤ 0 and Aᵀν + Cᵀλ = 0; so it proves that the program is infeasible
(bᵀν + dᵀλ < 0) or has no finite minimum (qᵀz < 0). It is given by label, the free variables first.
"""


def solve_complementarity(tableau: Tableau) -> Ray | None:
    """Bring a tableau to a complementary basis with nonnegative values; return a Ray if there is none."""
    undetermined = make_free_variables_basic(tableau)
    right_side = tableau.column(RIGHT_SIDE)
    for label in undetermined:  # whose complements are constant
        row = tableau.basis.index(tableau.complement(label))
        if right_side[row]:
            return _ray(tableau, label, -1 if right_side[row] < 0 else 1)
    return complementary_pivots(tableau, [RIGHT_SIDE])


def make_free_variables_basic(tableau: Tableau) -> list[int]:
    """Exchange z and ν for their complements, which are to be 0; return the labels of those that stay nonbasic.

    A column of such a variable is zero in the rows of the other complements: it is a null vector.
    """
    pending = list(range(tableau.free))
    while True:
        rows = {k: tableau.basis.index(tableau.complement(k)) for k in pending}
        columns = {k: tableau.columns.index(k) for k in pending}
        place = tableau.best((rows[k], columns[k]) for k in pending)
        if place is not None:
            pending.remove(tableau.columns[place[1]])
            tableau.exchange(*place)
            continue
        place = tableau.best((rows[k], columns[other]) for k in pending for other in pending if k < other)
        if place is not None:
            first, second = tableau.complement(tableau.basis[place[0]]), tableau.columns[place[1]]
            tableau.exchange(*place)
            tableau.exchange(rows[second], columns[first])
            pending.remove(first)
            pending.remove(second)
            continue
        pairs = {
            label: j for j, label in enumerate(tableau.columns) if label >= 0 and label % tableau.size >= tableau.free
        }
        place = tableau.best((rows[k], j) for k in pending for j in pairs.values())
        if place is None:
            return pending
        first, entering = tableau.complement(tableau.basis[place[0]]), tableau.columns[place[1]]
        tableau.exchange(*place)
        tableau.exchange(tableau.basis.index(tableau.complement(entering)), columns[first])
        pending.remove(first)


def complementary_pivots(tableau: Tableau, right_sides: list[int]) -> Ray | None:
    """Make the values of the pairs' basic variables lexicographically nonnegative; return a Ray if that cannot be.

    right_sides : the labels of the columns of values, which are compared in this order.
    """
    pairs = [row for row, label in enumerate(tableau.basis) if label % tableau.size >= tableau.free]
    order = _LexicographicOrder(tableau, right_sides, [tableau.basis[row] for row in pairs])
    if not pairs or all(order.is_nonnegative(row) for row in pairs):
        return None
    is_pair = set(pairs)
    tableau.add_column(ARTIFICIAL, [-tableau.d * (row in is_pair) for row in range(len(tableau.basis))])
    row = order.least(pairs, [1] * len(tableau.basis))
    entering = ARTIFICIAL
    while True:
        leaving = tableau.basis[row]
        tableau.exchange(row, tableau.columns.index(entering))
        if leaving == ARTIFICIAL:
            tableau.drop_column(ARTIFICIAL)
            return None
        entering = tableau.complement(leaving)
        rates = tableau.column(entering)
        falling = [row for row in pairs if rates[row] > 0]
        if not falling:
            return _ray(tableau, entering, 1)
        row = order.least(falling, rates)


class _LexicographicOrder:
    """Compares rows by their values, ties by a perturbation of each variable of the first basis."""

    def __init__(self, tableau: Tableau, right_sides: list[int], first_basis: list[int]) -> None:
        self.tableau, self.right_sides, self.first_basis = tableau, right_sides, first_basis

    def is_nonnegative(self, row: int) -> bool:
        """Return whether the value of a row's basic variable is at least 0, in the first column that is not 0."""
        for label in self.right_sides:
            value = -self.tableau.column(label)[row]
            if value:
                return bool(value > 0)
        return True

    def least(self, rows: list[int], rates: list[Any]) -> int:
        """Return the row whose values divided by its rate, which is positive, are lexicographically least."""
        for label in self.right_sides:
            rows = _least([-entry for entry in self.tableau.column(label)], rows, rates)
        for row in rows:
            if self.tableau.basis[row] == ARTIFICIAL:
                return row
        for label in self.first_basis:
            if len(rows) == 1:
                break
            rows = _least(self.tableau.column(label), rows, rates)
        return rows[0]


def _least(values: list[Any], rows: list[int], rates: list[Any]) -> list[int]:
    """Return the rows with the least quotient of value and positive rate."""
    least = rows[:1]
    for row in rows[1:]:
        difference = values[row] * rates[least[0]] - values[least[0]] * rates[row]
        if difference < 0:
            least = [row]
        elif difference == 0:
            least.append(row)
    return least


def _ray(tableau: Tableau, label: int, sign: int) -> Ray:
    """Return the change of v as a nonbasic variable grows by ``sign``."""
    v = tableau.variables([sign * rate for rate in tableau.column(label)])
    if label < tableau.size:
        v[label] = Fraction(sign)
    return v

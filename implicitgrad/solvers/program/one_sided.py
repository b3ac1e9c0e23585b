"""One-sided derivatives of z, exactly: z is piecewise affine in q, d and b.

A program's right-hand sides at θ + ε·dθ for all small ε > 0 are pairs of numbers, compared by the first, ties by the
second. Lemke's method on such pairs, from the basis at θ on, finds the basis that is optimal there, and with it the
slope of z; where it ends in a ray the program is infeasible for every small ε > 0.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import NamedTuple

from implicitgrad.model.program import CanonicalProgram, Vector
from implicitgrad.model.program_solution import Missing
from implicitgrad.solvers.program.active_set import ZERO, ActiveSet, classify, solution_face
from implicitgrad.solvers.program.lemke import complementary_pivots, solve_complementarity
from implicitgrad.solvers.program.null_space import rank
from implicitgrad.solvers.program.optimum import in_integers
from implicitgrad.solvers.program.tableau import DIRECTION, RIGHT_SIDE, Tableau


class Change(NamedTuple):
    """A direction in which the program changes: dq (n,), dd of the active inequalities, and db."""

    q: Vector
    d: Vector
    b: Vector


class LocalSlope(NamedTuple):
    """The derivative in a direction: of z, and of the multipliers in the basis that holds there."""

    z: Vector
    multipliers: Vector
    """λ of the active inequalities."""
    equality_multipliers: Vector


class LocalProgram:
    """The program around a unique solution: z is measured from it, and only active inequalities count."""

    def __init__(self, program: CanonicalProgram, found: ActiveSet, gradient: Vector) -> None:
        """Take a program whose equalities are independent, and the gradient P·z + q."""
        self.found, active = found, found.active
        n = len(program.q)
        self.program = CanonicalProgram(
            program.P,
            gradient,
            tuple(program.C[i] for i in active),
            (ZERO,) * len(active),
            program.A,
            (ZERO,) * len(program.A),
        )
        problem, self.scales = in_integers(self.program)
        self.tableau = Tableau(problem)
        assert solve_complementarity(self.tableau) is None
        rows = [*program.P, *program.A, *(program.C[i] for i in found.positive)]
        self.stays_unique = found.has_licq and rank(rows, n) == n

    def slope(self, change: Change) -> LocalSlope | Missing:
        """Return the derivative in a direction from its right side: that of z at θ + ε·dθ for small ε > 0."""
        tableau = self.tableau.copy()
        unit = lcm(*[entry.denominator for part in change for entry in part])
        shifts = [entry * unit * self.scales.objective for entry in change.q]
        shifts += [entry * unit * scale for entry, scale in zip(change.b, self.scales.equalities, strict=True)]
        shifts += [entry * unit * scale for entry, scale in zip(change.d, self.scales.inequalities, strict=True)]
        total = [0] * tableau.size
        sign = -1 if tableau.d > 0 else 1
        for label, shift in enumerate(shifts):
            if shift:
                for row, entry in enumerate(tableau.column(tableau.complement(label))):
                    total[row] += sign * int(shift) * entry
        tableau.add_column(DIRECTION, total)
        if complementary_pivots(tableau, [RIGHT_SIDE, DIRECTION]) is not None:
            return Missing.INFEASIBLE
        values, slopes = self._values(tableau, RIGHT_SIDE), [v / unit for v in self._values(tableau, DIRECTION)]
        if not (self.stays_unique or self._is_unique(tableau, change, unit, values, slopes)):
            return Missing.NOT_UNIQUE
        return LocalSlope(*self._split(slopes))

    def _values(self, tableau: Tableau, label: int) -> list[Fraction]:
        """Return the part of every v that a right-hand side gives it."""
        found = [ZERO] * tableau.size
        for basic, entry in zip(tableau.basis, tableau.column(label), strict=True):
            if 0 <= basic < tableau.size:
                found[basic] = Fraction(-entry, abs(tableau.d))
        return found

    def _split(self, values: list[Fraction]) -> tuple[Vector, Vector, Vector]:
        n, p = len(self.program.q), len(self.program.b)
        objective = Fraction(1, self.scales.objective)
        multipliers = [v * s * objective for v, s in zip(values[n + p :], self.scales.inequalities, strict=True)]
        duals = [v * s * objective for v, s in zip(values[n : n + p], self.scales.equalities, strict=True)]
        return tuple(values[:n]), tuple(multipliers), tuple(duals)

    def _is_unique(
        self, tableau: Tableau, change: Change, unit: int, values: list[Fraction], slopes: list[Fraction]
    ) -> bool:
        """Return whether z is unique in the middle of the interval in which the basis is optimal, and so in all of it.

        Slacks and multipliers are affine there and at least 0, so that those which are 0 in its middle are 0 in it.
        """
        step = self._largest_step(tableau)
        middle = Fraction(1) if step is None else step * unit / 2
        z, multipliers, _ = self._split([v + middle * s for v, s in zip(values, slopes, strict=True)])
        shifted = self.program._replace(
            q=tuple(a + middle * b for a, b in zip(self.program.q, change.q, strict=True)),
            d=tuple(middle * entry for entry in change.d),
            b=tuple(middle * entry for entry in change.b),
        )
        tight = [i for i, slack in enumerate(shifted.slacks(z)) if not slack]
        found = classify(shifted, tight, shifted.gradient(z), multipliers)
        return not solution_face(shifted, found)[0]

    def _largest_step(self, tableau: Tableau) -> Fraction | None:
        """Return the largest ε, in the unit of the column, at which the pairs' values are at least 0; None for all."""
        ratios = [
            Fraction(-value, slope)
            for basic, value, slope in zip(
                tableau.basis, tableau.column(RIGHT_SIDE), tableau.column(DIRECTION), strict=True
            )
            if basic >= 0 and basic % tableau.size >= tableau.free and slope > 0
        ]
        return min(ratios, default=None)

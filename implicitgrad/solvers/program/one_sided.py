"""One-sided derivatives of z, exactly: z is piecewise affine in q, d and b.

A program's right-hand sides at θ + ε·dθ for all small ε > 0 are pairs of numbers, compared by the first, ties by the
second. Lemke's method on such pairs, from the basis at θ on, finds the basis that is optimal there, and with it the
slope of z; where it ends in a ray the program is infeasible for every small ε > 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import lcm
from operator import add
from typing import NamedTuple

from implicitgrad.model.program.problem import CanonicalProgram, Vector, product, times
from implicitgrad.model.program.solution import Missing, Parameter, ProgramSolution, Sides, Slope
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.solvers.program.active_set import ONE, ZERO, classify, solution_face
from implicitgrad.solvers.program.lemke import complementary_pivots, solve_complementarity
from implicitgrad.solvers.program.tableau import DIRECTION, RIGHT_SIDE, Tableau
from implicitgrad.solvers.program.work import Work, rank


class Change(NamedTuple):
    """A direction in which the program changes: dq (n,), dd of the active inequalities, and db."""

    q: Vector
    d: Vector
    b: Vector

    def times(self, factor: int) -> Change:
        """Return a multiple of the direction."""
        return Change(*(tuple(factor * entry for entry in part) for part in self))

    def plus(self, other: Change) -> Change:
        """Return the sum of two directions."""
        return Change(*(tuple(map(add, *parts)) for parts in zip(self, other, strict=True)))


class LocalSlope(NamedTuple):
    """The derivative in a direction: of z, and of the multipliers in the basis that holds there."""

    z: Vector
    multipliers: Vector
    """λ of the active inequalities."""
    equality_multipliers: Vector
    dependencies: Sequence[Vector] = ()
    """Combinations of λ and ν along which multipliers are not unique there."""

    def times(self, factor: int) -> LocalSlope:
        """Return the derivative in the multiple of the direction."""
        z, multipliers, duals = (tuple(factor * entry for entry in part) for part in self[:3])
        return LocalSlope(z, multipliers, duals, self.dependencies)


class LocalProgram:
    """The program around a unique solution: z is measured from it, and only active inequalities count."""

    def __init__(self, solution: ProgramSolution, work: Work) -> None:
        """Take the solution as far as z, its active constraints and their classes are known."""
        assert solution.z is not None
        self.work, self.solution, canonical = work, solution, solution.program.canonical()
        self.active = solution.active
        self.equalities = independent_equalities(solution)
        """The numbers of the independent ones, which are the only ones here."""
        n, rows = len(canonical.q), tuple(canonical.C[i] for i in self.active)
        A = tuple(canonical.A[r] for r in self.equalities)
        gradient = canonical.gradient(solution.z)
        self.program = CanonicalProgram(canonical.P, gradient, rows, (ZERO,) * len(rows), A, (ZERO,) * len(A))
        self.tableau = tableau = Tableau(self.program, work)
        self.scales = tableau.scales
        assert solve_complementarity(self.tableau) is None
        self.pairs = [row for row, label in enumerate(tableau.basis) if label % tableau.size >= tableau.free]
        self.values = self.tableau.column(RIGHT_SIDE)
        self.has_licq = not rows or rank((*A, *rows), n, work) == len(A) + len(rows)
        fixed = [*canonical.P, *A, *(canonical.C[i] for i in (*solution.strong, *solution.exchangeable))]
        self.stays_unique = self.has_licq and rank(fixed, n, work) == n

        self.no_change = Change((ZERO,) * n, (ZERO,) * len(rows), (ZERO,) * len(A))
        self.still = LocalSlope((ZERO,) * n, (ZERO,) * len(rows), (ZERO,) * len(A))
        inequalities = [solution.inequalities[i] for i in self.active]
        self.losses = [LocalSlope(*loss.of(inequalities, self.equalities)) for loss in solution.program.losses]
        """The gradients by z, λ of the active inequalities and ν of the independent equalities."""

    def derivative(self, slope: LocalSlope | Missing) -> Slope | Missing:
        """Return the derivative of z and of the losses."""
        return slope if isinstance(slope, Missing) else Slope(slope.z, tuple(self._loss_slopes(slope)))

    def both_slopes(self, change: Change) -> tuple[LocalSlope | Missing, LocalSlope | Missing]:
        """Return the derivatives from the left and from the right."""
        if not any(map(any, change)):
            return self.still, self.still
        falling = self.slope(change.times(-1))
        return falling if isinstance(falling, Missing) else falling.times(-1), self.slope(change)

    def sides(self, change: Change) -> Sides:
        """Return the derivatives of z and of the losses from the left and from the right."""
        left, right = self.both_slopes(change)
        return Sides(self.derivative(left), self.derivative(right))

    def _loss_slopes(self, slope: LocalSlope) -> Iterator[Fraction | None]:
        """Yield the derivative of each loss; None if it depends on multipliers that are not unique there."""
        for loss in self.losses:
            of_multipliers = (*loss.multipliers, *loss.equality_multipliers)
            if not any(of_multipliers):
                yield product(loss.z, slope.z)
            elif any(times(slope.dependencies, of_multipliers)):
                yield None
            else:
                multipliers = (*slope.multipliers, *slope.equality_multipliers)
                yield product(loss.z, slope.z) + product(of_multipliers, multipliers)

    def unit_change(self, parameter: Parameter, row: int, value: Fraction = ONE) -> Change:
        """Return the direction in which a parameter grows alone, as far as it plays a part.

        row : the number of its inequality, if it is one's. A dependent b is not expected.
        """
        nothing = self.no_change
        if parameter.key == "q":
            return nothing._replace(q=_unit(len(nothing.q), parameter.number, value))
        if parameter.key == "b":
            return nothing._replace(b=_unit(len(nothing.b), self.equalities.index(parameter.number), value))
        if row not in self.active:
            return nothing
        value = self.solution.inequalities[row].sign * value
        return nothing._replace(d=_unit(len(nothing.d), self.active.index(row), value))

    def slope(self, change: Change) -> LocalSlope | Missing:
        """Return the derivative in a direction from its right side: that of z at θ + ε·dθ for small ε > 0."""
        tableau, rates, unit = self.tableau, *self._rates(change)
        column = [-rate for rate in rates]
        if any(rates[row] < 0 and not self.values[row] for row in self.pairs):
            tableau = tableau.copy()
            sign = 1 if tableau.d > 0 else -1
            tableau.add_column(DIRECTION, [sign * entry for entry in column])
            if complementary_pivots(tableau, [RIGHT_SIDE, DIRECTION]) is not None:
                return Missing.INFEASIBLE
            column = tableau.column(DIRECTION)
        middle = None if self.stays_unique else self._middle(tableau, column, change, unit)
        if middle is not None and not self._is_unique(*middle):
            return Missing.NOT_UNIQUE
        slope = LocalSlope(*self.scales.split(tableau.variables(column, unit), len(change.q)))
        if self.solution.program.has_multiplier_losses and middle is not None and not self.has_licq:
            slope = slope._replace(dependencies=self._dependencies(*middle))
        return slope

    def _rates(self, change: Change) -> tuple[list[int], int]:
        """Return the rates of the basic variables, times |d|, and the unit of the change."""
        unit = lcm(*[entry.denominator for part in change for entry in part])
        scales = ([self.scales.objective] * len(change.q), self.scales.equalities, self.scales.inequalities)
        parts = zip((change.q, change.b, change.d), scales, strict=True)
        shifts = [
            int(entry * unit) * scale for part, factors in parts for entry, scale in zip(part, factors, strict=True)
        ]
        rates = [0] * self.tableau.size
        for label, shift in enumerate(shifts):
            if shift:
                for row, entry in enumerate(self.tableau.column(self.tableau.complement(label))):
                    rates[row] += shift * entry
        return rates, unit

    def _middle(
        self, tableau: Tableau, column: Sequence[int], change: Change, unit: int
    ) -> tuple[CanonicalProgram, list[int], Vector]:
        """Return the program in the middle of the interval in which the basis is optimal, what is active, and λ.

        Slacks and multipliers are affine there and at least 0, so that those which are 0 in its middle are 0 in it.
        """
        values = tableau.column(RIGHT_SIDE)
        rows = [row for row, label in enumerate(tableau.basis) if label >= 0 and label % tableau.size >= tableau.free]
        ratios = [Fraction(-values[row], column[row]) for row in rows if column[row] > 0]
        step = min(ratios, default=Fraction(2)) / 2
        steps = [v + step * s for v, s in zip(values, column, strict=True)]
        z, multipliers, _ = self.scales.split(tableau.variables(steps), len(change.q))
        eps = step * unit
        shifted = self.program._replace(
            q=tuple(a + eps * b for a, b in zip(self.program.q, change.q, strict=True)),
            d=tuple(eps * entry for entry in change.d),
            b=tuple(eps * entry for entry in change.b),
        )
        return shifted, [i for i, slack in enumerate(shifted.slacks(z)) if not slack], multipliers

    def _is_unique(self, shifted: CanonicalProgram, tight: list[int], multipliers: Vector) -> bool:
        n = len(shifted.q)
        fixed = [*shifted.P, *shifted.A, *(row for row, entry in zip(shifted.C, multipliers, strict=True) if entry)]
        if rank(fixed, n, self.work) == n:
            return True
        return not solution_face(shifted, classify(shifted, tight, multipliers, self.work), self.work)[0]

    def _dependencies(self, shifted: CanonicalProgram, tight: list[int], multipliers: Vector) -> list[Vector]:
        """Return the dependencies of the inequalities that can have positive multipliers, and of the equalities."""
        found = classify(shifted, tight, multipliers, self.work)
        places = {i: k for k, i in enumerate(found.positive)}
        return [
            tuple(vector[places[i]] if i in places else ZERO for i in range(len(shifted.d))) + vector[len(places) :]
            for vector in found.dependencies
        ]

    def jacobian(self, tableau: Tableau) -> RationalMatrix:
        """Return ∂(z, ν, λ)/∂(q, b, d) in a complementary basis, which has all of z and ν."""
        n, scales = len(self.program.q), [*self.scales.equalities, *self.scales.inequalities]
        factors = [self.scales.objective] * n + scales
        sign = 1 if tableau.d > 0 else -1
        rows = {label: row for row, label in enumerate(tableau.basis) if label < tableau.size}
        places = {label - tableau.size: k for k, label in enumerate(tableau.columns) if label >= tableau.size}
        numerators = [
            [
                sign * factors[v] * factors[c] * tableau.entries[rows[v]][places[c]] if v in rows and c in places else 0
                for c in range(tableau.size)
            ]
            for v in range(tableau.size)
        ]
        return RationalMatrix(numerators, abs(tableau.d) * self.scales.objective)


def independent_equalities(solution: ProgramSolution) -> list[int]:
    """Return the numbers of the equalities that are not given by those before them."""
    dependent = () if solution.constraints is None else solution.constraints.dependent
    return [r for r, name in enumerate(solution.program.equality_names) if name not in dependent]


def _unit(length: int, place: int, value: Fraction) -> Vector:
    return tuple(value if k == place else ZERO for k in range(length))

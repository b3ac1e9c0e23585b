"""One-sided derivatives of z and of the losses along directions in q, h, lb, ub and b."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from implicitgrad.model.program import Inequality, QuadraticProgram, RowKind, product
from implicitgrad.model.program_solution import Missing, Sides, Slope
from implicitgrad.solvers.program.active_set import ZERO
from implicitgrad.solvers.program.one_sided import Change, LocalProgram, LocalSlope


class Directions:
    """The derivatives of one program along directions."""

    def __init__(
        self,
        program: QuadraticProgram,
        inequalities: Sequence[Inequality],
        equalities: Sequence[int],
        local: LocalProgram,
    ) -> None:
        """Take a program with a unique solution. equalities : the independent ones, which ``local`` has."""
        self.program, self.inequalities, self.equalities, self.local = program, inequalities, equalities, local

    @property
    def nothing(self) -> Change:
        """The change that is 0."""
        n, active = len(self.program.q), self.local.found.active
        return Change((ZERO,) * n, (ZERO,) * len(active), (ZERO,) * len(self.equalities))

    def sides(self, change: Change) -> Sides:
        """Return both one-sided derivatives."""
        if not any(map(any, change)):
            still = Slope((ZERO,) * len(self.program.q), (ZERO,) * len(self.program.losses))
            return Sides(still, still)
        right = self._slope(change, 1)
        return Sides(self._slope(change, -1), right)

    def _slope(self, change: Change, side: int) -> Slope | Missing:
        found = self.local.slope(Change(*(tuple(side * entry for entry in part) for part in change)))
        if isinstance(found, Missing):
            return found
        return Slope(
            tuple(side * entry for entry in found.z),
            tuple(side * entry for entry in self._loss_slopes(found)),
        )

    def _loss_slopes(self, slope: LocalSlope) -> Iterator[Fraction]:
        for loss in self.program.losses:
            total = product(loss.z, slope.z)
            if self.program.has_multiplier_losses:
                for i, change in zip(self.local.found.active, slope.multipliers, strict=True):
                    if self.inequalities[i].kind is RowKind.INEQUALITY:
                        total += loss.multipliers[self.inequalities[i].number] * change
                total += product([loss.equality_multipliers[r] for r in self.equalities], slope.equality_multipliers)
            yield total

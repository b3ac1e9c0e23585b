"""Compute the tolerance of each number claimed of a program's answer."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property

from implicitgrad.checks.matrices import root_above, squared_norm
from implicitgrad.checks.tolerances import HALF_OF_SMALLEST, MAX_GROWTH, stated_tolerances
from implicitgrad.model.claims import ClaimedMatrix
from implicitgrad.model.program.claims import ProgramClaims
from implicitgrad.model.program.problem import product, times
from implicitgrad.model.program.solution import ProgramSolution
from implicitgrad.model.system import Matrix

ZERO = Fraction(0)


class Tolerances:
    """The largest allowed distances of true values from their claims.

    A stated tolerance comes first, then half a unit of the last written decimal place. Numbers computed in floating
    point may have the error of a stable solution of the KKT conditions K·y = x, ρ·(‖claimed‖ + usual), with ρ =
    k·condition, at most 2⁻¹⁰ or k, k = 4·size·u, and for the usual size ‖x‖/‖K‖ of y, 1/‖K‖ of a derivative of y and
    ‖∂L/∂y‖/‖K‖ of one of L; ∂L/∂P, ∂L/∂G and ∂L/∂A have it times ‖y‖.
    """

    def __init__(self, solution: ProgramSolution, claims: ProgramClaims) -> None:
        self.solution, self.claims = solution, claims

    def of(self, matrix: ClaimedMatrix, key: str, *, condition: Fraction | None = None) -> Matrix:
        """Return the tolerances of a claimed matrix. key : the quantity's. condition : that of K, unless given."""
        stated = stated_tolerances(matrix, self.claims.rtol, self.claims.atol)
        if stated is not None:
            return stated
        if matrix.unit_roundoff is None:
            return matrix.roundings
        k = 4 * self._size * matrix.unit_roundoff
        growth = min(k * (condition or self.condition), max(MAX_GROWTH, k))
        claimed = root_above(squared_norm(tuple([tuple([c or ZERO for c in row]) for row in matrix.entries])))
        allowed = max(growth * (claimed + self._usual(key)), HALF_OF_SMALLEST.get(matrix.unit_roundoff, ZERO))
        return tuple([tuple([allowed + rounding for rounding in row]) for row in matrix.roundings])

    def without_atol(self, matrix: ClaimedMatrix, key: str) -> Matrix:
        """Return the tolerances without a stated absolute one, which is allowed whatever its size; 0 if it is alone."""
        absolute = self.claims.atol or ZERO
        return tuple([tuple([tolerance - absolute for tolerance in row]) for row in self.of(matrix, key)])

    @cached_property
    def _size(self) -> int:
        program = self.solution.program
        return program.unknowns + len(self.solution.active) + len(program.b)

    @cached_property
    def condition(self) -> Fraction:
        """The condition of K, 1 if there is none."""
        kkt = self.solution.kkt
        squared = None if kkt is None else kkt.condition_squared
        return Fraction(1) if squared is None else root_above(Fraction(squared))

    @cached_property
    def _norm(self) -> Fraction:
        """‖K‖"""
        canonical = self.solution.program.canonical()
        rows = [canonical.C[i] for i in self.solution.active] + list(canonical.A)
        squares = _square(entry for row in canonical.P for entry in row)
        squares += 2 * _square(entry for row in rows for entry in row)
        return root_above(squares) or Fraction(1)

    @cached_property
    def _size_of_answer(self) -> Fraction:
        """‖(z, λ, ν)‖, or if it is larger what it is for a well-conditioned K."""
        canonical, solution = self.solution.program.canonical(), self.solution
        right = _square([*canonical.q, *(canonical.d[i] for i in solution.active), *canonical.b])
        known = [*(solution.z or ()), *solution.multipliers, *solution.equality_multipliers]
        return max(root_above(right) / self._norm, root_above(_square(entry or ZERO for entry in known)))

    def _usual(self, key: str) -> Fraction:
        """Return the size that a quantity has for a well-conditioned K."""
        program, z = self.solution.program, self.solution.z
        if key == "objective":
            if z is None:
                return ZERO
            terms = [abs(product(z, times(program.hessian(), z))), abs(product(program.q, z)), abs(program.constant)]
            return sum(terms, ZERO) + self._size_of_answer * root_above(_square(program.q))
        of, _, parameter = key.partition("_d")
        if not parameter:
            return self._size_of_answer
        if of == "dz":
            return 1 / self._norm
        gradients = [entry for loss in program.losses for part in loss for entry in part]
        usual = root_above(_square(gradients)) / self._norm
        return usual * (self._size_of_answer if parameter in "PGA" else 1)


def _square(entries: Iterable[Fraction]) -> Fraction:
    return sum((entry * entry for entry in entries), ZERO)

"""What judging a claim needs of a Solution: its coordinates, its tolerances, its names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cached_property
from math import isqrt
from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.model.claims import Claims, Numbers
from implicitgrad.model.solution import PartialMatrix, PartialRow, Solution
from implicitgrad.model.system import Arithmetic, Matrix, squared_norm
from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.numbers.exact import Row
from implicitgrad.text.characters import printable

if TYPE_CHECKING:
    from implicitgrad.model.verdict import Deviation

ZERO = Fraction(0)
Unknown = tuple[int, int, int]
"""(0, f, m) is Z_fm, (1 or 2, row, d) an entry of a row of ∂y/∂x or of ∂L/∂x."""
Form = dict[Unknown, Fraction]
"""A linear form by its unknowns."""
CRUDEST = Fraction(1, 2**10)
"""The largest relative error that is put down to floating point."""


HALF_OF_SMALLEST = {
    Fraction(1, 2**53): Fraction(1, 2**1075),
    Fraction(1, 2**24): Fraction(1, 2**150),
    Fraction(1, 2**11): Fraction(1, 2**25),
    Fraction(1, 2**8): Fraction(1, 2**134),
}
"""By the unit roundoff of a floating-point type, half its smallest positive number: what rounding may do near 0."""
NOISE = Fraction(1, 2**33)
"""Beside the largest number of an answer in doubles whose rank was decided by a cutoff."""


class Demand(NamedTuple):
    """Of one claimed number: its form lies within ``radius`` of ``centre``."""

    row: int
    column: int
    """Of the claim as written."""
    form: Form
    centre: Fraction
    radius: Fraction


class Along(NamedTuple):
    """A claimed matrix by the independent inputs, along the constraint if there is one."""

    values: PartialMatrix
    """None: nothing is claimed of the entry."""
    tolerances: Matrix
    """Of what is put together along the constraint, the sums of those of its parts."""
    own_tolerances: Matrix
    """Of the independent inputs' entries alone."""
    dependent_tolerances: Matrix
    """(rows, D): of the dependent inputs' entries; empty where the claim has none."""
    columns: tuple[int, ...]
    """For each independent input its column in the claim as written."""
    demands: Callable[[], Sequence[Demand]] = tuple
    """Finds what a valid claim asks of what is free."""


class Setting:
    """A Solution with what follows from it for every claim."""

    def __init__(self, solution: Solution, claims: Claims, *, error_counts_against: bool = False) -> None:
        """error_counts_against : what the answer may be wrong by takes from a claim's tolerance, and adds nothing."""
        self.solution, self.system, self.claims = solution, solution.system, claims
        self.error_counts_against = error_counts_against
        x = self.system.x
        self.independent = [x.index(name) for name in solution.independent]
        self.dependent = [k for k in range(self.system.inputs) if k not in self.independent]
        self.x = [printable(name) for name in solution.independent]
        self.y = [printable(name) for name in self.system.y]
        self.along_what = " along the constraint" if solution.constraints is not None else ""
        self.free = [self.system.y.index(name) for name in solution.general.free]

    def is_explained(self, numbers: Numbers, *others: PartialMatrix) -> bool:
        """Whether a claim that fails is looked at exactly for what is wrong with it: much more takes too long."""
        is_short = self.solution.arithmetic is Arithmetic.EXACT and numbers.unit_roundoff is None
        return sum(len(rows) * len(rows[0]) for rows in (numbers.entries, *others)) <= (400 if is_short else 40)

    def is_rounded(self, numbers: Numbers) -> bool:
        """Whether a claim is allowed to be a little off, from what is known better."""
        if self.system.is_near_a_point:
            return False
        is_stated = bool(self.claims.rtol or self.claims.atol)
        return is_stated or numbers.unit_roundoff is not None or any(any(row) for row in numbers.roundings)

    def if_forgiven(self, numbers: Numbers, found: Sequence[Deviation]) -> Deviation | None:
        """The largest of these; of a claim that was not computed in floating point only if it is not 0."""
        worst = max(found, key=lambda one: abs(one.difference or Fraction(0)), default=None)
        return worst if numbers.unit_roundoff is not None or (worst is not None and worst.difference) else None

    @property
    def has_choices(self) -> bool:
        """Whether more than one claim is valid, or entries are put together along a constraint."""
        return bool(self.free) or self.solution.constraints is not None

    def T(self) -> Matrix:
        """(P, P′): all inputs by the independent ones."""
        return self._T

    @cached_property
    def _T(self) -> Matrix:
        rows: list[Row] = [()] * self.system.inputs
        for m, k in enumerate(self.independent):
            rows[k] = tuple([Fraction(m == n) for n in range(len(self.independent))])
        if self.solution.constraints is not None:
            for name, row in zip(self.solution.constraints.dependent, self.solution.constraints.matrix, strict=True):
                rows[self.system.x.index(name)] = row
        return tuple(rows)

    def BT(self) -> Matrix:
        """(M, P′): what A·J is to be."""
        T = self.T()
        if self.system.B is None:
            return T
        columns = list(zip(*T, strict=True))
        return tuple([tuple([dot(row, column) for column in columns]) for row in self.system.B])

    @cached_property
    def usual_size_squared(self) -> Fraction:
        """(‖B‖/‖A‖)², A not being 0: how large ∂y/∂x is where A is well-conditioned, squared."""
        B_squared = Fraction(self.system.equations) if self.system.B is None else squared_norm(self.system.B)
        return B_squared / squared_norm(self.system.A)

    def usual_size(self) -> Fraction:
        """‖B‖/‖A‖; 0 where nothing is determined."""
        return root_above(self.usual_size_squared) if self.solution.rank and self.x else Fraction(0)

    def along(self, numbers: Numbers, tolerances: Matrix) -> Along:
        """A claim with a column for every input, or already one for each that is independent."""
        independent = self.independent
        if self.solution.constraints is None:
            return Along(numbers.entries, tolerances, tolerances, (), tuple(independent))
        if len(numbers.entries[0]) != self.system.inputs:
            return Along(numbers.entries, tolerances, tolerances, (), tuple(range(len(independent))))
        columns = list(zip(*self.T(), strict=True))
        values = tuple([tuple([_combined(row, column) for column in columns]) for row in numbers.entries])
        sums = product(tolerances, tuple([tuple(map(abs, row)) for row in self.T()]))
        own = tuple([tuple([row[k] for k in independent]) for row in tolerances])
        others = tuple([tuple([row[k] for k in self.dependent]) for row in tolerances])
        return Along(values, sums, own, others, tuple(independent))

    def tolerances(self, numbers: Numbers, gradients: Matrix | None = None) -> Matrix:
        """How far from each claimed entry the true value may be.

        As stated; else half a unit of the last place that was written; for a claim computed in floating point what a
        stable solution of the system in that arithmetic may be wrong by, ρ·(‖claimed‖ + ‖B‖/‖A‖), for each loss
        ρ·(‖claimed‖ + ‖∂L/∂y‖·‖B‖/‖A‖), with ρ = k·condition, at most 2⁻¹⁰ or k, k = 4·max(M, N, P)·u.

        To that comes what the true value is wrong by, if it was computed in doubles.

        gradients : for ∂L/∂x, what ∂y/∂x is multiplied with.
        """
        exact = self._tolerances(numbers, gradients)
        if self.solution.arithmetic is Arithmetic.EXACT:
            return exact
        bound = self.solution.error_bounds[0 if gradients is None else 1]
        slack = self._noise(gradients) if bound is None else Fraction(bound)
        errors = self._errors(numbers, slack) if self.system.is_near_a_point else [[slack] * len(row) for row in exact]
        return tuple([tuple(map(self._widened, *rows)) for rows in zip(exact, numbers.entries, errors, strict=True)])

    def tolerances_of_ill_conditioned(self, numbers: Numbers, gradients: Matrix | None = None) -> Matrix | None:
        """The tolerances without the limit on ρ, where condition·u > 1: what rounding may do, if it may do anything.

        None where the type of the claim can carry the answer.
        """
        condition, unit = self.solution.condition_squared, numbers.unit_roundoff
        is_stated = self.claims.rtol is not None or self.claims.atol is not None
        if condition is None or unit is None or is_stated or unit**2 * condition < 1:
            return None
        return self._computed(numbers, gradients, self._k(unit) ** 2 * condition)

    def _widened(self, tolerance: Fraction, entry: Fraction | None, error: Fraction) -> Fraction:
        is_of_the_point = error > NOISE * (1 + abs(entry or Fraction(0)))
        return tolerance - error if self.error_counts_against and is_of_the_point else tolerance + error

    def _errors(self, numbers: Numbers, largest: Fraction) -> list[list[Fraction]]:
        """Of each number of the answer, where each is of one number of the claim."""
        general = self.solution.general
        answer = general.particular if numbers.key == "dy_dx" else general.dL_dx_particular
        is_direct = numbers.key in ("dy_dx", "dL_dx") and not self.free and self.solution.constraints is None
        if not is_direct or not isinstance(answer, BallMatrix) or answer.error is None:
            sizes = sum(abs(entry) for row in numbers.entries for entry in row if entry is not None)
            return [[largest * (1 + sizes)] * len(row) for row in numbers.entries]  # as free parameters multiply it
        return [[Fraction(number.error) for number in row] for row in answer.bounded_rows()]

    def _noise(self, gradients: Matrix | None) -> Fraction:
        """What is allowed for where nothing bounds the answer."""
        general = self.solution.general
        found = general.minimum_norm if gradients is None else general.dL_dx_particular
        return NOISE * max([abs(value) for row in found or () for value in row], default=Fraction(0))

    def _tolerances(self, numbers: Numbers, gradients: Matrix | None) -> Matrix:
        rtol, atol = self.claims.rtol, self.claims.atol
        if rtol is not None or atol is not None:
            relative, absolute = rtol or Fraction(0), atol or Fraction(0)
            return tuple([tuple([absolute + relative * abs(c or Fraction(0)) for c in row]) for row in numbers.entries])
        if numbers.unit_roundoff is None or self.solution.condition_squared is None:
            return numbers.roundings
        k = self._k(numbers.unit_roundoff)
        growth = min(k**2 * self.solution.condition_squared, max(CRUDEST, k) ** 2)
        return self._computed(numbers, gradients, growth)

    def _k(self, unit_roundoff: Fraction) -> Fraction:
        return 4 * max(self.system.equations, self.system.unknowns, self.system.inputs) * unit_roundoff

    def _computed(self, numbers: Numbers, gradients: Matrix | None, growth: Fraction) -> Matrix:
        """ρ·(‖claimed‖ + ‖B‖/‖A‖); growth : ρ²."""
        usual = self.usual_size_squared
        claimed = tuple([tuple([entry or Fraction(0) for entry in row]) for row in numbers.entries])
        if gradients is None:
            sizes = [(squared_norm(claimed), usual)] * len(claimed)
        else:
            sizes = [(squared_norm((c,)), usual * squared_norm((g,))) for c, g in zip(claimed, gradients, strict=True)]
        allowed = {size: root_above(growth * size[0]) + root_above(growth * size[1]) for size in sizes}
        least = HALF_OF_SMALLEST.get(numbers.unit_roundoff or ZERO, ZERO)
        return tuple(
            tuple([allowed[size] + rounding if rounding else max(allowed[size], least) for rounding in roundings])
            for size, roundings in zip(sizes, numbers.roundings, strict=True)
        )


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    """Σ aᵢ·bᵢ"""
    return sum((p * q for p, q in zip(a, b, strict=True) if p and q), Fraction(0))


def product(X: Matrix, Y: Matrix) -> Matrix:
    """X·Y"""
    columns = list(zip(*Y, strict=True))
    return tuple([tuple([dot(row, column) for column in columns]) for row in X])


def transpose(X: Matrix) -> Matrix:
    """Xᵀ"""
    return tuple(zip(*X, strict=True))


def complete(X: PartialMatrix) -> Matrix | None:
    """The matrix, if all of its entries are there."""
    whole = tuple([tuple([value for value in row if value is not None]) for row in X])
    return whole if all(len(a) == len(b) for a, b in zip(whole, X, strict=True)) else None


def _combined(row: PartialRow, column: Row) -> Fraction | None:
    """row·column, if all that it takes is claimed."""
    terms = [(value, factor) for value, factor in zip(row, column, strict=True) if factor]
    if any(value is None for value, _ in terms):
        return None
    return sum((value * factor for value, factor in terms if value is not None), Fraction(0))


def root_above(square: Fraction) -> Fraction:
    """A number not less than the square root, and hardly more; of few digits."""
    if not square:
        return square
    bits = 128 + max(0, square.denominator.bit_length() - square.numerator.bit_length())
    bits += bits % 2
    return Fraction(isqrt((square.numerator << bits) // square.denominator) + 1, 2 ** (bits // 2))

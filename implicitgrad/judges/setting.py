"""What judging a claim needs of a Solution: its coordinates, its tolerances, its names."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt, prod
from typing import NamedTuple

from implicitgrad.characters import printable
from implicitgrad.claims import Claims, Numbers
from implicitgrad.solution import PartialMatrix, PartialRow, Solution
from implicitgrad.system import Matrix, Row, squared_norm

CRUDEST = Fraction(1, 2**10)
"""The largest relative error that is put down to floating point."""


class Along(NamedTuple):
    """A claimed matrix by the independent inputs, along the constraint if there is one."""

    values: PartialMatrix
    """None: nothing is claimed of the entry."""
    tolerances: Matrix
    columns: tuple[int, ...]
    """For each independent input its column in the claim as written."""


class Setting:
    """A Solution with what follows from it for every claim."""

    def __init__(self, solution: Solution, claims: Claims) -> None:
        self.solution, self.system, self.claims = solution, solution.system, claims
        x = self.system.x
        self.independent = [x.index(name) for name in solution.independent]
        self.x = [printable(name) for name in solution.independent]
        self.y = [printable(name) for name in self.system.y]
        self.along_what = " along the constraint" if solution.constraints is not None else ""
        self.free = [self.system.y.index(name) for name in solution.general.free]

    def T(self) -> Matrix:
        """(P, P′): all inputs by the independent ones."""
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

    def along(self, numbers: Numbers, tolerances: Matrix) -> Along:
        """A claim with a column for every input, or already one for each that is independent."""
        independent = self.independent
        if self.solution.constraints is None:
            return Along(numbers.entries, tolerances, tuple(independent))
        if len(numbers.entries[0]) != self.system.inputs:
            return Along(numbers.entries, tolerances, tuple(range(len(independent))))
        columns = list(zip(*self.T(), strict=True))
        values = tuple([tuple([_combined(row, column) for column in columns]) for row in numbers.entries])
        sums = product(tolerances, tuple([tuple(map(abs, row)) for row in self.T()]))
        return Along(values, sums, tuple(independent))

    def tolerances(self, numbers: Numbers, gradients: Matrix | None = None) -> Matrix:
        """How far from each claimed entry the true value may be.

        As stated; else half a unit of the last place that was written; for a claim computed in floating point what a
        stable solution of the system in that arithmetic may be wrong by, 4·max(M, N, P)·u·condition·‖A⁺‖·‖B‖, for
        ∂L/∂x times ‖∂L/∂y‖.

        gradients : for ∂L/∂x, what ∂y/∂x is multiplied with.
        """
        rtol, atol = self.claims.rtol, self.claims.atol
        if rtol is not None or atol is not None:
            relative, absolute = rtol or Fraction(0), atol or Fraction(0)
            return tuple([tuple([absolute + relative * abs(c or Fraction(0)) for c in row]) for row in numbers.entries])
        if numbers.unit_roundoff is None or self.solution.condition_squared is None:
            return numbers.roundings
        growth = self._growth(numbers.unit_roundoff, self.solution.condition_squared)
        rows = []
        for k, (entries, roundings) in enumerate(zip(numbers.entries, numbers.roundings, strict=True)):
            if growth is None:
                allowed = CRUDEST * max(abs(entry or Fraction(0)) for entry in entries)
            else:
                scale = [] if gradients is None else [squared_norm((gradients[k],))]
                allowed = _root_of_product_above([*growth, *scale])
            rows.append(tuple([allowed + rounding if rounding else allowed for rounding in roundings]))
        return tuple(rows)

    def _growth(self, u: Fraction, condition_squared: Fraction) -> list[Fraction] | None:
        """The factors of (4·max(M, N, P)·u·condition·‖A⁺‖·‖B‖)²; None where doubles can say nothing."""
        system = self.system
        relative = (4 * max(system.equations, system.unknowns, system.inputs) * u) ** 2
        if relative * condition_squared > CRUDEST**2:
            return None
        B_squared = Fraction(system.equations) if system.B is None else squared_norm(system.B)
        return [relative, condition_squared, condition_squared, 1 / squared_norm(system.A), B_squared]


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


def _root_of_product_above(factors: list[Fraction]) -> Fraction:
    """A number not less than the square root of the product, and hardly more."""
    numerator = prod([factor.numerator for factor in factors])
    denominator = prod([factor.denominator for factor in factors])
    return Fraction(isqrt((numerator << 256) // denominator) + 1, 2**128)

"""Context: a Solution and the claims about it, with the coordinates and names that judging needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from implicitgrad.checks.matrices import product, rank, root_above, row_reduced, squared_norm
from implicitgrad.model.claims import ClaimedMatrix, Claims
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import LinearSystem, Matrix
from implicitgrad.numbers.exact import Row
from implicitgrad.numbers.matrix import BaseMatrix, RowMatrix
from implicitgrad.text.characters import printable


class Family(NamedTuple):
    """Every valid ∂y/∂x, or the ∂L/∂x of every loss: particular + coefficients·Z, Z (F, P′) the free parameters."""

    name: str
    """∂y/∂x or ∂L/∂x."""
    rows: tuple[str, ...]
    """The numerator of the derivatives in each of the R rows: y1, or L, or L1."""
    particular: Matrix
    """(R, P′)"""
    coefficients: Matrix
    """(R, F)"""
    answer: BaseMatrix[Fraction | None]
    """(R, P): the entries that the system determines."""


Slack = Callable[[Matrix | None], Matrix]
"""Returns (R, P) from the ∂L/∂y of the rows of a ∂L/∂x, or from None for ∂y/∂x."""


class Context:
    """A Solution, the claims about it, and what follows from the Solution for every claim."""

    def __init__(
        self, solution: Solution, claims: Claims, *, is_strict: bool = False, slack: Slack | None = None
    ) -> None:
        """is_strict : the error of a rounded point reduces a claim's tolerance and does not widen it.

        slack : what is added to the tolerances of ∂y/∂x, or of the ∂L/∂x of some ∂L/∂y.
        """
        self.solution, self.system, self.claims = solution, solution.system, claims
        self.is_strict, self.slack = is_strict, slack
        places = {name: k for k, name in enumerate(self.system.x)}
        self.independent = [places[name] for name in solution.independent]
        self.dependent = sorted({*places.values()}.difference(self.independent))
        self.x = [printable(name) for name in solution.independent]
        """The names of the independent inputs."""
        self.y = [printable(name) for name in self.system.y]
        self.free = [self.system.y.index(name) for name in solution.general.free]
        """The indices of the F free unknowns."""
        self.has_choices = bool(self.free) or solution.constraints is not None
        """Whether several claims are valid, or entries are combined along a constraint."""

    def family(self, key: str) -> Family:
        """Return the values that a claim of ``key``, dy_dx or dL_dx, may have."""
        solution, general = self.solution, self.solution.general
        if key == "dy_dx":
            return Family("∂y/∂x", tuple(self.y), general.particular, general.null_space, solution.dy_dx)
        losses = len(self.system.dL_dy or ())
        names = ("L",) if losses == 1 else tuple([f"L{k + 1}" for k in range(losses)])
        particular, coefficients = general.dL_dx_particular or (), general.dL_dx_coefficients or ()
        return Family("∂L/∂x", names, particular, coefficients, solution.dL_dx_rows or RowMatrix())

    def is_wide(self, matrix: ClaimedMatrix) -> bool:
        """Return whether x is constrained and the claim has a column for every input, dependent ones included."""
        return self.solution.constraints is not None and len(matrix.entries[0]) == self.system.inputs

    @cached_property
    def T(self) -> Matrix:
        """(P, P′): all inputs as combinations of the independent ones."""
        rows: list[Row] = [()] * self.system.inputs
        for m, k in enumerate(self.independent):
            rows[k] = tuple([Fraction(m == n) for n in range(len(self.independent))])
        if self.solution.constraints is not None:
            for name, row in zip(self.solution.constraints.dependent, self.solution.constraints.matrix, strict=True):
                rows[self.system.x.index(name)] = row
        return tuple(rows)

    @cached_property
    def BT(self) -> Matrix:
        """(M, P′): B·T, which A·∂y/∂x must equal."""
        return self.T if self.system.B is None else product(self.system.B, self.T)

    @cached_property
    def usual_size_squared(self) -> Fraction:
        """(‖B‖/‖A‖)² for A ≠ 0: the squared size of ∂y/∂x for a well-conditioned A."""
        B_squared = Fraction(self.system.equations) if self.system.B is None else squared_norm(self.system.B)
        return B_squared / squared_norm(self.system.A)

    def row_reduced(self, rows: Sequence[Sequence[Fraction]]) -> list[Row]:
        """Return the rows of [C | c] in reduced echelon form, without those with C = 0."""
        return row_reduced(rows)

    def rank(self, rows: Sequence[Row]) -> int:
        """Return the rank of rows in the solution's arithmetic."""
        return rank(rows)

    @property
    def usual_size(self) -> Fraction:
        """Return ‖B‖/‖A‖, or 0 if nothing is determined."""
        return root_above(self.usual_size_squared) if self.solution.rank and self.x else Fraction(0)


def is_at_rounded_point(system: LinearSystem) -> bool:
    """Return whether the system belongs to a rounded point, and stands for all solutions that round to it."""
    return system.origin is not None and system.origin.is_rounded

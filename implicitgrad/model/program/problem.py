"""QuadraticProgram: minimise ½·zᵀPz + qᵀz subject to G·z ≤ h, A·z = b and lb ≤ z ≤ ub; immutable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from fractions import Fraction
from operator import mul
from typing import TYPE_CHECKING, Literal, NamedTuple

from implicitgrad.numbers.null_space import integers

if TYPE_CHECKING:
    from implicitgrad.model.program.letters import Letter

Vector = tuple[Fraction, ...]
Rows = tuple[Vector, ...]


class RowKind(StrEnum):
    """The three kinds of inequalities, by the key of their right-hand side."""

    INEQUALITY = "h"
    LOWER = "lb"
    UPPER = "ub"


class Inequality(NamedTuple):
    """One row C·z ≤ d: a row of G, or a bound on an unknown."""

    kind: RowKind
    number: int
    """0-based: the row of G, or the unknown that is bounded."""
    coefficients: Vector
    """(n,)"""
    bound: Fraction
    name: str

    @property
    def sign(self) -> int:
        """∂(right-hand side)/∂(parameter): −1 for a lower bound, which stands as −z ≤ −lb, else 1."""
        return -1 if self.kind is RowKind.LOWER else 1


class CanonicalProgram(NamedTuple):
    """minimise ½·zᵀPz + qᵀz subject to C·z ≤ d and A·z = b, P symmetric."""

    P: Rows
    q: Vector
    C: Rows
    d: Vector
    A: Rows
    b: Vector

    def gradient(self, z: Vector) -> Vector:
        """P·z + q"""
        return tuple(a + b for a, b in zip(times(self.P, z), self.q, strict=True))

    def slacks(self, z: Vector) -> Vector:
        """d − C·z"""
        return tuple(bound - value for value, bound in zip(times(self.C, z), self.d, strict=True))


class Loss(NamedTuple):
    """The gradients of one loss L(z, λ, ν)."""

    z: Vector
    """∂L/∂z (n,)"""
    multipliers: Vector
    """∂L/∂λ (m,), of the rows of G."""
    equality_multipliers: Vector
    """∂L/∂ν (p,)"""

    def of(self, inequalities: Iterable[Inequality], equalities: Iterable[int]) -> tuple[Vector, Vector, Vector]:
        """Return ∂L/∂z, and ∂L/∂λ and ∂L/∂ν of some constraints; L does not depend on the multipliers of bounds."""
        multipliers = (
            self.multipliers[row.number] if row.kind is RowKind.INEQUALITY else Fraction(0) for row in inequalities
        )
        return self.z, tuple(multipliers), tuple(self.equality_multipliers[r] for r in equalities)


class QuadraticProgram(NamedTuple):
    """A convex quadratic program of n unknowns, m rows of G, p equalities, and bounds; P = 0 makes it a linear one."""

    P: Rows
    """(n, n) as written; the objective depends on (P + Pᵀ)/2 alone."""
    q: Vector
    """(n,)"""
    G: Rows
    """(m, n)"""
    h: Vector
    """(m,)"""
    A: Rows
    """(p, n)"""
    b: Vector
    """(p,)"""
    lower: tuple[Fraction | None, ...]
    """(n,) lb; None for no bound."""
    upper: tuple[Fraction | None, ...]
    """(n,) ub"""
    z: tuple[str, ...]
    """The n unknowns' names."""
    inequality_names: tuple[str, ...]
    """(m,)"""
    equality_names: tuple[str, ...]
    """(p,)"""
    losses: tuple[Loss, ...] = ()
    has_one_loss: bool = True
    """Whether the gradients were written as vectors, and ∂L/∂ of everything is to be one, too."""
    has_multiplier_losses: bool = False
    """Whether ∂L/∂λ or ∂L/∂ν was given."""
    name: str = ""
    source: str = ""
    constant: Fraction = Fraction(0)
    """The constant of the objective as written."""
    is_maximum: bool = False
    """Whether the objective was written to be maximised; P, q and ``constant`` are those of its negative."""
    letters: tuple[Letter, ...] | None = None
    """The inputs of a program written as expressions, which has no bounds; None if it was written as arrays."""
    place: tuple[str, tuple[int, int] | None] | None = None
    """The source and the (line, column) of the objective, or of P."""

    @property
    def kind(self) -> Literal["program"]:
        """The kind of problem."""
        return "program"

    @property
    def unknowns(self) -> int:
        """n"""
        return len(self.z)

    def hessian(self) -> Rows:
        """(P + Pᵀ)/2"""
        return tuple(
            tuple((a + b) / 2 for a, b in zip(row, column, strict=True))
            for row, column in zip(self.P, zip(*self.P, strict=True), strict=True)
        )

    def inequalities(self) -> list[Inequality]:
        """Return the rows of G, then −z ≤ −lb, then z ≤ ub, without the bounds that are absent."""
        return [*self._rows_of_G(), *self._bounds(RowKind.LOWER, self.lower), *self._bounds(RowKind.UPPER, self.upper)]

    def canonical(self) -> CanonicalProgram:
        """Return the program with every inequality as a row C·z ≤ d."""
        rows = self.inequalities()
        return CanonicalProgram(
            self.hessian(),
            self.q,
            tuple(row.coefficients for row in rows),
            tuple(row.bound for row in rows),
            self.A,
            self.b,
        )

    def _rows_of_G(self) -> Iterator[Inequality]:
        for i, (row, bound, name) in enumerate(zip(self.G, self.h, self.inequality_names, strict=True)):
            yield Inequality(RowKind.INEQUALITY, i, row, bound, name)

    def _bounds(self, kind: RowKind, bounds: Sequence[Fraction | None]) -> Iterator[Inequality]:
        sign = -1 if kind is RowKind.LOWER else 1
        for j, (bound, name) in enumerate(zip(bounds, self.z, strict=True)):
            if bound is not None:
                row = tuple(Fraction(sign * (k == j)) for k in range(self.unknowns))
                yield Inequality(kind, j, row, sign * bound, f"{kind}[{name}]")

    def cost_names(self) -> tuple[str, ...]:
        """Return the names of the entries of q: q[z1], …"""
        return tuple(f"q[{name}]" for name in self.z)


def product(row: Sequence[Fraction], vector: Sequence[Fraction]) -> Fraction:
    """Return the scalar product of two vectors."""
    (found,) = times((row,), vector)
    return found


def times(rows: Iterable[Sequence[Fraction]], vector: Sequence[Fraction]) -> Vector:
    """Return the product of a matrix and a vector; sums of integers take a tenth of the time of sums of fractions."""
    numbers, unit = integers(vector)
    found = []
    for row in rows:
        entries, denominator = integers(row)
        found.append(Fraction(sum(map(mul, entries, numbers)), denominator * unit))
    return tuple(found)

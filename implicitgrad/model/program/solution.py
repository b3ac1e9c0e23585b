"""ProgramSolution: what is known of a quadratic program and of its derivatives, immutable; all that a writer reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Literal, NamedTuple

from implicitgrad.model.program.problem import Inequality, QuadraticProgram, Rows, Vector
from implicitgrad.model.solution import Constraints, PartialMatrix, Solution
from implicitgrad.model.system import Matrix

PartialVector = tuple[Fraction | None, ...]
"""None for an entry that is not unique, or that does not exist."""
PartialRows = PartialMatrix


class ProgramStatus(StrEnum):
    """What can be said of a program's solution z."""

    DIFFERENTIABLE = "differentiable"
    """z is unique and differentiable in everything jointly."""
    CONSTRAINED = "constrained"
    """z is unique and differentiable along the constraint that dependent equalities put on b."""
    ONE_SIDED = "one-sided"
    """z is unique; a constraint is weakly active or exchangeable, and some derivatives exist on one side alone."""
    NOT_UNIQUE = "not-unique"
    """There is a face of solutions."""
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"


class Missing(StrEnum):
    """Why there is no one-sided derivative."""

    INFEASIBLE = "infeasible"
    NOT_UNIQUE = "not-unique"


class Parameter(NamedTuple):
    """One number of q, h, lb, ub or b."""

    key: str
    number: int
    """0-based, in the vector of that key."""
    name: str


class Slope(NamedTuple):
    """A one-sided derivative in one parameter."""

    z: Vector
    """(n,)"""
    losses: PartialVector
    """(K,); None for a loss of multipliers that are not unique on that side."""


class Sides(NamedTuple):
    """Both one-sided derivatives, each as a derivative: (f(θ + ε) − f(θ)) / ε as ε → 0 from below and from above."""

    left: Slope | Missing
    right: Slope | Missing

    @property
    def z_agrees(self) -> bool:
        """Whether the derivative of z exists."""
        return isinstance(self.left, Slope) and isinstance(self.right, Slope) and self.left.z == self.right.z

    def z_entry(self, j: int) -> Fraction | None:
        """Return the derivative of one z; None if that of z does not exist."""
        return self.right.z[j] if isinstance(self.right, Slope) and self.z_agrees else None

    def loss(self, k: int) -> Fraction | None:
        """Return the derivative of a loss; None if it does not exist."""
        if isinstance(self.left, Missing) or isinstance(self.right, Missing):
            return None
        return self.left.losses[k] if self.left.losses[k] == self.right.losses[k] else None


class Derivatives(NamedTuple):
    """The derivatives in each parameter."""

    parameters: tuple[Parameter, ...]
    z: PartialRows
    """(n, parameters); a column of None where the sides of z differ or one is missing."""
    losses: PartialRows
    """(K, parameters)"""
    one_sided: dict[str, Sides]
    """By the names of the parameters in which the sides of z differ or one is missing."""
    multipliers: PartialRows | None
    """(inequalities, parameters) ∂λ, a column of None where there is none; None as a whole without LICQ or if large."""
    equality_multipliers: PartialRows | None
    """(p, parameters) ∂ν"""

    @classmethod
    def from_sides(
        cls,
        parameters: tuple[Parameter, ...],
        columns: Sequence[Sides | None],
        shape: tuple[int, int],
        multipliers: tuple[PartialRows, PartialRows] | tuple[None, None] = (None, None),
    ) -> Derivatives:
        """Build it from both sides in each parameter, None where they are not decided. shape : unknowns and losses."""
        z = tuple(tuple(sides.z_entry(j) if sides else None for sides in columns) for j in range(shape[0]))
        losses = tuple(tuple(sides.loss(k) if sides else None for sides in columns) for k in range(shape[1]))
        pairs = zip(parameters, columns, strict=True)
        one_sided = {parameter.name: sides for parameter, sides in pairs if sides and not sides.z_agrees}
        return cls(parameters, z, losses, one_sided, *multipliers)


class Piece(NamedTuple):
    """One of the affine functions of q, h, lb, ub and b that z is near a point where it is not differentiable."""

    active: tuple[int, ...]
    """The inequalities that are equations in it."""
    z: PartialRows
    """(n, parameters) the Jacobian; a column of None for a dependent b."""
    losses: PartialRows
    """(K, parameters)"""


class MatrixGradients(NamedTuple):
    """∂L/∂P, ∂L/∂G and ∂L/∂A of one loss."""

    P: Matrix
    G: Matrix
    A: Matrix


class FarkasCertificate(NamedTuple):
    """λ ≥ 0 and ν with Cᵀλ + Aᵀν = 0 and value = dᵀλ + bᵀν < 0, which prove that no point is feasible."""

    multipliers: Vector
    """Of every inequality."""
    equality_multipliers: Vector
    value: Fraction


class RayCertificate(NamedTuple):
    """A feasible point and a direction in which the objective falls for ever."""

    ray: Vector
    point: Vector


class Dependency(NamedTuple):
    """A combination of constraints that is 0: Σ factor·row."""

    terms: tuple[tuple[str, Fraction], ...]
    """The names of the constraints, and the factors, which are not 0."""


class ProgramSolution(NamedTuple):
    """The answer to a QuadraticProgram."""

    program: QuadraticProgram
    inequalities: tuple[Inequality, ...]
    """The rows of G, the lower and the upper bounds."""
    status: ProgramStatus
    objective: Fraction | None = None
    """As written; None if there is no minimum."""
    z: Vector | None = None
    """A solution: the one, or one of many; None if there is none."""
    multipliers: PartialVector = ()
    """λ of every inequality, None where it is not unique."""
    equality_multipliers: PartialVector = ()
    ranges: Mapping[int, tuple[Fraction, Fraction | None]] = {}
    """By active inequality: the least and the largest multiplier, None for no upper end."""
    strong: tuple[int, ...] = ()
    exchangeable: tuple[int, ...] = ()
    weak: tuple[int, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    face: Rows = ()
    """Directions that span the set of solutions where z is not unique."""
    unique_losses: tuple[bool, ...] = ()
    """For each loss whether it is the same at every solution to first order: ∂L/∂z is orthogonal to the face."""
    constraints: Constraints | None = None
    """On b, where the equalities are dependent."""
    is_differentiable_in_q: bool = False
    are_losses_differentiable: tuple[bool | None, ...] = ()
    """For each loss whether it is differentiable in q, h and b jointly; None if that is not known."""
    derivatives: Derivatives | None = None
    by_letter: Derivatives | None = None
    """Those in the letters of a program in letters; a column of None that ``one_sided`` lacks is not decided."""
    matrix_gradients: tuple[MatrixGradients, ...] | None = None
    """A triple for each loss, if z is differentiable in everything."""
    kkt: Solution | None = None
    """The linear system of the KKT conditions with the constraints that can have positive multipliers."""
    certificate: FarkasCertificate | RayCertificate | None = None
    pieces: tuple[Piece, ...] | None = None
    """All affine pieces of z around the point, if they were asked for."""
    directional: tuple[Mapping[str, Fraction], Slope | Missing] | None = None
    """A direction, by the names of parameters, and the derivative in it, if it was asked for."""
    remarks: tuple[tuple[str, str], ...] = ()
    """Warnings, by code and message."""
    is_gradient_alone: bool = False
    """Whether only the derivatives of the losses are to be shown."""
    error_bound: float | None = None
    """Of every number, of a program that was solved in doubles; None of an exact answer."""

    def __str__(self) -> str:
        from implicitgrad.model.summary import summary

        found: dict[str, object] = {"objective": self.objective, "z": self.z}
        if self.derivatives is not None:
            for k, row in enumerate(self.derivatives.losses):
                loss = "L" if len(self.derivatives.losses) == 1 else f"L{k + 1}"
                names = [f"d{loss}/d{parameter.name}" for parameter in self.derivatives.parameters]
                found |= dict(zip(names, row, strict=True))
        return summary(str(self.status), found)

    @property
    def kind(self) -> Literal["program"]:
        """The kind of problem that it answers."""
        return "program"

    @property
    def is_unique(self) -> bool:
        """Whether z is unique."""
        return self.z is not None and self.status is not ProgramStatus.NOT_UNIQUE

    @property
    def active(self) -> tuple[int, ...]:
        """The active inequalities; where z is not unique, those tight at every solution."""
        return tuple(sorted([*self.strong, *self.exchangeable, *self.weak]))

    @property
    def has_unique_multipliers(self) -> bool:
        """Whether λ and ν are unique."""
        return None not in self.multipliers and None not in self.equality_multipliers

    @property
    def is_differentiable(self) -> bool:
        """Whether z is differentiable in q, h and b jointly."""
        return self.status is ProgramStatus.DIFFERENTIABLE

    def names(self, inequalities: tuple[int, ...]) -> tuple[str, ...]:
        """Return the names of some inequalities."""
        return tuple(self.inequalities[i].name for i in inequalities)

"""Solution: what is known of ∂y/∂x and ∂L/∂x, immutable, with everything that a writer needs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from implicitgrad.model.system import Arithmetic, LinearSystem, Status
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.numbers.matrix import BaseMatrix, largest_error

if TYPE_CHECKING:
    from implicitgrad.model.along import Along
    from implicitgrad.model.at_value import AtValue
    from implicitgrad.model.derivation import Derivation
    from implicitgrad.model.validity import Validity

PartialRow = tuple[Fraction | None, ...]
PartialMatrix = Sequence[PartialRow]
"""Rows in which None stands for an entry that the system does not determine."""


class Constraints(NamedTuple):
    """The constraints on x alone: x_dependent = matrix · x_independent."""

    dependent: tuple[str, ...]
    """The names of the D dependent inputs."""
    matrix: BaseMatrix[Fraction]
    """(D, P′)"""


class General(NamedTuple):
    """All Jacobians along the independent inputs: J = particular + null_space·Z, Z the free rows of J (F, P′)."""

    free: tuple[str, ...]
    """The F free unknowns' names."""
    particular: BaseMatrix[Fraction]
    """(N, P′), the free rows zero."""
    null_space: BaseMatrix[Fraction]
    """(N, F), columns that span the null space of A, the identity in the free rows."""
    minimum_norm: BaseMatrix[Fraction]
    """(N, P′): A⁺·B·T, one of many solutions if F > 0."""
    dL_dx_particular: BaseMatrix[Fraction] | None
    """(K, P′); ∂L/∂x = dL_dx_particular + dL_dx_coefficients·Z. None without dL_dy, like the next field."""
    dL_dx_coefficients: BaseMatrix[Fraction] | None
    """(K, F): ∂L/∂y times the null space of A; ∂L/∂x of a loss is unique exactly if its row is zero."""


class Solution(NamedTuple):
    """The answer to a LinearSystem."""

    system: LinearSystem
    rank: int
    """The rank of A."""
    status: Status
    dy_dx: BaseMatrix[Fraction | None]
    """(N, P), None for each entry that is not determined."""
    dL_dx_rows: BaseMatrix[Fraction | None] | None
    """(K, P), a row for each loss, None for each entry that is not determined; None without dL_dy."""
    independent: tuple[str, ...]
    """The P′ inputs that vary freely."""
    constraints: Constraints | None
    """None where every x is possible."""
    general: General
    condition_squared: Fraction | None
    """(‖A‖_F·‖A⁺‖_F)²; None for A = 0."""
    rank_tolerance: float = 0.0
    """The cutoff on the singular values of A, its rows and columns scaled by powers of two; 0 in exact arithmetic."""
    residual: float = 0.0
    """max |A·J − B·T| of the particular Jacobian."""
    is_gradient_alone: bool = False
    """Only ∂L/∂x was asked for: ∂y/∂x is not to be shown, and may be empty."""
    remarks: tuple[tuple[str, str], ...] = ()
    """The solver's warnings, as (code, message)."""
    validity: Validity | None = None
    """None if nothing in the answer has a letter."""
    derivation: Derivation | None = None
    """The steps by hand, if they were asked for."""
    second: BaseMatrix[Fraction] | None = None
    """(N·P, P): ∂²y/∂x² of each unknown, one below the other, empty if there is none; None if it was not asked for."""
    along: Along | None = None
    """The derivatives along the dx of the system, if it has one."""
    at_value: AtValue | None = None
    """What follows from the value of x, if that was given."""
    sensitivities: tuple[BaseMatrix[Fraction] | None, BaseMatrix[Fraction] | None] = (None, None)
    """The changes of ∂y/∂x and ∂L/∂x, to first order, per relative change of all entries; of sparse systems only."""

    def __str__(self) -> str:
        from implicitgrad.model.summary import summary

        verdict = f"{self.status}: rank {self.rank} of {len(self.y)}, {self.arithmetic}"
        return summary(verdict, {"dy_dx": None if self.is_gradient_alone else self.dy_dx, "dL_dx": self.dL_dx})

    @property
    def kind(self) -> Literal["linear"]:
        """The kind of problem that it answers."""
        return "linear"

    @property
    def x(self) -> tuple[str, ...]:
        """Return the P inputs' names."""
        return self.system.x

    @property
    def y(self) -> tuple[str, ...]:
        """Return the N unknowns' names."""
        return self.system.y

    @property
    def has_one_loss(self) -> bool:
        """Return whether ∂L/∂y was one vector, and ∂L/∂x is."""
        return self.system.has_one_loss

    @property
    def theorem_fails(self) -> bool:
        """Return whether nonlinear equations have a ∂F/∂y of less rank than its shape allows."""
        return self.system.is_local and self.rank < min(self.system.equations, self.system.unknowns)

    @property
    def arithmetic(self) -> Arithmetic:
        """Return how the numbers were computed."""
        return self.system.arithmetic

    @property
    def dL_dx(self) -> Any:  # noqa: ANN401 (callers know whether it is a vector, a matrix or an array)
        """Return (P,) if dL_dy was one vector, else (K, P), with None for each entry that is not determined.

        In doubles this is a NumPy array, with NaN for those entries.
        """
        rows = self.dL_dx_rows
        return rows.vector() if rows is not None and self.has_one_loss else rows

    @property
    def y_value(self) -> Any:  # noqa: ANN401 (a tuple, or an array)
        """Return (N,), y at the value of x, None (in an array NaN) where it is not unique; None without that value."""
        return self._of_value("y")

    @property
    def dL_dA(self) -> Any:  # noqa: ANN401 (one matrix or several; the mathematical name)
        """Return (M, N) if dL_dy was one vector, else K of them, with None for each entry that is not determined."""
        return self._of_value("dL_dA")

    @property
    def dL_dB(self) -> Any:  # noqa: ANN401 (one matrix or several; the mathematical name)
        """Return (M, P) if dL_dy was one vector, else K of them, with None for each entry that is not determined."""
        return self._of_value("dL_dB")

    @property
    def dL_dletters(self) -> dict[str, Any] | None:
        """Return the derivative in each letter of A and B by its name, K of them unless dL_dy was one vector."""
        found: dict[str, Any] | None = self._of_value("dL_dletters")
        return found

    def _of_value(self, key: str) -> Any:  # noqa: ANN401
        return None if self.at_value is None else self.at_value.for_users(key, has_one_loss=self.has_one_loss)

    @property
    def free_parameters(self) -> tuple[str, ...]:
        """Return the names of the F·P′ entries of ∂y/∂x that may be chosen freely."""
        return tuple([f"d{y}/d{x}" for y in self.general.free for x in self.independent])

    @property
    def unique_losses(self) -> tuple[bool, ...]:
        """Return for each loss whether every Jacobian gives the same ∂L/∂x, along the constraint if there is one."""
        coefficients = self.general.dL_dx_coefficients
        return () if coefficients is None else tuple([not is_open for is_open in coefficients.nonzero_rows()])

    @property
    def dependent_equations(self) -> Sequence[Sequence[int]] | None:
        """Return a basis of the w with wᵀA = 0: what combinations of equations say nothing of y.

        (M − rank, M), integers without a common factor; empty if there are none, None in doubles, with letters and
        where they are too many numbers.
        """
        if self.rank == self.system.equations:
            return ()
        if self.arithmetic is not Arithmetic.EXACT:
            return None
        from implicitgrad.numbers.null_space import left_null_space

        return left_null_space(RationalMatrix.of(self.system.A), self.rank)

    @property
    def warnings(self) -> tuple[tuple[str, str], ...]:
        """Return the warnings about the answer, as (code, message)."""
        is_full = self.rank == min(self.system.equations, self.system.unknowns)
        if not is_full or self.condition_squared is None or self.arithmetic is not Arithmetic.EXACT:
            return self.remarks
        # no entry is so small that its rounding is more than 2⁻⁵³ of it, which is too small to matter
        condition, unit = self.condition_squared.as_integer_ratio()
        if condition < unit << 100 and RationalMatrix.of(self.system.A).denominator.bit_length() <= 900:
            return self.remarks
        from implicitgrad.model.conditioning import ILL_CONDITIONED, can_rounding_lower_rank

        J = None if self.is_gradient_alone else self.general.particular
        lowers = can_rounding_lower_rank(self.system, self.condition_squared, J, self.independent, self.general.free)
        return (*self.remarks, ILL_CONDITIONED) if lowers else self.remarks

    @property
    def error_bounds(self) -> tuple[float | None, float | None]:
        """Return error bounds for all numbers of ∂y/∂x and of ∂L/∂x, 0 if exact; None if nothing is certified."""
        general = self.general
        jacobian = (self.dy_dx, general.particular, general.null_space, general.minimum_norm)
        gradient = (self.dL_dx_rows, general.dL_dx_particular, general.dL_dx_coefficients)
        return largest_error(jacobian), largest_error(gradient)

    @property
    def second_error_bound(self) -> float | None:
        """Return a bound on the error of ∂²y/∂x², like ``error_bounds``."""
        return largest_error((self.second,)) if self.second else None

    @property
    def condition(self) -> float | None:
        """Return ‖A‖_F·‖A⁺‖_F; None for A = 0, and beyond the largest double."""
        from implicitgrad.numbers.rounding import float_square_root

        return None if self.condition_squared is None else float_square_root(self.condition_squared)


class Found(NamedTuple):
    """The indices of the free unknowns and of the inputs, and the matrices of the answer as in General."""

    free: Sequence[int]
    independent: Sequence[int]
    dependent: Sequence[int]
    particular: BaseMatrix[Any]
    null_space: BaseMatrix[Any]
    constraints: BaseMatrix[Any] | None
    """(D, P′); None if there are none."""


def assemble(
    system: LinearSystem,
    found: Found,
    minimum_norm: BaseMatrix[Any],
    gradients: tuple[BaseMatrix[Any], BaseMatrix[Any]] | None = None,
    **facts: Any,  # noqa: ANN401 (of many types)
) -> Solution:
    """Build a Solution.

    gradients : ∂L/∂x and its coefficients as in General; products with dL_dy if it is None. facts : the fields that do
    not follow from the matrices.
    """
    free, independent, dependent, J, V, matrix = found
    x, y = system.x, system.y
    g, gV = gradients or ((None, None) if system.dL_dy is None else (system.dL_dy.times(J), system.dL_dy.times(V)))
    dy_dx, dL_dx = J, g
    if free or matrix is not None:
        moving = [False] * len(independent) if matrix is None else matrix.transposed().nonzero_rows()
        column_of = {k: m for m, k in enumerate(independent) if not moving[m]}
        dy_dx = J.partial(V, column_of, len(x))
        dL_dx = None if g is None or gV is None else g.partial(gV, column_of, len(x))
    return Solution(
        system=system,
        rank=len(y) - len(free),
        status=Status.of(has_free_unknowns=bool(free), has_constraints=matrix is not None),
        dy_dx=dy_dx,
        dL_dx_rows=dL_dx,
        independent=tuple([x[k] for k in independent]),
        constraints=None if matrix is None else Constraints(tuple([x[k] for k in dependent]), matrix),
        general=General(tuple([y[f] for f in free]), J, V, minimum_norm, g, gV),
        **facts,
    )

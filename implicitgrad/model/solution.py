"""Solution: what is known of ∂y/∂x and ∂L/∂x, immutable, with everything that a writer needs."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from math import ulp
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from implicitgrad.model.system import Arithmetic, LinearSystem, Matrix
from implicitgrad.numbers.exact import Ratio, RationalMatrix
from implicitgrad.numbers.matrix import BaseMatrix, Rows
from implicitgrad.text.number_grammar import float_square_root, to_float

if TYPE_CHECKING:
    from implicitgrad.symbolic.element import Symbolic
    from implicitgrad.symbolic.termwise import TermwiseDerivatives

PartialRow = tuple[Fraction | None, ...]
PartialMatrix = Rows[PartialRow]
"""Rows in which None stands for an entry that the system does not determine."""
ILL_CONDITIONED = (
    "ill-conditioned",
    "A is ill-conditioned: a change as small as the rounding of its entries to doubles could lower its rank",
)

MAX_TABLE_SIZE = 40
FULL_BITS = 50
"""A double with so many significant bits was probably rounded."""


MAX_DEPENDENCIES = 10_000
"""The numbers of a basis of the left null space, beyond which it is not computed."""


class Status(StrEnum):
    """Whether y is unique and whether x is constrained."""

    DETERMINED = "determined"
    """y is unique for every x."""
    UNDERDETERMINED = "underdetermined"
    """Every x is possible, y is not unique."""
    OVERDETERMINED = "overdetermined"
    """x is constrained; where it is possible, y is unique."""
    RANK_DEFICIENT = "rank-deficient"
    """x is constrained and y is not unique."""

    @classmethod
    def of(cls, *, has_free_unknowns: bool, has_constraints: bool) -> Status:
        """Return the status that follows from two facts."""
        if has_constraints:
            return cls.RANK_DEFICIENT if has_free_unknowns else cls.OVERDETERMINED
        return cls.UNDERDETERMINED if has_free_unknowns else cls.DETERMINED


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


class AtValue(NamedTuple):
    """What the value of x adds to an answer. An entry is None where it is not determined."""

    y: BaseMatrix[Fraction | None]
    """(1, N)"""
    dL_dA: tuple[BaseMatrix[Fraction | None], ...] | None
    """−u·yᵀ with Aᵀu = ∂L/∂y, (M, N) for each of the K losses; None if it was not asked for."""
    dL_dB: tuple[BaseMatrix[Fraction | None], ...] | None
    """u·xᵀ, (M, P) for each of the K losses; None if it was not asked for."""
    shows_x: bool = True
    """Whether a page shows the derivatives in x, too."""

    def error_bound(self, key: str) -> float | None:
        """Return a bound on the error of every number of y_value, dL_dA or dL_dB; None if nothing is certified."""
        return _largest_error((self.y,) if key == "y_value" else getattr(self, key) or ())


class SpecialCase(NamedTuple):
    """A system with letters in the special case that some expressions are 0."""

    zeros: tuple[Symbolic, ...]
    """The expressions that are all 0."""
    rank: int | None
    """The rank of A; None if unknown."""
    status: Status | None
    free: tuple[str, ...]
    """The unknowns that are free in this case, if known."""


class Validity(NamedTuple):
    """The conditions under which an answer with letters holds."""

    nonzero: tuple[Symbolic, ...]
    """None of these may be 0."""
    cases: tuple[SpecialCase, ...]
    """The special cases in which some are 0."""
    has_all_cases: bool = True
    """Whether the cases are all those of lower rank."""


class Pivot(NamedTuple):
    """A step of a row reduction of [A | B] by hand."""

    row: int
    """The index of the equation, 0-based."""
    column: int
    """The index of the column of [A | B], 0-based."""
    value: Fraction
    """The pivot, by which the row is divided."""
    factors: tuple[tuple[int, Fraction], ...]
    """For other rows, the multiple of the divided row that is subtracted."""


class Derivation(NamedTuple):
    """The steps that find the answer by hand."""

    pivots: tuple[Pivot, ...]
    rows: Matrix
    """(M, N+P): [A | B] after these steps."""
    terms: TermwiseDerivatives | None = None
    """The derivatives of nonlinear equations, term by term and in letters."""


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
    condition_ratio: Ratio | None
    """(‖A‖_F·‖A⁺‖_F)² as numerator and positive denominator, which may have common factors; None for A = 0."""
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
    """(P, P): ∂²y/∂x² of one equation in one unknown, empty if it has none; None if it was not asked for."""
    at_value: AtValue | None = None
    """What follows from the value of x, if that was given."""

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
    def is_large(self) -> bool:
        """Return whether ∂y/∂x is too large to read as a table."""
        return max(len(self.y), len(self.independent)) > MAX_TABLE_SIZE

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
        if rows is None or not self.system.has_one_loss:
            return rows
        return rows.vector()

    @property
    def y_value(self) -> Any:  # noqa: ANN401 (a tuple, or an array)
        """Return (N,), y at the value of x, None (in an array NaN) where it is not unique; None without that value."""
        return None if self.at_value is None else self.at_value.y.vector()

    @property
    def dL_dA(self) -> Any:  # noqa: ANN401 (one matrix or several; the mathematical name)
        """Return (M, N) if dL_dy was one vector, else K of them, with None for each entry that is not determined."""
        return self._of_losses(None if self.at_value is None else self.at_value.dL_dA)

    @property
    def dL_dB(self) -> Any:  # noqa: ANN401 (one matrix or several; the mathematical name)
        """Return (M, P) if dL_dy was one vector, else K of them, with None for each entry that is not determined."""
        return self._of_losses(None if self.at_value is None else self.at_value.dL_dB)

    def _of_losses(self, found: tuple[BaseMatrix[Fraction | None], ...] | None) -> Any:  # noqa: ANN401
        return found if found is None or not self.has_one_loss else found[0]

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
        where they are more than MAX_DEPENDENCIES numbers.
        """
        M = self.system.equations
        if self.rank == M:
            return ()
        if self.arithmetic is not Arithmetic.EXACT or (M - self.rank) * M > MAX_DEPENDENCIES:
            return None
        from implicitgrad.numbers.null_space import null_space

        columns = [list(column) for column in zip(*RationalMatrix.of(self.system.A).numerators, strict=True)]
        return null_space(columns, M)

    @property
    def warnings(self) -> tuple[tuple[str, str], ...]:
        """Return the warnings about the answer, as (code, message).

        A of full rank is ill-conditioned if a change as large as the rounding of its entries to doubles could lower
        its rank. No change E with ‖E‖_F < 1/‖A⁺‖_F ≤ σ_min does, and none with ‖|G|·|E|‖ < 1 or ‖|E|·|G|‖ < 1, where G
        is the inverse of a nonsingular submatrix of A of full rank, and E is restricted to that submatrix.
        """
        return (*self.remarks, *self._doubts())

    def _doubts(self) -> tuple[tuple[str, str], ...]:
        if self.condition_ratio is None or self.arithmetic is not Arithmetic.EXACT:
            return ()
        if self.rank < min(self.system.equations, self.system.unknowns):
            return ()
        condition, unit = self.condition_ratio
        A = RationalMatrix.of(self.system.A)
        are_doubles = A.denominator.bit_length() <= 900 and A.squared_numerators().bit_length() <= 1800
        if are_doubles and condition < unit << 100:  # a change of 2⁻⁵³ of each entry is too small to matter
            return ()
        E = [tuple(map(_rounding_to_double, row)) for row in A]
        change = sum((e * e for row in E for e in row), Fraction(0))
        if change * condition < unit * A.squared_norm() or self._is_rounding_harmless(E):
            return ()
        return (ILL_CONDITIONED,)

    def _is_rounding_harmless(self, E: Matrix) -> bool:
        """Return whether ‖|G|·|E|‖ or ‖|E|·|G|‖ is below 1; False if G is not at hand."""
        if self.system.B is not None or self.is_gradient_alone:
            return False
        rows = [self.x.index(name) for name in self.independent]
        columns = [j for j, name in enumerate(self.y) if name not in self.general.free]
        G = [self.general.particular[j] for j in columns]
        kept = [tuple([E[i][j] for j in columns]) for i in rows]
        return any(_norm_of_sizes(*pair) < 1 for pair in ((G, kept), (kept, G)))

    @property
    def error_bounds(self) -> tuple[float | None, float | None]:
        """Return error bounds for all numbers of ∂y/∂x and of ∂L/∂x, 0 if exact; None if nothing is certified."""
        if self.arithmetic is Arithmetic.EXACT:
            return 0.0, 0.0
        general = self.general
        jacobian = (self.dy_dx, general.particular, general.null_space, general.minimum_norm)
        gradient = (self.dL_dx_rows, general.dL_dx_particular, general.dL_dx_coefficients)
        return _largest_error(jacobian), _largest_error(gradient)

    @property
    def second_error_bound(self) -> float | None:
        """Return a bound on the error of ∂²y/∂x², like ``error_bounds``."""
        if not self.second:
            return None
        return 0.0 if self.arithmetic is Arithmetic.EXACT else _largest_error((self.second,))

    @property
    def condition_squared(self) -> Fraction | None:
        """Return (‖A‖_F·‖A⁺‖_F)²; None for A = 0."""
        return None if self.condition_ratio is None else Fraction(*self.condition_ratio)

    @property
    def condition(self) -> float | None:
        """Return ‖A‖_F·‖A⁺‖_F; None for A = 0, and beyond the largest double."""
        return None if self.condition_ratio is None else float_square_root(*self.condition_ratio)


def _largest_error(matrices: Sequence[BaseMatrix[Fraction | None] | None]) -> float | None:
    errors = [matrix.largest_error() for matrix in matrices if matrix is not None]
    return None if None in errors else max((error for error in errors if error is not None), default=0.0)


def _norm_of_sizes(X: Matrix, Y: Matrix) -> Fraction:
    """Return ‖|X|·|Y|‖_∞."""
    sums = [sum(map(abs, row), Fraction(0)) for row in Y]
    return max(sum((abs(x) * s for x, s in zip(row, sums, strict=True)), Fraction(0)) for row in X)


def _rounding_to_double(entry: Fraction) -> Fraction:
    """Return an entry's distance from the nearest double; half a unit of its last bit if it is a double of full length.

    Such a double was probably rounded before. An entry beyond the largest double is not rounded.
    """
    if entry.denominator == 1 and entry.numerator.bit_length() <= 53:
        return Fraction(0)
    double = to_float(entry)
    if double is None:
        return Fraction(0)
    if entry != double:
        return abs(entry - Fraction(double))
    is_full = entry.numerator.bit_length() >= FULL_BITS and entry.denominator != 1
    return Fraction(ulp(double)) / 2 if is_full else Fraction(0)

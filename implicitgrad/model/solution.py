"""Solution: what is known of ∂y/∂x and ∂L/∂x, immutable; all that a writer reads."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from math import ulp
from typing import Any, NamedTuple

from implicitgrad.model.system import Arithmetic, LinearSystem, Matrix
from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.numbers.exact import Ratio, RationalMatrix
from implicitgrad.symbolic.element import Symbolic
from implicitgrad.text.number_grammar import float_square_root, to_float

PartialRow = tuple[Fraction | None, ...]
PartialMatrix = Sequence[PartialRow]
"""A tuple of rows, or a BallMatrix. None stands for an entry that the system does not determine."""


ILL_CONDITIONED = (
    "ill-conditioned",
    "A is ill-conditioned: a change as small as the rounding of its entries to doubles could lower its rank",
)


LARGEST_TABLE = 40
FULL_BITS = 50
"""So many significant bits has a double that is no round number."""


class Status(StrEnum):
    """Is y unique, and may x be anything?"""

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
        """The one of the four that the two facts make."""
        if has_constraints:
            return cls.RANK_DEFICIENT if has_free_unknowns else cls.OVERDETERMINED
        return cls.UNDERDETERMINED if has_free_unknowns else cls.DETERMINED


class Constraints(NamedTuple):
    """What the equations say of x alone: x_dependent = matrix · x_independent."""

    dependent: tuple[str, ...]
    """The D inputs that follow the others."""
    matrix: Matrix
    """(D, P′)"""


class General(NamedTuple):
    """Every Jacobian along the independent inputs: J = particular + null_space·Z, Z = the free rows of J (F, P′)."""

    free: tuple[str, ...]
    """The F free unknowns' names."""
    particular: Matrix
    """(N, P′), the free rows zero."""
    null_space: Matrix
    """(N, F), columns that span the null space of A, the identity in the free rows."""
    minimum_norm: Matrix
    """(N, P′): A⁺·B·T, one choice of many where F > 0."""
    dL_dx_particular: Matrix | None
    """(K, P′); ∂L/∂x = dL_dx_particular + dL_dx_coefficients·Z; None where no gradient was given, as the next."""
    dL_dx_coefficients: Matrix | None
    """(K, F): ∂L/∂y in the null space of A; ∂L/∂x of a loss is unique exactly if its row is zero."""


class SpecialCase(NamedTuple):
    """What becomes of a system with letters where some expressions are 0."""

    zeros: tuple[Symbolic, ...]
    """All of these."""
    rank: int | None
    """Of A; None: nothing is said."""
    status: Status | None
    free: tuple[str, ...]
    """The unknowns that are free there, if that is known."""


class Validity(NamedTuple):
    """Where an answer with letters holds."""

    nonzero: tuple[Symbolic, ...]
    """None of these may be 0."""
    cases: tuple[SpecialCase, ...]
    """What happens where some are."""
    has_all_cases: bool = True
    """Whether these are all in which the rank is lower."""


class Pivot(NamedTuple):
    """A step of a row reduction of [A | B] by hand."""

    row: int
    """Which equation, 0-based."""
    column: int
    """Of [A | B]."""
    value: Fraction
    """By which the row is divided."""
    factors: tuple[tuple[int, Fraction], ...]
    """For other rows how many times it is subtracted from them then."""


class Derivation(NamedTuple):
    """How the answer is found by hand."""

    pivots: tuple[Pivot, ...]
    rows: Matrix
    """(M, N+P): [A | B] after them."""


class Solution(NamedTuple):
    """The answer to a LinearSystem."""

    system: LinearSystem
    rank: int
    """The rank of A."""
    status: Status
    dy_dx: PartialMatrix
    """(N, P), None for each entry that is not determined."""
    dL_dx_rows: PartialMatrix | None
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
    """Only ∂L/∂x was asked for: what is said of ∂y/∂x is not to be shown, and may be empty."""
    remarks: tuple[tuple[str, str], ...] = ()
    """What the solver has to say beside the answer, as (code, message)."""
    validity: Validity | None = None
    """Where the answer holds; None where nothing in it has a letter."""
    derivation: Derivation | None = None
    """How it is found, if that was asked for."""
    second: Matrix | None = None
    """(P, P): ∂²y/∂x² of one equation in one unknown, () where it has none; None if that was not asked for."""

    @property
    def x(self) -> tuple[str, ...]:
        """The P inputs' names."""
        return self.system.x

    @property
    def y(self) -> tuple[str, ...]:
        """The N unknowns' names."""
        return self.system.y

    @property
    def has_one_loss(self) -> bool:
        """Whether ∂L/∂y was one vector, and ∂L/∂x is."""
        return self.system.has_one_loss

    @property
    def theorem_fails(self) -> bool:
        """Whether nonlinear equations have a ∂F/∂y of less rank than its shape allows."""
        return self.system.is_local and self.rank < min(self.system.equations, self.system.unknowns)

    @property
    def is_large(self) -> bool:
        """Whether ∂y/∂x is more than the eye takes in as a table."""
        return max(len(self.y), len(self.independent)) > LARGEST_TABLE

    @property
    def arithmetic(self) -> Arithmetic:
        """How its numbers were computed."""
        return self.system.arithmetic

    @property
    def dL_dx(self) -> Any:
        """(P,) where dL_dy was one vector, else (K, P); None for each entry that is not determined.

        In doubles a NumPy array, NaN for those.
        """
        rows = self.dL_dx_rows
        if rows is None or not self.system.has_one_loss:
            return rows
        return rows.array[0] if isinstance(rows, BallMatrix) else rows[0]

    @property
    def free_parameters(self) -> tuple[str, ...]:
        """The names of the F·P′ entries of ∂y/∂x that may be chosen at will."""
        return tuple([f"d{y}/d{x}" for y in self.general.free for x in self.independent])

    @property
    def unique_losses(self) -> tuple[bool, ...]:
        """For each loss whether its ∂L/∂x, along the constraint if there is one, is the same for every Jacobian."""
        return tuple(not any(row) for row in self.general.dL_dx_coefficients or ())

    @property
    def warnings(self) -> tuple[tuple[str, str], ...]:
        """What is to be said beside the answer, as (code, message).

        A of full rank is ill-conditioned if a change as large as the rounding of its entries to doubles could lower
        its rank; no E with ‖E‖_F < 1/‖A⁺‖_F ≤ σ_min does, and none with ‖|G|·|E|‖ < 1 or ‖|E|·|G|‖ < 1, where G is the
        inverse of as many rows and columns of A as its rank, and E of the same. An entry is what its text says.
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
        if are_doubles and condition < unit << 100:  # a change of 2⁻⁵³ of each entry is too small
            return ()
        E = [tuple(map(_rounding_to_double, row)) for row in A]
        change = sum((e * e for row in E for e in row), Fraction(0))
        if change * condition < unit * A.squared_norm() or self._is_rounding_harmless(E):
            return ()
        return (ILL_CONDITIONED,)

    def _is_rounding_harmless(self, E: Matrix) -> bool:
        """Whether ‖|G|·|E|‖ or ‖|E|·|G|‖ is below 1; no where G is not at hand."""
        if self.system.B is not None or self.is_gradient_alone:
            return False
        rows = [self.x.index(name) for name in self.independent]
        columns = [j for j, name in enumerate(self.y) if name not in self.general.free]
        G = [self.general.particular[j] for j in columns]
        kept = [tuple([E[i][j] for j in columns]) for i in rows]
        return any(_norm_of_sizes(*pair) < 1 for pair in ((G, kept), (kept, G)))

    @property
    def error_bounds(self) -> tuple[float | None, float | None]:
        """Bounds on the error of every number of ∂y/∂x, and of ∂L/∂x, in the answer; None: nothing is certified.

        0 in exact arithmetic.
        """
        if self.arithmetic is Arithmetic.EXACT:
            return 0.0, 0.0
        general = self.general
        jacobian = (self.dy_dx, general.particular, general.null_space, general.minimum_norm)
        gradient = (self.dL_dx_rows, general.dL_dx_particular, general.dL_dx_coefficients)
        return _largest_error(jacobian), _largest_error(gradient)

    @property
    def second_error_bound(self) -> float | None:
        """A bound on the error of ∂²y/∂x², as ``error_bounds`` of the others."""
        if not self.second:
            return None
        return 0.0 if self.arithmetic is Arithmetic.EXACT else _largest_error((self.second,))

    @property
    def condition_squared(self) -> Fraction | None:
        """(‖A‖_F·‖A⁺‖_F)²; None for A = 0."""
        return None if self.condition_ratio is None else Fraction(*self.condition_ratio)

    @property
    def condition(self) -> float | None:
        """‖A‖_F·‖A⁺‖_F; None for A = 0, and beyond the largest double."""
        return None if self.condition_ratio is None else float_square_root(*self.condition_ratio)


def _largest_error(matrices: Sequence[PartialMatrix | None]) -> float | None:
    largest = 0.0
    for matrix in matrices:
        if isinstance(matrix, BallMatrix):
            error = matrix.largest_error()
            if error is None:
                return None
            largest = max(largest, error)
    return largest


def _norm_of_sizes(X: Matrix, Y: Matrix) -> Fraction:
    """‖|X|·|Y|‖_∞"""
    sums = [sum(map(abs, row), Fraction(0)) for row in Y]
    return max(sum((abs(x) * s for x, s in zip(row, sums, strict=True)), Fraction(0)) for row in X)


def _rounding_to_double(entry: Fraction) -> Fraction:
    """How far an entry is from the nearest double; half a unit of its last bit if it is one that fills all bits.

    That was likely rounded already. An entry beyond the largest double is not rounded to one.
    """
    if _is_double(entry):
        return Fraction(0)
    double = to_float(entry)
    if double is None:
        return Fraction(0)
    if entry != double:
        return abs(entry - Fraction(double))
    fills = entry.numerator.bit_length() >= FULL_BITS and entry.denominator != 1
    return Fraction(ulp(double)) / 2 if fills else Fraction(0)


def _is_double(value: Fraction) -> bool:
    """Whether a value is plainly a double: an integer of at most 53 bits."""
    return value.denominator == 1 and value.numerator.bit_length() <= 53

"""LinearSystem: what is asked, B·x = A·y with ∂L/∂y, immutable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, StrEnum, auto
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.numbers.ball import BallMatrix, from_fractions
from implicitgrad.numbers.exact import RationalMatrix, Row
from implicitgrad.symbolic.element import SymbolicMatrix
from implicitgrad.text.errors import UsageError

if TYPE_CHECKING:
    from implicitgrad.symbolic.grammar import Equation

Matrix = Sequence[Row]
"""A RationalMatrix, a BallMatrix, a SymbolicMatrix, or a tuple of rows."""
AUTO = "auto"
"""The choice of arithmetic that is left to the program."""


class Arithmetic(StrEnum):
    """How the numbers of an answer are computed."""

    EXACT = "exact"
    """Rational numbers."""
    FLOAT = "float"
    """Doubles, with bounds on their errors."""
    SYMBOLIC = "symbolic"
    """Rational functions of letters."""


def chosen_arithmetic(name: str) -> Arithmetic:
    """Raises UsageError for what is none."""
    try:
        return {str(one): one for one in (Arithmetic.EXACT, Arithmetic.FLOAT)}[name]
    except KeyError:
        expected = ", ".join(map(repr, (AUTO, str(Arithmetic.EXACT), str(Arithmetic.FLOAT))))
        raise UsageError(f"arithmetic: expected {expected}, got {name!r}") from None


class PointAccuracy(Enum):
    """How closely the point of the derivatives solves the equations."""

    EXACT = auto()
    """It solves them exactly, or they hold at any point."""
    ROUNDED = auto()
    """Its decimals are rounded values of a solution."""
    COMPUTED = auto()
    """Newton's method computed it, and a solution near it is proved."""


class Origin(NamedTuple):
    """The equations F(x, y) = 0 that A = ∂F/∂y and B = −∂F/∂x are of, where these are not all that they say."""

    equations: tuple[str, ...]
    """As they were written."""
    parsed: tuple[Equation, ...]
    """The same, as trees of both sides."""
    is_linear: bool
    """Whether A and B depend on no x and y."""
    point: tuple[tuple[str, str], ...] = ()
    """The values, as text, at which A and B are taken, by name; none: anywhere."""
    found: tuple[str, ...] = ()
    """Those of them that Newton's method found."""
    residual: str | None = None
    """max |F| at the point; None if the point solves the equations exactly, or there is none."""
    radii: tuple[Sequence[Sequence[float]], Sequence[Sequence[float]]] | None = None
    """How far the entries of A and B may be from those of a solution, where the point is none exactly."""
    has_constants: bool = False
    """Whether they are linear, and what they say of x and y has a constant: F = 9/5·C + 32."""
    second: tuple[Sequence[Sequence[str]], Sequence[Sequence[float]]] | None = None
    """∂²y/∂x² (P, P) of one equation in one unknown at such a point, and how far it may be from that of a solution."""
    hessian: Matrix | None = None
    """(P+1, P+1): the second derivatives of one equation's F by x and its one y."""
    remarks: tuple[tuple[str, str], ...] = ()
    """Warnings of how they may have been misread, by code and message."""

    @property
    def accuracy(self) -> PointAccuracy:
        """How closely the point solves the equations."""
        if self.residual is None:
            return PointAccuracy.EXACT
        return PointAccuracy.COMPUTED if self.found else PointAccuracy.ROUNDED

    def is_computed(self, name: str) -> bool:
        """Return whether Newton's method computed the value of a name, which is irrational or long."""
        return self.accuracy is PointAccuracy.COMPUTED and name in self.found


class LinearSystem(NamedTuple):
    """The linear implicit system B·x = A·y and the gradients ∂L/∂y of K losses.

    Made by the readers and by linear_system(), which check that everything in it fits.
    """

    A: Matrix
    """(M, N): M equations in N unknowns y. All matrices are rational numbers, or all are doubles."""
    B: Matrix | None
    """(M, P); None is the identity, P = M."""
    dL_dy: Matrix | None
    """(K, N), a row for each loss; None where no gradient was given."""
    has_one_loss: bool
    """dL_dy was written as one vector, and dL_dx is to be one too."""
    x: tuple[str, ...]
    """The P inputs' names."""
    y: tuple[str, ...]
    """The N unknowns' names."""
    name: str
    source: str
    """A path, ``path#2`` for a file's second document, ``-`` for standard input, ``<inline>``, ``<python>``."""
    has_decimals: bool
    """Whether entries of A were written with decimals."""
    origin: Origin | None = None
    """The equations, where they say more than B·x = A·y."""
    remarks: tuple[tuple[str, str], ...] = ()
    """Warnings of how what is written may have been misread, by code and message."""
    exactly: Callable[[], LinearSystem] | None = None
    """Reads what was written as rational numbers, where these were taken as doubles for the sake of time alone."""

    @property
    def is_local(self) -> bool:
        """Whether it is of nonlinear equations, and holds for small changes of x and y."""
        return self.origin is not None and not self.origin.is_linear

    @property
    def is_in_changes(self) -> bool:
        """Whether B·x = A·y holds for changes of x and y, and not for x and y themselves."""
        return self.origin is not None and (self.origin.has_constants or not self.origin.is_linear)

    @property
    def is_near_a_point(self) -> bool:
        """Whether it is of a rounded point of the equations, and stands for all that round to it."""
        return self.origin is not None and self.origin.accuracy is PointAccuracy.ROUNDED

    @property
    def arithmetic(self) -> Arithmetic:
        """What its numbers are made for."""
        if type(self.A) is RationalMatrix:  # mostly
            return Arithmetic.EXACT
        if isinstance(self.A, SymbolicMatrix):
            return Arithmetic.SYMBOLIC
        return Arithmetic.FLOAT if isinstance(self.A, BallMatrix) else Arithmetic.EXACT

    def with_arithmetic(self, arithmetic: Arithmetic) -> LinearSystem:
        """The same system in the other kind of numbers: doubles are taken at their exact binary values.

        Raises OverflowError for numbers beyond the largest double.
        """
        if self.arithmetic is Arithmetic.SYMBOLIC:
            if arithmetic is Arithmetic.FLOAT:
                raise UsageError(f"{self.source}: --arithmetic float is for numbers, and there are letters")
            return self
        matrices = (self.A, self.B, self.dL_dy)
        if all(m is None or isinstance(m, BallMatrix) is (arithmetic is Arithmetic.FLOAT) for m in matrices):
            return self
        A, B, dL_dy = (None if matrix is None else _as(arithmetic, matrix) for matrix in matrices)
        assert A is not None
        return self._replace(A=A, B=B, dL_dy=dL_dy)

    @property
    def equations(self) -> int:
        """M, the rows of A."""
        return len(self.A)

    @property
    def unknowns(self) -> int:
        """N, the columns of A."""
        return len(self.y)

    @property
    def inputs(self) -> int:
        """P, the columns of B."""
        return len(self.x)


def _as(arithmetic: Arithmetic, matrix: Matrix) -> Matrix:
    if arithmetic is Arithmetic.EXACT:
        return RationalMatrix.of(tuple(matrix))
    return matrix if isinstance(matrix, BallMatrix) else from_fractions(matrix)


def squared_norm(matrix: Matrix) -> Fraction:
    """‖matrix‖_F²"""
    return RationalMatrix.of(matrix).squared_norm()

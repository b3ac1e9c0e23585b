"""LinearSystem: the problem B·x = A·y with ∂L/∂y, immutable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, StrEnum, auto
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from implicitgrad.numbers.exact import RationalMatrix, Row
from implicitgrad.numbers.matrix import BaseMatrix, Rows
from implicitgrad.text.errors import UsageError

if TYPE_CHECKING:
    from implicitgrad.symbolic.grammar import Equation, Node

Matrix = Rows[Row]
"""A matrix of any arithmetic, or a tuple of rows."""
ALWAYS_EXACT = 16
"""Equations, unknowns and inputs up to which exact arithmetic is always used."""
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


_ARITHMETIC = {one.value: one for one in Arithmetic}


def chosen_arithmetic(name: str) -> Arithmetic:
    """Return the arithmetic of that name. Raises UsageError for an unknown name."""
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


class ImplicitEquations(NamedTuple):
    """The equations F(x, y) = 0 with A = ∂F/∂y and B = −∂F/∂x, if they say more than B·x = A·y."""

    equations: tuple[str, ...]
    """As they were written."""
    parsed: tuple[Equation, ...]
    """The trees of both sides of each."""
    is_linear: bool
    """Whether A and B are independent of x and y."""
    point: tuple[tuple[str, str], ...] = ()
    """The values, as text, at which A and B are taken, by name; () if they hold anywhere."""
    values: tuple[Node, ...] = ()
    """The trees of these values."""
    found: tuple[str, ...] = ()
    """The names of values that Newton's method computed."""
    residual: str | None = None
    """max |F| at the point; None if the point solves the equations exactly, or there is none."""
    radii: tuple[Sequence[Sequence[float]], Sequence[Sequence[float]]] | None = None
    """The distances within which the entries of A and B lie from those of a solution, if the point is inexact."""
    has_constants: bool = False
    """Whether the equations are linear with a constant term: F = 9/5·C + 32."""
    second: tuple[Sequence[Sequence[str]], Sequence[Sequence[float]]] | None = None
    """∂²y/∂x² (P, P) of one equation in one unknown at an inexact point, and bounds on its errors."""
    hessian: BaseMatrix[Fraction] | None = None
    """(P+1, P+1): the second derivatives of one equation's F with respect to x and its one y."""
    remarks: tuple[tuple[str, str], ...] = ()
    """Warnings of possible misreadings, by code and message."""

    @property
    def accuracy(self) -> PointAccuracy:
        """Return how closely the point solves the equations."""
        if self.residual is None:
            return PointAccuracy.EXACT
        return PointAccuracy.COMPUTED if self.found else PointAccuracy.ROUNDED

    def is_computed(self, name: str) -> bool:
        """Return whether Newton's method computed the value of a name, which is irrational or long."""
        return self.accuracy is PointAccuracy.COMPUTED and name in self.found


class LinearSystem(NamedTuple):
    """The linear implicit system B·x = A·y and the gradients ∂L/∂y of K losses.

    The readers and linear_system() build it, after checking that all dimensions agree.
    """

    A: BaseMatrix[Fraction]
    """(M, N): M equations in N unknowns y. All matrices are rational numbers, or all are doubles."""
    B: BaseMatrix[Fraction] | None
    """(M, P); None is the identity, P = M."""
    dL_dy: BaseMatrix[Fraction] | None
    """(K, N), a row for each loss; None if no gradient was given."""
    has_one_loss: bool
    """Whether dL_dy was written as one vector, so that dL_dx is one too."""
    x: tuple[str, ...]
    """The P inputs' names."""
    y: tuple[str, ...]
    """The N unknowns' names."""
    name: str
    source: str
    """A path, ``path#2`` for a file's second document, ``-`` for standard input, ``<inline>``, ``<python>``."""
    has_decimals: bool
    """Whether entries of A were written with decimals."""
    origin: ImplicitEquations | None = None
    """The equations, if they say more than B·x = A·y."""
    remarks: tuple[tuple[str, str], ...] = ()
    """Warnings of possible misreadings, by code and message."""
    exactly: Callable[[], LinearSystem] | None = None
    """Reads the same text as rational numbers, if it was read as doubles only to save time."""
    x_value: BaseMatrix[Fraction] | None = None
    """(1, P): the value of x, at which ∂L/∂A and ∂L/∂B are taken; None if it was not given."""

    @property
    def kind(self) -> Literal["linear"]:
        """The kind of problem."""
        return "linear"

    @property
    def is_local(self) -> bool:
        """Return whether the system linearizes nonlinear equations, and so holds for small changes of x and y."""
        return self.origin is not None and not self.origin.is_linear

    @property
    def is_in_changes(self) -> bool:
        """Return whether B·x = A·y holds for changes of x and y only."""
        return self.origin is not None and (self.origin.has_constants or not self.origin.is_linear)

    @property
    def is_at_rounded_point(self) -> bool:
        """Return whether the system belongs to a rounded point, and stands for all solutions that round to it."""
        return self.origin is not None and self.origin.accuracy is PointAccuracy.ROUNDED

    @property
    def arithmetic(self) -> Arithmetic:
        """Return the arithmetic that its numbers are made for."""
        return _ARITHMETIC[self.A.arithmetic]

    def with_arithmetic(self, arithmetic: Arithmetic) -> LinearSystem:
        """Return the same system in another arithmetic, taking doubles at their exact binary values.

        Raises OverflowError for numbers beyond the largest double.
        """
        if self.arithmetic is Arithmetic.SYMBOLIC:
            if arithmetic is Arithmetic.FLOAT:
                raise UsageError(f"{self.source}: --arithmetic float is for numbers, and there are letters")
            return self
        matrices = (self.A, self.B, self.dL_dy, self.x_value)
        if all(matrix is None or _ARITHMETIC[matrix.arithmetic] is arithmetic for matrix in matrices):
            return self
        A, B, dL_dy, x_value = (None if matrix is None else _as(arithmetic, matrix) for matrix in matrices)
        assert A is not None
        return self._replace(A=A, B=B, dL_dy=dL_dy, x_value=x_value)

    @property
    def equations(self) -> int:
        """Return M, the number of rows of A."""
        return len(self.A)

    @property
    def unknowns(self) -> int:
        """Return N, the number of columns of A."""
        return len(self.y)

    @property
    def inputs(self) -> int:
        """Return P, the number of columns of B."""
        return len(self.x)


def _as(arithmetic: Arithmetic, matrix: BaseMatrix[Fraction]) -> BaseMatrix[Fraction]:
    if _ARITHMETIC[matrix.arithmetic] is arithmetic:
        return matrix
    if arithmetic is Arithmetic.EXACT:
        return RationalMatrix.of(tuple(matrix))
    from implicitgrad.numbers.ball import from_fractions

    return from_fractions(matrix)


@lru_cache
def numbered(key: str, number: int) -> tuple[str, ...]:
    """Return x1, x2, …"""
    return tuple([f"{key}{i}" for i in range(1, number + 1)])


def squared_norm(matrix: Matrix) -> Fraction:
    """Return ‖matrix‖_F²."""
    return RationalMatrix.of(matrix).squared_norm()

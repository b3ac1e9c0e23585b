"""LinearSystem: the problem B·x = A·y with ∂L/∂y, immutable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from implicitgrad.numbers.exact import Row
from implicitgrad.numbers.matrix import Arithmetic as Arithmetic
from implicitgrad.numbers.matrix import BaseMatrix

if TYPE_CHECKING:
    from implicitgrad.model.implicit_equations import ImplicitEquations


Matrix = Sequence[Row]
"""A matrix of any arithmetic, or a tuple of rows."""
ALWAYS_EXACT = 16
"""Equations, unknowns and inputs up to which exact arithmetic is always used."""
AUTO = "auto"
"""The choice of arithmetic that is left to the program."""


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
    dx: BaseMatrix[Fraction] | None = None
    """(1, P): a change of x along which derivatives were asked for."""
    constants: BaseMatrix[Fraction] | None = None
    """(M, 1): the k of B·x + k = A·y, for linear equations at a value of x; None if it is 0."""
    letters: tuple[str, ...] = ()
    """The names of the C letters in which derivatives were asked for."""
    by_letter: BaseMatrix[Fraction] | None = None
    """(C·M, N+P+1): for each letter the derivatives of [A | B | k]; of nonlinear F(x, y) = 0, [0 | 0 | −∂F]."""
    shown: tuple[str, ...] = ()
    """Names and patterns of rows and columns of ∂y/∂x, the only ones that are computed of a sparse system."""

    @property
    def kind(self) -> Literal["linear"]:
        """The kind of problem."""
        return "linear"

    @property
    def is_local(self) -> bool:
        """Return whether the system linearizes nonlinear equations, and so holds for small changes of x and y."""
        return self.origin is not None and not self.origin.is_linear

    @property
    def is_sparse(self) -> bool:
        """Return whether A or B is too large to be kept with its zeros."""
        return self.A.is_sparse or (self.B is not None and self.B.is_sparse)

    @property
    def arithmetic(self) -> Arithmetic:
        """Return the arithmetic that its numbers are made for."""
        return self.A.arithmetic

    @property
    def equations(self) -> int:
        """Return M, the number of rows of A."""
        return len(self.A)

    @property
    def unknowns(self) -> int:
        """Return N, the number of columns of A; a sparse system may have names for some of them alone."""
        return self.A.shape[1]

    @property
    def inputs(self) -> int:
        """Return P, the number of columns of B."""
        return len(self.A) if self.B is None else self.B.shape[1]


@lru_cache
def numbered(key: str, number: int) -> tuple[str, ...]:
    """Return x1, x2, …"""
    return tuple([f"{key}{i}" for i in range(1, number + 1)])

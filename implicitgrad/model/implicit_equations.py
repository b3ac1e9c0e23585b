"""ImplicitEquations: equations F(x, y) = 0 and the point at which they are differentiated."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.numbers.matrix import BaseMatrix

if TYPE_CHECKING:
    from implicitgrad.symbolic.grammar.expressions import Equation, Node


def partial_derivatives(x: Sequence[str], y: Sequence[str]) -> tuple[str, str]:
    """Return ∂F/∂y and ∂F/∂x, with the names instead of y and x if y is an input or x an unknown."""
    if "y" not in x and "x" not in y:
        return "∂F/∂y", "∂F/∂x"
    of_y, of_x = (names[0] if len(names) == 1 else f"({', '.join(names)})" for names in (y, x))
    return f"∂F/∂{of_y}", f"∂F/∂{of_x}"


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
    """(M·(P+N), P+N): the second derivatives of each equation's F with respect to x and y, one below the other."""
    hessian_radii: Sequence[Sequence[float]] | None = None
    """The distances within which its entries lie from those of a solution, if the point is inexact and N > 1."""
    remarks: tuple[tuple[str, str], ...] = ()
    """Warnings of possible misreadings, by code and message."""

    @property
    def accuracy(self) -> PointAccuracy:
        """Return how closely the point solves the equations."""
        if self.residual is None:
            return PointAccuracy.EXACT
        return PointAccuracy.COMPUTED if self.found else PointAccuracy.ROUNDED

    @property
    def is_rounded(self) -> bool:
        """Return whether the decimals of the point are rounded values of a solution."""
        return self.accuracy is PointAccuracy.ROUNDED

    def is_computed(self, name: str) -> bool:
        """Return whether Newton's method computed the value of a name, which is irrational or long."""
        return self.accuracy is PointAccuracy.COMPUTED and name in self.found


def are_in_changes(origin: ImplicitEquations | None) -> bool:
    """Return whether the B·x = A·y of these equations holds for changes of x and y only."""
    return origin is not None and (origin.has_constants or not origin.is_linear)

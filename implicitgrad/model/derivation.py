"""Derivation: the steps that find an answer by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.model.system import Matrix

if TYPE_CHECKING:
    from implicitgrad.symbolic.equations.termwise import TermwiseDerivatives


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

"""Differentiate along one change of x: dy = J·dx and dL = ∂L/∂x·dx.

With J = J₀ + V·Z for any Z, J·dx = J₀·dx + V·Z·dx is determined in the rows in which V is 0, and everywhere if dx is 0;
dL likewise for the losses whose ∂L/∂x is unique. Where x is constrained, dx must satisfy the constraint.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from implicitgrad.model.along import Along
from implicitgrad.model.solution import Solution
from implicitgrad.model.verdict import show
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.solvers.derived.consistency import (
    beyond_doubles,
    independent_rows,
    refuse_contradictions,
    times,
    written_constraints,
)
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import InputError, Problem

ROUNDED_DX = ("rounded-dx", "dx satisfies the constraint on x up to rounding only")


def with_change(solution: Solution, dx: BaseMatrix[Any]) -> Solution:
    """Return the solution with dy and dL along dx (1, P). Raises InputError if the constraint on x forbids that dx."""
    column = dx.transposed()
    general = solution.general

    def contradiction(name: str, factors: Sequence[Any], difference: Fraction) -> InputError:
        message = (
            f"no change of y goes with this dx: d{printable(name)} differs by {show(difference)} from what it must be"
        )
        hint = f"x is constrained: {written_constraints(solution, 'd')}"
        return InputError([Problem(message, hint, "bad-point", solution.system.source)])

    try:
        is_exact = refuse_contradictions(solution, column, contradiction)
        given = independent_rows(solution, column)
        moves = any(given.nonzero_rows())
        dy = dL = None
        if not solution.is_gradient_alone:
            dy = times(general.particular, given)
            dy = dy.partial(general.null_space, {0: 0}, 1) if general.free and moves else dy
        if general.dL_dx_particular is not None and general.dL_dx_coefficients is not None:
            dL = times(general.dL_dx_particular, given)
            dL = dL.partial(general.dL_dx_coefficients, {0: 0}, 1) if general.free and moves else dL
    except OverflowError:
        raise beyond_doubles(solution.system.source) from None
    along = Along(None if dy is None else dy.transposed(), None if dL is None else dL.transposed())
    remarks = solution.remarks if is_exact else (*solution.remarks, ROUNDED_DX)
    return solution._replace(along=along, remarks=remarks)

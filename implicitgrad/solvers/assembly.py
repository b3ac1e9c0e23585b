"""Assemble a Solution from the matrices that a solver computed, in any arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from implicitgrad.model.solution import Constraints, General, Solution
from implicitgrad.model.system import LinearSystem, Status
from implicitgrad.numbers.matrix import BaseMatrix


class Found(NamedTuple):
    """The indices of the free unknowns and of the inputs, and the matrices of the answer as in General."""

    free: Sequence[int]
    independent: Sequence[int]
    dependent: Sequence[int]
    particular: BaseMatrix[Any]
    null_space: BaseMatrix[Any]
    minimum_norm: BaseMatrix[Any]
    dL_dx_particular: BaseMatrix[Any] | None
    dL_dx_coefficients: BaseMatrix[Any] | None
    constraints: BaseMatrix[Any] | None
    """(D, P′); None if there are none."""


def assemble(system: LinearSystem, found: Found, **facts: Any) -> Solution:  # noqa: ANN401 (of many types)
    """Build a Solution. facts : its fields that do not follow from the matrices."""
    free, independent, dependent, J, V, minimum_norm, g, gV, matrix = found
    x, y = system.x, system.y
    dy_dx, dL_dx = J, g
    if free or matrix is not None:
        moving = [False] * len(independent) if matrix is None else matrix.nonzero_columns()
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

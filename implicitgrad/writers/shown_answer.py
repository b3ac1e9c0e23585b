"""ShownAnswer: the rows and the columns of an answer that a page shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fractions import Fraction

    from implicitgrad.model.solution import General, Solution
    from implicitgrad.numbers.matrix import BaseMatrix


class ShownAnswer(NamedTuple):
    """The unknowns and the independent inputs that are shown, and all Jacobians, restricted to them."""

    y: tuple[str, ...]
    x: tuple[str, ...]
    general: General
    """Its null space has a column for every free unknown."""
    minimum_norm: BaseMatrix[Fraction]
    """(N, shown inputs): every row."""
    unknowns: Sequence[int]
    """The indices of the shown ones of all unknowns."""
    inputs: Sequence[int]
    """The same of all inputs."""
    note: str = ""
    """How much of ∂y/∂x is shown, if that is not all."""

    @classmethod
    def whole(cls, solution: Solution) -> ShownAnswer:
        """Return all of an answer."""
        general, unknowns, inputs = solution.general, range(len(solution.y)), range(len(solution.x))
        return cls(solution.y, solution.independent, general, general.minimum_norm, unknowns, inputs)

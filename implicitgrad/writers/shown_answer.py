"""ShownAnswer: the rows and the columns of an answer that a page shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fractions import Fraction

    from implicitgrad.model.selection import Selection
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

    @classmethod
    def of(cls, solution: Solution, selection: Selection | None) -> ShownAnswer:
        """Return what ``selection`` leaves of an answer; None leaves everything."""
        general, independent = solution.general, solution.independent
        if selection is None:
            unknowns, inputs = range(len(solution.y)), range(len(solution.x))
            return cls(solution.y, independent, general, general.minimum_norm, unknowns, inputs)
        places = {name: m for m, name in enumerate(independent)}
        x = tuple([solution.x[k] for k in selection.columns if solution.x[k] in places])
        columns = [places[name] for name in x]
        minimum_norm = general.minimum_norm.part(range(len(general.minimum_norm)), columns)
        if not solution.is_gradient_alone:
            general = general._replace(
                particular=general.particular.part(selection.rows, columns),
                null_space=general.null_space.part(selection.rows, range(len(general.free))),
                minimum_norm=general.minimum_norm.part(selection.rows, columns),
            )
        if (losses := general.dL_dx_particular) is not None:
            general = general._replace(dL_dx_particular=losses.part(range(len(losses)), columns))
        y = tuple([solution.y[j] for j in selection.rows])
        return cls(y, x, general, minimum_norm, selection.rows, selection.columns)

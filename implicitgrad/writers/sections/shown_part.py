"""Restrict an answer to the rows and the columns that are selected."""

from __future__ import annotations

from implicitgrad.model.selection import Selection
from implicitgrad.model.solution import Solution
from implicitgrad.text.characters import count
from implicitgrad.writers.options import ShownAnswer


def selected(solution: Solution, selection: Selection) -> ShownAnswer:
    """Return what ``selection`` leaves of an answer."""
    general, independent = solution.general, solution.independent
    places = {name: m for m, name in enumerate(independent)}
    x = tuple([solution.x[k] for k in selection.columns if solution.x[k] in places])
    y = tuple([solution.y[j] for j in selection.rows])
    columns = [places[name] for name in x]
    minimum_norm = general.minimum_norm.part(range(len(general.minimum_norm)), columns)
    of_rows = ""
    if not solution.is_gradient_alone:
        general = general._replace(
            particular=general.particular.part(selection.rows, columns),
            null_space=general.null_space.part(selection.rows, range(len(general.free))),
            minimum_norm=general.minimum_norm.part(selection.rows, columns),
        )
        of_rows = f"{len(y)} of {count(len(solution.y), 'row')} and "
    if (losses := general.dL_dx_particular) is not None:
        general = general._replace(dL_dx_particular=losses.part(range(len(losses)), columns))
    is_all = len(y) == len(solution.y) and len(x) == len(independent)
    note = "" if is_all else f"{of_rows}{len(x)} of {count(len(independent), 'column')} are shown"
    return ShownAnswer(y, x, general, minimum_norm, selection.rows, selection.columns, note)

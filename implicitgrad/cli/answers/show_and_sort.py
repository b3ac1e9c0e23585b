"""What --show and --sort select of an answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from implicitgrad.model.selection import Selection, select
from implicitgrad.model.system import Arithmetic
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import UsageError

if TYPE_CHECKING:
    from implicitgrad.model.program.solution import ProgramSolution
    from implicitgrad.model.solution import Solution


def selection_of(solution: Solution | ProgramSolution, patterns: Sequence[str], *, is_sorted: bool) -> Selection:
    """Return the rows and the columns that are shown. Raise UsageError.

    patterns : the names of --show; none for everything. is_sorted : the largest entries come first.
    """
    if solution.kind == "program":
        from implicitgrad.writers.program.document import all_derivatives

        found = all_derivatives(solution)
        parameters = [] if found is None else [parameter.name for parameter in found.parameters]
        selection = select(patterns, solution.program.z, parameters, solution.program.source)
        return _sorted(selection, list(found.z), has_rows=True) if is_sorted and found else selection
    selection = select(patterns, solution.y, solution.x, solution.system.source)
    _require_independent(solution, selection)
    return _sorted(selection, _sizes_in(solution), has_rows=not solution.is_gradient_alone) if is_sorted else selection


def _require_independent(solution: Solution, selection: Selection) -> None:
    """Raise UsageError if inputs are selected, and all of them follow others."""
    if solution.independent and not any(solution.x[k] in solution.independent for k in selection.columns):
        names = ", ".join(printable(solution.x[k]) for k in selection.columns)
        message = f"{solution.system.source}: --show: expected an input that varies freely, got {names}"
        raise UsageError(message, f"The constraint leaves {', '.join(map(printable, solution.independent))} free")


def _sizes_in(solution: Solution) -> list[list[Any]]:
    """Return ∂y/∂x (N, P), the minimum-norm choice along the constraint, or ∂L/∂x if only that was asked for."""
    if solution.arithmetic is Arithmetic.SYMBOLIC:
        raise UsageError(f"{solution.system.source}: --sort compares numbers, and there are letters")
    places = {name: m for m, name in enumerate(solution.independent)}
    columns = [places.get(name) for name in solution.x]
    general = solution.general
    matrix = general.dL_dx_particular if solution.is_gradient_alone else general.minimum_norm
    rows = () if matrix is None else matrix.plain_rows()
    return [[None if m is None else row[m] for m in columns] for row in rows]


def _sorted(selection: Selection, matrix: Sequence[Sequence[Any]], *, has_rows: bool) -> Selection:
    """Return a selection with the largest entries of a matrix first.

    has_rows : whether it has a row for each unknown; else the order of the unknowns stays.
    """
    rows, columns = selection
    sizes = [[abs(row[k] or 0) for k in columns] for row in ([matrix[j] for j in rows] if has_rows else matrix)]
    if sizes and has_rows:
        rows = _by_size(rows, map(max, sizes))
    return Selection(rows, _by_size(columns, map(max, zip(*sizes, strict=True))) if sizes else columns)


def _by_size(indices: Sequence[int], sizes: Iterable[Any]) -> tuple[int, ...]:
    pairs = sorted(zip(sizes, indices, strict=True), key=lambda pair: -pair[0])
    return tuple([index for _, index in pairs])

"""Show the second derivatives of several unknowns, a table for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from implicitgrad.model.solution import Solution
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.writers.elements import Block, Row, Section, Sentence
from implicitgrad.writers.notation import in_one_style

if TYPE_CHECKING:
    from implicitgrad.writers.pages.latex_notation import Notation
    from implicitgrad.writers.shown_answer import ShownAnswer


def show_second_derivatives(solution: Solution, notation: Notation, shown: ShownAnswer) -> Iterator[Section]:
    """Yield ∂²y/∂x² of each unknown, in the unknowns and inputs that are shown."""
    second, P = solution.second, len(solution.x)
    assert second is not None
    if not solution.system.is_local:
        yield Section((Sentence("∂²y/∂x² is 0 throughout, for the system is linear"),))
        return
    names = [notation.label(solution.x[k]) for k in shown.inputs]
    for j in shown.unknowns:
        matrix = second.rows_at([P * j + i for i in shown.inputs]).part(range(len(names)), shown.inputs)
        corner = f"∂²{notation.label(solution.y[j])}/∂x²"
        yield Section((in_one_style(notation, partial(_table, corner, names, matrix)),))


def _table(corner: str, names: Sequence[str], matrix: BaseMatrix[Fraction], notation: Notation) -> Block:
    columns = [notation.column(column) for column in zip(*matrix.bounded_rows(), strict=True)]
    rows = zip(names, zip(*columns, strict=True), strict=True)
    return Block(
        tuple(names), tuple(Row(name, cells, f"{corner}[{name}], ") for name, cells in rows), (), corner=corner
    )

"""Show the second derivatives: those of one unknown as equations, those of several in a table for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

from implicitgrad.model.solution import Solution
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.writers.elements import Equations, Section, Sentence

if TYPE_CHECKING:
    from fractions import Fraction

    from implicitgrad.writers.notation import Notation
    from implicitgrad.writers.options import ShownAnswer


def show_second_derivatives(
    solution: Solution, second: BaseMatrix[Fraction], notation: Notation, shown: ShownAnswer
) -> Iterator[Section]:
    """Yield ∂²y/∂x² of each unknown, in the unknowns and inputs that are shown."""
    x, P = solution.x, len(solution.x)
    if not second:
        if solution.independent:
            yield Section((Sentence("∂²y/∂x² is not determined, for ∂y/∂x is not"),))
        return
    if len(solution.y) == 1:
        rows = second.bounded_rows()
        values = {
            notation.second_derivative(solution.y[0], x[i], x[k]): rows[i][k]
            for i, k in combinations_with_replacement(shown.inputs, 2)
        }
        yield Section((notation.in_one_style(lambda notation: _equations(values, notation)),))
        return
    if not solution.system.is_local:
        yield Section((Sentence("∂²y/∂x² is 0 throughout, for the system is linear"),))
        return
    names = [notation.label(x[k]) for k in shown.inputs]
    for j in shown.unknowns:
        matrix = second.rows_at([P * j + i for i in shown.inputs]).part(range(len(names)), shown.inputs)
        corner = f"∂²{notation.label(solution.y[j])}/∂x²"
        yield Section((notation.table(corner, names, names, matrix.bounded_rows()),))


def _equations(values: Mapping[str, Fraction], notation: Notation) -> Equations:
    return Equations(tuple(notation.column([value])[0].named(name) for name, value in values.items()))

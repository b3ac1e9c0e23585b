"""Show dy = J·dx and dL along a change of x."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from implicitgrad.model.solution import Solution
from implicitgrad.writers.elements import Element, Equations, Role, Section, Sentence, loss_names
from implicitgrad.writers.notation import in_one_style

if TYPE_CHECKING:
    from implicitgrad.writers.pages.latex_notation import Notation
    from implicitgrad.writers.shown_answer import ShownAnswer


def show_along(solution: Solution, notation: Notation, shown: ShownAnswer) -> Iterator[Section]:
    """Yield J·dx in the unknowns that are shown, and dL of each loss."""
    found = solution.along
    assert found is not None
    values: dict[str, Fraction | None] = {}
    if found.dy is not None:
        values |= dict(zip(shown.y, found.dy.part([0], shown.unknowns).bounded_rows()[0], strict=True))
    if found.dL is not None:
        values |= dict(zip(loss_names(solution.system), found.dL.bounded_rows()[0], strict=True))
    known = {notation.change(name): value for name, value in values.items() if value is not None}
    lacking = [notation.change_in_words(name) for name, value in values.items() if value is None]
    elements: list[Element] = [in_one_style(notation, partial(_equations, known))] if known else []
    if lacking:
        elements.append(Sentence(f"not determined: {', '.join(lacking)}"))
    yield Section((Sentence("along this dx, J·dx", Role.ASIDE), *elements))


def _equations(values: Mapping[str, Fraction], notation: Notation) -> Equations:
    return Equations(tuple(notation.sum(value, ()).named(name) for name, value in values.items()))

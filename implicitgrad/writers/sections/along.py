"""Show dy = J·dx and dL along a change of x."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from implicitgrad.model.solution import Solution
from implicitgrad.writers.elements import Element, Role, Section, Sentence, loss_names

if TYPE_CHECKING:
    from implicitgrad.writers.notation import Notation
    from implicitgrad.writers.options import ShownAnswer


def show_along(solution: Solution, notation: Notation, shown: ShownAnswer) -> Iterator[Section]:
    """Yield J·dx in the unknowns that are shown, and dL of each loss."""
    found = solution.along
    assert found is not None
    values: dict[str, Fraction | None] = {}
    if found.dy is not None:
        values |= dict(zip(shown.y, found.dy.part([0], shown.unknowns).bounded_rows()[0], strict=True))
    if found.dL is not None:
        values |= dict(zip(loss_names(len(found.dL[0])), found.dL.bounded_rows()[0], strict=True))
    known = {notation.change(name): value for name, value in values.items() if value is not None}
    lacking = [notation.inline(notation.change(name)) for name, value in values.items() if value is None]
    elements: list[Element] = [notation.equations(known)] if known else []
    if lacking:
        elements.append(Sentence(f"not determined: {', '.join(lacking)}", is_spelled=True))
    yield Section((Sentence("along this dx, J·dx", Role.ASIDE), *elements))

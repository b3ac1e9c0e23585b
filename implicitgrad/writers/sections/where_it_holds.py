"""Describe the conditions under which an answer in letters holds, and its special cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from implicitgrad.model.implicit_equations import partial_derivatives
from implicitgrad.model.solution import Solution
from implicitgrad.model.validity import SpecialCase, Validity
from implicitgrad.text.characters import listed
from implicitgrad.writers.elements import Role, Section, Sentence

if TYPE_CHECKING:
    from implicitgrad.symbolic.function_field.element import Symbolic
    from implicitgrad.writers.notation import Notation


def describe_conditions(solution: Solution, found: Validity, notation: Notation) -> Iterator[Section]:
    """Yield the section on where an answer in letters holds, if there is something to say."""
    if conditions := _conditions(solution, found, notation):
        yield Section(tuple(Sentence(text, Role.CONDITION) for text in conditions))


def _conditions(solution: Solution, found: Validity, notation: Notation) -> list[str]:
    """Return where an answer in letters holds, and what is known of it elsewhere."""
    texts = []
    if found.nonzero:
        texts.append(f"holds where {listed([notation.comparison(value, '≠') for value in found.nonzero])}")
    if solution.system.is_local and found.nonzero:
        of_y, _ = partial_derivatives(*(list(map(notation.mention, names)) for names in (solution.x, solution.y)))
        texts.append(f"elsewhere {of_y} is singular or has no value, and the implicit function theorem does not apply")
    texts += [f"where {_zeros(case.zeros, notation)}: {_case(case, solution, notation)}" for case in found.cases]
    if not found.has_all_cases:
        texts.append("the rank may be lower still: not every case is listed")
    return texts


def _zeros(zeros: Sequence[Symbolic], notation: Notation) -> str:
    texts = [value.shown for value in zeros]
    if len(texts) > 1 and all(text.isidentifier() for text in texts):
        return " = ".join([*map(notation.mention, texts), "0"])
    return listed([notation.comparison(value, "=") for value in zeros])


def _case(case: SpecialCase, solution: Solution, notation: Notation) -> str:
    if case.rank is None:
        return "the rank was not found"
    texts = [f"rank {case.rank}"]
    if case.status is not None and case.status is not solution.status:
        texts.append(str(case.status))
    if case.rank == solution.rank and case.free and case.free != solution.general.free:
        free = ", ".join(map(notation.mention, case.free))
        texts.append(f"free {'is' if len(case.free) == 1 else 'are'} {free}")
    elif case.rank == solution.rank and len(texts) == 1:
        texts.append("in another form")
    return ", ".join(texts)

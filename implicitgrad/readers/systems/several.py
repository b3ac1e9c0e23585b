"""Build what several specs describe, with the problems of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from implicitgrad.model.spec import SystemSpec
from implicitgrad.model.system import AUTO
from implicitgrad.readers.systems.build import build_question
from implicitgrad.text.errors import InputError, Problem

if TYPE_CHECKING:
    from implicitgrad.readers.systems.build import Question


def build_all(
    specs: Iterable[SystemSpec], arithmetic: str | Callable[[SystemSpec], str] = AUTO, *, allow_algebra: bool = True
) -> list[Question]:
    """Build what all specs describe, in one arithmetic or each in its own. Raise InputError with the problems of all.

    allow_algebra : if false, raise NeedsAlgebra for letters and nonlinear equations.
    """
    questions: list[Question] = []
    problems: list[Problem] = []
    for spec in specs:
        try:
            if allow_algebra and spec.linearize is not None:
                spec.linearize()  # the choice of arithmetic depends on the point
            chosen = arithmetic if isinstance(arithmetic, str) else arithmetic(spec)
            questions.append(build_question(spec, chosen, allow_algebra=allow_algebra))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return questions

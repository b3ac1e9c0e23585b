"""A number where there is no derivative: one side, the average of both, or something between."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial, mapped
from implicitgrad.model.program.claims import Side
from implicitgrad.model.verdict import Suspicion

NONE_THERE = "there is no derivative where the sides differ"


def one_side(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the derivative from one side, or the average of both."""
    if trial.sides is None:
        return
    left, right = trial.sides
    for name, values in (("left", left), ("right", right)):
        message = f"the claim is {trial.target} from the {name}: it holds if it is claimed as {{{name}: ...}}"
        yield Candidate("one-sided", message, values)
    message = f"the claim is the average of the left and the right {trial.target}: {NONE_THERE}"
    means = mapped(lambda a, b: None if a is None or b is None else (a + b) / 2, left, right)
    yield Candidate("average", message, means)


def other_side(trial: ProgramTrial, side: Side) -> Suspicion | None:
    """Suspect the derivative from the other side in a claim of one."""
    if trial.sides is None or not trial.numbers(trial.correct):
        return None
    other, values = (Side.RIGHT, trial.sides[1]) if side is Side.LEFT else (Side.LEFT, trial.sides[0])
    if not trial.is_explained_by(values):
        return None
    return Suspicion("one-sided", f"the claim is {trial.target} from the {other}: are left and right exchanged?")


def between(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect numbers between both sides, such as interior-point solvers find."""
    if trial.sides is None:
        return

    def nearest(c: Fraction | None, a: Fraction | None, b: Fraction | None, known: Fraction | None) -> Fraction | None:
        if known is not None or c is None or a is None or b is None:
            return known
        return c if min(a, b) <= c <= max(a, b) else None

    values = mapped(nearest, trial.claimed, *trial.sides, trial.correct)
    if values != trial.correct:
        message = f"the claim is between the left and the right {trial.target}, as a solver's is: {NONE_THERE}"
        yield Candidate("between", message, values)

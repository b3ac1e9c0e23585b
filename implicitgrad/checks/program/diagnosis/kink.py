"""A number where there is no derivative: one side, the average of both, or something between."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial, Values
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
    yield Candidate("average", message, _combined(left, right))


def other_side(trial: ProgramTrial, side: Side) -> Suspicion | None:
    """Suspect the derivative from the other side in a claim of one."""
    if trial.sides is None or not trial.numbers(trial.correct):
        return None
    other, values = (Side.RIGHT, trial.sides[1]) if side is Side.LEFT else (Side.LEFT, trial.sides[0])
    if not trial.is_explained_by(values):
        return None
    return Suspicion("one-sided", f"the claim is {trial.target} from the {other}: are left and right exchanged?")


def _combined(left: Values, right: Values) -> Values:
    return [
        [None if a is None or b is None else (a + b) / 2 for a, b in zip(*rows, strict=True)]
        for rows in zip(left, right, strict=True)
    ]


def between(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect numbers between both sides, such as interior-point solvers find."""
    if trial.sides is None:
        return
    values: list[list[Fraction | None]] = []
    is_between = False
    for claimed, low, high, correct in zip(trial.claimed, *trial.sides, trial.correct, strict=True):
        row: list[Fraction | None] = []
        for c, a, b, known in zip(claimed, low, high, correct, strict=True):
            if known is None and c is not None and a is not None and b is not None and min(a, b) <= c <= max(a, b):
                is_between = True
                known = c
            row.append(known)
        values.append(row)
    if is_between:
        message = f"the claim is between the left and the right {trial.target}, as a solver's is: {NONE_THERE}"
        yield Candidate("between", message, values)

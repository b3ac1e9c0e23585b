"""Another loss, a transpose, rounding."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from implicitgrad.checks.diagnosis.suspicions import of_another_loss, rounded
from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial
from implicitgrad.model.verdict import Suspicion

FEWEST_PLACES, MOST_PLACES = 4, 30


def other_loss(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the gradient of another loss."""
    if trial.of != "dL":
        return
    for loss in range(len(trial.solution.program.losses)):
        if loss != trial.loss:
            yield Candidate(*of_another_loss(f"∂L{loss + 1}/∂{trial.parameter}"), trial.values_of_loss(loss))


def transposed(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect rows for columns."""
    rows = trial.correct
    if len(rows) == len(rows[0]) > 1:
        message = f"the claim is the transpose of {trial.target}"
        yield Candidate("transpose", message, list(zip(*rows, strict=True)))


def rounding(trial: ProgramTrial) -> Suspicion | None:
    """Suspect a claim that is only rounded, to fewer digits than it shows."""
    numbers = trial.numbers(trial.correct)
    if any(value is None for _, _, value in numbers):
        return None

    def agree(places: int) -> bool:
        unit = Fraction(1, 10**places)
        return all(abs(claimed - (value or 0)) <= max(abs(claimed) * unit, t) for claimed, t, value in numbers)

    if not agree(FEWEST_PLACES):
        return None
    places = next(k for k in range(MOST_PLACES, FEWEST_PLACES - 1, -1) if agree(k))
    return rounded(f"a relative 1e-{places}", {"rtol": f"1e-{places}"}, trial.solution.program.source)

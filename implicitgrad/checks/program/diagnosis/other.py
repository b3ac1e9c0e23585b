"""Another loss, a transpose, zeros, rounding."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial
from implicitgrad.model.verdict import Suspicion

FEWEST_PLACES, MOST_PLACES = 4, 30


def other_loss(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the gradient of another loss."""
    if trial.of != "dL":
        return
    for loss in range(len(trial.solution.program.losses)):
        if loss != trial.loss:
            message = f"the claim equals ∂L{loss + 1}/∂{trial.parameter}: is it the gradient of another loss?"
            yield Candidate("stale", message, trial.values_of_loss(loss))


def transposed(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect rows for columns."""
    rows = trial.correct
    if len(rows) == len(rows[0]) > 1:
        message = f"the claim is the transpose of {trial.target}"
        yield Candidate("transpose", message, list(zip(*rows, strict=True)))


def zero(trial: ProgramTrial) -> Suspicion | None:
    """Suspect a claim that is 0 throughout, where every number has a right value."""
    numbers = trial.numbers(trial.correct)
    if any(claimed or value is None for claimed, _, value in numbers):
        return None
    noun = "gradient" if trial.of == "dL" else "derivative" if trial.parameter else "result"
    return Suspicion("zero", f"the claim is 0 throughout: was the {noun} cut off before it came here?")


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
    advice = f"if it is only rounded, a tolerance says so (--rtol 1e-{places})"
    return Suspicion("rounding", f"the claim agrees to a relative 1e-{places}: {advice}")

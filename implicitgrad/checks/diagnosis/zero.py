"""A claim of zeros: the derivative was cut off."""

from __future__ import annotations

from collections.abc import Iterator

from implicitgrad.checks.diagnosis.trial import Hypothesis, Trial
from implicitgrad.model.verdict import Suspicion


def zero(trial: Trial) -> Iterator[Hypothesis]:
    """Suspect a claim that is 0 throughout."""
    if not any(map(any, trial.matrix.entries)):
        message = f"the claim is 0 throughout: was the {trial.noun} cut off before it came here?"
        yield Hypothesis(Suspicion("zero", message))

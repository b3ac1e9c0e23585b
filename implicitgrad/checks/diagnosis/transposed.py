"""A transposed ∂y/∂x."""

from __future__ import annotations

from collections.abc import Iterator

from implicitgrad.checks.diagnosis.trial import Hypothesis, JacobianTrial, Trial
from implicitgrad.model.verdict import Suspicion


def transposed(trial: Trial) -> Iterator[Hypothesis]:
    """Suspect that a square ∂y/∂x has its rows for its columns."""
    entries = trial.matrix.entries
    if not isinstance(trial, JacobianTrial) or len(entries) != len(entries[0]):
        return
    turned = trial.matrix.transposed()
    message = "the claim is the transpose of a valid ∂y/∂x: has it a row for each unknown y?"
    yield Hypothesis(Suspicion("transpose", message), turned)
    message = "the claim is the negative transpose of a valid ∂y/∂x"
    yield Hypothesis(Suspicion("transpose", message), turned.divided_by(-1))

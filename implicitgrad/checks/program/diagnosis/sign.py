"""Wrong signs: of everything, of ν alone, or of some entries."""

from __future__ import annotations

from collections.abc import Iterator

from implicitgrad.checks.program.diagnosis.formula import with_negative_nu
from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial, scaled

MAX_NAMES = 3
OF_NU = "the sign of ν here is that of νᵀ(A·z − b) in the Lagrangian; MathOptInterface has the other"


def negative(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the sign of the whole claim, or of ν in ∂L/∂A."""
    if trial.key == "nu":
        yield Candidate("nu-sign", f"the claim is −ν: {OF_NU}", scaled(trial.correct, -1))
        return
    message = f"the claim is the negative of {trial.target}: is a sign flipped?"
    yield Candidate("sign", message, scaled(trial.correct, -1))
    if trial.parameter == "A" and (values := with_negative_nu(trial)) is not None:
        yield Candidate("nu-sign", f"the claim has −ν in place of ν: {OF_NU}", values)


def some_signs(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the signs of some entries."""
    flipped: list[str] = []
    values = []
    for i, (claimed, correct, tolerances) in enumerate(
        zip(trial.claimed, trial.correct, trial.tolerances, strict=True)
    ):
        row = list(correct)
        for j, (c, e, tolerance) in enumerate(zip(claimed, correct, tolerances, strict=True)):
            if c is not None and e is not None and abs(c - e) > tolerance:
                row[j] = -e
                flipped.append(trial.name(i, j))
        values.append(row)
    listed = ", ".join(flipped[:MAX_NAMES]) + (f" and {len(flipped) - MAX_NAMES} more" if flipped[MAX_NAMES:] else "")
    yield Candidate("sign", f"the claim is right but for the sign of {listed}", values)

"""Wrong signs: of everything, of ν alone, or of some entries."""

from __future__ import annotations

from collections.abc import Iterator

from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial, Rows
from implicitgrad.model.verdict import Suspicion

MAX_NAMES = 3
OF_NU = "the sign of ν here is that of νᵀ(A·z − b) in the Lagrangian; MathOptInterface has the other"


def negative(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the sign of the whole claim."""
    if trial.key == "nu":
        yield Candidate(Suspicion("nu-sign", f"the claim is −ν: {OF_NU}"), _negated(trial.correct))
        return
    message = f"the claim is the negative of {trial.target}: is a sign flipped?"
    yield Candidate(Suspicion("sign", message), _negated(trial.correct))
    if trial.parameter == "A" and len(trial.systems.program.losses) > trial.loss:
        yield from _with_negative_multipliers(trial)


def _with_negative_multipliers(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect ∂L/∂A with −ν in place of ν."""
    systems = trial.systems
    response = systems.regular(trial.solution.active)
    if response is None:
        return
    n, p = systems.program.unknowns, len(systems.program.b)
    row = response.losses[trial.loss]
    by_q, by_b = row[:n], row[len(row) - p :]
    values = [
        [None if dual is None else -dual * a - change * b for a, b in zip(by_q, systems.point, strict=True)]
        for dual, change in zip(trial.solution.equality_multipliers, by_b, strict=True)
    ]
    yield Candidate(Suspicion("nu-sign", f"the claim has −ν in place of ν: {OF_NU}"), values)


def _negated(rows: Rows) -> Rows:
    return [[None if value is None else -value for value in row] for row in rows]


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
    yield Candidate(Suspicion("sign", f"the claim is right but for the sign of {listed}"), values)

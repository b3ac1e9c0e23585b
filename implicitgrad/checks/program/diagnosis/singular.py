"""A choice made for a singular K: its pseudo-inverse, or a ridge added to P."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial, Rows
from implicitgrad.model.verdict import Suspicion

SMALLEST_RIDGE = 12
"""The most decimal places of a ridge that is tried."""
FAR = 100
"""A ridge whose effect is smaller by this factor than what is to be explained is too small."""


def least_norm(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the minimum-norm solution K⁺·g of the KKT conditions with all active or all positive constraints."""
    if not trial.parameter:
        return
    solution = trial.solution
    for active in dict.fromkeys((solution.active, tuple(sorted((*solution.strong, *solution.exchangeable))))):
        if trial.systems.regular(active) is None:
            values = trial.from_response(trial.systems.least_norm(active))
            assert values is not None
            message = (
                f"the claim is the minimum-norm choice K⁺·g for {trial.target}: the KKT matrix K is singular, and "
                "this is one choice of many"
            )
            yield Candidate(Suspicion("minimum-norm", message), values)


def ridge(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the answer to the program with P + ε·I."""
    program = trial.solution.program
    if program.letters is not None:
        return
    error = _largest(trial, trial.claimed)
    for places in range(SMALLEST_RIDGE + 1):
        epsilon = Fraction(1, 10**places)
        P = tuple(tuple(entry + epsilon * (i == j) for j, entry in enumerate(row)) for i, row in enumerate(program.P))
        values = trial.answer_to(program._replace(P=P))
        if values is not None:
            shown = "1" if not places else f"1e-{places}"
            message = f"the claim is {trial.target} with P + {shown}·I in place of P: is a ridge added to P?"
            yield Candidate(Suspicion("ridge", message), values)
            if error is not None and (_largest(trial, values) or 0) * FAR < error:
                return  # smaller ridges change less


def _largest(trial: ProgramTrial, values: Rows) -> Fraction | None:
    """Return the largest difference from the right numbers; None if there are none."""
    pairs = zip(values, trial.correct, strict=True)
    known = [abs(a - b) for rows in pairs for a, b in zip(*rows, strict=True) if a is not None and b is not None]
    return max(known, default=None)

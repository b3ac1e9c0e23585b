"""The answer to another program: the ½ of ½·zᵀPz left out or counted twice, or a ridge added to P."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial, Values, scaled
from implicitgrad.model.program.problem import product, times

SMALLEST_RIDGE = 12
"""The most decimal places of a ridge that is tried."""
FAR = 100
"""A ridge whose effect is smaller by this factor than what is to be explained is too small."""


def half(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the answer to the program with 2·P, or with ½·P."""
    program = trial.solution.program
    if not any(map(any, program.P)) or program.letters is not None:
        return
    if trial.key == "objective" and (value := trial.correct[0][0]) is not None:
        z = trial.systems.point
        quadratic = product(z, times(trial.systems.canonical.P, z)) / 2
        message = "the claim is zᵀPz + qᵀz at the right z: is the ½ left out?"
        yield Candidate("half", message, [[value - quadratic if program.is_maximum else value + quadratic]])
    for factor, objective, doubt in (
        (Fraction(2), "zᵀPz + qᵀz", "is the ½ left out?"),
        (Fraction(1, 2), "¼·zᵀPz + qᵀz", "is the ½ a factor twice?"),
    ):
        P = tuple(tuple(factor * entry for entry in row) for row in program.P)
        values = trial.answer_with(P)
        if values is None:
            continue
        if trial.parameter == "P":  # the derivative in the entries of P itself
            values = scaled(values, factor)
        yield Candidate("half", f"the claim is {trial.target} of the objective {objective}: {doubt}", values)


def ridge(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the answer to the program with P + ε·I."""
    program = trial.solution.program
    if program.letters is not None:
        return
    error = _largest_difference(trial, trial.claimed)
    for places in range(SMALLEST_RIDGE + 1):
        epsilon = Fraction(1, 10**places)
        P = tuple(tuple(entry + epsilon * (i == j) for j, entry in enumerate(row)) for i, row in enumerate(program.P))
        values = trial.answer_with(P)
        if values is not None:
            shown = "1" if not places else f"1e-{places}"
            message = f"the claim is {trial.target} with P + {shown}·I in place of P: is a ridge added to P?"
            yield Candidate("ridge", message, values)
            if error is not None and (_largest_difference(trial, values) or 0) * FAR < error:
                return  # smaller ridges change less


def _largest_difference(trial: ProgramTrial, values: Values) -> Fraction | None:
    """Return the largest difference from the right numbers; None if there are none."""
    pairs = zip(values, trial.correct, strict=True)
    known = [abs(a - b) for rows in pairs for a, b in zip(*rows, strict=True) if a is not None and b is not None]
    return max(known, default=None)

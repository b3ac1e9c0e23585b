"""The ½ of ½·zᵀPz left out or counted twice."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial
from implicitgrad.model.program.problem import product, times
from implicitgrad.model.verdict import Suspicion


def half(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the answer to the program with 2·P, or with ½·P."""
    program = trial.solution.program
    if not any(map(any, program.P)) or program.letters is not None:
        return
    if trial.key == "objective" and (value := trial.correct[0][0]) is not None:
        z = trial.systems.point
        quadratic = product(z, times(trial.systems.canonical.P, z)) / 2
        message = "the claim is zᵀPz + qᵀz at the right z: is the ½ left out?"
        yield Candidate(Suspicion("half", message), [[value - quadratic if program.is_maximum else value + quadratic]])
    for factor, objective, doubt in (
        (Fraction(2), "zᵀPz + qᵀz", "is the ½ left out?"),
        (Fraction(1, 2), "¼·zᵀPz + qᵀz", "is the ½ a factor twice?"),
    ):
        P = tuple(tuple(factor * entry for entry in row) for row in program.P)
        values = trial.answer_to(program._replace(P=P))
        if values is None:
            continue
        if trial.parameter == "P":  # the derivative in the entries of P itself
            values = [[None if value is None else factor * value for value in row] for row in values]
        message = f"the claim is {trial.target} of the objective {objective}: {doubt}"
        yield Candidate(Suspicion("half", message), values)

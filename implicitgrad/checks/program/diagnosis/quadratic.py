"""∂L/∂P = ½(d_z·zᵀ + z·d_zᵀ) written wrong."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial
from implicitgrad.model.verdict import Suspicion

ZERO = Fraction(0)


def quadratic(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect doubled off-diagonals, a ½ left out, or one of the two terms alone."""
    if trial.parameter != "P":
        return
    correct = trial.correct
    doubled = [
        [None if value is None else value * (1 + (i != j)) for j, value in enumerate(row)]
        for i, row in enumerate(correct)
    ]
    message = (
        "the claim has twice the off-diagonal entries: an entry of ∂L/∂P is the derivative in that entry of P alone, "
        "not in it and its mirror image together"
    )
    yield Candidate(Suspicion("off-diagonal", message), doubled)
    upper = [[value if i <= j else ZERO for j, value in enumerate(row)] for i, row in enumerate(doubled)]
    message = "the claim is the gradient in the upper triangle of P, of which an entry stands for two: ∂L/∂P has both"
    yield Candidate(Suspicion("off-diagonal", message), upper)
    whole = [[None if value is None else 2 * value for value in row] for row in correct]
    message = f"the claim is d_z·zᵀ + z·d_zᵀ, and {trial.target} is half of it: is the ½ left out?"
    yield Candidate(Suspicion("half", message), whole)
    response = trial.systems.regular(trial.solution.active)
    if response is None:
        return
    z, d_z = trial.systems.point, response.losses[trial.loss][: trial.systems.program.unknowns]
    for name, first, second in (("d_z·zᵀ", d_z, z), ("z·d_zᵀ", z, d_z)):
        message = f"the claim is {name}, and {trial.target} is ½(d_z·zᵀ + z·d_zᵀ): is it not made symmetric?"
        yield Candidate(Suspicion("symmetric", message), [[a * b for b in second] for a in first])

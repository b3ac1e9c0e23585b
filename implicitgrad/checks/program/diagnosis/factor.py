"""A missing or superfluous factor, such as that of a mean over a batch."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial, scaled
from implicitgrad.model.verdict import show

LARGEST_BATCH = 64
NEARLY_ONE = Fraction(1, 50)
"""A factor this close to 1 is not a plausible mistake."""


def factor(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect a multiple of what is correct."""
    numbers = [(claimed, tolerance, value) for claimed, tolerance, value in trial.numbers(trial.correct) if value]
    if not numbers:
        return
    is_single = len(numbers) == 1
    counts = [2] if is_single else [*range(2, LARGEST_BATCH + 1), 100, 128, 256, 512, 1000, 1024]
    factors = [sign * f for n in counts for sign in (1, -1) for f in (Fraction(1, n), Fraction(n))]
    claimed, tolerance, correct = max(numbers, key=lambda one: abs(one[2]))
    if not is_single and not tolerance and claimed and abs(abs(claimed / correct) - 1) > NEARLY_ONE:
        factors.append(claimed / correct)
    for f in factors:
        if abs(claimed - f * correct) <= tolerance:
            yield Candidate("factor", _message(trial, f), scaled(trial.correct, f))


def _message(trial: ProgramTrial, f: Fraction) -> str:
    size = abs(f)
    start = f"the claim is {show(f)} times {trial.target}"
    half = {Fraction(1, 2): "left out", Fraction(2): "a factor twice"}.get(size) if trial.parameter else None
    also = "" if half is None else f", or is the ½ of ½·zᵀPz {half}"
    if trial.of == "dL" and size < 1 and size.numerator == 1:
        return f"{start}: is it the mean over a batch of {size.denominator}{also}?"
    if trial.of == "dL" and size.denominator == 1:
        return f"{start}: is it the sum over a batch of {size}{also}?"
    doubt = f"is a factor of {show(1 / size)} missing" if size < 1 else f"is a factor of {show(size)} too many"
    return f"{start}: {doubt}?"

"""A multiple of what is correct: its negative, some signs wrong, a factor as of a mean over a batch, zeros."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from implicitgrad.checks.diagnosis.suspicions import multiple_of, negative_of, wrong_signs, zeros
from implicitgrad.checks.program.diagnosis.formula import with_negative_nu
from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial, mapped, scaled
from implicitgrad.model.verdict import Suspicion, show

OF_NU = "the sign of ν here is that of νᵀ(A·z − b) in the Lagrangian; MathOptInterface has the other"
LARGEST_BATCH = 64
NEARLY_ONE = Fraction(1, 50)
"""A factor this close to 1 is not a plausible mistake."""


def negative(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the sign of the whole claim, or of ν in ∂L/∂A."""
    if trial.key == "nu":
        yield Candidate("nu-sign", f"the claim is −ν: {OF_NU}", scaled(trial.correct, -1))
        return
    yield Candidate(*negative_of(trial.target), scaled(trial.correct, -1))
    if trial.parameter == "A" and (values := with_negative_nu(trial)) is not None:
        yield Candidate("nu-sign", f"the claim has −ν in place of ν: {OF_NU}", values)


def some_signs(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the signs of some entries."""

    def flipped(c: Fraction | None, e: Fraction | None, tolerance: Fraction) -> Fraction | None:
        return e if c is None or e is None or abs(c - e) <= tolerance else -e

    values = mapped(flipped, trial.claimed, trial.correct, trial.tolerances)
    pairs = enumerate(zip(values, trial.correct, strict=True))
    names = [trial.name(i, j) for i, rows in pairs for j, (a, b) in enumerate(zip(*rows, strict=True)) if a != b]
    yield Candidate(*wrong_signs(names), values)


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
    return multiple_of(f, trial.target).message


def zero(trial: ProgramTrial) -> Suspicion | None:
    """Suspect a claim that is 0 throughout, where every number has a right value."""
    numbers = trial.numbers(trial.correct)
    if any(claimed or value is None for claimed, _, value in numbers):
        return None
    noun = "gradient" if trial.of == "dL" else "derivative" if trial.parameter else "result"
    return zeros(noun)

"""A missing or superfluous factor, or zeros."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from implicitgrad.checks.diagnosis.trial import Hypothesis, Trial, explains, flat
from implicitgrad.model.verdict import Suspicion, show

NEARLY_ONE = Fraction(1, 50)
"""A factor this close to 1 is not a plausible mistake."""
USUAL_FACTORS = (2, 3, 4, 10, 100, 1000)


def zero(trial: Trial) -> Iterator[Hypothesis]:
    """Suspect a claim that is 0 throughout: the derivative was cut off."""
    if not any(map(any, trial.matrix.entries)):
        message = f"the claim is 0 throughout: was the {trial.noun} cut off before it came here?"
        yield Hypothesis(Suspicion("zero", message))


def factor(trial: Trial) -> Iterator[Hypothesis]:
    """Suspect a multiple of what is correct."""
    for f in _factors(trial):
        yield Hypothesis(factor_suspicion(f, trial.target), trial.matrix.divided_by(f), f)


def factor_suspicion(f: Fraction, target: str) -> Suspicion:
    """Return the suspicion that a claim is a multiple of ``target``."""
    size = abs(f)
    doubt = f"is a factor of {show(1 / size)} missing" if size < 1 else f"is a factor of {show(size)} too many"
    return Suspicion("factor", f"the claim is {show(f)} times {target}: {doubt}?")


def _factors(trial: Trial) -> Iterator[Fraction]:
    """Yield the factors that explain the claim: usual ones, and any that several entries agree on exactly."""
    c, t, e = map(flat, trial.compared)
    nonzero = [i for i, value in enumerate(e) if value]
    if not nonzero or not all(c[i] for i in nonzero):
        return
    largest = max(nonzero, key=lambda i: abs(e[i]))
    system = trial.context.system
    sizes = {system.equations, system.unknowns, system.inputs, len(system.dL_dy or ())} - {0, 1}
    is_single = min(len(nonzero), trial.evidence) == 1
    usual = {2} if is_single else {*USUAL_FACTORS, *sizes}
    factors = [sign * f for n in sorted(usual) for sign in (1, -1) for f in (Fraction(n), Fraction(1, n))]
    if not is_single and not any(t) and abs(abs(c[largest] / e[largest]) - 1) > NEARLY_ONE:
        factors.append(c[largest] / e[largest])
    yield from (f for f in factors if explains(c, t, tuple([f * value for value in e])))

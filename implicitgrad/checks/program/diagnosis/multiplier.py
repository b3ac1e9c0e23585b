"""The factor λ left out or used twice in ∂L/∂h and ∂L/∂G, or a term left out there or in ∂L/∂A.

With OptNet's d_z and d_λ: ∂L/∂h = −λ∘d_λ and ∂L/∂G = λ∘d_λ·zᵀ + λ·d_zᵀ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction

from implicitgrad.checks.program.diagnosis.adjoint import KINDS
from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial
from implicitgrad.model.program.problem import RowKind, product
from implicitgrad.model.verdict import Suspicion

ZERO = Fraction(0)
Factors = dict[int, tuple[Fraction, Fraction]]
"""λ and d_λ by the numbers of the inequalities."""


def multiplier(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect a formula with too few or too many factors λ."""
    if trial.of != "dL" or trial.parameter not in ("h", "lb", "ub", "G", "A"):
        return
    response = trial.systems.regular(trial.solution.active)
    if response is None:
        return
    row, active = response.losses[trial.loss], response.active
    if trial.parameter == "A":
        yield from _terms_of_A(trial, row)
        return
    for inactive_too in (False, True) if active else (False,):
        found = dict(_factors(trial, row, active, inactive_too=inactive_too))
        if trial.parameter == "G":
            yield from _of_G(trial, row, found, () if inactive_too else trial.systems.inactive)
        else:
            yield from _of_bounds(trial, found)


def _factors(
    trial: ProgramTrial, row: tuple[Fraction, ...], active: tuple[int, ...], *, inactive_too: bool
) -> Iterator[tuple[int, tuple[Fraction, Fraction]]]:
    """Yield each inequality's number, λ and d_λ. inactive_too : d_λ as OptNet's system gives it there, else 0."""
    systems, n = trial.systems, trial.systems.program.unknowns
    slacks = systems.canonical.slacks(systems.point)
    for i, slack in enumerate(slacks):
        value = trial.solution.multipliers[i]
        if i in active:
            if value:
                yield i, (value, -row[n + active.index(i)] / value)
        elif inactive_too:
            yield i, (ZERO, product(systems.canonical.C[i], row[:n]) / slack)
        else:
            yield i, (ZERO, ZERO)


def _of_bounds(trial: ProgramTrial, found: Factors) -> Iterator[Candidate]:
    kind, size = KINDS[trial.parameter], len(trial.claimed[0])
    missing: list[Fraction | None] = [ZERO] * size
    twice: list[Fraction | None] = [ZERO] * size
    for i, (value, change) in found.items():
        inequality = trial.solution.inequalities[i]
        if inequality.kind is kind:
            missing[inequality.number] = -inequality.sign * change
            twice[inequality.number] = -inequality.sign * value * value * change
    message = f"the claim is −d_λ, and {trial.target} is −λ·d_λ: is λ left out?"
    yield Candidate(Suspicion("multiplier", message), [missing])
    message = f"the claim is −λ²·d_λ, and {trial.target} is −λ·d_λ: is λ a factor twice?"
    yield Candidate(Suspicion("multiplier", message), [twice])


def _of_G(
    trial: ProgramTrial,
    row: tuple[Fraction, ...],
    found: Factors,
    nothing: Collection[int],
) -> Iterator[Candidate]:
    """Yield candidates for ∂L/∂G. nothing : the inequalities whose rows are 0."""
    z, d_z = trial.systems.point, row[: trial.systems.program.unknowns]
    numbers = [trial.systems.rows[RowKind.INEQUALITY, i] for i in range(len(trial.claimed))]
    forms = {
        "d_λ·zᵀ + λ·d_zᵀ": "is λ left out of the first term?",
        "λ∘d_λ·zᵀ + d_zᵀ": "is λ left out of the second term?",
        "d_λ·zᵀ + d_zᵀ": "is λ left out?",
        "λ∘(d_λ·zᵀ + λ·d_zᵀ)": "is λ a factor twice, as in equation 8 of OptNet?",
        "λ²∘d_λ·zᵀ + λ·d_zᵀ": "is λ a factor twice in the first term?",
        "λ²∘d_λ·zᵀ + λ²·d_zᵀ": "is λ a factor twice?",
        "λ∘d_λ·zᵀ": "is the term λ·d_zᵀ left out?",
        "λ·d_zᵀ": "is the term λ∘d_λ·zᵀ left out?",
    }
    powers = [(0, 1), (1, 0), (0, 0), (1, 2), (2, 1), (2, 2), (1, None), (None, 1)]
    for (name, doubt), (first, second) in zip(forms.items(), powers, strict=True):
        values: list[list[Fraction | None]] = []
        for i in numbers:
            value, change = found.get(i, (None, None))
            if value is None or change is None:
                values.append([None] * len(z))
                continue
            if i in nothing:
                values.append([ZERO] * len(z))
                continue
            a = ZERO if first is None else value**first * change
            b = ZERO if second is None else value**second
            values.append([a * x + b * d for x, d in zip(z, d_z, strict=True)])
        message = f"the claim is {name}, and {trial.target} is λ∘d_λ·zᵀ + λ·d_zᵀ: {doubt}"
        yield Candidate(Suspicion("multiplier", message), values)


def _terms_of_A(trial: ProgramTrial, row: tuple[Fraction, ...]) -> Iterator[Candidate]:
    n, p, z = trial.systems.program.unknowns, len(trial.systems.program.b), trial.systems.point
    duals = trial.solution.equality_multipliers
    first = [[-change * x for x in z] for change in row[len(row) - p :]]
    second = [[None if dual is None else dual * d for d in row[:n]] for dual in duals]
    for name, values, other in (("d_ν·zᵀ", first, "ν·d_zᵀ"), ("ν·d_zᵀ", second, "d_ν·zᵀ")):
        message = f"the claim is {name}, and {trial.target} is d_ν·zᵀ + ν·d_zᵀ: is the term {other} left out?"
        yield Candidate(Suspicion("multiplier", message), values)

"""A wrong formula of ∂L/∂q, ∂L/∂P, ∂L/∂h, ∂L/∂G or ∂L/∂A: a factor or a term left out or used twice.

With OptNet's d_z, d_λ and d_ν: ∂L/∂P = ½(d_z·zᵀ + z·d_zᵀ), ∂L/∂h = −λ∘d_λ, ∂L/∂G = λ∘d_λ·zᵀ + λ·d_zᵀ and
∂L/∂A = d_ν·zᵀ + ν·d_zᵀ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction

from implicitgrad.checks.program.diagnosis.adjoint import KINDS
from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial, Values, mapped, scaled
from implicitgrad.model.program.problem import RowKind, product

ZERO = Fraction(0)
Factors = dict[int, tuple[Fraction, Fraction]]
"""λ and d_λ by the numbers of the inequalities."""
FORMS_OF_G = (
    ("d_λ·zᵀ + λ·d_zᵀ", "is λ left out of the first term?", 0, 1),
    ("λ∘d_λ·zᵀ + d_zᵀ", "is λ left out of the second term?", 1, 0),
    ("d_λ·zᵀ + d_zᵀ", "is λ left out?", 0, 0),
    ("λ∘(d_λ·zᵀ + λ·d_zᵀ)", "is λ a factor twice, as in equation 8 of OptNet?", 1, 2),
    ("λ²∘d_λ·zᵀ + λ·d_zᵀ", "is λ a factor twice in the first term?", 2, 1),
    ("λ²∘d_λ·zᵀ + λ²·d_zᵀ", "is λ a factor twice?", 2, 2),
    ("λ∘d_λ·zᵀ", "is the term λ·d_zᵀ left out?", 1, None),
    ("λ·d_zᵀ", "is the term λ∘d_λ·zᵀ left out?", None, 1),
)
"""A formula, a question, and the powers of λ in its terms; None for a term that it lacks."""


def unsolved(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect ∂L/∂z in place of ∂L/∂q."""
    if trial.key == "dL_dq":
        g = trial.solution.program.losses[trial.loss].z
        for sign, name in ((1, "∂L/∂z"), (-1, "−∂L/∂z")):
            message = f"the claim equals {name}: was the solution with the KKT matrix left out?"
            yield Candidate("unsolved", message, scaled([g], sign))


def quadratic(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect doubled off-diagonals of ∂L/∂P, a ½ left out, or one of the two terms alone."""
    if trial.parameter != "P":
        return
    whole = scaled(trial.correct, 2)
    doubled = [[one if i == j else row[j] for j, one in enumerate(trial.correct[i])] for i, row in enumerate(whole)]
    message = (
        "the claim has twice the off-diagonal entries: an entry of ∂L/∂P is the derivative in that entry of P alone, "
        "not in it and its mirror image together"
    )
    yield Candidate("off-diagonal", message, doubled)
    upper = [[value if i <= j else ZERO for j, value in enumerate(row)] for i, row in enumerate(doubled)]
    message = "the claim is the gradient in the upper triangle of P, of which an entry stands for two: ∂L/∂P has both"
    yield Candidate("off-diagonal", message, upper)
    message = f"the claim is d_z·zᵀ + z·d_zᵀ, and {trial.target} is half of it: is the ½ left out?"
    yield Candidate("half", message, whole)
    response = trial.systems.regular(trial.solution.active)
    if response is None:
        return
    z, d_z = trial.systems.point, response.losses[trial.loss][: trial.systems.program.unknowns]
    for name, first, second in (("d_z·zᵀ", d_z, z), ("z·d_zᵀ", z, d_z)):
        message = f"the claim is {name}, and {trial.target} is ½(d_z·zᵀ + z·d_zᵀ): is it not made symmetric?"
        yield Candidate("symmetric", message, [[a * b for b in second] for a in first])


def multiplier(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect a formula with too few or too many factors λ, or with one of two terms."""
    if trial.of != "dL" or trial.parameter not in ("h", "lb", "ub", "G", "A"):
        return
    response = trial.systems.regular(trial.solution.active)
    if response is None:
        return
    row, active = response.losses[trial.loss], response.active
    if trial.parameter == "A":
        first, second = _terms_of_A(trial, row)
        for name, values, other in (("d_ν·zᵀ", first, "ν·d_zᵀ"), ("ν·d_zᵀ", second, "d_ν·zᵀ")):
            message = f"the claim is {name}, and {trial.target} is d_ν·zᵀ + ν·d_zᵀ: is the term {other} left out?"
            yield Candidate("multiplier", message, values)
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
    for i, slack in enumerate(systems.canonical.slacks(systems.point)):
        if i in active:
            value = trial.solution.multipliers[i]
            if value:
                yield i, (value, -row[n + active.index(i)] / value)
        else:
            yield i, (ZERO, product(systems.canonical.C[i], row[:n]) / slack if inactive_too else ZERO)


def _of_bounds(trial: ProgramTrial, found: Factors) -> Iterator[Candidate]:
    """Yield candidates for ∂L/∂h, ∂L/∂lb or ∂L/∂ub."""
    for formula, doubt, power in (("−d_λ", "is λ left out?", 0), ("−λ²·d_λ", "is λ a factor twice?", 2)):
        values: list[Fraction | None] = [ZERO] * len(trial.claimed[0])
        for i, (value, change) in found.items():
            inequality = trial.solution.inequalities[i]
            if inequality.kind is KINDS[trial.parameter]:
                values[inequality.number] = -inequality.sign * value**power * change
        message = f"the claim is {formula}, and {trial.target} is −λ·d_λ: {doubt}"
        yield Candidate("multiplier", message, [values])


def _of_G(
    trial: ProgramTrial, row: tuple[Fraction, ...], found: Factors, nothing: Collection[int]
) -> Iterator[Candidate]:
    """Yield candidates for ∂L/∂G. nothing : the inequalities whose rows are 0."""
    z, d_z = trial.systems.point, row[: trial.systems.program.unknowns]
    numbers = [trial.systems.quantities.rows[RowKind.INEQUALITY, i] for i in range(len(trial.claimed))]
    for formula, doubt, first, second in FORMS_OF_G:
        values: list[list[Fraction | None]] = []
        for i in numbers:
            if i not in found:
                values.append([None] * len(z))
                continue
            value, change = found[i]
            a = ZERO if first is None or i in nothing else value**first * change
            b = ZERO if second is None or i in nothing else value**second
            values.append([a * x + b * d for x, d in zip(z, d_z, strict=True)])
        message = f"the claim is {formula}, and {trial.target} is λ∘d_λ·zᵀ + λ·d_zᵀ: {doubt}"
        yield Candidate("multiplier", message, values)


def with_negative_nu(trial: ProgramTrial) -> Values | None:
    """Return ∂L/∂A with −ν in place of ν; None if K is singular."""
    response = trial.systems.regular(trial.solution.active)
    if response is None:
        return None
    first, second = _terms_of_A(trial, response.losses[trial.loss])
    return mapped(lambda a, b: None if b is None else a - b, first, second)


def _terms_of_A(trial: ProgramTrial, row: tuple[Fraction, ...]) -> tuple[list[list[Fraction]], Values]:
    """Return d_ν·zᵀ and ν·d_zᵀ, of which ∂L/∂A is the sum. row : a gradient over (q, d, b)."""
    program, duals = trial.systems.program, trial.solution.equality_multipliers
    d_z, d_nu = row[: program.unknowns], row[len(row) - len(program.b) :]
    first = [[-change * entry for entry in trial.systems.point] for change in d_nu]
    return first, [[None if dual is None else dual * entry for entry in d_z] for dual in duals]

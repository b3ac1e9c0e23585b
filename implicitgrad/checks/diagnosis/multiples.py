"""A multiple of what is correct: its negative, some signs wrong, a missing or superfluous factor, zeros."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from implicitgrad.checks.diagnosis.suspicions import multiple_of, negative_of, wrong_signs, zeros
from implicitgrad.checks.diagnosis.trial import (
    Comparison,
    Hypothesis,
    JacobianTrial,
    LossTrial,
    Trial,
    explains,
    flat,
    matches,
)
from implicitgrad.model.claims import ClaimedMatrix

MAX_TRIED = 8
"""The most rows or columns for which single entries of a claim along a constraint are tried."""
NEARLY_ONE = Fraction(1, 50)
"""A factor this close to 1 is not a plausible mistake."""
USUAL_FACTORS = (2, 3, 4, 10, 100, 1000)


def zero(trial: Trial) -> Iterator[Hypothesis]:
    """Suspect a claim that is 0 throughout: the derivative was cut off."""
    if not any(map(any, trial.matrix.entries)):
        yield Hypothesis(zeros(trial.noun))


def factor(trial: Trial) -> Iterator[Hypothesis]:
    """Suspect a multiple of what is correct."""
    for f in _factors(trial):
        yield Hypothesis(multiple_of(f, trial.target), trial.matrix.divided_by(f), f)


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


def negative(trial: Trial) -> Iterator[Hypothesis]:
    """Suspect the sign of the whole claim."""
    yield Hypothesis(negative_of(trial.target), trial.matrix.divided_by(-1))


def signs(trial: Trial) -> Iterator[Hypothesis]:
    """Suspect the signs of some entries, or of one if a constraint combines the entries."""
    if isinstance(trial, JacobianTrial) and trial.context.free:
        return
    entries = trial.matrix.entries
    tried: list[list[tuple[int, int]]] = []
    if not trial.is_wide:
        tried = [_with_wrong_signs(trial.compared)]
    elif max(len(entries), len(entries[0])) <= MAX_TRIED and trial.has_several_wrong:
        tried = [[(i, j)] for i, row in enumerate(entries) for j, value in enumerate(row) if value]
    rows = ["L"] if isinstance(trial, LossTrial) else trial.context.y
    for cells in filter(None, tried):
        names = [f"∂{rows[i]}/∂{trial.x[j]}" for i, j in cells]
        yield Hypothesis(wrong_signs(names), _with_signs_flipped(trial.matrix, cells))


def _with_wrong_signs(compared: Comparison) -> list[tuple[int, int]]:
    """Return the positions of the entries with the wrong sign, if nothing else is wrong."""
    sizes = [tuple(map(abs, flat(rows))) for rows in (compared.claimed, compared.correct)]
    return compared.wrong() if matches(sizes[0], flat(compared.tolerances), sizes[1]) else []


def _with_signs_flipped(matrix: ClaimedMatrix, cells: Iterable[tuple[int, int]]) -> ClaimedMatrix:
    entries = [list(row) for row in matrix.entries]
    for i, j in cells:
        value = entries[i][j]
        entries[i][j] = None if value is None else -value
    return matrix._replace(entries=tuple(map(tuple, entries)))

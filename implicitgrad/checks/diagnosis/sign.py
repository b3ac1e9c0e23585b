"""Wrong signs, of all entries or of some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from implicitgrad.checks.diagnosis.trial import Comparison, Hypothesis, JacobianTrial, LossTrial, Trial, flat, matches
from implicitgrad.model.claims import ClaimedMatrix
from implicitgrad.model.verdict import Suspicion

MAX_NAMES = 3
MAX_TRIED = 8
"""The most rows or columns for which single entries of a claim along a constraint are tried."""


def negative(trial: Trial) -> Iterator[Hypothesis]:
    """Suspect the sign of the whole claim."""
    yield Hypothesis(flipped_suspicion(trial.target), trial.matrix.divided_by(-1))


def flipped_suspicion(target: str) -> Suspicion:
    """Return the suspicion that a claim is the negative of ``target``."""
    return Suspicion("sign", f"the claim is the negative of {target}: is a sign flipped?")


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
        listed = ", ".join(names[:MAX_NAMES]) + (f" and {len(names) - MAX_NAMES} more" if names[MAX_NAMES:] else "")
        suspicion = Suspicion("sign", f"the claim is right but for the sign of {listed}")
        yield Hypothesis(suspicion, _with_signs_flipped(trial.matrix, cells))


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

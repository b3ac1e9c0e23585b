"""Rows for columns, or rows, columns or entries in another order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from implicitgrad.checks.diagnosis.trial import Comparison, Hypothesis, JacobianTrial, Trial, matches
from implicitgrad.model.claims import ClaimedMatrix
from implicitgrad.model.verdict import Suspicion

MAX_EXCHANGED = 8
"""The most inputs for which exchanges of two columns of a claim along a constraint are tried."""


def transposed(trial: Trial) -> Iterator[Hypothesis]:
    """Suspect that a square ∂y/∂x has its rows for its columns."""
    entries = trial.matrix.entries
    if not isinstance(trial, JacobianTrial) or len(entries) != len(entries[0]):
        return
    turned = trial.matrix.transposed()
    message = "the claim is the transpose of a valid ∂y/∂x: has it a row for each unknown y?"
    yield Hypothesis(Suspicion("transpose", message), turned)
    message = "the claim is the negative transpose of a valid ∂y/∂x"
    yield Hypothesis(Suspicion("transpose", message), turned.divided_by(-1))


def order(trial: Trial) -> Iterator[Hypothesis]:
    """Suspect another order of the columns, or of the rows; two exchanged where no entry is compared by itself."""
    yield from _exchanged_columns(trial) if trial.is_wide else _ordered_columns(trial)
    if isinstance(trial, JacobianTrial):
        yield from _exchanged_rows(trial) if trial.context.free else _ordered_rows(trial)


def find_order(compared: Comparison) -> list[int] | None:
    """Return for each claimed row its correct position, if these are a permutation; correct rows stay in place."""
    n = len(compared.claimed)
    if n != len(compared.correct) or n < 2:
        return None
    misplaced = [i for i, rows in enumerate(zip(*compared, strict=True)) if not matches(*rows)]
    unassigned, found = list(misplaced), list(range(n))
    for i in misplaced:
        row, tolerances = compared.claimed[i], compared.tolerances[i]
        k = next((k for k in unassigned if matches(row, tolerances, compared.correct[k])), None)
        if k is None:
            return None
        unassigned.remove(k)
        found[i] = k
    return found if misplaced else None


def with_rows_ordered(matrix: ClaimedMatrix, permutation: Sequence[int]) -> ClaimedMatrix:
    """Return the claim with its row i moved to row permutation[i]."""
    places = sorted(range(len(permutation)), key=permutation.__getitem__)
    return matrix._replace(
        entries=tuple([matrix.entries[i] for i in places]), roundings=tuple([matrix.roundings[i] for i in places])
    )


def _with_columns_ordered(matrix: ClaimedMatrix, permutation: Sequence[int]) -> ClaimedMatrix:
    return with_rows_ordered(matrix.transposed(), permutation).transposed()


def _exchange(n: int, i: int, k: int) -> list[int]:
    permutation = list(range(n))
    permutation[i], permutation[k] = k, i
    return permutation


def _ordered_columns(trial: Trial) -> Iterator[Hypothesis]:
    found = find_order(trial.compared.transposed())
    if found is None:
        return
    if isinstance(trial, JacobianTrial):
        names = ", ".join(trial.x[m] for m in found)
        message = f"the claim's columns are those of a valid ∂y/∂x in the order {names}"
    else:
        names = ", ".join(f"∂L/∂{trial.x[m]}" for m in found)
        message = f"the claim's entries are right in another order: {names}"
    yield Hypothesis(Suspicion("permuted", message), _with_columns_ordered(trial.matrix, found))


def _ordered_rows(trial: JacobianTrial) -> Iterator[Hypothesis]:
    found = find_order(trial.compared)
    if found is not None:
        names = ", ".join(trial.context.y[i] for i in found)
        message = f"the claim's rows are those of ∂y/∂x in the order {names}"
        yield Hypothesis(Suspicion("permuted", message), with_rows_ordered(trial.matrix, found))


def _exchanged_columns(trial: Trial) -> Iterator[Hypothesis]:
    """Suspect that two columns, combined with others along a constraint, are exchanged."""
    x = trial.x
    if len(x) > MAX_EXCHANGED or not trial.has_several_wrong:
        return
    what = "columns" if isinstance(trial, JacobianTrial) else "entries"
    for i, k in combinations(range(len(x)), 2):
        message = f"with the {what} of {x[i]} and {x[k]} exchanged the claim is valid"
        corrected = _with_columns_ordered(trial.matrix, _exchange(len(x), i, k))
        yield Hypothesis(Suspicion("permuted", message), corrected)


def _exchanged_rows(trial: JacobianTrial) -> Iterator[Hypothesis]:
    """Suspect two rows i and k of J: their exchange adds (aₖ − aᵢ)·(Jᵢ − Jₖ) to A·J, and must correct one entry."""
    J, A, y = trial.reduced, trial.context.system.A, trial.context.y
    if len(J) > 2 and not trial.has_several_wrong:
        return
    AJ, slack, BT = trial.compared
    r, m = next(iter(trial.compared.wrong()), (0, 0))
    a, missing = A[r], BT[r][m] - AJ[r][m]
    most = slack[r][m] + sum(map(abs, a)) * max(tolerances[m] for tolerances in trial.claim.tolerances)
    for i, k in combinations(range(len(J)), 2):
        if abs((a[k] - a[i]) * (J[i][m] - J[k][m]) - missing) <= most:
            message = f"with the rows of {y[i]} and {y[k]} exchanged the claim is valid"
            corrected = with_rows_ordered(trial.matrix, _exchange(len(J), i, k))
            yield Hypothesis(Suspicion("permuted", message), corrected)

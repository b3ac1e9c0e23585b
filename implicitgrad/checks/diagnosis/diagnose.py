"""Try mistakes on a wrong claim, in order, and describe those that explain it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from implicitgrad.checks.derivatives.claim import Claim
from implicitgrad.checks.derivatives.contradictions import implied_entries, unique_entries
from implicitgrad.checks.derivatives.feasibility import is_valid
from implicitgrad.checks.derivatives.significance import significant_tolerances
from implicitgrad.checks.diagnosis.formula import formula, other_loss
from implicitgrad.checks.diagnosis.multiples import factor, negative, signs, zero
from implicitgrad.checks.diagnosis.order import find_order, order, transposed, with_rows_ordered
from implicitgrad.checks.diagnosis.rounded_input import rounded_input, with_rounded_input
from implicitgrad.checks.diagnosis.rounding import rounding
from implicitgrad.checks.diagnosis.suspicions import negative_of
from implicitgrad.checks.diagnosis.trial import Comparison, Hypothesis, JacobianTrial, LossTrial, Trial, explains
from implicitgrad.checks.matrices import complete
from implicitgrad.model.claims import ClaimedMatrix
from implicitgrad.model.solution import PartialMatrix, Solution
from implicitgrad.model.verdict import Suspicion

MISTAKES: tuple[Callable[[Trial], Iterator[Hypothesis]], ...] = (
    zero, negative, other_loss, formula, transposed, factor, signs, order,
)  # fmt: skip
"""Each yields the hypotheses of one kind of mistake; rounding is suspected after all of them."""
MAX_JACOBIAN_SIZE = 64
"""The most rows or columns of a ∂y/∂x that mistakes are tried on; beyond it trials take too long."""


def diagnose(claim: Claim, related: Sequence[Solution]) -> tuple[Suspicion, ...]:
    """Return the mistakes that explain a wrong claim, mostly one or none.

    related : solutions of systems with the same A and B, whose ∂L/∂x may have been taken for this one's.

    If A looks printed, mistakes are tried with the tolerances that its rounding requires.
    """
    widened = with_rounded_input(claim)
    if widened is None or not is_valid(widened):
        return _diagnose(widened or claim, related)
    mistakes = tuple([one for one in _diagnose(claim, related) if one.code != "rounding"])
    return mistakes or ((rounded_input(widened),) if significant_tolerances(widened) is None else ())


def _diagnose(claim: Claim, related: Sequence[Solution]) -> tuple[Suspicion, ...]:
    if claim.is_gradient:
        return _diagnose_losses(claim, related)
    values = complete(claim.values)
    if values is None or not values[0] or max(len(values), len(values[0])) > MAX_JACOBIAN_SIZE:
        return ()
    found = _first_confirmed(JacobianTrial(claim, values))
    suspicion = found.suspicion if found is not None else rounding(claim)
    return () if suspicion is None else (suspicion,)


def _first_confirmed(trial: Trial) -> Hypothesis | None:
    hypotheses = (hypothesis for mistake in MISTAKES for hypothesis in mistake(trial))
    return next(filter(trial.confirms, hypotheses), None)


def _diagnose_losses(claim: Claim, related: Sequence[Solution]) -> tuple[Suspicion, ...]:
    """Return the mistakes that turn each ∂L/∂x that is wrong into what is claimed."""
    K, known = len(claim.values), implied_entries(claim) | unique_entries(claim)
    wanted = tuple([tuple([known.get((k, m)) for m in range(len(claim.context.x))]) for k in range(K)])
    exchanged = _exchanged_losses(claim, wanted)
    if exchanged is not None:
        return (exchanged,)
    wrong = [k for k in range(K) if _is_wrong(claim, wanted, k)]
    found = {k: mistake for k in wrong if (mistake := _mistake_in(claim, wanted, k, related)) is not None}
    is_explained = len(found) == len(wrong) and _explain_all(claim, found)
    if not is_explained and _is_negative(claim):
        return (negative_of(LossTrial.target),)
    if not is_explained and K == 1:
        found = {}
    if not found:
        rounded = None if _is_far(claim, wanted) else rounding(claim)
        return () if rounded is None else (rounded,)
    messages = {mistake.suspicion for mistake in found.values()}
    has_right_row = any(any(row) for k, row in enumerate(claim.matrix.entries) if k not in found)
    is_of_all = not has_right_row or all(mistake.corrected is None for mistake in found.values())
    if is_explained and is_of_all and len(messages) == 1:
        return tuple(messages)
    suspicions = [(mistake.suspicion, f"the claimed ∂L{k + 1}/∂x") for k, mistake in found.items()]
    return tuple([one._replace(message=one.message.replace("the claim", claimed, 1)) for one, claimed in suspicions])


def _exchanged_losses(claim: Claim, wanted: PartialMatrix) -> Suspicion | None:
    """Suspect that rows of different losses are exchanged."""
    claimed, correct = complete(claim.values), complete(wanted)
    if claimed is None or correct is None:
        return None
    order = find_order(Comparison(claimed, claim.tolerances, correct)) or []
    moved = [i for i, k in enumerate(order) if i != k]
    is_explained = all(explains(claimed[i], claim.tolerances[i], correct[order[i]]) for i in moved)
    if not moved or not is_explained or not is_valid(_corrected(claim, with_rows_ordered(claim.matrix, order))):
        return None
    names = ", ".join(f"∂L{k + 1}/∂x" for k in order)
    return Suspicion("permuted", f"the claim's rows are right in another order: {names}")


def _mistake_in(claim: Claim, wanted: PartialMatrix, k: int, related: Sequence[Solution]) -> Hypothesis | None:
    """Return the mistake that turns the ∂L/∂x of one loss into what is claimed."""
    rows = complete((claim.values[k], wanted[k]))
    if rows is None:
        return None
    compared = Comparison((rows[0],), (claim.tolerances[k],), (rows[1],))
    return _first_confirmed(LossTrial(claim, wanted, k, compared, related))


def _is_wrong(claim: Claim, wanted: PartialMatrix, k: int) -> bool:
    entries = zip(claim.values[k], claim.tolerances[k], wanted[k], strict=True)
    return any(value is not None and e is not None and abs(value - e) > t for value, t, e in entries)


def _is_far(claim: Claim, wanted: PartialMatrix) -> bool:
    """Return whether an entry is off by a hundredth of the largest: no tolerance need be tried, which takes long."""
    rows = zip(claim.values, wanted, strict=True)
    known = [(c, e) for row in rows for c, e in zip(*row, strict=True) if c is not None and e is not None]
    largest = max((abs(value) for row in claim.matrix.entries for value in row if value), default=0)
    return any(100 * abs(c - e) > largest for c, e in known)


def _explain_all(claim: Claim, found: dict[int, Hypothesis]) -> bool:
    """Return whether the claim holds without the mistakes, as far as they can be undone."""
    entries, roundings = list(claim.matrix.entries), list(claim.matrix.roundings)
    for k, mistake in found.items():
        if mistake.corrected is None:
            return True
        entries[k], roundings[k] = mistake.corrected.entries[0], mistake.corrected.roundings[0]
    return is_valid(_corrected(claim, claim.matrix._replace(entries=tuple(entries), roundings=tuple(roundings))))


def _is_negative(claim: Claim) -> bool:
    """Return whether the claim with all signs flipped holds, and zeros in its place do not."""
    negated = _corrected(claim, claim.matrix.divided_by(-1))
    zeros = Claim(negated.matrix.zeros(), claim.context, claim.jacobian, negated.written_tolerances)
    return is_valid(negated) and not is_valid(zeros)


def _corrected(claim: Claim, matrix: ClaimedMatrix) -> Claim:
    return Claim(matrix, claim.context, claim.jacobian)

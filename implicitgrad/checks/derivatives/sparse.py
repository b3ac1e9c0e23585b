"""Judge a claimed ∂L/∂x of a large sparse system, or rows and columns of ∂y/∂x, in doubles, all entries at once."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from implicitgrad.checks.context import Context
from implicitgrad.checks.diagnosis.formula import EXPLICIT, FORGOTTEN
from implicitgrad.checks.diagnosis.multiples import USUAL_FACTORS
from implicitgrad.checks.diagnosis.suspicions import SIGNS, multiple_of, negative_of
from implicitgrad.checks.outcomes import not_finite, proves_nothing
from implicitgrad.checks.tolerances import MAX_GROWTH, NOISE
from implicitgrad.model.claims import ClaimedMatrix
from implicitgrad.model.verdict import Deviation, Outcome, Suspicion, show_short
from implicitgrad.numbers.ball import UNIT_ROUNDOFF, Array, BallMatrix
from implicitgrad.numbers.doubles import Ball
from implicitgrad.numbers.rounding import to_float
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.text.characters import count

STABLE = 64
"""The rounding errors of a stable solution, in units of the unit roundoff and the sensitivity of the answer."""
LARGEST_DOUBLE = float(np.finfo(float).max)


class Compared(NamedTuple):
    """Claimed entries (K, P), NaN where nothing is claimed, the correct ones and the largest differences allowed."""

    claimed: Array
    correct: Array
    tolerances: Array
    """What the claim may differ by, with the error of the correct entries added."""
    of_claim: Array
    """What the claim itself may differ by."""

    def equals(self, candidate: Array) -> bool:
        """Return whether the claim is this matrix, which is nonzero beyond the tolerances."""
        is_near = np.abs(self.claimed - candidate) <= self.tolerances
        return bool(is_near.all() and (np.abs(candidate) > self.tolerances).any())


def judge_sparse(matrix: ClaimedMatrix, context: Context) -> Outcome:
    """Judge a claimed ∂L/∂x or ∂y/∂x: every entry must be within its tolerance.

    Computed numbers may have the error of a stable solution, of other numbers half a unit of the last place is allowed.
    """
    outcome = Outcome(matrix.key, holds=False, claimed=matrix.summary())
    if matrix.non_finite:
        return not_finite(outcome, matrix)
    with np.errstate(over="ignore"):  # the bounds of entries far beyond others may overflow
        compared = _compared(matrix, context)
    differences = np.abs(compared.claimed - compared.correct)
    is_wrong = ~(differences <= compared.tolerances)
    total = count(differences.size, "entry")
    if is_wrong.any():
        worst = np.where(np.isnan(differences), np.inf, differences - compared.tolerances)
        deviation = _deviation(matrix, context, compared, worst)
        failed = outcome.failed([deviation], f"{int(is_wrong.sum())} of {total}")
        suspicion = next(_suspicions(matrix.key, compared, context), None)
        return failed._replace(failing=int(is_wrong.sum()), suspicions=() if suspicion is None else (suspicion,))
    errors = compared.tolerances - compared.of_claim
    is_hidden = (differences > compared.of_claim) & (errors > float(MAX_GROWTH) * np.abs(compared.correct))
    is_hidden |= compared.tolerances >= LARGEST_DOUBLE
    if is_hidden.any():
        i, j = _largest(np.where(is_hidden, differences / compared.tolerances, -1.0))
        error, correct = (show_short(Fraction(float(some[i, j]))) for some in (compared.tolerances, compared.correct))
        reason = f"{matrix.name(i, j)} is computed as {correct}, with an error that may be as large as {error}"
        return outcome.undecided(reason)
    sizes = _root_mean_squares(compared.correct, int(matrix.key == "dL_dx"))
    limits = np.where(sizes > 0, np.maximum(sizes / 2, float(context.claims.atol or 0)), np.inf)
    if (differences > limits).any():
        i, j = _largest(np.minimum(compared.tolerances, differences) / limits)
        allowed, size = Fraction(float(compared.tolerances[i, j])), Fraction(float(sizes[i, j]))
        return outcome.undecided(proves_nothing(allowed, matrix.name(i, j), size))
    return outcome._replace(holds=True, worst=_deviation(matrix, context, compared, differences))


def _compared(matrix: ClaimedMatrix, context: Context) -> Compared:
    claimed, roundings = _doubles(matrix.entries), _doubles(matrix.roundings)
    found, sensitivity = _answer(matrix.key, context), context.solution.sensitivities[matrix.key == "dL_dx"]
    assert isinstance(sensitivity, BallMatrix)
    rtol, atol = context.claims.rtol, context.claims.atol
    tolerances = roundings
    if rtol is not None or atol is not None:
        tolerances = float(atol or 0) + float(rtol or 0) * np.abs(claimed)
    elif matrix.unit_roundoff is not None:
        largest = np.abs(found.array).max(axis=int(matrix.key == "dL_dx"), keepdims=True)
        growth = STABLE * float(matrix.unit_roundoff)
        limit = max(float(MAX_GROWTH), growth) * largest
        tolerances = roundings + np.minimum(growth * sensitivity.array, limit)
    error = found.error
    if error is None:
        error = float(NOISE) * np.abs(found.array).max() + STABLE * UNIT_ROUNDOFF * sensitivity.array
    own = tolerances + 4 * UNIT_ROUNDOFF * np.abs(found.array)
    return Compared(claimed, found.array, np.minimum(own + error, LARGEST_DOUBLE), np.minimum(own, LARGEST_DOUBLE))


def _root_mean_squares(matrix: Array, axis: int) -> Array:
    """Return the root mean square along an axis for each entry, without overflow."""
    largest = np.abs(matrix).max(axis=axis, keepdims=True)
    largest = np.where(largest > 0, largest, 1.0)
    means = largest * np.sqrt(((matrix / largest) ** 2).mean(axis=axis, keepdims=True))
    found: Array = np.broadcast_to(means, matrix.shape)
    return found


def _answer(key: str, context: Context) -> BallMatrix:
    found = context.family(key).answer
    assert isinstance(found, BallMatrix)
    return found


def _doubles(rows: Any) -> Array:  # noqa: ANN401 (rows of Fractions or None)
    return np.array([[np.nan if entry is None else _double(entry) for entry in row] for row in rows])


def _double(entry: Fraction) -> float:
    found = to_float(entry)
    return found if found is not None else float("inf") if entry > 0 else float("-inf")


def _largest(array: Array) -> tuple[int, int]:
    i, j = divmod(int(array.argmax()), array.shape[1])
    return i, j


def _deviation(matrix: ClaimedMatrix, context: Context, compared: Compared, sizes: Array) -> Deviation:
    """Return the entry whose size is the largest."""
    i, j = _largest(sizes)
    found = _answer(matrix.key, context)
    error = 0.0 if found.error is None else float(np.broadcast_to(found.error, found.shape)[i, j])
    correct = Ball(float(compared.correct[i, j]), error)
    meaning = f"∂{context.family(matrix.key).rows[i]}/∂{context.x[j]}"
    tolerance = Fraction(float(compared.tolerances[i, j]))
    return Deviation(matrix.name(i, j), meaning, matrix.texts[i][j], matrix.entries[i][j], correct, tolerance)


def _suspicions(key: str, compared: Compared, context: Context) -> Iterator[Suspicion]:
    """Yield the mistakes that explain a wrong claim completely."""
    system, target = context.system, context.family(key).name
    if compared.equals(-compared.correct):
        yield negative_of(target)
    for name, code, doubt, candidate in _wrong_formulas(context) if key == "dL_dx" else ():
        for sign, mark, also in SIGNS:
            if compared.equals(sign * candidate):
                yield Suspicion(code, f"the claim equals {mark}{name}: {doubt}{also}")
    sizes = {system.equations, system.unknowns, system.inputs, *USUAL_FACTORS} - {0, 1}
    for n in sorted(sizes):
        for factor in (Fraction(n), Fraction(1, n), Fraction(-n), Fraction(-1, n)):
            if compared.equals(float(factor) * compared.correct):
                yield multiple_of(factor, target)


def _wrong_formulas(context: Context) -> Iterator[tuple[str, str, str, Array]]:
    """Yield the formula, code, question and value of what ∂L/∂x is mistaken for where x = A·y."""
    from implicitgrad.numbers.sparse import SparseMatrix

    system, A = context.system, context.system.A
    if (
        system.B is not None
        or system.shown
        or not isinstance(A, SparseMatrix)
        or not isinstance(system.dL_dy, BallMatrix)
    ):
        return
    g, turned = system.dL_dy.array, A.transposed()
    yield "∂L/∂y", "unsolved", "was the solution with Aᵀ left out?", g
    yield "A·∂L/∂y", "explicit", EXPLICIT, (A.array @ g.T).T
    yield "Aᵀ·∂L/∂y", "explicit", EXPLICIT, (turned.array @ g.T).T
    forgotten = solve_system(system._replace(A=turned), gradient_alone=True).dL_dx_rows
    if isinstance(forgotten, BallMatrix):
        yield "A⁻¹·∂L/∂y", "transpose", FORGOTTEN, forgotten.array

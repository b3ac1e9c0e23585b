"""Judge claims about the systems of a stack, each by itself unless a bound shows at once that it holds."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from implicitgrad.checks.judge import judge, solve_to_judge
from implicitgrad.checks.tolerances import MAX_GROWTH
from implicitgrad.model.stack import Index, SystemStack
from implicitgrad.model.stack_verdict import StackVerdict
from implicitgrad.model.verdict import Outcome, Verdict
from implicitgrad.numbers.ball import Array
from implicitgrad.readers.arrays.python_stacks import ClaimsOfStack
from implicitgrad.readers.claims.matrix import DOUBLE
from implicitgrad.readers.claims.reader import build_claims
from implicitgrad.solvers.floating.stacked import MAX_SIZE, solve_stacked

MARGIN = 1e-6
"""The relative distance from a tolerance at which rounding errors of its computation do not matter."""


def judge_stack(stack: SystemStack, claims: ClaimsOfStack, *, strict: bool) -> StackVerdict:
    """Judge claims. Raise InputError.

    strict : a claim fails that would hold whatever its numbers were.
    """
    failures: dict[int | Index, tuple[Outcome, ...]] = {}
    worst: tuple[int | Index, Verdict] | None = None
    largest = Fraction(-1)
    fixing_nothing: list[int | Index] = []
    keys = tuple([key for key in claims.parts if "." not in key])
    if prod(stack.shape):
        stack.system((0,) * len(stack.shape))  # refuses shapes and names that do not fit
    for k in np.flatnonzero(~certainly_hold(stack, claims)).tolist():
        index = tuple(map(int, np.unravel_index(k, stack.shape)))
        solution = solve_to_judge(stack.system(index))
        verdict = judge(solution, build_claims(claims.at(index), solution))
        verdict = verdict.strictly() if strict else verdict
        keys = tuple([outcome.key for outcome in verdict.outcomes])
        place = index[0] if len(index) == 1 else index
        if any(outcome.fixes_nothing for outcome in verdict.outcomes if outcome.holds):
            fixing_nothing.append(place)
        if not verdict.holds:
            failures[place] = verdict.failures
            excess = max(_excess(outcome) for outcome in verdict.failures)
            if excess > largest:
                largest, worst = excess, (place, verdict)
    return StackVerdict(prod(stack.shape), keys, failures, tuple(fixing_nothing), worst)


def certainly_hold(stack: SystemStack, claims: ClaimsOfStack) -> Array:
    """Return (S,), where the one claim, a ∂y/∂x or ∂L/∂x in floating point, is well within its tolerance.

    There A is proved to be invertible, and the tolerance, as in tolerances.py, is small enough to be significant, as in
    significance.py; and no entry is wrong by its own size, as in judge.py.
    """
    S, (M, N, P) = prod(stack.shape), stack.sizes
    undecided = np.zeros(S, dtype=bool)
    key, part = next(iter(claims.parts.items()))
    is_gradient = key == "dL_dx"
    losses = (N,) if not is_gradient else stack.losses
    if len(claims.parts) > 1 or key not in ("dy_dx", "dL_dx") or stack.doubles is None or losses is None:
        return undecided
    value: Any = part.value
    if M != N or N > MAX_SIZE or np.shape(value) != (*stack.shape, *losses, P) or {*map(type, value.flat)} != {float}:
        return undecided
    k = 4.0 * max(M, N, P) * float(part.unit_roundoff or DOUBLE)
    with np.errstate(all="ignore"):
        return _are_near(value.astype(float).reshape(S, -1, P), stack.doubles, k, is_gradient=is_gradient)


def _are_near(claimed: Array, doubles: Sequence[Array | None], k: float, *, is_gradient: bool) -> Array:
    A, B, g = doubles
    assert A is not None
    found = solve_stacked(A, B, g, None)
    answer, bound = (found.dL_dx, found.dL_dx_error) if is_gradient else (found.dy_dx, found.dy_dx_error)
    assert answer is not None
    usual = (np.sqrt(float(A.shape[-1])) if B is None else _norms(B)) / _norms(A)
    floors = usual[:, None] * np.linalg.norm(g, axis=-1) if is_gradient and g is not None else usual[:, None]
    sizes = np.linalg.norm(claimed, axis=-1) if is_gradient else _norms(claimed)[:, None]
    growth = np.minimum(k * found.condition, max(float(MAX_GROWTH), k))
    allowed = growth[:, None] * (sizes + floors)
    differences = np.abs(claimed - answer) + bound[:, None, None]
    is_near = (differences.max(axis=-1) <= allowed * (1 - MARGIN)).all(axis=1)
    least, most = np.abs(answer) - bound[:, None, None], np.abs(answer) + bound[:, None, None]
    keeps_size = ((differences < least) | (most <= k * (sizes + floors)[:, :, None] * (1 - MARGIN))).all(axis=(1, 2))
    means = np.sqrt((answer**2).mean(axis=2 if is_gradient else 1)) * (1 - MARGIN) - bound[:, None]
    is_significant = (allowed <= np.maximum(means / 2, float(MAX_GROWTH) * floors) * (1 - MARGIN)).all(axis=1)
    is_accurate = found.dy_dx_error * A.shape[-1] ** 2 <= MARGIN / 10 * np.abs(found.dy_dx).max(axis=(1, 2))
    certain: Array = found.is_certified & is_near & keeps_size & is_significant & is_accurate
    return certain


def _norms(a: Array) -> Array:
    found: Array = np.linalg.norm(a, axis=(-2, -1))
    return found


def _excess(outcome: Outcome) -> Fraction:
    """Return how far the worst entry of a claim is beyond its tolerance; 0 if it has none, or is undecided."""
    return max(outcome.worst.excess, Fraction(0)) if outcome.worst and not outcome.is_undecided else Fraction(0)

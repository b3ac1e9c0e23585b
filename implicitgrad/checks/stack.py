"""Judge claims about the systems of a stack, each by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import product
from math import prod

from implicitgrad.checks.judge import judge, solve_to_judge
from implicitgrad.model.spec import SourceValue
from implicitgrad.model.stack import Index, SystemStack
from implicitgrad.model.stack_verdict import StackVerdict
from implicitgrad.model.verdict import Outcome, Verdict
from implicitgrad.readers.claims import build_claims


def judge_stack(
    stack: SystemStack, claims_at: Callable[[Index], Mapping[str, SourceValue]], *, strict: bool
) -> StackVerdict:
    """Judge the claims that ``claims_at`` returns for each index. Raise InputError.

    strict : a claim fails that would hold whatever its numbers were.
    """
    failures: dict[int | Index, tuple[Outcome, ...]] = {}
    worst: tuple[int | Index, Verdict] | None = None
    largest = Fraction(-1)
    keys: tuple[str, ...] = ()
    for index in product(*map(range, stack.shape)):
        solution = solve_to_judge(stack.system(index))
        verdict = judge(solution, build_claims(claims_at(index), solution))
        verdict = verdict.strictly() if strict else verdict
        keys = keys or tuple([outcome.key for outcome in verdict.outcomes])
        if not verdict.holds:
            place = index[0] if len(index) == 1 else index
            failures[place] = verdict.failures
            excess = max(_excess(outcome) for outcome in verdict.failures)
            if excess > largest:
                largest, worst = excess, (place, verdict)
    return StackVerdict(prod(stack.shape), keys, failures, worst)


def _excess(outcome: Outcome) -> Fraction:
    """Return how far the worst entry of a claim is beyond its tolerance; 0 if it has none, or is undecided."""
    return max(outcome.worst.excess, Fraction(0)) if outcome.worst and not outcome.is_undecided else Fraction(0)

"""Judge claims at a rounded point of the equations, as far as the rounding leaves no doubt.

A claim fails if no solution that rounds to the point agrees with it within its tolerance, and holds if all do. A claim
with letters also holds if it holds wherever the equations do.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING
from decimal import Context as DecimalContext
from fractions import Fraction

from implicitgrad.checks.context import Context
from implicitgrad.checks.derivatives.claim import Claim
from implicitgrad.checks.derivatives.judge import judge_matrix
from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.model.verdict import Outcome, show
from implicitgrad.numbers.doubles import Ball
from implicitgrad.readers.claims.reader import build_claims
from implicitgrad.readers.equations.reader import add_linearization, linearize_without_point
from implicitgrad.readers.systems.build import build_system
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.symbolic.grammar.expressions import has_letters

NEGLIGIBLE = Fraction(1, 2**33)
"""An error this small, relative to max(1, |number|), is due to floating point and not to the point."""


def decide_at_rounded_point(outcome: Outcome, claim: Claim) -> Outcome:
    """Return the outcome, or an undecided one if another solution that rounds to the point could change it.

    outcome : that of the claim with the error of the point added to its tolerances.
    """
    matrix, context = claim.matrix, claim.context
    bound = context.solution.error_bounds[claim.is_gradient]
    if not outcome.holds and bound is not None:
        worst = outcome.worst
        if worst is None or worst.correct is None:
            return outcome
        return outcome._replace(worst=worst._replace(correct=Ball(worst.correct, bound)))
    strict = Claim(matrix, Context(context.solution, context.claims, is_strict=True), claim.jacobian)
    can_be_decided = bound is not None and all(
        tolerance >= 0
        for row, entries in zip(strict.written_tolerances, matrix.entries, strict=True)
        for tolerance, entry in zip(row, entries, strict=True)
        if entry is not None
    )
    if can_be_decided and judge_matrix(strict)[0].holds:
        return outcome
    if any(has_letters(text) for row in matrix.texts for text in row) and _holds_anywhere(claim):
        return outcome
    return outcome.undecided(_why_undecided(claim, bound))


def _why_undecided(claim: Claim, bound: float | None) -> str:
    system, name = claim.context.system, claim.family.name
    hint = "more decimals of it decide more"
    if system.equations == system.unknowns:
        hint = f"--solve-for {','.join(system.y)} decides more"
    if bound is None:
        return f"the point is rounded, and nothing bounds {name} near it; {hint}"
    known = next(_known_entries(claim), "")
    shown_bound = str(DecimalContext(prec=2, rounding=ROUND_CEILING).create_decimal_from_float(bound)).lower()
    return f"the point is rounded, and decides {name} only to ±{shown_bound}{known}; {hint}"


def _known_entries(claim: Claim) -> Iterator[str]:
    """Yield what is known of each determined entry that is not certain to be within its tolerance."""
    matrix, answer = claim.matrix, claim.family.answer
    if len(matrix.entries[0]) != claim.context.system.inputs:
        return
    for i, row in enumerate(answer.bounded_rows()):
        for j, number in enumerate(row):
            value = matrix.entries[i][j]
            if number is None or value is None or number.error <= NEGLIGIBLE:
                continue
            if abs(value - number) + Fraction(number.error) > matrix.roundings[i][j]:
                yield f": {matrix.name(i, j)} is {show(number)}, claimed {matrix.texts[i][j]}"


def _holds_anywhere(claim: Claim) -> bool:
    """Return whether the claim as written holds for the equations without a point."""
    from implicitgrad.checks.symbolic.judge import judge_symbolic

    system = claim.context.system
    spec = SystemSpec(system.name, {}, system.source)
    add_linearization(spec, linearize_without_point(system))
    solution = solve_system(build_system(spec))
    rows = [list(row) for row in claim.matrix.texts]
    claims = build_claims({claim.matrix.key: SourceValue(rows)}, solution)
    return all(outcome.holds for outcome in judge_symbolic(solution, claims))

"""Judge a claimed ∂y/∂x and a claimed ∂L/∂x.

A ∂y/∂x is valid exactly if A·∂y/∂x = B; a ∂L/∂x exactly if some valid ∂y/∂x yields it, namely the claimed one if there
is one; both along the constraint, if any. Both belong to a family particular + coefficients·Z and are judged alike:
first unique entries, then feasibility of the others, then whether the tolerance is small enough to be significant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from implicitgrad.checks.context import Context, is_at_rounded_point
from implicitgrad.checks.derivatives.claim import Claim
from implicitgrad.checks.derivatives.contradictions import (
    implied_entries,
    inconsistent_entries,
    largest_residual,
    nonzero_residuals,
)
from implicitgrad.checks.derivatives.feasibility import feasibility, is_valid
from implicitgrad.checks.derivatives.significance import insignificant, significant_tolerances
from implicitgrad.checks.feasibility.constraints import are_independent, infeasible_groups
from implicitgrad.checks.feasibility.decision import Decision
from implicitgrad.checks.matrices import complete, dot, root_above
from implicitgrad.checks.outcomes import lost_in_rounding, not_finite
from implicitgrad.checks.tolerances import tolerances_of_ill_conditioned, tolerances_of_well_conditioned
from implicitgrad.model.solution import Solution
from implicitgrad.model.verdict import Choice, Deviation, Outcome, show_short
from implicitgrad.text.characters import count


def judge_matrix(claim: Claim, related: Sequence[Solution] = ()) -> tuple[Outcome, Claim]:
    """Return the outcome, and the claim with the tolerances that decided it.

    related : solutions of systems with the same A and B, whose ∂L/∂x may have been claimed by mistake.
    """
    matrix, context = claim.matrix, claim.context
    outcome = Outcome(matrix.key, holds=False, claimed=matrix.summary())
    if matrix.non_finite:
        return not_finite(outcome, matrix), claim
    failed = _failed(outcome, claim)
    if failed is not None:
        widest = tolerances_of_ill_conditioned(matrix, context)
        if widest is not None and is_valid(claim.with_tolerances(widest)):
            return _beyond_precision(outcome, claim), claim
        from implicitgrad.checks.diagnosis.diagnose import diagnose

        return failed._replace(suspicions=diagnose(claim, related)), claim
    limit = significant_tolerances(claim)
    if limit is not None:
        limited = claim.with_tolerances(limit.tolerances)
        if not is_valid(limited):
            return insignificant(outcome, claim, limit), claim
        claim = limited
    if (lost := _lost_entry(claim)) is not None:
        condition = root_above(context.solution.condition_squared or Fraction(0))
        return outcome.undecided(lost_in_rounding(lost, condition)), claim
    return with_what_it_fixes(outcome, claim)._replace(worst=_largest_difference(claim)), claim


def with_what_it_fixes(outcome: Outcome, claim: Claim) -> Outcome:
    """Return the outcome of a claim that holds, with its conditions on the free parameters."""
    is_arbitrary = _is_arbitrary(claim)
    fixes_nothing = _why_nothing_is_fixed(claim.matrix.key, claim.context, is_arbitrary)
    return outcome._replace(holds=True, choices=tuple(_choices(claim, is_arbitrary)), fixes_nothing=fixes_nothing)


def _beyond_precision(outcome: Outcome, claim: Claim) -> Outcome:
    """Return the undecided outcome of a claim whose error is within the rounding errors of its type."""
    condition = show_short(root_above(claim.context.solution.condition_squared or Fraction(0)))
    bits = (claim.matrix.unit_roundoff or Fraction(1)).denominator.bit_length() - 1
    reason = (
        f"the condition of A is {condition}, and floating-point numbers of {bits} bits cannot carry the"
        " answer: rounding alone may have made the claim of it"
    )
    return outcome.undecided(reason)


def _lost_entry(claim: Claim) -> Deviation | None:
    """Return an entry that is wrong by its own size or more, and that only a bad condition allows.

    Its size is beyond the rounding errors of a well-conditioned system, unlike that of numbers that stand for 0.
    """
    matrix, context = claim.matrix, claim.context
    is_stated = context.claims.rtol is not None or context.claims.atol is not None
    if matrix.unit_roundoff is None or is_stated or is_at_rounded_point(context.system):
        return None
    particular = tuple(claim.family.particular)  # a row of doubles is converted at each access
    found = [(i, m) for i, m, difference in claim.unique_differences if difference >= abs(particular[i][m]) > 0]
    if not found:
        return None
    usual = claim.with_tolerances(tolerances_of_well_conditioned(matrix, context)).tolerances
    places = [(i, m) for i, m in found if abs(particular[i][m]) > usual[i][m]]
    return next((claim.deviation(i, m, particular[i][m]) for i, m in places), None)


def _failed(outcome: Outcome, claim: Claim) -> Outcome | None:
    """Return the outcome of a claim that fails, by an entry that is unique or because it is infeasible, else None."""
    deviations = list(claim.wrong_entries())
    reason = ""
    if not deviations:
        if feasibility(claim) is Decision.YES:
            return None
        if claim.jacobian is not None:
            reason = "it does not follow from the claimed ∂y/∂x"
        else:
            reason = f"no valid ∂y/∂x {'yields it' if claim.is_gradient else 'has all of it'}"
    if claim.is_gradient:
        deviations += _deviations_from_implied(claim)
    elif not deviations:
        equations = nonzero_residuals(claim)
        if equations:
            total = count(claim.context.system.equations * len(claim.context.x), "entry")
            return outcome.failed(equations, f"it does not solve A·∂y/∂x = B: {len(equations)} of {total}")
    if not deviations and claim.is_small:
        deviations = list(inconsistent_entries(claim))
    if deviations:
        counted = f"{len(deviations)} of {count(claim.matrix.entry_count, 'entry')}"
        return outcome.failed(deviations, f"{reason}: {counted}" if reason else counted)
    return _jointly_infeasible(outcome, claim, reason)


def _deviations_from_implied(claim: Claim) -> list[Deviation]:
    """Return the entries of a ∂L/∂x that differ from what other claimed numbers imply, in the columns that fail."""
    context, jacobian = claim.context, claim.jacobian
    columns = set(range(len(context.x) if context.free else 0))
    if claim.is_small and columns:
        given = [] if jacobian is None else jacobian.reduced_constraints
        groups = infeasible_groups([*claim.reduced_constraints, *given])
        columns = {m for group in groups for constraint in group for _, _, m in constraint.form}
    if not columns:
        return []
    coefficients = claim.family.coefficients
    implied = {(k, m): value for (k, m), value in implied_entries(claim).items() if any(coefficients[k])}
    if jacobian is not None and claim.is_small:
        own = {(constraint.row, constraint.column): constraint for constraint in claim.constraints}
        alone = {  # entries that the tolerance of the claimed ∂y/∂x does not allow, each by itself
            (k, m): value
            for (k, m), value in implied.items()
            if (one := own.get((k, claim.columns[m]))) is not None
            and next(infeasible_groups([one, *jacobian.constraints]), None)
        }
        implied = alone or implied
    return [
        claim.deviation(k, m, correct)
        for (k, m), correct in implied.items()
        if m in columns and (value := claim.values[k][m]) is not None and abs(value - correct) > claim.tolerances[k][m]
    ]


def _jointly_infeasible(outcome: Outcome, claim: Claim, reason: str) -> Outcome:
    """Return the outcome of a claim whose entries are possible separately but not together."""
    blocked = len(claim.constraints)
    if claim.is_small:
        group = next(infeasible_groups([*claim.constraints, *claim.given_constraints]), [])
        blocked = sum(constraint in claim.constraints for constraint in group)
    within = "" if claim.is_gradient else " within its tolerance"
    return outcome._replace(reason=f"{reason}{within}: {count(blocked, 'entry')} cannot hold together", failing=blocked)


def _is_arbitrary(claim: Claim) -> bool:
    """Return whether a valid claim could have had any numbers in place of its own."""
    context, jacobian = claim.context, claim.jacobian
    if not claim.is_gradient:
        is_constraining = context.solution.rank > 0 and claim.has_all_entries
    else:
        is_yielded = jacobian is not None and complete(jacobian.values) is not None and claim.has_all_entries
        is_constraining = not context.free or is_yielded
    given = [] if jacobian is None else jacobian.forms
    return not is_constraining and are_independent(claim.forms, given, context.rank)


def _why_nothing_is_fixed(key: str, context: Context, is_arbitrary: bool) -> str:
    """Return why no claim of these entries could be wrong, or "" if one could.

    is_arbitrary : any numbers could stand in place of the claimed ones.
    """
    if not context.x:
        return "no input can vary"
    if not is_arbitrary:
        return ""
    if key == "dL_dx":
        return "∂L/∂y is not in the row space of A, and for any ∂L/∂x there is a ∂y/∂x that yields it"
    if context.solution.rank == 0:
        return "A is 0, and any ∂y/∂x solves A·∂y/∂x = B"
    if not context.free:
        return "x is constrained, and entries that follow one another are left open"
    return "these entries may be anything, for others follow them"


def _choices(claim: Claim, is_arbitrary: bool) -> Iterator[Choice]:
    """Yield the conditions that a valid claim imposes on the free parameters, their values if it is a ∂y/∂x."""
    context, free = claim.context, claim.context.solution.general.free
    if not claim.is_gradient:
        for f, y in zip(context.free, free, strict=True):
            for value, x in zip(claim.values[f], context.solution.independent, strict=True):
                if value is not None:
                    yield Choice(((Fraction(1), y, x),), value)
    elif claim.jacobian is None or is_arbitrary:
        for m, x in enumerate(context.solution.independent):
            for *factors, value in context.row_reduced(claim.equations(m)):
                yield Choice(tuple([(factor, y, x) for factor, y in zip(factors, free, strict=True) if factor]), value)


def _largest_difference(claim: Claim) -> Deviation | None:
    """Return the entry of a valid claim with the largest difference from its known value, if rounding is allowed for.

    A claim that was not computed in floating point must have a difference to be worth mentioning.
    """
    context, matrix = claim.context, claim.matrix
    is_stated = bool(context.claims.rtol or context.claims.atol)
    is_rounded = is_stated or matrix.unit_roundoff is not None or any(any(row) for row in matrix.roundings)
    if is_at_rounded_point(context.system) or not is_rounded:
        return None
    found = [_known_entry(claim)]
    if not claim.is_gradient and context.free:
        found.append(largest_residual(claim))
    deviations = [one for one in found if one is not None]
    worst = max(deviations, key=lambda one: abs(one.difference or Fraction(0)), default=None)
    return worst if matrix.unit_roundoff is not None or (worst is not None and worst.difference) else None


def _known_entry(claim: Claim) -> Deviation | None:
    """Return the entry with the largest difference from a value that is unique or that the claimed ∂y/∂x yields."""
    jacobian, coefficients = claim.jacobian, claim.family.coefficients
    yielded = {} if jacobian is None else implied_entries(claim)
    differences = claim.unique_differences + [
        (k, m, abs(value - correct))
        for (k, m), correct in yielded.items()
        if any(coefficients[k]) and (value := claim.values[k][m]) is not None
    ]
    if not differences:
        return None
    i, m, _ = max(differences, key=lambda difference: difference[2])
    found = claim.deviation(i, m, yielded.get((i, m), claim.family.particular[i][m]))
    if jacobian is None or not any(coefficients[i]):
        return found
    g = (claim.context.system.dL_dy or ())[i]
    jacobian_error = dot(tuple(map(abs, g)), [tolerances[m] for tolerances in jacobian.tolerances])
    return found._replace(tolerance=found.tolerance + jacobian_error)

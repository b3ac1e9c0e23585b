"""Judge a claimed ∂y/∂x and a claimed ∂L/∂x.

A ∂y/∂x is valid exactly if A·∂y/∂x = B; a ∂L/∂x exactly if some valid ∂y/∂x yields it, namely the claimed one if there
is one; both along the constraint, if any. Both belong to a family particular + coefficients·Z and are judged alike:
first unique entries, then feasibility of the others, then whether the tolerance is small enough to be significant.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from implicitgrad.checks.context import Context
from implicitgrad.checks.derivatives.claim import Claim
from implicitgrad.checks.derivatives.feasibility import feasibility, is_valid
from implicitgrad.checks.derivatives.implied import implied_entries, inconsistent_entries
from implicitgrad.checks.derivatives.residual import largest_residual, nonzero_residuals
from implicitgrad.checks.derivatives.significance import insignificant, significant_tolerances
from implicitgrad.checks.diagnosis.diagnose import diagnose
from implicitgrad.checks.feasibility.constraints import are_independent, infeasible_groups
from implicitgrad.checks.feasibility.decision import Decision
from implicitgrad.checks.matrices import complete, dot, root_above
from implicitgrad.checks.tolerances import tolerances_of_ill_conditioned
from implicitgrad.model.solution import PartialMatrix, Solution
from implicitgrad.model.verdict import Choice, Deviation, Outcome, show_short
from implicitgrad.numbers.row_reduction import integers, reduce_rows
from implicitgrad.text.characters import count


def judge_matrix(claim: Claim, related: Sequence[Solution] = ()) -> tuple[Outcome, Claim]:
    """Return the outcome, and the claim with the tolerances that decided it.

    related : solutions of systems with the same A and B, whose ∂L/∂x may have been claimed by mistake.
    """
    matrix, context = claim.matrix, claim.context
    outcome = Outcome(matrix.key, holds=False, claimed=matrix.summary())
    if matrix.non_finite:
        return not_finite(outcome, claim), claim
    failed = _failed(outcome, claim)
    if failed is not None:
        widest = tolerances_of_ill_conditioned(matrix, context)
        if widest is not None and is_valid(claim.with_tolerances(widest)):
            return _beyond_precision(outcome, claim), claim
        return failed._replace(suspicions=diagnose(claim, related)), claim
    limit = significant_tolerances(claim)
    if limit is not None:
        limited = claim.with_tolerances(limit.tolerances)
        if not is_valid(limited):
            return insignificant(outcome, claim, limit), claim
        claim = limited
    is_arbitrary = _is_arbitrary(claim)
    return outcome._replace(
        holds=True,
        choices=tuple(_choices(claim, is_arbitrary)),
        fixes_nothing=why_nothing_is_fixed(matrix.key, context, is_arbitrary),
        worst=_largest_difference(claim),
    ), claim


def fails(outcome: Outcome, deviations: Sequence[Deviation], reason: str) -> Outcome:
    """Return the outcome of a claim with these wrong numbers."""
    worst = max(deviations, key=lambda deviation: deviation.excess)
    return outcome._replace(holds=False, reason=reason, failing=len(deviations), worst=worst)


def not_finite(outcome: Outcome, claim: Claim) -> Outcome:
    """Return the outcome of a claim with infinite entries or NaN."""
    found = len(claim.matrix.non_finite)
    total = count(claim.entry_count, "entry")
    reason = f"{claim.matrix.non_finite[0]}: {found} of {total} {'is' if found == 1 else 'are'} not finite"
    return outcome._replace(reason=reason, failing=found)


def _beyond_precision(outcome: Outcome, claim: Claim) -> Outcome:
    """Return the undecided outcome of a claim whose error is within the rounding errors of its type."""
    condition = show_short(root_above(claim.context.solution.condition_squared or Fraction(0)))
    bits = (claim.matrix.unit_roundoff or Fraction(1)).denominator.bit_length() - 1
    reason = (
        f"the condition of A is {condition}, and floating-point numbers of {bits} bits cannot carry the"
        " answer: rounding alone may have made the claim of it"
    )
    return outcome._replace(reason=reason, is_undecided=True)


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
            return fails(outcome, equations, f"it does not solve A·∂y/∂x = B: {len(equations)} of {total}")
    if not deviations and claim.is_small:
        deviations = list(inconsistent_entries(claim))
    if deviations:
        counted = f"{len(deviations)} of {count(claim.entry_count, 'entry')}"
        return fails(outcome, deviations, f"{reason}: {counted}" if reason else counted)
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
        given = [] if claim.jacobian is None else claim.jacobian.constraints
        group = next(infeasible_groups([*claim.constraints, *given]), [])
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
    return not is_constraining and are_independent(claim.constraints, [] if jacobian is None else jacobian.constraints)


def why_nothing_is_fixed(key: str, context: Context, is_arbitrary: bool) -> str:
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


def _choices(claim: Claim, is_arbitrary: bool) -> list[Choice]:
    """Return the conditions that a valid claim imposes on the free parameters."""
    context = claim.context
    if not claim.is_gradient:
        return chosen_parameters(claim.values, context)
    if not context.free or not (claim.jacobian is None or is_arbitrary):
        return []
    found = []
    for m, x in enumerate(context.solution.independent):  # coefficients·Z = claimed − particular
        rows = [
            integers((*C, value - p[m]))[0]
            for C, p, values in zip(claim.family.coefficients, claim.family.particular, claim.values, strict=True)
            if any(C) and (value := values[m]) is not None
        ]
        reduced = reduce_rows(rows, range(len(context.free)))
        for pivot, row in sorted(zip(reduced.pivots, reduced.rows, strict=False)):
            factors = sorted([(pivot, reduced.d), *zip(reduced.columns[:-1], row, strict=False)])
            free = context.solution.general.free
            terms = [(Fraction(factor, reduced.d), free[f], x) for f, factor in factors if factor]
            found.append(Choice(tuple(terms), Fraction(row[-1], reduced.d)))
    return found


def chosen_parameters(jacobian: PartialMatrix, context: Context) -> list[Choice]:
    """Return the values of the free parameters in a claimed ∂y/∂x. jacobian : (N, P′)."""
    return [
        Choice(((Fraction(1), y, x),), value)
        for f, y in zip(context.free, context.solution.general.free, strict=True)
        for value, x in zip(jacobian[f], context.solution.independent, strict=True)
        if value is not None
    ]


def _largest_difference(claim: Claim) -> Deviation | None:
    """Return the entry of a valid claim with the largest difference from its known value, if rounding is allowed for.

    A claim that was not computed in floating point must have a difference to be worth mentioning.
    """
    context, matrix = claim.context, claim.matrix
    is_stated = bool(context.claims.rtol or context.claims.atol)
    is_rounded = is_stated or matrix.unit_roundoff is not None or any(any(row) for row in matrix.roundings)
    if context.system.is_at_rounded_point or not is_rounded:
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

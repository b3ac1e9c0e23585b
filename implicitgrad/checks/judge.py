"""Judge all claims about one solution."""

from __future__ import annotations

from collections.abc import Sequence

from implicitgrad.checks.context import Context, is_at_rounded_point
from implicitgrad.checks.derivatives.claim import Claim
from implicitgrad.checks.derivatives.judge import judge_matrix
from implicitgrad.checks.outcomes import verdict
from implicitgrad.checks.scalars import judge_scalars
from implicitgrad.model.claims import Claims
from implicitgrad.model.exact_cost import can_be_settled, is_quick
from implicitgrad.model.solution import Solution
from implicitgrad.model.spec import CLAIMS
from implicitgrad.model.system import Arithmetic, LinearSystem, Status
from implicitgrad.model.verdict import Outcome, Verdict
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.text.errors import InputError


def solve_to_judge(system: LinearSystem) -> Solution:
    """Solve a system in the arithmetic in which its claims are judged: exactly, with these exceptions.

    Doubles whose rank depends on the cutoff are judged by it, since exactly they are rounded values of other numbers.
    Doubles of a rounded point are judged by their error bounds, because nothing else is known. If exact arithmetic is
    slow, an answer in doubles with bounds also serves for text if it is unique; if it is too slow, any answer does.
    Raise InputError.
    """
    if system.arithmetic is Arithmetic.SYMBOLIC:
        return solve_system(system)
    if system.is_sparse:
        return solve_system(system, gradient_alone=not system.shown)
    found: Solution | None = None
    is_binary = system.arithmetic is Arithmetic.FLOAT
    is_large = not is_quick(system)
    if is_binary or is_large:
        try:
            found = solve_system(system, arithmetic="float")
        except InputError as error:  # such as numbers beyond the range of doubles
            if is_large and not can_be_settled(system):
                # the hints name options of solve
                raise InputError([problem._replace(hint=None) for problem in error.problems]) from None
        else:
            is_certified = None not in found.error_bounds
            if (
                is_at_rounded_point(system)
                or (is_binary and not is_certified)
                or (is_large and is_certified and (is_binary or found.status is Status.DETERMINED))
                or (is_large and not can_be_settled(system))
            ):
                return found
    try:
        return solve_system(system, arithmetic="exact")
    except InputError:  # too many entries
        if found is None:
            raise
        return found


def judge(solution: Solution, claims: Claims, others: Sequence[Solution] = ()) -> Verdict:
    """Judge ``claims`` about ``solution``.

    others : solutions of related systems, whose ∂L/∂x may have been claimed by mistake.
    """
    if solution.arithmetic is Arithmetic.SYMBOLIC:
        from implicitgrad.checks.symbolic.judge import judge_symbolic

        outcomes = judge_symbolic(solution, claims)
    else:
        context = Context(solution, claims)
        outcomes = _judge_matrices(context, others) + judge_scalars(claims, context)
    outcomes += _judge_coefficients(solution, claims)
    return verdict(solution, outcomes, claims, CLAIMS)


def _judge_coefficients(solution: Solution, claims: Claims) -> list[Outcome]:
    """Judge ∂L/∂A and ∂L/∂B."""
    coefficients = [matrix for matrix in (claims.dL_dA, claims.dL_dB) if matrix is not None]
    if not coefficients:
        return []
    from implicitgrad.checks.derivatives.coefficients import judge_coefficients, with_coefficients

    there = with_coefficients(solution)
    if solution.arithmetic is Arithmetic.SYMBOLIC:
        from implicitgrad.checks.symbolic.coefficients import judge_coefficients_in_letters

        return [judge_coefficients_in_letters(matrix, there) for matrix in coefficients]
    return [judge_coefficients(matrix, Context(there, claims)) for matrix in coefficients]


def _judge_matrices(context: Context, others: Sequence[Solution]) -> list[Outcome]:
    """Judge ∂y/∂x first: a claimed ∂L/∂x must be the one that a valid claimed ∂y/∂x yields."""
    outcomes = []
    jacobian: Claim | None = None
    A, B = context.system.A, context.system.B
    related = [one for one in others if one.system is not context.system and (one.system.A, one.system.B) == (A, B)]
    for matrix in (context.claims.dy_dx, context.claims.dL_dx):
        if matrix is None:
            continue
        if context.system.is_sparse:
            from implicitgrad.checks.derivatives.sparse import judge_sparse

            outcomes.append(judge_sparse(matrix, context))
            continue
        outcome, claim = judge_matrix(Claim(matrix, context, jacobian), related)
        if is_at_rounded_point(context.system):
            from implicitgrad.checks.derivatives.rounded_point import decide_at_rounded_point

            outcome = decide_at_rounded_point(outcome, claim)
        outcomes.append(_unless_exact(outcome, claim))
        jacobian = claim if outcome.holds and claim.says_something else None
    return outcomes


def _unless_exact(outcome: Outcome, claim: Claim) -> Outcome:
    """Make the outcome undecided if a claim fails by a cutoff, but is the rounded exact answer."""
    found, matrix = claim.context.solution, claim.matrix
    fails = not (outcome.holds or outcome.is_undecided or matrix.non_finite)
    is_by_cutoff = found.arithmetic is Arithmetic.FLOAT and None in found.error_bounds
    if not (fails and is_by_cutoff) or is_at_rounded_point(found.system) or not is_quick(found.system):
        return outcome
    exact = solve_system(found.system, arithmetic="exact")
    has_its_shape = len(matrix.entries[0]) in (found.system.inputs, len(exact.independent))
    if not has_its_shape or not judge_matrix(Claim(matrix, Context(exact, claim.context.claims)))[0].holds:
        return outcome
    reason = f"the rank of A is {found.rank} by a cutoff and {exact.rank} exactly, and the claim is the exact answer"
    return outcome.undecided(reason)

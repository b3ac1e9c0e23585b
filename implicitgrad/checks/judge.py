"""Claims and a Solution → Verdict."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from implicitgrad.checks import scalar_claims
from implicitgrad.checks.context import Along, Setting
from implicitgrad.checks.gradient import judge_gradient
from implicitgrad.checks.jacobian import judge_jacobian
from implicitgrad.checks.rounded_point import Judge, as_far_as_known
from implicitgrad.model.claims import Claims, Numbers, Place
from implicitgrad.model.exact_cost import can_be_settled, is_quick
from implicitgrad.model.solution import Solution, Status
from implicitgrad.model.system import Arithmetic, LinearSystem
from implicitgrad.model.verdict import Outcome, Verdict
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.text.errors import InputError


def solve_to_judge(system: LinearSystem) -> Solution:
    """Exactly, but for what solve() would answer by a cutoff, and for what is large.

    Doubles whose rank is a matter of the cutoff are judged by what the cutoff says: exactly, they are what rounding
    left of other numbers. So are those of a rounded point, of which their bounds are what is known. Where exact
    arithmetic takes long, an answer in doubles with bounds is taken for text, too, if it is unique, and one by a cutoff
    where solve() has no other.
    """
    if system.arithmetic is Arithmetic.SYMBOLIC:
        return solve_system(system)
    is_binary = system.arithmetic is Arithmetic.FLOAT
    is_large = not is_quick(system)
    if is_binary or is_large:
        with suppress(InputError):  # numbers beyond the range of doubles
            found = solve_system(system, arithmetic="float")
            is_certified = None not in found.error_bounds
            if (
                system.is_near_a_point
                or (is_binary and not is_certified)
                or (is_large and is_certified and (is_binary or found.status is Status.DETERMINED))
                or (is_large and not is_certified and not can_be_settled(system))
            ):
                return found
    return solve_system(system, arithmetic="exact")


def judge(solution: Solution, claims: Claims, others: Sequence[Solution] = ()) -> Verdict:
    """Hold ``claims`` against ``solution``.

    others : solutions of related systems, whose ∂L/∂x may have been claimed by mistake.
    """
    if solution.arithmetic is Arithmetic.SYMBOLIC:
        from implicitgrad.checks.symbolic import judge_symbolic

        return Verdict(solution, _placed(judge_symbolic(solution, claims), solution, claims))
    setting = Setting(solution, claims)
    outcomes: list[Outcome] = []
    jacobian: Along | None = None
    if claims.status is not None:
        outcomes.append(scalar_claims.judge_status(claims.status, setting))
    if claims.rank is not None:
        outcomes.append(scalar_claims.judge_rank(claims.rank, setting))
    if claims.dy_dx is not None:
        outcome, along = judge_jacobian(claims.dy_dx, setting)
        if solution.system.is_near_a_point:
            outcome = as_far_as_known(outcome, claims.dy_dx, setting, _judge_jacobian_alone, _holds)
        outcomes.append(_unless_exact(outcome, claims.dy_dx, setting, _judge_jacobian_alone))
        says_something = any(value is not None for row in along.values for value in row)
        jacobian = along if outcome.holds and says_something else None
    if claims.dL_dx is not None:
        related = [other for other in others if _has_same_matrices(other.system, solution.system)]
        outcome = judge_gradient(claims.dL_dx, setting, jacobian, tuple(related))
        if solution.system.is_near_a_point:
            strictly = partial(_judge_gradient_alone, jacobian=jacobian)
            outcome = as_far_as_known(outcome, claims.dL_dx, setting, strictly, _holds)
        outcomes.append(_unless_exact(outcome, claims.dL_dx, setting, partial(_judge_gradient_alone, jacobian=None)))
    if claims.free_parameters is not None:
        outcomes.append(scalar_claims.judge_free_parameters(claims.free_parameters, setting))
    if claims.dL_dx_unique is not None:
        outcomes.append(scalar_claims.judge_uniqueness(claims.dL_dx_unique, setting))
    if claims.constraints is not None:
        outcomes.append(scalar_claims.judge_constraints(claims.constraints, setting))
    if claims.condition is not None:
        outcomes.append(scalar_claims.judge_condition(claims.condition, setting))
    return Verdict(solution, _placed(outcomes, solution, claims))


def _unless_exact(outcome: Outcome, numbers: Numbers, setting: Setting, judge: Judge) -> Outcome:
    """The outcome of a claim that fails because of a cutoff, and is the exact answer rounded, is undecided."""
    found = setting.solution
    fails = not (outcome.holds or outcome.is_undecided or numbers.broken)
    is_by_cutoff = found.arithmetic is Arithmetic.FLOAT and None in found.error_bounds
    if not (fails and is_by_cutoff) or found.system.is_near_a_point or not is_quick(found.system):
        return outcome
    exact = solve_system(found.system, arithmetic="exact")
    widths = (found.system.inputs, len(exact.independent))
    if len(numbers.entries[0]) not in widths or not judge(numbers, Setting(exact, setting.claims)).holds:
        return outcome
    reason = f"the rank of A is {found.rank} by a cutoff and {exact.rank} exactly, and the claim is the exact answer"
    return Outcome(numbers.key, False, outcome.claimed, reason, is_undecided=True)


def _judge_jacobian_alone(numbers: Numbers, setting: Setting) -> Outcome:
    return judge_jacobian(numbers, setting)[0]


def _judge_gradient_alone(numbers: Numbers, setting: Setting, jacobian: Along | None) -> Outcome:
    return judge_gradient(numbers, setting, jacobian)


def _holds(solution: Solution, claims: Claims) -> bool:
    return judge(solution, claims).holds


def _placed(outcomes: Sequence[Outcome], solution: Solution, claims: Claims) -> tuple[Outcome, ...]:
    elsewhere = Place(solution.system.source)
    return tuple(outcome._replace(place=claims.places.get(outcome.key, elsewhere)) for outcome in outcomes)


def _has_same_matrices(a: LinearSystem, b: LinearSystem) -> bool:
    return a is not b and a.A == b.A and a.B == b.B

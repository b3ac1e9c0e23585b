"""Claims and a Solution → Verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import partial

from implicitgrad.claims import Claims, Numbers, Place
from implicitgrad.claims.build import build_claims
from implicitgrad.doubles import is_array_of_doubles
from implicitgrad.draft import linear_system
from implicitgrad.errors import InputError
from implicitgrad.judges import facts
from implicitgrad.judges.gradient import judge_gradient
from implicitgrad.judges.jacobian import judge_jacobian
from implicitgrad.judges.near_point import Judge, as_far_as_known
from implicitgrad.judges.setting import Along, Setting
from implicitgrad.part import Part
from implicitgrad.solution import Constraints, Solution, Status
from implicitgrad.solvers import solve_system
from implicitgrad.system import Arithmetic, LinearSystem
from implicitgrad.values import plain
from implicitgrad.verdict import Outcome, Verdict
from implicitgrad.work import can_be_settled, is_quick

UNIT_ROUNDOFFS = {
    "bfloat16": Fraction(1, 2**8),
    "float16": Fraction(1, 2**11),
    "float32": Fraction(1, 2**24),
}


def check(
    A: object,
    dL_dy: object = None,
    *,
    B: object = None,
    x: Sequence[str] | None = None,
    y: Sequence[str] | None = None,
    name: str | None = None,
    status: str | None = None,
    rank: int | None = None,
    dy_dx: object = None,
    dL_dx: object = None,
    free_parameters: int | Sequence[str] | None = None,
    dL_dx_unique: bool | None = None,
    constraints: Constraints | Mapping[str, object] | Sequence[object] | None = None,
    max_condition: object = None,
    rtol: object = None,
    atol: object = None,
) -> Verdict:
    """Whether what is claimed of B·x = A·y and ∂L/∂y holds.

    A, dL_dy, B, x, y, name : as in solve(); A may be a LinearSystem, which has all the rest.
    status, rank, dy_dx, dL_dx, … : the claims, at least one; dy_dx (N, P) and dL_dx (P,) or (K, P) as nested sequences
    or arrays, None for an entry that is claimed not to be determined; constraints as in a file, () for none. A
    claimed ∂y/∂x holds exactly if A·∂y/∂x = B, a claimed ∂L/∂x exactly if a valid ∂y/∂x yields it, and the one claimed
    if both are.
    rtol, atol : |claimed − true| ≤ atol + rtol·|claimed|. By default a text or Decimal claims the digits it has, an
    integer or Fraction is exact, and floats may have the error of a stable computation in their type, ρ·(‖claimed‖ +
    ‖B‖/‖A‖), for ∂L/∂x ρ·(‖claimed‖ + ‖∂L/∂y‖·‖B‖/‖A‖), with ρ = k·condition, at most 2⁻¹⁰ or k, k = 4·max(M, N, P)·u.
    A claim that holds only because its own rounding, or rtol, allows errors as large as the answer is undecided.

    Raises InputError for values that make no system or no claim, TypeError without a claim.
    """
    if isinstance(A, LinearSystem):
        if any(given is not None for given in (dL_dy, B, x, y, name)):
            raise TypeError("a LinearSystem has its own dL_dy, B, x, y and name")
        system = A
    else:
        is_binary = any(is_array_of_doubles(value) for value in (A, B, dL_dy))
        arithmetic = Arithmetic.FLOAT if is_binary else Arithmetic.EXACT
        system = linear_system(A, dL_dy, B=B, x=x, y=y, name=name, arithmetic=arithmetic)
    solution = solve_to_judge(system)
    given: dict[str, object] = {
        "status": status, "rank": rank, "dy_dx": dy_dx, "dL_dx": dL_dx, "free_parameters": free_parameters,
        "dL_dx_unique": dL_dx_unique, "constraints": constraints, "condition.max": max_condition,
    }  # fmt: skip
    if isinstance(constraints, Constraints):
        constraints = constraints._asdict()
    parts = {key: _part(value) for key, value in given.items() if value is not None}
    if not parts:
        raise TypeError("expected a claim: status, rank, dy_dx, dL_dx, free_parameters, ...")
    if isinstance(constraints, Mapping):
        parts["constraints"] = Part(constraints)
        parts |= {f"constraints.{key}": _part(value) for key, value in constraints.items()}
    elif constraints is not None and len(constraints) == 0:
        parts["constraints"] = Part("null")
    tolerances = {"tolerance.rtol": rtol, "tolerance.atol": atol}
    parts |= {key: _part(value) for key, value in tolerances.items() if value is not None}
    return judge(solution, build_claims(parts, solution))


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
        from implicitgrad.judges.symbolic import judge_symbolic

        return Verdict(solution, _placed(judge_symbolic(solution, claims), solution, claims))
    setting = Setting(solution, claims)
    outcomes: list[Outcome] = []
    jacobian: Along | None = None
    if claims.status is not None:
        outcomes.append(facts.judge_status(claims.status, setting))
    if claims.rank is not None:
        outcomes.append(facts.judge_rank(claims.rank, setting))
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
        outcomes.append(facts.judge_free_parameters(claims.free_parameters, setting))
    if claims.dL_dx_unique is not None:
        outcomes.append(facts.judge_uniqueness(claims.dL_dx_unique, setting))
    if claims.constraints is not None:
        outcomes.append(facts.judge_constraints(claims.constraints, setting))
    if claims.condition is not None:
        outcomes.append(facts.judge_condition(claims.condition, setting))
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


def _part(value: object) -> Part:
    first = value
    while not hasattr(first, "dtype") and isinstance(first, Sequence) and not isinstance(first, str) and first:
        first = first[0]
    dtype = str(getattr(first, "dtype", ""))
    unit_roundoff = next((u for kind, u in UNIT_ROUNDOFFS.items() if kind in dtype), None)
    return Part(plain(value), unit_roundoff=unit_roundoff)

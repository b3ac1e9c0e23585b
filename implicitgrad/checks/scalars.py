"""Judge claims about status, rank, free parameters, uniqueness, constraints and condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from implicitgrad.checks.context import Context
from implicitgrad.checks.matrices import inverse, product
from implicitgrad.checks.tolerances import HALF_OF_SMALLEST, tolerances_of
from implicitgrad.model.claims import ClaimedConstraints, ClaimedNumber, Claims
from implicitgrad.model.system import Arithmetic, Status
from implicitgrad.model.verdict import Deviation, Outcome
from implicitgrad.numbers.display.style import show_number
from implicitgrad.numbers.rounding import float_square_root
from implicitgrad.text.characters import count, printable

DIGITS_OF_CONDITION = 9
Judge = Callable[[Any, Context], Outcome]
"""Judges a claimed value."""


def judge_scalars(claims: Claims, context: Context, judges: Mapping[str, Judge] | None = None) -> list[Outcome]:
    """Return the outcomes of all claims except ∂y/∂x and ∂L/∂x. judges : by key; JUDGES by default."""
    claimed = [(judge, getattr(claims, key)) for key, judge in (judges or JUDGES).items()]
    return [judge(value, context) for judge, value in claimed if value is not None]


def judge_status(claimed: Status | str, context: Context) -> Outcome:
    """Judge the status."""
    solution = context.solution
    because = f"rank {solution.rank} of {count(context.system.unknowns, 'unknown')}"
    if solution.constraints is not None:
        because += f", {count(len(solution.constraints.dependent), 'constraint')} on x"
    reason = f"claimed {claimed}, correct is {solution.status}: {because}"
    return _judged("status", claimed == solution.status, str(claimed), reason)


def judge_rank(claimed: ClaimedNumber, context: Context) -> Outcome:
    """Judge the rank of A."""
    return _counted("rank", claimed, context.solution.rank)


def judge_uniqueness(claimed: bool, context: Context) -> Outcome:
    """Judge whether the ∂L/∂x of every loss is unique."""
    unique = context.solution.unique_losses
    found = all(unique)
    reason = f"claimed {str(claimed).lower()}, correct is {str(found).lower()}"
    if not found:
        losses = ", ".join(f"L{k + 1}" for k, is_unique in enumerate(unique) if not is_unique)
        where = "" if len(unique) == 1 else f" of {losses}"
        reason += f": ∂L/∂y{where} is not in the row space of A"
    elif context.free:
        reason += ": ∂L/∂y is in the row space of A"
    return _judged("dL_dx_unique", claimed == found, str(claimed).lower(), reason)


def judge_condition(most: ClaimedNumber, context: Context) -> Outcome:
    """Judge an upper bound on the condition number."""
    squared = context.solution.condition_squared
    claimed = f"at most {most.text}"
    if context.solution.arithmetic is Arithmetic.SYMBOLIC:
        return _judged("condition", False, claimed, "the condition of a matrix with letters is not found")
    if squared is None and context.system.is_sparse:
        reason = "the condition of a large sparse A is not computed"
        return Outcome("condition", False, claimed, reason, is_undecided=True)
    if squared is None:
        return _judged("condition", False, claimed, f"claimed {claimed}, found none: A = 0 has no condition")
    root = float_square_root(squared)
    found = "more than 1e308" if root is None else show_number(Fraction(root), DIGITS_OF_CONDITION)
    holds = most.value >= 0 and squared <= most.value**2
    return _judged("condition", holds, claimed, f"claimed {claimed}, found {found}")


def judge_free_parameters(claimed: ClaimedNumber | tuple[str, ...], context: Context) -> Outcome:
    """Judge the number of free parameters, or whether those named can be chosen freely and determine ∂y/∂x."""
    total = len(context.free) * len(context.x)
    if isinstance(claimed, ClaimedNumber):
        return _counted("free_parameters", claimed, total)
    shown = ", ".join(map(printable, claimed)) or "none"
    if len(claimed) != total:
        names = ", ".join(map(printable, context.solution.free_parameters)) or "none"
        reason = f"claimed {count(len(claimed), 'parameter')}, correct is {total}: {names}"
    else:
        reason = _why_not_free(claimed, context)
    return _judged("free_parameters", not reason, shown, reason)


def _why_not_free(claimed: tuple[str, ...], context: Context) -> str:
    """Return why the named parameters, which are as many as there are, cannot be chosen freely together."""
    system, F = context.system, len(context.free)
    entries = {f"d{y}/d{x}": (i, k) for i, y in enumerate(system.y) for k, x in enumerate(system.x)}
    chosen: dict[int, list[int]] = {}
    for name in claimed:
        i, k = entries[name]
        chosen.setdefault(k, []).append(i)
    T = context.T
    if claimed and (len(chosen) != len(context.x) or context.rank([T[k] for k in chosen]) < len(chosen)):
        inputs = ", ".join(printable(system.x[k]) for k in chosen)
        return f"the inputs {inputs} cannot vary independently; correct is {', '.join(context.x)} or a similar choice"
    V = context.solution.general.null_space
    for k, rows in chosen.items():
        if len(rows) != F or context.rank([V[i] for i in rows]) < F:
            names = ", ".join(f"d{system.y[i]}/d{system.x[k]}" for i in rows)
            correct = ", ".join(f"d{y}/d{system.x[k]}" for y in context.solution.general.free)
            return f"{printable(names)} cannot be chosen freely; correct is {printable(correct)} or a similar choice"
    return ""


def judge_constraints(
    claimed: ClaimedConstraints,
    context: Context,
    judge_matrix: Callable[[Outcome, ClaimedConstraints, Context], Outcome] | None = None,
) -> Outcome:
    """Judge whether the claimed equations allow exactly the x that the system allows.

    judge_matrix : judges a matrix of the right number of constraints; exactly by default.
    """
    found = context.solution.constraints
    D = 0 if found is None else len(found.dependent)
    size = count(len(claimed.dependent), "constraint") if claimed.dependent else "none"
    outcome = _judged("constraints", len(claimed.dependent) == D, size, f"claimed {size}, correct is {D or 'none'}")
    if not outcome.holds or claimed.matrix is None:
        return outcome
    return (judge_matrix or _judge_constraint_matrix)(outcome, claimed, context)


def _judge_constraint_matrix(outcome: Outcome, claimed: ClaimedConstraints, context: Context) -> Outcome:
    """Judge the matrix of claimed constraints in terms of the dependent inputs that are claimed."""
    found = context.solution.constraints
    assert claimed.matrix is not None
    if found is None:
        return outcome
    system = context.system
    dependent = [system.x.index(name) for name in claimed.dependent]
    others = [k for k in range(system.inputs) if k not in dependent]
    T = context.T
    independent_rows = [T[k] for k in others]
    if context.rank(independent_rows) < len(others):
        names = ", ".join(map(printable, claimed.dependent))
        follow = ", ".join(map(printable, found.dependent))
        reason = f"{names} do not follow from the other inputs; correct is {follow} or a similar choice"
        return outcome._replace(holds=False, reason=reason)
    matrix = product([T[k] for k in dependent], inverse(independent_rows))
    tolerances = tolerances_of(claimed.matrix._replace(unit_roundoff=None), context)
    unit_roundoff = claimed.matrix.unit_roundoff or Fraction(0)
    underflow = HALF_OF_SMALLEST.get(unit_roundoff, Fraction(0))
    deviations = []
    for i, row in enumerate(matrix):
        for j, correct in enumerate(row):
            value = claimed.matrix.entries[i][j]
            # computed numbers are rounded at least
            allowed = max(tolerances[i][j] + unit_roundoff * abs(correct), underflow)
            if value is None or abs(value - correct) > allowed:
                meaning = f"{printable(claimed.dependent[i])} by {printable(system.x[others[j]])}"
                text = claimed.matrix.texts[i][j]
                name = claimed.matrix.name(i, j)
                deviations.append(Deviation(name, meaning, text, value, correct, allowed))
    if deviations:
        total = count(len(matrix) * len(others), "entry")
        return outcome.failed(deviations, f"{len(deviations)} of {total}")
    return outcome


def _judged(key: str, holds: bool, claimed: str, reason: str) -> Outcome:
    return Outcome(key, holds, claimed, "" if holds else reason, 0 if holds else 1)


def _counted(key: str, claimed: ClaimedNumber, found: int) -> Outcome:
    return _judged(key, claimed.value == found, claimed.text, f"claimed {claimed.text}, correct is {found}")


JUDGES: dict[str, Judge] = {
    "status": judge_status,
    "rank": judge_rank,
    "free_parameters": judge_free_parameters,
    "dL_dx_unique": judge_uniqueness,
    "constraints": judge_constraints,
    "condition": judge_condition,
}
"""The judges by key in Claims."""

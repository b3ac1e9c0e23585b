"""The constraints that claimed numbers place on the free parameters: linear forms that must lie in intervals.

The entry along independent input m is p_m + C·Z_m, with Z_m the free parameters of that input. Where x is constrained
and a row has a number for every input, the entry of a dependent input is an unknown w_d of that row alone, and the
entry of an independent one is p_m + C·Z_m − Σ_d T_dm·w_d.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple, TypeVar

from implicitgrad.checks.feasibility.rational import RationalInterval, is_feasible
from implicitgrad.checks.matrices import combination, dot
from implicitgrad.numbers.exact import Row

Unknown = tuple[int, int, int]
"""(0, f, m) is Z_fm; (1, row, d) and (2, row, d) are entries w_d of a row of ∂y/∂x and of ∂L/∂x."""
LinearForm = dict[Unknown, Fraction]
"""Coefficients by unknown."""


class PlacedForm(NamedTuple):
    """The linear form that one claimed number is the value of."""

    row: int
    column: int
    """Of the claim as written."""
    m: int | None
    """The position of the column's input among the independent ones; None for a dependent input."""
    form: LinearForm


class IntervalConstraint(NamedTuple):
    """|form − centre| ≤ radius, for one claimed number."""

    row: int
    column: int
    """Of the claim as written."""
    form: LinearForm
    centre: Fraction
    radius: Fraction


Placed = TypeVar("Placed", PlacedForm, IntervalConstraint)
Rank = Callable[[Sequence[Row]], int]


def infeasible_groups(constraints: Sequence[IntervalConstraint]) -> Iterator[list[IntervalConstraint]]:
    """Yield each connected group of constraints that cannot be satisfied together."""
    for group in _connected(_without_singletons(constraints)):
        unknowns = _unknowns(group)
        intervals = [
            RationalInterval(row, constraint.centre, constraint.radius)
            for row, constraint in zip(_coefficients(group, unknowns), group, strict=True)
        ]
        is_met = is_feasible(intervals) if unknowns else all(abs(one.centre) <= one.radius for one in group)
        if not is_met:
            yield group


def are_independent(forms: Sequence[PlacedForm], given: Sequence[PlacedForm], rank: Rank) -> bool:
    """Return whether the forms could have any values at all, also beside the values of the ``given`` ones."""
    if any(len(group) > len(_unknowns(group)) for group in _connected(forms)):
        return False
    return bool(forms) and _rank([*forms, *given], rank) == len(forms) + _rank(given, rank)


def deviations_from_implied(
    constraints: Sequence[IntervalConstraint], given: Sequence[IntervalConstraint]
) -> Iterator[tuple[IntervalConstraint, Fraction]]:
    """Yield each constraint whose form is a combination of earlier ones, and by how much its centre is too small."""
    before = list(given)
    for constraint in constraints:
        *rows, target = _coefficients([*before, constraint], _unknowns([*before, constraint]))
        weights = combination(rows, target)
        if weights is not None:
            yield constraint, dot(weights, [one.centre for one in before]) - constraint.centre
        before.append(constraint)


def _connected(constraints: Sequence[Placed]) -> Iterator[list[Placed]]:
    """Yield groups of constraints that share unknowns, directly or through others."""
    unseen: dict[Unknown, list[int]] = {}
    for i, constraint in enumerate(constraints):
        for unknown in constraint.form:
            unseen.setdefault(unknown, []).append(i)
    is_done = [False] * len(constraints)
    for start in range(len(constraints)):
        group: list[int] = []
        waiting = [start]
        while waiting:
            i = waiting.pop()
            if not is_done[i]:
                is_done[i] = True
                group.append(i)
                waiting += [j for unknown in constraints[i].form for j in unseen.pop(unknown, ())]
        if group:
            yield [constraints[i] for i in sorted(group)]


def _without_singletons(constraints: Sequence[Placed]) -> list[Placed]:
    """Remove constraints that can always be satisfied, because an unknown occurs in no other remaining constraint."""
    remaining = dict(enumerate(constraints))
    occurrences: dict[Unknown, set[int]] = {}
    for i, constraint in remaining.items():
        for unknown in constraint.form:
            occurrences.setdefault(unknown, set()).add(i)
    singletons = [unknown for unknown, places in occurrences.items() if len(places) == 1]
    while singletons:
        for i in list(occurrences[singletons.pop()]):
            for unknown in remaining.pop(i).form:
                occurrences[unknown].remove(i)
                if len(occurrences[unknown]) == 1:
                    singletons.append(unknown)
    return list(remaining.values())


def _unknowns(constraints: Sequence[Placed]) -> list[Unknown]:
    return list(dict.fromkeys(unknown for constraint in constraints for unknown in constraint.form))


def _coefficients(constraints: Sequence[Placed], unknowns: Sequence[Unknown]) -> list[Row]:
    zero = Fraction(0)
    return [tuple([constraint.form.get(unknown, zero) for unknown in unknowns]) for constraint in constraints]


def _rank(forms: Sequence[PlacedForm], rank: Rank) -> int:
    """Return the rank of the forms, to which each removed singleton contributes one."""
    kept = _without_singletons(forms)
    ranks = [rank(_coefficients(group, _unknowns(group))) for group in _connected(kept)]
    return len(forms) - len(kept) + sum(ranks)

"""Whether a point exists whose linear images all lie in given intervals, exactly.

The simplex method for bounds on linear forms (Dutertre & de Moura 2006, *A fast linear-arithmetic solver for DPLL(T)*,
section 3), with Bland's rule, so that it ends. Equalities are intervals of one point.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple


class Interval(NamedTuple):
    """lowest ≤ Σ coefficients·z ≤ highest"""

    coefficients: tuple[Fraction, ...]
    lowest: Fraction
    highest: Fraction


def is_feasible(intervals: Sequence[Interval]) -> bool:
    """Whether some z satisfies all intervals; there must be one at least.

    A form is basic while it is written in terms of the others, ``rows[form][other]``; all start basic, at z = 0. One
    outside its bounds is moved onto the nearer one by a form that has room to move, which takes its place.
    """
    forms, F = len(intervals), len(intervals[0].coefficients)
    rows = {i: dict(enumerate(interval.coefficients, start=forms)) for i, interval in enumerate(intervals)}
    values = [Fraction(0)] * (forms + F)
    while True:
        basic = next((i for i in sorted(rows) if _target(i, intervals, values) is not None), None)
        if basic is None:
            return True
        target = _target(basic, intervals, values)
        assert target is not None
        rises = target > values[basic]
        row = rows[basic]
        movable = (j for j in sorted(row) if row[j] and _has_room(j, intervals, values, rises == (row[j] > 0)))
        entering = next(movable, None)
        if entering is None:
            return False
        step = (target - values[basic]) / row[entering]
        values[entering] += step
        values[basic] = target
        for i, other in rows.items():
            if i != basic:
                values[i] += other[entering] * step
        _pivot(rows, basic, entering)


def _target(i: int, intervals: Sequence[Interval], values: list[Fraction]) -> Fraction | None:
    """The bound that form i is beyond, if it is; a coordinate of z has none."""
    if i >= len(intervals):
        return None
    interval = intervals[i]
    if values[i] < interval.lowest:
        return interval.lowest
    return interval.highest if values[i] > interval.highest else None


def _has_room(j: int, intervals: Sequence[Interval], values: list[Fraction], rises: bool) -> bool:
    if j >= len(intervals):
        return True
    return values[j] < intervals[j].highest if rises else values[j] > intervals[j].lowest


def _pivot(rows: dict[int, dict[int, Fraction]], basic: int, entering: int) -> None:
    """Write ``entering`` in terms of ``basic`` and the others, there and in all other rows."""
    row = rows.pop(basic)
    factor = row.pop(entering)
    solved = {j: -coefficient / factor for j, coefficient in row.items()}
    solved[basic] = 1 / factor
    for other in rows.values():
        factor = other.pop(entering)
        for j, coefficient in solved.items():
            other[j] = other.get(j, Fraction(0)) + factor * coefficient
    rows[entering] = solved

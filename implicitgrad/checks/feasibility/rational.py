"""Decide exactly whether some z has all its linear forms in given intervals.

The least-squares z usually decides. Otherwise the simplex method for bounds on linear forms does (Dutertre & de Moura
2006, *A fast linear-arithmetic solver for DPLL(T)*, section 3), with Bland's rule for termination. Equalities are
intervals of one point.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from operator import mul
from typing import NamedTuple

from implicitgrad.checks.feasibility.decision import Decision
from implicitgrad.numbers.exact import reduce_rows
from implicitgrad.numbers.null_space import integers


class RationalInterval(NamedTuple):
    """|Σ coefficients·z − centre| ≤ radius"""

    coefficients: tuple[Fraction, ...]
    centre: Fraction
    radius: Fraction


Bounds = Sequence[tuple[Fraction, Fraction]]


def is_feasible(intervals: Sequence[RationalInterval]) -> bool:
    """Return whether some z satisfies all of at least one interval."""
    found = _by_least_squares(intervals)
    return _by_simplex(intervals) if found is Decision.UNDECIDED else found is Decision.YES


def _by_least_squares(intervals: Sequence[RationalInterval]) -> Decision:
    """Decide by the least-squares solution of C·z = c, c the centres and t the radii.

    It may be feasible itself. Otherwise its residual ρ = c − C·z has Cᵀ·ρ = 0, so that ρᵀ·(c − C·z) is ‖ρ‖² for every
    z, and none is feasible if that exceeds Σ|ρ|·t. If all radii are positive, their inverses weight the rows, rounded
    to powers of two to keep the numbers short.
    """
    radii = [interval.radius for interval in intervals]
    weights = [_nearby_power_of_two(1 / radius) for radius in radii] if all(radii) else [Fraction(1)] * len(radii)
    weighted = [
        (*[w * a for a in interval.coefficients], w * interval.centre)
        for interval, w in zip(intervals, weights, strict=True)
    ]
    flat, scale = integers([entry for row in weighted for entry in row])
    width = len(weighted[0])
    rows = [flat[i * width : (i + 1) * width] for i in range(len(weighted))]
    columns = list(zip(*rows, strict=True))
    normal = [[sum(map(mul, a, b)) for b in columns] for a in columns[:-1]]
    reduced = reduce_rows(normal, range(width - 1))
    z = [Fraction(0)] * (width - 1)
    for pivot, row in zip(reduced.pivots, reduced.rows, strict=False):
        z[pivot] = Fraction(row[-1], reduced.d)
    residuals = [Fraction(row[-1], scale) - sum(map(mul, row, z)) / scale for row in rows]
    allowed = [w * t for w, t in zip(weights, radii, strict=True)]
    if all(abs(rho) <= t for rho, t in zip(residuals, allowed, strict=True)):
        return Decision.YES
    if sum(rho * rho for rho in residuals) > sum(abs(rho) * t for rho, t in zip(residuals, allowed, strict=True)):
        return Decision.NO
    return Decision.UNDECIDED


def _nearby_power_of_two(value: Fraction) -> Fraction:
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    return Fraction(2**exponent) if exponent >= 0 else Fraction(1, 2**-exponent)


def _by_simplex(intervals: Sequence[RationalInterval]) -> bool:
    """Decide by the simplex method.

    A form is basic while it is written in terms of the others, ``rows[form][other]``; all start basic, at z = 0. A
    basic form outside its bounds is moved onto the nearer one by a form that has room to move, which takes its place.
    """
    forms, F = len(intervals), len(intervals[0].coefficients)
    rows = {i: dict(enumerate(interval.coefficients, start=forms)) for i, interval in enumerate(intervals)}
    bounds = [(interval.centre - interval.radius, interval.centre + interval.radius) for interval in intervals]
    values = [Fraction(0)] * (forms + F)
    while True:
        basic = next((i for i in sorted(rows) if _target(i, bounds, values) is not None), None)
        if basic is None:
            return True
        target = _target(basic, bounds, values)
        assert target is not None
        rises = target > values[basic]
        row = rows[basic]
        movable = (j for j in sorted(row) if row[j] and _has_room(j, bounds, values, rises == (row[j] > 0)))
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


def _target(i: int, bounds: Bounds, values: list[Fraction]) -> Fraction | None:
    """Return the bound that form i violates, if any; a coordinate of z has no bounds."""
    if i >= len(bounds):
        return None
    lowest, highest = bounds[i]
    return lowest if values[i] < lowest else highest if values[i] > highest else None


def _has_room(j: int, bounds: Bounds, values: list[Fraction], rises: bool) -> bool:
    return j >= len(bounds) or (values[j] < bounds[j][1] if rises else values[j] > bounds[j][0])


def _pivot(rows: dict[int, dict[int, Fraction]], basic: int, entering: int) -> None:
    """Exchange ``basic`` and ``entering`` in all rows."""
    row = rows.pop(basic)
    factor = row.pop(entering)
    solved = {j: -coefficient / factor for j, coefficient in row.items()}
    solved[basic] = 1 / factor
    for other in rows.values():
        factor = other.pop(entering)
        for j, coefficient in solved.items():
            other[j] = other.get(j, Fraction(0)) + factor * coefficient
    rows[entering] = solved

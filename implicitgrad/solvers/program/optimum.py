"""An optimum of a quadratic program in exact arithmetic, or the proof that there is none."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any, NamedTuple, TypeVar

from implicitgrad.model.program.problem import CanonicalProgram, Vector, product, times
from implicitgrad.model.program.solution import FarkasCertificate, RayCertificate
from implicitgrad.solvers.program.lemke import Ray, solve_complementarity
from implicitgrad.solvers.program.tableau import RIGHT_SIDE, Scales, Tableau
from implicitgrad.solvers.program.work import Work

T = TypeVar("T")
MAX_ROWS_AT_ONCE = 30
MAX_ROWS_PER_UNKNOWN = 4
"""Inequalities, also for each unknown and equality, up to which none are left out at first."""


class Optimum(NamedTuple):
    """A point and multipliers that satisfy the KKT conditions."""

    z: Vector
    multipliers: Vector
    """λ of every inequality."""
    equality_multipliers: Vector
    """ν"""


def find_optimum(program: CanonicalProgram, work: Work) -> Optimum | FarkasCertificate | RayCertificate:
    """Solve a program whose P is symmetric and positive semidefinite."""

    def excesses(found: Optimum | FarkasCertificate | RayCertificate) -> Sequence[Fraction]:
        work.spend(len(program.d) * len(program.q), 0)
        if isinstance(found, FarkasCertificate):
            return ()
        if isinstance(found, RayCertificate):
            return times(program.C, found.ray)
        return [-slack for slack in program.slacks(found.z)]

    found, chosen = with_few_rows(program, lambda some: _find_optimum(some, work), excesses)
    if isinstance(found, RayCertificate):
        return found if len(chosen) == len(program.d) else _with_feasible_point(program, found.ray, work)
    multipliers = [Fraction(0)] * len(program.d)
    for i, multiplier in zip(chosen, found.multipliers, strict=True):
        multipliers[i] = multiplier
    return found._replace(multipliers=tuple(multipliers))


def with_few_rows(
    program: CanonicalProgram, solve: Callable[[CanonicalProgram], T], excesses: Callable[[T], Sequence[Any]]
) -> tuple[T, Sequence[int]]:
    """Solve a program, of many inequalities with those alone that matter; return the answer, and which these are.

    Those that the answer violates most are added until it violates none. excesses : by how much it does, of each.
    """
    batch = len(program.q) + len(program.b) + 1
    if len(program.d) <= max(MAX_ROWS_AT_ONCE, MAX_ROWS_PER_UNKNOWN * batch):
        return solve(program), range(len(program.d))
    chosen: list[int] = []
    while True:
        some = program._replace(C=tuple(program.C[i] for i in chosen), d=tuple(program.d[i] for i in chosen))
        found = solve(some)
        sizes = excesses(found)
        new = heapq.nlargest(batch, [i for i, size in enumerate(sizes) if size > 0], key=sizes.__getitem__)
        if not new or not set(new).isdisjoint(chosen):  # which doubles may find violated again
            return found, chosen
        chosen += new


def _find_optimum(program: CanonicalProgram, work: Work) -> Optimum | FarkasCertificate | RayCertificate:
    tableau = Tableau(program, work)
    scales = tableau.scales
    ray = solve_complementarity(tableau)
    if ray is None:
        return Optimum(*scales.split(tableau.variables(tableau.column(RIGHT_SIDE)), len(program.q)))
    certificate = _infeasible(program, ray, scales)
    if certificate is not None:
        return certificate
    direction = signed_primitive(ray[: len(program.q)])
    assert product(program.q, direction) < 0
    return _with_feasible_point(program, direction, work)


def _with_feasible_point(
    program: CanonicalProgram, direction: Vector, work: Work
) -> RayCertificate | FarkasCertificate:
    """Return the proof that the objective has no minimum, if there is a feasible point to go from along the ray."""
    zeros = (Fraction(0),) * len(program.q)
    feasible = find_optimum(program._replace(P=(zeros,) * len(zeros), q=zeros), work)
    if isinstance(feasible, Optimum):
        return RayCertificate(direction, feasible.z)
    assert isinstance(feasible, FarkasCertificate)
    return feasible


def _infeasible(program: CanonicalProgram, ray: Ray, scales: Scales) -> FarkasCertificate | None:
    """Return the certificate of infeasibility that a ray has in its multipliers, if it has one."""
    _, multipliers, equality_multipliers = scales.split(ray, len(program.q))
    if product(program.d, multipliers) + product(program.b, equality_multipliers) >= 0:
        return None
    both = signed_primitive((*multipliers, *equality_multipliers))
    multipliers, equality_multipliers = both[: len(multipliers)], both[len(multipliers) :]
    value = product(program.d, multipliers) + product(program.b, equality_multipliers)
    return FarkasCertificate(multipliers, equality_multipliers, value)


def signed_primitive(vector: Sequence[Fraction]) -> Vector:
    """Return the positive multiple of a vector that has integers without a common factor."""
    scale = lcm(*[entry.denominator for entry in vector])
    numerators = [int(entry * scale) for entry in vector]
    common = gcd(*numerators) or 1
    return tuple(Fraction(numerator // common) for numerator in numerators)

"""An optimum of a quadratic program in exact arithmetic, or the proof that there is none."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any, NamedTuple

from implicitgrad.model.program.problem import CanonicalProgram, Rows, Vector, product, times
from implicitgrad.model.program.solution import FarkasCertificate, RayCertificate
from implicitgrad.numbers.exact import IntegerRow
from implicitgrad.solvers.program.lemke import Ray, solve_complementarity
from implicitgrad.solvers.program.tableau import RIGHT_SIDE, ComplementarityProblem, Tableau
from implicitgrad.solvers.program.work import Work

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


class Scales(NamedTuple):
    """The positive factors that make the numbers of a program integers."""

    objective: int
    inequalities: list[int]
    equalities: list[int]

    def split(self, values: list[Fraction], n: int) -> tuple[Vector, Vector, Vector]:
        """Return z (n,), λ and ν of the values of the problem in integers."""
        p, objective = len(self.equalities), Fraction(1, self.objective)
        multipliers = [v * s * objective for v, s in zip(values[n + p :], self.inequalities, strict=True)]
        equality_multipliers = [v * s * objective for v, s in zip(values[n : n + p], self.equalities, strict=True)]
        return tuple(values[:n]), tuple(multipliers), tuple(equality_multipliers)


def in_integers(program: CanonicalProgram) -> tuple[ComplementarityProblem, Scales]:
    """Multiply the objective and each row by its least common denominator."""
    objective = lcm(*[entry.denominator for row in (*program.P, program.q) for entry in row])
    C, d, inequalities = _integer_rows(program.C, program.d)
    A, b, equalities = _integer_rows(program.A, program.b)
    P = [_times(row, objective) for row in program.P]
    problem = ComplementarityProblem(P, _times(program.q, objective), C, d, A, b)
    return problem, Scales(objective, inequalities, equalities)


def _integer_rows(rows: Rows, bounds: Vector) -> tuple[list[IntegerRow], IntegerRow, list[int]]:
    scales = [lcm(bound.denominator, *[e.denominator for e in row]) for row, bound in zip(rows, bounds, strict=True)]
    return (
        [_times(row, scale) for row, scale in zip(rows, scales, strict=True)],
        [bound.numerator * (scale // bound.denominator) for bound, scale in zip(bounds, scales, strict=True)],
        scales,
    )


def _times(row: Vector, scale: int) -> IntegerRow:
    return [entry.numerator * (scale // entry.denominator) for entry in row]


def find_optimum(program: CanonicalProgram, work: Work) -> Optimum | FarkasCertificate | RayCertificate:
    """Solve a program whose P is symmetric and positive semidefinite.

    Of many inequalities some are left out, and those that the solution violates are added until it violates none.
    """
    if not has_many_rows(program):
        return _find_optimum(program, work)
    chosen: list[int] = []
    while True:
        found = _find_optimum(with_rows(program, chosen), work)
        work.spend(len(program.d) * len(program.q), 0)
        if isinstance(found, Optimum):
            new = most_violated(program, [-slack for slack in program.slacks(found.z)])
        elif isinstance(found, RayCertificate):
            new = most_violated(program, times(program.C, found.ray))
        if isinstance(found, FarkasCertificate) or not new:
            break
        chosen += new
    if isinstance(found, RayCertificate):
        return _with_feasible_point(program, found.ray, work)
    multipliers = [Fraction(0)] * len(program.d)
    for i, multiplier in zip(chosen, found.multipliers, strict=True):
        multipliers[i] = multiplier
    return found._replace(multipliers=tuple(multipliers))


def has_many_rows(program: CanonicalProgram) -> bool:
    """Return whether there are so many inequalities that most of them are probably inactive."""
    return len(program.d) > max(MAX_ROWS_AT_ONCE, MAX_ROWS_PER_UNKNOWN * _batch(program))


def _batch(program: CanonicalProgram) -> int:
    return len(program.q) + len(program.b) + 1


def with_rows(program: CanonicalProgram, chosen: Sequence[int]) -> CanonicalProgram:
    """Return the program with some of its inequalities."""
    return program._replace(C=tuple(program.C[i] for i in chosen), d=tuple(program.d[i] for i in chosen))


def most_violated(program: CanonicalProgram, excesses: Sequence[Any]) -> list[int]:
    """Return the inequalities with the largest positive excesses, as many as to add at once."""
    violated = [i for i, excess in enumerate(excesses) if excess > 0]
    return heapq.nlargest(_batch(program), violated, key=excesses.__getitem__)


def _find_optimum(program: CanonicalProgram, work: Work) -> Optimum | FarkasCertificate | RayCertificate:
    problem, scales = in_integers(program)
    tableau = Tableau(problem, work)
    ray = solve_complementarity(tableau)
    if ray is None:
        return Optimum(*scales.split(tableau.variables(tableau.column(RIGHT_SIDE)), len(program.q)))
    certificate = _infeasible(program, ray, scales)
    if certificate is not None:
        return certificate
    direction = signed_primitive(ray.v[: len(program.q)])
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
    _, multipliers, equality_multipliers = scales.split(ray.v, len(program.q))
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

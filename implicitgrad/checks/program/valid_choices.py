"""Decide whether claimed numbers are one of several valid choices: multipliers, or a point of the face of solutions.

Valid multipliers of the active constraints satisfy C_activeᵀ·λ + Aᵀ·ν = −(P·z + q), λ ≥ 0. The solutions are the
feasible z with P·z = P·z* and qᵀz = qᵀz*. Either is a polyhedron, and a linear program says whether it has a point
within the tolerances of what is claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from implicitgrad.model.program.problem import CanonicalProgram, Vector, product, times
from implicitgrad.model.program.solution import ProgramSolution
from implicitgrad.solvers.program.optimum import Optimum, find_optimum
from implicitgrad.solvers.program.work import Work

ZERO, ONE = Fraction(0), Fraction(1)
Interval = tuple[Fraction, Fraction]
"""The least and the largest value."""


def are_valid_multipliers(
    solution: ProgramSolution, inequalities: dict[int, Interval], equalities: dict[int, Interval]
) -> bool:
    """Return whether some valid multipliers are within intervals, by the numbers of inequalities and of equalities."""
    program = solution.program.canonical()
    assert solution.z is not None
    active = solution.active
    rows = [program.C[i] for i in active] + list(program.A)
    width = len(rows)
    bounds = {active.index(i): interval for i, interval in inequalities.items() if i in active}
    bounds |= {len(active) + r: interval for r, interval in equalities.items()}
    signs = [tuple(-ONE if j == k else ZERO for j in range(width)) for k in range(len(active))]
    stationarity = [tuple(row[j] for row in rows) for j in range(len(program.q))]
    target = tuple(-entry for entry in program.gradient(solution.z))
    return _has_point(width, signs, [ZERO] * len(signs), stationarity, target, bounds, solution.program.source)


def is_solution(solution: ProgramSolution, unknowns: dict[int, Interval]) -> bool:
    """Return whether some solution of the program is within intervals, by the numbers of the unknowns."""
    program = solution.program.canonical()
    assert solution.z is not None
    equalities = [*program.A, *program.P, program.q]
    values = (*program.b, *times(program.P, solution.z), product(program.q, solution.z))
    return _has_point(len(program.q), program.C, program.d, equalities, values, unknowns, solution.program.source)


def _has_point(
    width: int,
    C: Sequence[Vector],
    d: Sequence[Fraction],
    A: Sequence[Vector],
    b: Vector,
    bounds: dict[int, Interval],
    source: str,
) -> bool:
    """Return whether a point with C·x ≤ d and A·x = b is within the bounds on its entries."""
    units = {k: tuple(ONE if j == k else ZERO for j in range(width)) for k in bounds}
    fixed = [k for k, (least, most) in bounds.items() if least == most]
    free = [k for k in bounds if k not in fixed]
    rows = [*C, *(units[k] for k in free), *(tuple(-entry for entry in units[k]) for k in free)]
    limits = [*d, *(bounds[k][1] for k in free), *(-bounds[k][0] for k in free)]
    equalities, values = [*A, *(units[k] for k in fixed)], [*b, *(bounds[k][0] for k in fixed)]
    nothing = (ZERO,) * width
    program = CanonicalProgram(
        (nothing,) * width, nothing, tuple(rows), tuple(limits), tuple(equalities), tuple(values)
    )
    return isinstance(find_optimum(program, Work(source)), Optimum)

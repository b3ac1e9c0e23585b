"""The KKT conditions of a quadratic program with a set of active constraints, as a linear system."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import chain
from operator import mul

from implicitgrad.model.program.problem import CanonicalProgram, QuadraticProgram, Vector, times
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import LinearSystem
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.numbers.null_space import integers


def kkt_system(
    program: QuadraticProgram, canonical: CanonicalProgram, active: Sequence[int], equalities: Sequence[int]
) -> LinearSystem:
    """Return the linear system of z, λ of some inequalities and ν of some equalities.

    Its inputs are q, the bounds of the inequalities and b, and its matrix is diag(−1, 1, 1)·K, so that x = A·y:

            ⎡−P  −Cᵀ  −Aᵀ⎤
        A = ⎢ C   0    0 ⎥
            ⎣ A   0    0 ⎦
    """
    rows = [canonical.C[i] for i in active] + [canonical.A[r] for r in equalities]
    nothing = (Fraction(0),) * len(rows)
    matrix = [(*(-entry for entry in row), *(-other[j] for other in rows)) for j, row in enumerate(canonical.P)] + [
        (*row, *nothing) for row in rows
    ]
    inequalities = program.inequalities()
    chosen = [inequalities[i] for i in active]
    names = [row.name for row in chosen]
    labels = [program.equality_names[r] for r in equalities]
    losses = [tuple(chain(*loss.of(chosen, equalities))) for loss in program.losses]
    return LinearSystem(
        A=RationalMatrix.of(matrix),
        B=None,
        dL_dy=RationalMatrix.of(losses) if losses else None,
        has_one_loss=program.has_one_loss,
        x=(*program.cost_names(), *names, *labels),
        y=(*program.z, *(f"λ[{name}]" for name in names), *(f"ν[{name}]" for name in labels)),
        name=program.name,
        source=program.source,
        has_decimals=False,
    )


def value_of_unknowns(solution: Solution, canonical: CanonicalProgram, active: Sequence[int]) -> Vector | None:
    """Return z, λ of the active inequalities and ν, the free ones among them 0, for the program's q, d and b.

    The system has all equalities. Return None if its equations contradict each other.
    """
    x = (*canonical.q, *(canonical.d[i] for i in active), *canonical.b)
    value_of = dict(zip(solution.x, x, strict=True))
    numerators, unit = integers([value_of[name] for name in solution.independent])
    J = RationalMatrix.of(solution.general.particular)
    found = tuple(Fraction(sum(map(mul, row, numerators)), unit * J.denominator) for row in J.numerators)
    return found if solution.constraints is None or times(solution.system.A, found) == x else None

"""The active constraints at an optimum, in three classes, and the polyhedron of its multipliers.

Strong: λᵢ is unique and positive. Exchangeable: λᵢ is not unique. Weak: λᵢ = 0 in every multiplier. The constraints
that some multiplier makes positive, I₊, are the strong and the exchangeable ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.model.program import CanonicalProgram, Vector, product, times
from implicitgrad.solvers.program.null_space import null_space
from implicitgrad.solvers.program.optimum import Optimum, find_optimum
from implicitgrad.solvers.program.work import Work

ZERO, ONE = Fraction(0), Fraction(1)
Range = tuple[Fraction, Fraction | None]
"""The least and the largest value; None for no upper end."""


class ActiveSet(NamedTuple):
    """The active inequalities, by their numbers, and what is known of the multipliers."""

    strong: list[int]
    exchangeable: list[int]
    weak: list[int]
    has_licq: bool
    """Whether the active inequalities and the independent equalities are linearly independent."""
    dependencies: list[Vector]
    """A basis of the (μ, β) with μᵀC_{I₊} + βᵀA = 0, μ by the order of ``positive``."""

    @property
    def active(self) -> list[int]:
        """All active inequalities."""
        return sorted([*self.strong, *self.exchangeable, *self.weak])

    @property
    def positive(self) -> list[int]:
        """I₊: those with a positive multiplier."""
        return sorted([*self.strong, *self.exchangeable])


def classify(program: CanonicalProgram, active: Sequence[int], multipliers: Vector, work: Work) -> ActiveSet:
    """Classify the active inequalities at a point with some valid multipliers.

    Where one of these is 0, another is positive exactly if a dependency (μ, β) of the active inequalities has μᵢ > 0,
    and μ ≥ 0 wherever they are 0: its small multiples can be added.
    """
    dependencies = _dependencies(program, active, work)
    has_licq = not any(any(vector[: len(active)]) for vector in dependencies)
    positive = [i for i in active if multipliers[i] > 0]
    if not has_licq:
        others = [k for k, i in enumerate(active) if not multipliers[i]]
        rows = list(zip(*dependencies, strict=True))
        are_positive = _largest_support([rows[k] for k in others], work)
        positive = sorted(positive + [active[k] for k, found in zip(others, are_positive, strict=True) if found])
    if dependencies and len(positive) < len(active):
        dependencies = _dependencies(program, positive, work)
    exchangeable = [i for k, i in enumerate(positive) if any(vector[k] for vector in dependencies)]
    return ActiveSet(
        strong=[i for i in positive if i not in exchangeable],
        exchangeable=exchangeable,
        weak=[i for i in active if i not in positive],
        has_licq=has_licq,
        dependencies=dependencies,
    )


def _dependencies(program: CanonicalProgram, active: Sequence[int], work: Work) -> list[Vector]:
    """Return a basis of the (μ, β) with Σ μᵢ·(row i of C) + βᵀA = 0, for the rows that are given."""
    columns = [program.C[i] for i in active] + list(program.A)
    return null_space(zip(*columns, strict=True), len(columns), work) if columns else []


def _largest_support(rows: Sequence[Vector], work: Work) -> list[bool]:
    """Return for each entry of R·c whether it is positive for some c with R·c ≥ 0.

    One linear program: maximise Σs subject to 0 ≤ s ≤ 1 and s ≤ R·c. Multiples and sums of its points are points, up to
    s ≤ 1, so that its maximum has s = 1 in all these entries.
    """
    moving = [k for k, row in enumerate(rows) if any(row)]
    found = [False] * len(rows)
    if not moving:
        return found
    k, width = len(moving), len(rows[0])
    nothing, units = (ZERO,) * width, [tuple(ONE if i == j else ZERO for j in range(k)) for i in range(k)]
    C = [(*(-x for x in rows[i]), *unit) for i, unit in zip(moving, units, strict=True)]
    C += [(*nothing, *unit) for unit in units]
    C += [(*nothing, *(-x for x in unit)) for unit in units]
    d = (*(ZERO,) * k, *(ONE,) * k, *(ZERO,) * k)
    best = find_optimum(_linear_program((*nothing, *(-ONE,) * k), C, d), work)
    assert isinstance(best, Optimum)
    for i, s in zip(moving, best.z[width:], strict=True):
        found[i] = s > 0
    return found


def _linear_program(q: Vector, C: Sequence[Vector], d: Vector) -> CanonicalProgram:
    return CanonicalProgram(((ZERO,) * len(q),) * len(q), q, tuple(C), d, (), ())


def multiplier_ranges(found: ActiveSet, multipliers: Vector, work: Work) -> dict[int, Range]:
    """Return the range of the multiplier of each active inequality, given valid multipliers.

    All multipliers are the given ones plus a combination N·c of the dependencies: one linear program in c for each end.
    """
    positive = found.positive
    ranges: dict[int, Range] = {i: (multipliers[i], multipliers[i]) for i in found.strong}
    ranges |= dict.fromkeys(found.weak, (ZERO, ZERO))
    rows = list(zip(*found.dependencies, strict=True))[: len(positive)]
    moving = [k for k, i in enumerate(positive) if i in found.exchangeable]
    C, d = [tuple(-x for x in rows[k]) for k in moving], tuple(multipliers[positive[k]] for k in moving)
    for k in moving:
        i, ends = positive[k], []
        for sign in (1, -1):
            best = find_optimum(_linear_program(tuple(sign * x for x in rows[k]), C, d), work)
            ends.append(multipliers[i] + product(rows[k], best.z) if isinstance(best, Optimum) else None)
        least, most = ends
        assert least is not None
        ranges[i] = (least, most)
    return dict(sorted(ranges.items()))


def solution_face(program: CanonicalProgram, found: ActiveSet, work: Work) -> tuple[list[Vector], list[int]]:
    """Return directions that span the set of solutions, and the weak inequalities that are tight in all of it.

    Along t ≠ 0 with P·t = 0, A·t = 0 and C_{I₊}·t = 0 the solutions go on exactly if C_weak·t ≤ 0.
    """
    n = len(program.q)
    fixed = [*program.P, *program.A, *(program.C[i] for i in found.positive)]
    directions = null_space(fixed, n, work)
    if not directions or not found.weak:
        return directions, found.weak
    rates = zip(*(times([program.C[i] for i in found.weak], direction) for direction in directions), strict=True)
    falls = _largest_support([tuple(-rate for rate in row) for row in rates], work)
    tight = [i for i, is_falling in zip(found.weak, falls, strict=True) if not is_falling]
    return null_space((*fixed, *(program.C[i] for i in tight)), n, work), tight

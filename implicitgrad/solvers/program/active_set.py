"""The active constraints at an optimum, in three classes, and the polyhedron of its multipliers.

Strong: λᵢ is unique and positive. Exchangeable: λᵢ is not unique. Weak: λᵢ = 0 in every multiplier. The constraints
that some multiplier makes positive, I₊, are the strong and the exchangeable ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.model.program.problem import CanonicalProgram, Rows, Vector, product, times
from implicitgrad.solvers.program.optimum import Optimum, find_optimum
from implicitgrad.solvers.program.work import Work, null_space

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
    """Return for each entry of R·c, R given by its rows, whether it is positive for some c with R·c ≥ 0.

    The entries that are not are those that are positive for some y ≥ 0 with Rᵀy = 0 (Tucker 1956, *Dual systems of
    homogeneous linear relations*), so that the space of lower dimension is searched.
    """
    if not rows:
        return []
    if 2 * len(rows[0]) > len(rows):
        vectors = null_space(zip(*rows, strict=True), len(rows), work)
        if not vectors:
            return [True] * len(rows)
        if len(vectors) < len(rows[0]):
            return [not found for found in _find_support(list(zip(*vectors, strict=True)), work)]
    return _find_support(rows, work)


def _find_support(rows: Sequence[Vector], work: Work) -> list[bool]:
    """Maximise the sum of the entries that are not yet known to be positive, up to 1, until it is 0."""
    found = [False] * len(rows)
    C, d = [tuple(-x for x in row) for row in rows], (ZERO,) * len(rows)
    while True:
        left = [row for row, known in zip(rows, found, strict=True) if not known]
        total = tuple(sum(column, ZERO) for column in zip(*left, strict=True))
        if not any(total):
            return found
        best = find_optimum(_linear_program(tuple(-x for x in total), [*C, total], (*d, ONE)), work)
        assert isinstance(best, Optimum)
        if not product(total, best.z):
            return found
        found = [known or value > 0 for known, value in zip(found, times(rows, best.z), strict=True)]


def _linear_program(
    q: Sequence[Fraction], C: Sequence[Vector], d: Sequence[Fraction], A: Rows = ()
) -> CanonicalProgram:
    return CanonicalProgram(((ZERO,) * len(q),) * len(q), tuple(q), tuple(C), tuple(d), A, (ZERO,) * len(A))


def multiplier_ranges(
    program: CanonicalProgram, found: ActiveSet, gradient: Vector, multipliers: Vector, work: Work
) -> dict[int, Range]:
    """Return the range of the multiplier of each active inequality, given P·z + q and valid multipliers."""
    ranges: dict[int, Range] = {i: (multipliers[i], multipliers[i]) for i in found.strong}
    ranges |= dict.fromkeys(found.weak, (ZERO, ZERO))
    few = len(found.dependencies) <= len(program.q)
    ends = _ends_by_dependencies(found, multipliers, work) if few else _ends_by_duality(program, found, gradient, work)
    ranges |= dict(zip(found.exchangeable, ends, strict=True))
    return dict(sorted(ranges.items()))


def _ends_by_dependencies(found: ActiveSet, multipliers: Vector, work: Work) -> Iterator[Range]:
    """Yield the ends of exchangeable multipliers: these are the given ones plus a combination N·c of dependencies."""
    positive = found.positive
    rows = list(zip(*found.dependencies, strict=True))[: len(positive)]
    moving = [positive.index(i) for i in found.exchangeable]
    C, d = [tuple(-x for x in rows[k]) for k in moving], tuple(multipliers[positive[k]] for k in moving)
    for k, given in zip(moving, d, strict=True):
        least, most = (find_optimum(_linear_program([sign * x for x in rows[k]], C, d), work) for sign in (1, -1))
        assert isinstance(least, Optimum)
        end = given + product(rows[k], most.z) if isinstance(most, Optimum) else None
        yield given + product(rows[k], least.z), end


def _ends_by_duality(program: CanonicalProgram, found: ActiveSet, gradient: Vector, work: Work) -> Iterator[Range]:
    """Yield the ends of exchangeable multipliers.

    By duality the least λᵢ is the largest −gᵀt subject to C·t ≤ eᵢ and A·t = 0, and the largest λᵢ is the least gᵀt
    subject to C·t ≤ −eᵢ and A·t = 0.
    """
    C = [program.C[i] for i in found.positive]
    for i in found.exchangeable:
        unit = [ONE if i == k else ZERO for k in found.positive]
        least, most = (
            find_optimum(_linear_program(gradient, C, [sign * x for x in unit], program.A), work) for sign in (1, -1)
        )
        assert isinstance(least, Optimum)
        yield -product(gradient, least.z), product(gradient, most.z) if isinstance(most, Optimum) else None


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

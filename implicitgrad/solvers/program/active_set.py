"""The active constraints at an optimum, in three classes, and the polyhedron of its multipliers.

Strong: λᵢ is unique and positive. Exchangeable: λᵢ is not unique. Weak: λᵢ = 0 in every multiplier. The constraints
that some multiplier makes positive, I₊, are the strong and the exchangeable ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.model.program import CanonicalProgram, Rows, Vector
from implicitgrad.model.program_solution import RayCertificate
from implicitgrad.solvers.program.null_space import null_space, rank
from implicitgrad.solvers.program.optimum import Optimum, find_optimum

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


def classify(program: CanonicalProgram, active: Sequence[int], gradient: Vector, multipliers: Vector) -> ActiveSet:
    """Classify the active inequalities at a point with the gradient P·z + q and some valid multipliers."""
    rows = [program.C[i] for i in active]
    n = len(program.q)
    has_licq = rank((*program.A, *rows), n) == rank(program.A, n) + len(active) if active else True
    if has_licq:
        positive = [i for i in active if multipliers[i] > 0]
    else:
        positive = [i for i, is_positive in zip(active, _can_be_positive(rows, program.A, gradient)) if is_positive]  # noqa: B905
    columns = [program.C[i] for i in positive] + list(program.A)
    dependencies = null_space(zip(*columns, strict=True), len(columns)) if columns else []
    exchangeable = [i for k, i in enumerate(positive) if any(vector[k] for vector in dependencies)]
    return ActiveSet(
        strong=[i for i in positive if i not in exchangeable],
        exchangeable=exchangeable,
        weak=[i for i in active if i not in positive],
        has_licq=has_licq,
        dependencies=dependencies,
    )


def _can_be_positive(rows: Sequence[Vector], A: Rows, gradient: Vector) -> list[bool]:
    """Return for each row whether some multiplier of it is positive.

    One linear program: maximise Σsᵢ subject to 0 ≤ sᵢ ≤ μᵢ, sᵢ ≤ 1, Cᵀμ + Aᵀβ + t·gradient = 0 and t ≥ 1. Multiples of
    its points are points, so that its maximum has sᵢ = 1 wherever μᵢ can be positive.
    """
    k, p = len(rows), len(A)
    width = 2 * k + p + 1  # s, μ, β, t

    def row(entries: dict[int, Fraction]) -> Vector:
        return tuple(entries.get(j, ZERO) for j in range(width))

    C = [row({i: ONE, k + i: -ONE}) for i in range(k)] + [row({i: ONE}) for i in range(k)]
    C += [row({i: -ONE}) for i in range(k)] + [row({width - 1: -ONE})]
    d = (*(ZERO,) * k, *(ONE,) * k, *(ZERO,) * k, -ONE)
    equalities = [(*(ZERO,) * k, *(r[j] for r in rows), *(a[j] for a in A), entry) for j, entry in enumerate(gradient)]
    q = (*(-ONE,) * k, *(ZERO,) * (width - k))
    found = find_optimum(_linear_program(q, C, d, equalities))
    assert isinstance(found, Optimum)
    return [value > 0 for value in found.z[:k]]


def _linear_program(q: Vector, C: Sequence[Vector], d: Vector, A: Sequence[Vector], b: Vector = ()) -> CanonicalProgram:
    return CanonicalProgram(((ZERO,) * len(q),) * len(q), q, tuple(C), d, tuple(A), b or (ZERO,) * len(A))


def multiplier_ranges(
    program: CanonicalProgram, found: ActiveSet, gradient: Vector, multipliers: Vector
) -> dict[int, Range]:
    """Return the range of the multiplier of each active inequality."""
    positive, p = found.positive, len(program.A)
    ranges: dict[int, Range] = {i: (multipliers[i], multipliers[i]) for i in found.strong}
    ranges |= dict.fromkeys(found.weak, (ZERO, ZERO))
    width = len(positive) + p
    equalities = [(*(program.C[i][j] for i in positive), *(a[j] for a in program.A)) for j in range(len(gradient))]
    target = tuple(-entry for entry in gradient)
    C = [tuple(-ONE if j == k else ZERO for j in range(width)) for k in range(len(positive))]
    for i in found.exchangeable:
        k = positive.index(i)
        ends = []
        for sign in (ONE, -ONE):
            q = tuple(sign if j == k else ZERO for j in range(width))
            best = find_optimum(_linear_program(q, C, (ZERO,) * len(C), equalities, target))
            ends.append(None if isinstance(best, RayCertificate) else best.z[k] if isinstance(best, Optimum) else ZERO)
        least, most = ends
        assert least is not None
        ranges[i] = (least, most)
    return dict(sorted(ranges.items()))


def solution_face(program: CanonicalProgram, found: ActiveSet) -> tuple[list[Vector], list[int]]:
    """Return directions that span the set of solutions, and the weak inequalities that are tight in all of it.

    Along d ≠ 0 with P·d = 0, A·d = 0 and C_{I₊}·d = 0 the solutions go on exactly if C_weak·d ≤ 0. One linear program
    finds a d that leaves as many weak inequalities as any: maximise Σtᵢ subject to C_weak·d + t ≤ 0, 0 ≤ t ≤ 1.
    """
    n = len(program.q)
    fixed = [*program.P, *program.A, *(program.C[i] for i in found.positive)]
    directions = null_space(fixed, n)
    if not directions or not found.weak:
        return directions, found.weak
    k, w = len(found.weak), len(directions)
    products = [
        tuple(sum((a * b for a, b in zip(program.C[i], direction, strict=True)), ZERO) for direction in directions)
        for i in found.weak
    ]
    units = [tuple(ONE if i == j else ZERO for j in range(k)) for i in range(k)]
    C = [(*row, *unit) for row, unit in zip(products, units, strict=True)]
    C += [(*(ZERO,) * w, *unit) for unit in units]
    C += [(*(ZERO,) * w, *(-entry for entry in unit)) for unit in units]
    d = (*(ZERO,) * k, *(ONE,) * k, *(ZERO,) * k)
    best = find_optimum(_linear_program((*(ZERO,) * w, *(-ONE,) * k), C, d, ()))
    assert isinstance(best, Optimum)
    tight = [i for i, t in zip(found.weak, best.z[w:], strict=True) if not t]
    return null_space((*fixed, *(program.C[i] for i in tight)), n), tight

"""Whether a symmetric matrix is positive semidefinite, in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import lcm

from implicitgrad.model.conditioning import FULL_BITS
from implicitgrad.model.program.problem import QuadraticProgram, Rows, Vector, product, times
from implicitgrad.numbers.exact import IntegerRow, exchange
from implicitgrad.solvers.program.work import Work
from implicitgrad.text.characters import format_fraction
from implicitgrad.text.errors import InputError, Problem

ROUNDING = 2.0**-50
"""Of a sum of products, for each of its terms."""
MAX_BITS_OF_MEAN = 54
"""Significant bits of half the sum of two doubles of one size."""


def refuse_nonconvex(program: QuadraticProgram, P: Rows, work: Work) -> None:
    """Raise InputError if P, symmetrised, is not positive semidefinite, or is only so far from it as it was rounded."""
    v = negative_curvature(P, work)
    if v is None:
        return
    if _was_rounded(P):
        v = clearest_curvature(P)
        if v is None:
            message = (
                "P: whether it is positive semidefinite is not decided: it is to within the rounding of its entries"
            )
            problem = Problem(message, "Entries that are not rounded to doubles decide it", "not-decided")
            raise InputError([problem.at(*program.place or (program.source, None))])
    raise nonconvex(program, P, v)


def _was_rounded(P: Rows) -> bool:
    """Return whether a matrix is probably of rounded doubles: all entries are doubles, some with nearly all bits."""
    entries = [entry for row in P for entry in row]
    most = max(entry.numerator.bit_length() for entry in entries)
    are_dyadic = all(entry.denominator & (entry.denominator - 1) == 0 for entry in entries)
    return are_dyadic and FULL_BITS <= most <= MAX_BITS_OF_MEAN


def clearest_curvature(P: Rows) -> Vector | None:
    """Return a v with a vᵀPv that is negative beyond what rounding its entries can make of 0; None if there is none."""
    import numpy as np

    n = len(P)
    v = tuple(map(Fraction, np.round(np.linalg.eigh(np.array(P, dtype=float))[1][:, 0], 3).tolist()))
    size = max(abs(entry) for row in P for entry in row) * sum(map(abs, v)) ** 2
    return v if product(v, times(P, v)) < -Fraction(n * ROUNDING) * size else None


def nonconvex(program: QuadraticProgram, P: Rows, v: Vector) -> InputError:
    """Return the error of a P with vᵀPv < 0."""
    curvature = format_fraction(product(v, times(P, v)))
    shown = ", ".join(f"{name} = {format_fraction(entry)}" for name, entry in zip(program.z, v, strict=True) if entry)
    key = "P: " if program.letters is None else ""
    if program.is_maximum:  # P is that of the negated objective
        message = f"{key}expected a concave objective, got vᵀPv = {curvature.removeprefix('-')}"
        hint = "The derivative of a maximum needs a negative semidefinite P"
    else:
        message = f"{key}expected a convex objective, got vᵀPv = {curvature}"
        hint = "The derivative of a minimum needs a positive semidefinite P"
    problem = Problem(f"{message} at v: {shown}", hint, "not-convex")
    return InputError([problem.at(*program.place or (program.source, None))])


def negative_curvature(P: Rows, work: Work) -> Vector | None:
    """Return a v with vᵀPv < 0; None if P (n, n), which is symmetric, is positive semidefinite."""
    scale = lcm(*[entry.denominator for row in P for entry in row])
    rows = [[entry.numerator * (scale // entry.denominator) for entry in row] for row in P]
    return None if _is_semidefinite([row[: i + 1] for i, row in enumerate(rows)], work) else _negative(rows, work)


def _is_semidefinite(rows: list[IntegerRow], work: Work) -> bool:
    """Eliminate a matrix, given by its lower triangle, with the last diagonal entry as the pivot each time."""
    d = 1
    while rows:
        last = rows.pop()
        pivot = last.pop()
        if pivot < 0 or (pivot == 0 and any(last)):
            return False
        if pivot:
            work.spend(len(last) * len(last) // 2, d.bit_length())
            for i, row in enumerate(rows):
                factor = last[i]
                rows[i] = [(pivot * a - factor * b) // d for a, b in zip(row, last)]  # noqa: B905 (of the triangle)
            d = pivot
    return True


def _negative(rows: list[IntegerRow], work: Work) -> Vector | None:
    """Return a v with negative vᵀPv.

    Positive diagonal entries are pivots until none is left; what is left is a Schur complement S. With unit vectors u
    and v that has a negative uᵀSu, or uᵀSu = 0 ≠ uᵀSv, P has one of the same sign.
    """
    rows = [[-entry for entry in row] for row in rows]
    d, n = 1, len(rows)
    is_pivot = [False] * n
    while True:
        diagonal = [0 if is_pivot[j] else -rows[j][j] * (1 if d > 0 else -1) for j in range(n)]
        if min(diagonal, default=0) < 0:
            return _completed(rows, d, is_pivot, {diagonal.index(min(diagonal)): 1})
        pivots = [j for j in range(n) if diagonal[j] > 0]
        if not pivots:
            break
        pivot = min(pivots, key=lambda j: diagonal[j])
        work.spend(n * n, d.bit_length())
        d = exchange(rows, pivot, pivot, d)
        is_pivot[pivot] = True
    left = [j for j in range(n) if not is_pivot[j]]
    for i in left:
        for j in left:
            entry = -rows[i][j] * (1 if d > 0 else -1)
            if entry:
                return _completed(rows, d, is_pivot, {i: 1, j: -1 if entry > 0 else 1})
    return None


def _completed(rows: list[list[int]], d: int, is_pivot: list[bool], chosen: dict[int, int]) -> Vector:
    """Return the vector with the chosen entries outside the pivots that minimises the quadratic form."""
    found = [Fraction(chosen.get(j, 0)) for j in range(len(rows))]
    for i, row in enumerate(rows):
        if is_pivot[i]:
            found[i] = Fraction(-sum(row[j] * entry for j, entry in chosen.items()), d)
    return tuple(found)

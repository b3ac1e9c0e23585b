"""Null spaces and ranks of matrices of fractions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import gcd, lcm

from implicitgrad.model.program import Vector
from implicitgrad.numbers.exact import IntegerRow, Reduced
from implicitgrad.numbers.row_reduction import integers, reduce_rows
from implicitgrad.solvers.program.work import Work


def null_space(rows: Iterable[Sequence[Fraction]], columns: int, work: Work) -> list[Vector]:
    """Return a basis of the null space of a matrix, as integers without a common factor, the first one positive."""
    reduced = _reduce([integers(row)[0] for row in rows] or [[0] * columns], columns, work)
    found = []
    for place, j in enumerate(reduced.columns):
        vector = [Fraction(0)] * columns
        vector[j] = Fraction(1)
        for pivot, row in zip(reduced.pivots, reduced.rows, strict=False):
            vector[pivot] = Fraction(-row[place], reduced.d)
        found.append(primitive(vector))
    return found


def rank(rows: Iterable[Sequence[Fraction]], columns: int, work: Work) -> int:
    """Return the rank of a matrix."""
    return len(_reduce([integers(row)[0] for row in rows], columns, work).pivots)


def _reduce(rows: list[IntegerRow], columns: int, work: Work) -> Reduced:
    work.spend_on_reduction(rows, columns)
    return reduce_rows(rows, range(columns))


def primitive(vector: Sequence[Fraction]) -> Vector:
    """Return the multiple of a vector that has integers without a common factor, the first one positive."""
    return signed_primitive(vector, -1 if next((entry for entry in vector if entry), 1) < 0 else 1)


def signed_primitive(vector: Sequence[Fraction], sign: int = 1) -> Vector:
    """Return the positive multiple of a vector, times a sign, that has integers without a common factor."""
    scale = lcm(*[entry.denominator for entry in vector])
    numerators = [int(entry * scale) for entry in vector]
    common = sign * (gcd(*numerators) or 1)
    return tuple(Fraction(numerator // common) for numerator in numerators)

"""Null spaces and ranks of matrices of fractions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import gcd, lcm

from implicitgrad.model.program import Vector
from implicitgrad.numbers.null_space import null_space as null_space_of_integers
from implicitgrad.numbers.row_reduction import integers, reduce_rows
from implicitgrad.solvers.program.work import Work


def null_space(rows: Iterable[Sequence[Fraction]], columns: int, work: Work) -> list[Vector]:
    """Return a basis of the null space of a matrix, as integers without a common factor, the first one positive."""
    given = [integers(row)[0] for row in rows] or [[0] * columns]
    work.spend_on_reduction(given, columns)
    return [tuple(map(Fraction, vector)) for vector in null_space_of_integers(given, columns)]


def rank(rows: Iterable[Sequence[Fraction]], columns: int, work: Work) -> int:
    """Return the rank of a matrix."""
    given = [integers(row)[0] for row in rows]
    work.spend_on_reduction(given, columns)
    return len(reduce_rows(given, range(columns)).pivots)


def signed_primitive(vector: Sequence[Fraction]) -> Vector:
    """Return the positive multiple of a vector that has integers without a common factor."""
    scale = lcm(*[entry.denominator for entry in vector])
    numerators = [int(entry * scale) for entry in vector]
    common = gcd(*numerators) or 1
    return tuple(Fraction(numerator // common) for numerator in numerators)

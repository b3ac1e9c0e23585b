"""Tell whether rounding its entries to doubles could lower the rank of A."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ulp

from implicitgrad.model.system import LinearSystem
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.numbers.rounding import to_float

ILL_CONDITIONED = (
    "ill-conditioned",
    "A is ill-conditioned: a change as small as the rounding of its entries to doubles could lower its rank",
)
FULL_BITS = 50
"""A double with so many significant bits was probably rounded."""


def can_rounding_lower_rank(
    system: LinearSystem,
    condition_squared: Fraction,
    J: BaseMatrix[Fraction] | None,
    independent: Sequence[str],
    free: Sequence[str],
) -> bool:
    """Return whether a change as large as the rounding of its entries could lower the rank of A, which is full.

    J : a particular Jacobian, if it is at hand. independent, free : names of inputs and unknowns. No change E with
    ‖E‖_F < 1/‖A⁺‖_F ≤ σ_min lowers the rank, and none with ‖|G|·|E|‖ < 1 or ‖|E|·|G|‖ < 1, where G is the inverse of a
    nonsingular part of A, and E is restricted to that part.
    """
    A = RationalMatrix.of(system.A)
    E = [tuple(map(_rounding_to_double, row)) for row in A]
    change = sum((e * e for row in E for e in row), Fraction(0))
    if change * condition_squared * A.denominator**2 < A.squared_numerators():
        return False
    if J is None or system.B is not None:
        return True
    columns = [j for j, name in enumerate(system.y) if name not in free]
    G = [J[j] for j in columns]
    part = [tuple([E[system.x.index(name)][j] for j in columns]) for name in independent]
    return not any(_norm_of_sizes(*pair) < 1 for pair in ((G, part), (part, G)))


def _norm_of_sizes(X: Sequence[Sequence[Fraction]], Y: Sequence[Sequence[Fraction]]) -> Fraction:
    """Return ‖|X|·|Y|‖_∞."""
    sums = [sum(map(abs, row), Fraction(0)) for row in Y]
    return max(sum((abs(x) * s for x, s in zip(row, sums, strict=True)), Fraction(0)) for row in X)


def _rounding_to_double(entry: Fraction) -> Fraction:
    """Return an entry's distance from the nearest double; half a unit of its last bit if it is a double of full length.

    Such a double was probably rounded before. An entry beyond the largest double is not rounded.
    """
    if entry.denominator == 1 and entry.numerator.bit_length() <= 53:
        return Fraction(0)
    double = to_float(entry)
    if double is None:
        return Fraction(0)
    if entry != double:
        return abs(entry - Fraction(double))
    is_full = entry.numerator.bit_length() >= FULL_BITS and entry.denominator != 1
    return Fraction(ulp(double)) / 2 if is_full else Fraction(0)

"""Estimate the work of exact arithmetic, in seconds of a usual processor: a function of the system alone.

Each pivot of the fraction-free reduction multiplies and divides all numbers beside it. After k pivots these are minors
of order k, of about k·(b + ½·log₂ k) bits where the entries of the integer rows have b; the time of a multiplication
is taken to grow with the square of that.
"""

from __future__ import annotations

from math import gcd, lcm, log2
from typing import TYPE_CHECKING

from implicitgrad.numbers.exact import IntegerRow, RationalMatrix

if TYPE_CHECKING:
    from implicitgrad.model.system import LinearSystem

ALWAYS_EXACT = 16
"""Equations, unknowns and inputs up to which exact arithmetic is always used."""
QUICK = 0.1
"""Seconds that exact arithmetic may take without being asked for."""
SETTLED = 5.0
"""Seconds that it may take to decide what in doubles only a cutoff could."""
PER_NUMBER = 3e-7
PER_SQUARED_BIT = 6e-12
"""Seconds for each number beside a pivot, as measured."""


def is_quick(system: LinearSystem) -> bool:
    """Whether a system of rational numbers, or of doubles as such, is solved exactly in no noticeable time."""
    return max(system.equations, system.unknowns, system.inputs) <= ALWAYS_EXACT or estimate(system, QUICK) <= QUICK


def can_be_settled(system: LinearSystem) -> bool:
    """Whether a system whose rank is in doubt is solved exactly in seconds."""
    return estimate(system, SETTLED, is_deficient=True) <= SETTLED


def least_estimate(M: int, N: int, P: int | None, bits: float = 0) -> float:
    """Seconds for the reduction and to write the answer. P : None where B is the identity. bits : of each number."""
    answer = max(M, N) * (N + (M if P is None else P)) * PER_NUMBER
    return answer + _of_reduction(M, N + (P or 0), min(M, N), bits)


def estimate(system: LinearSystem, enough: float = float("inf"), *, is_deficient: bool = False) -> float:
    """Seconds; a lower bound where that is beyond ``enough``. is_deficient : of a matrix of less than full rank."""
    M, N, P = system.equations, system.unknowns, system.inputs
    P_of_B = None if system.B is None else P
    least = least_estimate(M, N, P_of_B)
    if least > enough:
        return least
    bits, rank = _mean_bits(system), min(M, N)
    found = least_estimate(M, N, P_of_B, bits)
    if is_deficient or M != N or system.B is not None:  # the condition is found from inner products of rows or columns
        found += (2 if is_deficient else 1) * _of_reduction(rank, rank, rank, 2 * bits + log2(max(M, N)))
    if is_deficient or M < N:  # and so is the minimum-norm solution
        found += _of_reduction(rank, rank + P, rank, 2 * bits + log2(max(M, N)))
    return found


def _of_reduction(rows: int, columns: int, rank: int, bits: float) -> float:
    grown = rank * (bits + log2(rank) / 2)
    return rows * columns * rank * (PER_NUMBER + PER_SQUARED_BIT * grown**2 / 3)


def _mean_bits(system: LinearSystem) -> float:
    """Of the largest entry of each row of [A | B], its denominators cleared."""
    parts = [_cleared(RationalMatrix.of(matrix)) for matrix in (system.A, system.B) if matrix is not None]
    total = 0
    for pairs in zip(*parts, strict=True):
        denominator = lcm(*[d for _, d in pairs])
        total += max(largest * (denominator // d) for largest, d in pairs).bit_length()
    return total / system.equations


def _cleared(matrix: RationalMatrix) -> list[tuple[int, int]]:
    """Of each row the largest numerator and the least common denominator."""
    return [_lowest(row, abs(matrix.denominator)) for row in matrix.numerators]


def _lowest(row: IntegerRow, denominator: int) -> tuple[int, int]:
    common = gcd(denominator, *row) if denominator != 1 else 1
    return max(map(abs, row)) // common, denominator // common

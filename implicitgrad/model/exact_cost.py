"""Estimate the time of exact arithmetic, in seconds of a usual processor, from the system alone.

Each pivot of the fraction-free reduction multiplies and divides all numbers beside it. After k pivots these are minors
of order k, of about k·(b + ½·log₂ k) bits if the entries of the integer rows have b bits; the time of a multiplication
is assumed to grow with the square of that.
"""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING

from implicitgrad.model.system import ALWAYS_EXACT
from implicitgrad.numbers.exact import MAX_WITHOUT_FLINT, RationalMatrix
from implicitgrad.numbers.flint_reduction import is_flint_installed
from implicitgrad.text.characters import count
from implicitgrad.text.errors import InputError, Problem

if TYPE_CHECKING:
    from implicitgrad.model.system import LinearSystem

QUICK = 0.1
"""Seconds that exact arithmetic may take unasked."""
SETTLED = 5.0
"""Seconds that it may take to decide what doubles decide only by a cutoff."""
MAX_SHORT_ENTRIES = 50_000
"""Entries of A, up to which a text of 100 kB may hold them."""
LONG, LONG_WITH_FLINT = 20.0, 200.0
"""Estimates that stand for about 10 s: multiplication of long numbers is faster than estimated, FLINT much faster."""
PER_NUMBER = 3e-7
PER_SQUARED_BIT = 6e-12
"""Seconds for each number beside a pivot, measured."""


def is_quick(system: LinearSystem) -> bool:
    """Return whether exact arithmetic solves a system of rational numbers or doubles in no noticeable time."""
    return max(system.equations, system.unknowns, system.inputs) <= ALWAYS_EXACT or estimate(system, QUICK) <= QUICK


def can_be_settled(system: LinearSystem) -> bool:
    """Return whether exact arithmetic solves a system of doubtful rank in seconds."""
    return estimate(system, SETTLED, is_deficient=True) <= SETTLED


def refuse_long_work(system: LinearSystem) -> None:
    """Raise InputError if a system of few entries takes exact arithmetic more than about 10 s."""
    M, N, P = system.equations, system.unknowns, system.inputs
    has_flint = max(M, N, P) > MAX_WITHOUT_FLINT and is_flint_installed()
    limit = LONG_WITH_FLINT if has_flint else LONG
    if isinstance(system.A, RationalMatrix) and M * N <= MAX_SHORT_ENTRIES and estimate(system, limit) > limit:
        message = "expected a system that exact arithmetic solves within 10 s, got one of "
        message += f"{count(M, 'equation')} in {count(N, 'unknown')} with long numbers"
        hint = "--arithmetic float is quick; --time-limit gives exact arithmetic more"
        raise InputError([Problem(message, hint, "too-large", system.source)])


def least_estimate(M: int, N: int, P: int | None, bits: float = 0) -> float:
    """Return the seconds to reduce and to write the answer. P : None if B is the identity. bits : of each number."""
    answer = max(M, N) * (N + (M if P is None else P)) * PER_NUMBER
    return answer + _of_reduction(M, N + (P or 0), min(M, N), bits)


def estimate(system: LinearSystem, enough: float = float("inf"), *, is_deficient: bool = False) -> float:
    """Return the seconds; a lower bound if that exceeds ``enough``. is_deficient : whether A lacks full rank."""
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
    """Return the mean bit length of the largest entry of each row of [A | B], its denominators cleared."""
    A = RationalMatrix.of(system.A)
    rows, _ = (A if system.B is None else A.beside(system.B)).integer_rows()
    return sum(max(map(abs, row)).bit_length() for row in rows) / system.equations

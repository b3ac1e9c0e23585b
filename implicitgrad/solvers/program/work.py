"""A limit on the work that a program may take, counted alike on every machine; null spaces and ranks within it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import isqrt

from implicitgrad.model.program.problem import Vector
from implicitgrad.numbers.exact import MAX_WITHOUT_FLINT, IntegerRow, reduce_rows
from implicitgrad.numbers.flint_reduction import is_flint_installed
from implicitgrad.numbers.null_space import integers
from implicitgrad.numbers.null_space import null_space as null_space_of_integers
from implicitgrad.text.errors import InputError, Problem

MAX_WORK = 12_000_000
"""In updates of small integers, of which Python does some two million a second."""
BITS_TIMES_FLINT = 1000
"""By so much is FLINT faster than one update for each bit."""


class Work:
    """Counts updates (a·b − c·d) / e of the entries of tableaus and matrices, those of long integers as several."""

    def __init__(self, source: str) -> None:
        self.source, self.left = source, MAX_WORK

    def spend(self, entries: int, bits: int) -> None:
        """Count updates of integers of so many bits. Raise InputError beyond the limit."""
        self._count(entries * (1 + bits // 90 + (bits // 410) ** 2))

    def expect_reduction(self, rows: Sequence[IntegerRow], width: int) -> None:
        """Raise InputError if the row reduction of a matrix would exceed the limit."""
        left = self.left
        self.spend_on_reduction(rows, width)
        self.left = left

    def spend_on_reduction(self, rows: Sequence[IntegerRow], width: int) -> None:
        """Count the row reduction of a matrix, whose entries grow up to Hadamard's bound, before it is done."""
        height = len(rows)
        pivots = min(height, width)
        norms = sorted((isqrt(sum([entry * entry for entry in row])).bit_length() for row in rows), reverse=True)
        bits = sum(norms[:pivots])
        self._count(2 * height * width)
        if max(height, width) > MAX_WITHOUT_FLINT and is_flint_installed():
            self._count(pivots * height * width * bits * (1 + bits // 20_000) // (2 * BITS_TIMES_FLINT))
        else:
            self.spend(pivots * height * width, bits // 2)

    def _count(self, updates: int) -> None:
        self.left -= updates
        if self.left < 0:
            message = f"expected a program that takes at most {MAX_WORK:,} updates of integers, got one that takes more"
            hint = "Round its numbers to fewer digits or split it into smaller programs"
            raise InputError([Problem(message, hint, "too-large", self.source)])


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

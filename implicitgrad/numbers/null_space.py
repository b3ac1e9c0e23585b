"""Integer rows: scale rational rows to them, and read inverses, null spaces and relations off their reduction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import gcd, lcm

from implicitgrad.numbers.exact import IntegerRow, RationalMatrix, reduce_rows

MAX_DEPENDENCIES = 10_000
"""The numbers of a basis of the left null space, beyond which it is not computed."""


def integers(row: Sequence[Fraction]) -> tuple[IntegerRow, int]:
    """Return a rational row times its least common denominator, and that denominator."""
    pairs = [entry.as_integer_ratio() for entry in row]
    denominator = lcm(*[d for _, d in pairs])
    return [n * (denominator // d) for n, d in pairs], denominator


def inverse(rows: Sequence[IntegerRow]) -> tuple[list[IntegerRow], int] | None:
    """Return the inverse of a square matrix as numerators and denominator; None if it is singular."""
    n = len(rows)
    found = reduce_rows(rows, range(n), beside_identity=True)
    if len(found.pivots) < n:
        return None
    places = [found.columns.index(n + k) for k in range(n)]
    in_order = [row for _, row in sorted(zip(found.pivots, found.rows, strict=True))]
    return [[row[place] for place in places] for row in in_order], found.d


def null_space(rows: Sequence[IntegerRow], columns: int) -> list[IntegerRow]:
    """Return a basis of the null space, each vector without a common factor and with a positive first entry."""
    reduced = reduce_rows(list(rows) or [[0] * columns], range(columns))
    found = []
    for place, j in enumerate(reduced.columns):
        vector = [0] * columns
        vector[j] = reduced.d
        for pivot, row in zip(reduced.pivots, reduced.rows):  # noqa: B905 (rows without a pivot are zero)
            vector[pivot] = -row[place]
        common = gcd(*vector) * (-1 if next(filter(None, vector)) < 0 else 1)
        found.append([entry // common for entry in vector])
    return found


def left_null_space(A: RationalMatrix, rank: int) -> list[IntegerRow] | None:
    """Return a basis of the w with wᵀA = 0, or None if it has more than MAX_DEPENDENCIES numbers."""
    M = len(A)
    return None if (M - rank) * M > MAX_DEPENDENCIES else null_space(A.transposed().numerators, M)


def short_relations(rows: Sequence[IntegerRow], relations: Iterable[IntegerRow], most: int) -> list[IntegerRow]:
    """Return up to ``most`` independent w with Σ wᵢ·rowᵢ = 0, those of the fewest and smallest entries first.

    They are chosen from ``relations``, which hold, and from the relations between two proportional rows: a basis from
    a row reduction may express both of such a pair by many others. Each has no common factor.
    """
    candidates = {tuple(_without_common_factor(relation)) for relation in (*_of_pairs(rows), *relations)}
    found: list[IntegerRow] = []
    for candidate in sorted(candidates, key=_length):
        if len(found) == most:
            break
        longer = [*found, list(candidate)]
        if any(candidate) and len(reduce_rows(longer, range(len(candidate))).pivots) == len(longer):
            found = longer
    return found


def _of_pairs(rows: Sequence[IntegerRow]) -> Iterable[IntegerRow]:
    """Yield a relation for each row that is a multiple of an earlier one, and for each zero row."""
    first: dict[tuple[int, ...], tuple[int, int]] = {}
    for i, row in enumerate(rows):
        relation = [0] * len(rows)
        relation[i] = 1
        if any(row):
            direction = tuple(_without_common_factor(row))
            lead = next(filter(None, row)) // next(filter(None, direction))
            earlier, multiple = first.setdefault(direction, (i, lead))
            if earlier == i:
                continue
            relation[i], relation[earlier] = multiple, -lead
        yield relation


def _without_common_factor(row: Sequence[int]) -> IntegerRow:
    """Divide by the greatest common divisor, so that more entries are positive than negative, or else the last is."""
    common = gcd(*row) or 1
    signs = sum((entry > 0) - (entry < 0) for entry in row)
    last = next((entry for entry in reversed(row) if entry), 1)
    common = -common if signs < 0 or (not signs and last < 0) else common
    return [entry // common for entry in row]


def _length(relation: Sequence[int]) -> tuple[int, int, list[bool], Sequence[int]]:
    sizes = [abs(entry) for entry in relation]
    return sum(map(bool, sizes)), sum(sizes), [not size for size in sizes], relation

"""A claim as it would be without a mistake: every number with the tolerance of its digits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from implicitgrad.checks.context import Setting, transpose
from implicitgrad.model.claims import Numbers
from implicitgrad.model.system import Matrix

Holds = Callable[[Numbers, Matrix], bool]
"""The verdict: whether a claim holds within these tolerances."""
MAX_EXCHANGED = 8
"""With more inputs no two of them are exchanged as a trial."""


def is_wide(numbers: Numbers, setting: Setting) -> bool:
    """Whether x is constrained and the claim has a column for each input all the same."""
    return setting.solution.constraints is not None and len(numbers.entries[0]) == setting.system.inputs


def divided(numbers: Numbers, factor: Fraction | int) -> Numbers:
    """The claim over ``factor``."""
    inverse = 1 / Fraction(factor)
    entries = tuple([tuple([None if value is None else value * inverse for value in row]) for row in numbers.entries])
    roundings = tuple([tuple([rounding * abs(inverse) for rounding in row]) for row in numbers.roundings])
    return numbers._replace(entries=entries, roundings=roundings)


def with_signs_flipped(numbers: Numbers, cells: Iterable[tuple[int, int]]) -> Numbers:
    """The claim with other signs in these rows and columns."""
    entries = [list(row) for row in numbers.entries]
    for i, j in cells:
        entries[i][j] = -(entries[i][j] or Fraction(0))
    return numbers._replace(entries=tuple(map(tuple, entries)))


def with_rows_ordered(numbers: Numbers, order: Sequence[int]) -> Numbers:
    """The claim with each row where ``order`` has it belong."""
    places = sorted(range(len(order)), key=order.__getitem__)
    return numbers._replace(
        entries=tuple([numbers.entries[i] for i in places]), roundings=tuple([numbers.roundings[i] for i in places])
    )


def with_columns_ordered(numbers: Numbers, order: Sequence[int]) -> Numbers:
    """The claim with each column where ``order`` has it belong."""
    return transposed(with_rows_ordered(transposed(numbers), order))


def transposed(numbers: Numbers) -> Numbers:
    """The claim's transpose."""
    entries = tuple(zip(*numbers.entries, strict=True))
    return numbers._replace(entries=entries, roundings=transpose(numbers.roundings))


def exchange(n: int, i: int, k: int) -> list[int]:
    """The order of n in which i and k have changed places."""
    order = list(range(n))
    order[i], order[k] = k, i
    return order


def zeros(numbers: Numbers) -> Numbers:
    """0 for each entry that is claimed."""
    entries = tuple([tuple([None if value is None else Fraction(0) for value in row]) for row in numbers.entries])
    return numbers._replace(entries=entries)

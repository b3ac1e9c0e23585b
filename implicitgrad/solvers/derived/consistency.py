"""Decide whether values of the inputs satisfy the constraints on them, exactly or up to rounding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import inf, isfinite
from typing import Any

from implicitgrad.model.solution import Solution
from implicitgrad.model.verdict import show
from implicitgrad.numbers.display.sums import linear
from implicitgrad.numbers.doubles import Ball
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import InputError, Problem

MAX_CONSTRAINTS = 3
"""The most constraints in a message."""
ROUNDING = 2.0**-48
"""The error, relative to the terms of a sum, that the rounding of x may have caused."""
UNCERTIFIED = 2.0**-33
"""The same where the constraint itself is not certified."""

Contradiction = Callable[[str, Sequence[Any], Fraction], InputError]
"""Returns the error for a dependent input, the factors of the independent ones, and its difference from their sum."""


def independent_rows(solution: Solution, column: BaseMatrix[Any]) -> BaseMatrix[Any]:
    """Return those of values of all inputs that belong to the independent ones."""
    return column.rows_at([solution.system.x.index(name) for name in solution.independent])


def times(matrix: BaseMatrix[Any], columns: BaseMatrix[Any]) -> BaseMatrix[Any]:
    """Return the product with columns that may be empty. Raises OverflowError."""
    if not len(columns) and not matrix.has_bounds:
        return matrix.with_rows([[Fraction(0)]] * len(matrix))
    found = matrix.times(columns)
    if found.has_bounds and not all(isfinite(number) for row in found.plain_rows() for number in row):
        raise OverflowError
    return found


def refuse_contradictions(solution: Solution, column: BaseMatrix[Any], contradiction: Contradiction) -> bool:
    """Raise InputError if values of the inputs violate a constraint; return whether none does, not even by rounding."""
    constraints = solution.constraints
    if constraints is None:
        return True
    given = independent_rows(solution, column)
    found = column.rows_at([solution.system.x.index(name) for name in constraints.dependent])
    wanted = times(constraints.matrix, given)
    is_exact = True
    for name, factors, (side,), (combined,) in zip(
        constraints.dependent, constraints.matrix, found.bounded_rows(), wanted.bounded_rows(), strict=True
    ):
        if isinstance(side, Ball):
            terms = [abs(factor * one) for factor, (one,) in zip(factors, given, strict=True)]
            certain, allowed = _allowed(side, combined, float(sum(terms, abs(Fraction(side)))))
            difference: Any = Fraction(side) - Fraction(combined)
            is_exact &= abs(difference) <= certain
            is_possible = abs(difference) <= allowed
        else:
            difference = side - combined
            is_possible = not difference
        if not is_possible:
            raise contradiction(name, factors, difference)
    return is_exact


def _allowed(side: Ball, combined: Ball, size: float) -> tuple[float, float]:
    """Return the largest difference that the bounds allow, and that the rounding of x allows, too."""
    bound = side.error + combined.error
    if bound == inf:
        return inf, UNCERTIFIED * size
    return bound, bound + ROUNDING * size


def beyond_doubles(source: str) -> InputError:
    """Return the error for an answer that doubles cannot hold."""
    message = "expected numbers within the range of doubles, got one beyond ±1.8e308, or too near to 0"
    return InputError([Problem(message, "--arithmetic exact has it as a fraction", "overflow", source)])


def written_constraints(solution: Solution, prefix: str = "") -> str:
    """Return the first constraints, ``x3 = x1 + x2``. prefix : before each name, d for changes."""
    found = solution.constraints
    assert found is not None
    names = [prefix + printable(name) for name in solution.independent]
    rows = list(zip(found.dependent, found.matrix, strict=True))[:MAX_CONSTRAINTS]
    return ", ".join(
        f"{prefix}{printable(name)} = {linear(Fraction(0), zip(row, names, strict=True), show)}" for name, row in rows
    )

"""Say when a gradient that is not unique would be, and compute that of the minimum-norm choice."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import inf, ulp
from typing import TYPE_CHECKING

from implicitgrad.model.solution import Solution
from implicitgrad.numbers.decimal_text import LARGEST_DOUBLE
from implicitgrad.numbers.doubles import Ball
from implicitgrad.numbers.formatting import linear
from implicitgrad.text.characters import count

if TYPE_CHECKING:
    from implicitgrad.writers.pages.latex_notation import Notation

MAX_CONDITIONS = 3
LENIENT = 1 + 2.0**-40
"""A factor that exceeds the rounding error of a sum of bounds."""


def needed_for_uniqueness(solution: Solution, notation: Notation) -> str:
    """Return the condition on ∂L/∂y for a unique ∂L/∂x: Vᵀ·∂L/∂y = 0."""
    if solution.rank == 0:
        return "that would need ∂L/∂y = 0"
    if solution.rank == 1:
        row = next(row for row in solution.system.A.bounded_rows() if any(row))
        return f"it would need ∂L/∂y ∝ ({', '.join(map(notation.numbers.show, row))})"
    conditions = []
    V, columns = solution.general.null_space, range(min(len(solution.general.free), MAX_CONDITIONS))
    rows = V.part(range(len(V)), columns).nonzero_entries()
    for column in columns:
        terms = [
            (value, f"∂L/∂{notation.label(y)}")
            for y, row in zip(solution.y, rows, strict=True)
            for f, value in row
            if f == column
        ]
        conditions.append(f"{linear(Fraction(0), terms, notation.numbers.show)} = 0")
    rest = len(solution.general.free) - MAX_CONDITIONS
    more = f" and {count(rest, 'more condition')} of this kind" if rest > 0 else ""
    return f"it would need {', '.join(conditions)}{more}"


def sum_of_products(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    """Return Σ aᵢ·bᵢ, with a bound on its error if both have bounds."""
    total = sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))
    pairs = [(p, q) for p, q in zip(a, b, strict=True) if isinstance(p, Ball) and isinstance(q, Ball)]
    if not pairs:
        return total
    if any(inf in (p.error, q.error) for p, q in pairs) or abs(total) > LARGEST_DOUBLE:
        return Ball(total, inf)
    error = sum(abs(float(p)) * q.error + (abs(float(q)) + q.error) * p.error for p, q in pairs)
    return Ball(float(total), error * LENIENT + ulp(float(total)))

"""The residual A·J − B·T of a claimed ∂y/∂x, entry by entry."""

from __future__ import annotations

from fractions import Fraction

from implicitgrad.checks.derivatives.claim import MAX_TERMS, Claim
from implicitgrad.checks.matrices import complete, dot, product
from implicitgrad.model.system import Matrix
from implicitgrad.model.verdict import Deviation, show
from implicitgrad.numbers.formatting import linear

MAX_EXACT_PRODUCTS = 5000
"""The most products for which exact arithmetic is faster than loading numpy."""


def nonzero_residuals(claim: Claim) -> list[Deviation]:
    """Return the entries of A·J that differ from B·T by more than their tolerance; none for a J with nulls."""
    J = complete(claim.values)
    if J is None:
        return []
    entries = [_entry(J, claim, i, m) for i in range(claim.context.system.equations) for m in range(len(J[0]))]
    return [entry for entry in entries if entry.excess > 0]


def largest_residual(claim: Claim) -> Deviation | None:
    """Return the entry of A·J farthest from B·T; None for a J with nulls, and beyond the range of doubles."""
    J = complete(claim.values)
    if J is None:
        return None
    A, BT = claim.context.system.A, claim.context.BT
    if len(A) * len(J) * len(J[0]) <= MAX_EXACT_PRODUCTS:
        places = [(i, m) for i in range(len(A)) for m in range(len(J[0]))]
        AJ = product(A, J)
        place = max(places, key=lambda place: abs(AJ[place[0]][place[1]] - BT[place[0]][place[1]]), default=None)
    else:
        from implicitgrad.checks.feasibility.floating import find_largest_residual

        place = find_largest_residual(BT, A, J)
    return None if place is None else _entry(J, claim, *place)


def _entry(J: Matrix, claim: Claim, i: int, m: int) -> Deviation:
    row, context = claim.context.system.A[i], claim.context
    value = dot(row, [entries[m] for entries in J])
    tolerance = dot(tuple(map(abs, row)), [tolerances[m] for tolerances in claim.tolerances])
    terms = [(a, f"∂{y}/∂{context.x[m]}") for a, y in zip(row, context.y, strict=True) if a]
    meaning = str(linear(Fraction(0), terms[:MAX_TERMS], show)) + (" + …" if terms[MAX_TERMS:] else "")
    return Deviation(f"A·dy_dx[{i + 1}][{m + 1}]", meaning, show(value), value, context.BT[i][m], tolerance)

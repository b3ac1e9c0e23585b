"""Find what a claim contradicts: the equations A·J = B·T, entry by entry, or what other claimed numbers imply."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from implicitgrad.checks.derivatives.claim import MAX_TERMS, Claim, Entries
from implicitgrad.checks.feasibility.constraints import deviations_from_implied
from implicitgrad.checks.matrices import combination, complete, dot, product
from implicitgrad.model.system import Matrix
from implicitgrad.model.verdict import Deviation, show
from implicitgrad.numbers.display.sums import linear
from implicitgrad.numbers.exact import Row

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


def unique_entries(claim: Claim) -> Entries:
    """Return the correct values of the entries that no free parameter changes."""
    rows = enumerate(zip(claim.family.particular, claim.family.coefficients, strict=True))
    return {(i, m): value for i, (p, C) in rows if not any(C) for m, value in enumerate(p)}


def implied_entries(claim: Claim) -> Entries:
    """Return the entries of a ∂L/∂x that the claimed ∂y/∂x yields, or without one all losses before it imply.

    A row of coefficients that is a combination of rows with claimed values has the same combination of their values.
    """
    source = claim if claim.jacobian is None else claim.jacobian
    rows = tuple(source.family.coefficients)
    moving = [i for i, row in enumerate(rows) if any(row)]
    free = claim.context.free
    weights_of: dict[tuple[int, tuple[int, ...]], Row | None] = {}
    found: Entries = {}
    for k, (particular, target) in enumerate(zip(claim.family.particular, claim.family.coefficients, strict=True)):
        for m in range(len(claim.context.x)):
            sources = [i for i in moving if source is not claim or i < k]
            given = tuple([i for i in sources if source.values[i][m] is not None])
            if source is claim and len(given) < len(sources):
                continue
            has_parameters = source is not claim and {*free} <= {*given}
            if has_parameters:  # the identity rows of the null space
                given = tuple(free)
            if (k, given) not in weights_of:
                weights_of[k, given] = target if has_parameters else combination([rows[i] for i in given], target)
            weights = weights_of[k, given]
            if weights is not None:
                values = [(source.values[i][m], source.family.particular[i][m]) for i in given]
                found[k, m] = particular[m] + dot(weights, [value - p for value, p in values if value is not None])
    return found


def inconsistent_entries(claim: Claim) -> Iterator[Deviation]:
    """Yield the entries that differ from what those before them, and the claimed ∂y/∂x, imply."""
    for constraint, shift in deviations_from_implied(claim.constraints, claim.given_constraints):
        if abs(shift) > constraint.radius:
            i, j = constraint.row, constraint.column
            value = claim.matrix.entries[i][j]
            assert value is not None
            name, meaning = claim.matrix.name(i, j), f"{claim.meaning(i, j)}, given the others"
            yield Deviation(name, meaning, claim.matrix.texts[i][j], value, value + shift, constraint.radius)

"""Derive entries of a claim that the system leaves open from other claimed numbers."""

from __future__ import annotations

from collections.abc import Iterator

from implicitgrad.checks.derivatives.claim import Claim, Entries
from implicitgrad.checks.feasibility.constraints import deviations_from_implied
from implicitgrad.checks.matrices import combination, dot
from implicitgrad.model.verdict import Deviation
from implicitgrad.numbers.exact import Row


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
    given = () if claim.jacobian is None else claim.jacobian.constraints
    for constraint, shift in deviations_from_implied(claim.constraints, given):
        if abs(shift) > constraint.radius:
            i, j = constraint.row, constraint.column
            value = claim.matrix.entries[i][j]
            assert value is not None
            name, meaning = claim.matrix.name(i, j), f"{claim.meaning(i, j)}, given the others"
            yield Deviation(name, meaning, claim.matrix.texts[i][j], value, value + shift, constraint.radius)

"""Decide whether a claim can hold: whether some free parameters satisfy every constraint that it implies.

Doubles decide almost every claim quickly; exact arithmetic decides borderline ones.
"""

from __future__ import annotations

from implicitgrad.checks.derivatives.claim import Claim
from implicitgrad.checks.feasibility.constraints import infeasible_groups
from implicitgrad.checks.feasibility.decision import Decision
from implicitgrad.checks.matrices import complete
from implicitgrad.model.system import Arithmetic

MIN_FLOATING_PRODUCTS = 1000
"""Exact arithmetic does fewer products in less time than loading numpy takes."""


def feasibility(claim: Claim, *, is_exact: bool = True) -> Decision:
    """Return whether some valid ∂y/∂x has or yields all claimed values, and agrees with the one claimed beside it.

    is_exact : decide what doubles leave undecided by exact arithmetic.
    """
    if not claim.context.has_choices:
        return Decision.YES
    found = _by_doubles(claim)
    if found is Decision.UNDECIDED and is_exact:
        constraints = [*claim.constraints, *claim.given_constraints]
        found = Decision.of(next(infeasible_groups(constraints), None) is None)
    return found


def is_valid(claim: Claim) -> bool:
    """Return whether a claim holds; a large one that doubles leave undecided counts as invalid."""
    if next(claim.wrong_entries(), None) is not None:
        return False
    return feasibility(claim, is_exact=claim.is_small) is Decision.YES


def _by_doubles(claim: Claim) -> Decision:
    """Run the floating-point feasibility test on complete claims.

    Where x is constrained and the claim has a number for every input, those of dependent inputs may be right as they
    are, and then the sums along the constraint must be within the tolerances of the independent ones. At best they are
    allowed the sums of all tolerances. Between the two, numbers of dependent inputs must change.
    """
    context = claim.context
    claims = [claim] if claim.jacobian is None else [claim.jacobian, claim]
    claimed = [complete(one.values) for one in claims]
    if not context.x or None in claimed:
        return Decision.UNDECIDED
    unknowns = len(context.free) + context.system.inputs - len(context.x)
    products = sum(len(values or ()) for values in claimed) * context.system.inputs * unknowns
    if products < MIN_FLOATING_PRODUCTS and context.solution.arithmetic is Arithmetic.EXACT:
        return Decision.UNDECIDED
    from implicitgrad.checks.feasibility.floating import IntervalProblem, decide

    c = [
        tuple([value - p for value, p in zip(*pair, strict=True)])
        for one, values in zip(claims, claimed, strict=True)
        for pair in zip(values or (), one.family.particular, strict=True)
    ]
    C = claim.family.coefficients if len(claims) == 1 else [row for one in claims for row in one.family.coefficients]
    dependent_radii = [row for one in claims for row in one.dependent_tolerances]
    return decide(
        IntervalProblem(
            c,
            C,
            [row for one in claims for row in one.own_tolerances],
            [row for one in claims for row in one.tolerances],
            () if claims[0].is_gradient else context.free,
            [context.T[k] for k in context.dependent] if len(dependent_radii) == len(c) else [],
            dependent_radii,
        )
    )

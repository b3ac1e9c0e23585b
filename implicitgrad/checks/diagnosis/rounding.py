"""Suspect a claim that is only rounded, to fewer digits than it shows."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from implicitgrad.checks.context import Context
from implicitgrad.checks.derivatives.claim import Claim
from implicitgrad.checks.derivatives.feasibility import is_valid
from implicitgrad.checks.derivatives.significance import significant_tolerances
from implicitgrad.checks.diagnosis.suspicions import rounded
from implicitgrad.model.verdict import Suspicion

MIN_PLACES = 4
"""The relative decimal places to which a rounded claim must agree."""
MIN_PLACES_NEAR_ZERO = 6
"""The decimal places, relative to the largest entry, to which an entry near 0 must agree."""
MAX_MORE_PLACES = 30


def rounding(claim: Claim) -> Suspicion | None:
    """Return the suspicion of a claim that holds with a finer tolerance than its entries suggest, naming it.

    An entry that is 0, or nearly, needs an absolute tolerance.
    """
    claims = claim.context.claims
    largest = max((abs(value) for row in claim.matrix.entries for value in row if value), default=Fraction(0))
    if not largest:
        return None

    def loosened(rtol: Fraction | None, atol: Fraction | None) -> Claim:
        context = Context(claim.context.solution, claims._replace(rtol=rtol, atol=atol))
        jacobian = (_valid_jacobian(context) or claim.jacobian) if claim.is_gradient else None
        return Claim(claim.matrix, context, jacobian)

    def is_enough(rtol: Fraction | None, atol: Fraction | None) -> bool:
        return is_valid(loosened(rtol, atol))

    places = _most_places(MIN_PLACES, lambda rtol: is_enough(rtol, None))
    agreement, tolerances, absolute = f"a relative 1e-{places}", {"rtol": f"1e-{places}"}, claims.atol
    if places is None and claims.atol:
        places = _most_places(MIN_PLACES, lambda rtol: is_enough(rtol, claims.atol))
        agreement = f"a relative 1e-{places} beside the absolute tolerance"
        tolerances = {"rtol": f"1e-{places}"}
    if places is None:
        coarsest = next(n for n in range(-400, 800) if _power_of_ten(n) * 10**MIN_PLACES_NEAR_ZERO <= largest)
        fine = _most_places(coarsest, lambda atol: is_enough(_power_of_ten(MIN_PLACES), atol))
        if fine is None:
            return None
        absolute = _power_of_ten(fine)
        shown = f"1e{-fine}" if fine else "1"
        agreement, tolerances = f"an absolute {shown}", {"atol": shown}
        if not is_enough(None, absolute):
            places = _most_places(MIN_PLACES, lambda rtol: is_enough(rtol, absolute))
            agreement = f"a relative 1e-{places} and {agreement}"
            tolerances = {"rtol": f"1e-{places}", **tolerances}
    found = loosened(claims.rtol if places is None else _power_of_ten(places), absolute)
    limit = significant_tolerances(found) if is_valid(found) else None
    if not is_valid(found if limit is None else found.with_tolerances(limit.tolerances)):
        return None  # it would still fail, or prove nothing
    return rounded(agreement, tolerances, claim.context.system.source)


def _valid_jacobian(context: Context) -> Claim | None:
    """Return the claimed ∂y/∂x, if it is valid with the tolerances of this context and not all null."""
    matrix = context.claims.dy_dx
    if matrix is None or matrix.non_finite:
        return None
    claim = Claim(matrix, context)
    return claim if claim.says_something and is_valid(claim) else None


def _most_places(fewest: int, suffices: Callable[[Fraction], bool]) -> int | None:
    """Return the most decimal places that suffice, by bisection, or None if the fewest do not."""
    if not suffices(_power_of_ten(fewest)):
        return None
    most, too_many = fewest, fewest + MAX_MORE_PLACES
    while too_many - most > 1:
        middle = (most + too_many) // 2
        most, too_many = (middle, too_many) if suffices(_power_of_ten(middle)) else (most, middle)
    return most


def _power_of_ten(places: int) -> Fraction:
    return Fraction(10) ** -places

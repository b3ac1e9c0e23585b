"""Outcomes that claims of several kinds have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from implicitgrad.checks.matrices import root_above
from implicitgrad.model.claims import ClaimedMatrix, Claims, Place
from implicitgrad.model.verdict import Deviation, Outcome, Verdict, show_short
from implicitgrad.text.characters import count

if TYPE_CHECKING:
    from implicitgrad.model.program.claims import ProgramClaims
    from implicitgrad.model.program.solution import ProgramSolution
    from implicitgrad.model.solution import Solution

ProvedNumber = tuple[tuple[int, int], Fraction, Fraction, Fraction]
"""The position of a number, its claim, the correct value and the tolerance."""


def verdict(
    solution: Solution | ProgramSolution,
    outcomes: Iterable[Outcome],
    claims: Claims | ProgramClaims,
    keys: Sequence[str],
) -> Verdict:
    """Return outcomes in the order of ``keys``, with their places, undecided if they fail and have a caveat."""
    elsewhere = Place(Verdict(solution, ()).source)
    placed = [_with_caveat(one, claims)._replace(place=claims.places.get(one.key, elsewhere)) for one in outcomes]
    return Verdict(solution, tuple(sorted(placed, key=lambda outcome: keys.index(outcome.key))))


def _with_caveat(outcome: Outcome, claims: Claims | ProgramClaims) -> Outcome:
    if outcome.holds or outcome.is_undecided or outcome.key not in claims.caveats:
        return outcome
    return outcome.undecided(claims.caveats[outcome.key])


def not_finite(outcome: Outcome, matrix: ClaimedMatrix) -> Outcome:
    """Return the outcome of a claim with infinite entries or NaN."""
    found, total = len(matrix.non_finite), count(matrix.entry_count, "entry")
    reason = f"{matrix.non_finite[0]}: {found} of {total} {'is' if found == 1 else 'are'} not finite"
    return outcome._replace(holds=False, reason=reason, failing=found)


def proves_nothing(allowed: Fraction, entry: str, size: Fraction) -> str:
    """Return why a claim whose tolerance is as large as the answer is not decided."""
    return (
        f"it proves nothing: its own rounding allows an error of {show_short(allowed)} in {entry},"
        f" where what the system determines is of the size {show_short(size)}"
    )


def lost_in_rounding(deviation: Deviation, condition: Fraction) -> str:
    """Return why a claim is not decided of which an entry is wrong by its own size, as only the condition allows."""
    shown = show_short(condition)
    return (
        f"{deviation}: rounding errors at the condition {shown} may explain that, and so may a mistake; a stated "
        "relative tolerance decides"
    )


def why_it_proves_nothing(numbers: Iterable[ProvedNumber], name: Callable[[int, int], str]) -> str:
    """Return why a claim holds only because its tolerances are as large as the answer; "" if it does not.

    Each number must be within half of the root mean square of the correct ones, which 0 throughout never is.
    name : that of an entry by its position.
    """
    known = list(numbers)
    squares = sum((correct * correct for _, _, correct, _ in known), Fraction(0))
    for place, value, correct, tolerance in known:
        error = abs(value - correct)
        if tolerance >= error and 4 * len(known) * error * error > squares > 0:
            return (
                f"it proves nothing: its own rounding allows an error of {show_short(tolerance)} in {name(*place)}, "
                f"where the answer is of the size {show_short(root_above(squares / len(known)))}; more digits decide"
            )
    return ""

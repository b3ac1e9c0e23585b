"""How a wrong claim may be like the right answer: a multiple, other signs, another order, rounded."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import count

from implicitgrad.judges.setting import Setting
from implicitgrad.system import Row
from implicitgrad.verdict import Suspicion, show

NEARLY = Fraction(1, 10**4)
"""Relative; closer than that is taken for rounding."""
NEARLY_ONE = Fraction(1, 50)
"""A factor that close to 1 is nobody's mistake."""
MOST_NAMES = 3
USUAL_FACTORS = (2, 3, 4, 10, 100, 1000)


def as_multiple(
    claim: Sequence[Row],
    tolerances: Sequence[Row],
    expected: Sequence[Row],
    setting: Setting,
    what: str,
    evidence: int,
) -> Suspicion | None:
    """A claim that is a multiple: by any number where several entries agree on it exactly, else by a usual one.

    evidence : how many of the entries say something that no other says.
    """
    c, t, e = flat(claim), flat(tolerances), flat(expected)
    nonzero = [i for i, value in enumerate(e) if value]
    if not nonzero or not all(c[i] for i in nonzero):
        return None
    largest = max(nonzero, key=lambda i: abs(e[i]))
    system = setting.system
    sizes = {system.equations, system.unknowns, system.inputs, len(system.dL_dy or ())} - {0, 1}
    is_single = min(len(nonzero), evidence) == 1
    usual = {2} if is_single else {*USUAL_FACTORS, *sizes}
    factors = [sign * factor for n in sorted(usual) for sign in (1, -1) for factor in (Fraction(n), Fraction(1, n))]
    if not is_single and not any(t) and abs(abs(c[largest] / e[largest]) - 1) > NEARLY_ONE:
        factors.append(c[largest] / e[largest])
    for factor in factors:
        if explains(c, t, tuple(factor * value for value in e)):
            size = abs(factor)
            doubt = f"is a factor of {show(1 / size)} missing" if size < 1 else f"is a factor of {show(size)} too many"
            return Suspicion("factor", f"the claim is {show(factor)} times {what}: {doubt}?")
    return None


def but_for_signs(
    claim: Sequence[Row], tolerances: Sequence[Row], expected: Sequence[Row], names: list[list[str]]
) -> Suspicion | None:
    """A claim of which some entries, not all, have the other sign."""
    sizes = [tuple(map(abs, flat(rows))) for rows in (claim, expected)]
    if not matches(sizes[0], flat(tolerances), sizes[1]):
        return None
    cells = zip(flat(claim), flat(tolerances), flat(expected), [name for row in names for name in row], strict=True)
    wrong = [name for c, t, e, name in cells if abs(c - e) > t]
    listed = ", ".join(wrong[:MOST_NAMES]) + (f" and {len(wrong) - MOST_NAMES} more" if wrong[MOST_NAMES:] else "")
    return Suspicion("sign", f"the claim is right but for the sign of {listed}")


def as_rounded(claim: Sequence[Row], expected: Sequence[Row]) -> Suspicion | None:
    """A claim whose every digit but the last few is right."""
    c, e = flat(claim), flat(expected)
    largest = max(map(abs, e), default=0)
    if not largest:
        return None
    errors = [abs(a - b) / max(abs(b), NEARLY * largest) for a, b in zip(c, e, strict=True)]
    worst = max(errors)
    if not 0 < worst < NEARLY:
        return None
    places = next(places for places in count(4) if worst > Fraction(1, 10 ** (places + 1)))
    message = f"the claim agrees to a relative 1e-{places}: if it is only rounded, a tolerance says so"
    return Suspicion("rounding", f"{message} (--rtol 1e-{places})")


def in_another_order(claim: Sequence[Row], tolerances: Sequence[Row], expected: Sequence[Row]) -> list[int] | None:
    """For each row of ``claim`` the row of ``expected`` that it is, if that is an exchange and each is met once."""
    left = list(range(len(expected)))
    order = []
    for row, slack in zip(claim, tolerances, strict=True):
        found = next((i for i in left if matches(row, slack, expected[i])), None)
        if found is None:
            return None
        left.remove(found)
        order.append(found)
    return order if len(order) > 1 and order != sorted(order) else None


def explains(claim: Row, tolerances: Row, vector: Row) -> bool:
    """Whether ``claim`` is ``vector``, which is not 0, and not merely as close to it as it would be to anything."""
    return matches(claim, tolerances, vector) and any(abs(v) > t for v, t in zip(vector, tolerances, strict=True))


def matches(claim: Sequence[Fraction], tolerances: Sequence[Fraction], vector: Sequence[Fraction]) -> bool:
    """Whether every entry is within its tolerance."""
    return len(claim) == len(vector) and all(abs(a - b) <= t for a, b, t in zip(claim, vector, tolerances, strict=True))


def flat(rows: Sequence[Row]) -> Row:
    """All entries, row after row."""
    return tuple([value for row in rows for value in row])

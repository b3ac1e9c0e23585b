"""How a wrong claim may be like the right answer: a multiple, other signs, another order, rounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from implicitgrad.checks.context import Setting
from implicitgrad.model.claims import Numbers
from implicitgrad.model.verdict import Suspicion, show
from implicitgrad.numbers.exact import Row

NEARLY = 4
"""Decimal places, relative; what agrees to so many is taken for rounded."""
NEARLY_ZERO = 6
"""The same of an entry beside the largest."""
FINEST = 30
NEARLY_ONE = Fraction(1, 50)
"""A factor that close to 1 is nobody's mistake."""
MAX_NAMES = 3
USUAL_FACTORS = (2, 3, 4, 10, 100, 1000)


def multiples(
    claim: Sequence[Row], tolerances: Sequence[Row], expected: Sequence[Row], setting: Setting, evidence: int
) -> Iterator[Fraction]:
    """By what ``expected`` may have been multiplied: any number that several entries agree on exactly, else usual ones.

    evidence : how many of the entries say something that no other says.
    """
    c, t, e = flat(claim), flat(tolerances), flat(expected)
    nonzero = [i for i, value in enumerate(e) if value]
    if not nonzero or not all(c[i] for i in nonzero):
        return
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
            yield factor


def as_multiple(factor: Fraction, what: str) -> Suspicion:
    """A claim that is ``factor`` times what it should be."""
    size = abs(factor)
    doubt = f"is a factor of {show(1 / size)} missing" if size < 1 else f"is a factor of {show(size)} too many"
    return Suspicion("factor", f"the claim is {show(factor)} times {what}: {doubt}?")


def signs_apart(claim: Sequence[Row], tolerances: Sequence[Row], expected: Sequence[Row]) -> list[tuple[int, int]]:
    """The entries that have the other sign, if that is all that is wrong."""
    sizes = [tuple(map(abs, flat(rows))) for rows in (claim, expected)]
    if not matches(sizes[0], flat(tolerances), sizes[1]):
        return []
    return [
        (i, j)
        for i, rows in enumerate(zip(claim, tolerances, expected, strict=True))
        for j, (c, t, e) in enumerate(zip(*rows, strict=True))
        if abs(c - e) > t
    ]


def but_for_signs(names: Sequence[str]) -> Suspicion:
    """A claim of which some entries, not all, have the other sign."""
    listed = ", ".join(names[:MAX_NAMES]) + (f" and {len(names) - MAX_NAMES} more" if names[MAX_NAMES:] else "")
    return Suspicion("sign", f"the claim is right but for the sign of {listed}")


def as_rounded(numbers: Numbers, setting: Setting, holds: Callable[[Setting], bool]) -> Suspicion | None:
    """A claim whose every digit but the last few is right: it holds with the tolerance that is named.

    An entry that is 0, or next to it, needs an absolute one.
    """
    largest = max((abs(value) for row in numbers.entries for value in row if value), default=Fraction(0))
    claims = setting.claims

    def is_enough(rtol: Fraction | None, atol: Fraction | None) -> bool:
        return holds(Setting(setting.solution, claims._replace(rtol=rtol, atol=atol)))

    def finest(coarsest: int, suffices: Callable[[Fraction], bool]) -> int | None:
        """The most decimal places that suffice, if the fewest do."""
        if not suffices(_tenths(coarsest)):
            return None
        most, too_many = coarsest, coarsest + FINEST
        while too_many - most > 1:
            middle = (most + too_many) // 2
            most, too_many = (middle, too_many) if suffices(_tenths(middle)) else (most, middle)
        return most

    if not largest:
        return None
    places = finest(NEARLY, lambda rtol: is_enough(rtol, None))
    agreement, options, absolute = f"a relative 1e-{places}", f"--rtol 1e-{places}", claims.atol
    if places is None and claims.atol:
        places = finest(NEARLY, lambda rtol: is_enough(rtol, claims.atol))
        agreement, options = f"a relative 1e-{places} beside the absolute tolerance", f"--rtol 1e-{places}"
    if places is None:
        next_to_zero = next(n for n in range(-400, 800) if _tenths(n) * 10**NEARLY_ZERO <= largest)
        fine = finest(next_to_zero, lambda atol: is_enough(_tenths(NEARLY), atol))
        if fine is None:
            return None
        absolute = _tenths(fine)
        agreement, options = f"an absolute {_power(fine)}", f"--atol {_power(fine)}"
        if not is_enough(None, absolute):
            places = finest(NEARLY, lambda rtol: is_enough(rtol, absolute))
            agreement, options = f"a relative 1e-{places} and {agreement}", f"--rtol 1e-{places} {options}"
    if not is_enough(claims.rtol if places is None else _tenths(places), absolute):
        return None
    return Suspicion(
        "rounding", f"the claim agrees to {agreement}: if it is only rounded, a tolerance says so ({options})"
    )


def _tenths(places: int) -> Fraction:
    return Fraction(10) ** -places


def _power(places: int) -> str:
    return f"1e{-places}" if places else "1"


def in_another_order(claim: Sequence[Row], tolerances: Sequence[Row], expected: Sequence[Row]) -> list[int] | None:
    """For each row of ``claim`` the row of ``expected`` that it is, if that is an exchange and each is met once.

    A row that is right where it stands is left there.
    """
    if len(claim) != len(expected) or len(claim) < 2:
        return None
    right = [matches(*rows) for rows in zip(claim, tolerances, expected, strict=True)]
    left = [i for i, is_right in enumerate(right) if not is_right]
    order = list(range(len(claim)))
    for i in tuple(left):
        found = next((k for k in left if matches(claim[i], tolerances[i], expected[k])), None)
        if found is None:
            return None
        left.remove(found)
        order[i] = found
    return order if order != sorted(order) else None


def explains(claim: Row, tolerances: Row, vector: Row) -> bool:
    """Whether ``claim`` is ``vector``, which is not 0, and not merely as close to it as it would be to anything."""
    return matches(claim, tolerances, vector) and any(abs(v) > t for v, t in zip(vector, tolerances, strict=True))


def matches(claim: Sequence[Fraction], tolerances: Sequence[Fraction], vector: Sequence[Fraction]) -> bool:
    """Whether every entry is within its tolerance."""
    return len(claim) == len(vector) and all(abs(a - b) <= t for a, b, t in zip(claim, vector, tolerances, strict=True))


def flat(rows: Sequence[Row]) -> Row:
    """All entries, row after row."""
    return tuple([value for row in rows for value in row])

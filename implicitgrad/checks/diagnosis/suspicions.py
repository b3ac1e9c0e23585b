"""The suspicions that claims of several kinds have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import starmap

from implicitgrad.model.site import is_from_python
from implicitgrad.model.verdict import Suspicion, show

MAX_NAMES = 3
SIGNS = ((1, "", ""), (-1, "-", " And is a sign flipped?"))
"""The signs with which a wrong formula is tried, as formulas have them, and what a question adds."""


def zeros(noun: str) -> Suspicion:
    """Return the suspicion that a gradient, or another noun, was cut off."""
    return Suspicion("zero", f"the claim is 0 throughout: was the {noun} cut off before it came here?")


def negative_of(target: str) -> Suspicion:
    """Return the suspicion that a claim is the negative of ``target``."""
    return Suspicion("sign", f"the claim is the negative of {target}: is a sign flipped?")


def wrong_signs(names: Sequence[str]) -> Suspicion:
    """Return the suspicion that the entries of these names have the wrong sign."""
    listed = ", ".join(names[:MAX_NAMES]) + (f" and {len(names) - MAX_NAMES} more" if names[MAX_NAMES:] else "")
    return Suspicion("sign", f"the claim is right but for the sign of {listed}")


def multiple_of(f: Fraction, target: str) -> Suspicion:
    """Return the suspicion that a claim is f times ``target``."""
    size = abs(f)
    doubt = f"is a factor of {show(1 / size)} missing" if size < 1 else f"is a factor of {show(size)} too many"
    return Suspicion("factor", f"the claim is {show(f)} times {target}: {doubt}?")


def of_another_loss(name: str) -> Suspicion:
    """Return the suspicion that a claim is the gradient of that name."""
    return Suspicion("stale", f"the claim equals {name}: is it the gradient of another loss?")


def rounded(agreement: str, tolerances: Mapping[str, str], source: str) -> Suspicion:
    """Return the suspicion that a claim is only rounded, and would hold with these tolerances, by rtol and atol."""
    return Suspicion(
        "rounding",
        f"the claim agrees to {agreement}: if it is only rounded, a tolerance says so ({stated(tolerances, source)})",
    )


def stated(tolerances: Mapping[str, str], source: str) -> str:
    """Return how tolerances, by rtol and atol, are stated: as options, or as arguments of check()."""
    pattern = "{}={}" if is_from_python(source) else "--{} {}"
    return (", " if is_from_python(source) else " ").join(starmap(pattern.format, tolerances.items()))

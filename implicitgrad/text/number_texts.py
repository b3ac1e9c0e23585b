"""Read from the text of a number, or of what is nearly one, how it was written."""

from __future__ import annotations

import re
from fractions import Fraction

from implicitgrad.text.number_grammar import is_number

_REPR = r"(?:(?:np|numpy|jnp|torch)\.\w+|tensor|array|Decimal|Fraction|Rational|u?int\d*|float\d*)\(.*\)"
"""Matches a number in Python's code."""
_LOOKALIKE = (
    r"[-+\u2212(]?\s*[$€£¥]?\s*(?:[.,_:'\u2019 /]*\d)+[.,]?\s*(?:[eEdD][-+\u2212]?\d+)?(?:[-+]\d+)?[%jJ)]?"
    r"|[-+]?0[xX][0-9a-fA-F]+|[-+]?(?:nan|inf|infinity)|[-+]?\d+L"
    rf"|{_REPR}"
)


def as_number(text: str) -> str | None:
    """Return ``text`` as a number once blanks are removed and − is written as -; None if it is still none."""
    if is_number(text):
        return text
    plain = "".join(text.split()).replace("\u2212", "-")
    return plain if is_number(plain) else None


def looks_like_number(text: str) -> bool:
    """Return whether a person or another program would read ``text`` as a number although the grammar does not."""
    return not is_number(text) and re.fullmatch(_LOOKALIKE, text.strip(), re.IGNORECASE) is not None


def is_repr(text: str) -> bool:
    """Return whether ``text`` is a number as Python shows it in a list, such as np.float64(1.5)."""
    return re.fullmatch(_REPR, text) is not None


def last_place(text: str) -> Fraction | None:
    """Return the unit in the last place of a decimal: 0.1 for ``0.3``, 100 for ``1.2e3``.

    Return None for integers and fractions, which are exact.
    """
    mantissa, _, exponent = text.lower().partition("e")
    if not exponent and "." not in mantissa:
        return None
    places = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return Fraction(1, 10**places) if places >= 0 else Fraction(10**-places)

"""The grammar of a number: text → Fraction.

    number   = [sign] (integer | decimal | fraction)
    integer  = "0" | nonzero-digit digits          no leading zeros: octal to some, decimal to others
    decimal  = 0.5 | .5 | 5. | 1e-3 | 2.5E+10      exponent within ±399
    fraction = integer "/" positive-integer

ASCII only, at most 1,000 digits. A number is what its text says: ``0.1`` is 1/10.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from implicitgrad.text.characters import MAX_DIGITS, quoted
from implicitgrad.text.errors import Problem

MAX_EXPONENT = 399
EXPECTED = "expected a number such as -12, 0.5, 1e-3 or 3/4"

_INTEGER = "(?:0|[1-9][0-9]*)"
_NUMBER = re.compile(
    rf"([+-]?)(?:({_INTEGER})(?:/([1-9][0-9]*)|(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?)"
    r"|\.([0-9]+)(?:[eE]([+-]?[0-9]+))?)"
)
_DECIMAL = rf"[+-]?(?:{_INTEGER}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?(?:[0-3][0-9]{{2}}|[0-9]{{1,2}}))?"
ALL_NUMBERS = re.compile(rf"{_DECIMAL}(?:\n{_DECIMAL})*")
"""Matches decimals of the grammar, one a line, but no fractions."""


class NumberError(ValueError):
    """A text is no number of the grammar; ``problem`` says why and how to mend it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.problem = Problem(message, hint, code="bad-number")
        super().__init__(str(self.problem))


def is_number(text: str) -> bool:
    """Return whether ``text`` has the form of a number; its size is not checked."""
    return _NUMBER.fullmatch(text) is not None


def parse_number(text: str) -> Fraction:
    """Return the rational number that ``text`` denotes. Raise NumberError if it denotes none."""
    return Fraction(*parse_ratio(text))


@lru_cache(maxsize=4096)
def parse_ratio(text: str) -> tuple[int, int]:
    """Return numerator and positive denominator, not in lowest terms: 0.5 is (5, 10). Raise NumberError."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        from implicitgrad.text.hints import number_hint

        raise NumberError(f"{EXPECTED}, got {quoted(text)}", number_hint(text, is_number))
    sign, whole, denominator, decimals, exponent, bare_decimals, bare_exponent = match.groups()
    if len(text) > MAX_DIGITS and sum(map(str.isdigit, text)) > MAX_DIGITS:
        raise NumberError(f"expected at most {MAX_DIGITS:,} digits, got {len(text):,} characters: {quoted(text)}")
    if denominator is not None:
        numerator = int(whole)
        return (-numerator if sign == "-" else numerator), int(denominator)
    decimals = bare_decimals or decimals or ""
    mantissa = int((whole or "") + decimals)
    if sign == "-":
        mantissa = -mantissa
    power = exponent or bare_exponent
    if power is None and not decimals:
        return mantissa, 1
    shift = int(power or 0)
    if abs(shift) > MAX_EXPONENT:
        raise NumberError(f"expected an exponent within ±{MAX_EXPONENT}, got {quoted(text)}")
    shift -= len(decimals)
    return (mantissa * 10**shift, 1) if shift >= 0 else (mantissa, 10**-shift)

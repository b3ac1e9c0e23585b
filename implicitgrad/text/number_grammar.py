"""The grammar of a number: text → Fraction, and Fraction → text.

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
from math import isqrt

from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import Problem

MAX_EXPONENT = 399
MAX_DIGITS = 1000
EXPECTED = "expected a number such as -12, 0.5, 1e-3 or 3/4"

_INTEGER = "(?:0|[1-9][0-9]*)"
_NUMBER = re.compile(
    rf"([+-]?)(?:({_INTEGER})(?:/([1-9][0-9]*)|(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?)"
    r"|\.([0-9]+)(?:[eE]([+-]?[0-9]+))?)"
)
_DECIMAL = rf"[+-]?(?:{_INTEGER}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?(?:[0-3][0-9]{{2}}|[0-9]{{1,2}}))?"
ALL_NUMBERS = re.compile(rf"{_DECIMAL}(?:\n{_DECIMAL})*")
"""Matches decimals of the grammar, one a line, but no fractions."""
_PLAIN = r"[+-]?(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]*+)?+|\.[0-9]++)"
ALL_PLAIN_NUMBERS = re.compile(rf"{_PLAIN}(?:\n{_PLAIN})*+")
"""Matches decimals without exponents, one a line."""
_LOOKALIKE = (
    r"[-+\u2212(]?\s*[$€£¥]?\s*(?:[.,_:'\u2019 /]*\d)+[.,]?\s*(?:[eEdD][-+\u2212]?\d+)?(?:[-+]\d+)?[%jJ)]?"
    r"|[-+]?0[xX][0-9a-fA-F]+|[-+]?(?:nan|inf|infinity)"
)


class NumberError(ValueError):
    """A text is no number of the grammar; ``problem`` says why and how to mend it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.problem = Problem(message, hint, code="bad-number")
        super().__init__(str(self.problem))


def is_number(text: str) -> bool:
    """Return whether ``text`` has the form of a number; its size is not checked."""
    return _NUMBER.fullmatch(text) is not None


def as_number(text: str) -> str | None:
    """Return ``text`` as a number once blanks are removed and − is written as -; None if it is still none."""
    if is_number(text):
        return text
    plain = "".join(text.split()).replace("\u2212", "-")
    return plain if is_number(plain) else None


def is_plain_integers(text: str) -> bool:
    """Return whether the numbers in ``text`` have no decimal point, exponent or denominator."""
    return re.search("[.eE/]", text) is None


def looks_like_number(text: str) -> bool:
    """Return whether a person or another program would read ``text`` as a number although the grammar does not."""
    return not is_number(text) and re.fullmatch(_LOOKALIKE, text.strip(), re.IGNORECASE) is not None


def parse_number(text: str) -> Fraction:
    """Return the rational number that ``text`` denotes. Raise NumberError if it denotes none."""
    return Fraction(*parse_ratio(text))


@lru_cache(maxsize=4096)
def parse_ratio(text: str) -> tuple[int, int]:
    """Return numerator and positive denominator, not in lowest terms: 0.5 is (5, 10). Raise NumberError."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise NumberError(f"{EXPECTED}, got {quoted(text)}", number_hint(text))
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


def last_place(text: str) -> Fraction | None:
    """Return the unit in the last place of a decimal: 0.1 for ``0.3``, 100 for ``1.2e3``.

    Return None for integers and fractions, which are exact.
    """
    mantissa, _, exponent = text.lower().partition("e")
    if not exponent and "." not in mantissa:
        return None
    places = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return Fraction(1, 10**places) if places >= 0 else Fraction(10**-places)


def format_fraction(value: Fraction) -> str:
    """Return ``p/q``, or ``p`` for an integer, of any length."""
    try:
        return str(value)
    except ValueError:  # Python writes no more than 4,300 digits of an integer
        numerator = format_integer(value.numerator)
        return numerator if value.denominator == 1 else f"{numerator}/{format_integer(value.denominator)}"


def format_integer(value: int) -> str:
    """Return all digits of ``value``; str() refuses more than 4,300."""
    if value.bit_length() < 10_000:
        return str(value)
    from decimal import Decimal

    return format(Decimal(value), "f")


def to_float(value: Fraction) -> float | None:
    """Return the double nearest to ``value``; None beyond the largest double."""
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return None


def exact_square_root(numerator: int, denominator: int) -> Fraction | None:
    """Return the square root of a rational number ≥ 0 if it is rational, else None."""
    root = isqrt(numerator * denominator)
    return Fraction(root, denominator) if root**2 == numerator * denominator else None


def float_square_root(numerator: int, denominator: int) -> float | None:
    """Return the double nearest to the square root of a rational number ≥ 0; None beyond the largest double.

    The root is computed in integers to at least 64 bits. A sticky bit records whether anything was cut off, so that
    the one rounding that follows, of a quotient of integers, is correct.
    """
    bits = max(0, 130 - numerator.bit_length() + denominator.bit_length())
    bits += bits % 2
    scaled, rest = divmod(numerator << bits, denominator)
    root = isqrt(scaled)
    sticky = int(rest != 0 or root**2 != scaled)
    try:
        return (2 * root + sticky) / (2 << (bits // 2))
    except OverflowError:
        return None


def number_hint(text: str) -> str | None:
    """Return how to mend a common misspelling of a number; None if it is none of these."""
    stripped = text.strip(" \t")
    if not stripped:
        return "An entry is empty; write 0 if it is zero"
    if stripped != text and is_number(stripped):
        return "Remove the blanks around it"
    strange = next((c for c in text if not (" " <= c <= "~")), None)
    if strange is not None:
        name = printable(strange)
        if strange == "\u2212":
            return "It has a typographic minus sign (U+2212); write - instead"
        if strange < " " or strange == "\x7f":
            return f"It has the control character U+{ord(strange):04X}; remove it"
        shown = "" if name != strange else f" {strange}"
        return f"It has the character U+{ord(strange):04X}{shown}; numbers are written in plain ASCII"
    if re.fullmatch(r"[+-]?0[0-9]+(\.[0-9]*)?(/[0-9]+)?", text) or re.fullmatch(r"[+-]?[0-9]+/0[0-9]+", text):
        return "Leading zeros are octal to some programs and decimal to others; leave them out"
    if re.fullmatch(r"[+-]?[0-9]+/[+-]?[0-9]*", text):
        return "A fraction is an integer over a positive integer"
    if re.fullmatch(r"[+-]?[0-9.]+[dD][+-]?[0-9]+", text):
        return "Write the exponent with e"
    if re.fullmatch(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?", text):
        return "Leave out the thousands separators (decimal commas are read from CSV with --decimal ,)"
    if re.fullmatch(r"[+-]?[0-9.]+%", text):
        return "Write 0.5 for 50%"
    if re.fullmatch(r"[+-]?[0-9]+,[0-9]+", text):
        return "Write the decimal mark as a point (in CSV, --decimal , reads decimal commas)"
    if re.fullmatch(r"[0-9./]+ *[-+*/] *[0-9./]+", text):
        return "A number is not computed; blanks around a sign make one entry of two"
    if ";" in text:
        return "Is ';' the delimiter? --delimiter ';' says so"
    if " " in stripped and all(map(is_number, stripped.split())):
        return "Is a comma missing?"
    return None

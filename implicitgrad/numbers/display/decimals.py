"""Write numbers as decimals: rounded ones with ≈, and of doubles no digit that their bounds do not support.

A double that would lose its decimals or its first digit to its error is written with that error: 0.638±0.059.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_UP, Context, Decimal, Inexact
from fractions import Fraction
from math import ceil, inf, log10
from sys import float_info
from typing import NamedTuple

from implicitgrad.numbers.display.form import ROUNDED
from implicitgrad.numbers.doubles import Ball

LONG_BITS = 4096
MAX_DECIMAL_PLACES = 400
DOUBLE_DIGITS = 15
"""The digits of a double that hide the rounding of its last bits."""
LARGEST_DOUBLE = Fraction(float_info.max)
SMALLEST_FIXED = -5
"""The decimal exponent below which numbers are written in scientific notation."""


class Figures(NamedTuple):
    """What the style of a table depends on in a number that is written as a decimal."""

    exponent: int | None
    """The decimal exponent of its first digit; None if it cannot be told from 0."""
    places: int
    """The decimal places that it needs in fixed notation."""
    significant: int
    """The significant digits that it needs."""
    supported: int = MAX_DECIMAL_PLACES
    """The decimal places that its error leaves correct to half a unit of the last."""


def notation_of(numbers: Iterable[Fraction], digits: int) -> tuple[bool, int, int]:
    """Return whether a table is in scientific notation, the places of its mantissas or numbers, its least exponent."""
    figures = [_figures_of(number, digits) for number in numbers]
    exponents = [one.exponent for one in figures if one.exponent is not None] or [0]
    if max(exponents) < digits and min(exponents) >= SMALLEST_FIXED:
        return False, max(one.places for one in figures), 0
    return True, max(max(one.significant for one in figures) - 1, 0), min(exponents)


def show(value: Fraction, digits: int, most_places: int, lowest: int, *, is_scientific: bool) -> str:
    """Return a number with at most so many digits and places. lowest : the least decimal exponent beside it."""
    if not isinstance(value, Ball):
        return (_scientific if is_scientific else _fixed)(value, digits, most_places)
    text = _show_double(value, digits, most_places, lowest, is_scientific=is_scientific)
    return text if value.error < inf else ROUNDED + text.removeprefix(ROUNDED)


def _figures_of(value: Fraction, digits: int) -> Figures:
    """Return what the style of a table depends on in a number, of which ``digits`` significant digits are shown."""
    if not isinstance(value, Ball) or abs(value) > LARGEST_DOUBLE:
        decimal, is_exact = _rounded(Fraction(value), digits)
        exponent = decimal.adjusted()
        significant = len(decimal.normalize(Context(prec=digits)).as_tuple().digits) if is_exact else digits
        return Figures(exponent, _places_needed(value, digits - 1 - exponent), significant)
    number = float(value)
    error = value.error if 2 * value.error < inf else 0.0
    supported = MAX_DECIMAL_PLACES if error == 0 else min(MAX_DECIMAL_PLACES, -1 - _exponent(2 * error))
    exponent = _exponent(number)
    known = exponent + supported + 1
    significant, places = _needed(number, min(known, DOUBLE_DIGITS))
    if abs(number) <= error:
        return Figures(None, 0, min(digits, significant, known), supported)
    return Figures(exponent, min(places, digits - 1 - exponent), min(digits, significant, known), supported)


def _fixed(value: Fraction, digits: int, most_places: int) -> str:
    """Return a number in fixed notation, with at most so many places."""
    places = min(most_places, digits - 1 - _rounded(value, digits)[0].adjusted())
    scaled = round(value * 10**places)
    text = str(abs(scaled)).rjust(places + 1, "0")
    if places:
        text = f"{text[:-places]}.{text[-places:]}"
    mark = "" if scaled == value * 10**places else ROUNDED
    return f"{mark}{'-' if value < 0 else ''}{text}"


def _scientific(value: Fraction, digits: int, places: int) -> str:
    """Return a number in scientific notation, its mantissa with so many places."""
    decimal, is_exact = _rounded(value, digits)
    return f"{'' if is_exact else ROUNDED}{decimal:.{places}e}"


def _show_double(value: Ball, digits: int, most_places: int, lowest: int, *, is_scientific: bool) -> str:
    """Return a double with no digit that its bound does not support."""
    if abs(value) > LARGEST_DOUBLE:
        return _scientific(Fraction(value), digits, most_places)
    number, figures = float(value), _figures_of(value, digits)
    if not is_scientific and figures.supported < (digits if figures.significant < 1 else 1):
        return _with_error(number, value.error, is_scientific=False)
    if not number and figures.supported >= most_places - lowest:
        return "0"
    if not is_scientific:
        places = min(most_places, figures.supported)
        if figures.exponent is not None:
            places = min(places, digits - 1 - figures.exponent)
        text = f"{number:.{places}f}"
        return text if float(text) else text.removeprefix("-")
    if not number or figures.significant < 1:
        return _with_error(number, value.error, is_scientific=True)
    supported = _exponent(number) + figures.supported
    return _power(number, min(most_places, supported))


def _with_error(number: float, error: float, *, is_scientific: bool) -> str:
    """Return ``number±bound``, rounded at the second digit of the error; 0±bound if the sign is not known."""
    if abs(number) <= error:
        size = abs(Fraction(number)) + Fraction(error)
        context = Context(prec=1, rounding=ROUND_UP)
        bound = context.divide(Decimal(size.numerator), Decimal(size.denominator)).normalize()
        return f"0±{bound:f}" if 0 <= bound.adjusted() < DOUBLE_DIGITS else f"0±{bound:g}"
    place = _exponent(error) - 1
    unit = Fraction(10) ** place
    rounded = round(Fraction(number) / unit)
    bounded = ceil((Fraction(error) + abs(Fraction(number) - rounded * unit)) / unit)
    shown, bound = Decimal(rounded).scaleb(place), Decimal(bounded).scaleb(place)
    if is_scientific:
        return f"{shown:.{shown.adjusted() - place}e}±{bound:.{bound.adjusted() - place}e}"
    return f"{shown:f}±{bound:f}"


def _exponent(number: float) -> int:
    return int(f"{number:e}".partition("e")[2])


def _needed(number: float, known: int) -> tuple[int, int]:
    """Return the significant digits and the decimal places of a number rounded to the digits that are known of it."""
    mantissa, _, exponent = f"{number:.{max(known, 1) - 1}e}".lstrip("-").partition("e")
    figures = mantissa.replace(".", "").rstrip("0")
    return max(1, len(figures)), max(0, len(figures) - 1 - int(exponent))


def _power(number: float, places: int) -> str:
    """Write a number in scientific notation without a leading 0 in the exponent: 3.3e+5, not e+05."""
    return f"{Decimal(f'{number:.{places}e}'):.{places}e}"


def _rounded(value: Fraction, digits: int) -> tuple[Decimal, bool]:
    """Round to ``digits`` significant digits, and return whether that is exact."""
    context = Context(prec=digits)
    n, d = value.numerator, value.denominator
    if max(abs(n), d).bit_length() > LONG_BITS:  # to convert them takes time that grows with the square of their length
        shift = digits + 2 - int((n.bit_length() - d.bit_length()) * log10(2))
        quotient, rest = divmod(abs(n) * 10 ** max(shift, 0), d * 10 ** max(-shift, 0))
        sticky = 10 * quotient + (rest > 0)  # its last digit rounds as all that was cut off would
        decimal = context.scaleb(context.create_decimal(sticky if n > 0 else -sticky), -shift - 1)
        if context.flags[Inexact]:
            return decimal, False
    decimal = context.divide(Decimal(n), Decimal(d))
    return decimal, not context.flags[Inexact]


def _places_needed(value: Fraction, most: int) -> int:
    """Return the decimal places that write ``value`` exactly, or ``most`` if these do not suffice."""
    return next((places for places in range(most) if 10**places % value.denominator == 0), most)

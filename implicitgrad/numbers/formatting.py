"""Write fractions and sums as one would by hand: 1/5 − 3/5·∂y1/∂x1.

Short fractions stay fractions; other numbers become decimals, marked ≈ if rounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from itertools import pairwise
from math import inf, log10
from sys import float_info
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from implicitgrad.numbers.doubles import Ball
from implicitgrad.text.number_grammar import format_fraction

if TYPE_CHECKING:
    from implicitgrad.symbolic.element import Symbolic

LONG_BITS = 4096
MAX_INTEGER_DIGITS = 15
MAX_FRACTION_DIGITS = 7
"""The digits of numerator and denominator together up to which a fraction is easily read."""
MAX_DECIMAL_PLACES = 400
LARGEST_DOUBLE = Fraction(float_info.max)
SMALLEST_FIXED = -5
"""The decimal exponent below which numbers are written in scientific notation."""
ROUNDED = "≈"


def is_symbolic(value: object) -> TypeGuard[Symbolic]:
    """Return whether a number has letters, without loading the class of such numbers."""
    return not isinstance(value, Fraction | int)


def show_column(values: Sequence[Fraction], digits: int) -> list[str]:
    """Return the texts of one column, with equal precision and aligned at the right.

    All are fractions if all are short. Otherwise all are decimals of at most ``digits`` significant digits: with
    equally many places if that leaves each at least half of its digits, else in scientific notation. A rounded text
    begins with ≈. Doubles show no digit that their bounds do not support, and have the mark only without a bound.
    """
    if values and is_symbolic(values[0]):
        return [_show_symbolic(value, digits) for value in values if is_symbolic(value)]
    if values and isinstance(values[0], Ball):
        return _show_doubles([value for value in values if isinstance(value, Ball)], digits)
    if all(map(_is_short, values)):
        return [format_fraction(value) for value in values]
    return show_decimals(values, digits)


def show_decimals(values: Sequence[Fraction], digits: int) -> list[str]:
    """Return the texts as show_column does, without fractions."""
    if not any(values):
        return ["0"] * len(values)
    rounded = [_rounded(value, digits) for value in values if value]
    exponents = [decimal.adjusted() for decimal, _ in rounded]
    highest, lowest = max(exponents), min(exponents)
    if highest < digits and lowest >= SMALLEST_FIXED and highest - lowest <= digits // 2:
        places = digits - 1 - highest
        needed = [_places_needed(value, places) for value in values]
        return [_fixed(value, max(needed)) for value in values]
    if all(is_exact for _, is_exact in rounded):
        digits = max(len(decimal.normalize().as_tuple().digits) for decimal, _ in rounded)
    return [_scientific(value, digits) for value in values]


def show_number(value: Fraction, digits: int) -> str:
    """Return the text of one number."""
    return show_column([value], digits)[0]


def _show_symbolic(value: Symbolic, digits: int) -> str:
    fraction = value.fraction
    if fraction is not None:
        return show_column([fraction], digits)[0]
    if value.is_number:
        return ROUNDED + show_decimals([value.approximation()], digits)[0].removeprefix(ROUNDED)
    return value.shown


def _show_doubles(values: Sequence[Ball], digits: int) -> list[str]:
    """Return the texts of numbers known within bounds, the last digit of each right to within one."""
    if not all(2 * value.error < inf for value in values):
        is_any_too_large = any(abs(value) > LARGEST_DOUBLE for value in values)
        plain = [Ball(value, 0.0) for value in values]
        shown = show_decimals(plain, digits) if is_any_too_large else _show_doubles(plain, digits)
        return [text if text.strip() == "0" else ROUNDED + text.removeprefix(ROUNDED) for text in shown]
    numbers = [float(value) for value in values]
    known = [number for number, value in zip(numbers, values, strict=True) if abs(number) > value.error]
    exponents = [_exponent(number) for number in known if number] or [0]
    highest, lowest = max(exponents), min(exponents)
    supported = [_supported_places(value.error) for value in values]
    if highest < digits and lowest >= SMALLEST_FIXED and highest - lowest <= digits // 2 and min(supported) >= 0:
        most = min(digits - 1 - highest, max(_short_places(number) for number in numbers))
        places = [min(most, limit) for limit in supported]
        places = [one if number else 0 for number, one in zip(numbers, places, strict=True)]
        widest = max(places)
        return [_padded(f"{number:.{one}f}", one, widest) for number, one in zip(numbers, places, strict=True)]
    if all(number.is_integer() and abs(number) < 10**digits for number in numbers) and min(supported) >= 0:
        return [f"{number:.0f}" for number in numbers]
    return [_scientific_double(*pair, digits) for pair in zip(numbers, supported, strict=True)]


def _exponent(number: float) -> int:
    return int(f"{number:e}".partition("e")[2])


def _supported_places(error: float) -> int:
    """Return the decimal places that an error leaves correct to half a unit of the last."""
    return MAX_DECIMAL_PLACES if error == 0 else min(MAX_DECIMAL_PLACES, -1 - _exponent(2 * error))


def _short_places(number: float) -> int:
    """Return the decimal places of the number rounded to 15 digits, which hides the last bits of a double."""
    mantissa, _, exponent = repr(float(f"{number:.15g}")).partition("e")
    decimals = mantissa.partition(".")[2]
    return max(0, (0 if decimals == "0" else len(decimals)) - int(exponent or 0))


def _padded(text: str, places: int, widest: int) -> str:
    text = text.removeprefix("-") if not float(text) else text
    return text + " " * (widest - places + (widest > 0 and places == 0))


def _scientific_double(number: float, supported: int, digits: int) -> str:
    if not number:
        return "0"
    figures = min(digits, _exponent(number) + supported + 1)
    if figures < 1:
        return f"0±1e{-supported:+}"
    return _power(number, min(figures, max(1, _figures(number))) - 1)


def _power(number: float, places: int) -> str:
    """Write a number in scientific notation without a leading 0 in the exponent: 3.3e+5, not e+05."""
    return f"{Decimal(f'{number:.{places}e}'):.{places}e}"


def _figures(number: float) -> int:
    """Return the number of significant digits, at most 15."""
    return len(repr(abs(float(f"{number:.15g}"))).partition("e")[0].replace(".", "").strip("0"))


class Expression(NamedTuple):
    """A sum as texts of its terms with their signs, between which a line may be broken."""

    pieces: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.pieces)

    def named(self, name: str) -> Expression:
        """Return the equation ``name = self``."""
        return Expression((f"{name} =", *(piece.strip() for piece in self.pieces)))


def linear(constant: Fraction, terms: Iterable[tuple[Fraction, str]], digits: int) -> Expression:
    """Return the text of constant + Σ coefficient·name."""
    pieces: list[str] = []
    for value, name in [(constant, ""), *terms]:
        if not value:
            continue
        is_negative, size = split_sign(value)
        number = show_number(size if pieces or name else value, digits)
        if not pieces and not name:
            pieces += in_pieces(number)
            continue
        if name:
            is_compound = " " in _outside_parentheses(number) or (is_symbolic(value) and "/" in number)
            number = "" if number == "1" else f"({number})·" if is_compound else f"{number}·"
        if is_negative and not pieces and number.startswith(ROUNDED):  # the mark ≈ precedes the sign
            pieces.append(f"{ROUNDED}-{number.removeprefix(ROUNDED)}{name}")
            continue
        sign = ("-" if is_negative else "") if not pieces else "− " if is_negative else "+ "
        pieces.append(f"{sign}{number}{name}")
    return Expression(tuple(pieces or ["0"]))


def second_derivative(y: str, one: str, other: str) -> str:
    """Return ∂²y/∂x², or ∂²y/∂x1∂x2 for two inputs."""
    return f"∂²{y}/" + (f"∂{one}²" if one == other else f"∂{one}∂{other}")


def split_sign(value: Fraction) -> tuple[bool, Fraction]:
    """Return whether a number is written with a minus sign, and the number without it."""
    is_negative = value.shown.startswith("-") if is_symbolic(value) else value < 0
    return is_negative, -value if is_negative else value


def in_pieces(text: str) -> tuple[str, ...]:
    """Split the text of a number into the terms of a sum."""
    plain = _outside_parentheses(text)
    starts = [0, *(match.start() + 1 for match in re.finditer(r" (?=[+−] )", plain))]
    return (*(text[start : end - 1] for start, end in pairwise(starts)), text[starts[-1] :])


def _outside_parentheses(text: str) -> str:
    """Replace everything in parentheses by dots."""
    found, depth = [], 0
    for character in text:
        depth -= character == ")"
        found.append("." if depth else character)
        depth += character == "("
    return "".join(found)


def _is_short(value: Fraction) -> bool:
    numerator, denominator = abs(value.numerator), value.denominator
    if denominator == 1:
        return bool(numerator < 10**MAX_INTEGER_DIGITS)
    is_small = numerator.bit_length() + denominator.bit_length() < 4 * MAX_FRACTION_DIGITS
    return is_small and len(f"{numerator}{denominator}") <= MAX_FRACTION_DIGITS


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


def _fixed(value: Fraction, places: int) -> str:
    if not value:
        return "0" + " " * (places + 1 if places else 0)
    scaled = round(value * 10**places)
    text = str(abs(scaled)).rjust(places + 1, "0")
    if places:
        text = f"{text[:-places]}.{text[-places:]}"
    mark = "" if scaled == value * 10**places else ROUNDED
    return f"{mark}{'-' if value < 0 else ''}{text}"


def _scientific(value: Fraction, digits: int) -> str:
    if value.denominator == 1 and abs(value.numerator) < 10**digits:
        return str(value.numerator)
    decimal, is_exact = _rounded(value, digits)
    return f"{'' if is_exact else ROUNDED}{decimal:.{digits - 1}e}"

"""Write numbers: all of a table as fractions, or all that are not integers as decimals with the same digits.

A rounded decimal begins with ≈. Doubles show no digit that their bounds do not support, and have the mark only without
a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from math import inf, log10
from sys import float_info
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from implicitgrad.numbers.doubles import Ball
from implicitgrad.numbers.number_form import NumberForm, NumberOptions
from implicitgrad.text.number_grammar import format_fraction

if TYPE_CHECKING:
    from implicitgrad.symbolic.element import Symbolic

LONG_BITS = 4096
MAX_INTEGER_DIGITS = 15
"""The digits up to which an integer is written in full, if ``digits`` are not more."""
MAX_PART_DIGITS = 3
"""The digits of a numerator or a denominator up to which a table has fractions."""
MAX_FRACTION_DIGITS = 7
"""The digits of numerator and denominator together up to which an equation, a sentence or a message has a fraction."""
MAX_DECIMAL_PLACES = 400
DOUBLE_DIGITS = 15
"""The digits of a double that hide the rounding of its last bits."""
LARGEST_DOUBLE = Fraction(float_info.max)
SMALLEST_FIXED = -5
"""The decimal exponent below which numbers are written in scientific notation."""
ROUNDED = "≈"


def is_symbolic(value: object) -> TypeGuard[Symbolic]:
    """Return whether a number has letters, without loading the class of such numbers."""
    return not isinstance(value, Fraction | int)


def is_short_in_table(value: Fraction) -> bool:
    """Return whether a table may show a number as a fraction, or it has letters."""
    if is_symbolic(value):
        return not value.is_number or (value.fraction is not None and is_short_in_table(value.fraction))
    return not isinstance(value, Ball) and max(abs(value.numerator), value.denominator) < 10**MAX_PART_DIGITS


def is_short_in_text(value: Fraction) -> bool:
    """Return whether an equation, a sentence or a message may show a number as a fraction, or it has letters."""
    if is_symbolic(value):
        return not value.is_number or (value.fraction is not None and is_short_in_text(value.fraction))
    numerator, denominator = abs(value.numerator), value.denominator
    if isinstance(value, Ball) or denominator == 1:
        return not isinstance(value, Ball) and numerator < 10**MAX_INTEGER_DIGITS
    is_small = numerator.bit_length() + denominator.bit_length() < 4 * MAX_FRACTION_DIGITS
    return is_small and len(f"{numerator}{denominator}") <= MAX_FRACTION_DIGITS


def show_number(value: Fraction, digits: int) -> str:
    """Return the text of one number in a message: a fraction if it is short, else a decimal."""
    return EachNumber(NumberOptions(digits)).show(value)


def show_decimal(value: Fraction, digits: int) -> str:
    """Return one number rounded to ``digits`` significant digits, an integer too."""
    return NumberStyle.of([value], NumberOptions(digits, NumberForm.DECIMAL), longest_integer=digits).show(value)


class NumberStyle(NamedTuple):
    """How all numbers of one table are written.

    As decimals they have equally many significant digits, or fewer if all of them need fewer decimal places: in fixed
    notation where no number of the table is too large or too small for it.
    """

    digits: int
    has_fractions: bool
    is_scientific: bool
    places: int
    """The most decimal places of a number, or of its mantissa in scientific notation."""
    longest_integer: int
    """The digits up to which an integer is written in full."""
    lowest: int = 0
    """In scientific notation, the least decimal exponent."""

    @classmethod
    def of(
        cls,
        values: Iterable[Fraction],
        options: NumberOptions,
        *,
        longest_integer: int | None = None,
        is_short: Callable[[Fraction], bool] = is_short_in_table,
    ) -> NumberStyle:
        """Choose the style of the table with these numbers. is_short : whether it may show a number as a fraction."""
        digits, values = options.digits, list(values)
        has_fractions = options.form is NumberForm.FRACTION or (
            options.form is NumberForm.AUTO and all(map(is_short, values))
        )
        longest = max(MAX_INTEGER_DIGITS, digits) if longest_integer is None else longest_integer
        style = cls(digits, has_fractions, False, 0, longest)
        figures = [
            _figures_of(number, digits)
            for value in values
            if (number := _number_of(value)) is not None and not style._is_in_full(number)
        ]
        exponents = [one.exponent for one in figures if one.exponent is not None] or [0]
        is_fixed = max(exponents) < digits and min(exponents) >= SMALLEST_FIXED
        if is_fixed and all(one.supported >= 0 for one in figures):
            return style._replace(places=max((one.places for one in figures), default=0))
        places = max(max(one.significant for one in figures) - 1, 0)
        return style._replace(is_scientific=True, places=places, lowest=min(exponents))

    def column(self, values: Sequence[Fraction]) -> list[str]:
        """Return texts, padded so that decimal points are below one another if the texts are aligned at the right."""
        texts = list(map(self.show, values))
        if self.has_fractions or self.is_scientific or any(_number_of(value) is None for value in values):
            return texts
        places = [len(text.partition(".")[2]) for text in texts]
        widest = max(places, default=0)
        return [
            text + " " * (widest - count + (widest > 0 and count == 0))
            for text, count in zip(texts, places, strict=True)
        ]

    def show(self, value: Fraction) -> str:
        """Return the text of a number."""
        number = _number_of(value)
        if number is None or (self.has_fractions and is_symbolic(value)):
            assert is_symbolic(value)
            return value.shown
        if self._is_in_full(number):
            return format_fraction(Fraction(number))
        is_rounded = is_symbolic(value) and value.fraction is None
        if isinstance(number, Ball):
            is_rounded = not number.error < inf
            text = self._show_double(Ball(number, 0.0) if is_rounded else number)
        else:
            text = self._scientific(number) if self.is_scientific else self._fixed(number)
        return ROUNDED + text.removeprefix(ROUNDED) if is_rounded else text

    def _is_in_full(self, number: Fraction) -> bool:
        """Return whether a number is written as the fraction or the integer that it is."""
        if self.has_fractions and not isinstance(number, Ball):
            return True
        is_known = not (isinstance(number, Ball) and number.error)
        return is_known and number.denominator == 1 and abs(number.numerator) < 10**self.longest_integer

    def _fixed(self, value: Fraction) -> str:
        places = min(self.places, self.digits - 1 - _rounded(value, self.digits)[0].adjusted())
        scaled = round(value * 10**places)
        text = str(abs(scaled)).rjust(places + 1, "0")
        if places:
            text = f"{text[:-places]}.{text[-places:]}"
        mark = "" if scaled == value * 10**places else ROUNDED
        return f"{mark}{'-' if value < 0 else ''}{text}"

    def _scientific(self, value: Fraction) -> str:
        decimal, is_exact = _rounded(value, self.digits)
        return f"{'' if is_exact else ROUNDED}{decimal:.{self.places}e}"

    def _show_double(self, value: Ball) -> str:
        if abs(value) > LARGEST_DOUBLE:
            return self._scientific(Fraction(value))
        number, figures = float(value), _figures_of(value, self.digits)
        if not number and figures.supported >= self.places - self.lowest:
            return "0"
        if not self.is_scientific:
            places = min(self.places, figures.supported)
            if figures.exponent is not None:
                places = min(places, self.digits - 1 - figures.exponent)
            text = f"{number:.{places}f}"
            return text if float(text) else text.removeprefix("-")
        if not number or figures.significant < 1:
            return f"0±1e{-figures.supported:+}"
        supported = _exponent(number) + figures.supported
        return _power(number, min(self.places, supported))


class EachNumber(NamedTuple):
    """Write each number of a text in a style of its own."""

    options: NumberOptions

    def column(self, values: Sequence[Fraction]) -> list[str]:
        """Return the texts of numbers."""
        return list(map(self.show, values))

    def show(self, value: Fraction) -> str:
        """Return the text of a number."""
        return NumberStyle.of([value], self.options, is_short=is_short_in_text).show(value)


class CollectedNumbers(list[Fraction]):
    """Collect the numbers of a table, to choose its style."""

    def column(self, values: Sequence[Fraction]) -> list[str]:
        """Collect numbers, and return a text for each."""
        return list(map(self.show, values))

    def show(self, value: Fraction) -> str:
        """Collect a number, and return a text."""
        self.append(value)
        return "0"


NumberWriter = EachNumber | CollectedNumbers | NumberStyle


class _Figures(NamedTuple):
    """What the style of a table depends on in a number that is written as a decimal."""

    exponent: int | None
    """The decimal exponent of its first digit; None if it cannot be told from 0."""
    places: int
    """The decimal places that it needs in fixed notation."""
    significant: int
    """The significant digits that it needs."""
    supported: int = MAX_DECIMAL_PLACES
    """The decimal places that its error leaves correct to half a unit of the last."""


def _figures_of(value: Fraction, digits: int) -> _Figures:
    if not isinstance(value, Ball) or abs(value) > LARGEST_DOUBLE:
        decimal, is_exact = _rounded(Fraction(value), digits)
        exponent = decimal.adjusted()
        significant = len(decimal.normalize().as_tuple().digits) if is_exact else digits
        return _Figures(exponent, _places_needed(value, digits - 1 - exponent), significant)
    number = float(value)
    error = value.error if 2 * value.error < inf else 0.0
    supported = MAX_DECIMAL_PLACES if error == 0 else min(MAX_DECIMAL_PLACES, -1 - _exponent(2 * error))
    exponent = _exponent(number)
    known = exponent + supported + 1
    significant, places = _needed(number, min(known, DOUBLE_DIGITS))
    if abs(number) <= error:
        return _Figures(None, 0, min(digits, significant, known), supported)
    return _Figures(exponent, min(places, digits - 1 - exponent), min(digits, significant, known), supported)


def _number_of(value: Fraction) -> Fraction | None:
    """Return the value of a number; None if it has letters."""
    if not is_symbolic(value):
        return value
    if value.fraction is not None:
        return value.fraction
    return value.approximation() if value.is_number else None


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

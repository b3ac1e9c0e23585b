"""Write numbers: all of a table as fractions, or all that are not integers as decimals with the same digits.

A rounded decimal begins with ≈. Doubles show no digit that their bounds do not support, the bound itself where it is
large, and have the mark only without a bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from implicitgrad.numbers.display.form import ROUNDED, NumberForm, NumberOptions
from implicitgrad.text.characters import format_fraction

if TYPE_CHECKING:
    from implicitgrad.numbers.doubles import Ball
    from implicitgrad.symbolic.function_field.element import Symbolic

MAX_INTEGER_DIGITS = 15
"""The digits up to which an integer is written in full, if ``digits`` are not more."""
MAX_PART = 999
"""The largest numerator or denominator up to which a table has fractions."""
MAX_FRACTION_DIGITS = 7
"""The digits of numerator and denominator together up to which an equation, a sentence or a message has a fraction."""


class Expression(NamedTuple):
    """The text of a number or of a sum: its terms with their signs, between which a line may be broken."""

    pieces: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Expression:
        """Split a text before each + and − that is not in parentheses."""
        pieces: list[str] = []
        for part in re.split(r" (?=[+−] )", text):
            if pieces and pieces[-1].count("(") != pieces[-1].count(")"):
                pieces[-1] += f" {part}"
            else:
                pieces.append(part)
        return cls(tuple(pieces))

    def __str__(self) -> str:
        return " ".join(self.pieces)

    def named(self, name: str) -> Expression:
        """Return the equation ``name = self``, or ``name ≈ self`` if it begins with a rounded number."""
        first, *others = (piece.strip() for piece in self.pieces)
        is_rounded = re.match(f"{ROUNDED}-?[0-9]", first)
        return Expression((f"{name} {ROUNDED if is_rounded else '='}", first[1:] if is_rounded else first, *others))


def is_symbolic(value: object) -> TypeGuard[Symbolic]:
    """Return whether a number has letters, without loading the class of such numbers."""
    return not isinstance(value, Fraction | int)


def is_ball(value: object) -> TypeGuard[Ball]:
    """Return whether a number is a double with an error bound, without loading the class of such numbers."""
    return isinstance(value, Fraction) and hasattr(value, "error")


def is_short_in_table(value: Fraction) -> bool:
    """Return whether a table may show a number as a fraction."""
    return max(abs(value.numerator), value.denominator) <= MAX_PART


def is_short_in_text(value: Fraction) -> bool:
    """Return whether an equation, a sentence or a message may show a number as a fraction."""
    numerator, denominator = abs(value.numerator), value.denominator
    if denominator == 1:
        return bool(numerator < 10**MAX_INTEGER_DIGITS)
    may_be_short = max(numerator, denominator) < 10**MAX_FRACTION_DIGITS  # what is longer takes long to write
    return may_be_short and len(f"{numerator}{denominator}") <= MAX_FRACTION_DIGITS


def show_number(value: Fraction, digits: int) -> str:
    """Return the text of one number in a message: a fraction if it is short, else a decimal."""
    return NumberStyle.of([value], NumberOptions(digits), is_short=is_short_in_text).show(value)


def show_decimal(value: Fraction, digits: int) -> str:
    """Return one number rounded to ``digits`` significant digits, an integer too."""
    return NumberStyle.of([value], NumberOptions(digits, NumberForm.DECIMAL), longest_integer=digits).show(value)


class NumberStyle(NamedTuple):
    """How all numbers of one table are written.

    As decimals they have equally many significant digits, or fewer if all of them need fewer decimal places: in fixed
    notation where no number of the table is too large or too small for it.
    """

    has_fractions: bool
    longest_integer: int
    """The digits up to which an integer is written in full."""
    is_scientific: bool = False
    show_decimal: Callable[[Fraction], str] = str
    """Writes a number that is not written in full."""

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
            options.form is NumberForm.AUTO and all(_is_kept(value, is_short) for value in values)
        )
        longest = max(MAX_INTEGER_DIGITS, digits) if longest_integer is None else longest_integer
        style = cls(has_fractions, longest)
        numbers = [number for value in values if (number := _number_of(value)) is not None]
        decimals = [number for number in numbers if not style._is_in_full(number)]
        if not decimals:
            return style
        from implicitgrad.numbers.display.decimals import notation_of, show

        is_scientific, places, lowest = notation_of(decimals, digits)
        write = partial(show, digits=digits, most_places=places, lowest=lowest, is_scientific=is_scientific)
        return style._replace(is_scientific=is_scientific, show_decimal=write)

    def column(self, values: Sequence[Fraction]) -> list[str]:
        """Return texts, padded so that decimal points are below one another if the texts are aligned at the right."""
        texts = list(map(self.show, values))
        if self.has_fractions or self.is_scientific or any(_number_of(value) is None for value in values):
            return texts
        tails = [len(text.lstrip("≈-0123456789")) for text in texts]
        widest = max(tails, default=0)
        return [text + " " * (widest - tail) for text, tail in zip(texts, tails, strict=True)]

    def show(self, value: Fraction) -> str:
        """Return the text of a number."""
        number = _number_of(value)
        if number is None or (self.has_fractions and is_symbolic(value)):
            assert is_symbolic(value)
            return value.shown
        if self._is_in_full(number):
            return format_fraction(Fraction(number))
        text = self.show_decimal(number)
        is_rounded = is_symbolic(value) and value.fraction is None
        return ROUNDED + text.removeprefix(ROUNDED) if is_rounded else text

    def _is_in_full(self, number: Fraction) -> bool:
        """Return whether a number is written as the fraction or the integer that it is."""
        if self.has_fractions and not is_ball(number):
            return True
        is_known = not (is_ball(number) and number.error)
        return is_known and number.denominator == 1 and abs(number.numerator) < 10**self.longest_integer


def _is_kept(value: Fraction, is_short: Callable[[Fraction], bool]) -> bool:
    """Return whether a number may be written as a fraction, or has letters."""
    if is_symbolic(value):
        if value.fraction is None:
            return not value.is_number
        value = value.fraction
    return not is_ball(value) and is_short(value)


def _number_of(value: Fraction) -> Fraction | None:
    """Return the value of a number; None if it has letters."""
    if not is_symbolic(value):
        return value
    if value.fraction is not None:
        return value.fraction
    return value.approximation() if value.is_number else None

"""Dual numbers with rational parts: the value of an expression of letters at a point, and its partial derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

from implicitgrad.text.characters import MAX_QUOTED, format_fraction

MAX_BITS = 20_000
"""Of a numerator or denominator."""


class DualNumberError(Exception):
    """An operation whose result or derivative is not rational, not real, or too large."""


class IrrationalError(DualNumberError):
    """An operation whose result is real and not rational, or is not known to be rational."""


class DualNumber(NamedTuple):
    """A rational number that depends on letters."""

    value: Fraction
    partials: Mapping[str, Fraction] = MappingProxyType({})
    """The derivative in each letter that is in it, also where that is 0."""
    curved: frozenset[str] = frozenset()
    """The letters in which it may be other than affine, judged by the way in which it is written."""

    @property
    def is_zero(self) -> bool:
        """Whether it is 0 whatever the letters are."""
        return not self.value and not self.partials

    def plus(self, other: DualNumber) -> DualNumber:
        """Return the sum."""
        if not (self.partials or other.partials):
            return DualNumber(self.value + other.value)
        partials = dict(self.partials)
        for letter, slope in other.partials.items():
            partials[letter] = partials.get(letter, Fraction(0)) + slope
        return DualNumber(self.value + other.value, partials, self.curved | other.curved)

    def times(self, other: DualNumber) -> DualNumber:
        """Return the product. Raise DualNumberError if it is too large."""
        if not (self.partials or other.partials):
            return DualNumber(_limited(self.value * other.value))
        if self.is_zero or other.is_zero:
            return ZERO
        partials = {letter: slope * other.value for letter, slope in self.partials.items()}
        for letter, slope in other.partials.items():
            partials[letter] = partials.get(letter, Fraction(0)) + slope * self.value
        curved = self.curved | other.curved | (self.partials.keys() & other.partials.keys())
        return DualNumber(_limited(self.value * other.value), partials, curved)

    def to_power(self, exponent: Fraction) -> DualNumber:
        """Return u to a constant power. Raise DualNumberError if that or its derivative is not rational."""
        if exponent == 1:
            return self
        if exponent == 0:
            return ONE
        if not self.value:
            if exponent < 0:
                raise DualNumberError("expected a divisor that is not 0, got 0")
            if exponent < 1 and self.partials:
                raise DualNumberError(f"expected a derivative, got the power {exponent} of 0, which has none")
            return self._composed(Fraction(0), Fraction(0))
        value = _power(self.value, exponent)
        return self._composed(value, exponent * value / self.value)

    def under(self, function: str) -> DualNumber:
        """Return f(u) of a function of the grammar. Raise DualNumberError if that or its derivative is not rational."""
        if function in ("sqrt", "cbrt"):
            return self.to_power(Fraction(1, 2 if function == "sqrt" else 3))
        if function == "abs":
            if not self.value and self.partials:
                raise DualNumberError("expected a derivative, got abs of 0, which has none")
            return self.times(ONE if self.value >= 0 else MINUS_ONE)
        if function in ("log", "ln") and self.value == 1:
            return self._composed(Fraction(0), Fraction(1))
        if function in _AT_ZERO and not self.value:
            return self._composed(*map(Fraction, _AT_ZERO[function]))
        raise IrrationalError(f"expected a rational number, got {function}({shown(self.value)})")

    def _composed(self, value: Fraction, slope: Fraction) -> DualNumber:
        """Return f(u), given f and f′ at the value of u."""
        partials = {letter: slope * inner for letter, inner in self.partials.items()}
        return DualNumber(_limited(value), partials, frozenset(self.partials))


ZERO, ONE, MINUS_ONE = DualNumber(Fraction(0)), DualNumber(Fraction(1)), DualNumber(Fraction(-1))
_AT_ZERO = {
    **dict.fromkeys(("sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh"), (0, 1)),
    **dict.fromkeys(("cos", "sec", "cosh"), (1, 0)),
    "exp": (1, 1),
}
"""f(0) and f′(0) where both are rational."""


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    """Return a power that is rational; the real one if the denominator of the exponent is odd."""
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits > 1 and abs(exponent) * bits > MAX_BITS:
        raise DualNumberError(_TOO_LARGE)
    order = exponent.denominator
    if base < 0 and order % 2 == 0:
        raise DualNumberError(f"expected a real number, got the power {exponent} of {shown(base)}")
    numerator, denominator = _root(abs(base.numerator), order), _root(base.denominator, order)
    if numerator is None or denominator is None:
        raise IrrationalError(f"expected a rational number, got ({shown(base)})^({shown(exponent)})")
    return Fraction(numerator if base > 0 else -numerator, denominator) ** exponent.numerator


def _root(number: int, order: int) -> int | None:
    """Return the root of a positive integer if it is an integer, by bisection."""
    if order == 1 or number == 1:
        return number
    low, high = 1, 1 << (number.bit_length() // order + 1)
    while low < high and order < number.bit_length():
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**order < number else (low, middle)
    return low if low**order == number else None


_TOO_LARGE = f"expected numbers of at most {MAX_BITS:,} bits, got a larger one"


def _limited(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise DualNumberError(_TOO_LARGE)
    return value


def shown(value: Fraction) -> str:
    """Return a fraction for a message, cut if it is long."""
    text = format_fraction(value)
    return text if len(text) <= MAX_QUOTED else f"{text[: MAX_QUOTED - 1]}…"

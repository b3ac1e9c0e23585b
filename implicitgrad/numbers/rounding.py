"""The doubles nearest to rational numbers and to their square roots."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt


def to_float(value: Fraction) -> float | None:
    """Return the double nearest to ``value``; None beyond the largest double."""
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return None


def float_square_root(value: Fraction) -> float | None:
    """Return the double nearest to the square root of a rational number ≥ 0; None beyond the largest double.

    The root is computed in integers to at least 64 bits. A sticky bit records whether anything was cut off, so that
    the one rounding that follows, of a quotient of integers, is correct.
    """
    numerator, denominator = value.as_integer_ratio()
    bits = max(0, 66 + (denominator.bit_length() - numerator.bit_length()) // 2)
    scaled, rest = divmod(numerator << 2 * bits, denominator)
    root = isqrt(scaled)
    sticky = int(rest != 0 or root**2 != scaled)
    try:
        return (2 * root + sticky) / (2 << bits)
    except OverflowError:
        return None

"""The scale of a picture: round numbers from which a magnitude has the next level."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.numbers.formatting import show_decimals
from implicitgrad.writers.entries import decimal_exponent

if TYPE_CHECKING:
    from implicitgrad.numbers.ball import Array

LEVELS = 6
UNKNOWN = LEVELS + 1
"""The level of what is no number."""
NICE = [Fraction(step, 10) for step in (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)]


class Scale(NamedTuple):
    """The least magnitudes of the levels, in ascending order."""

    thresholds: tuple[Fraction, ...]
    is_linear: bool

    def heads(self) -> list[str]:
        """The texts of the thresholds."""
        return [_head(threshold) for threshold in self.thresholds]


def find_scale(tiles: Array, unit: Fraction) -> Scale:
    """Round numbers in equal steps, or in equal ratios where half of the tiles would be lost below the first step."""
    import numpy as np

    sizes = np.abs(tiles[np.isfinite(tiles) & (tiles != 0)])
    low, middle, high = (Fraction(float(size)) * unit for size in np.quantile(sizes, (0.1, 0.5, 1)))
    if middle * LEVELS >= high:
        exponent = decimal_exponent(high / LEVELS)
        step = max(nice for nice in NICE if nice * Fraction(10) ** exponent <= high / LEVELS) * Fraction(10) ** exponent
        return Scale(tuple(step * k for k in range(1, LEVELS + 1)), True)
    exponent = decimal_exponent(high)
    top = 2 * exponent + (Fraction(10) ** exponent * 3 <= high)
    for halves in (1, 2, 4):
        lowest = _half_decade(top - halves * (LEVELS - 1))
        if lowest <= low:
            break
    if halves > 1:
        top -= top % 2
    return Scale(tuple(_half_decade(top - halves * k) for k in reversed(range(LEVELS))), False)


def _half_decade(number: int) -> Fraction:
    """…, 1, 3, 10, 30, …"""
    return Fraction(10) ** (number // 2) * (3 if number % 2 else 1)


def find_levels(tiles: Array, scale: Scale, unit: Fraction) -> Array:
    """How many thresholds each tile reaches, negative where the tile is."""
    import numpy as np

    thresholds = [float(threshold / unit) for threshold in scale.thresholds]
    levels = np.searchsorted(thresholds, np.abs(tiles), side="right")
    return np.where(np.isnan(tiles), UNKNOWN, np.where(tiles < 0, -levels, levels))


def _head(threshold: Fraction) -> str:
    """A round number, in scientific notation where it would be long."""
    exponent = decimal_exponent(threshold)
    if -3 <= exponent <= 3:
        return show_decimals([threshold], LEVELS)[0]
    return f"{show_decimals([threshold / Fraction(10) ** exponent], LEVELS)[0]}e{exponent:+d}"

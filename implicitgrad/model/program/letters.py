"""Letters: the inputs of a quadratic program whose numbers are expressions, and how fast its numbers change in them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple


class Sensitivity(NamedTuple):
    """How one number of a program depends on a letter."""

    slope: Fraction
    """The derivative."""
    is_affine: bool
    """Whether the number is an affine function of the letter."""


Sensitivities = Mapping[tuple[int, int], Sensitivity]
"""By row and column, of the entries that the letter is in."""


class Letter(NamedTuple):
    """One input, its value, and the numbers that it is in."""

    name: str
    value: Fraction
    P: Sensitivities
    """Symmetric, as P is."""
    q: Mapping[int, Sensitivity]
    G: Sensitivities
    h: Mapping[int, Sensitivity]
    A: Sensitivities
    b: Mapping[int, Sensitivity]

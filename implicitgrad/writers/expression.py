"""Sums of terms as a note by hand writes them: 1/5 − 3/5·∂y1/∂x1, broken only between terms."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.writers.numbers import show_number


class Expression(NamedTuple):
    """A text in pieces, each a sign and its term, which stay together."""

    pieces: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.pieces)

    def named(self, name: str) -> Expression:
        """The equation ``name = self``."""
        return Expression((f"{name} =", *(piece.strip() for piece in self.pieces)))


def linear(constant: Fraction, terms: Iterable[tuple[Fraction, str]], digits: int) -> Expression:
    """constant + Σ coefficient·name."""
    pieces: list[str] = []
    for value, name in [(constant, ""), *terms]:
        if not value:
            continue
        number = show_number(abs(value) if pieces else value, digits)
        if name:
            number = {"1": "", "-1": "-"}.get(number, f"{number}·")
        sign = "" if not pieces else "− " if value < 0 else "+ "
        pieces.append(f"{sign}{number}{name}")
    return Expression(tuple(pieces or ["0"]))

"""Sums of terms as a note by hand writes them: 1/5 − 3/5·∂y1/∂x1, broken only between terms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from implicitgrad.writers.numbers import ROUNDED, show_number


@dataclass(frozen=True, slots=True)
class Expression:
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
        number = show_number(abs(value), digits)
        text = name if name and number == "1" else f"{number}·{name}" if name else number
        if pieces:
            pieces.append(f"{'−' if value < 0 else '+'} {text}")
        else:
            pieces.append(text if value > 0 else f"{ROUNDED}-{text[1:]}" if text.startswith(ROUNDED) else f"-{text}")
    return Expression(tuple(pieces or ["0"]))

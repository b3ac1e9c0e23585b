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
        """The equation ``name = self``, with ≈ in place of = where a number is rounded."""
        first = self.pieces[0].strip()
        sign = ROUNDED if first.startswith(ROUNDED) else "="
        return Expression((f"{name} {sign} {first.removeprefix(ROUNDED).lstrip()}", *self.pieces[1:]))


def linear(constant: Fraction, terms: Iterable[tuple[Fraction, str]], digits: int) -> Expression:
    """constant + Σ coefficient·name. One ≈ at its front says that some number in it is rounded."""
    pieces: list[str] = []
    is_rounded = False
    parts = [(constant, ""), *terms]
    for value, name in parts:
        if not value:
            continue
        number = show_number(abs(value), digits)
        is_rounded |= number.startswith(ROUNDED)
        number = number.removeprefix(ROUNDED)
        text = name if name and number == "1" else f"{number}·{name}" if name else number
        if pieces:
            pieces.append(f"{'−' if value < 0 else '+'} {text}")
        else:
            pieces.append(f"-{text}" if value < 0 else text)
    if is_rounded:
        pieces[0] = f"{ROUNDED} {pieces[0]}"
    return Expression(tuple(pieces or ["0"]))

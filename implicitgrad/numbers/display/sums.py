"""Write sums as one would by hand: 1/5 − 3/5·∂y1/∂x1."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from implicitgrad.numbers.display.form import ROUNDED
from implicitgrad.numbers.display.style import is_symbolic


class Expression(NamedTuple):
    """A sum as texts of its terms with their signs, between which a line may be broken."""

    pieces: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.pieces)

    def named(self, name: str) -> Expression:
        """Return the equation ``name = self``."""
        return Expression((f"{name} =", *(piece.strip() for piece in self.pieces)))


def linear(constant: Fraction, terms: Iterable[tuple[Fraction, str]], show: Callable[[Fraction], str]) -> Expression:
    """Return the text of constant + Σ coefficient·name. show : writes a number."""
    pieces: list[str] = []
    for value, name in [(constant, ""), *terms]:
        if not value:
            continue
        is_negative, size = split_sign(value)
        number = show(size if pieces or name else value)
        if not pieces and not name:
            pieces += in_pieces(number)
            continue
        if name:
            is_compound = bool(re.search("[ ±]", _outside_parentheses(number))) or (
                is_symbolic(value) and "/" in number
            )
            number = "" if number == "1" else f"({number})·" if is_compound else f"{number}·"
        if is_negative and not pieces and number.startswith(ROUNDED):  # the mark ≈ precedes the sign
            pieces.append(f"{ROUNDED}-{number.removeprefix(ROUNDED)}{name}")
            continue
        sign = ("-" if is_negative else "") if not pieces else "− " if is_negative else "+ "
        pieces.append(f"{sign}{number}{name}")
    return Expression(tuple(pieces or ["0"]))


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

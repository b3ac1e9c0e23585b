"""Write sums as one would by hand: 1/5 − 3/5·∂y1/∂x1."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from implicitgrad.numbers.display.form import ROUNDED
from implicitgrad.numbers.display.style import Expression, is_symbolic


def linear(constant: Fraction, terms: Iterable[tuple[Fraction, str]], show: Callable[[Fraction], str]) -> Expression:
    """Return the text of constant + Σ coefficient·name. show : writes a number."""
    pieces: list[str] = []
    for value, name in [(constant, ""), *terms]:
        if not value:
            continue
        is_negative, size = split_sign(value)
        number = show(size if pieces or name else value)
        if not pieces and not name:
            pieces += Expression.of(number).pieces
            continue
        if name:
            is_sum = len(Expression.of(number).pieces) > 1
            is_compound = is_sum or "±" in number or (is_symbolic(value) and "/" in number)
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

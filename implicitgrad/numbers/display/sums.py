"""Write sums as one would by hand: 1/5 − 3/5·∂y1/∂x1."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from implicitgrad.numbers.display.form import ROUNDED
from implicitgrad.numbers.display.style import Expression, is_symbolic

Show = Callable[[Fraction], str]


def in_text(number: str, value: Fraction) -> str:
    """Return the text of a coefficient with its sign of multiplication, a sum in parentheses."""
    is_sum = len(Expression.of(number).pieces) > 1 or "±" in number
    return f"({number})·" if is_sum or (is_symbolic(value) and "/" in number) else f"{number}·"


def linear(
    constant: Fraction,
    terms: Iterable[tuple[Fraction, str]],
    show: Show,
    factor: Callable[[str, Fraction], str] = in_text,
    rounded: str = ROUNDED,
) -> Expression:
    """Return the text of constant + Σ coefficient·name.

    show : writes a number. factor : puts a number as it was written, and its value, before a name. rounded : the mark
    of a rounded number, which precedes the sign.
    """
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
            number = "" if number == "1" else factor(number, value)
        if is_negative and not pieces and number.startswith(rounded):
            pieces.append(f"{rounded}-{number.removeprefix(rounded)}{name}")
            continue
        sign = ("-" if is_negative else "") if not pieces else "− " if is_negative else "+ "
        pieces.append(f"{sign}{number}{name}")
    return Expression(tuple(pieces or ["0"]))


def split_sign(value: Fraction) -> tuple[bool, Fraction]:
    """Return whether a number is written with a minus sign, and the number without it."""
    is_negative = value.shown.startswith("-") if is_symbolic(value) else value < 0
    return is_negative, -value if is_negative else value

"""Compare an expression with 0 in plain text."""

from __future__ import annotations

import re


def compare_with_zero(text: str, sign: str) -> str:
    """Return that the value with this text is 0 (``=``) or not (``≠``): ``k = -2`` for k + 2, ``b ≠ c`` for b − c."""
    if match := re.fullmatch(r"(\w+(?:\(\w+\))?) ([+−]) (\w+|[0-9]+/[0-9]+)", text):
        left, operator, right = match.groups()
        is_number = right[0].isdecimal()
        if left[0].isdecimal() and operator == "−":
            left, right = right, left
        if operator == "−" or is_number:
            return f"{left} {sign} {'-' if operator == '+' else ''}{right}"
    return f"{text} {sign} 0"

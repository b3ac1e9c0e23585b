"""Parse constraints: z1 + 2*z2 <= cap, z1 = c*z2, and chains such as 0 <= z1 <= 1."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from implicitgrad.symbolic.grammar.expressions import ExpressionError, Node, read_expression
from implicitgrad.text.characters import quoted

RELATION = re.compile(r"<=|>=|==|!=|=<|=>|[=<>≤≥≠]")
"""Matches a sign that no expression has."""
EQUAL, AT_MOST, AT_LEAST = "=", "<=", ">="
_SPELLINGS = {"==": EQUAL, "≤": AT_MOST, "≥": AT_LEAST, EQUAL: EQUAL, AT_MOST: AT_MOST, AT_LEAST: AT_LEAST}
_OTHERS = {
    "<": "A strict inequality has no least point on its boundary; write <=",
    ">": "A strict inequality has no least point on its boundary; write >=",
    "=<": "Write <=",
    "=>": "Write >=",
    "!=": "What is left of space without a plane is not convex",
    "≠": "What is left of space without a plane is not convex",
}


class Relation(NamedTuple):
    """left ≤ right, left ≥ right or left = right."""

    left: Node
    sign: str
    right: Node


def read_relations(text: str, known: Collection[str] = ()) -> list[Relation]:
    """Parse a constraint: one relation, or those of a chain. Raise ExpressionError.

    known : as of ``read_equation``.
    """
    found = list(RELATION.finditer(text))
    for match in found:
        if match.group() not in _SPELLINGS:
            hint = _OTHERS[match.group()]
            raise ExpressionError(f"expected <=, >= or =, got {quoted(match.group())}", match.start(), hint)
    signs = [_SPELLINGS[match.group()] for match in found]
    ends = [0, *(match.end() for match in found)]
    starts = [*(match.start() for match in found), len(text)]
    for number, (start, end) in enumerate(zip(ends, starts, strict=True)):
        if found and not text[start:end].strip():
            side, at = ("before", found[0]) if number == 0 else ("behind", found[number - 1])
            raise ExpressionError(f"expected an expression {side} {at.group()}, got none", at.start())
    # blanks in the place of the other sides keep the offsets
    sides = [read_expression(" " * start + text[start:end], known) for start, end in zip(ends, starts, strict=True)]
    if not signs:
        raise ExpressionError("expected <=, >= or = and the other side, got the end", len(text.rstrip()))
    odd = next((match for match, sign in zip(found, signs, strict=True) if sign != signs[0]), None)
    if odd is None and EQUAL in signs:
        odd = next(iter(found[1:]), None)
    if odd is not None:
        message = f"expected a chain of <= alone or of >= alone, got {odd.group()} behind {found[0].group()}"
        raise ExpressionError(message, odd.start(), "Write two constraints")
    return [Relation(sides[k], sign, sides[k + 1]) for k, sign in enumerate(signs)]

"""Where a value stands in a file's text, or that it is from Python, and where the claims about a system stand."""

from __future__ import annotations

from typing import NamedTuple

Span = tuple[tuple[int, int], tuple[int, int]]
"""From (line, column) to (line, column), 1-based; the second is the place after the last character."""


def is_from_python(source: str) -> bool:
    """Return whether a system is from Python, where a hint names an argument and no option."""
    return source.startswith("<python>")


class Site(NamedTuple):
    """The place in a file's text where a system's ``expect`` is, or would be inserted."""

    kind: str
    """``block``, ``flow`` or ``comment``: how it is to be written there."""
    place: tuple[int, int]
    """(line, column), 1-based, of an insertion: lines of its own, or in flow style after the last value."""
    indent: int | None = 0
    """The indentation of the keys beside it; None if they are on one line."""
    expect: Span | None = None
    """The value of ``expect``, if there is one."""

"""SourceValue: one key of a system as it is written, with where everything in it stands."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

CLAIMS = (
    "status", "rank", "dy_dx", "dL_dx", "free_parameters", "dL_dx_unique", "constraints", "condition", "tolerance",
)  # fmt: skip
"""The keys of ``expect``, what may be claimed of an answer."""

Path = tuple[int, ...]
"""0-based indices into a value: (1, 2) is the third entry of the second row, () the whole."""
Span = tuple[tuple[int, int], tuple[int, int]]
"""From (line, column) to (line, column), 1-based, the second the place behind the last character."""


class SourceValue(NamedTuple):
    """One key of a system as written."""

    value: object
    """Nested lists of texts, or Decimals where there are many; from Python also numbers and arrays."""
    source: str | None = None
    """What messages call the place it was written in."""
    locate: Callable[[Path], tuple[int, int] | None] = lambda path: None
    """Where the value at a path stands: (line, column), 1-based."""
    key: tuple[int, int] | None = None
    """Where its key stands."""
    span: Callable[[Path], Span] | None = None
    """Where the value at a path starts and ends, if it can be edited there."""
    unit_roundoff: Fraction | None = None
    """Of the floating-point type an array's numbers have; None where it has none."""
    with_fewer_entries: Callable[[], SourceValue] | None = None
    """Reads it again with a -b as one entry where that was two; None where nothing but the text itself decides."""


class Site(NamedTuple):
    """Where in a file's text a system's ``expect`` is, or would go."""

    kind: str
    """``block``, ``flow`` or ``comment``: how it is to be written there."""
    place: tuple[int, int]
    """(line, column), 1-based, where it would go: as lines of its own, or in flow style behind the last value."""
    indent: int | None = 0
    """Of the keys beside it; None where they are on one line."""
    expect: Span | None = None
    """Its value, if there is one."""

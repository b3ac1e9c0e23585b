"""Selection: the unknowns and the inputs that a page shows, chosen by names and patterns."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import UsageError

MOST_NAMES = 5


class Selection(NamedTuple):
    """The rows and the columns of ∂y/∂x that are shown, as indices in the order in which they are shown."""

    rows: tuple[int, ...]
    """Of the unknowns."""
    columns: tuple[int, ...]
    """Of the inputs."""


def select(patterns: Sequence[str], unknowns: Sequence[str], inputs: Sequence[str], source: str) -> Selection:
    """Return what names and shell patterns select: unknowns select rows, inputs columns, a name of both both.

    All rows are shown if no unknown is selected, and all columns if no input is. A name is taken for a pattern only if
    nothing has that name. Raise UsageError for a name that selects nothing.
    """
    rows: dict[int, None] = {}
    columns: dict[int, None] = {}
    for pattern in patterns:
        matches = str.__eq__ if pattern in unknowns or pattern in inputs else fnmatchcase
        in_rows = [j for j, name in enumerate(unknowns) if matches(name, pattern)]
        in_columns = [k for k, name in enumerate(inputs) if matches(name, pattern)]
        if not in_rows and not in_columns:
            message = f"{source}: --show: expected names of unknowns or inputs, got {quoted(pattern)}"
            raise UsageError(message, _known(pattern, unknowns, inputs))
        rows |= dict.fromkeys(in_rows)
        columns |= dict.fromkeys(in_columns)
    return Selection(tuple(rows or range(len(unknowns))), tuple(columns or range(len(inputs))))


def _known(pattern: str, unknowns: Sequence[str], inputs: Sequence[str]) -> str:
    """Return the names nearest to a pattern; if none is near, the first ones."""
    from difflib import get_close_matches

    lowered = {name.lower(): name for name in (*unknowns, *inputs)}
    for name in lowered.values():
        if "," in name and pattern in map(str.strip, name.split(",")):
            return f"A name with a comma stands in quotes of its own: --show '{_written(name)}'"
    close = get_close_matches(pattern.lower(), lowered, n=3)
    if close:
        return f"Did you mean {' or '.join(_written(lowered[name]) for name in close)}?"
    return f"The unknowns are {_first(unknowns)}; the inputs are {_first(inputs)}"


def _first(names: Sequence[str]) -> str:
    return ", ".join([*map(_written, names[:MOST_NAMES]), *(["…"] if len(names) > MOST_NAMES else [])])


def _written(name: str) -> str:
    """Return a name as the option takes it, in quotes if it has a comma."""
    return f'"{printable(name)}"' if "," in name else printable(name)

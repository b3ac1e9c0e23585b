"""Stacks: arrays whose last two axes are the matrices of systems, and whose leading axes number them from 0.

The number of axes of a value decides what it is, never their lengths: beside a stack with d leading axes, a value with
the axes that it has beside one system is the same for all systems; one with d more is each system's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from implicitgrad.model.system import LinearSystem
    from implicitgrad.numbers.ball import Array

NUMBER = r"\s*([+-]?[0-9]{1,18})?\s*"
Index = tuple[int, ...]


class StackPlace(NamedTuple):
    """The place of a system in a stack."""

    shape: tuple[int, ...]
    """The lengths of the leading axes."""
    at: Index


class SystemStack(NamedTuple):
    """Systems of equal shape."""

    shape: tuple[int, ...]
    """The lengths of the leading axes, whose product is S."""
    sizes: tuple[int, int, int]
    """The numbers of equations, unknowns and inputs of each."""
    losses: tuple[int, ...] | None
    """(K,), or () if dL_dy is one vector; None without dL_dy."""
    system: Callable[[Index], LinearSystem]
    """Builds the system at an index. Raises InputError."""
    doubles: tuple[Array, Array | None, Array | None] | None
    """A (S, M, N), B (S, M, P) and dL_dy (S, K, N) if all numbers are doubles, and are to be computed with as such."""


def label(index: Index) -> str:
    """Return an index as it stands behind a file's name: [1,2]."""
    return f"[{','.join(map(str, index))}]"


def numbered(source: str) -> tuple[str, Index]:
    """Return the file and the index of a system's source, which is () if it is in no stack."""
    found = re.fullmatch(r"(.+)\[([0-9]+(?:,[0-9]+)*)\]", source, re.DOTALL) if source.endswith("]") else None
    return (source, ()) if found is None else (found[1], tuple(map(int, found[2].split(","))))


def selected(selection: str, shape: tuple[int, ...]) -> Iterator[Index]:
    """Return the indices that a selection such as [17], [-1], [1,2] or [0:3] stands for; all for "".

    Axes that are not mentioned are taken whole. Raise ValueError, with a message, for what is no selection.
    """
    parts = selection.strip("[]").split(",") if selection else []
    if len(parts) > len(shape):
        raise ValueError(f"expected at most {len(shape)} indices, got {len(parts)}")
    chosen = [_chosen(part, length) for part, length in zip(parts, shape, strict=False)]
    return product(*chosen, *map(range, shape[len(parts) :]))


def _chosen(part: str, length: int) -> range:
    found = re.fullmatch(f"{NUMBER}(?::{NUMBER}(?::{NUMBER})?)?", part)
    if found is None or not part.strip():
        raise ValueError(f"expected an index such as 17, or 0:3, got {part.strip()[:40]!r}")
    numbers = [None if number is None else int(number) for number in found.groups()]
    if ":" in part:
        if numbers[2] == 0:
            raise ValueError("expected a step other than 0")
        several = range(length)[slice(*numbers)]
        if not several:
            raise ValueError(f"{part.strip()} selects no system of {length}")
        return several
    number = numbers[0] or 0
    if not -length <= number < length:
        raise ValueError(f"expected an index from 0 to {length - 1}, got {number}")
    return range(length)[number : number + 1 or None]

"""Divide large stacks into parts, which workers share and which take little memory."""

from __future__ import annotations

import os
from contextlib import suppress
from math import prod

from implicitgrad.batch.task import Item
from implicitgrad.readers.sources import format_by_suffix

MIN_BYTES = 2**20
"""The size of a file from which on it is looked into."""
MIN_SYSTEMS = 512
"""The fewest systems in a part."""
MAX_PARTS = 64
"""The most parts, each of which reads its file anew."""


def parts_of(item: Item) -> list[Item]:
    """Return the parts of a stack, stack.npz[0:512] and so on; any other item alone."""
    shape = () if item.data is not None else _leading_axes(item.source)
    systems = prod(shape)
    if not shape or systems < 2 * MIN_SYSTEMS:
        return [item]
    first, of_each = shape[0], systems // shape[0]
    step = max(1, -(-max(MIN_SYSTEMS, -(-systems // MAX_PARTS)) // of_each))
    ends = [(start, min(start + step, first)) for start in range(0, first, step)]
    return [item._replace(source=f"{item.source}[{start}:{end}]") for start, end in ends]


def count_systems(source: str) -> int:
    """Return the number of systems of a large stack; 1 for any other file."""
    return prod(_leading_axes(source))


def _leading_axes(source: str) -> tuple[int, ...]:
    """Return the lengths of the leading axes of a large stack; () for anything else."""
    found = format_by_suffix(source)
    if found is None or not found.has_stacks or source.endswith("]"):
        return ()
    with suppress(OSError):
        if os.stat(source).st_size >= MIN_BYTES:
            from implicitgrad.readers.arrays.npz import stack_shape

            return stack_shape(source)
    return ()

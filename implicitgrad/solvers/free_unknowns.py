"""Unknowns that the user wants to be free."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, islice
from math import comb
from typing import Any

from implicitgrad.model.system import Arithmetic, LinearSystem
from implicitgrad.numbers.exact import reduce_rows
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.numbers.null_space import integers
from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import UsageError

MAX_CHOICES = 10_000
MAX_CHOICES_LISTED = 12


def indices(system: LinearSystem, free: Sequence[str]) -> set[int]:
    """Return the columns of the unknowns named in ``free``. Raises UsageError."""
    if not free:
        return set()
    unknown = [name for name in free if name not in system.y]
    if unknown:
        names = ", ".join(printable(name) for name in system.y)
        hint = "The value of a free unknown is yours to choose" if "=" in unknown[0] else None
        raise UsageError(
            f"free: {quoted(unknown[0])} is not an unknown of {printable(system.source)}; expected {names}", hint
        )
    if len(set(free)) != len(free):
        raise UsageError("free: a name is given twice; expected each once")
    return {system.y.index(name) for name in free}


def impossible_choice(system: LinearSystem, free: Sequence[str], null_space: BaseMatrix[Any]) -> UsageError:
    """Return the error that lists the possible choices: unknowns whose rows of the null space are independent."""
    F = len(null_space[0])
    message = f"{printable(system.source)}: {', '.join(map(printable, free))} cannot be free"
    if F == 0:
        return UsageError(f"{message}; expected none, since every unknown is determined")
    possible = [i for i, row in enumerate(null_space) if any(row)]
    counted = "1 unknown is free" if F == 1 else f"{F} unknowns are free"
    if system.arithmetic is Arithmetic.SYMBOLIC or comb(len(possible), F) > MAX_CHOICES:
        names = ", ".join(printable(system.y[i]) for i in possible)
        return UsageError(f"{message}{' together' if len(free) > 1 else ''}; {counted}, of {names}")
    choices = (
        choice
        for choice in combinations(possible, F)
        if len(reduce_rows([integers(null_space[i])[0] for i in choice], range(F)).pivots) == F
    )
    listed = [",".join(printable(system.y[i]) for i in choice) for choice in islice(choices, MAX_CHOICES_LISTED + 1)]
    if len(listed) > MAX_CHOICES_LISTED:
        listed[-1] = "..."
    return UsageError(f"{message}; {counted}, possible are {' or '.join(listed)}")

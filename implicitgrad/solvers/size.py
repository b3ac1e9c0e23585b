"""What would not fit into memory is refused before it is tried."""

from __future__ import annotations

from implicitgrad.errors import InputError, Problem
from implicitgrad.system import LinearSystem

MOST_OF_FEW_EQUATIONS = 10_000_000
"""Entries of the answer to a system of more than MOST_A_ROW unknowns or inputs for each equation."""
MOST_A_ROW = 100


def refuse_too_large(system: LinearSystem, most: int) -> None:
    """Raises InputError where [A | B] or the answer has more than ``most`` entries, or far more than the question."""
    M, N, P = system.equations, system.unknowns, system.inputs
    entries = max(M, N) * (N + P)
    if entries > most:
        message = f"expected a system of at most {most:,} entries in [A | B] or its answer, got {entries:,}"
        raise InputError([Problem(message, code="too-large", source=system.source)])
    answer, width = N * max(N, P), max(N, P)
    if answer > MOST_OF_FEW_EQUATIONS and width > MOST_A_ROW * M:
        message = f"expected an answer of at most {MOST_OF_FEW_EQUATIONS:,} entries where there are more than "
        message += f"{MOST_A_ROW} unknowns or inputs for each equation, got {answer:,}"
        raise InputError([Problem(message, code="too-large", source=system.source)])

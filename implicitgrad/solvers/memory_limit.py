"""Refuse systems that would not fit into memory."""

from __future__ import annotations

from implicitgrad.model.system import LinearSystem
from implicitgrad.text.errors import InputError, Problem

MAX_OF_FEW_EQUATIONS = 10_000_000
"""The most entries of an answer with more than MAX_A_ROW unknowns or inputs for each equation."""
MAX_A_ROW = 100


def refuse_too_large(system: LinearSystem, most: int) -> None:
    """Raise InputError if [A | B] or the answer has more than ``most`` entries, or many more than the input."""
    M, N, P = system.equations, system.unknowns, system.inputs
    entries = max(M, N) * (N + P)
    if entries > most:
        message = f"expected a system of at most {most:,} entries in [A | B] or its answer, got {entries:,}"
        raise InputError([Problem(message, code="too-large", source=system.source)])
    answer, width = N * max(N, P), max(N, P)
    if answer > MAX_OF_FEW_EQUATIONS and width > MAX_A_ROW * M:
        message = f"expected an answer of at most {MAX_OF_FEW_EQUATIONS:,} entries where there are more than "
        message += f"{MAX_A_ROW} unknowns or inputs for each equation, got {answer:,}"
        raise InputError([Problem(message, code="too-large", source=system.source)])

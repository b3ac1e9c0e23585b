"""What would not fit into memory is refused before it is tried."""

from __future__ import annotations

from implicitgrad.model.system import LinearSystem
from implicitgrad.text.errors import InputError, Problem


def refuse_too_large(system: LinearSystem, most: int) -> None:
    """Raises InputError where [A | B] or the answer has more than ``most`` entries."""
    M, N, P = system.equations, system.unknowns, system.inputs
    entries = max(M, N) * (N + P)
    if entries > most:
        message = f"expected a system of at most {most:,} entries in [A | B] or its answer, got {entries:,}"
        raise InputError([Problem(message, code="too-large", source=system.source)])

"""Write a quadratic program and its answer in YAML, as a file that can be read and checked again."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from implicitgrad.model.program.solution import ProgramSolution
from implicitgrad.model.program.spec import PROGRAM_CLAIMS
from implicitgrad.text.errors import UsageError
from implicitgrad.writers.data.expectation import write_mapping
from implicitgrad.writers.program.record import answers_of


def write_program_yaml(solution: ProgramSolution) -> str:
    """Return a document with the program's keys, and the answer as claims. Raise UsageError for one in letters."""
    program = solution.program
    if program.letters is not None:
        message = f"{program.source}: a program in letters is not written again"
        raise UsageError(message, "Its record is written by --format json")
    given: dict[str, Any] = {"name": program.name}
    arrays = {"P": program.P, "q": program.q, "G": program.G, "h": program.h, "A": program.A, "b": program.b}
    given |= {key: value for key, value in arrays.items() if value}
    bounds = {"lb": program.lower, "ub": program.upper}
    given |= {key: value for key, value in bounds.items() if any(bound is not None for bound in value)}
    names = {"z": program.z, "G": program.inequality_names, "A": program.equality_names}
    given["names"] = {key: value for key, value in names.items() if value}
    losses = {"dL_dz": "z", "dL_dlambda": "multipliers", "dL_dnu": "equality_multipliers"}
    for key, field in losses.items():
        rows: Sequence[Sequence[Fraction]] = [getattr(loss, field) for loss in program.losses]
        if rows and any(map(any, rows)):
            given[key] = rows[0] if program.has_one_loss else rows
    return f"{write_mapping(given)}expect:\n{write_mapping(_claims(solution), '  ')}"


def _claims(solution: ProgramSolution) -> dict[str, Any]:
    """Return the claims that the answer makes true; of doubles, which are rounded, only those in words."""
    claims: dict[str, Any] = {"status": str(solution.status)}
    if solution.z is None:
        return claims
    claims["active"] = solution.names(solution.active)
    if solution.error_bound is None:
        found = answers_of(solution)
        claims |= {key: found[key] for key in PROGRAM_CLAIMS if not _is_empty(found.get(key))}
    return claims


def _is_empty(value: object) -> bool:
    """Return whether there is no number in a value: null, or a matrix without rows or columns."""
    return value is None or (isinstance(value, list) and all(row == [] for row in value))

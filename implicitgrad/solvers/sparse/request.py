"""Solve a large sparse system, or refuse what is not computed of it."""

from __future__ import annotations

from collections.abc import Mapping

from implicitgrad.model.conversion import in_arithmetic
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import AUTO, Arithmetic, LinearSystem, chosen_arithmetic
from implicitgrad.solvers.sparse.solver import solve_sparse
from implicitgrad.text.errors import InputError, Problem, UsageError


def solve_sparse_system(
    system: LinearSystem, arithmetic: str, settings: Mapping[str, object], *, gradient_alone: bool
) -> Solution:
    """Solve a large sparse system. Raise InputError, or UsageError for what is not computed of it.

    settings : whether each option is given.
    """
    if arithmetic != AUTO and chosen_arithmetic(arithmetic) is Arithmetic.EXACT:
        raise UsageError(f"{system.source}: a large sparse system is solved in doubles, not exactly")
    for name, is_given in settings.items():
        if is_given:
            raise UsageError(f"{system.source}: --{name} is not for large sparse systems")
    if not gradient_alone:
        entries = system.unknowns * system.inputs
        message = f"∂y/∂x has {entries:,} entries, and is not computed of a large sparse system"
        raise InputError([Problem(message, "--only dL_dx leaves it out", "too-large", system.source)])
    return solve_sparse(in_arithmetic(system, Arithmetic.FLOAT))

"""Solve a large sparse system, or refuse what is not computed of it."""

from __future__ import annotations

from collections.abc import Mapping

from implicitgrad.model.conversion import chosen_arithmetic, in_arithmetic
from implicitgrad.model.selection import select
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import AUTO, Arithmetic, LinearSystem
from implicitgrad.solvers.sparse.solver import solve_sparse
from implicitgrad.text.errors import InputError, Problem, UsageError

MAX_SHOWN = 2 * 10**7
"""Numbers that are computed of ∂y/∂x: the rows or the columns, whichever are fewer, whole."""


def solve_sparse_system(
    system: LinearSystem,
    arithmetic: str,
    options: Mapping[str, object],
    *,
    gradient_alone: bool,
) -> Solution:
    """Solve a large sparse system. Raise InputError, or UsageError for what is not computed of it.

    options : whether each is given.
    """
    if arithmetic != AUTO and chosen_arithmetic(arithmetic) is Arithmetic.EXACT:
        raise UsageError(f"{system.source}: a large sparse system is solved in doubles, not exactly")
    options = {**options, "at": system.x_value is not None, "dx": system.dx is not None}
    for name, is_given in options.items():
        if is_given:
            raise UsageError(f"{system.source}: --{name} is not for large sparse systems")
    system = in_arithmetic(system, Arithmetic.FLOAT)
    if gradient_alone:
        return solve_sparse(system)
    if not system.shown:
        entries = system.unknowns * system.inputs
        message = f"∂y/∂x has {entries:,} entries, and is not computed whole of a large sparse system"
        hint = "--only dL_dx leaves it out; --show NAMES computes some rows or columns"
        raise InputError([Problem(message, hint, "too-large", system.source)])
    shown = select(system.shown, system.y, system.x, system.source)
    fewer, entries = min(map(len, shown)), len(shown.rows) * len(shown.columns)
    if max(fewer * max(system.unknowns, system.inputs), entries) > MAX_SHOWN:
        message = f"--show selects {len(shown.rows):,} rows and {len(shown.columns):,} columns of ∂y/∂x; expected fewer"
        raise InputError([Problem(message, "Either rows or columns must be few", "too-large", system.source)])
    return solve_sparse(system, shown)

"""Row reduce [A | B] as one does by hand: choose a pivot, divide its row, and clear its column in the other rows."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from implicitgrad.model.derivation import Derivation, Pivot
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import Arithmetic, LinearSystem
from implicitgrad.numbers.exact import pivot_order
from implicitgrad.text.errors import UsageError

if TYPE_CHECKING:
    from implicitgrad.symbolic.function_field.element import Symbolic

MAX_SIZE = 6
"""The most equations, unknowns and inputs of a derivation that is easy to read."""


def refuse_unfit(system: LinearSystem) -> None:
    """Raise UsageError for doubles, and for systems whose derivation would be too long to read.

    At a rounded point the equations are differentiated in letters, and the point is inserted.
    """
    if system.arithmetic is Arithmetic.FLOAT and not (
        system.is_local and system.origin is not None and system.origin.point
    ):
        raise UsageError(f"{system.source}: --steps is for exact arithmetic", "--arithmetic exact")
    if max(system.equations, system.unknowns, system.inputs) > MAX_SIZE:
        raise UsageError(f"{system.source}: --steps is for at most {MAX_SIZE} equations, unknowns and inputs")


def with_derivation(solution: Solution) -> Solution:
    """Return the solution with its derivation, for a system that refuse_unfit accepts."""
    system = solution.system
    terms = None
    if system.is_local and system.origin is not None:
        from implicitgrad.symbolic.equations.termwise import differentiate_terms

        terms = differentiate_terms(system.origin.parsed, solution.x, solution.y)
    if solution.arithmetic is Arithmetic.FLOAT:
        if solution.constraints is not None:
            raise UsageError(f"{system.source}: --steps is for exact arithmetic", "Give the point exactly")
        return solution._replace(derivation=Derivation((), (), terms))
    M, N, P = system.equations, system.unknowns, system.inputs
    B: Any = system.B or [[Fraction(i == k) for k in range(M)] for i in range(M)]
    rows: list[list[Any]] = [[*a, *b] for a, b in zip(system.A, B, strict=True)]
    free = {system.y.index(name) for name in solution.general.free}
    pivots: list[Pivot] = []
    done: list[int] = []
    for column in pivot_order(N, P, free):
        candidates = [i for i in range(M) if i not in done and rows[i][column]]
        if not candidates:
            continue
        chosen = min(candidates, key=lambda i: _size(rows[i][column]))
        pivot = rows[chosen][column]
        rows[chosen] = [entry / pivot for entry in rows[chosen]]
        factors = []
        for i in range(M):
            if i != chosen and rows[i][column]:
                factor = rows[i][column]
                factors.append((i, factor))
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[chosen], strict=True)]
        done.append(chosen)
        pivots.append(Pivot(chosen, column, pivot, tuple(factors)))
    return solution._replace(derivation=Derivation(tuple(pivots), tuple(map(tuple, rows)), terms))


def _size(value: Fraction | Symbolic) -> tuple[bool, int, int]:
    """Return a sort key for pivots, the best first: 1, then numbers, then expressions with letters."""
    if isinstance(value, Fraction):
        return value != 1, 0, abs(value.numerator) + value.denominator
    return value != 1, 0 if value.is_number else 1, len(value.text)

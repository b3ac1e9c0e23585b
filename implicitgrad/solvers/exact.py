"""Every case in exact rational arithmetic, from one row reduction of [A | B].

With [A | B] in Jordan form, pivots taken from the right, columns of A first, each row says one of two things:

    d·y_p + Σ a_f·y_f = Σ b_k·x_k      a pivot unknown y_p by the free unknowns f and the independent inputs k
    d·x_p + Σ c_k·x_k = 0              a dependent input x_p by the independent inputs k

so rank, free unknowns, null space V, particular Jacobian J₀ and the constraint on x are read off, and nothing that
is read off can contradict another. Rows are scaled to integers first, which changes no equation.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, islice
from math import comb

from implicitgrad.characters import printable, quoted
from implicitgrad.errors import InputError, Problem, UsageError
from implicitgrad.solution import Constraints, General, PartialMatrix, Solution, Status
from implicitgrad.solvers.pseudo_inverse import dot, solve_from_rows, squared_condition, without_null_space
from implicitgrad.solvers.reduction import IntegerRow, Reduced, integers, reduce_rows
from implicitgrad.system import LinearSystem, Matrix, squared_norm

MOST_CHOICES_LISTED = 12
MOST_ENTRIES = 4_000_000


def solve_exact(system: LinearSystem, free: Sequence[str] = ()) -> Solution:
    """Solve ``system`` exactly.

    free : names of unknowns that are to be free; fewer than F are completed from the first unknowns on. Raises
    UsageError when these cannot be free together.
    """
    _refuse_too_large(system)
    N, P = system.unknowns, system.inputs
    wanted = _indices(system, free)
    order = [j for j in reversed(range(N)) if j not in wanted] + [j for j in reversed(range(N)) if j in wanted]
    rows = _integer_rows(system)
    reduced = reduce_rows(rows, [*order, *reversed(range(N, N + P))])
    pivots, d = reduced.pivots, reduced.d

    row_of = dict(zip(pivots, reduced.rows, strict=False))
    rank = sum(column < N for column in pivots)
    free_columns = [j for j in range(N) if j not in row_of]
    independent = [k for k in range(P) if N + k not in row_of]
    dependent = [column - N for column in reversed(pivots) if column >= N]
    null_space = [[-row_of[i][f] if i in row_of else d * (i == f) for f in free_columns] for i in range(N)]
    particular = [[row_of[i][N + k] if i in row_of else 0 for k in independent] for i in range(N)]
    constraint_rows = [[-row_of[N + k][N + m] for m in independent] for k in dependent]
    if not wanted <= set(free_columns):
        raise _impossible_choice(system, free, null_space)

    gradients = None if system.dL_dy is None else [integers(g) for g in system.dL_dy]
    J = _divided(particular, d)
    V = _divided(null_space, d)
    pivot_rows = [rows[i] for i in reduced.sources[:rank]]
    general = General(
        free=tuple([system.y[f] for f in free_columns]),
        particular=J,
        null_space=V,
        minimum_norm=J
        if not (free_columns and rank)
        else _minimum_norm(reduced, N, pivot_rows, particular, null_space),
        dL_dx_particular=None if gradients is None else _product(gradients, particular, d),
        dL_dx_coefficients=None if gradients is None else _product(gradients, null_space, d),
    )
    moves = {k for row in constraint_rows for k, number in zip(independent, row, strict=True) if number}
    column_of = dict.fromkeys(range(P)) | {k: m for m, k in enumerate(independent) if k not in moves}
    dL_dx = None
    if general.dL_dx_particular is not None and general.dL_dx_coefficients is not None:
        dL_dx = _determined(general.dL_dx_particular, general.dL_dx_coefficients, column_of)
    condition_squared = None
    if rank == system.equations == N and system.B is None:
        condition_squared = squared_norm(system.A) * Fraction(sum([n * n for row in particular for n in row]), d * d)
    elif rank:
        columns = [column for column in pivots if column < N]
        condition_squared = squared_condition(system.A, reduced.sources[:rank], columns)
    return Solution(
        system=system,
        rank=rank,
        status=Status.of(has_free_unknowns=bool(free_columns), has_constraints=bool(dependent)),
        dy_dx=_determined(J, V, column_of),
        dL_dx_rows=dL_dx,
        independent=tuple([system.x[k] for k in independent]),
        constraints=Constraints(tuple(system.x[k] for k in dependent), _divided(constraint_rows, d))
        if dependent
        else None,
        general=general,
        condition_squared=condition_squared,
    )


def _minimum_norm(
    reduced: Reduced, N: int, pivot_rows: list[IntegerRow], particular: list[IntegerRow], null_space: list[IntegerRow]
) -> Matrix:
    """A⁺·B·T, by whichever of the row space and the null space promises less work."""
    rank, F = len(pivot_rows), len(null_space[0])
    if rank >= 4 * F:
        numerators, e = without_null_space(particular, null_space)
        return _divided(numerators, reduced.d * e)
    A = [row[:N] for row in pivot_rows]
    if len(reduced.pivots) == rank:  # x is not constrained, T is the identity
        return _divided(*solve_from_rows(A, [row[N:] for row in pivot_rows]))
    columns = list(zip(*particular, strict=True))
    numerators, e = solve_from_rows(A, [[dot(row, column) for column in columns] for row in A])
    return _divided(numerators, reduced.d * e)


def _refuse_too_large(system: LinearSystem) -> None:
    """What would not fit into memory is refused before it is tried."""
    M, N, P = system.equations, system.unknowns, system.inputs
    entries = max(M, N) * (N + P)
    if entries > MOST_ENTRIES:
        message = f"expected a system of at most {MOST_ENTRIES:,} entries in [A | B] or its answer, got {entries:,}"
        raise InputError([Problem(message, code="too-large", source=system.source)])


def _integer_rows(system: LinearSystem) -> list[IntegerRow]:
    """[A | B], each row times the least common denominator of its entries."""
    if system.B is not None:
        return [integers(a + b)[0] for a, b in zip(system.A, system.B, strict=True)]
    rows = []
    for i, a in enumerate(system.A):
        row, denominator = integers(a)
        identity = [0] * system.inputs
        identity[i] = denominator
        rows.append(row + identity)
    return rows


def _indices(system: LinearSystem, free: Sequence[str]) -> set[int]:
    """The columns of the unknowns named in ``free``."""
    unknown = [name for name in free if name not in system.y]
    if unknown:
        names = ", ".join(printable(name) for name in system.y)
        raise UsageError(
            f"free: {quoted(unknown[0])} is not an unknown of {printable(system.source)}; expected {names}"
        )
    if len(set(free)) != len(free):
        raise UsageError("free: a name is given twice; expected each once")
    return {system.y.index(name) for name in free}


def _determined(particular: Matrix, coefficients: Matrix, column_of: dict[int, int | None]) -> PartialMatrix:
    """The (·, P) entries that do not depend on a free parameter or on how a constrained x moves, else None.

    column_of : for each of the P inputs its column in ``particular``, None where the constraint concerns it.
    """
    return tuple(
        tuple([None if any(free) or m is None else row[m] for m in column_of.values()])
        for row, free in zip(particular, coefficients, strict=True)
    )


def _impossible_choice(system: LinearSystem, free: Sequence[str], null_space: list[IntegerRow]) -> UsageError:
    """The error that says which unknowns can be free: those whose rows of the null space are independent."""
    F = len(null_space[0])
    message = f"{printable(system.source)}: {', '.join(map(printable, free))} cannot be free"
    if F == 0:
        return UsageError(f"{message}; expected none, since every unknown is determined")
    possible = [i for i, row in enumerate(null_space) if any(row)]
    counted = "1 unknown is free" if F == 1 else f"{F} unknowns are free"
    if comb(len(possible), F) > 10_000:
        names = ", ".join(printable(system.y[i]) for i in possible)
        return UsageError(f"{message} together; {counted}, of {names}")
    choices = (
        choice
        for choice in combinations(possible, F)
        if len(reduce_rows([null_space[i] for i in choice], range(F)).pivots) == F
    )
    listed = [",".join(printable(system.y[i]) for i in choice) for choice in islice(choices, MOST_CHOICES_LISTED + 1)]
    if len(listed) > MOST_CHOICES_LISTED:
        listed[-1] = "..."
    return UsageError(f"{message}; {counted}, possible are {' or '.join(listed)}")


def _product(gradients: list[tuple[IntegerRow, int]], numerators: list[IntegerRow], d: int) -> Matrix:
    """dL_dy · (numerators/d), the rows of dL_dy given as integers and their common denominators."""
    columns = list(zip(*numerators, strict=True))
    return tuple([tuple([Fraction(dot(g, column), d * scale) for column in columns]) for g, scale in gradients])


def _divided(numerators: list[IntegerRow], d: int) -> Matrix:
    return tuple([tuple([Fraction(number, d) for number in row]) for row in numerators])

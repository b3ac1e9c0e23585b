"""Solve every case in exact rational arithmetic by one row reduction of [A | B].

With [A | B] in Jordan form, pivots taken from the right, columns of A first, each row has one of two forms:

    d·y_p + Σ a_f·y_f = Σ b_k·x_k      a pivot unknown y_p in terms of free unknowns f and independent inputs k
    d·x_p + Σ c_k·x_k = 0              a dependent input x_p in terms of independent inputs k

Rank, free unknowns, null space V, particular Jacobian J₀ and the constraint on x are read off these rows, and so cannot
contradict one another. Rows are first scaled to integers, which changes no equation. If B is an implicit identity, a
scaled row's unit vector stands for its input times the scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import lcm
from typing import Any

from implicitgrad.model.solution import Found, Solution, assemble
from implicitgrad.model.system import ALWAYS_EXACT, LinearSystem
from implicitgrad.numbers.exact import RationalMatrix, Reduced, pivot_order, reduce_rows
from implicitgrad.numbers.matrix import BaseMatrix

MAX_ENTRIES = 4_000_000


def solve_exact(system: LinearSystem, free: Sequence[str] = ()) -> Solution:
    """Solve ``system`` exactly.

    free : names of unknowns to be free, completed in the order of the unknowns if there are fewer than F. Raises
    UsageError if they cannot be free together.
    """
    N, P = system.unknowns, system.inputs
    if max(system.equations, N, P) > ALWAYS_EXACT:
        from implicitgrad.solvers.memory_limit import refuse_too_large

        refuse_too_large(system, MAX_ENTRIES)
    A = RationalMatrix.of(system.A)
    wanted: set[int] = set()
    if free:
        from implicitgrad.solvers.free_unknowns import impossible_choice, indices

        wanted = indices(system, free)
    equations, scales = (A if system.B is None else A.beside(system.B)).integer_rows()
    reduced = reduce_rows(equations, pivot_order(N, P, wanted), beside_identity=system.B is None)
    found = read_off(reduced, N, P, RationalMatrix, scales if system.B is None else None)
    if not wanted <= set(found.free):
        raise impossible_choice(system, free, found.null_space)
    J, rank = RationalMatrix.of(found.particular), N - len(found.free)
    minimum_norm, condition = J, None
    if rank == N == len(A) and system.B is None:  # A⁺ is the Jacobian
        squares = A.squared_numerators() * J.squared_numerators()
        condition = Fraction(squares, (A.denominator * J.denominator) ** 2)
    elif rank:
        from implicitgrad.solvers.exact.pseudo_inverse import solution_of_least_norm, squared_condition

        rows = reduced.sources[:rank]
        if found.free:
            minimum_norm = solution_of_least_norm(A.rows_at(rows), J, RationalMatrix.of(found.null_space))
        condition = squared_condition(A, rows, reduced.pivots[:rank])
    return assemble(system, found, minimum_norm, condition_squared=condition)


def read_off(
    reduced: Reduced, N: int, P: int, matrix: Callable[[Any, Any], BaseMatrix[Any]], scales: Sequence[int] | None = None
) -> Found:
    """Read the solution off the Jordan form of [A | B].

    matrix : builds a matrix of numerators and a denominator. scales : the factors of the inputs that the columns of B
    stand for, if they are not the inputs themselves.
    """
    scales = scales or [1] * P
    row_of = dict(zip(reduced.pivots, reduced.rows))  # noqa: B905 (rows without a pivot are zero)
    place_of = dict(zip(reduced.columns, range(len(reduced.columns))))  # noqa: B905
    free = [j for j in range(N) if j in place_of]
    independent = [k for k in range(P) if N + k in place_of]
    dependent = [k for k in range(P) if N + k in row_of]
    inputs = [(place_of[N + k], scales[k]) for k in independent]
    zero_row = [reduced.d - reduced.d] * len(reduced.columns)
    by_unknown = [row_of.get(j, zero_row) for j in range(N)]
    null_space = [[-row[place_of[f]] for f in free] for row in by_unknown]
    for f, j in enumerate(free):
        null_space[j][f] = reduced.d
    constraints = None
    if dependent:
        unit = lcm(*[scales[k] for k in dependent])
        factors = [unit // scales[k] for k in dependent]
        rows = [
            [-row_of[N + k][place] * scale * factor for place, scale in inputs]
            for k, factor in zip(dependent, factors, strict=True)
        ]
        constraints = matrix(rows, reduced.d * unit)
    particular = matrix([[row[place] * scale for place, scale in inputs] for row in by_unknown], reduced.d)
    return Found(free, independent, dependent, particular, matrix(null_space, reduced.d), constraints)

"""Solve every case in exact rational arithmetic by one row reduction of [A | B].

With [A | B] in Jordan form, pivots taken from the right, columns of A first, each row has one of two forms:

    d·y_p + Σ a_f·y_f = Σ b_k·x_k      a pivot unknown y_p in terms of free unknowns f and independent inputs k
    d·x_p + Σ c_k·x_k = 0              a dependent input x_p in terms of independent inputs k

Rank, free unknowns, null space V, particular Jacobian J₀ and the constraint on x are read off these rows, and so cannot
contradict one another. Rows are first scaled to integers, which changes no equation. If B is an implicit identity, a
scaled row's unit vector stands for its input times the scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, lcm
from typing import NamedTuple

from implicitgrad.model.solution import Found, Solution, assemble
from implicitgrad.model.system import ALWAYS_EXACT, LinearSystem
from implicitgrad.numbers.exact import IntegerRow, Ratio, RationalMatrix, Reduced
from implicitgrad.numbers.row_reduction import integers, pivot_order, reduce_rows

MAX_ENTRIES = 4_000_000


class ExactReading(NamedTuple):
    """The solution in the reduced rows; numbers are numerators over the pivots' common value d."""

    reduced: Reduced
    rank: int
    free: list[int]
    """The F columns of A without a pivot."""
    independent: list[int]
    """The P′ columns of B without a pivot."""
    dependent: list[int]
    """The D columns of B with a pivot."""
    particular: list[IntegerRow]
    """J₀ (N, P′)"""
    null_space: list[IntegerRow]
    """V (N, F)"""
    constraints: RationalMatrix
    """(D, P′): the dependent inputs in terms of the independent ones."""


def solve_exact(system: LinearSystem, free: Sequence[str] = ()) -> Solution:
    """Solve ``system`` exactly.

    free : names of unknowns to be free, completed in the order of the unknowns if there are fewer than F. Raises
    UsageError if they cannot be free together.
    """
    if max(system.equations, system.unknowns, system.inputs) > ALWAYS_EXACT:
        from implicitgrad.solvers.memory_limit import refuse_too_large

        refuse_too_large(system, MAX_ENTRIES)
    wanted: set[int] = set()
    if free:
        from implicitgrad.solvers.free_unknowns import impossible_choice, indices

        wanted = indices(system, free)
    equations = _equations(system)
    reading = _read_off(equations, system.unknowns, system.inputs, wanted)
    d = reading.reduced.d
    null_space = RationalMatrix(reading.null_space, d)
    if not wanted <= set(reading.free):
        raise impossible_choice(system, free, null_space)

    J = minimum_norm = RationalMatrix(reading.particular, d)
    if reading.free and reading.rank:
        from implicitgrad.solvers.exact.pseudo_inverse import solution_of_least_norm

        rows = reading.reduced.sources[: reading.rank]
        A = [equations.rows[i][: system.unknowns] for i in rows]
        B = None if reading.dependent else _right_sides(equations, rows, system.unknowns)
        minimum_norm = solution_of_least_norm(reading.particular, reading.null_space, d, A, B)
    gradients = system.dL_dy
    found = Found(
        reading.free,
        reading.independent,
        reading.dependent,
        J,
        null_space,
        minimum_norm,
        None if gradients is None else gradients.times(J),
        None if gradients is None else gradients.times(null_space),
        reading.constraints if reading.dependent else None,
    )
    return assemble(system, found, condition_ratio=_condition_squared(system, reading, J))


class IntegerEquations(NamedTuple):
    """Integer equations, each a multiple of one of the system's."""

    rows: list[IntegerRow]
    """[A | B], or A alone if B is the identity."""
    scales: list[int] | None
    """The factors of the equations, if B is the identity."""


def _equations(system: LinearSystem) -> IntegerEquations:
    """Multiply each row by the least common denominator of its entries."""
    if system.B is not None:
        return IntegerEquations([integers(a + b)[0] for a, b in zip(system.A, system.B, strict=True)], None)
    A = RationalMatrix.of(system.A)
    rows = A.numerators
    scales = [A.denominator] * len(rows)
    if A.denominator != 1:
        common = [gcd(A.denominator, *row) for row in rows]
        if max(common) > 1:
            scales = [A.denominator // k for k in common]
            rows = [row if k == 1 else [number // k for number in row] for k, row in zip(common, rows, strict=True)]
    return IntegerEquations(rows, scales)


def _read_off(equations: IntegerEquations, N: int, P: int, wanted: set[int]) -> ExactReading:
    """Reduce [A | B], with the ``wanted`` columns last of those of A, and read off the solution."""
    scales = equations.scales
    is_identity = scales is not None
    reduced = reduce_rows(equations.rows, pivot_order(N, P, wanted), beside_identity=is_identity)
    row_of = dict(zip(reduced.pivots, reduced.rows))  # noqa: B905
    place_of = dict(zip(reduced.columns, range(len(reduced.columns))))  # noqa: B905
    free, independent, dependent = [], list(range(P)), []
    if len(reduced.pivots) != N or max(reduced.pivots) >= N:  # else A has full column rank without constraints
        free = [j for j in range(N) if j in place_of]
        independent = [k for k in independent if N + k in place_of]
        dependent = [column - N for column in reversed(reduced.pivots) if column >= N]
    inputs = [(place_of[N + k], 1 if scales is None else scales[k]) for k in independent]
    zero_row = [0] * len(reduced.columns)
    by_unknown = [row_of.get(j, zero_row) for j in range(N)]
    null_space: list[IntegerRow] = [[]] * N
    if free:
        null_space = [[-row[place_of[f]] for f in free] for row in by_unknown]
        for f, j in enumerate(free):
            null_space[j][f] = reduced.d
    return ExactReading(
        reduced=reduced,
        rank=N - len(free),
        free=free,
        independent=independent,
        dependent=dependent,
        particular=[[row[place] * scale for place, scale in inputs] for row in by_unknown],
        null_space=null_space,
        constraints=_constraints(
            [(row_of[N + k], 1 if scales is None else scales[k]) for k in dependent], inputs, reduced.d
        ),
    )


def _constraints(rows: list[tuple[IntegerRow, int]], inputs: list[tuple[int, int]], d: int) -> RationalMatrix:
    """Return the dependent inputs in terms of independent ones, from rows that are d·scale times a dependent input."""
    if not rows:
        return RationalMatrix([], 1)
    units = [scale for _, scale in rows]
    unit = lcm(*units)
    numerators = [
        [-row[place] * scale * (unit // own) for place, scale in inputs]
        for (row, _), own in zip(rows, units, strict=True)
    ]
    return RationalMatrix(numerators, d * unit)


def _right_sides(equations: IntegerEquations, chosen: list[int], N: int) -> list[IntegerRow]:
    """Return the chosen rows of B."""
    if equations.scales is None:
        return [equations.rows[i][N:] for i in chosen]
    M = len(equations.rows)
    return [[equations.scales[i] if k == i else 0 for k in range(M)] for i in chosen]


def _condition_squared(system: LinearSystem, reading: ExactReading, J: RationalMatrix) -> Ratio | None:
    """Return (‖A‖_F·‖A⁺‖_F)² as numerator and positive denominator; None for A = 0.

    If A is invertible and B = I, A⁺ is the Jacobian.
    """
    rank, A = reading.rank, RationalMatrix.of(system.A)
    if rank == 0:
        return None
    if system.B is None and not (reading.free or reading.dependent):
        return A.squared_numerators() * J.squared_numerators(), (A.denominator * J.denominator) ** 2
    from implicitgrad.solvers.exact.pseudo_inverse import squared_condition

    square, unit = squared_condition(A, reading.reduced.sources[:rank], reading.reduced.pivots[:rank])
    return (square, unit) if unit > 0 else (-square, -unit)

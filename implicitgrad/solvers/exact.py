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
from typing import NamedTuple

from implicitgrad.solution import Constraints, General, PartialMatrix, Solution, Status
from implicitgrad.solvers.free import impossible_choice, indices
from implicitgrad.solvers.pseudo_inverse import dot, solve_from_rows, squared_condition, without_null_space
from implicitgrad.solvers.reduction import IntegerRow, Reduced, integers, reduce_rows
from implicitgrad.solvers.size import refuse_too_large
from implicitgrad.system import LinearSystem, Matrix, squared_norm

MOST_ENTRIES = 4_000_000


class Reading(NamedTuple):
    """What is read off the reduced rows; all numbers are numerators over the pivots' common value d."""

    reduced: Reduced
    rank: int
    free: list[int]
    """The F columns of A without a pivot."""
    independent: list[int]
    """The P′ columns of B without a pivot."""
    dependent: list[int]
    """The D columns of B with one."""
    particular: list[IntegerRow]
    """J₀ (N, P′)"""
    null_space: list[IntegerRow]
    """V (N, F)"""
    constraints: list[IntegerRow]
    """(D, P′): the dependent inputs by the independent ones."""


def solve_exact(system: LinearSystem, free: Sequence[str] = ()) -> Solution:
    """Solve ``system`` exactly.

    free : names of unknowns that are to be free; fewer than F are completed from the first unknowns on. Raises
    UsageError when these cannot be free together.
    """
    refuse_too_large(system, MOST_ENTRIES)
    wanted = indices(system, free)
    rows = _integer_rows(system)
    reading = _read_off(rows, system.unknowns, system.inputs, wanted)
    if not wanted <= set(reading.free):
        raise impossible_choice(system, free, _divided(reading.null_space, reading.reduced.d))

    d = reading.reduced.d
    g = gV = None
    if system.dL_dy is not None:
        gradients = [integers(gradient) for gradient in system.dL_dy]
        g, gV = _product(gradients, reading.particular, d), _product(gradients, reading.null_space, d)
    J = _divided(reading.particular, d)
    general = General(
        free=tuple([system.y[f] for f in reading.free]),
        particular=J,
        null_space=_divided(reading.null_space, d),
        minimum_norm=_minimum_norm(reading, rows) if reading.free and reading.rank else J,
        dL_dx_particular=g,
        dL_dx_coefficients=gV,
    )
    dependent = tuple([system.x[k] for k in reading.dependent])
    return Solution(
        system=system,
        rank=reading.rank,
        status=Status.of(has_free_unknowns=bool(reading.free), has_constraints=bool(reading.dependent)),
        dy_dx=_determined(J, general.null_space, reading, system.inputs),
        dL_dx_rows=None if g is None or gV is None else _determined(g, gV, reading, system.inputs),
        independent=tuple([system.x[k] for k in reading.independent]),
        constraints=Constraints(dependent, _divided(reading.constraints, d)) if dependent else None,
        general=general,
        condition_squared=_condition_squared(system, reading),
    )


def _read_off(rows: list[IntegerRow], N: int, P: int, wanted: set[int]) -> Reading:
    """Reduce [A | B], the ``wanted`` columns of A last of all of A, and read off what it says."""
    order = sorted(range(N), key=lambda j: (j in wanted, -j)) if wanted else range(N - 1, -1, -1)
    reduced = reduce_rows(rows, [*order, *range(N + P - 1, N - 1, -1)])
    row_of = dict(zip(reduced.pivots, reduced.rows, strict=False))
    free = [j for j in range(N) if j not in row_of]
    independent = [k for k in range(P) if N + k not in row_of]
    dependent = [column - N for column in reversed(reduced.pivots) if column >= N]
    return Reading(
        reduced=reduced,
        rank=N - len(free),
        free=free,
        independent=independent,
        dependent=dependent,
        particular=[[row_of[i][N + k] if i in row_of else 0 for k in independent] for i in range(N)],
        null_space=[[-row_of[i][f] if i in row_of else reduced.d * (i == f) for f in free] for i in range(N)],
        constraints=[[-row_of[N + k][N + m] for m in independent] for k in dependent],
    )


def _determined(particular: Matrix, coefficients: Matrix, reading: Reading, P: int) -> PartialMatrix:
    """The (·, P) entries that depend on no free parameter and on no constrained input, else None."""
    if not (reading.free or reading.dependent):
        return particular
    moving = {k for row in reading.constraints for k, number in zip(reading.independent, row, strict=True) if number}
    column_of = {k: m for m, k in enumerate(reading.independent) if k not in moving}
    return tuple(
        tuple([row[column_of[k]] if k in column_of and not any(free) else None for k in range(P)])
        for row, free in zip(particular, coefficients, strict=True)
    )


def _minimum_norm(reading: Reading, rows: list[IntegerRow]) -> Matrix:
    """A⁺·B·T, by whichever of the row space and the null space promises less work."""
    N, rank, d = len(reading.particular), reading.rank, reading.reduced.d
    if rank >= 4 * len(reading.free):
        numerators, e = without_null_space(reading.particular, reading.null_space)
        return _divided(numerators, d * e)
    pivot_rows = [rows[i] for i in reading.reduced.sources[:rank]]
    A = [row[:N] for row in pivot_rows]
    if not reading.dependent:  # T is the identity
        return _divided(*solve_from_rows(A, [row[N:] for row in pivot_rows]))
    columns = list(zip(*reading.particular, strict=True))
    numerators, e = solve_from_rows(A, [[dot(row, column) for column in columns] for row in A])
    return _divided(numerators, d * e)


def _condition_squared(system: LinearSystem, reading: Reading) -> Fraction | None:
    """(‖A‖_F·‖A⁺‖_F)², exactly; None for A = 0. Where A is invertible and B = I, A⁺ is the Jacobian."""
    rank = reading.rank
    if rank == 0:
        return None
    if rank == system.equations == system.unknowns and system.B is None:
        square = sum([number * number for row in reading.particular for number in row])
        norm = squared_norm(system.A)
        return Fraction(norm.numerator * square, norm.denominator * reading.reduced.d**2)
    return squared_condition(system.A, reading.reduced.sources[:rank], reading.reduced.pivots[:rank])


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


def _product(gradients: list[tuple[IntegerRow, int]], numerators: list[IntegerRow], d: int) -> Matrix:
    """dL_dy · (numerators/d), the rows of dL_dy given as integers and their common denominators."""
    columns = list(zip(*numerators, strict=True))
    return tuple([tuple([Fraction(dot(g, column), d * scale) for column in columns]) for g, scale in gradients])


def _divided(numerators: list[IntegerRow], d: int) -> Matrix:
    return tuple([tuple([Fraction(number, d) for number in row]) for row in numerators])

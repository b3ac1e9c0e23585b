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
from operator import mul

from implicitgrad.errors import UsageError, printable, quoted
from implicitgrad.solution import Constraints, General, PartialMatrix, Solution, Status
from implicitgrad.solvers.reduction import IntegerRow, integers, reduce_rows
from implicitgrad.system import LinearSystem, Matrix, squared_norm

MOST_CHOICES_LISTED = 12


def solve_exact(system: LinearSystem, free: Sequence[str] = ()) -> Solution:
    """Solve ``system`` exactly.

    free : names of unknowns that are to be free; fewer than F are completed from the first unknowns on. Raises
    UsageError when these cannot be free together.
    """
    N, P = system.unknowns, system.inputs
    rows = _integer_rows(system)
    wanted = _indices(system, free)
    order = [j for j in reversed(range(N)) if j not in wanted] + [j for j in reversed(range(N)) if j in wanted]
    reduced, pivots, d = reduce_rows(rows, [*order, *reversed(range(N, N + P))])

    rank = sum(column < N for column in pivots)
    free_columns = [j for j in range(N) if j not in pivots]
    independent = [k for k in range(P) if N + k not in pivots]
    row_of = dict(zip(pivots, reduced, strict=False))

    null_space = [[-row_of[i][f] if i in row_of else d * (i == f) for f in free_columns] for i in range(N)]
    particular = [[row_of[i][N + k] if i in row_of else 0 for k in independent] for i in range(N)]
    if not wanted <= set(free_columns):
        raise _impossible_choice(system, free, null_space)

    dependent = [column - N for column in reversed(pivots) if column >= N]
    constraint_rows = [[-row_of[N + k][N + m] for m in independent] for k in dependent]
    constraints = Constraints(tuple(system.x[k] for k in dependent), _divided(constraint_rows, d))
    moves = {k for row in constraint_rows for k, number in zip(independent, row, strict=True) if number}
    unconstrained = [None if k in moves else m for m, k in enumerate(independent)]
    column_of = [unconstrained[independent.index(k)] if k in independent else None for k in range(P)]

    general = _general(system, free_columns, null_space, particular, d)
    dL_dx = None
    if general.dL_dx_particular is not None and general.dL_dx_coefficients is not None:
        dL_dx = _determined(general.dL_dx_particular, general.dL_dx_coefficients, column_of)
    return Solution(
        system=system,
        rank=rank,
        status=Status.of(has_free_unknowns=bool(free_columns), has_constraints=bool(dependent)),
        dy_dx=_determined(general.particular, general.null_space, column_of),
        dL_dx_rows=dL_dx,
        independent=tuple(system.x[k] for k in independent),
        constraints=constraints if dependent else None,
        general=general,
        condition_squared=_condition_squared(system, rank, pivots, general, particular, d),
    )


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
            f"--free: {quoted(unknown[0])} is not an unknown of {printable(system.source)}; expected {names}"
        )
    if len(set(free)) != len(free):
        raise UsageError("--free: a name is given twice")
    return {system.y.index(name) for name in free}


def _general(
    system: LinearSystem, free_columns: list[int], null_space: list[IntegerRow], particular: list[IntegerRow], d: int
) -> General:
    gradients = None if system.dL_dy is None else [integers(g) for g in system.dL_dy]
    J = _divided(particular, d)
    return General(
        free=tuple(system.y[f] for f in free_columns),
        particular=J,
        null_space=_divided(null_space, d),
        minimum_norm=_without_null_space(particular, null_space, d) if free_columns else J,
        dL_dx_particular=None if gradients is None else _product(gradients, particular, d),
        dL_dx_coefficients=None if gradients is None else _product(gradients, null_space, d),
    )


def _determined(particular: Matrix, coefficients: Matrix, column_of: list[int | None]) -> PartialMatrix:
    """The (·, P) entries that do not depend on a free parameter or on how a constrained x moves, else None.

    column_of : for each of the P inputs its column in ``particular``, None where the constraint concerns it.
    """
    return tuple(
        tuple([None if any(free) or m is None else row[m] for m in column_of])
        for row, free in zip(particular, coefficients, strict=True)
    )


def _without_null_space(particular: list[IntegerRow], null_space: list[IntegerRow], d: int) -> Matrix:
    """J₀ − V·(VᵀV)⁻¹·VᵀJ₀, the Jacobian of least Frobenius norm; both arguments are numerators over ``d``."""
    V = list(zip(*null_space, strict=True))
    J = list(zip(*particular, strict=True))
    F = len(V)
    normal = [[_dot(v, w) for w in V] + [_dot(v, column) for column in J] for v in V]
    reduced, pivots, e = reduce_rows(normal, range(F))
    W = [row for _, row in sorted(zip(pivots, reduced, strict=True))]
    numerators = [
        [e * row[k] - sum(v * W[f][F + k] for f, v in enumerate(null_row)) for k in range(len(J))]
        for row, null_row in zip(particular, null_space, strict=True)
    ]
    return _divided(numerators, d * e)


def _condition_squared(
    system: LinearSystem, rank: int, pivots: list[int], general: General, particular: list[IntegerRow], d: int
) -> Fraction | None:
    """(‖A‖_F·‖A⁺‖_F)², exactly; None for A = 0.

    Where A is invertible and B = I, A⁺ is the Jacobian. Otherwise A = C·R with C (M×r) the pivot columns of A and R
    (r×N) its reduced rows, A⁺ = Rᵀ(RRᵀ)⁻¹(CᵀC)⁻¹Cᵀ and ‖A⁺‖_F² = tr((CᵀC)⁻¹(RRᵀ)⁻¹); C = A, R = I where A has full
    column rank, C = I, R = A where it has full row rank.
    """
    if rank == 0:
        return None
    A = system.A
    norm_squared = squared_norm(A)
    if rank == len(A) == system.unknowns and system.B is None:
        square = sum([number * number for row in particular for number in row])
        return Fraction(norm_squared.numerator * square, norm_squared.denominator * d * d)
    if rank == system.unknowns:
        return norm_squared * _trace_of_product(None, _inverse_gram(list(zip(*A, strict=True))))
    if rank == len(A):
        return norm_squared * _trace_of_product(_inverse_gram(A), None)
    columns = sorted(column for column in pivots if column < system.unknowns)
    C = [tuple(row[column] for row in A) for column in columns]
    V = {name: m for m, name in enumerate(general.free)}
    # Row p of R is e_p minus the null space's row p at the free unknowns: R·V = 0 with the identity at the pivots.
    R = [
        tuple(-general.null_space[p][V[name]] if name in V else Fraction(j == p) for j, name in enumerate(system.y))
        for p in columns
    ]
    return norm_squared * _trace_of_product(_inverse_gram(C), _inverse_gram(R))


def _inverse_gram(vectors: Sequence[Sequence[Fraction]]) -> Matrix:
    """The inverse of the matrix of inner products of linearly independent ``vectors``."""
    scaled = [integers(vector) for vector in vectors]
    n = len(scaled)
    gram = [[_dot(v, w) for w, _ in scaled] + [int(i == j) for j in range(n)] for i, (v, _) in enumerate(scaled)]
    reduced, pivots, d = reduce_rows(gram, range(n))
    # Vector i is scaled by its denominator; entry (i, j) of the inverse was divided by both of theirs.
    inverse = [row[n:] for _, row in sorted(zip(pivots, reduced, strict=True))]
    return tuple(
        tuple(Fraction(number * scale_i * scale_j, d) for number, (_, scale_j) in zip(row, scaled, strict=True))
        for row, (_, scale_i) in zip(inverse, scaled, strict=True)
    )


def _trace_of_product(left: Matrix | None, right: Matrix | None) -> Fraction:
    """tr(left·right) of two symmetric matrices; None stands for the identity."""
    if left is None or right is None:
        single = left or right or ()
        return sum((row[i] for i, row in enumerate(single)), Fraction(0))
    return sum((a * b for x, y in zip(left, right, strict=True) for a, b in zip(x, y, strict=True)), Fraction(0))


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
        if len(reduce_rows([null_space[i] for i in choice], range(F))[1]) == F
    )
    listed = [",".join(printable(system.y[i]) for i in choice) for choice in islice(choices, MOST_CHOICES_LISTED + 1)]
    if len(listed) > MOST_CHOICES_LISTED:
        listed[-1] = "..."
    return UsageError(f"{message}; {counted}, possible are {' or '.join(listed)}")


def _product(gradients: list[tuple[IntegerRow, int]], numerators: list[IntegerRow], d: int) -> Matrix:
    """dL_dy · (numerators/d), the rows of dL_dy given as integers and their common denominators."""
    columns = list(zip(*numerators, strict=True))
    return tuple([tuple([Fraction(_dot(g, column), d * scale) for column in columns]) for g, scale in gradients])


def _divided(numerators: list[IntegerRow], d: int) -> Matrix:
    return tuple([tuple([Fraction(number, d) for number in row]) for row in numerators])


def _dot(a: Sequence[int], b: Sequence[int]) -> int:
    return sum(map(mul, a, b))

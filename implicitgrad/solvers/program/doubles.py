"""Programs that would take too much work exactly: the active constraints guessed in doubles, then proved by bounds.

With K of the guessed constraints regular, their multipliers and the other slacks positive beyond their error bounds,
and P positive semidefinite, z is the one solution, and differentiable in everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from implicitgrad.model.program.problem import CanonicalProgram, QuadraticProgram, product, times
from implicitgrad.model.program.solution import MatrixGradients, ProgramSolution, ProgramStatus
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import Status
from implicitgrad.numbers.ball import Array, BallMatrix, from_fractions
from implicitgrad.numbers.doubles import Ball
from implicitgrad.solvers.floating.back_substitution import times as multiplied
from implicitgrad.solvers.floating.error_free import SMALLEST, U, enlarged
from implicitgrad.solvers.floating.inverse import BallArray
from implicitgrad.solvers.floating.solver import solve_float
from implicitgrad.solvers.program.convexity import clearest_curvature, nonconvex
from implicitgrad.solvers.program.derivatives import spread_derivatives
from implicitgrad.solvers.program.guess import guess_active
from implicitgrad.solvers.program.kkt import kkt_system
from implicitgrad.solvers.program.work import Work
from implicitgrad.text.errors import InputError, Problem

MAX_NAMED = 5


def solve_in_doubles(program: QuadraticProgram, too_large: InputError) -> ProgramSolution:
    """Solve a program in doubles with error bounds.

    too_large : what exact arithmetic raised, which is raised again where nothing is found. Raise InputError where a
    bound does not reach.
    """
    canonical = program.canonical()
    try:
        P = _ball_array(from_fractions(canonical.P))
        if not _is_certainly_semidefinite(P):
            v = clearest_curvature(canonical.P)
            if v is not None:
                raise nonconvex(program, canonical.P, v)
            raise _undecided(program, "whether P is positive semidefinite is not decided: it is singular to rounding")
        active = guess_active(canonical, Work(program.source))
        if active is None or (not program.b and not len(canonical.q)):
            raise too_large
        kkt = solve_float(kkt_system(program, canonical, active, range(len(program.b))))
        if kkt.status is not Status.DETERMINED:
            message = (
                "whether z is differentiable is not decided: the matrix of the KKT conditions is singular to rounding"
            )
            raise _undecided(program, message)
        return _verified(program, canonical, active, kkt, P)
    except OverflowError:
        raise too_large from None


def _is_certainly_semidefinite(P: BallArray) -> bool:
    """Return whether Cholesky's method succeeds on P less its errors.

    Source: Rump, *Verification of positive definiteness* (2006), BIT 46.
    """
    used = np.flatnonzero(P.value.any(axis=1) | P.error.any(axis=1))
    if not len(used):
        return True
    value, error = (part[np.ix_(used, used)] for part in P)
    shift = 4 * (len(used) + 4) * U * float(np.trace(value)) + 2 * float(error.sum(axis=1).max())
    try:
        np.linalg.cholesky(value - (shift + SMALLEST) * np.eye(len(used)))
    except np.linalg.LinAlgError:
        return False
    return True


def _verified(
    program: QuadraticProgram, canonical: CanonicalProgram, active: list[int], kkt: Solution, P: BallArray
) -> ProgramSolution:
    n, k, inequalities = len(program.q), len(active), program.inequalities()
    J = kkt.general.particular
    assert isinstance(J, BallMatrix)
    y = _solution(kkt, _ball_array(J), (*canonical.q, *(canonical.d[i] for i in active), *canonical.b))
    z = BallArray(*(part[:n] for part in y))
    others = sorted({*range(len(inequalities))} - {*active})
    small = [active[place] for place in np.flatnonzero(~(y.value[n : n + k] > y.error[n : n + k]))]
    if others:
        rows = _ball_array(from_fractions([(*canonical.C[i], canonical.d[i]) for i in others]))
        column = BallArray(np.append(-z.value, 1.0)[:, None], np.append(z.error, 0.0)[:, None])
        slacks = multiplied(rows, column)
        small += [others[place] for place in np.flatnonzero(~(slacks.value > slacks.error))]
    if small:
        names = ", ".join(inequalities[i].name for i in sorted(small)[:MAX_NAMED]) + ", …" * (len(small) > MAX_NAMED)
        what = "is active, weak or inactive" if len(small) == 1 else "are active, weak or inactive"
        raise _undecided(program, f"whether {names} {what} is not decided: within rounding errors each is possible")
    multipliers: list[Fraction] = [Ball(0.0, 0.0)] * len(inequalities)
    balls = tuple(map(Ball, y.value.tolist(), y.error.tolist()))
    for place, i in enumerate(active):
        multipliers[i] = balls[n + place]
    point = [Fraction(entry) for entry in z.value.tolist()]
    objective = program.constant + product(times(canonical.P, point), point) / 2 + product(canonical.q, point)
    answer = ProgramSolution(
        program,
        tuple(inequalities),
        ProgramStatus.DIFFERENTIABLE,
        Fraction(float(-objective if program.is_maximum else objective)),
        balls[:n],
        tuple(multipliers),
        balls[n + k :],
        {i: (multipliers[i], multipliers[i]) for i in active},
        tuple(active),
        is_differentiable_in_q=True,
        are_losses_differentiable=(True,) * len(program.losses),
        kkt=kkt,
        remarks=kkt.remarks,
    )
    inverse, losses = _ball_array(J), _rows(kkt)
    gradients_of_losses = [row.value.tolist() for row in losses]
    derivatives = spread_derivatives(answer, inverse.value.tolist(), gradients_of_losses, _matrix, _matrix)
    of_derivatives = max(float(part.error.max(initial=0)) for part in (inverse, *losses))
    gradients = [_matrix_gradients(answer, row, y) for row in losses]
    # of the objective: |Pz + q|·δ + ½δᵀ|P|δ for the errors δ of z, and its own rounding
    slope = np.abs([float(entry) for entry in canonical.gradient(tuple(point))])
    of_objective = float(slope @ z.error + z.error @ (np.abs(P.value) + P.error) @ z.error) + abs(float(objective)) * U
    errors = [float(y.error.max(initial=0)), of_derivatives, 2 * of_objective, *(error for _, error in gradients)]
    return answer._replace(
        derivatives=derivatives,
        matrix_gradients=tuple(found for found, _ in gradients),
        error_bound=max(errors),
    )


def _solution(kkt: Solution, J: BallArray, x: Sequence[Fraction]) -> BallArray:
    """Return y of x = A·y, improved by residuals that are computed exactly; |J·r| bounds the error for the last r."""
    y = J.value @ np.array([float(entry) for entry in x])
    for _ in range(2):
        products = times(kkt.system.A, [Fraction(entry) for entry in y.tolist()])
        residuals = [float(a - b) for a, b in zip(x, products, strict=True)]
        r = BallArray(np.array(residuals), np.abs(residuals) * 2 * U + SMALLEST)
        y, before = y + J.value @ r.value, y
    error = enlarged((abs(J.value) + J.error) @ (abs(r.value) + r.error), 2 * len(y) + 4)
    return BallArray(before, error + SMALLEST)


def _rows(kkt: Solution) -> list[BallArray]:
    if kkt.dL_dx_rows is None:
        return []
    assert isinstance(kkt.dL_dx_rows, BallMatrix)
    values, errors = _ball_array(kkt.dL_dx_rows)
    return [BallArray(value, error) for value, error in zip(values, errors, strict=True)]


def _matrix_gradients(answer: ProgramSolution, row: BallArray, y: BallArray) -> tuple[MatrixGradients, float]:
    """Return ∂L/∂P, ∂L/∂G and ∂L/∂A of a loss, as matrix_gradients does, and a bound on their errors."""
    n, m, active = answer.program.unknowns, len(answer.program.h), list(answer.active)
    u, z = (BallArray(*(part[:n] for part in whole)) for whole in (row, y))
    P, of_P = _sum_of_products(u, z, z, u)
    by_rows, duals = (BallArray(*(part[n:] for part in whole)) for whole in (row, y))
    rows, errors = _sum_of_products(duals, u, BallArray(-by_rows.value, by_rows.error), z)
    G, k = np.zeros((m, n)), len(active)
    of_rows = [place for place, i in enumerate(active) if i < m]
    G[[active[place] for place in of_rows]] = rows[of_rows]
    found = MatrixGradients(*map(BallMatrix, (P / 2, G, rows[k:])))
    return found, float(max(of_P.max(initial=0), errors.max(initial=0)))


def _sum_of_products(a: BallArray, b: BallArray, c: BallArray, d: BallArray) -> tuple[Array, Array]:
    """Return a·bᵀ + c·dᵀ and a bound on its error."""
    left = BallArray(np.column_stack([a.value, c.value]), np.column_stack([a.error, c.error]))
    right = BallArray(np.vstack([b.value, d.value]), np.vstack([b.error, d.error]))
    return multiplied(left, right)


def _ball_array(matrix: BallMatrix) -> BallArray:
    error = np.inf if matrix.error is None else matrix.error
    return BallArray(matrix.array, np.broadcast_to(error, matrix.array.shape))


def _matrix(rows: list[list[float]]) -> BallMatrix:
    """Build a matrix whose error bound is that of the whole answer; of no rows where there is no loss."""
    return BallMatrix(np.array(rows, dtype=float).reshape(len(rows), len(rows[0]) if rows else 0) + 0.0)


def _undecided(program: QuadraticProgram, message: str) -> InputError:
    hint = "Exact arithmetic decides, and would take too much work; a smaller program or fewer digits take less"
    return InputError([Problem(message, hint, "not-decided", program.source)])

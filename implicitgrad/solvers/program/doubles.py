"""Programs that would take too much work exactly: the active constraints guessed in doubles, then proved by bounds.

With K of the guessed constraints regular, their multipliers and the other slacks positive beyond their error bounds,
and P positive semidefinite, z is the one solution, and differentiable in everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from implicitgrad.model.program.problem import CanonicalProgram, QuadraticProgram, product, times
from implicitgrad.model.program.solution import Derivatives, MatrixGradients, ProgramSolution, ProgramStatus
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import Status
from implicitgrad.numbers.ball import Array, BallMatrix, from_fractions
from implicitgrad.numbers.doubles import Ball
from implicitgrad.solvers.floating.error_free import SMALLEST, U, enlarged, gamma
from implicitgrad.solvers.floating.solver import solve_float
from implicitgrad.solvers.program.convexity import clearest_curvature, nonconvex
from implicitgrad.solvers.program.derivatives import has_too_many_multipliers, parameters, sizes
from implicitgrad.solvers.program.guess import guess_active
from implicitgrad.solvers.program.kkt import kkt_system
from implicitgrad.solvers.program.work import Work
from implicitgrad.text.errors import InputError, Problem

MAX_NAMED = 5


class _Bounded(NamedTuple):
    """An array and a bound on each entry's error."""

    value: Array
    error: Array

    @classmethod
    def of(cls, matrix: BallMatrix) -> _Bounded:
        return cls(matrix.array, np.broadcast_to(np.inf if matrix.error is None else matrix.error, matrix.array.shape))

    def times(self, other: _Bounded) -> _Bounded:
        """Return the product, rounding errors included."""
        k = self.value.shape[-1]
        sizes, rounding = abs(self.value) @ abs(other.value), gamma(k + 2)
        spread = self.error @ (abs(other.value) + other.error) + abs(self.value) @ other.error
        return _Bounded(self.value @ other.value, enlarged(rounding * sizes + spread, 2 * k + 4) + SMALLEST)

    def balls(self) -> tuple[Ball, ...]:
        return tuple(map(Ball, self.value.tolist(), self.error.tolist()))


def solve_in_doubles(program: QuadraticProgram, too_large: InputError) -> ProgramSolution:
    """Solve a program in doubles with error bounds.

    too_large : what exact arithmetic raised, which is raised again where nothing is found. Raise InputError where a
    bound does not reach.
    """
    canonical = program.canonical()
    try:
        P = _Bounded.of(from_fractions(canonical.P))
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


def _is_certainly_semidefinite(P: _Bounded) -> bool:
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
    program: QuadraticProgram, canonical: CanonicalProgram, active: list[int], kkt: Solution, P: _Bounded
) -> ProgramSolution:
    n, k, inequalities = len(program.q), len(active), program.inequalities()
    J = kkt.general.particular
    assert isinstance(J, BallMatrix)
    y = _solution(kkt, _Bounded.of(J), (*canonical.q, *(canonical.d[i] for i in active), *canonical.b))
    z = _Bounded(*(part[:n] for part in y))
    others = sorted({*range(len(inequalities))} - {*active})
    small = [active[place] for place in np.flatnonzero(~(y.value[n : n + k] > y.error[n : n + k]))]
    if others:
        rows = _Bounded.of(from_fractions([(*canonical.C[i], canonical.d[i]) for i in others]))
        slacks = rows.times(_Bounded(np.append(-z.value, 1.0), np.append(z.error, 0.0)))
        small += [others[place] for place in np.flatnonzero(~(slacks.value > slacks.error))]
    if small:
        names = ", ".join(inequalities[i].name for i in sorted(small)[:MAX_NAMED]) + ", …" * (len(small) > MAX_NAMED)
        what = "is active, weak or inactive" if len(small) == 1 else "are active, weak or inactive"
        raise _undecided(program, f"whether {names} {what} is not decided: within rounding errors each is possible")
    multipliers: list[Fraction] = [Ball(0.0, 0.0)] * len(inequalities)
    balls = y.balls()
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
    derivatives, of_derivatives = _derivatives(answer, kkt)
    gradients = [_matrix_gradients(answer, row, y) for row in _rows(kkt)]
    # of the objective: |Pz + q|·δ + ½δᵀ|P|δ for the errors δ of z, and its own rounding
    slope = np.abs([float(entry) for entry in canonical.gradient(tuple(point))])
    of_objective = float(slope @ z.error + z.error @ (np.abs(P.value) + P.error) @ z.error) + abs(float(objective)) * U
    errors = [float(y.error.max(initial=0)), of_derivatives, 2 * of_objective, *(error for _, error in gradients)]
    return answer._replace(
        derivatives=derivatives,
        matrix_gradients=tuple(found for found, _ in gradients),
        error_bound=max(errors),
    )


def _solution(kkt: Solution, J: _Bounded, x: Sequence[Fraction]) -> _Bounded:
    """Return y of x = A·y, improved by residuals that are computed exactly; |J·r| bounds the error for the last r."""
    y = J.value @ np.array([float(entry) for entry in x])
    for _ in range(2):
        products = times(kkt.system.A, [Fraction(entry) for entry in y.tolist()])
        residuals = [float(a - b) for a, b in zip(x, products, strict=True)]
        r = _Bounded(np.array(residuals), np.abs(residuals) * 2 * U + SMALLEST)
        y, before = y + J.value @ r.value, y
    error = enlarged((abs(J.value) + J.error) @ (abs(r.value) + r.error), 2 * len(y) + 4)
    return _Bounded(before, error + SMALLEST)


def _rows(kkt: Solution) -> list[_Bounded]:
    if kkt.dL_dx_rows is None:
        return []
    assert isinstance(kkt.dL_dx_rows, BallMatrix)
    values, errors = _Bounded.of(kkt.dL_dx_rows)
    return [_Bounded(value, error) for value, error in zip(values, errors, strict=True)]


def _derivatives(answer: ProgramSolution, kkt: Solution) -> tuple[Derivatives, float]:
    """Return the derivatives, as joint_derivatives does, and a bound on their errors."""
    n, m, p = sizes(answer)
    active = list(answer.active)
    places = [*range(n), *(n + i for i in active), *range(n + m, n + m + p)]
    signs = np.array([1] * n + [answer.inequalities[i].sign for i in active] + [1] * p)

    def spread(rows: Array) -> BallMatrix:
        found = np.zeros((len(rows), n + m + p))
        found[:, places] = rows * signs
        return BallMatrix(found + 0.0)

    assert isinstance(kkt.general.particular, BallMatrix)
    J, gradients = _Bounded.of(kkt.general.particular), _rows(kkt)
    multipliers = equality_multipliers = None
    if not has_too_many_multipliers(answer):
        by_number = np.zeros((m, J.value.shape[1]))
        by_number[active] = J.value[n : n + len(active)]
        multipliers, equality_multipliers = spread(by_number), spread(J.value[n + len(active) :])
    losses = spread(np.array([row.value for row in gradients])) if gradients else ()
    errors = [J.error, *(row.error for row in gradients)]
    found = Derivatives(parameters(answer), spread(J.value[:n]), losses, {}, multipliers, equality_multipliers)
    return found, max(float(error.max(initial=0)) for error in errors)


def _matrix_gradients(answer: ProgramSolution, row: _Bounded, y: _Bounded) -> tuple[MatrixGradients, float]:
    """Return ∂L/∂P, ∂L/∂G and ∂L/∂A of a loss, as matrix_gradients does, and a bound on their errors."""
    n, m, active = answer.program.unknowns, len(answer.program.h), list(answer.active)
    u, z = (_Bounded(*(part[:n] for part in whole)) for whole in (row, y))
    P, of_P = _sum_of_products(u, z, z, u)
    by_rows, duals = (_Bounded(*(part[n:] for part in whole)) for whole in (row, y))
    rows, errors = _sum_of_products(duals, u, _Bounded(-by_rows.value, by_rows.error), z)
    G, k = np.zeros((m, n)), len(active)
    of_rows = [place for place, i in enumerate(active) if i < m]
    G[[active[place] for place in of_rows]] = rows[of_rows]
    found = MatrixGradients(*map(BallMatrix, (P / 2, G, rows[k:])))
    return found, float(max(of_P.max(initial=0), errors.max(initial=0)))


def _sum_of_products(a: _Bounded, b: _Bounded, c: _Bounded, d: _Bounded) -> tuple[Array, Array]:
    """Return a·bᵀ + c·dᵀ and a bound on its error."""
    left = _Bounded(np.column_stack([a.value, c.value]), np.column_stack([a.error, c.error]))
    right = _Bounded(np.vstack([b.value, d.value]), np.vstack([b.error, d.error]))
    return left.times(right)


def _undecided(program: QuadraticProgram, message: str) -> InputError:
    hint = "Exact arithmetic decides, and would take too much work; a smaller program or fewer digits take less"
    return InputError([Problem(message, hint, "not-decided", program.source)])

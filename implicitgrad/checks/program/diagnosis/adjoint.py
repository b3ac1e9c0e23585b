"""The KKT conditions with some set of active constraints, and the answers that they give, right or wrong.

    K·u = (∂L/∂z, 0, 0),   ∂L/∂q = −u_z,   ∂L/∂d = u_λ,   ∂L/∂b = u_ν

Amos and Kolter, *OptNet* (2017), have d_z = −u_z and d_λ with u_λ = −λ·d_λ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import chain, combinations, islice
from typing import NamedTuple

from implicitgrad.checks.matrices import combination
from implicitgrad.checks.program.quantities import MULTIPLIERS, Quantities
from implicitgrad.model.program.problem import RowKind, Rows, Vector, product, times
from implicitgrad.model.program.solution import ProgramSolution
from implicitgrad.solvers.exact.solver import solve_exact
from implicitgrad.solvers.program.kkt import kkt_system, value_of_unknowns
from implicitgrad.solvers.program.solver import solve_program
from implicitgrad.text.errors import InputError

ZERO = Fraction(0)
KINDS = {"h": RowKind.INEQUALITY, "lb": RowKind.LOWER, "ub": RowKind.UPPER}
MAX_SETS = 64
"""The most sets of active constraints that are tried."""


class Response(NamedTuple):
    """How z and the losses respond to q, the bounds d of a set of active inequalities, and b."""

    active: tuple[int, ...]
    z: Sequence[Vector]
    """(n, n + active + p) ∂z"""
    losses: Sequence[Vector]
    """(K, n + active + p) ∂L"""
    point: Vector = ()
    """z, λ of the active inequalities and ν that solve these KKT conditions; empty if there are several."""


class KktSystems:
    """The KKT conditions of one program at its solution, with any set of active inequalities."""

    def __init__(self, solution: ProgramSolution) -> None:
        self.solution, self.program = solution, solution.program
        self.canonical = solution.program.canonical()
        assert solution.z is not None
        self.point = solution.z
        self.quantities = Quantities(solution)
        self._response = cache(self._solve)
        self.with_quadratic = cache(self._with_quadratic)

    def _with_quadratic(self, P: Rows) -> ProgramSolution | None:
        """Return the answer to the program with another P; None if it takes too much work."""
        try:
            return solve_program(self.program._replace(P=P))
        except InputError:
            return None

    @property
    def inactive(self) -> list[int]:
        """The inactive inequalities."""
        return [i for i in range(len(self.solution.inequalities)) if i not in self.solution.active]

    def regular(self, active: Sequence[int]) -> Response | None:
        """Return the response with these inequalities as equations; None if K is singular then."""
        return self._response(tuple(sorted(active)))

    def _solve(self, active: tuple[int, ...]) -> Response | None:
        n, p = self.program.unknowns, len(self.program.b)
        if len(active) + p > n:
            return None
        found = solve_exact(kkt_system(self.program, self.canonical, active, range(p)))
        value = value_of_unknowns(found, self.canonical, active)
        if found.general.free or found.constraints is not None or value is None:
            return None
        J = found.general.particular
        losses = found.general.dL_dx_particular or ()
        return Response(active, J[:n], tuple(losses), value)

    def least_norm(self, active: Sequence[int]) -> Response:
        """Return the response by the pseudo-inverse of K with these inequalities: K⁺·x = K·w with K³·w = K·x."""
        chosen = tuple(sorted(active))
        canonical, n = self.canonical, self.program.unknowns
        below = [canonical.C[i] for i in chosen] + list(canonical.A)
        nothing = (ZERO,) * len(below)
        K = [(*row, *(other[j] for other in below)) for j, row in enumerate(canonical.P)]
        K += [(*row, *nothing) for row in below]
        cubed = [times(K, times(K, row)) for row in K]

        def solve(right: Sequence[Fraction]) -> Vector:
            weights = combination(cubed, times(K, right))
            assert weights is not None  # K·x is in the range of K³, for K is symmetric
            return times(K, weights)

        size = len(K)
        units = [tuple(Fraction(k == j) for k in range(size)) for j in range(size)]
        signs = [-1] * n + [1] * len(below)
        columns = [tuple(sign * entry for entry in solve(unit)) for sign, unit in zip(signs, units, strict=True)]
        losses = []
        for loss in self.program.losses:
            multipliers = [self._of_multiplier(loss.multipliers, i) for i in chosen]
            u = solve((*loss.z, *multipliers, *loss.equality_multipliers))
            losses.append(tuple(sign * entry for sign, entry in zip(signs, u, strict=True)))
        return Response(chosen, tuple(tuple(column[j] for column in columns) for j in range(n)), losses)

    def _of_multiplier(self, gradient: Vector, i: int) -> Fraction:
        row = self.solution.inequalities[i]
        return gradient[row.number] if row.kind is RowKind.INEQUALITY else ZERO

    def subsets_of_active(self) -> Iterator[tuple[int, ...]]:
        """Return proper subsets of the active inequalities, the largest first, at most MAX_SETS."""
        active = self.solution.active
        sizes = range(len(active) - 1, -1, -1)
        sets = chain.from_iterable(combinations(active, size) for size in sizes)
        return islice(sets, MAX_SETS)

    def with_inactive(self) -> Iterator[tuple[int, ...]]:
        """Return sets of inactive inequalities, all first, then the smallest, at most MAX_SETS."""
        inactive = self.inactive
        sizes = [len(inactive), *range(1, len(inactive))] if inactive else []
        sets = chain.from_iterable(combinations(inactive, size) for size in sizes)
        return islice(sets, MAX_SETS)

    def values(self, key: str, loss: int, response: Response) -> list[list[Fraction | None]]:
        """Return the values of a quantity. loss : whose gradient, or whose row of one."""
        of, _, parameter = key.partition("_d")
        if not parameter:
            return self._unknowns(key, response)
        if of == "dz":
            return [self.by_parameter(parameter, row, response.active) for row in response.z]
        row = response.losses[loss]
        if parameter not in "PGA":
            return [self.by_parameter(parameter, row, response.active)]
        return self.by_matrix(parameter, row, response.active)

    def by_parameter(self, parameter: str, row: Sequence[Fraction], active: Sequence[int]) -> list[Fraction | None]:
        """Return a row over (q, d, b) as a row over one of q, h, lb, ub and b."""
        n, p = self.program.unknowns, len(self.program.b)
        if parameter == "q":
            return list(row[:n])
        if parameter == "b":
            return list(row[len(row) - p :])
        signed = [self.solution.inequalities[i].sign * change for i, change in zip(active, row[n:], strict=False)]
        return self._of_kind(KINDS[parameter], active, signed)

    def _of_kind(self, kind: RowKind, active: Sequence[int], numbers: Sequence[Fraction]) -> list[Fraction | None]:
        """Return the numbers of the active inequalities of one kind, in its order, 0 for the inactive ones."""
        found: list[Fraction | None] = [ZERO] * (
            len(self.program.h) if kind is RowKind.INEQUALITY else self.program.unknowns
        )
        for i, number in zip(active, numbers, strict=True):
            inequality = self.solution.inequalities[i]
            if inequality.kind is kind:
                found[inequality.number] = number
        return found

    def by_matrix(self, parameter: str, row: Sequence[Fraction], active: Sequence[int]) -> list[list[Fraction | None]]:
        """Return ∂L/∂P, ∂L/∂G or ∂L/∂A from a gradient over (q, d, b) and the right z, λ and ν."""
        n, p, z = self.program.unknowns, len(self.program.b), self.point
        by_q = row[:n]
        if parameter == "P":
            return [[(by_q[i] * z[j] + z[i] * by_q[j]) / 2 for j in range(n)] for i in range(n)]
        if parameter == "A":
            pairs = list(zip(self.solution.equality_multipliers, row[len(row) - p :], strict=True))
        else:
            changes = dict(zip(active, row[n:], strict=False))
            numbers = [self.quantities.rows[RowKind.INEQUALITY, i] for i in range(len(self.program.h))]
            pairs = [(self.solution.multipliers[i], changes.get(i, ZERO)) for i in numbers]
        return [
            [None if multiplier is None else multiplier * a - change * b for a, b in zip(by_q, z, strict=True)]
            for multiplier, change in pairs
        ]

    def _unknowns(self, key: str, response: Response) -> list[list[Fraction | None]]:
        n, p = self.program.unknowns, len(self.program.b)
        z, multipliers = response.point[:n], response.point[n : len(response.point) - p]
        if key == "z":
            return [list(z)]
        if key == "nu":
            return [list(response.point[len(response.point) - p :])]
        if key == "objective":
            value = product(z, times(self.canonical.P, z)) / 2 + product(self.canonical.q, z) + self.program.constant
            return [[-value if self.program.is_maximum else value]]
        return [self._of_kind(MULTIPLIERS[key], response.active, multipliers)]

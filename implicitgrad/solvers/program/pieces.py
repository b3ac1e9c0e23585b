"""The affine pieces of the solution around a point where it is not differentiable, and their Jacobians.

Near θ, z(q, d, b) is affine on each of finitely many polyhedral cones of changes of θ; each cone is that of a set J of
active constraints whose K_J is regular, with λ_J ≥ 0, that is of a complementary basis at θ. The cones fill the convex
cone of the feasible changes and meet in their facets, on each of which one basic variable is 0, which is 0 at θ, too.
So all are found from one of them by exchanges of a pair, or of two pairs, of variables across facets; a facet with
nothing beyond it is the border of infeasible changes. Source: Cottle, Pang and Stone, *The Linear Complementarity
Problem* (1992), section 4.5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from implicitgrad.model.program.problem import product
from implicitgrad.model.program.solution import PartialVector, Piece, ProgramSolution
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.numbers.null_space import integers
from implicitgrad.solvers.program.active_set import ZERO
from implicitgrad.solvers.program.one_sided import LocalProgram, LocalSlope
from implicitgrad.solvers.program.tableau import RIGHT_SIDE, Tableau
from implicitgrad.solvers.program.work import Work

MAX_PIECES = 64
_Facet = tuple[int, ...]
"""The rows to exchange one after the other, the last one that of the variable that is 0 on it."""


class _LocalBasis(NamedTuple):
    """A complementary basis at θ."""

    tableau: Tableau
    is_at_border: bool
    """Whether some changes of θ near its own are infeasible."""


def find_pieces(solution: ProgramSolution) -> list[Piece] | None:
    """Return all pieces at a unique solution, along the constraint on b if there is one; None if they are too many."""
    if solution.is_differentiable:
        assert solution.derivatives is not None
        return [Piece(solution.active, solution.derivatives.z, solution.derivatives.losses)]
    local = LocalProgram(solution, Work(solution.program.source))
    found = list(islice(_bases(local), MAX_PIECES + 1))
    return None if len(found) > MAX_PIECES else sorted(_piece(local, basis.tableau) for basis in found)


def are_losses_differentiable(local: LocalProgram) -> list[bool | None]:
    """Return for each loss whether it is differentiable in q, d and b jointly; None if there are too many pieces.

    It is exactly if its gradient is the same on all pieces and no change is infeasible.
    """
    K, solution = len(local.losses), local.solution
    if solution.constraints is not None:
        return [False] * K
    if local.stays_unique:
        assert solution.kkt is not None
        rows = solution.kkt.dL_dx_rows or ()
        return [_ignores_weak(local, loss, row) for loss, row in zip(local.losses, rows, strict=True)]
    found: list[bool | None] = [None] * K
    first: list[RationalMatrix] = []
    for number, basis in enumerate(_bases(local) if K else ()):
        if number == MAX_PIECES:
            return found
        gradients = _gradients(local, basis.tableau)
        first = first or gradients
        found = [
            False if basis.is_at_border or gradient != one else known
            for known, gradient, one in zip(found, gradients, first, strict=True)
        ]
        if None not in found:
            return found
    return [known is None for known in found]


def _ignores_weak(local: LocalProgram, loss: LocalSlope, gradient: PartialVector) -> bool:
    """Return whether a loss with the gradient of K for I₊ has the same one with any weak constraints added.

    u solves K·u = g for the gradient g of the loss, and −u_z is its gradient by q. With a row C_S added, and g_S, u and
    0 are the solution exactly if C_S·u_z = g_S; so it is enough to look at single rows.
    """
    by_q = gradient[: len(loss.z)]
    return not any(
        weight + product(local.program.C[k], by_q)  # type: ignore[arg-type]
        for k, (i, weight) in enumerate(zip(local.active, loss.multipliers, strict=True))
        if i in local.solution.weak
    )


def _bases(local: LocalProgram) -> Iterator[_LocalBasis]:
    """Yield every complementary basis at θ, the nearest to the first one first."""
    seen = {_index_set(local.tableau)}
    waiting: deque[tuple[Tableau, _Facet]] = deque([(local.tableau, ())])
    while waiting:
        tableau, facet = waiting.popleft()
        if facet:
            tableau = tableau.copy()
            entering = tableau.complement(tableau.basis[facet[-1]])
            for row in facet:
                leaving = tableau.basis[row]
                tableau.exchange(row, tableau.columns.index(entering))
                entering = tableau.complement(leaving)
        facets = [facet for row in local.pairs for facet in _facets(tableau, local.pairs, row)]
        yield _LocalBasis(tableau, () in facets)
        J = _index_set(tableau)
        for facet in facets:
            beyond = J.symmetric_difference(_number(tableau, row) for row in facet)
            if beyond not in seen:
                seen.add(beyond)
                waiting.append((tableau, facet))


def _facets(tableau: Tableau, pairs: Sequence[int], row: int) -> Iterator[_Facet]:
    """Yield the ways across the facet on which the basic variable of a row is 0; () for one that leads nowhere."""
    values = tableau.column(RIGHT_SIDE)
    if values[row]:
        return
    rates = tableau.column(tableau.complement(tableau.basis[row]))
    if rates[row]:
        yield (row,)
        return
    falling = [k for k in pairs if rates[k] > 0]
    if not falling:
        yield ()
        return
    least = min(Fraction(-values[k], rates[k]) for k in falling)
    for k in falling:
        if -values[k] == least * rates[k]:
            yield (k, row)


def _index_set(tableau: Tableau) -> frozenset[int]:
    """Return the numbers of the constraints whose multipliers are basic."""
    return frozenset(_number(tableau, row) for row, label in enumerate(tableau.basis) if label < tableau.size) - {-1}


def _number(tableau: Tableau, row: int) -> int:
    """Return the number of the inequality whose variable is basic in a row; −1 for an unknown or an equality."""
    return max(tableau.basis[row] % tableau.size - tableau.free, -1)


def _piece(local: LocalProgram, tableau: Tableau) -> Piece:
    J = tuple(local.active[i] for i in sorted(_index_set(tableau)))
    n, p, solution = len(local.program.q), len(local.equalities), local.solution
    m = len(solution.inequalities)

    def by_parameter(row: Sequence[Fraction]) -> PartialVector:
        found: list[Fraction | None] = [*row[:n], *[ZERO] * m, *[None] * len(solution.program.b)]
        for k, r in enumerate(local.equalities):
            found[n + m + r] = row[n + k]
        for k, i in enumerate(local.active):
            found[n + i] = solution.inequalities[i].sign * row[n + p + k]
        return tuple(found)

    z = local.jacobian(tableau)[:n]
    losses = (gradient[0] for gradient in _gradients(local, tableau))
    return Piece(J, tuple(map(by_parameter, z)), tuple(map(by_parameter, losses)))


def _gradients(local: LocalProgram, tableau: Tableau) -> list[RationalMatrix]:
    """Return the gradient of each loss by (q, b, d), a matrix of one row."""
    J = local.jacobian(tableau)
    found = []
    for loss in local.losses:
        weights, unit = integers((*loss.z, *loss.equality_multipliers, *loss.multipliers))
        total = [0] * tableau.size
        for weight, row in zip(weights, J.numerators, strict=True):
            if weight:
                total = [a + weight * b for a, b in zip(total, row, strict=True)]
        found.append(RationalMatrix([total], unit * J.denominator))
    return found

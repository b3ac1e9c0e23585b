"""The derivatives of a program whose solution is unique: from K where it is differentiable, else from both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from implicitgrad.model.program.problem import times
from implicitgrad.model.program.solution import (
    Derivatives,
    MatrixGradients,
    Missing,
    Parameter,
    PartialVector,
    ProgramSolution,
    Sides,
    Slope,
)
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.numbers.null_space import integers
from implicitgrad.solvers.program.active_set import ZERO
from implicitgrad.solvers.program.one_sided import LocalProgram, LocalSlope
from implicitgrad.solvers.program.work import Work
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.hints import nearest

MAX_ENTRIES_BY_MULTIPLIERS = 250_000
"""Entries of ∂λ and ∂ν, most of which are 0 where there are many constraints, up to which they are given."""
Row = list[Any]
Builder = Callable[[list[Row]], BaseMatrix[Any]]


def parameters(solution: ProgramSolution) -> tuple[Parameter, ...]:
    """Return q, the rows of G, the lower and the upper bounds, and b."""
    names = solution.program.cost_names()
    return (
        *(Parameter("q", j, name) for j, name in enumerate(names)),
        *(Parameter(str(row.kind), row.number, row.name) for row in solution.inequalities),
        *(Parameter("b", r, name) for r, name in enumerate(solution.program.equality_names)),
    )


def joint_derivatives(solution: ProgramSolution) -> Derivatives:
    """Return the derivatives where K is regular and nothing is weak: they are its inverse's."""
    assert solution.kkt is not None
    J, g = solution.kkt.dy_dx, solution.kkt.dL_dx_rows or ()
    J, g = RationalMatrix.of(J), RationalMatrix.of(g)  # type: ignore[arg-type]
    of_J, of_g = (partial(RationalMatrix, denominator=matrix.denominator) for matrix in (J, g))
    return spread_derivatives(solution, J.numerators, g.numerators, of_J, of_g)


def spread_derivatives(
    solution: ProgramSolution, J: Sequence[Row], g: Sequence[Row], of_J: Builder, of_g: Builder
) -> Derivatives:
    """Return the derivatives in all parameters from those in the ones that play a part.

    J, g : the rows of K⁻¹ and of the losses. of_J, of_g : build matrices of such rows.
    """
    n, m, p, active = *sizes(solution), solution.active
    k, width = len(active), n + m + p
    places = [*range(n), *(n + i for i in active), *range(n + m, width)]
    factors = [*[1] * n, *(solution.inequalities[i].sign for i in active), *[1] * p]

    def spread(row: Row) -> Row:
        found = [0] * width
        for place, factor, entry in zip(places, factors, row, strict=True):
            found[place] = factor * entry
        return found

    rows = list(map(spread, J))
    multipliers = equality_multipliers = None
    if not has_too_many_multipliers(solution):
        by_number = dict(zip(active, rows[n : n + k], strict=True))
        multipliers = of_J([by_number.get(i, [0] * width) for i in range(m)])
        equality_multipliers = of_J(rows[n + k :])
    losses = of_g(list(map(spread, g)))
    return Derivatives(parameters(solution), of_J(rows[:n]), losses, {}, multipliers, equality_multipliers)


def sizes(solution: ProgramSolution) -> tuple[int, int, int]:
    """Return the numbers of unknowns, inequalities and equalities."""
    return solution.program.unknowns, len(solution.inequalities), len(solution.program.b)


def has_too_many_multipliers(solution: ProgramSolution) -> bool:
    """Return whether ∂λ and ∂ν would be too large."""
    n, m, p = sizes(solution)
    return (m + p) * (n + m + p) > MAX_ENTRIES_BY_MULTIPLIERS


def matrix_gradients(solution: ProgramSolution) -> Iterator[MatrixGradients]:
    """Yield ∂L/∂P = −½(u_z·zᵀ + z·u_zᵀ), ∂L/∂G = −(λ·u_zᵀ + u_λ·zᵀ) and ∂L/∂A = −(ν·u_zᵀ + u_ν·zᵀ) of each loss.

    u solves K·u = (∂L/∂z, ∂L/∂λ, ∂L/∂ν); (−u_z, u_λ, u_ν) is ∂L/∂(q, d, b). Source: Amos and Kolter, *OptNet* (2017),
    section 3.
    """
    assert solution.kkt is not None
    assert solution.z is not None
    n, m, p = len(solution.z), len(solution.program.G), len(solution.program.b)
    active = {i: n + k for k, i in enumerate(solution.active)}
    known = (*solution.z, *solution.multipliers[:m], *solution.equality_multipliers)
    numbers, unit = integers(known)  # type: ignore[arg-type]
    z, multipliers, duals = numbers[:n], numbers[n : n + m], numbers[n + m :]
    gradients = RationalMatrix.of(solution.kkt.dL_dx_rows or ())  # type: ignore[arg-type]
    denominator = gradients.denominator * unit
    for row in gradients.numerators:
        by_q = row[:n]

        def outer(multiplier: int, change: int, by_q: Sequence[int] = by_q) -> list[int]:
            return [multiplier * a - change * b for a, b in zip(by_q, z, strict=True)]

        P = [[a * y + x * b for b, y in zip(by_q, z, strict=True)] for a, x in zip(by_q, z, strict=True)]
        G = [outer(multipliers[i], row[active[i]]) if i in active else [0] * n for i in range(m)]
        A = [outer(duals[r], row[n + len(active) + r]) for r in range(p)]
        yield MatrixGradients(
            RationalMatrix(P, 2 * denominator), RationalMatrix(G, denominator), RationalMatrix(A, denominator)
        )


def partial_derivatives(solution: ProgramSolution, local: LocalProgram) -> Derivatives:
    """Return the derivatives in each parameter alone, from both sides where K does not say that they are the same."""
    n, m, p = sizes(solution)
    names = parameters(solution)
    both = [_sides(local, k - n, parameter) for k, parameter in enumerate(names)]
    columns = [Sides(local.derivative(left), local.derivative(right)) for left, right in both]
    shape = n, len(solution.program.losses)
    if not local.has_licq or has_too_many_multipliers(solution):
        return Derivatives.from_sides(names, columns, shape)
    found = [_multipliers(local, *pair) for pair in both]
    rows = [tuple(column[i] for column in found) for i in range(m + p)]
    return Derivatives.from_sides(names, columns, shape, (tuple(rows[:m]), tuple(rows[m:])))


def _sides(local: LocalProgram, row: int, parameter: Parameter) -> tuple[LocalSlope | Missing, LocalSlope | Missing]:
    """Return the derivatives from the left and from the right. row : the number of the parameter's inequality."""
    if parameter.key == "b" and parameter.number not in local.equalities:
        return Missing.INFEASIBLE, Missing.INFEASIBLE
    change = local.unit_change(parameter, row)
    if not local.solution.weak and change != local.no_change:
        known = _from_K(local, row, parameter)
        if known is not None:
            return known, known
    return local.both_slopes(change)


def _from_K(local: LocalProgram, row: int, parameter: Parameter) -> LocalSlope | None:
    """Return the column of K⁻¹, or of what a singular K determines, where nothing is weak; None if z has none there."""
    solution, kkt = local.solution, local.solution.kkt
    assert kkt is not None
    if parameter.key == "q":
        column, sign = parameter.number, 1
    elif parameter.key == "b":
        column, sign = len(kkt.x) - len(solution.program.b) + parameter.number, 1
    else:
        column, sign = solution.program.unknowns + local.active.index(row), solution.inequalities[row].sign
    values = tuple(None if entry is None else sign * entry for entry in (line[column] for line in kkt.dy_dx))
    n, k = solution.program.unknowns, len(local.active)
    if None in values[:n]:
        return None
    return LocalSlope(values[:n], values[n : n + k], tuple(values[n + k + r] for r in local.equalities))  # type: ignore[arg-type, misc]


def _multipliers(local: LocalProgram, left: LocalSlope | Missing, right: LocalSlope | Missing) -> PartialVector:
    """Return the derivatives of every λ and ν, where the active constraints are independent; None where none exist."""
    solution = local.solution
    _, m, p = sizes(solution)
    if isinstance(left, Missing) or isinstance(right, Missing) or left[1:3] != right[1:3]:
        return (None,) * (m + p)
    found: list[Fraction | None] = [ZERO] * m + [None] * p
    for i, entry in zip(local.active, right.multipliers, strict=True):
        found[i] = entry
    for r, entry in zip(local.equalities, right.equality_multipliers, strict=True):
        found[m + r] = None if solution.equality_multipliers[r] is None else entry
    return tuple(found)


def directional_derivative(solution: ProgramSolution, direction: Mapping[str, Fraction]) -> Slope | Missing:
    """Return the derivative of z and of the losses as some parameters grow at given rates, from that side.

    direction : rates by the names of the parameters: q[z1], h1, lb[z1], ub[z1], b1. Raise InputError for another name,
    and where there is no solution.
    """
    source = solution.program.source
    known = {parameter.name: (k, parameter) for k, parameter in enumerate(parameters(solution))}
    for name in direction:
        if name not in known:
            message = f"direction: expected the name of a parameter, got {quoted(name)}"
            hint = nearest(name, known) or f"The parameters are {', '.join(known)}"
            raise InputError([Problem(message, hint, "unknown-name", source)])
    if solution.z is None:
        raise InputError([Problem(f"direction: the program is {solution.status}", None, "no-solution", source)])
    if not solution.is_unique:
        return Missing.NOT_UNIQUE
    b = [direction.get(name, ZERO) for name in solution.program.equality_names]
    if not _is_along_constraints(solution, b):
        return Missing.INFEASIBLE
    if solution.is_differentiable:
        assert solution.derivatives is not None
        rates = [direction.get(name, ZERO) for name in known]
        z, losses = solution.derivatives.z, solution.derivatives.losses
        return Slope(times(z, rates), times(losses, rates))  # type: ignore[arg-type]
    local = LocalProgram(solution, Work(source))
    total = local.no_change
    for name, rate in direction.items():
        k, parameter = known[name]
        if parameter.key == "b" and parameter.number not in local.equalities:
            continue
        total = total.plus(local.unit_change(parameter, k - solution.program.unknowns, rate))
    return local.derivative(local.slope(total))


def _is_along_constraints(solution: ProgramSolution, b: Sequence[Fraction]) -> bool:
    """Return whether dependent equalities remain consistent as b changes so."""
    if solution.constraints is None:
        return True
    change = dict(zip(solution.program.equality_names, b, strict=True))
    independent = [change[name] for name in change if name not in solution.constraints.dependent]
    expected = times(solution.constraints.matrix, independent)
    return expected == tuple(change[name] for name in solution.constraints.dependent)

"""Add what the value of x determines: y, ∂L/∂A and ∂L/∂B.

Differentiating B·x = A·y in all of A, B and x gives A·dy = dB·x + B·dx − dA·y. With Aᵀu = ∂L/∂y,

    dL = ∂L/∂y·dy = uᵀ(dB·x + B·dx − dA·y):    ∂L/∂A = −u·yᵀ,    ∂L/∂B = u·xᵀ.

Without full rank, u is unique up to the left null space W of A, and y up to the null space V. A change of A and B has
solutions y near a given one only if Wᵀ(dB·x − dA·y) = 0, and then every u gives the same dL. So the entry (i, j) of
∂L/∂A exists if the change of that coefficient alone is such a change for every y, with the same −uᵢ·yⱼ for all u and y:
if uᵢ and yⱼ are unique, or one of them is 0 and unique. Without any u, where ∂L/∂y is not in the row space of A,
none does, for dL then depends on which solution is taken after the change.

Both u and y are read off the answer to r = A·y, B·x in place of x: u is the ∂L/∂r of that system, y its ∂y/∂r·r.

A letter a changes A and B in all its places at once, and a constant k of B·x + k = A·y: ∂L/∂a = uᵀ·c with c =
∂B/∂a·x + ∂k/∂a − ∂A/∂a·y. It exists if Wᵀc = 0 for every y, and uᵀc is the same for all. For F(x, y, a) = 0 at a
point c is −∂F/∂a there, and the implicit function theorem requires W = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from implicitgrad.model.at_value import AtValue
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import LinearSystem, numbered
from implicitgrad.model.verdict import show
from implicitgrad.numbers.display.sums import linear
from implicitgrad.numbers.matrix import BaseMatrix, RowMatrix
from implicitgrad.numbers.values import is_ball_matrix
from implicitgrad.solvers.derived.consistency import (
    beyond_doubles,
    independent_rows,
    refuse_contradictions,
    times,
    written_constraints,
)
from implicitgrad.text.errors import InputError, Problem

ROUNDED_X = (
    "rounded-x",
    "x satisfies its constraint up to rounding only: y solves as many equations as are independent",
)


Solve = Callable[..., Solution]
"""The solver that found a solution; it takes a system and whether only its gradient is needed, gradient_alone."""


def with_value(solution: Solution, wrt: Collection[str], solve: Solve) -> Solution:
    """Return the solution with y at the value of x, if the system has one, and with the gradients in ``wrt``.

    wrt : A, B, and letters; with A or B all letters. Raises InputError if no y solves the equations at that x, or a
    number is beyond the range of doubles.
    """
    try:
        return _with_value(solution, wrt, solve)
    except OverflowError:
        raise beyond_doubles(solution.system.source) from None


def _with_value(solution: Solution, wrt: Collection[str], solve: Solve) -> Solution:
    system = solution.system
    related = solution if system.B is None else _with_right_sides(solution, solve)
    one_of_many = None
    found, remarks = AtValue(None), solution.remarks
    u = related.dL_dx_rows
    if system.x_value is not None:
        right = _right_sides(system, system.x_value.transposed())
        one_of_many = _solved(related, right, solve)
        y = one_of_many
        if related.general.free:
            y = y.partial(related.general.null_space, {0: 0}, 1)
        y = y.transposed()
        if not refuse_contradictions(related, right, partial(_contradiction, solution, related)):
            remarks = (*remarks, ROUNDED_X)
        minus_y = y.negative()
        losses = range(0 if u is None else len(u))
        found = AtValue(
            y,
            one_of_many.transposed() if related.general.free else None,
            tuple([_of_loss(related, k, minus_y) for k in losses]) if "A" in wrt and losses else None,
            tuple([_of_loss(related, k, system.x_value) for k in losses]) if "B" in wrt and losses else None,
        )
    chosen = tuple([name for name in system.letters if not {name, "A", "B"}.isdisjoint(wrt)])
    if chosen and u is not None:
        columns = [_of_letter(solution, related, name, one_of_many) for name in chosen]
        found = found._replace(letters=chosen, dL_dletters=columns[0].beside(*columns[1:]))
    return solution._replace(at_value=found._replace(shows_x=not wrt or "x" in wrt), remarks=remarks)


def _right_sides(system: LinearSystem, x: BaseMatrix[Any]) -> BaseMatrix[Any]:
    """Return B·x + k as one column."""
    right = x if system.B is None else system.B.times(x)
    return right if system.constants is None else right.plus(system.constants)


def _of_letter(solution: Solution, related: Solution, letter: str, y: BaseMatrix[Any] | None) -> BaseMatrix[Any]:
    """Return ∂L/∂letter for all losses as one column. y : one of all; None for nonlinear equations at a point."""
    system, general = solution.system, related.general
    assert system.by_letter is not None
    assert general.dL_dx_particular is not None
    (M, N), P, place = system.A.shape, system.inputs, system.letters.index(letter)
    columns = system.by_letter.rows_at(range(M * place, M * (place + 1))).transposed()
    dA, dB, change = (
        columns.rows_at(part).transposed() for part in (range(N), range(N, N + P), range(N + P, N + P + 1))
    )
    is_open = [not is_unique for is_unique in related.unique_losses]
    if y is not None and system.x_value is not None:
        change = change.plus(dB.times(system.x_value.transposed())).plus(dA.times(y).negative())
        if general.free:
            of_free = dA.times(general.null_space)
            is_open = [True] * len(is_open) if _contradicts(related, of_free) else is_open
            along = times(general.dL_dx_particular, independent_rows(related, of_free))
            is_open = [one or varies for one, varies in zip(is_open, along.nonzero_rows(), strict=True)]
    if _contradicts(related, change) or (y is None and related.constraints is not None):
        is_open = [True] * len(is_open)
    found = times(general.dL_dx_particular, independent_rows(related, change))
    if system.origin is not None and system.origin.residual is not None:
        found = found.widened(None)  # the derivatives belong to a solution near the point
    return found.partial(RowMatrix([[one] for one in is_open]), {0: 0}, 1) if any(is_open) else found


def _contradicts(related: Solution, change: BaseMatrix[Any]) -> bool:
    """Return whether a change of the right sides is not proved to leave dependent equations consistent."""
    constraints = related.constraints
    if constraints is None:
        return False
    dependent = change.rows_at([related.system.x.index(name) for name in constraints.dependent])
    combined = times(constraints.matrix, independent_rows(related, change))
    return any(dependent.plus(combined.negative()).nonzero_rows())


def _with_right_sides(solution: Solution, solve: Solve) -> Solution:
    """Return the answer to r = A·y for any right sides r in place of B·x."""
    return solve(of_right_sides(solution.system), gradient_alone=solution.is_gradient_alone)


def of_right_sides(system: LinearSystem) -> LinearSystem:
    """Return r = A·y for right sides r, with the losses and nothing else of the system."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("B", "x_value", "dx", "constants", "by_letter", "origin", "exactly"),
    )
    return system._replace(x=numbered("r", system.equations), remarks=(), **nothing)


def _solved(related: Solution, right: BaseMatrix[Any], solve: Solve) -> BaseMatrix[Any]:
    """Return one y as a column, its free unknowns 0. right : the right sides as one column."""
    general = related.general
    if len(general.particular):
        return times(general.particular, independent_rows(related, right))
    # A was not inverted; as it is invertible, y is the adjoint of Aᵀ
    system = of_right_sides(related.system)
    adjoint = system._replace(A=system.A.transposed(), dL_dy=right.transposed(), x=system.y, y=system.x)
    found = solve(adjoint, gradient_alone=True).dL_dx_rows
    assert found is not None
    return found.transposed()


def _of_loss(related: Solution, k: int, other: BaseMatrix[Any]) -> BaseMatrix[Any]:
    """Return u·otherᵀ for the u of one loss; no entry is determined if there is no u."""
    assert related.dL_dx_rows is not None
    found = _outer(related.dL_dx_rows, k, other)
    return found if related.unique_losses[k] else found.partial(found, {}, found.shape[1])


def _outer(matrix: BaseMatrix[Any], i: int, other: BaseMatrix[Any]) -> BaseMatrix[Any]:
    """Return rowᵀ·other for row i and another of one row, with None where a product is not determined.

    One with a factor that is not determined is 0 if the other factor is, and not determined otherwise.
    """
    if is_ball_matrix(matrix):
        return matrix.outer(i, other)
    return matrix.with_rows([_product(a, b) for b in other[0]] for a in matrix[i])


def _product(a: Any, b: Any) -> Any:  # noqa: ANN401 (Fractions or Symbolics)
    if a is None or b is None:
        return next((factor for factor in (a, b) if factor is not None and not factor), None)
    return a * b


def _contradiction(
    solution: Solution, related: Solution, name: str, factors: Sequence[Any], difference: Fraction
) -> InputError:
    """Return the error for a combination of equations that x does not satisfy."""
    names = related.system.x
    terms = [(Fraction(1), f"equation {names.index(name) + 1}")]
    terms += [
        (-factor, f"equation {names.index(one) + 1}") for factor, one in zip(factors, related.independent, strict=True)
    ]
    said = linear(Fraction(0), terms, show)
    message = f"no y solves the equations at this x: {said} says {show(difference)} = 0"
    hint = None
    if solution.constraints is not None:
        hint = f"x must satisfy {written_constraints(solution)}"
    return InputError([Problem(message, hint, "bad-point", solution.system.source)])

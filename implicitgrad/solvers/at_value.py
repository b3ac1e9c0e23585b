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

from collections.abc import Collection, Sequence
from fractions import Fraction
from math import inf, isfinite
from typing import Any, Protocol

from implicitgrad.model.at_value import AtValue
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import LinearSystem
from implicitgrad.model.verdict import show
from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.numbers.doubles import Ball
from implicitgrad.numbers.formatting import linear
from implicitgrad.numbers.matrix import BaseMatrix, RowMatrix
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import InputError, Problem

ROUNDING = 2.0**-48
"""The error, relative to the terms of a sum, that the rounding of x may have caused."""
UNCERTIFIED = 2.0**-33
"""The same where the constraint itself is not certified."""
ROUNDED_X = (
    "rounded-x",
    "x satisfies its constraint up to rounding only: y solves as many equations as are independent",
)


class Solve(Protocol):
    """The solver that found the solution."""

    def __call__(self, system: LinearSystem, *, gradient_alone: bool) -> Solution:
        """Solve a system."""


def with_value(solution: Solution, wrt: Collection[str], solve: Solve) -> Solution:
    """Return the solution with y at the value of x, if the system has one, and with the gradients in ``wrt``.

    wrt : A, B, and letters; with A or B all letters. Raises InputError if no y solves the equations at that x, or a
    number is beyond the range of doubles.
    """
    try:
        return _with_value(solution, wrt, solve)
    except OverflowError:
        message = "expected numbers within the range of doubles, got one beyond ±1.8e308"
        hint = "--arithmetic exact has it as a fraction"
        raise InputError([Problem(message, hint, "overflow", solution.system.source)]) from None


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
        remarks = remarks if _refuse_impossible(solution, related, right) else (*remarks, ROUNDED_X)
        minus_y = y.negative()
        losses = range(0 if u is None else len(u))
        found = AtValue(
            y,
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
            along = _times(general.dL_dx_particular, _independent(related, of_free))
            is_open = [one or varies for one, varies in zip(is_open, along.nonzero_rows(), strict=True)]
    if _contradicts(related, change) or (y is None and related.constraints is not None):
        is_open = [True] * len(is_open)
    found = _times(general.dL_dx_particular, _independent(related, change))
    if isinstance(found, BallMatrix) and system.origin is not None and system.origin.residual is not None:
        found = BallMatrix(found.array, None)  # the derivatives belong to a solution near the point
    return found.partial(RowMatrix([[one] for one in is_open]), {0: 0}, 1) if any(is_open) else found


def _independent(related: Solution, rows: BaseMatrix[Any]) -> BaseMatrix[Any]:
    """Return the rows that belong to independent right sides."""
    return rows.rows_at([related.system.x.index(name) for name in related.independent])


def _contradicts(related: Solution, change: BaseMatrix[Any]) -> bool:
    """Return whether a change of the right sides is not proved to leave dependent equations consistent."""
    constraints = related.constraints
    if constraints is None:
        return False
    dependent = change.rows_at([related.system.x.index(name) for name in constraints.dependent])
    combined = _times(constraints.matrix, _independent(related, change))
    return any(dependent.plus(combined.negative()).nonzero_rows())


def _with_right_sides(solution: Solution, solve: Solve) -> Solution:
    """Return the answer to r = A·y for any right sides r in place of B·x."""
    system = solution.system
    names = tuple([f"r{i + 1}" for i in range(system.equations)])
    related = system._replace(
        B=None, x=names, x_value=None, constants=None, by_letter=None, origin=None, exactly=None, remarks=()
    )
    return solve(related, gradient_alone=solution.is_gradient_alone)


def _solved(related: Solution, right: BaseMatrix[Any], solve: Solve) -> BaseMatrix[Any]:
    """Return one y as a column, its free unknowns 0. right : the right sides as one column."""
    general = related.general
    if len(general.particular):
        return _times(general.particular, _independent(related, right))
    # A was not inverted; as it is invertible, y is the adjoint of Aᵀ
    system = related.system
    adjoint = system._replace(
        A=system.A.transposed(), dL_dy=right.transposed(), x=system.y, y=system.x, x_value=None, constants=None,
        by_letter=None, exactly=None,
    )  # fmt: skip
    found = solve(adjoint, gradient_alone=True).dL_dx_rows
    assert found is not None
    return found.transposed()


def _times(matrix: BaseMatrix[Any], column: BaseMatrix[Any]) -> BaseMatrix[Any]:
    """Return the product with a column, which may be empty. Raises OverflowError."""
    if not len(column) and not isinstance(matrix, BallMatrix):
        width = len(column[0]) if len(column) else 1
        return matrix.with_rows([[Fraction(0)] * width] * len(matrix))
    found = matrix.times(column)
    if isinstance(found, BallMatrix) and not all(isfinite(number) for row in found.plain_rows() for number in row):
        raise OverflowError
    return found


def _of_loss(related: Solution, k: int, other: BaseMatrix[Any]) -> BaseMatrix[Any]:
    """Return u·otherᵀ for the u of one loss; no entry is determined if there is no u."""
    assert related.dL_dx_rows is not None
    found = related.dL_dx_rows.outer(k, other)
    return found if related.unique_losses[k] else found.partial(found, {}, found.shape[1])


def _refuse_impossible(solution: Solution, related: Solution, right: BaseMatrix[Any]) -> bool:
    """Raise InputError if equations contradict one another at x; return whether none does, not even by rounding.

    right : the right sides as one column.
    """
    constraints = related.constraints
    if constraints is None:
        return True
    names = related.system.x
    given = _independent(related, right)
    found = right.rows_at([names.index(name) for name in constraints.dependent])
    wanted = _times(constraints.matrix, given)
    is_exact = True
    for name, factors, (side,), (combined,) in zip(
        constraints.dependent, constraints.matrix, found.bounded_rows(), wanted.bounded_rows(), strict=True
    ):
        if isinstance(side, Ball):
            terms = [abs(factor * one) for factor, (one,) in zip(factors, given, strict=True)]
            certain, allowed = _allowed(side, combined, float(sum(terms, abs(Fraction(side)))))
            difference: Any = Fraction(side) - Fraction(combined)
            is_exact &= abs(difference) <= certain
            is_possible = abs(difference) <= allowed
        else:
            difference = side - combined
            is_possible = not difference
        if not is_possible:
            raise _contradiction(solution, related, name, factors, difference)
    return is_exact


def _allowed(side: Ball, combined: Ball, size: float) -> tuple[float, float]:
    """Return the largest difference that the bounds allow, and that the rounding of x allows, too."""
    bound = side.error + combined.error
    if bound == inf:
        return inf, UNCERTIFIED * size
    return bound, bound + ROUNDING * size


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
        found = solution.constraints
        shown = [
            (name, linear(Fraction(0), zip(row, map(printable, solution.independent), strict=True), show))
            for name, row in zip(found.dependent, found.matrix, strict=True)
        ]
        hint = f"x must satisfy {', '.join(f'{printable(name)} = {total}' for name, total in shown[:3])}"
    return InputError([Problem(message, hint, "bad-point", solution.system.source)])

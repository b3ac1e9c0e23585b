"""Linearize F(x, y) = 0: A = ∂F/∂y and B = −∂F/∂x, anywhere or at a point, which may have to be found first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any, NamedTuple

from sympy import Abs, Expr, Rational, diff, expand, im, re
from sympy import Derivative as SympyDerivative
from sympy import sign as sympy_sign

from implicitgrad.symbolic.equations.interval import Radii, Unbounded, bound, enclose, surround
from implicitgrad.symbolic.equations.points import (
    DIGITS,
    PointError,
    matrix_at,
    named,
    refuse_jumps,
    residual_at,
    shown,
    solve_by_newton,
    value_at,
)
from implicitgrad.symbolic.function_field.element import Derivative
from implicitgrad.symbolic.grammar.expressions import Equation, ExpressionError, Node
from implicitgrad.symbolic.printing import write
from implicitgrad.symbolic.to_sympy import natural, symbol, to_expression

Entries = Sequence[Sequence[str | Derivative]]
"""Rows of numbers as texts, or of expressions."""


class Value(NamedTuple):
    """The value of a name at a point, as written."""

    text: str
    node: Node
    rounding: Fraction
    """Half a unit of its last decimal; 0 if it is exact."""


class Linearized(NamedTuple):
    """The matrices of the linearized equations, with numbers as texts."""

    A: Entries
    B: Entries
    hessian: Entries | None
    """The second derivatives of each equation with respect to inputs and unknowns, one below the other."""
    is_linear: bool
    point: dict[str, str]
    residual: str | None
    """max |F| at the point; None if it solves the equations exactly."""
    radii: tuple[Radii, Radii] | None = None
    """The distances within which the entries of A and B lie from those of a solution, if the point is inexact."""
    second: tuple[list[list[str]], Radii] | None = None
    """∂²y/∂x² of one equation in one unknown at an inexact point, and such distances."""
    has_constants: bool = False
    """Whether linear equations have terms without x and y."""
    hessian_radii: Radii | None = None
    """Such distances of the second derivatives of several equations."""
    x_value: Sequence[str | Derivative] = ()
    """The value of x, if equations are linear and it is known, or stands for itself."""
    constants: Entries = ()
    """A column, the k of B·x + k = A·y, of linear equations at a value of x; empty if it is 0."""
    letters: tuple[str, ...] = ()
    """The names besides x and y, if derivatives in them were asked for."""
    by_letter: Entries = ()
    """For each letter the derivatives of [A | B | k], [0 | 0 | −∂F] if the equations are not linear."""


class EquationError(Exception):
    """An expression is wrong in one of the equations."""

    def __init__(self, equation: int, error: ExpressionError) -> None:
        super().__init__(error.message)
        self.equation, self.error = equation, error


def linearize(
    equations: Sequence[Equation],
    unknowns: Sequence[str],
    inputs: Sequence[str],
    at: Mapping[str, Value],
    solve_for: Sequence[str],
    order: int = 1,
    *,
    in_letters: bool = False,
) -> Linearized:
    """Linearize; order 2 adds second derivatives, in_letters those in the letters.

    Raises EquationError, ExpressionError or PointError.
    """
    F = signed_differences(equations, unknowns)
    y, x = [symbol(name) for name in unknowns], [symbol(name) for name in inputs]
    A = [[derivative(f, v) for v in y] for f in F]
    B = [[-derivative(f, v) for v in x] for f in F]
    variables = {*x, *y}
    is_linear = not any(entry.free_symbols & variables for row in (*A, *B) for entry in row)
    H = None
    if order > 1 and len(F) == len(y) and not is_linear:
        H = [[derivative(slope, w) for w in (*x, *y)] for f in F for slope in [derivative(f, v) for v in (*x, *y)]]
    others = {v for f in F for v in f.free_symbols} - variables
    letters = sorted(others, key=lambda v: natural(v.name)) if in_letters else []
    k = [-f.subs(dict.fromkeys(variables, 0)) for f in F] if is_linear else []
    by_letter = _by_letter(F, A, B, k, letters)
    point = {symbol(name): to_expression(value.node) for name, value in at.items()}
    texts = {symbol(name): value.text for name, value in at.items() if name not in solve_for}
    residual, intervals = None, None
    if point:
        _refuse_missing(F, A, B, point, x, y, is_linear=is_linear)
        there = [value_at(f, point, is_rounded=bool(solve_for)) for f in F]
        if solve_for:
            sought = [symbol(name) for name in solve_for]
            found, residual = solve_by_newton(F, sought, point)
            point |= found
            intervals = None if residual is None else _proved(F, sought, point)
        elif variables <= point.keys():
            roundings = {symbol(name): value.rounding for name, value in at.items()}
            residual = residual_at(F, there, point, roundings)
            intervals = None if residual is None else surround(point, roundings)
    refuse_jumps(F, point)
    A_there, B_there, H_there, by_letter_there = (
        matrix_at(matrix, point, equations, is_rounded=intervals is not None) for matrix in (A, B, H or [], by_letter)
    )
    known = [point.get(v, v) for v in x] if x and is_linear and (letters or point.keys() >= {*x}) else []
    constants = matrix_at([[value] for value in k], point, equations, is_rounded=False) if known else []
    entries_of_A, entries_of_B, entries_of_H = map(_written, (A_there, B_there, H_there))
    radii = second = hessian_radii = None
    if intervals is not None:
        try:
            (entries_of_A, A_radii), (entries_of_B, B_radii) = (bound(matrix, point, intervals) for matrix in (A, B))
        except Unbounded:
            message = f"the equations have no derivative, or any, near {named(point)}"
            raise PointError(message, "Write more decimals, or the exact values") from None
        radii = A_radii, B_radii
        _refuse_lost_derivatives(A_there, A_radii, point)
        entries_of_H = _written([[entry.evalf(DIGITS - 10) for entry in row] for row in H_there])
        if H is not None:
            with suppress(Unbounded):
                if len(F) > 1:
                    entries_of_H, hessian_radii = bound(H, point, intervals)
                else:
                    second = bound(_second_derivatives(A[0][0], B[0], H), point, intervals)
    return Linearized(
        entries_of_A, entries_of_B, entries_of_H or None, is_linear,
        {v.name: texts.get(v) or shown(value) for v, value in point.items()}, residual, radii, second,
        any(expand(value) != 0 for value in k),
        x_value=_written([known])[0], constants=_written(constants) if any(map(any, constants)) else (),
        hessian_radii=hessian_radii, letters=tuple(v.name for v in letters), by_letter=_written(by_letter_there),
    )  # fmt: skip


def _by_letter(
    F: list[Expr], A: list[list[Expr]], B: list[list[Expr]], k: list[Expr], letters: Sequence[Expr]
) -> list[list[Expr]]:
    """Return for each letter the derivatives of [A | B | k] for linear equations, and of [0 | 0 | −F] for others.

    k : that of B·x + k = A·y; empty if the equations are not linear.
    """
    if k:
        rows = [[*a, *b, one] for a, b, one in zip(A, B, k, strict=True)]
        return [[derivative(entry, letter) for entry in row] for letter in letters for row in rows]
    zeros = [Rational(0)] * (len(A[0]) + len(B[0]))
    return [[*zeros, -derivative(f, letter)] for letter in letters for f in F]


def _second_derivatives(F_y: Expr, slopes: list[Expr], H: list[list[Expr]]) -> list[list[Expr]]:
    """Return ∂²y/∂x² for F(x, y) = 0, with −∂F/∂x in ``slopes`` and the second derivatives of F in H."""
    J, P = [slope / F_y for slope in slopes], len(slopes)
    return [
        [-(H[i][k] + H[i][P] * J[k] + H[k][P] * J[i] + H[P][P] * J[i] * J[k]) / F_y for k in range(P)] for i in range(P)
    ]


def _refuse_lost_derivatives(A: list[list[Expr]], radii: Radii, point: dict[Expr, Expr]) -> None:
    """Raise PointError if the digits of the point say nothing of an equation's derivatives: sin(y) at 1e300."""
    for i, (row, errors) in enumerate(zip(A, radii, strict=True)):
        if any(row) and all(error >= abs(float(value)) for value, error in zip(row, errors, strict=True)):
            message = f"the digits of {named(point)} leave open what the derivatives of equation {i + 1} are"
            raise PointError(message, "Write more digits, or the exact values", i)


def _proved(F: list[Expr], sought: list[Expr], point: dict[Expr, Expr]) -> dict[Expr, Any]:
    """Return intervals around the solution that Newton's method found. Raises PointError if none is proved there."""
    found = enclose(F, [[derivative(f, v) for v in sought] for f in F], sought, point)
    if found is None:
        message = f"solve_for: Newton's method reached {named({v: point[v] for v in sought})}, but it cannot be proved"
        message = f"{message} that a solution is there: ∂F/∂y may be singular, as at a fold"
        raise PointError(message, "Where the solution is known exactly, write it: y = sqrt(2)")
    return found


def signed_differences(equations: Sequence[Equation], unknowns: Sequence[str]) -> list[Expr]:
    """Return F, signed so that f(x) = g(y) gives A = ∂g/∂y and B = ∂f/∂x."""
    found = []
    for i, equation in enumerate(equations):
        try:
            difference = to_expression(equation.left) - to_expression(equation.right)
        except ExpressionError as error:
            raise EquationError(i, error) from None
        found.append(-difference if equation.begins_with_inputs(unknowns) else difference)
    return found


def derivative(f: Expr, v: Expr) -> Expr:
    """Return ∂f/∂v in the functions of the grammar. Raises PointError for an absolute value that may not be real."""
    found = diff(f, v).replace(sympy_sign, lambda u: u / Abs(u))
    if found.has(SympyDerivative, re, im):
        raise PointError("abs: expected an argument that is real for every x and y")
    return found


def _refuse_missing(
    F: list[Expr], A: list[list[Expr]], B: list[list[Expr]], point: dict[Expr, Expr], x: list[Expr], y: list[Expr],
    *, is_linear: bool,
) -> None:  # fmt: skip
    """Raise PointError for a name without a value that is needed, or a value of a name that no equation has.

    The answer may depend on the values of some names; those of unknowns can be tested only with all others.
    """
    variables = {*x, *y}
    needed = {v for row in (*A, *B) for entry in row for v in entry.free_symbols}
    if not is_linear or not point.keys().isdisjoint(y):
        needed |= {v for f in F for v in f.free_symbols}
    missing = needed - point.keys()
    if missing and (not is_linear or not point.keys().isdisjoint(y)):
        names = ", ".join(sorted(v.name for v in missing))
        may_be_found = missing <= variables and len(missing) == len(F)
        hint = f"solve_for: {names} finds it from a value to start at" if may_be_found else None
        raise PointError(f"at: expected a value for {names}, got none", hint)
    unknown = sorted(v.name for v in point.keys() - needed - variables - {v for f in F for v in f.free_symbols})
    if unknown:
        raise PointError(f"at: expected names that the equations have, got {unknown[0]!r}")


def _written(matrix: list[list[Expr]]) -> Entries:
    return [[write(entry) if entry.is_Number else Derivative(entry) for entry in row] for row in matrix]

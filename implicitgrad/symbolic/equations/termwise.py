"""Differentiate equations term by term, as one does by hand: 3·x² + 3·y²·y′ = 6·y + 6·x·y′."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from sympy import Add, Expr

from implicitgrad.symbolic.equations.linearize import derivative, signed_differences
from implicitgrad.symbolic.function_field.field import Field
from implicitgrad.symbolic.grammar.expressions import Equation, Node
from implicitgrad.symbolic.to_sympy import symbol, to_expression

PRIME = "′"
Value = Any
"""A Symbolic, where the rest of the program computes with Fractions."""
Factor = tuple[Value, int | None]
"""A coefficient and the index of the unknown by whose derivative it is multiplied; None for none."""
Sides = tuple[tuple[Factor, ...], tuple[Factor, ...]]
"""The derivatives of the terms on the left and on the right."""


class TermwiseDerivatives(NamedTuple):
    """The derivatives of equations in letters, with the unknowns as functions of the inputs."""

    sides: tuple[tuple[Sides, ...], ...]
    """(P, M): the sides of each equation, differentiated with respect to each input."""
    A: tuple[tuple[Value, ...], ...]
    """(M, N): the coefficients of ∂y/∂x after all terms with it were collected on one side."""
    B: tuple[tuple[Value, ...], ...]
    """(M, P): the other side."""
    hessian: tuple[Value, ...] | None = None
    """∂²F/∂x², ∂²F/∂x∂y and ∂²F/∂y² of one equation in one unknown and one input."""
    second: Value | None = None
    """∂²y/∂x² in terms of x, y and y′, a letter of its own."""
    second_with_slope: Value | None = None
    """∂²y/∂x² with ∂y/∂x in place of y′, before the equation itself is used to simplify it."""


def differentiate_terms(
    equations: Sequence[Equation], inputs: Sequence[str], unknowns: Sequence[str]
) -> TermwiseDerivatives:
    """Differentiate every term of every equation. Raise what ``linearize`` raises."""
    x, y = [symbol(name) for name in inputs], [symbol(name) for name in unknowns]
    sides = [[tuple(_terms(side, v, y) for side in equation) for equation in equations] for v in x]
    F = signed_differences(equations, unknowns)
    A = [[derivative(f, v) for v in y] for f in F]
    B = [[-derivative(f, v) for v in x] for f in F]
    hessian: list[Expr] = []
    second: list[Expr] = []
    if len(F) == len(x) == len(y) == 1:
        slope = symbol(unknowns[0] + PRIME)
        hessian = [derivative(derivative(F[0], v), w) for v, w in ((x[0], x[0]), (x[0], y[0]), (y[0], y[0]))]
        F_xx, F_xy, F_yy = hessian
        if A[0][0] != 0:
            second = [-(F_xx + 2 * F_xy * slope + F_yy * slope**2) / A[0][0]]
            second.append(second[0].subs(slope, B[0][0] / A[0][0]))
    factors = [factor for row in sides for pair in row for side in pair for factor, _ in side]
    field = Field([*factors, *chain.from_iterable((*A, *B)), *hessian, *second])
    return TermwiseDerivatives(
        tuple(
            tuple((_values(field, left), _values(field, right)) for left, right in equations_of_x)
            for equations_of_x in sides
        ),
        tuple(tuple(map(field.value, row)) for row in A),
        tuple(tuple(map(field.value, row)) for row in B),
        tuple(map(field.value, hessian)) or None,
        *(map(field.value, second) if second else (None, None)),
    )


def _terms(side: Node, x: Expr, unknowns: Sequence[Expr]) -> list[tuple[Expr, int | None]]:
    """Return the derivatives of a side's terms, each by the product and the chain rule."""
    found: list[tuple[Expr, int | None]] = []
    for node in side.parts if side.kind == "+" else (side,):
        term = to_expression(node)
        found += [(part, None) for part in Add.make_args(derivative(term, x))]
        found += [(derivative(term, y), j) for j, y in enumerate(unknowns)]
    return [(factor, j) for factor, j in found if factor != 0]


def _values(field: Field, terms: Sequence[tuple[Expr, int | None]]) -> tuple[Factor, ...]:
    return tuple((field.value(factor), j) for factor, j in terms)

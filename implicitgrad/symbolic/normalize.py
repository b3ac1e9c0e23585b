"""Expressions with few kinds of functions in them, which a field has generators for."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Abs, Add, Expr, Mul, Pow, Rational, S, cos, cosh, exp, sin, sinh, tan, tanh
from sympy import sign as sympy_sign

LARGEST_MULTIPLE = 4
LONGEST_ANGLE = 5
"""Terms of an angle that is expanded."""


def keeps_tanh(expressions: Sequence[Expr]) -> bool:
    """Whether tanh, whose derivative is a polynomial in it, can do without sinh and cosh."""
    arguments = {f.args[0] for expression in expressions for f in expression.atoms(tanh)}
    has_letters = all(argument.free_symbols for argument in arguments)
    return has_letters and not any(expression.has(sinh, cosh) for expression in expressions)


def prepared(expression: Expr, *, has_tanh: bool = False) -> Expr:
    """With few functions: sin and cos for tan, u/|u| for the sign of u, and exponents without sums.

    has_tanh : tanh stays as it is; else it is sinh by cosh.
    """
    expression = expression.replace(tan, lambda u: sin(u) / cos(u))
    if not has_tanh:
        expression = expression.replace(tanh, lambda u: sinh(u) / cosh(u))
    expression = expression.replace(sympy_sign, lambda u: u / Abs(u))
    expression = expression.replace(lambda e: e.is_Pow and e.exp.is_Add, _product_of_powers)
    return expression.replace(exp, lambda u: Mul(*map(exp, Add.make_args(u))))


def are_related(angles: set[Expr]) -> bool:
    """Whether some angles have a term in common, in small multiples, so that the sums of angles relate them."""
    multiples: dict[Expr, set[Expr]] = {}
    for angle in angles:
        for term, coefficient in angle.expand().as_coefficients_dict().items():
            multiples.setdefault(term, set()).add((coefficient, angle))
    if any(len(Add.make_args(angle)) > LONGEST_ANGLE for angle in angles):
        return False
    all_are_small = all(abs(c) <= LARGEST_MULTIPLE and c.is_Integer for found in multiples.values() for c, _ in found)
    return all_are_small and any(len(found) > 1 for found in multiples.values())


def exponent_of(expression: Expr) -> tuple[Rational, Expr]:
    """c and u of exp(c·u)."""
    coefficient, base = expression.args[0].as_coeff_Mul()
    return (coefficient, base) if coefficient.is_Rational else (S.One, expression.args[0])


def _product_of_powers(power: Expr) -> Expr:
    """x**(n - 1) as x**n·x**-1."""
    return Mul(*(Pow(power.base, term) for term in power.exp.args))

"""Rewrite expressions in the few kinds of functions that a field has generators for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sympy import Abs, Add, Expr, Function, Mul, Pow, Rational, S, cos, cosh, exp, sin, sinh, tan, tanh
from sympy import sign as sympy_sign

from implicitgrad.symbolic.odd_root import OddRoot

MAX_MULTIPLE = 4
MAX_ANGLE_TERMS = 5
"""The most terms of an angle that is expanded."""
MAX_EXPANDED = 32
"""The most terms of an expanded product of sums with nested functions."""
MAX_EXPANDED_DEPTH = 4
MAX_ROOT_ORDER = 12
"""The largest order of a root whose powers are polynomials in it; above, Q^1.852 is Q·g, with a generator Q^0.852."""


def keeps_tanh(expressions: Sequence[Expr]) -> bool:
    """Return whether tanh, whose derivative is a polynomial in tanh, can remain without sinh and cosh."""
    arguments = {f.args[0] for expression in expressions for f in expression.atoms(tanh)}
    has_letters = all(argument.free_symbols for argument in arguments)
    has_others = any(expression.has(sinh, cosh) for expression in expressions)
    return has_letters and not has_others and not factors_to_keep(expressions)


def prepared(expression: Expr, *, has_tanh: bool = False) -> Expr:
    """Rewrite tan with sin and cos, the sign of u as u/|u|, and exponents without sums.

    The arguments of functions do not change. has_tanh : keep tanh; otherwise it becomes sinh/cosh.
    """
    if expression.is_Add or expression.is_Mul:
        parts = tuple(prepared(part, has_tanh=has_tanh) for part in expression.args)
        found = expression if parts == expression.args else expression.func(*parts)
        return _secant(expression, has_tanh=has_tanh) or found
    if expression.is_Pow:
        base = prepared(expression.base, has_tanh=has_tanh)
        if base == expression.base and not expression.exp.is_Add:
            return expression
        return Mul(*(Pow(base, term) for term in Add.make_args(expression.exp)))
    if not expression.args:
        return expression
    u = expression.args[0]
    if isinstance(expression, exp):
        return Mul(*map(exp, Add.make_args(u)))
    if isinstance(expression, tan):
        return sin(u) / cos(u)
    if isinstance(expression, tanh) and not has_tanh:
        return sinh(u) / cosh(u)
    if isinstance(expression, sympy_sign | Abs | OddRoot):
        u = prepared(u, has_tanh=has_tanh)
        return u / Abs(u) if isinstance(expression, sympy_sign) else expression.func(u, *expression.args[1:])
    return expression


def _secant(expression: Expr, *, has_tanh: bool) -> Expr | None:
    """Return 1/cos(u)² for 1 + tan(u)², the derivative of tan(u), 1/cosh(u)² for 1 − tanh(u)², and None for others."""
    if not expression.is_Add or len(expression.args) != 2 or expression.args[0] != 1:
        return None
    number, power = expression.args[1].as_coeff_Mul()
    if not power.is_Pow or power.exp != 2:
        return None
    f = power.base
    if isinstance(f, tan) and number == 1:
        return cos(f.args[0]) ** -2
    return cosh(f.args[0]) ** -2 if isinstance(f, tanh) and number == -1 and not has_tanh else None


def factors_to_keep(expressions: Sequence[Expr]) -> set[Expr]:
    """Return sums with functions that are factors, if some products of nested functions are too long when expanded."""
    if not any(_terms(one) > MAX_EXPANDED and depth(one) > MAX_EXPANDED_DEPTH for one in expressions):
        return set()
    return {one for expression in expressions for one in _sums(expression) if one.atoms(Function)}


def _terms(expression: Expr) -> int:
    """Return a bound on the terms of numerator and denominator after expansion."""
    return max(_terms_of_fraction(expression))


def _terms_of_fraction(expression: Expr) -> tuple[int, int]:
    if expression.is_Add or expression.is_Mul:
        above, below = 0 if expression.is_Add else 1, 1
        for numerator, denominator in map(_terms_of_fraction, expression.args):
            if expression.is_Add:
                above = above * denominator + numerator * below
            else:
                above *= numerator
            below *= denominator
        return above, below
    if expression.is_Pow and expression.exp.is_Integer:
        power = min(abs(int(expression.exp)), MAX_EXPANDED)
        above, below = (number**power for number in _terms_of_fraction(expression.base))
        return (above, below) if expression.exp > 0 else (below, above)
    return 1, 1


def depth(expression: Expr) -> int:
    """Return the depth to which functions are nested."""
    inside: int = max(map(depth, expression.args), default=0)
    return inside + 1 if expression.is_Function else inside


def _sums(expression: Expr) -> Iterator[Expr]:
    """Yield the sums that are factors of an expression or of its terms."""
    if expression.is_Add or expression.is_Mul:
        for part in expression.args:
            if expression.is_Mul and part.is_Add:
                yield part
            else:
                yield from _sums(part)
    elif expression.is_Pow and expression.exp.is_Integer:
        if expression.base.is_Add:
            yield expression.base
        else:
            yield from _sums(expression.base)


def are_related(angles: set[Expr]) -> bool:
    """Return whether some angles share a term in small multiples, so that angle addition formulas relate them."""
    multiples: dict[Expr, set[Expr]] = {}
    for angle in angles:
        for term, coefficient in angle.expand().as_coefficients_dict().items():
            multiples.setdefault(term, set()).add((coefficient, angle))
    if any(len(Add.make_args(angle)) > MAX_ANGLE_TERMS for angle in angles):
        return False
    all_are_small = all(abs(c) <= MAX_MULTIPLE and c.is_Integer for found in multiples.values() for c, _ in found)
    return all_are_small and any(len(found) > 1 for found in multiples.values())


def exponent_of(expression: Expr) -> tuple[Rational, Expr]:
    """Return c and u of exp(c·u)."""
    coefficient, base = expression.args[0].as_coeff_Mul()
    return (coefficient, base) if coefficient.is_Rational else (S.One, expression.args[0])


class Split(NamedTuple):
    """A power of a root as base**whole · generator**times."""

    base: Expr
    whole: int
    generator: Expr | None
    times: int = 1


def split_root(expression: Expr) -> Split | None:
    """Split roots of odd order, and all of high order; return None for anything else."""
    root, power = (expression.base, expression.exp) if expression.is_Pow else (expression, S.One)
    if isinstance(root, OddRoot) and power.is_Integer:
        base, order = root.args
        if order <= MAX_ROOT_ORDER:
            return Split(base, 0, root, int(power))
        whole, times = divmod(int(power), int(order))
        return Split(base, whole, root**times if times else None)
    if expression.is_Pow and power.is_Rational and power.q > MAX_ROOT_ORDER:
        whole = power.p // power.q
        return Split(root, whole, Pow(root, power - whole))
    return None

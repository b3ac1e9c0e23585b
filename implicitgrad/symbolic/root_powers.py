"""Split powers of roots into a power of the base and one of a generator."""

from __future__ import annotations

from typing import NamedTuple

from sympy import Expr, Pow, S

from implicitgrad.symbolic.odd_root import OddRoot

MAX_ROOT_ORDER = 12
"""The largest order of a root whose powers are polynomials in it; above, Q^1.852 is Q·g, with a generator Q^0.852."""


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

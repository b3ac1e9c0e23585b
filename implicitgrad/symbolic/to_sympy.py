"""Convert trees of the grammar to SymPy expressions, with SymPy's constructors for what the grammar allows."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from math import comb, prod
from typing import Any

from sympy import Abs, Add, E, Expr, I, Mul, Pow, Rational, Symbol, nan, oo, pi, sqrt, zoo
from sympy.functions import acos, acosh, asin, asinh, atan, atan2, atanh, cos, cosh, erf, exp, log, sin, sinh, tan, tanh

from implicitgrad.symbolic.grammar.expressions import Equation, ExpressionError, Node, read_expression
from implicitgrad.symbolic.odd_root import power
from implicitgrad.symbolic.printing import write_latex

MAX_EXPONENT = 100
MAX_LOGARITHM = 10_000
"""The largest logarithm of a number."""
MAX_BITS = 20_000
"""The most bits of a power of a number."""
MAX_DIGITS = 4_000
"""The most digits of the numerator and denominator of a number at a point."""
MAX_DIGITS_LOGARITHM = MAX_DIGITS * math.log(10)
MAX_TERMS = 2_000
"""The most terms of an expression when it is expanded."""
_OPERATIONS: dict[str, Callable[..., Expr]] = {
    "+": Add, "*": Mul, "neg": lambda u: -u, "inverse": lambda u: 1 / u,
    "sin": sin, "cos": cos, "tan": tan, "sec": lambda u: 1 / cos(u), "csc": lambda u: 1 / sin(u),
    "cot": lambda u: cos(u) / sin(u), "asin": asin, "acos": acos, "atan": atan, "atan2": atan2, "sinh": sinh,
    "cosh": cosh, "tanh": tanh, "asinh": asinh, "acosh": acosh, "atanh": atanh, "exp": exp, "log": log, "ln": log,
    "log10": lambda u: log(u, 10), "log2": lambda u: log(u, 2), "sqrt": sqrt,
    "cbrt": lambda u: power(u, Rational(1, 3)), "abs": Abs, "erf": erf,
}  # fmt: skip
_NOT_REAL = (I, nan, oo, -oo, zoo)


def symbol(name: str) -> Symbol:
    """Return the real variable of a name."""
    return Symbol(name, real=True)


def natural(name: str) -> tuple[Any, ...]:
    """Return a sort key: a2 before a10."""
    return tuple(int(part) if part.isdecimal() else part for part in re.split("([0-9]+)", name))


def read_value(text: str) -> Expr:
    """Parse a text of the grammar as a SymPy expression. Raises ExpressionError."""
    return to_expression(read_expression(text))


def to_expression(node: Node) -> Expr:
    """Convert a tree. Raises ExpressionError if it is not real, or would be too large."""
    _terms(node)
    return _expression(node)


def _expression(node: Node) -> Expr:
    if node.kind == "number":
        return Rational(node.value.numerator, node.value.denominator)
    if node.kind == "name":
        return pi if node.text == "pi" else symbol(node.text)
    parts = [_expression(part) for part in node.parts]
    if node.kind == "inverse" and parts[0].is_zero:
        raise ExpressionError("expected a divisor that is not 0", node.offset, code="bad-number")
    if node.kind == "**":
        found = _power(node, *parts)
    else:
        found = _OPERATIONS[node.text if node.kind == "call" else node.kind](*parts)
    if node.kind in ("**", "call") and is_huge(found):
        raise ExpressionError(
            f"expected numbers of at most exp({MAX_LOGARITHM:,}), got more", node.offset, code="bad-number"
        )
    if found.has(*_NOT_REAL) or found.is_real is False:
        what = f"an argument for which {node.text} is real" if node.kind == "call" else "a real power"
        raise ExpressionError(f"expected {what}, got none", node.offset, code="bad-number")
    return found


def at_point(expression: Expr, point: Mapping[Expr, Expr]) -> Expr:
    """Return an expression with values for its letters.

    Raises OverflowError for numbers that are too large, before they are computed.
    """
    if not expression.args:
        return point.get(expression, expression)
    parts = [at_point(part, point) for part in expression.args]
    if isinstance(expression, exp | sinh | cosh) or expression.is_Pow:
        base, exponent = parts if expression.is_Pow else (E, parts[0])
        if base.is_number and exponent.is_number and not base.is_zero:
            is_fraction = base.is_Rational and exponent.is_Integer
            size = abs((exponent * log(abs(base))).evalf(5))
            if size.is_comparable and size > (MAX_DIGITS_LOGARITHM if is_fraction else MAX_LOGARITHM):
                raise OverflowError
    found = expression.func(*parts)
    if found.is_Rational and max(abs(found.p), found.q).bit_length() > MAX_DIGITS_LOGARITHM / math.log(2):
        raise OverflowError
    return found


def is_huge(expression: Expr) -> bool:
    """Return whether it contains a power that is a number too large, or too close to 0, to compute with."""
    powers = [power.as_base_exp() for power in expression.atoms(Pow, exp) if not power.free_symbols]
    return any(abs((exponent * log(abs(base))).evalf(5)) > MAX_LOGARITHM for base, exponent in powers)


def _power(node: Node, base: Expr, exponent: Expr) -> Expr:
    if exponent.is_Rational:
        if abs(exponent) > MAX_EXPONENT:
            message = f"expected an exponent of at most {MAX_EXPONENT}, got more"
            raise ExpressionError(message, node.offset, code="bad-number")
        number = base.as_coeff_Mul()[0]
        if max(abs(number.p), number.q).bit_length() * abs(exponent) > MAX_BITS:
            raise ExpressionError(
                f"expected a power of at most {MAX_BITS:,} bits, got more", node.offset, code="bad-number"
            )
    elif base.is_Rational and base <= 0:
        raise ExpressionError("expected a base above 0 for this exponent", node.offset, code="bad-number")
    return power(base, exponent)


def _terms(node: Node) -> tuple[int, int]:
    """Return bounds on the terms of numerator and denominator when expanded, with a function's value as one term.

    Raises ExpressionError if they are too large.
    """
    counts = [_terms(part) for part in node.parts]
    above, below = [count for count, _ in counts] or [1], [count for _, count in counts] or [1]
    found = above[0], below[0]
    if node.kind == "call":
        found = 1, 1
    elif node.kind == "inverse":
        found = below[0], above[0]
    elif node.kind == "+":
        found = sum(map(prod, counts)), max(below)
    elif node.kind == "*":
        found = prod(above), prod(below)
    elif node.kind == "**":
        found = _terms_of_power(found, node.parts[1])
    if max(found) > MAX_TERMS:
        raise ExpressionError(f"expected at most {MAX_TERMS:,} terms when multiplied out, got more", node.offset)
    return found


def _terms_of_power(base: tuple[int, int], exponent: Node) -> tuple[int, int]:
    is_negative = exponent.kind == "neg"
    value = exponent.parts[0] if is_negative else exponent
    if value.kind != "number":
        return 1, 1
    power = min(int(value.value), MAX_EXPONENT)
    above, below = (comb(count + power - 1, power) for count in base)
    return (below, above) if is_negative else (above, below)


def equation_in_latex(equation: Equation, name: Callable[[str], str]) -> str:
    """Write an equation in LaTeX."""
    return f"{expression_in_latex(equation.left, name)} = {expression_in_latex(equation.right, name)}"


def expression_in_latex(node: Node, name: Callable[[str], str]) -> str:
    """Write an expression in LaTeX."""
    return write_latex(to_expression(node), name)

"""Evaluate a claim with letters at a point of the equations, with a bound on the error."""

from __future__ import annotations

from fractions import Fraction

from implicitgrad.model.implicit_equations import ImplicitEquations, PointAccuracy
from implicitgrad.readers.claims.matrix import NOT_DETERMINED, ZERO, Entry, read_entry, read_expression
from implicitgrad.symbolic.equations.interval import Unbounded, bound, surround
from implicitgrad.symbolic.grammar.expressions import ExpressionError, has_letters
from implicitgrad.symbolic.to_sympy import read_value, symbol, to_expression
from implicitgrad.text.number_grammar import NumberError
from implicitgrad.text.number_texts import as_number, last_place

DIGITS = 50
UNSEEN = Fraction(1, 10**40)
"""Irrational numbers that differ by less count as equal."""


def read_at(origin: ImplicitEquations, item: object, *, is_symbolic: bool) -> Entry:
    """Read an entry as read_entry, or as read_expression for symbolic answers, with the point's values for letters."""
    if not isinstance(item, str) or not has_letters(item) or item.lower() in NOT_DETERMINED:
        return read_expression(item) if is_symbolic else read_entry(item)
    values = {symbol(name): to_expression(node) for (name, _), node in zip(origin.point, origin.values, strict=True)}
    try:
        expression = read_value(item)
    except ExpressionError as error:
        raise NumberError(error.message, error.hint) from None
    strange = sorted(letter.name for letter in expression.free_symbols - values.keys())
    if strange and not (is_symbolic and origin.is_linear):
        raise NumberError(f"expected letters that have a value at the point, got {', '.join(strange)}")
    value = expression.subs(values)
    if strange:
        return value, ZERO, False
    if value.is_real is not True or value.is_finite is not True:
        raise NumberError("expected an expression with a real value at the point, got one without")
    if is_symbolic:
        return value, ZERO, False
    if value.is_Rational:
        number, rounding = Fraction(int(value.p), int(value.q)), ZERO
    else:
        number = Fraction(str(value.evalf(DIGITS)))
        rounding = UNSEEN * (1 + abs(number))
    if origin.accuracy is PointAccuracy.EXACT:
        return number, rounding, False
    if origin.accuracy is PointAccuracy.COMPUTED:
        return number, rounding, True
    numbers = {name: as_number(text) for name, text in origin.point}
    roundings = {symbol(name): (last_place(text) or ZERO) / 2 if text else ZERO for name, text in numbers.items()}
    try:
        _, ((radius,),) = bound([[expression]], values, surround(values, roundings))
    except Unbounded:
        raise NumberError(
            "expected an expression with a value at every solution that rounds to the point, got one without"
        ) from None
    return number, rounding + Fraction(radius), False

"""Read matrix entries that are expressions with letters, a1 or 2*k/3, or constants, exp(1/3)."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from implicitgrad.model.spec import SystemSpec
from implicitgrad.model.system import ALWAYS_EXACT
from implicitgrad.numbers.values import as_fraction, shape_of, text_of
from implicitgrad.symbolic.function_field.element import Derivative
from implicitgrad.symbolic.grammar.expressions import (
    ExpressionError,
    Node,
    has_letters,
    read_expression,
    why_no_coefficient,
)
from implicitgrad.symbolic.grammar.mistaken_names import WrittenEntry
from implicitgrad.text.characters import count
from implicitgrad.text.errors import Problem
from implicitgrad.text.number_grammar import parse_ratio
from implicitgrad.text.number_texts import is_repr

if TYPE_CHECKING:
    from implicitgrad.symbolic.equations.interval import Approximation

INSTALL_SYMPY = "Letters and nonlinear equations need sympy: pip install 'implicitgrad[symbolic]'"

_IS_FORMULA = re.compile(r"[()^*]|[^\W\d].*[-+/]|^[+-]?[1-9][0-9]*[A-DF-Za-df-z]")
"""The marks of an expression; a text without them is taken for a misspelt number."""


def is_derivative(entry: object) -> bool:
    """Return whether an entry is a derivative of equations, and not a text."""
    return isinstance(entry, Derivative)


def is_expression(entry: object, spec: SystemSpec, *, if_read: bool = True) -> bool:
    """Return whether an entry that is no number is an expression.

    if_read : expressions count only if the reader takes them.
    """
    if isinstance(entry, Derivative):
        return True
    return not (if_read and spec.no_letters_hint is not None) and _has_letters(text_of(entry), spec)


def _has_letters(text: str, spec: SystemSpec) -> bool:
    return has_letters(text) and not is_repr(text) and (spec.origin is not None or why_no_coefficient(text) is None)


def why_no_algebra() -> str | None:
    """Return a hint if sympy is missing."""
    try:
        import implicitgrad.symbolic.to_sympy  # noqa: F401
    except ImportError:
        return INSTALL_SYMPY
    return None


def mistake_in(entry: object, spec: SystemSpec) -> str | None:
    """Return a hint at a text that resembles an expression and is none, if it does."""
    text = text_of(entry)
    if spec.no_letters_hint is not None:
        return None
    return why_no_coefficient(text) or None if has_letters(text) else syntax_error_in(text)


def syntax_error_in(text: str) -> str | None:
    """Return a hint at a text that begins as an expression and has an error in its syntax."""
    product = re.fullmatch(r"[+-]?([1-9][0-9]*)([A-DF-Za-df-z]\w*)", text)
    if product:
        return f"A product is written {product[1]}*{product[2]}"
    if not _IS_FORMULA.search(text):
        return None
    try:
        read_expression(text)
    except ExpressionError as error:
        return error.hint or f"As an expression: {error}"
    return None


def too_many_for_letters(spec: SystemSpec) -> Problem:
    """Return the problem of large systems of equations whose derivatives have letters."""
    nouns = {"A": ("equation", "unknown"), "B": ("equation", "input")}
    sizes = {
        noun: count(size, noun)
        for key, pair in nouns.items()
        if key in spec.values
        for noun, size in zip(pair, shape_of(spec.values[key].value), strict=True)
    }
    message = f"expected at most {ALWAYS_EXACT} equations, unknowns and inputs with letters"
    hint = "x names the inputs; where x and y have values, --at, there may be more"
    return Problem(f"{message}, got {', '.join(sizes.values())}", hint, "too-large", spec.source)


def enclose(entry: object) -> Approximation | None:
    """Return a ball around a constant; None if the entry has letters, or sympy is missing."""
    try:
        from implicitgrad.symbolic.equations.interval import approximation
    except ImportError:
        return None
    return approximation(entry.expression if isinstance(entry, Derivative) else text_of(entry))


def error_in(entry: object, spec: SystemSpec) -> ExpressionError | None:
    """Return what is wrong with an entry that looks like an expression; None if nothing is, or sympy is missing."""
    if spec.no_letters_hint is None and why_no_algebra() is None:
        try:
            parse_expression(entry, spec)
        except ExpressionError as error:
            return error
    return None


def parse_expression(entry: object, spec: SystemSpec) -> tuple[Any, WrittenEntry | None]:
    """Return an entry as a sympy expression, and its parsed text if it has letters.

    Raise NumberError if it is neither a number nor an expression, ExpressionError if it is a wrong expression.
    """
    from implicitgrad.symbolic.to_sympy import to_expression

    if isinstance(entry, Derivative):
        return entry.expression, None
    text = text_of(entry)
    if _has_letters(text, spec):
        node = read_expression(text)
        return to_expression(node), WrittenEntry(text, (node,))
    ratio = parse_ratio(entry) if isinstance(entry, str) else as_fraction(entry).as_integer_ratio()
    return to_expression(Node("number", 0, value=Fraction(*ratio))), None

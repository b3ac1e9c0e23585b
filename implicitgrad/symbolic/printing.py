"""Write SymPy expressions as text: in the grammar of expressions, for display, and in LaTeX."""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from implicitgrad.symbolic.grammar.expressions import SUPERSCRIPTS
from implicitgrad.symbolic.odd_root import with_powers
from implicitgrad.text.errors import InputError, Problem


class _PositiveFirst:
    """A printer that puts a positive term of a sum first: b − a rather than −a + b."""

    def _as_ordered_terms(self, expr: Expr, order: str | None = None) -> list[Expr]:
        terms: list[Expr] = super()._as_ordered_terms(expr, order=order)  # type: ignore[misc]
        first = next((term for term in terms if not term.could_extract_minus_sign()), terms[0])
        return [first, *(term for term in terms if term is not first)]


class _ExpressionPrinter(_PositiveFirst, StrPrinter):  # type: ignore[misc]
    """A printer of what the grammar reads."""

    def _print_Exp1(self, expr: Expr) -> str:
        return "exp(1)"

    def _print_Abs(self, expr: Expr) -> str:
        return f"abs({self._print(expr.args[0])})"

    def _print_Pow(self, expr: Expr, rational: bool = False) -> str:
        if expr.exp.is_Integer and expr.exp < -1:
            return f"1/{self._print(1 / expr)}"
        return str(super()._print_Pow(expr, rational=rational))


class _Latex(_PositiveFirst, LatexPrinter):  # type: ignore[misc]
    pass


class _Shower(_ExpressionPrinter):
    """A printer for display: x² and a·b."""

    def _print_Pow(self, expr: Expr, rational: bool = False) -> str:
        if expr.exp.is_Integer and 2 <= expr.exp <= 9:
            return str(self.parenthesize(expr.base, PRECEDENCE["Pow"])) + SUPERSCRIPTS[int(expr.exp)]
        return str(super()._print_Pow(expr, rational=rational))


def write(expression: Expr) -> str:
    """Return the text in the grammar of expressions."""
    return _printed(_ExpressionPrinter(), expression)


def show(expression: Expr) -> str:
    """Return the text for display."""
    text = _printed(_Shower(), expression)
    return text.replace("**", "^").replace("*", "·").replace(" - ", " − ")


def write_latex(expression: Expr, name: Callable[[str], str]) -> str:
    """Return LaTeX; ``name`` gives the LaTeX of each letter."""
    names = {letter: name(letter.name) for letter in expression.free_symbols}
    return _printed(_Latex({"symbol_names": names}), expression)


def _printed(printer: StrPrinter | LatexPrinter, expression: Expr) -> str:
    """Return the text of an expression. Raise InputError if Python refuses to write one of its integers."""
    try:
        return str(printer.doprint(with_powers(expression)))
    except ValueError as error:
        message = "expected an answer with shorter integers, got one of thousands of digits"
        raise InputError([Problem(message, "Fewer letters, or decimals in place of them", "too-large")]) from error

"""Notation in plain text: the spelling of names, numbers, sums, tables and matrices on a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self, TypeVar

from implicitgrad.numbers.display.style import Expression, NumberStyle, is_short_in_table, is_short_in_text
from implicitgrad.writers.elements import Block, Equations, Row, loss_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from implicitgrad.numbers.display.form import NumberOptions
    from implicitgrad.symbolic.function_field.element import Symbolic
    from implicitgrad.symbolic.grammar.expressions import Equation
    from implicitgrad.writers.options import ShownAnswer

T = TypeVar("T")
Terms = Iterable[tuple[Fraction, str]]


class Notation:
    """Plain text: ∂y1/∂x1, matrices in brackets on lines of their own. Names are given as the user wrote them."""

    def __init__(self, options: NumberOptions, label: Callable[[str], str], mention: Callable[[str], str]) -> None:
        """Take the spelling of names.

        label : spells a name in a heading, a cell or an equation. mention : spells a name in a sentence, which the page
        escapes as a whole.
        """
        self.options, self.label, self.mention = options, label, mention
        self.style: NumberStyle | None = None
        """The style of all numbers; None if each has a style of its own."""
        self.collected: list[Fraction] | None = None
        """Where numbers are collected, and not written, while the style of a table is not known."""

    def in_one_style(self, build: Callable[[Self], T], is_short: Callable[[Fraction], bool] = is_short_in_table) -> T:
        """Build a table in which all numbers are written in one style: once to collect them, then in that style.

        is_short : whether the table may show a number as a fraction.
        """
        values: list[Fraction] = []
        build(self._with(None, values))
        return build(self._with(NumberStyle.of(values, self.options, is_short=is_short), None))

    def _with(self, style: NumberStyle | None, collected: list[Fraction] | None) -> Self:
        found = copy(self)
        found.style, found.collected = style, collected
        return found

    def show(self, value: Fraction) -> str:
        """Return one number in plain text."""
        if self.collected is not None:
            self.collected.append(value)
            return "0"
        style = self.style or NumberStyle.of([value], self.options, is_short=is_short_in_text)
        return style.show(value)

    def number(self, value: Fraction) -> str:
        """Return one number as the page spells it."""
        return self.show(value)

    def column(self, values: Sequence[Fraction]) -> list[Expression]:
        """Return the numbers padded for alignment at the right."""
        texts = list(map(self.show, values)) if self.style is None else self.style.column(values)
        return list(map(Expression.of, texts))

    def rows(self, labels: Iterable[str], lines: Iterable[Sequence[Any]]) -> tuple[Row, ...]:
        """Return the rows of a table, none without columns. lines : numbers, which are aligned, and expressions."""
        columns = []
        for column in zip(*lines, strict=True):
            numbers = iter(self.column([cell for cell in column if not isinstance(cell, Expression)]))
            columns.append([cell if isinstance(cell, Expression) else next(numbers) for cell in column])
        return tuple(Row(label, cells) for label, cells in zip(labels, zip(*columns, strict=True), strict=False))

    def jacobian(self, shown: ShownAnswer, J: Sequence[Sequence[Any]], dL_dx: Sequence[Sequence[Any]]) -> Block:
        """Return the table of ∂y/∂x and ∂L/∂x in what is shown. J, dL_dx : rows of numbers and expressions, or ()."""
        labels = [*map(self.label, shown.y[: len(J)]), *loss_labels(len(dL_dx))]
        rows = self.rows(labels, [*J, *dL_dx])
        return Block(tuple(map(self.label, shown.x)), rows[: len(J)], rows[len(J) :])

    def table(self, corner: str, heads: Sequence[str], labels: Sequence[str], lines: Sequence[Sequence[Any]]) -> Block:
        """Return a table with its numbers in one style. lines : numbers and expressions."""
        return self.in_one_style(lambda notation: Block(tuple(heads), notation.rows(labels, lines), corner=corner))

    def matrix(self, rows: Sequence[Sequence[Fraction]]) -> list[list[str]]:
        """Return the texts of a matrix in an equation, in one style."""
        return self.in_one_style(lambda notation: [list(map(notation.number, row)) for row in rows], is_short_in_text)

    def sum(self, constant: Fraction, terms: Terms) -> Expression:
        """Return constant + Σ coefficient·symbol, a piece for each term; the symbols are spelled already."""
        from implicitgrad.numbers.display.sums import linear

        return linear(constant, terms, self.show)

    def equations(self, values: Mapping[str, Fraction]) -> Equations:
        """Return ``name = number`` for spelled names, with the numbers in one style."""
        return self.in_one_style(
            lambda notation: Equations(tuple(notation.sum(value, ()).named(name) for name, value in values.items()))
        )

    def name(self, name: str) -> str:
        """Return a name in an equation: its label."""
        return self.label(name)

    def change(self, name: str) -> str:
        """Return ``dx``, a small change of an input."""
        return f"d{self.label(name)}"

    def derivative(self, above: str, below: str) -> str:
        """Return ``∂above/∂below``."""
        return f"∂{self.label(above)}/∂{self.label(below)}"

    def gradient(self, loss: str, letter: str) -> str:
        """Return ``∂L/∂a``."""
        return self.derivative(loss, letter)

    def prime(self, y: str, order: int = 1) -> str:
        """Return ``y′``, the derivative with respect to the only input, or ``y″``."""
        return self.label(y) + "′″"[order - 1]

    def second_derivative(self, y: str, one: str, other: str) -> str:
        """Return ``∂²y/∂x²`` or ``∂²y/∂x1∂x2``."""
        below = f"∂{self.label(one)}²" if one == other else f"∂{self.label(one)}∂{self.label(other)}"
        return f"∂²{self.label(y)}/{below}"

    def product(self, one: str, other: str) -> str:
        """Return the product of two spelled factors."""
        if one != other:
            return f"{one}·{other}"
        return f"{one}²" if one.endswith("′") else f"({one})²"

    def comparison(self, value: Symbolic, sign: str) -> str:
        """Return that a value is 0 (``=``) or not (``≠``): ``k = -2`` for k + 2, ``b ≠ c`` for b − c."""
        from implicitgrad.writers.pages.comparisons import compare_with_zero

        return compare_with_zero(value.shown, sign)

    def as_written(self, equation: str, tree: Equation) -> str:
        """Return an equation that the user wrote, with typographic operators."""
        return equation.replace("**", "^").replace("*", "·").replace(" - ", " − ")

    def inline(self, mathematics: str) -> str:
        """Return spelled mathematics for a spelled sentence."""
        return mathematics

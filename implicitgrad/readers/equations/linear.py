"""Read linear equations with numbers as coefficients: the matrices A and B, without algebra."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from implicitgrad.numbers.doubles import Decimals
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.symbolic.grammar.expressions import Equation, Node
from implicitgrad.text.characters import format_fraction

MAX_BITS = 20_000
"""The longest numerator or denominator of a power of a number, in bits."""
LARGE = 2**12
"""Entries of a matrix; loading numpy takes longer than reading fewer one by one."""
Sum = dict[str, Fraction]
"""Σ coefficient·name, as coefficients by name, with the constant under ""."""


def linear_sums(equations: Sequence[Equation]) -> list[Sum] | None:
    """Return left − right of each equation, if all are linear with numbers as coefficients, else None."""
    found = []
    try:
        for equation in equations:
            total = _sum(equation.left)
            for name, value in _sum(equation.right).items():
                total[name] = total.get(name, Fraction(0)) - value
            found.append(total)
    except _NotLinear:
        return None
    return found


class _NotLinear(Exception):
    """The tree is no sum of multiples of names."""


def _sum(node: Node) -> Sum:
    """Return a tree as Σ number·name. Raises _NotLinear."""
    if node.kind == "number":
        return {"": node.value}
    if node.kind == "name":
        return {node.text: Fraction(1)}
    if node.kind == "+":
        total: Sum = {}
        for part in node.parts:
            for name, value in _sum(part).items():
                total[name] = total.get(name, Fraction(0)) + value
        return total
    if node.kind == "neg":
        return {name: -value for name, value in _sum(node.parts[0]).items()}
    if node.kind == "*":
        product: Sum = {"": Fraction(1)}
        for part in node.parts:
            factor = _sum(part)
            if _is_number(factor):
                product = {name: value * factor.get("", Fraction(0)) for name, value in product.items()}
            elif _is_number(product):
                product = {name: value * product.get("", Fraction(0)) for name, value in factor.items()}
            else:
                raise _NotLinear
        return product
    values = [_sum(part) for part in node.parts]
    if not all(map(_is_number, values)):
        raise _NotLinear
    base = values[0].get("", Fraction(0))
    if node.kind == "inverse" and base:
        return {"": 1 / base}
    if node.kind == "**" and base:
        exponent = values[1].get("", Fraction(0))
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if exponent.denominator == 1 and abs(exponent) * bits <= MAX_BITS:
            return {"": base ** int(exponent)}
    raise _NotLinear


def _is_number(total: Sum) -> bool:
    return not any(value for name, value in total.items() if name)


class SparseCoefficients(NamedTuple):
    """A matrix given by the nonzero entries of its rows."""

    rows: list[dict[int, Fraction]]
    """The nonzero entries of each row by column."""
    columns: int

    def written(self) -> list[list[str]] | Decimals:
        """Return the matrix as texts, for a large one also as doubles."""
        if len(self.rows) * self.columns >= LARGE and (doubles := self._doubles()) is not None:
            return Decimals(doubles, False, self._texts)
        return self._texts()

    def _texts(self) -> list[list[str]]:
        texts = []
        for row in self.rows:
            texts.append(["0"] * self.columns)
            for j, value in row.items():
                texts[-1][j] = format_fraction(value)
        return texts

    def _doubles(self) -> BaseMatrix[Any] | None:
        from implicitgrad.numbers.ball import from_sparse

        try:
            return from_sparse(self.rows, self.columns)
        except OverflowError:
            return None

    @property
    def is_identity(self) -> bool:
        """Return whether it is the identity."""
        return len(self.rows) == self.columns and all(row == {i: 1} for i, row in enumerate(self.rows))


def coefficients(
    sums: Sequence[Sum], equations: Sequence[Equation], unknowns: Sequence[str], inputs: Sequence[str]
) -> tuple[SparseCoefficients, SparseCoefficients]:
    """Return A and B of B·x = A·y from the sums left − right of equations."""
    A, B = SparseCoefficients([], len(unknowns)), SparseCoefficients([], len(inputs))
    columns = {name: j for j, name in enumerate(unknowns)}
    columns_of_B = {name: k for k, name in enumerate(inputs)}
    for total, equation in zip(sums, equations, strict=True):
        sign = -1 if equation.begins_with_inputs(columns) else 1  # as in x1 = ..., otherwise as in ... - x1 = 0
        A.rows.append({columns[name]: sign * value for name, value in total.items() if value and name in columns})
        B.rows.append(
            {columns_of_B[name]: -sign * value for name, value in total.items() if value and name in columns_of_B}
        )
    return A, B

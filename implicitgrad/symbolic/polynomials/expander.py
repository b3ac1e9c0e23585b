"""Expand expressions as polynomials in unknowns whose coefficients are expressions of letters, at a point."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from implicitgrad.symbolic.grammar.expressions import TOO_LARGE, ExpressionError, Node
from implicitgrad.symbolic.grammar.functions import CONSTANTS
from implicitgrad.symbolic.polynomials.dual_numbers import (
    ONE,
    ZERO,
    DualNumber,
    DualNumberError,
    IrrationalError,
    shown,
)

MAX_DEGREE = 4
"""Of what may cancel; the result is of degree 2 at most."""
MAX_PRODUCTS = 150_000
"""Of terms, in all expressions of a program: squares of sums of 380 terms have as many. They take seconds."""
IRRATIONAL_HINT = "Put another letter in its place, with a decimal for it in at"

Monomial = tuple[int, ...]
"""The numbers of the unknowns in a product, in order: (0, 0, 2) is z1²·z3."""
Polynomial = dict[Monomial, DualNumber]


class Expander:
    """Expands expressions at a point."""

    def __init__(
        self, unknowns: Mapping[str, int], point: Mapping[str, Fraction], irrational_hint: str = IRRATIONAL_HINT
    ) -> None:
        """Take the unknowns with their numbers, and the value of every letter."""
        self.names, self.unknowns, self.point = list(unknowns), unknowns, point
        self.irrational_hint = irrational_hint
        self.degree, self.expected, self.products = 0, "", 0
        self.places: dict[Monomial, int] = {}

    def expand(self, node: Node, degree: int, expected: str) -> Polynomial:
        """Expand an expression. Raise ExpressionError if it is not of that degree or less.

        expected : what an error says.
        """
        self.degree, self.expected, self.places = degree, expected, {}
        found = self._expand(node)
        for monomial in found:
            if len(monomial) > degree:
                raise self._unexpected(f"the term {self._text(monomial)}", self.places[monomial])
        return found

    def _unexpected(self, found: str, offset: int) -> ExpressionError:
        return ExpressionError(f"expected {self.expected}, got {found}", offset, code="bad-degree")

    def _text(self, monomial: Monomial) -> str:
        powers = {j: monomial.count(j) for j in monomial}
        return "*".join(self.names[j] + (f"^{power}" if power > 1 else "") for j, power in powers.items())

    def _expand(self, node: Node) -> Polynomial:
        if node.kind == "number":
            return _nonzero({(): DualNumber(node.value)})
        if node.kind == "name":
            return self._name(node)
        if node.kind == "+":
            total: Polynomial = {}
            for part in node.parts:
                for monomial, coefficient in self._expand(part).items():
                    total[monomial] = total[monomial].plus(coefficient) if monomial in total else coefficient
            return _nonzero(total)
        if node.kind == "neg":
            return self._product({(): DualNumber(Fraction(-1))}, self._expand(node.parts[0]), node)
        if node.kind == "*":
            product: Polynomial = {(): ONE}
            for part in node.parts:
                product = self._product(product, self._expand(part), node)
            return product
        if node.kind == "**":
            return self._power(node)
        operand, is_inverse = self._expand(node.parts[0]), node.kind == "inverse"
        if not _is_constant(operand):
            what = "a division by" if is_inverse else f"{node.text} of"
            raise self._unexpected(f"{what} the unknown {self._unknown_in(node)}", node.offset)
        return _nonzero({(): self._checked(node, operand.get((), ZERO), Fraction(-1) if is_inverse else None)})

    def _name(self, node: Node) -> Polynomial:
        if node.text in self.unknowns:
            monomial = (self.unknowns[node.text],)
            self.places.setdefault(monomial, node.offset)
            return {monomial: ONE}
        if node.text in CONSTANTS:
            message = f"expected rational numbers, got {node.text}"
            raise ExpressionError(message, node.offset, self.irrational_hint, "irrational")
        return {(): DualNumber(self.point[node.text], {node.text: Fraction(1)})}

    def _product(self, left: Polynomial, right: Polynomial, node: Node) -> Polynomial:
        self.products += len(left) * len(right)
        if self.products > MAX_PRODUCTS:
            raise ExpressionError(TOO_LARGE, node.offset, code="too-large")
        found: Polynomial = {}
        for one, factor in left.items():
            for other, coefficient in right.items():
                monomial = tuple(sorted((*one, *other)))
                self.places.setdefault(monomial, node.offset)
                if len(monomial) > MAX_DEGREE:
                    raise self._unexpected(f"the term {self._text(monomial)}", node.offset)
                try:
                    term = factor.times(coefficient)
                except DualNumberError as error:
                    raise ExpressionError(str(error), node.offset, code="too-large") from None
                found[monomial] = found[monomial].plus(term) if monomial in found else term
        return _nonzero(found)

    def _power(self, node: Node) -> Polynomial:
        base, power = self._expand(node.parts[0]), self._expand(node.parts[1])
        if not _is_constant(power):
            raise self._unexpected(f"the unknown {self._unknown_in(node.parts[1])} in an exponent", node.offset)
        exponent = power.get((), ZERO)
        if exponent.partials:
            letter = next(iter(exponent.partials))
            message = f"expected an exponent without letters, got {letter} in it"
            raise ExpressionError(message, node.offset, self.irrational_hint, "irrational")
        if _is_constant(base):
            return _nonzero({(): self._checked(node, base.get((), ZERO), exponent.value)})
        if exponent.value.denominator != 1 or not 0 <= exponent.value <= MAX_DEGREE:
            unknown = self._unknown_in(node.parts[0])
            raise self._unexpected(f"the power {shown(exponent.value)} of the unknown {unknown}", node.offset)
        found: Polynomial = {(): ONE}
        for _ in range(int(exponent.value)):
            found = self._product(found, base, node)
        return found

    def _checked(self, node: Node, operand: DualNumber, exponent: Fraction | None) -> DualNumber:
        """Return a power, an inverse or a function of a number."""
        try:
            return operand.under(node.text) if exponent is None else operand.to_power(exponent)
        except DualNumberError as error:
            where = ", ".join(f"{name} = {shown(self.point[name])}" for name in operand.partials)
            is_irrational = isinstance(error, IrrationalError)
            raise ExpressionError(
                f"{error} at {where}" if where else str(error),
                node.offset,
                self.irrational_hint if is_irrational else None,
                "irrational" if is_irrational else "bad-number",
            ) from None

    def _unknown_in(self, node: Node) -> str:
        return next(name for name in node.names() if name in self.unknowns)


def _is_constant(polynomial: Polynomial) -> bool:
    return polynomial.keys() <= {()}


def _nonzero(polynomial: Polynomial) -> Polynomial:
    return {monomial: coefficient for monomial, coefficient in polynomial.items() if not coefficient.is_zero}

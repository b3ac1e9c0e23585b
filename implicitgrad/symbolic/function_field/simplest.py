"""Write quotients of polynomials in functions as the shortest of several simplified expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sympy import Dummy, Expr, Mul, Pow, Rational, cos, cosh, simplify, sin, sinh, tanh, together
from sympy.polys.rings import PolyElement

from implicitgrad.symbolic.function_field.factoring import irreducible_factors
from implicitgrad.symbolic.function_field.normalize import MAX_ROOT_ORDER, depth
from implicitgrad.symbolic.printing import write

MAX_FACTORED = 100
"""The most terms of numerator and denominator that are factored."""
MAX_SIMPLIFIED = 60
"""The most operations of an expression passed to SymPy's simplify."""
MAX_SIMPLIFIED_DEPTH = 6


class Simplifier:
    """Simplifies quotients of polynomials in the generators of one field."""

    def __init__(
        self, expression_of: Callable[[PolyElement], Expr], tanh_generators: Sequence[Any], *, has_functions: bool
    ) -> None:
        """Take what the field knows.

        expression_of : writes a polynomial with what its generators stand for. tanh_generators : the generators that
        stand for tanh(u).
        """
        self.expression_of, self.tanh_generators, self.has_functions = expression_of, tanh_generators, has_functions
        self.products: dict[Any, Expr] = {}
        """The factored polynomials so far."""

    def simplest(self, above: PolyElement, below: PolyElement) -> Expr:
        """Return the shortest of several forms of above/below."""
        numerator, denominator = self.expression_of(above), self.expression_of(below)
        plain = numerator / denominator
        if len(above) + len(below) > MAX_FACTORED:
            return plain
        if not plain.free_symbols and plain.is_Rational:
            return plain
        factored = self._factored(above)
        candidates = [plain, factored / denominator, factored / self._factored(below)]
        if self.has_functions and _can_be_simplified(plain):
            candidates += [_simplified(plain), together(plain)]
        if all(coefficient < 0 for coefficient in above.coeffs()):
            candidates.append(-(self._factored(-above) / denominator))
        return min(candidates, key=lambda candidate: _length(write(candidate)))

    def _factored(self, polynomial: PolyElement) -> Expr:
        """Return a polynomial as the product of its irreducible factors."""
        if polynomial not in self.products:
            number, factors = irreducible_factors(polynomial)
            powers = [Pow(self.expression_of(one), power) for one, power in self._with_squares(factors)]
            self.products[polynomial] = Mul(Rational(int(number.numerator), int(number.denominator)), *powers)
        return self.products[polynomial]

    def _with_squares(self, factors: Sequence[tuple[Any, int]]) -> list[tuple[Any, int]]:
        """Join tanh(u) − 1 and tanh(u) + 1 of the same power to tanh(u)² − 1."""
        found = dict(factors)
        for t in self.tanh_generators:
            if found.get(t - 1, 0) == found.get(t + 1, 0) > 0:
                found[t**2 - 1] = found.pop(t - 1)
                del found[t + 1]
        return list(found.items())


def _simplified(expression: Expr) -> Expr:
    """Simplify with letters for the arguments of functions, so that no angle is expanded."""
    letters: dict[Expr, Dummy] = {}

    def with_letter(function: Expr) -> Expr:
        argument = function.args[0]
        return function.func(letters.setdefault(argument, Dummy(real=True)))

    found = simplify(expression.replace(lambda e: isinstance(e, sin | cos | sinh | cosh | tanh), with_letter))
    for argument, letter in reversed(letters.items()):
        found = found.xreplace({letter: argument})
    return found


def _can_be_simplified(expression: Expr) -> bool:
    """Return whether simplify is quick; for a root of high order it would make polynomials of its degree."""
    if expression.count_ops() > MAX_SIMPLIFIED or depth(expression) > MAX_SIMPLIFIED_DEPTH:
        return False
    return not any(power.exp.is_Rational and power.exp.q > MAX_ROOT_ORDER for power in expression.atoms(Pow))


def _length(text: str) -> tuple[int, int]:
    return len(text), text.count("-")

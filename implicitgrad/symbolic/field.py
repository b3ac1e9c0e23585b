"""Field: the rational functions of the letters of a system and of the functions in it, as elements of sympy's.

sin(u), exp(u), √u and their like are generators beside the letters, with what is known of them as relations:
sin² + cos² = 1, cosh² − sinh² = 1, (√u)² = u, |u|² = u². A value is 0 if the relations say so, or if it vanishes to
forty digits at random points; the latter finds what no relation says, log(x·y) = log(x) + log(y).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from math import comb, gcd, lcm, prod
from typing import Any, NamedTuple

import mpmath
from sympy import (
    QQ,
    Abs,
    Add,
    Dummy,
    Expr,
    Mul,
    Pow,
    Rational,
    S,
    Symbol,
    cos,
    cosh,
    exp,
    log,
    simplify,
    sin,
    sinh,
    tanh,
    together,
)

from implicitgrad.symbolic.element import Symbolic, SymbolicMatrix
from implicitgrad.symbolic.factoring import are_coprime, irreducible_factors
from implicitgrad.symbolic.grammar import Equation
from implicitgrad.symbolic.normalize import are_related, depth, exponent_of, factors_to_keep, keeps_tanh, prepared
from implicitgrad.symbolic.odd_root import OddRoot
from implicitgrad.symbolic.printing import show, write, write_latex
from implicitgrad.symbolic.to_sympy import to_expression
from implicitgrad.symbolic.zero_test import DIGITS, cancels, compiled, real_points

PARTNERS = {sin: cos, cos: sin, sinh: cosh, cosh: sinh}
"""Functions that a relation ties to each other."""
MAX_FACTORED = 100
"""Terms of numerator and denominator that are factored."""
LARGEST_ROOT = 12
"""The order of a root whose powers are polynomials of it; of others, Q^1.852 is Q·Q^0.852 and Q^0.852 a generator."""
MAX_REDUCED = 200
"""Terms that the relations may make of fewer."""
SMALL = 16
"""The product of the numbers of terms up to which a quotient is simply cancelled."""
LARGEST_SIMPLIFIED = 60
"""Operations of an expression that sympy's simplify is asked about."""
DEEPEST_SIMPLIFIED = 6


def differences(equations: Iterable[Equation]) -> list[Expr]:
    """What equations say is 0, left − right."""
    return [to_expression(one.left) - to_expression(one.right) for one in equations]


class Field:
    """Made of all expressions of a system."""

    def __init__(self, expressions: Iterable[Expr]) -> None:
        given = list(expressions)
        self._has_tanh = keeps_tanh(given)
        ready = [prepared(expression, has_tanh=self._has_tanh) for expression in given]
        angles = {f.args[0] for expression in ready for f in expression.atoms(*PARTNERS)}
        self._expands_angles = are_related(angles)
        if self._expands_angles:
            ready = [expression.expand(trig=True) for expression in ready]
        self._kept = factors_to_keep(ready)
        """Sums that are generators, so that products of them are not multiplied out."""
        self._roots: dict[Expr, int] = {}
        """The order of the root of each base, and of exp's argument."""
        self._atoms: dict[Expr, None] = {}
        for expression in ready:
            self._collect(expression)
        letters = sorted({s for e in ready for s in e.free_symbols}, key=lambda s: natural(s.name))
        atoms = sorted(self._atoms, key=lambda atom: (-atom.count_ops(), str(atom)))
        self.letters: tuple[Symbol, ...] = tuple(letters)
        self.generators: tuple[Expr, ...] = (*atoms, *letters)
        self._dummies = [Dummy(f"g{i}") for i in range(len(self.generators))] or [Dummy("g")]
        self._field = QQ.frac_field(*self._dummies, order="lex")
        self._ring = self._field.ring if hasattr(self._field, "ring") else self._field.field.ring
        self._place = {generator: i for i, generator in enumerate(self.generators)}
        self.relations: list[Any] = [relation for relation in map(self._relation, atoms) if relation is not None]
        """What is 0 of the functions' own, as numerators."""
        self._texts: dict[Any, Expr] = {}
        self._products: dict[Any, Expr] = {}

    # What is an element

    def value(self, expression: Expr) -> Symbolic:
        """The element that an expression is; raises ZeroDivisionError where it divides by 0."""
        ready = prepared(expression, has_tanh=self._has_tanh)
        if self._expands_angles:
            ready = ready.expand(trig=True)
        return self.reduced(self._element(ready))

    def matrix(self, rows: Sequence[Sequence[Expr]]) -> SymbolicMatrix:
        """As value, of each entry."""
        return SymbolicMatrix(self, [[self.value(entry) for entry in row] for row in rows])

    def constant(self, value: Fraction | int) -> Any:
        """The field's element for a rational number."""
        return self._field(QQ(value.numerator, value.denominator))

    def number(self, value: Fraction | int) -> Symbolic:
        """A rational number as a value."""
        return Symbolic(self, self.constant(value))

    def reduced(self, element: Any) -> Symbolic:
        """A value, by its element, which the relations simplify, or make 0."""
        if self.relations and element and self._stays_short(element.numer, element.denom):
            numerator, denominator = element.numer.rem(self.relations), element.denom.rem(self.relations)
            element = self.quotient(numerator, denominator)
        if element and (self._kept or len(self._atoms) > 1) and self.vanishes(element):
            element = self.constant(0)
        return Symbolic(self, element)

    def _stays_short(self, *polynomials: Any) -> bool:
        """Whether the relations do not make many terms of few, as of cos(a)²·cos(b)²·cos(c)²…"""
        number = 0
        for monomial in (monomial for polynomial in polynomials for monomial in polynomial.monoms()):
            terms = 1
            for place, order, others in self._expansions:
                if monomial[place] >= order:
                    terms *= comb(monomial[place] // order + others - 1, others - 1)
            number += terms
        return number <= max(MAX_REDUCED, *map(len, polynomials))

    @cached_property
    def _expansions(self) -> list[tuple[int, int, int]]:
        """Of each relation the place and power of the generator that it replaces, and the terms that replace it."""
        found = []
        for relation in self.relations:
            place = next(i for i, power in enumerate(relation.LM) if power)
            found.append((place, relation.LM[place], len(relation) - 1))
        return found

    def quotient(self, numerator: Any, denominator: Any) -> Any:
        """The element that polynomials are the numerator and denominator of."""
        if not denominator:
            raise ZeroDivisionError
        if len(numerator) * len(denominator) <= SMALL or not are_coprime(numerator, denominator):
            return self._field.field.new(numerator, denominator)
        unit = QQ(1, gcd(*(int(c.numerator) for c in (*numerator.coeffs(), *denominator.coeffs()))))
        unit *= lcm(*(int(c.denominator) for c in (*numerator.coeffs(), *denominator.coeffs())))
        unit *= -1 if denominator.LC < 0 else 1
        return self._field.field.raw_new(numerator.mul_ground(unit), denominator.mul_ground(unit))

    # Polynomials, which have no denominators

    @property
    def ring(self) -> Any:
        """sympy's domain of the numerators."""
        return self._ring.to_domain()

    @property
    def polynomial_zero(self) -> Any:
        """The numerator 0."""
        return self._ring.zero

    def of_polynomial(self, polynomial: Any) -> Any:
        """A polynomial as an element."""
        return self._field(polynomial)

    def polynomials(self, row: Sequence[Symbolic]) -> list[Any]:
        """A row times its least common denominator."""
        common = self._ring.one
        for value in row:
            common = common.lcm(value.element.denom)
        return [value.element.numer * common.exquo(value.element.denom) for value in row]

    def factors(self, element: Any) -> list[Any]:
        """The irreducible factors of a numerator, constants left out, each once, as elements."""
        _, factors = irreducible_factors(element.numer)
        found = (self.reduced(self._field(factor)).element for factor, _ in factors)
        return [factor for factor in found if not factor.numer.is_ground]

    @staticmethod
    def without_sign(element: Any) -> Any:
        """The same for an element and its negative."""
        return max(element, -element, key=str)

    def with_partners(self, factors: Sequence[Any]) -> list[Any]:
        """cos(u) for sin(u) + 1 and sin(u) − 1 together, which is what 1 − sin² is factored into; so for the others."""
        found = list(factors)
        for atom in self._atoms:
            if isinstance(atom, sin | cos):
                one, partner = (self._field.gens[self._place[f]] for f in (atom, PARTNERS[atom.func](atom.args[0])))
                ends = [self.without_sign(end) for end in (one + 1, one - 1)]
                both = [factor for factor in found if self.without_sign(factor) in ends]
                if len(both) == 2:
                    place = found.index(both[0])
                    found = [factor for factor in found if factor not in both and factor != partner]
                    found.insert(place, partner)
        return found

    def poles(self, values: Iterable[Symbolic]) -> list[Expr]:
        """What must not be 0 for values to be numbers: denominators, and arguments of logarithms."""
        return [*map(self.plain, self.denominators(values)), *(f.args[0] for f in self._atoms if isinstance(f, log))]

    def vanishes(self, element: Any) -> bool:
        """Whether the numerator is 0 to forty digits at random points."""
        with mpmath.workdps(DIGITS):
            return all(cancels(_terms_at(element.numer, values)) for values in self._values)

    def denominators(self, values: Iterable[Symbolic]) -> list[Any]:
        """The factors of the denominators of some values."""
        found: dict[Any, None] = {}
        for value in values:
            found |= dict.fromkeys(self.factors(self._field(value.element.denom)))
        return list(found)

    def shortened(self, value: Symbolic, equations: Iterable[Equation]) -> Symbolic:
        """The same number wherever the equations hold, if they make it shorter."""
        zeros = self.zeros_of(equations)
        if zeros is None:
            return value
        ring = value.element.numer.ring
        found = [value]
        for turned in (ring, ring.clone(symbols=ring.symbols[::-1])):  # what an equation is solved for, as it were
            numerator = value.element.numer.set_ring(turned).rem([zero.set_ring(turned) for zero in zeros])
            found.append(self.reduced(self._field(numerator.set_ring(ring)) / self._field(value.element.denom)))
        return min(found, key=lambda one: len(one.text))

    def zeros_of(self, equations: Iterable[Equation]) -> list[Any] | None:
        """What equations make 0, as numerators; None where they have more in them than the field."""
        try:
            return [self.value(difference).element.numer for difference in differences(equations)]
        except KeyError:
            return None

    @property
    def symbols(self) -> list[Dummy]:
        """One for each generator, which polynomials are in."""
        return self._dummies

    def evaluated(self, rows: Sequence[Sequence[Symbolic]], point: Sequence[Any]) -> list[list[Any]]:
        """Values at a point, in sixty digits. Raises ZeroDivisionError where one has none."""
        with mpmath.workdps(DIGITS):
            values = self._values_at(point)
            return [
                [
                    sum(_terms_at(v.element.numer, values), mpmath.mpf(0))
                    / sum(_terms_at(v.element.denom, values), mpmath.mpf(0))
                    for v in row
                ]
                for row in rows
            ]

    def _values_at(self, point: Sequence[Any]) -> list[Any]:
        """Of the generators, at a point."""
        return [*self._compute_atoms(*point), *point]

    @cached_property
    def _compute_atoms(self) -> Callable[..., Any]:
        return compiled(self.letters, list(self.generators[: len(self._atoms)]))

    @property
    def has_functions(self) -> bool:
        """Whether there are generators beside the letters."""
        return bool(self._atoms)

    def at(self, value: Symbolic, point: Sequence[Fraction]) -> Fraction:
        """A value where nothing is a function of letters, at fractions for these. Raises ZeroDivisionError."""
        pairs = [
            (generator, QQ(v.numerator, v.denominator)) for generator, v in zip(self._ring.gens, point, strict=False)
        ]
        above, below = (
            QQ.convert(polynomial.evaluate(pairs) if pairs else polynomial.LC)
            for polynomial in (value.element.numer, value.element.denom)
        )
        return Fraction(int(above.numerator), int(above.denominator)) / Fraction(
            int(below.numerator), int(below.denominator)
        )

    def sort_key(self, element: Any) -> tuple[Any, ...]:
        """For a natural order of polynomials: short ones first, a2 before a10."""
        return len(element.numer), natural(self.text(element))

    # What an element is

    def expression(self, element: Any) -> Expr:
        """In sympy's terms, simplified."""
        if element not in self._texts:
            self._texts[element] = self._simplest(element)
        return self._texts[element]

    def fraction(self, element: Any) -> Fraction | None:
        """Its value where it is a rational number."""
        if element.numer.is_ground and element.denom.is_ground:
            value = QQ.convert(element.numer.LC if element.numer else 0) / QQ.convert(element.denom.LC)
            return Fraction(int(value.numerator), int(value.denominator))
        return None

    def is_number(self, element: Any) -> bool:
        """Whether it has no letters."""
        return not self.expression(element).free_symbols

    def approximation(self, element: Any) -> Fraction:
        """The value of what has no letters, to 50 digits."""
        if (fraction := self.fraction(element)) is not None:
            return fraction
        decimal = self.expression(element).evalf(50)
        return Fraction(str(decimal))

    def text(self, element: Any) -> str:
        """In the grammar of expressions."""
        return write(self.expression(element))

    def shown(self, element: Any) -> str:
        """For people."""
        return show(self.expression(element))

    def latex(self, element: Any, name: Callable[[str], str]) -> str:
        """In LaTeX."""
        return write_latex(self.expression(element), name)

    # How it is done

    def _collect(self, expression: Expr) -> None:
        """Take down the functions in a prepared expression."""
        if expression.is_Rational or expression.is_Symbol:
            return
        if expression in self._kept:
            self._atoms[expression] = None
        elif expression.is_Add or expression.is_Mul:
            for part in expression.args:
                self._collect(part)
        elif isinstance(expression, exp):
            coefficient, base = exponent_of(expression)
            self._add_root(exp(base), coefficient.q)
        elif (split := _split(expression)) is not None:
            self._collect(split.base)
            if split.generator is not None:
                self._atoms[split.generator] = None
        elif expression.is_Pow and expression.exp.is_Rational:
            self._collect(expression.base)
            if not expression.exp.is_Integer:
                self._add_root(expression.base, expression.exp.q)
        else:
            self._atoms[expression] = None
            if expression.func in PARTNERS:
                self._atoms[PARTNERS[expression.func](expression.args[0])] = None
            if isinstance(expression, Abs):
                self._collect(expression.args[0])

    def _add_root(self, base: Expr, order: int) -> None:
        before = self._roots.get(base)
        if before is not None:
            self._atoms.pop(self._root(base))
        self._roots[base] = lcm(before or 1, order)
        self._atoms[self._root(base)] = None

    def _root(self, base: Expr) -> Expr:
        order = Rational(1, self._roots[base])
        return exp(order * base.args[0]) if isinstance(base, exp) else Pow(base, order)

    def _element(self, expression: Expr) -> Any:
        if expression.is_Rational:
            return self._field(QQ(int(expression.p), int(expression.q)))
        if expression in self._place:
            return self._field.gens[self._place[expression]]
        if expression.is_Add:
            return self._sum([self._element(part) for part in expression.args])
        if expression.is_Mul:
            parts = [self._element(part) for part in expression.args]
            above, below = ([p.numer for p in parts], [p.denom for p in parts])
            return self.quotient(prod(above, start=self._ring.one), prod(below, start=self._ring.one))
        if isinstance(expression, exp):
            coefficient, base = exponent_of(expression)
            order = self._roots[exp(base)]
            return self._field.gens[self._place[self._root(exp(base))]] ** int(coefficient * order)
        if (split := _split(expression)) is not None:
            found = self._element(split.base) ** split.whole
            if split.generator is not None:
                found = found * self._field.gens[self._place[split.generator]] ** split.times
            return found
        if expression.is_Pow and expression.exp.is_Integer:
            return self._element(expression.base) ** int(expression.exp)
        if not expression.is_Pow:
            raise KeyError(expression)
        order = self._roots[expression.base]
        return self._field.gens[self._place[self._root(expression.base)]] ** int(expression.exp * order)

    def _sum(self, parts: Sequence[Any]) -> Any:
        """Of elements; without a greatest common divisor where they have the same denominators."""
        numerators: dict[Any, Any] = {}
        for part in parts:
            numerators[part.denom] = numerators.get(part.denom, self._ring.zero) + part.numer
        return sum((self.quotient(above, below) for below, above in numerators.items()), self.constant(0))

    def _relation(self, atom: Expr) -> Any:
        """The polynomial that an atom makes 0 together with others."""
        generator = self._ring.gens[self._place[atom]]
        if isinstance(atom, sin):
            return generator**2 + self._ring.gens[self._place[cos(atom.args[0])]] ** 2 - 1
        if isinstance(atom, sinh):
            return self._ring.gens[self._place[cosh(atom.args[0])]] ** 2 - generator**2 - 1
        if isinstance(atom, Abs):
            square = self._element(atom.args[0] ** 2)
            return (self._field(generator) ** 2 - square).numer
        if isinstance(atom, OddRoot):
            return (self._field(generator) ** int(atom.args[1]) - self._element(atom.args[0])).numer
        if atom.is_Pow and atom.exp.is_Rational and atom.exp.q <= LARGEST_ROOT:
            return (self._field(generator) ** int(atom.exp.q) - self._element(atom.base)).numer
        return None

    def _back(self, polynomial: Any) -> Expr:
        """A polynomial in the generators as an expression of what they stand for."""
        terms = []
        for monomial, coefficient in polynomial.terms():
            factors = [Rational(int(coefficient.numerator), int(coefficient.denominator))]
            factors += [Pow(g, power) for g, power in zip(self.generators, monomial, strict=False) if power]
            terms.append(Mul(*factors))
        return Add(*terms)

    def plain(self, element: Any) -> Expr:
        """In sympy's terms, as it is."""
        return self._back(element.numer) / self._back(element.denom)

    def _simplest(self, element: Any) -> Expr:
        """The shortest of the forms that are simple."""
        numerator, denominator = self._back(element.numer), self._back(element.denom)
        plain = numerator / denominator
        if len(element.numer) + len(element.denom) > MAX_FACTORED:
            return plain
        if not plain.free_symbols and plain.is_Rational:
            return plain
        above, below = self._factored(element.numer), self._factored(element.denom)
        candidates = [plain, above / denominator, above / below]
        if self._atoms and _can_be_simplified(plain):
            candidates += [_simplified(plain), together(plain)]
        if all(coefficient < 0 for coefficient in element.numer.coeffs()):
            candidates.append(-(self._factored(-element.numer) / denominator))
        return min(candidates, key=lambda candidate: _length(write(candidate)))

    def _factored(self, polynomial: Any) -> Expr:
        """A polynomial as the product of its irreducible factors."""
        if polynomial not in self._products:
            number, factors = irreducible_factors(polynomial)
            powers = [Pow(self._back(one), power) for one, power in self._with_squares(factors)]
            self._products[polynomial] = Mul(Rational(int(number.numerator), int(number.denominator)), *powers)
        return self._products[polynomial]

    def _with_squares(self, factors: Sequence[tuple[Any, int]]) -> list[tuple[Any, int]]:
        """tanh(u)² − 1 for tanh(u) − 1 and tanh(u) + 1 of the same power."""
        found = dict(factors)
        for atom in self._atoms:
            t = self._ring.gens[self._place[atom]]
            if isinstance(atom, tanh) and found.get(t - 1, 0) == found.get(t + 1, 0) > 0:
                found[t**2 - 1] = found.pop(t - 1)
                del found[t + 1]
        return list(found.items())

    @cached_property
    def _values(self) -> list[list[Any]]:
        """Of the generators at the points."""
        return list(map(self._values_at, self.points))

    @cached_property
    def points(self) -> list[list[Any]]:
        """Values of the letters at which all functions are real. Raises UsageError if there are none."""
        return real_points(self.letters, list(self._atoms))


class Split(NamedTuple):
    """A power of a root as base**whole · generator**times."""

    base: Expr
    whole: int
    generator: Expr | None
    times: int = 1


def _split(expression: Expr) -> Split | None:
    """Roots of odd order, and all of high order; None of anything else."""
    root, power = (expression.base, expression.exp) if expression.is_Pow else (expression, S.One)
    if isinstance(root, OddRoot) and power.is_Integer:
        base, order = root.args
        if order <= LARGEST_ROOT:
            return Split(base, 0, root, int(power))
        whole, times = divmod(int(power), int(order))
        return Split(base, whole, root**times if times else None)
    if expression.is_Pow and power.is_Rational and power.q > LARGEST_ROOT:
        whole = power.p // power.q
        return Split(root, whole, Pow(root, power - whole))
    return None


def expression_of(value: Symbolic | Fraction) -> Expr:
    """A value of any field, or a rational number, in sympy's terms."""
    if isinstance(value, Symbolic):
        return value.field.expression(value.element)
    return Rational(value.numerator, value.denominator)


def natural(name: str) -> tuple[Any, ...]:
    """For sorting: a2 before a10."""
    return tuple(int(part) if part.isdecimal() else part for part in re.split("([0-9]+)", name))


def _simplified(expression: Expr) -> Expr:
    """As sympy simplifies it with letters in the place of the functions' arguments, so that no angle is expanded."""
    letters: dict[Expr, Dummy] = {}

    def with_letter(function: Expr) -> Expr:
        argument = function.args[0]
        return function.func(letters.setdefault(argument, Dummy(real=True)))

    found = simplify(expression.replace(lambda e: isinstance(e, (*PARTNERS, tanh)), with_letter))
    for argument, letter in reversed(letters.items()):
        found = found.xreplace({letter: argument})
    return found


def _can_be_simplified(expression: Expr) -> bool:
    """Whether sympy takes no long time to; of a root of high order it would make polynomials of its degree."""
    if expression.count_ops() > LARGEST_SIMPLIFIED or depth(expression) > DEEPEST_SIMPLIFIED:
        return False
    return not any(power.exp.is_Rational and power.exp.q > LARGEST_ROOT for power in expression.atoms(Pow))


def _terms_at(polynomial: Any, values: Sequence[Any]) -> list[Any]:
    """The terms of a polynomial at values of the generators."""
    found = []
    for monomial, coefficient in polynomial.terms():
        term = mpmath.mpf(int(coefficient.numerator)) / int(coefficient.denominator)
        for value, power in zip(values, monomial, strict=False):
            if power:
                term *= value**power
        found.append(term)
    return found


def _length(text: str) -> tuple[int, int]:
    return len(text), text.count("-")

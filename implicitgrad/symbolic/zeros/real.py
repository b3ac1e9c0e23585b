"""Find where polynomials in letters and functions are 0 in the reals: nowhere, or where simpler ones are.

Functions have ranges, exp(u) > 0 and −1 ≤ sin(u) ≤ 1, so that a sum of terms may have no zero, or only where every term
has one. A quadratic form is a sum of squares if its Gram matrix is positive semidefinite, which its LDLᵀ factors decide
(Parrilo 2003; the Gram matrix is unique for quadratic polynomials, and one of many for higher degrees).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import reduce
from itertools import combinations
from math import inf
from typing import Any, NamedTuple

from sympy import Abs, Expr, Poly, Rational
from sympy.functions import acos, acosh, asin, asinh, atan, atanh, cos, cosh, erf, exp, log, sin, sinh, tanh
from sympy.polys.fields import FracElement
from sympy.polys.rings import PolyElement

from implicitgrad.symbolic.function_field.factoring import used_places
from implicitgrad.symbolic.function_field.field import Field
from implicitgrad.symbolic.odd_root import OddRoot

MAX_GRAM_ROWS = 8
MAX_DEGREE = 12
"""The largest degree of a polynomial in one generator whose real roots are counted."""
MAX_SETS = 6
MAX_ZEROS = 9
DIGITS = 30

EMPTY: frozenset[Any] = frozenset()
Zeros = tuple[Any, ...]
"""Elements of a field that are all 0."""


class Range(NamedTuple):
    """The values between two bounds."""

    least: Fraction | float
    most: Fraction | float
    is_open: bool = False
    """Whether neither bound is attained."""

    def times(self, other: Range) -> Range:
        """Return the range of the product of two values."""
        products = [
            a * b if a and b else Fraction(0)  # 0 times an infinite bound, which is not attained
            for a in (self.least, self.most)
            for b in (other.least, other.most)
        ]
        return Range(min(products), max(products), self.is_open and other.is_open)

    def __pow__(self, power: int) -> Range:
        found = reduce(Range.times, [self] * power)
        is_square = power % 2 == 0 and self.least < 0
        return Range(max(found.least, Fraction(0)), found.most) if is_square else found


ANY = Range(-inf, inf, is_open=True)
POSITIVE = Range(Fraction(0), inf, is_open=True)
NOT_NEGATIVE = Range(Fraction(0), inf)
RANGES = {
    exp: POSITIVE,
    cosh: Range(Fraction(1), inf),
    sin: Range(Fraction(-1), Fraction(1)),
    cos: Range(Fraction(-1), Fraction(1)),
    erf: Range(Fraction(-1), Fraction(1), is_open=True),
    tanh: Range(Fraction(-1), Fraction(1), is_open=True),
    asin: Range(Fraction(-2), Fraction(2)),
    acos: Range(Fraction(0), Fraction(4)),
    atan: Range(Fraction(-2), Fraction(2), is_open=True),
    acosh: NOT_NEGATIVE,
    Abs: NOT_NEGATIVE,
}
"""The ranges for real arguments; multiples of π are rounded outward."""
ZERO_AT_0 = (Abs, OddRoot, sinh, tanh, asinh, asin, atan, atanh, erf)
ZERO_AT_1 = (log, acosh, acos)
ONE_AT_0 = (exp, cosh)


def is_never_zero(field: Field, element: FracElement) -> bool:
    """Return whether it is proved that a real polynomial is never 0."""
    polynomial = element.numer
    if not polynomial:
        return False
    used = used_places(polynomial)
    if not any(field.generators[i].free_symbols for i in used):
        return not field.vanishes(element)
    if len(used) == 1:
        return _has_no_root(polynomial, used[0], range_of(field.generators[used[0]]))
    ranges = {i: range_of(field.generators[i]) for i in used}
    if any(_is_positive(one, ranges) for one in (polynomial, -polynomial)):
        return True
    return _is_exponential(field, polynomial, used) or any(part.is_ground for part in _squares(polynomial) or ())


def _is_exponential(field: Field, polynomial: PolyElement, used: Sequence[int]) -> bool:
    """Return whether a polynomial is a multiple of exp(±u), written as cosh(u) ± sinh(u)."""
    functions = [field.generators[i] for i in used]
    coefficients = [coefficient for _, coefficient in polynomial.terms()]
    return (
        {f.func for f in functions} == {sinh, cosh}
        and len({f.args[0] for f in functions}) == 1
        and sorted(map(sum, polynomial.monoms())) == [1, 1]
        and abs(coefficients[0]) == abs(coefficients[1])
    )


def range_of(generator: Expr) -> Range:
    """Return bounds on a generator's values, wherever it is real."""
    if not generator.free_symbols:
        value = Fraction(str(generator.evalf(DIGITS)))
        error = abs(value) / 10 ** (DIGITS - 5)
        return Range(value - error, value + error, is_open=True)
    if generator.is_Pow and generator.exp.is_Rational and generator.exp.q % 2 == 0:
        return NOT_NEGATIVE
    if generator.is_Add and generator.is_positive:
        return POSITIVE
    return RANGES.get(generator.func, ANY)


def zero_sets(field: Field, elements: Iterable[Any]) -> list[Zeros] | None:
    """Return the smallest sets of polynomials such that all elements are 0 exactly where some set vanishes.

    Return None if there are too many.
    """
    found = [EMPTY]
    names: dict[FracElement, FracElement] = {}
    choices = [_sets_of(field, element, names) for element in elements]
    for choice in sorted(choices, key=len):
        found = _both(found, choice)
        if len(found) > MAX_SETS or any(len(zeros) > MAX_ZEROS for zeros in found):
            return None
    ordered = [tuple(sorted((names[zero] for zero in zeros), key=field.sort_key)) for zeros in found]
    return sorted(ordered, key=lambda zeros: [field.sort_key(zero) for zero in zeros])


def _sets_of(field: Field, element: FracElement, names: dict[FracElement, FracElement]) -> list[frozenset[Any]]:
    """Return the sets of one element, with names that ignore the sign of polynomials, and add these to ``names``."""
    if not element:
        return [EMPTY]
    found: list[frozenset[Any]] = []
    for factor in field.with_partners(field.factors(element)):
        if is_never_zero(field, factor):
            continue
        parts = simpler(field, factor)
        if parts is None:
            name = field.without_sign(factor)
            names.setdefault(name, factor)
            found.append(frozenset({name}))
        else:
            sets = [EMPTY]
            for part in parts:
                sets = _both(sets, _sets_of(field, part, names))
            found += sets
    return _smallest(found)


def _both(some: Sequence[frozenset[Any]], others: Sequence[frozenset[Any]]) -> list[frozenset[Any]]:
    return _smallest([one | other for one in some for other in others])


def _smallest(sets: Iterable[frozenset[Any]]) -> list[frozenset[Any]]:
    unique = list(dict.fromkeys(sets))
    return [one for one in unique if not any(other < one for other in unique)]


def simpler(field: Field, factor: FracElement) -> list[FracElement] | None:
    """Return elements that are all 0 exactly where a factor is; None if none are simpler."""
    polynomial = factor.numer
    argument = argument_of(field, factor)
    if argument is not factor:
        return [argument]
    ranges = {i: range_of(field.generators[i]) for i in used_places(polynomial)}
    for signed in (polynomial, -polynomial):
        if len(polynomial) > 1 and all(_range(term, ranges).least >= 0 for term in signed.terms()):
            ring = polynomial.ring
            return [field.of_polynomial(ring({monomial: coefficient})) for monomial, coefficient in signed.terms()]
    squares = _squares(polynomial)
    return None if squares is None else list(map(field.of_polynomial, squares))


def argument_of(field: Field, factor: FracElement) -> FracElement:
    """Return what is 0 exactly where a factor is, if that is a function minus a number: u for √u, u − 1 for log(u)."""
    polynomial = factor.numer
    used = used_places(polynomial)
    if len(used) != 1 or max(map(sum, polynomial.monoms())) != 1:
        return factor
    function = field.generators[used[0]]
    terms = dict(polynomial.terms())
    constant = terms.pop((0,) * len(polynomial.ring.gens), 0)
    (slope,) = terms.values()
    is_root = function.is_Pow and function.exp.is_Rational
    try:
        if not constant and (is_root or isinstance(function, ZERO_AT_0)):
            return field.value(function.args[0]).element
        if not constant and isinstance(function, ZERO_AT_1):
            return (field.value(function.args[0]) - 1).element
        if constant == -slope and isinstance(function, ONE_AT_0):
            return field.value(function.args[0]).element
    except KeyError:  # the argument contains functions that the field lacks
        pass
    return factor


def _range(term: tuple[tuple[int, ...], Any], ranges: dict[int, Range]) -> Range:
    monomial, coefficient = term
    number = Fraction(int(coefficient.numerator), int(coefficient.denominator))
    factors = [ranges[i] ** power for i, power in enumerate(monomial) if power]
    return reduce(Range.times, factors, Range(number, number, is_open=True))


def _is_positive(polynomial: PolyElement, ranges: dict[int, Range]) -> bool:
    """Return whether the minima of all terms have a positive sum, or a sum of 0 that is not attained."""
    found = [_range(term, ranges) for term in polynomial.terms()]
    least = sum(one.least for one in found)
    return least > 0 or (least == 0 and any(one.is_open and one.least < one.most for one in found))


def _has_no_root(polynomial: PolyElement, place: int, within: Range) -> bool:
    """Return whether a polynomial in one generator has no root in that generator's range."""
    if max(map(sum, polynomial.monoms())) > MAX_DEGREE:
        return False
    poly = Poly(polynomial.as_expr(), polynomial.ring.symbols[place])
    ends = [None if abs(end) == inf else Rational(Fraction(end)) for end in (within.least, within.most)]
    on_ends = sum(poly.eval(end) == 0 for end in ends if end is not None) if within.is_open else 0
    return bool(poly.count_roots(*ends) == on_ends)


def _squares(polynomial: PolyElement) -> list[PolyElement] | None:
    """Write a polynomial or its negative as a positive sum of squares; return what is squared, or None."""
    ring = polynomial.ring
    for p in (polynomial, -polynomial):
        terms = dict(p.terms())
        halves = [tuple(power // 2 for power in m) for m, c in terms.items() if c > 0 and not any(e % 2 for e in m)]
        if not 1 < len(halves) <= MAX_GRAM_ROWS:
            continue
        gram = _gram(terms, halves)
        rows = None if gram is None else _ldl(gram)
        if rows is not None:
            return [ring({m: ring.domain(c) for m, c in zip(halves, row, strict=True) if c}) for row in rows]
    return None


def _gram(terms: dict[tuple[int, ...], Any], halves: Sequence[tuple[int, ...]]) -> list[list[Any]] | None:
    """Return a symmetric G with p = mᵀ·G·m for the monomials m; None if p has others."""
    remaining = dict(terms)
    n = len(halves)
    gram: list[list[Any]] = [[0] * n for _ in range(n)]
    for i, half in enumerate(halves):
        gram[i][i] = remaining.pop(tuple(2 * power for power in half))
    pairs: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for i, j in combinations(range(n), 2):
        pairs.setdefault(tuple(map(sum, zip(halves[i], halves[j], strict=True))), []).append((i, j))
    for monomial, coefficient in remaining.items():
        for i, j in pairs.get(monomial, ()):
            gram[i][j] = gram[j][i] = coefficient / (2 * len(pairs[monomial]))
    return gram if remaining.keys() <= pairs.keys() else None


def _ldl(gram: list[list[Any]]) -> list[list[Any]] | None:
    """Return the rows of Lᵀ with a positive pivot in G = L·D·Lᵀ; None if G is not positive semidefinite."""
    remaining = [list(row) for row in gram]
    rows = []
    for i, row in enumerate(remaining):
        pivot = row[i]
        if pivot < 0 or (not pivot and any(row)):
            return None
        if not pivot:
            continue
        factors = [entry / pivot for entry in row]
        rows.append(factors)
        remaining[i + 1 :] = [
            [a - other[i] * f for a, f in zip(other, factors, strict=True)] for other in remaining[i + 1 :]
        ]
    return rows

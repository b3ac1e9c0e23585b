"""Find the irreducible factors of polynomials in many variables, mostly without a factoring algorithm.

For p = Σ cₖ·vᵏ as a polynomial in one variable v, the content, the greatest common divisor of all cₖ, is a factor.
Without content, p is irreducible if it is linear in v, or if its image at some values of the other variables where the
leading cₖ is not 0 is irreducible in Q[v] (Geddes, Czapor, Labahn 1992, *Algorithms for Computer Algebra*, ch. 2, 8).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import gcd, lcm
from typing import Any

from sympy import QQ, ZZ
from sympy.polys.galoistools import gf_gcd
from sympy.polys.rings import PolyElement

PRIME = 2**61 - 1
"""The modulus of the test whether a greatest common divisor is 1."""
IMAGES = 3
MAX_VALUE = 20
"""The largest value at which an image is taken."""
MAX_TERMS = 150
MAX_VARIABLES = 8
MAX_DEGREE = 30
"""The limit for the factoring algorithm, if nothing shows that a polynomial is irreducible."""

Factors = dict["PolyElement", int]
"""The power of each factor, a polynomial with coprime integer coefficients."""


def irreducible_factors(polynomial: PolyElement) -> tuple[Any, list[tuple[PolyElement, int]]]:
    """Write a polynomial over the rationals as a number times powers of irreducible factors.

    A polynomial beyond the limits of this module may remain unfactored.
    """
    if not polynomial:
        return polynomial.ring.domain.zero, []
    found: Factors = {}
    _collect(polynomial, found)
    product = polynomial.ring.domain.one
    for factor, power in found.items():
        product *= factor.LC**power
    return polynomial.LC / product, list(found.items())


def are_coprime(p: PolyElement, q: PolyElement) -> bool:
    """Return whether a quick test shows that two polynomials have no common factor except numbers.

    Such a factor has a positive degree in some variable v, and so has its image modulo a prime at values of the other
    variables, unless its leading coefficient in v, which divides that of p, becomes 0.
    """
    if p.is_ground or q.is_ground:
        return True
    if not all(int(c.denominator) % PRIME for c in (*p.coeffs(), *q.coeffs())):
        return False
    common = {*used_places(p)} & {*used_places(q)}
    generator = random.Random(3)
    values = [generator.randrange(1, PRIME) for _ in p.ring.gens]
    terms, others = _terms_modulo(p, values), _terms_modulo(q, values)
    for v in common:
        a, b = _image_modulo(terms, v, values), _image_modulo(others, v, values)
        if not a or not b or len(gf_gcd(a, b, PRIME, ZZ)) > 1:
            return False
    return True


def used_places(polynomial: PolyElement) -> list[int]:
    """Return the indices of the generators that occur in a polynomial."""
    return [i for i, degree in enumerate(polynomial.degrees()) if degree > 0]


def _collect(p: PolyElement, found: Factors) -> None:
    """Count the factors of p ≠ 0."""
    p = _primitive(_without_variables(p, found))
    if p.is_ground:
        return
    degrees = p.degrees()
    variables = sorted(used_places(p), key=lambda i: degrees[i])
    for v in variables:
        coefficients = _coefficients(p, v)
        if not _has_no_content(coefficients):
            content = coefficients[0]
            for other in coefficients[1:]:
                content = _gcd(content, other)
            if not content.is_ground:
                _collect(content, found)
                _collect(p.exquo(content), found)
                return
        if degrees[v] == 1 or _has_irreducible_image(p, v, degrees[v]):
            _count(p, 1, found)
            return
    if len(p) > MAX_TERMS or len(variables) > MAX_VARIABLES or max(degrees) > MAX_DEGREE:
        _count(p, 1, found)
        return
    for factor, power in _narrowed(p, variables).factor_list()[1]:
        _count(factor.set_ring(p.ring), power, found)


def _count(factor: PolyElement, power: int, found: Factors) -> None:
    factor = _primitive(factor)
    found[factor] = found.get(factor, 0) + power


def _primitive(p: PolyElement) -> PolyElement:
    """Return a multiple with coprime integer coefficients, the leading one positive."""
    return p.mul_ground(unit_of(p.coeffs(), p.LC))


def unit_of(coefficients: Sequence[Any], leading: Any) -> Any:  # noqa: ANN401 (elements of QQ)
    """Return the factor that makes coefficients coprime integers, and the leading one positive."""
    common = gcd(*(int(c.numerator) for c in coefficients)) * (-1 if leading < 0 else 1)
    return QQ(lcm(*(int(c.denominator) for c in coefficients)), common)


def _without_variables(p: PolyElement, found: Factors) -> PolyElement:
    """Count powers of single variables, and return the rest of p."""
    powers = tuple(map(min, zip(*p.monoms(), strict=True)))
    if not any(powers):
        return p
    for generator, power in zip(p.ring.gens, powers, strict=True):
        if power:
            _count(generator, power, found)
    return p.exquo(p.ring({powers: p.ring.domain.one}))


def _coefficients(p: PolyElement, v: int) -> list[PolyElement]:
    """Return the nonzero coefficients of p as a polynomial in a variable, short ones first."""
    parts: dict[int, dict[Any, Any]] = {}
    for monomial, coefficient in p.terms():
        parts.setdefault(monomial[v], {})[(*monomial[:v], 0, *monomial[v + 1 :])] = coefficient
    return sorted((p.ring.from_dict(part) for part in parts.values()), key=len)


def _has_no_content(coefficients: Sequence[Any]) -> bool:
    """Return whether a quick test shows that only numbers divide all coefficients; no variable divides p."""
    first, *others = coefficients
    return len(first) == 1 or any(are_coprime(first, other) for other in others)


def _gcd(p: PolyElement, q: PolyElement) -> PolyElement:
    variables = sorted({*used_places(p), *used_places(q)})
    return _narrowed(p, variables).gcd(_narrowed(q, variables)).set_ring(p.ring)


def _narrowed(p: PolyElement, variables: Sequence[int]) -> PolyElement:
    """Return the polynomial in a ring of some variables that include all of its own."""
    return p.set_ring(p.ring.clone(symbols=[p.ring.symbols[i] for i in variables]))


def _has_irreducible_image(p: PolyElement, v: int, degree: int) -> bool:
    if degree > MAX_DEGREE:
        return False
    generator = random.Random(5)
    for _ in range(IMAGES):
        values = [(g, generator.randrange(1, MAX_VALUE)) for g in p.ring.gens]
        image = _narrowed(p.subs(values[:v] + values[v + 1 :]), [v])
        if image.degree() == degree and sum(power for _, power in image.factor_list()[1]) == 1:
            return True
    return False


def _terms_modulo(p: PolyElement, values: Sequence[int]) -> list[tuple[Any, int]]:
    """Return the monomials of a polynomial, each with its term at values of the variables, modulo PRIME."""
    found = []
    for monomial, coefficient in p.terms():
        term = int(coefficient.numerator) * pow(int(coefficient.denominator), -1, PRIME)
        for value, power in zip(values, monomial, strict=True):
            if power:
                term = term * pow(value, power, PRIME) % PRIME
        found.append((monomial, term))
    return found


def _image_modulo(terms: Sequence[tuple[Any, int]], v: int, values: Sequence[int]) -> list[Any]:
    """Return the image in one variable, leading coefficient first; [] if that vanishes."""
    found: dict[int, int] = {}
    inverse = pow(values[v], -1, PRIME)
    for monomial, term in terms:
        power = monomial[v]
        found[power] = (found.get(power, 0) + (term * pow(inverse, power, PRIME) if power else term)) % PRIME
    dense = [ZZ(found.get(power, 0)) for power in range(max(found), -1, -1)]
    return dense if dense[0] else []

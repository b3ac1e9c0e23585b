"""Factors and adjugates of polynomials in many letters, against sympy's."""

import random
from typing import Any

import pytest
from conftest import trials
from sympy import QQ, ring
from sympy.polys.matrices import DomainMatrix

from implicitgrad.symbolic.function_field.adjugate import adjugate, determinant, has_few_minors
from implicitgrad.symbolic.function_field.factoring import PRIME, are_coprime, irreducible_factors

R, *LETTERS = ring("a,b,c,d,e", QQ, "lex")
a, b, c, d, e = LETTERS


def some_polynomial(generator: random.Random) -> Any:
    found = R.zero
    for _ in range(3):
        term = R(QQ(generator.choice((-5, -3, -2, -1, 1, 2, 4)), generator.randrange(1, 4)))
        for letter in LETTERS:
            term *= letter ** generator.choice((0, 0, 0, 1, 2))
        found += term
    return found or R.one


@pytest.mark.parametrize("seed", range(trials(20)))
def test_factors_are_those_that_sympy_finds(seed: int) -> None:
    generator = random.Random(seed)
    p = R.one
    for _ in range(generator.randrange(1, 4)):
        p *= some_polynomial(generator) ** generator.choice((1, 1, 2))
    number, factors = irreducible_factors(p)
    product = R(number)
    for factor, power in factors:
        product *= factor**power
    assert product == p
    expected = [(factor.monic(), power) for factor, power in p.factor_list()[1]]
    assert sorted((str(f.monic()), power) for f, power in factors) == sorted((str(f), power) for f, power in expected)


FACTORED = {
    "no letter alone is linear": ((a**2 + b**2) * (a**2 - b**3 + 1), 2),
    "a square": ((a**2 + b**2 * c - 3) ** 2, 1),
    "content in every letter": ((a + 1) * (b + 2) * (c - 3) * (d + e), 4),
    "irreducible, but not modulo any prime": (a**4 + 1, 1),
    "a fraction": ((a / 3 - b / 2) * QQ(6, 5), 1),
    "letters alone": (a**3 * b * c**2, 3),
    "a number": (R(QQ(7, 3)), 0),
}


@pytest.mark.parametrize("name", FACTORED)
def test_a_polynomial_has_so_many_irreducible_factors(name: str) -> None:
    polynomial, number = FACTORED[name]
    coefficient, factors = irreducible_factors(polynomial)
    product = R(coefficient)
    for factor, power in factors:
        product *= factor**power
    assert (product, len(factors)) == (polynomial, number)


def test_what_is_called_coprime_is() -> None:
    generator = random.Random(1)
    seen = []
    for _ in range(60):
        common = generator.choice((R.one, some_polynomial(generator)))
        p, q = (some_polynomial(generator) * common for _ in range(2))
        is_coprime = bool(p.gcd(q).is_ground)
        assert are_coprime(p, q) is is_coprime
        seen.append(is_coprime)
    assert {*seen} == {True, False}
    assert not are_coprime(a * QQ(1, PRIME) + 1, a + 1)  # the image does not exist


@pytest.mark.parametrize("seed", range(12))
def test_the_adjugate_is_sympys(seed: int) -> None:
    generator = random.Random(seed)
    n = 1 + seed % 5
    rows = [[some_polynomial(generator) if generator.random() < 0.7 else R.zero for _ in range(n)] for _ in range(n)]
    assert has_few_minors(rows)
    found, its_determinant = adjugate(rows, R.zero)
    assert determinant(rows, R.zero) == its_determinant == sympys_determinant(rows)
    for i in range(n):
        for j in range(n):
            minor = [[row[k] for k in range(n) if k != j] for row in (rows[:i] + rows[i + 1 :])]
            assert found[j][i] == (-1) ** (i + j) * sympys_determinant(minor)


def sympys_determinant(rows: list[list[Any]]) -> Any:
    n = len(rows)
    return DomainMatrix(rows, (n, n), R.to_domain()).charpoly()[-1] * (-1) ** n if n else R.one


def test_a_full_matrix_of_size_16_has_many_minors_and_a_band_few() -> None:
    assert not has_few_minors([[R.one] * 16 for _ in range(16)])
    band = [[a + i if abs(i - j) < 2 else R.zero for j in range(16)] for i in range(16)]
    assert has_few_minors(band)
    found, its_determinant = adjugate(band, R.zero)
    for i, row in enumerate(band):
        for j in range(16):
            assert sum((row[k] * found[k][j] for k in range(16)), R.zero) == its_determinant * (i == j)

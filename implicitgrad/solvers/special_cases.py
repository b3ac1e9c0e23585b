"""Where an answer with letters holds, and what becomes of the system where it does not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import Any

import mpmath
from sympy import Dummy, Poly, groebner
from sympy.polys.matrices import DomainMatrix

from implicitgrad.solution import SpecialCase, Status, Validity
from implicitgrad.solvers.profile import Profile, profile_at
from implicitgrad.solvers.reduction import pivot_order
from implicitgrad.symbolic.field import Field
from implicitgrad.symbolic.points import DIGITS
from implicitgrad.symbolic.value import Symbolic
from implicitgrad.system import LinearSystem

MOST_GENERATORS = 4
LARGEST_DEGREE = 2
"""Of the polynomials whose common zeros are asked about."""
BINOMIAL = 2
MOST_MINORS = 36
MOST_CASES = 6
MOST_ZEROS = 9
ATTEMPTS = 12
REAL = mpmath.mpf(10) ** -30


def find_validity(
    system: LinearSystem, rows: Sequence[Sequence[Symbolic]], profile: Profile, determinant: Any
) -> Validity:
    """The factors that must not be 0, and the cases in which they are.

    rows : [A | B]. determinant : of the rows and columns that the answer rests on.
    """
    field: Field = rows[0][0].field
    N = system.unknowns
    factors = [factor for factor in field.factors(determinant) if not field.is_never_zero(factor)]
    factors.sort(key=field.sort_key)
    gradients: Any = system.dL_dy or ()
    entries = [entry for row in (*rows, *gradients) for entry in row]
    denominators = [d for d in field.denominators(entries) if not field.is_never_zero(d)]
    denominators.sort(key=field.sort_key)
    undefined = set(map(field.without_sign, denominators))
    cases: list[SpecialCase] = []
    is_complete = True
    if not system.is_local:
        cases += [_case(field, system, rows, factor) for factor in factors[:MOST_CASES]]
        lower, is_complete = _lower_ranks(
            field, [row[:N] for row in rows], profile.rank, has_inputs_alone=system.B is None
        )
        cases = [
            case for case in cases + lower if not undefined & {field.without_sign(zero.element) for zero in case.zeros}
        ]
        is_complete = is_complete and len(factors) <= MOST_CASES
    nonzero = [field.of_argument(factor) for factor in (*factors, *denominators)]
    nonzero = field.with_cosines(list({field.without_sign(value): value for value in reversed(nonzero)}.values())[::-1])
    cases = [
        case._replace(zeros=tuple(Symbolic(field, field.of_argument(zero.element)) for zero in case.zeros))
        for case in cases
    ]
    ranked = {case.zeros for case in cases if case.rank is not None}
    cases = [case for case in cases if case.rank is not None or case.zeros not in ranked]
    unique = {(case.zeros, case.rank): case for case in reversed(cases)}
    return Validity(tuple(Symbolic(field, f) for f in nonzero), tuple(reversed(unique.values())), is_complete)


def vanishes_on(system: LinearSystem, field: Field, determinant: Any) -> bool:
    """Whether a determinant is 0 wherever the equations hold, if they are polynomials small enough to tell.

    Of one equation, it is exactly if every irreducible factor divides it; of several, if 1 is in the ideal of
    these and of 1 − t·determinant (Rabinowitsch).
    """
    assert system.origin is not None
    zeros = field.zeros_of(system.origin.equations)
    if zeros is None or field.relations:
        return False
    if len(zeros) == 1:
        factors = [factor for factor, _ in zeros[0].factor_list()[1]]
        return bool(factors) and all(not determinant.numer.rem(factor) for factor in factors)
    extra = Dummy("t")
    polynomials = [*(zero.as_expr() for zero in zeros), 1 - extra * determinant.numer.as_expr()]
    degree = max(Poly(p, *field.symbols).total_degree() for p in polynomials[:-1])
    if len(field.generators) > MOST_GENERATORS or degree > LARGEST_DEGREE:
        return False
    return bool(groebner(polynomials, extra, *field.symbols).exprs == [1])


def _case(field: Field, system: LinearSystem, rows: Sequence[Sequence[Symbolic]], factor: Any) -> SpecialCase:
    """What a system is where a factor is 0, elsewhere unrestricted."""
    N, P = system.unknowns, system.inputs
    zeros = (Symbolic(field, factor),)
    point = _real_point(field, factor)
    if point is None:
        return SpecialCase(zeros, None, None, ())
    try:
        values = field.evaluated(rows, point)
    except ZeroDivisionError:
        return SpecialCase(zeros, None, None, ())
    found = profile_at(values, pivot_order(N, P, set()), N)
    status = Status.of(has_free_unknowns=found.rank < N, has_constraints=len(found.pivots) > found.rank)
    free = tuple(name for j, name in enumerate(system.y) if j not in found.pivots)
    return SpecialCase(zeros, found.rank, status, free)


def _lower_ranks(
    field: Field, A: Sequence[Sequence[Symbolic]], rank: int, *, has_inputs_alone: bool
) -> tuple[list[SpecialCase], bool]:
    """Where all minors of an order are 0, for each order at which that can be said and can happen; whether for all."""
    M, N = len(A), len(A[0])
    status = Status.RANK_DEFICIENT if has_inputs_alone else None
    minors = _minors(field, A, rank)
    found: dict[tuple[Any, ...], int] = {}
    is_complete = len(minors) == rank
    for order in range(rank, 0, -1):
        if order not in minors or order == M == N:  # the factors of the determinant are cases of their own
            continue
        sets = _zero_sets(field, minors[order])
        if sets is None:
            is_complete = False
            continue
        for zeros in sets:
            if not _is_easy(field, zeros):
                is_complete = False
                continue
            ideal = groebner(
                [*(zero.numer.as_expr() for zero in zeros), *(relation.as_expr() for relation in field.relations)],
                *field.symbols,
            )
            if ideal.exprs == [1]:
                continue
            left = order - 1
            while left and left in minors and all(ideal.contains(minor.numer.as_expr()) for minor in minors[left]):
                left -= 1
            found.setdefault(tuple(_solved(field, zeros)), left)
    return [
        SpecialCase(tuple(Symbolic(field, zero) for zero in zeros), left, status, ()) for zeros, left in found.items()
    ], is_complete


def _solved(field: Field, zeros: Sequence[Any]) -> list[Any]:
    """The same zeros as short as can be where all are linear: a and b for a + b and a − b."""
    if any(sum(monomial) > 1 for zero in zeros for monomial in zero.numer.monoms()):
        return list(zeros)
    basis = groebner([zero.numer.as_expr() for zero in zeros], *field.symbols)
    polynomials = [field.ring.from_sympy(polynomial).clear_denoms()[1] for polynomial in basis.exprs]
    return sorted(map(field.of_polynomial, polynomials), key=field.sort_key)


def _is_easy(field: Field, zeros: Sequence[Any]) -> bool:
    """Whether a Gröbner basis of zeros and relations is found at once: all linear, or small and few or of two terms."""
    polynomials = [
        Poly(p, *field.symbols)
        for p in (*(zero.numer.as_expr() for zero in zeros), *(relation.as_expr() for relation in field.relations))
    ]
    degree = max(polynomial.total_degree() for polynomial in polynomials)
    if degree > LARGEST_DEGREE:
        return False
    has_few = len(field.generators) <= MOST_GENERATORS
    return degree == 1 or has_few or all(len(polynomial.terms()) <= BINOMIAL for polynomial in polynomials)


def _minors(field: Field, A: Sequence[Sequence[Symbolic]], rank: int) -> dict[int, set[Any]]:
    """All of each order up to the rank of which there are few."""
    M, N = len(A), len(A[0])
    polynomials = [field.polynomials(row) for row in A]
    return {
        order: {
            _determinant(field, [[polynomials[i][j] for j in columns] for i in chosen])
            for chosen in combinations(range(M), order)
            for columns in combinations(range(N), order)
        }
        for order in range(1, rank + 1)
        if comb(M, order) * comb(N, order) <= MOST_MINORS
    }


def _determinant(field: Field, square: Sequence[Sequence[Any]]) -> Any:
    n = len(square)
    matrix = DomainMatrix([list(row) for row in square], (n, n), field.ring)
    return field.reduced(field.of_polynomial(matrix.charpoly()[-1])).element


def _zero_sets(field: Field, minors: set[Any]) -> list[list[Any]] | None:
    """The smallest sets of factors of which all must be 0 for all minors to be; None if that cannot be said shortly."""
    sets: set[frozenset[Any]] = {frozenset()}
    factors = {minor: [f for f in field.factors(minor) if not field.is_never_zero(f)] for minor in minors if minor}
    with_sign = {field.without_sign(factor): factor for found in factors.values() for factor in found}
    choices = [set(map(field.without_sign, found)) for found in factors.values()]
    for choice in sorted(choices, key=len):
        wider = {zeros | {factor} for zeros in sets for factor in choice}
        sets = {zeros for zeros in wider if not any(other < zeros for other in wider)}
        if len(sets) > MOST_CASES or any(len(zeros) > MOST_ZEROS for zeros in sets):
            return None
    ordered = [sorted((with_sign[zero] for zero in zeros), key=field.sort_key) for zeros in sets]
    return sorted(ordered, key=lambda zeros: [field.sort_key(zero) for zero in zeros])


def _real_point(field: Field, factor: Any) -> list[Any] | None:
    """Values of the letters, elsewhere random, at which a factor is 0."""
    generator = random.Random(7)
    letters = field.plain_letters(factor)
    with mpmath.workdps(DIGITS):
        for _ in range(ATTEMPTS):
            values = {v: mpmath.mpf(generator.randrange(-(2**100), 2**100)) / 2**98 for v in field.letters}
            for letter in letters:
                root = _real_root(field, factor, letter, values)
                if root is not None:
                    return [root if v == letter else values[v] for v in field.letters]
    return None


def _real_root(field: Field, factor: Any, letter: Any, values: dict[Any, Any]) -> Any:
    coefficients = field.coefficients_in(factor, letter, values)
    while coefficients and abs(coefficients[0]) < REAL:
        coefficients = coefficients[1:]
    if len(coefficients) < 2 or any(isinstance(c, mpmath.mpc) and abs(c.imag) > REAL for c in coefficients):
        return None
    try:
        roots = mpmath.polyroots(coefficients, maxsteps=200, extraprec=200)
    except mpmath.libmp.NoConvergence:
        return None
    real = [mpmath.re(root) for root in roots if abs(mpmath.im(root)) < REAL]
    return real[0] if real else None

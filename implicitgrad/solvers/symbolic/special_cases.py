"""Find where an answer with letters holds, and what the system is where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from math import comb
from typing import Any, cast

import mpmath
from sympy import Abs, Dummy, Expr, Poly, cos, groebner, lambdify, sin
from sympy.polys.fields import FracElement
from sympy.polys.matrices import DomainMatrix
from sympy.polys.rings import PolyElement

from implicitgrad.model.system import LinearSystem, Status
from implicitgrad.model.validity import SpecialCase, Validity
from implicitgrad.numbers.exact import pivot_order
from implicitgrad.symbolic.function_field.adjugate import determinant, has_few_minors
from implicitgrad.symbolic.function_field.element import Symbolic
from implicitgrad.symbolic.function_field.factoring import used_places
from implicitgrad.symbolic.function_field.field import PARTNERS, Field
from implicitgrad.symbolic.function_field.rank_profile import Profile, profile_at
from implicitgrad.symbolic.function_field.zero_test import DIGITS
from implicitgrad.symbolic.odd_root import OddRoot
from implicitgrad.symbolic.to_sympy import natural
from implicitgrad.symbolic.zeros.common import points_where
from implicitgrad.symbolic.zeros.real import Zeros, argument_of, is_never_zero, zero_sets

MAX_GENERATORS = 4
MAX_DEGREE = 2
"""The largest degree of polynomials whose common zeros are sought."""
BINOMIAL = 2
MAX_MINORS = 36
MAX_CASES = 6
MAX_DEPTH = 3
"""How often common zeros are simplified."""
ROUGHLY = 1e-10
VANISHING = mpmath.mpf(10) ** -35
"""A number below this is 0 at a point of fifty digits."""


def find_validity(
    system: LinearSystem, rows: Sequence[Sequence[Symbolic]], profile: Profile, determinant: FracElement
) -> Validity:
    """Return the factors that must not be 0, and the cases in which they are.

    rows : [A | B]. determinant : that of the basis rows and columns of the answer.
    """
    field: Field = rows[0][0].field
    factors = [factor for factor in field.factors(determinant) if not is_never_zero(field, factor)]
    factors.sort(key=field.sort_key)
    gradients: Any = system.dL_dy or ()
    entries = [entry for row in (*rows, *gradients) for entry in row]
    denominators = [d for d in field.denominators(entries) if not is_never_zero(field, d)]
    denominators.sort(key=field.sort_key)
    cases: list[SpecialCase] = []
    is_complete = True
    if not system.is_local:
        undefined = set(map(field.without_sign, denominators))
        sets, is_complete = _candidates(field, system, rows, profile.rank, factors)
        sets = [zeros for zeros in sets if not undefined & set(map(field.without_sign, zeros))]
        cases = _cases(field, system, rows, sets)
    arguments = [argument_of(field, factor) for factor in (*factors, *denominators)]
    nonzero = field.with_partners(list({field.without_sign(value): value for value in arguments}.values()))
    return Validity(tuple([Symbolic(field, f) for f in nonzero]), tuple(cases), is_complete)


def vanishes_on(system: LinearSystem, field: Field, determinant: FracElement) -> bool:
    """Return whether a determinant is 0 wherever the equations hold; False if they are no polynomials or too large.

    For one equation, it is 0 exactly if every irreducible factor divides it; for several, see _vanishes_with.
    """
    assert system.origin is not None
    zeros = field.zeros_of(system.origin.parsed)
    if zeros is None or field.relations:
        return False
    if len(zeros) == 1:
        factors = [factor for factor, _ in zeros[0].factor_list()[1]]
        return bool(factors) and all(not determinant.numer.rem(factor) for factor in factors)
    polynomials = [zero.as_expr() for zero in zeros]
    degree = max(Poly(p, *field.symbols).total_degree() for p in polynomials)
    if len(field.generators) > MAX_GENERATORS or degree > MAX_DEGREE:
        return False
    return _vanishes_with(field, determinant.numer.as_expr(), polynomials)


def _vanishes_with(field: Field, expression: Expr, others: Sequence[Expr]) -> bool:
    """Return whether one is 0 wherever others are: 1 is in the ideal of these and 1 − t·expression (Rabinowitsch)."""
    extra = Dummy("t")
    return bool(groebner([*others, 1 - extra * expression], extra, *field.symbols).exprs == [1])


def _candidates(
    field: Field, system: LinearSystem, rows: Sequence[Sequence[Symbolic]], rank: int, factors: Sequence[Any]
) -> tuple[list[Zeros], bool]:
    """Return the sets of expressions whose joint vanishing changes the answer, and whether they cover all lower ranks.

    In each, a factor of the determinant is 0, or all minors of an order are, the larger orders first.
    """
    N = system.unknowns
    found: list[Zeros] = []
    for factor in field.with_partners(factors)[:MAX_CASES]:
        found += zero_sets(field, [factor]) or [(factor,)]
    minors = _minors(field, [row[:N] for row in rows], rank)
    is_complete = len(factors) <= MAX_CASES and len(minors) == rank
    for order in range(rank, 0, -1):
        if order not in minors or order == len(rows) == N:  # the factors of the determinant are included already
            continue
        sets = zero_sets(field, [minor for minor in minors[order] if minor])
        if sets is None or not all(_is_easy(field, zeros) for zeros in sets):
            is_complete = False
        found += [zeros for zeros in sets or () if _is_easy(field, zeros)]
    solved: dict[frozenset[Any], Zeros] = {}
    for zeros in found:
        for shorter in _consistent(field, zeros) if _is_easy(field, zeros) else [zeros]:
            solved.setdefault(frozenset(map(field.without_sign, shorter)), shorter)
    return list(solved.values()), is_complete


def _consistent(field: Field, zeros: Zeros, depth: int = 0) -> list[Zeros]:
    """Simplify a set of zeros: to no set if they exclude each other, to several if they are a union."""
    remaining = _after_substitution(field, zeros)
    if remaining is None:
        return []
    rest = _solved(field, remaining)
    relations = _relations(field, rest)
    if len(rest) == 1 and not relations:
        return [rest]
    basis = _basis(field, [*rest, *relations])
    if any(polynomial.is_ground for polynomial in basis):
        return []
    known = set(map(field.without_sign, rest))
    has_branches = any(_is_root(field.generators[i]) for zero in rest for i in used_places(zero.numer))
    implied = [field.reduced(field.of_polynomial(polynomial)).element for polynomial in basis]
    sets = None if has_branches or depth == MAX_DEPTH else zero_sets(field, implied)
    found = []
    for some in sets or ():
        wider = {field.without_sign(one): one for one in (*rest, *some) if one not in relations}
        if wider.keys() <= known:
            return [_without_implied(field, rest) if depth or relations else rest]
        found += _consistent(field, tuple(wider.values()), depth + 1)
    return found if sets is not None else [_without_implied(field, rest)]


def _is_root(generator: Expr) -> bool:
    """Return whether a generator is one of several roots of its relation."""
    return isinstance(generator, Abs | OddRoot) or bool(generator.is_Pow and generator.exp.is_Rational)


def _after_substitution(field: Field, zeros: Zeros) -> Zeros | None:
    """Return the zeros that remain after solving linear ones for letters; None if one becomes a nonzero number."""
    values: dict[Any, Any] = {}
    remaining = []
    expressions = {zero: field.plain(zero) for zero in zeros}
    for zero in sorted(zeros, key=lambda one: (not expressions[one].is_polynomial(), field.sort_key(one))):
        expression = expressions[zero].subs(values)
        if expression.is_zero:
            continue
        if not expression.free_symbols and (
            field.value(expression) if expression.is_Rational else abs(expression.evalf()) > ROUGHLY
        ):
            return None
        remaining.append(zero)
        for letter in sorted(expression.free_symbols, key=lambda v: natural(v.name)):
            slope = expression.diff(letter)
            if slope.is_Rational:
                values = {v: value.subs(letter, letter - expression / slope) for v, value in values.items()}
                values[letter] = letter - expression / slope
                break
    return tuple(sorted(remaining, key=field.sort_key))


def _without_implied(field: Field, zeros: Zeros) -> Zeros:
    """Return zeros from which the others follow, leaving out long ones first."""
    remaining = list(zeros)
    if all(sum(monomial) < 2 for zero in zeros for monomial in zero.numer.monoms()) and not _relations(field, zeros):
        return zeros  # they are a reduced Gröbner basis
    for zero in sorted(zeros, key=field.sort_key, reverse=True):
        others = [one for one in remaining if one is not zero]
        if others and _follows(field, zero, others):
            remaining = others
    return tuple(remaining)


def _follows(field: Field, zero: FracElement, others: Sequence[FracElement]) -> bool:
    """Return whether an element is 0 where others are."""
    some = [*others, *_relations(field, [zero, *others])]
    return _vanishes_with(field, zero.numer.as_expr(), [one.numer.as_expr() for one in some])


def _relations(field: Field, zeros: Iterable[Any]) -> list[Any]:
    """Return the relations between those functions that occur in the zeros."""
    used = {i for zero in zeros for i in used_places(zero.numer) if not field.generators[i].is_Symbol}
    return [field.of_polynomial(relation) for relation in field.relations if used & {*used_places(relation)}]


def _basis(field: Field, elements: Sequence[Any]) -> list[Any]:
    """Return a Gröbner basis, as polynomials."""
    basis = groebner([element.numer.as_expr() for element in elements], *field.symbols)
    return [field.ring.from_sympy(polynomial).clear_denoms()[1] for polynomial in basis.exprs]


def _cases(
    field: Field, system: LinearSystem, rows: Sequence[Sequence[Symbolic]], sets: Sequence[Zeros]
) -> list[SpecialCase]:
    """Classify the system where the polynomials of one set are 0 and those of smaller sets are not.

    The systems at sample points decide. A case is unknown if these disagree, and left out if no entry has a value.
    """
    zeros = [[field.plain(zero) for zero in some] for some in sets]
    angles = [f.args[0] for f in field.generators if isinstance(f, sin)]
    points = [points_where([*some, *_turning(some)], field.letters, angles) for some in zeros]
    compute_zeros = _function(field, zeros)
    compute_rows = _function(field, [[field.plain(entry.element) for entry in row] for row in rows])
    compute_poles = _function(field, field.poles([e for row in rows for e in row]))
    holds = [[_which_vanish(compute_zeros, place, len(sets)) for place in places] for places in points]
    within = [[all(at[j] for at in there) for j in range(len(sets))] for there in holds]
    """For each set, which others vanish with it."""
    cases = []
    for k, (some, places) in enumerate(zip(sets, points, strict=True)):
        same = [j for j in range(len(sets)) if points[k] and points[j] and within[k][j] and within[j][k]]
        if any(_is_shorter(field, sets[j], some) for j in same):
            continue
        smaller = [j for j, is_within in enumerate(within[k]) if not is_within]
        apart = [place for place, at in zip(places, holds[k], strict=True) if not any(at[j] for j in smaller)]
        defined = [place for place in apart if not _any_vanishes(compute_poles, place)]
        if apart and not defined:
            continue
        found = {_kind(system, values) for place in defined if (values := _values(compute_rows, place)) is not None}
        ranks = {rank for rank, *_ in found}
        symbols = tuple([Symbolic(field, zero) for zero in some])
        if len(ranks) != 1:
            cases.append(SpecialCase(symbols, None, None, ()))
        elif len(found) != 1:
            cases.append(SpecialCase(symbols, ranks.pop(), None, ()))
        else:
            cases.append(SpecialCase(symbols, *found.pop()))
    return cases


def _is_shorter(field: Field, some: Zeros, others: Zeros) -> bool:
    """Return whether fewer zeros imply a superset of them."""
    return len(some) < len(others) and all(_follows(field, zero, some) for zero in set(others) - set(some))


def _turning(zeros: Sequence[Any]) -> list[Any]:
    """Return the partners of sines and cosines that are ±1; these have simple zeros there."""
    return [
        PARTNERS[f.func](f.args[0])
        for zero in zeros
        for f in zero.atoms(sin, cos)
        if {abs(zero - f), abs(zero + f)} & {1}
    ]


def _function(field: Field, expressions: Sequence[object]) -> Callable[..., Any]:
    return cast(Callable[..., Any], lambdify(field.letters, expressions, modules="mpmath", dummify=True))


def _at(compute: Callable[..., Any], point: Sequence[Any]) -> list[Any] | None:
    with mpmath.workdps(DIGITS):
        try:
            found: list[Any] = compute(*point)
            return found
        except (ZeroDivisionError, ValueError, OverflowError):
            return None


def _which_vanish(compute: Callable[..., Any], point: Sequence[Any], n: int) -> list[bool]:
    """Return which of n sets of values are all 0."""
    values = _at(compute, point) or [[1]] * n
    return [all(abs(value) < VANISHING for value in some) for some in values]


def _any_vanishes(compute: Callable[..., Any], point: Sequence[Any]) -> bool:
    values = _at(compute, point)
    return values is None or any(abs(value) < VANISHING for value in values)


def _values(compute: Callable[..., Any], point: Sequence[Any]) -> list[list[Any]] | None:
    """Return the rows at a point, with tiny values set to 0; None if they are not real."""
    rows = _at(compute, point)
    if rows is None:
        return None
    values = [[mpmath.mpmathify(entry) for entry in row] for row in rows]
    if any(isinstance(value, mpmath.mpc) or not abs(value) < mpmath.inf for row in values for value in row):
        return None
    return [[mpmath.mpf(0) if abs(value) < VANISHING else value for value in row] for row in values]


def _kind(system: LinearSystem, values: Sequence[Sequence[Any]]) -> tuple[int, Status, tuple[str, ...]]:
    """Return the rank, the status and the free unknowns of a numerical system."""
    N, P = system.unknowns, system.inputs
    found = profile_at(values, pivot_order(N, P, set()), N)
    status = Status.of(has_free_unknowns=found.rank < N, has_constraints=len(found.pivots) > found.rank)
    return found.rank, status, tuple([name for j, name in enumerate(system.y) if j not in found.pivots])


def _solved(field: Field, zeros: Zeros) -> Zeros:
    """Return linear zeros in reduced form, a and b for a + b and a − b; others unchanged."""
    if any(sum(monomial) > 1 for zero in zeros for monomial in zero.numer.monoms()):
        return zeros
    return tuple(sorted(map(field.of_polynomial, _basis(field, zeros)), key=field.sort_key))


def _is_easy(field: Field, zeros: Sequence[Any]) -> bool:
    """Return whether a Gröbner basis of zeros and relations is quick: all linear, or small and few or of two terms."""
    elements = [*zeros, *_relations(field, zeros)]
    monomials = [monomial for element in elements for monomial in element.numer.monoms()]
    degree = max(map(sum, monomials), default=0)
    if degree > MAX_DEGREE:
        return False
    has_few = sum(map(any, zip(*monomials, strict=True))) <= MAX_GENERATORS
    return degree <= 1 or has_few or all(len(element.numer) <= BINOMIAL for element in elements)


def _minors(field: Field, A: Sequence[Sequence[Symbolic]], rank: int) -> dict[int, set[Any]]:
    """Return all minors of each order up to the rank, except for orders with too many."""
    M, N = len(A), len(A[0])
    polynomials = [field.polynomials(row) for row in A]
    return {
        order: {
            _determinant(field, [[polynomials[i][j] for j in columns] for i in chosen])
            for chosen in combinations(range(M), order)
            for columns in combinations(range(N), order)
        }
        for order in range(1, rank + 1)
        if comb(M, order) * comb(N, order) <= MAX_MINORS
    }


def _determinant(field: Field, square: Sequence[Sequence[PolyElement]]) -> PolyElement:
    n = len(square)
    if has_few_minors(square):
        found = determinant(square, field.ring.zero)
    else:
        found = DomainMatrix([list(row) for row in square], (n, n), field.ring).charpoly()[-1]
    return field.reduced(field.of_polynomial(found)).element

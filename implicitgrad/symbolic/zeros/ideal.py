"""Decide by algebra, with bounded work, whether equations F = 0 imply that an expression is 0.

An equation that is linear in a letter, a·v + b = 0, eliminates it: −b/a replaces v everywhere, in functions too. The
rest is polynomial in letters and functions, whose relations, such as sin² + cos² = 1, are further equations. A
polynomial n is 0 wherever these all are, and e is not, if 1 is in the ideal of them and of 1 − t·n·e (Rabinowitsch
1929), which Buchberger's algorithm decides (Cox, Little and O'Shea, *Ideals, Varieties, and Algorithms*, ch. 2, 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from math import prod
from typing import Any, NamedTuple

from sympy import QQ, Dummy, Expr, Symbol, diff, grevlex, ring
from sympy.polys.groebnertools import spoly
from sympy.polys.rings import PolyElement

from implicitgrad.symbolic.function_field.field import Field
from implicitgrad.symbolic.zeros.real import is_never_zero
from implicitgrad.text.errors import UsageError

MAX_OPERATIONS = 400
"""The most operations in all expressions of a question."""
MAX_REDUCTIONS = 200
MAX_TERMS = 150
MAX_DEGREE = 24


class IdealQuestion(NamedTuple):
    """The question whether ``value`` is 0 wherever all of F are and none of ``nonzero`` is."""

    value: Expr
    F: tuple[Expr, ...]
    nonzero: tuple[Expr, ...]

    @property
    def operations(self) -> int:
        """Return a measure of its size."""
        return sum(one.count_ops() for one in (self.value, *self.F, *self.nonzero))

    def with_value(self, v: Symbol, expression: Expr) -> IdealQuestion:
        """Replace a letter by an expression."""
        value, F, nonzero = (tuple([one.subs(v, expression) for one in some]) for some in ((self.value,), *self[1:]))
        return IdealQuestion(value[0], tuple([f for f in F if f != 0]), nonzero)


def is_zero_where(value: Expr, F: Sequence[Expr], nonzero: Sequence[Expr], letters: Sequence[Symbol]) -> bool:
    """Return whether it is proved that F = 0 implies ``value`` = 0 wherever no expression of ``nonzero`` is 0.

    letters : those that may be eliminated, in order of preference.
    """
    question = IdealQuestion(value, tuple(F), tuple(nonzero))
    try:
        while question.operations <= MAX_OPERATIONS:
            smaller = _without_a_letter(question, letters)
            if smaller is None:
                return _is_shown(question)
            question = smaller
    except (KeyError, ZeroDivisionError, UsageError):  # 0/0, or a function that the field lacks
        pass
    return False


def _without_a_letter(question: IdealQuestion, letters: Sequence[Symbol]) -> IdealQuestion | None:
    """Use an equation that gives a letter explicitly to eliminate it; return None if there is none."""
    for f in question.F:
        for v in letters:
            slope = diff(f, v)
            if slope == 0 or v in slope.free_symbols or not _is_nonzero(slope, question.nonzero):
                continue
            others = question._replace(F=tuple([one for one in question.F if one is not f]))
            return others.with_value(v, -f.subs(v, 0) / slope)
    return None


def _is_nonzero(slope: Expr, nonzero: Sequence[Expr]) -> bool:
    """Return whether every factor is nonzero wherever all of ``nonzero`` are."""
    field = Field([slope, *nonzero])
    known = {field.without_sign(one) for value in nonzero for one in field.factors(field.value(value).element)}
    factors = field.factors(field.value(slope).element)
    return all(is_never_zero(field, one) or field.without_sign(one) in known for one in factors)


def _is_shown(question: IdealQuestion) -> bool:
    field = Field([question.value, *question.F, *question.nonzero])
    value = field.value(question.value)
    if not value:
        return True
    fractions = [f for f in map(field.value, question.F) if f]
    nonzero = [field.value(one) for one in question.nonzero]
    if not all(nonzero):
        return False
    units = {field.without_sign(one) for some in nonzero for one in field.factors(some.element)}
    units |= set(map(field.without_sign, field.denominators([value, *fractions, *nonzero])))
    one = value.element.numer.ring.one
    zeros = [
        prod([part.numer for part in field.factors(f.element) if field.without_sign(part) not in units], start=one)
        for f in fractions
    ]
    excluded = prod([unit.numer for unit in units], start=one)
    parts = [part.numer for part in field.factors(value.element)]
    return any(
        _generate_everything([*zeros, *field.relations], part * excluded) for part in (*parts, prod(parts, start=one))
    )


def _generate_everything(zeros: Sequence[PolyElement], nonzero: PolyElement) -> bool:
    """Return whether 1 is in the ideal of zeros and 1 − t·nonzero."""
    wide, t, *_ = ring([Dummy("t"), *nonzero.ring.symbols], QQ, grevlex)
    return _generate_1([*(zero.set_ring(wide) for zero in zeros), 1 - t * nonzero.set_ring(wide)])


def _generate_1(polynomials: Sequence[PolyElement]) -> bool:
    """Return whether Buchberger's algorithm finds 1 in their ideal within the limits."""
    queue: list[tuple[int, int, Any]] = []
    for p in polynomials:
        heappush(queue, (_degree(p), len(queue), p))
    basis: list[Any] = []
    serial = len(queue)
    for _ in range(MAX_REDUCTIONS):
        if not queue:
            return False
        *_, p = heappop(queue)
        remainder = p.rem(basis) if basis else p
        if not remainder:
            continue
        if remainder.is_ground:
            return True
        if len(remainder) > MAX_TERMS or _degree(remainder) > MAX_DEGREE:
            return False
        for other in basis:
            if any(map(min, zip(remainder.LM, other.LM, strict=True))):  # otherwise the pair reduces to 0
                pair = spoly(remainder, other, remainder.ring)
                serial += 1
                heappush(queue, (_degree(pair), serial, pair))
        basis.append(remainder.monic())
    return False


def _degree(polynomial: PolyElement) -> int:
    return max(map(sum, polynomial.monoms()), default=0)

"""Explain a singular system: which unknowns are not determined, which equations depend on one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from implicitgrad.model.system import Arithmetic
from implicitgrad.numbers.exact import IntegerRow, RationalMatrix
from implicitgrad.numbers.formatting import Expression
from implicitgrad.numbers.null_space import null_space
from implicitgrad.numbers.short_relations import short_relations
from implicitgrad.text.characters import count
from implicitgrad.writers.elements import Equations, Role, Section, Sentence

if TYPE_CHECKING:
    from implicitgrad.model.solution import Solution
    from implicitgrad.writers.latex_notation import Notation

MOST_NAMES = 5
MOST_RELATIONS = 3
MOST_TERMS = 8
LARGEST = 999
"""The largest integer in a relation that is worth reading."""
MAX_SEARCHED = 10_000
"""The numbers of a matrix up to which it is searched for relations."""


def explain_dependence(solution: Solution, notation: Notation) -> Iterator[Section]:
    """Yield what is dependent and what is not determined; nothing in doubles and letters, where a rank is no fact."""
    if solution.arithmetic is not Arithmetic.EXACT:
        return
    if solution.rank < solution.system.equations:
        yield Section(tuple(_dependent_equations(solution, notation)))
    if solution.general.free and not solution.theorem_fails:
        yield Section((Sentence(_undetermined_unknowns(solution, notation), Role.FINDING),))


def _undetermined_unknowns(solution: Solution, notation: Notation) -> str:
    """Return ``v4 and v5 are not determined; v5 − v4 is``."""
    V = RationalMatrix.of(solution.general.null_space).numerators
    undetermined = [j for j, row in enumerate(V) if any(row)]
    names = [solution.y[j] for j in undetermined]
    subject = _listed([*map(notation.mention, names[:MOST_NAMES])], len(names))
    has_changes = solution.system.is_in_changes
    if has_changes:
        subject = f"the derivative{'' if len(names) == 1 else 's'} of {subject}"
    text = f"{subject} {'is' if len(names) == 1 else 'are'} not determined"
    number = len(names) - len(solution.general.free)
    if not number:
        return text if len(names) == 1 else f"{text}, and no combination of them is"
    relations = _combinations(solution, [V[j] for j in undetermined], undetermined)
    shown = [notation.combination(_in_order(relation, names)) for relation in relations]
    if len(shown) < number:
        rest = number - len(shown)
        shown.append(count(rest, "more combination") if shown else f"{count(rest, 'combination')} of them")
    derived = f"that of {_listed(shown)}" if has_changes else _listed(shown)
    return f"{text}; {derived} {'is' if number == 1 or has_changes else 'are'}"


def _combinations(solution: Solution, V: list[IntegerRow], undetermined: Sequence[int]) -> list[IntegerRow]:
    """Return short combinations c of the undetermined unknowns that the system determines: cᵀV = 0."""
    if len(V) * len(V[0]) > MAX_SEARCHED:
        return []
    of_equations = [[row[j] for j in undetermined] for row in RationalMatrix.of(solution.system.A).numerators]
    reduced = null_space([list(column) for column in zip(*V, strict=True)], len(V))
    return _readable(short_relations(V, [*of_equations, *reduced], MOST_RELATIONS))


def _readable(relations: Sequence[IntegerRow]) -> list[IntegerRow]:
    return [one for one in relations if max(map(abs, one)) <= LARGEST and sum(map(bool, one)) <= MOST_TERMS]


def _in_order(relation: Sequence[int], names: Sequence[str]) -> list[tuple[Fraction, str]]:
    """Return the terms of a combination, a positive one first."""
    terms = [(Fraction(factor), name) for factor, name in zip(relation, names, strict=True) if factor]
    return terms if terms[0][0] > 0 else sorted(terms, key=lambda term: term[0] < 0)


def _dependent_equations(solution: Solution, notation: Notation) -> Iterator[Sentence | Equations]:
    """Yield how equations follow from others: a basis of the left null space, the short relations first."""
    system = solution.system
    rows = RationalMatrix.of(system.A).numerators
    empty = [i for i, row in enumerate(rows) if not any(row)]
    if empty:
        names = _listed([notation.mention(_name(solution, i)) for i in empty[:MOST_NAMES]], len(empty))
        verb = "has" if len(empty) == 1 else "have"
        what = "derivatives that are 0 with respect to the unknowns" if system.is_in_changes else "no unknown"
        yield Sentence(f"{names} {verb} {what}", Role.FINDING)
    number = system.equations - solution.rank - len(empty)
    if not number:
        return
    known = solution.dependent_equations
    found = short_relations(rows, map(list, known or ()), len(empty) + MOST_RELATIONS) if known is not None else []
    lines = [_solved(relation, solution, notation) for relation in _readable(found) if sum(map(bool, relation)) > 1]
    is_constrained = solution.constraints is not None
    if system.is_in_changes:
        subject = f"the derivatives of the equations{' with respect to the unknowns' if is_constrained else ''}"
        where = ""
    else:
        subject, where = "the equations", " in the unknowns" if is_constrained else ""
    if not lines:
        are = "is" if number == 1 else "are"
        yield Sentence(f"{subject} are dependent{where}: {number} of {system.equations} {are} a combination of others")
        return
    yield Sentence(f"{subject} depend on each other{where}:", Role.FINDING)
    yield Equations(tuple(lines))
    if rest := number - len(lines):
        yield Sentence(f"{rest} more {'depends' if rest == 1 else 'depend'} on others")


def _solved(relation: Sequence[int], solution: Solution, notation: Notation) -> Expression:
    """Return ``equation 5 = -equation 4``: the last of a relation's equations, expressed by the others."""
    *others, last = [i for i, factor in enumerate(relation) if factor]
    names = [notation.name(_name(solution, i)) for i in others]
    factors = [Fraction(-relation[i], relation[last]) for i in others]
    total = notation.sum(Fraction(0), zip(factors, names, strict=True))
    return total.named(notation.name(_name(solution, last)))


def _name(solution: Solution, equation: int) -> str:
    """Return the name of an equation: that of its input, if the user named it, or else its number."""
    system = solution.system
    name = f"x{equation + 1}" if system.B is not None else system.x[equation]
    return f"equation {equation + 1 if name == f'x{equation + 1}' else name}"


def _listed(texts: Sequence[str], total: int = 0) -> str:
    """Return ``a, b and c``, or ``a, b and 3 more`` of a total."""
    if total > len(texts):
        return f"{', '.join(texts)} and {total - len(texts)} more"
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"

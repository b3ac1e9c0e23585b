"""Explain a singular system: which unknowns are not determined, which equations depend on one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING

from implicitgrad.model.implicit_equations import are_in_changes
from implicitgrad.model.system import Arithmetic
from implicitgrad.numbers.display.style import Expression
from implicitgrad.numbers.display.sums import split_sign
from implicitgrad.numbers.exact import IntegerRow, RationalMatrix
from implicitgrad.numbers.null_space import null_space, short_relations
from implicitgrad.symbolic.function_field.element import Symbolic
from implicitgrad.text.characters import count, listed
from implicitgrad.writers.elements import Equations, Role, Section, Sentence

if TYPE_CHECKING:
    from implicitgrad.model.solution import Solution
    from implicitgrad.writers.notation import Notation

MOST_NAMES = 5
MOST_RELATIONS = 3
MOST_TERMS = 8
LARGEST = 999
"""The largest integer in a relation that is worth reading."""
MOST_IN_LETTERS = 16
"""The equations with letters of which any two are compared."""
MAX_SEARCHED = 10_000
"""The numbers of a matrix up to which it is searched for relations."""


def explain_dependence(solution: Solution, notation: Notation) -> Iterator[Section]:
    """Yield what is dependent and what is not determined; nothing in doubles, where a rank is no fact."""
    if solution.arithmetic is Arithmetic.FLOAT:
        return
    if solution.arithmetic is Arithmetic.SYMBOLIC and solution.system.is_local:
        return  # their coefficients are expressions in x and y themselves
    if solution.rank < solution.system.equations:
        yield Section(tuple(_dependent_equations(solution, notation)))
    if solution.general.free and not solution.theorem_fails:
        yield Section((Sentence(_undetermined_unknowns(solution, notation), Role.FINDING, is_spelled=True),))


def _undetermined_unknowns(solution: Solution, notation: Notation) -> str:
    """Return ``v4 and v5 are not determined; v5 − v4 is``."""
    undetermined = [j for j, is_open in enumerate(solution.general.null_space.nonzero_rows()) if is_open]
    names = [solution.y[j] for j in undetermined]
    subject = _listed([notation.inline(notation.name(name)) for name in names[:MOST_NAMES]], len(names))
    has_changes = are_in_changes(solution.system.origin)
    if has_changes:
        subject = f"the derivative{'' if len(names) == 1 else 's'} of {subject}"
    subject = _generically(solution) + subject
    text = f"{subject} {'is' if len(names) == 1 else 'are'} not determined"
    number = len(names) - len(solution.general.free)
    if not number:
        return text if len(names) == 1 else f"{text}, and no combination of them is"
    is_exact = solution.arithmetic is Arithmetic.EXACT
    combinations = (_combinations if is_exact else _combinations_in_letters)(solution, undetermined, number)
    shown = [notation.inline(str(_combination(one, names, notation))) for one in combinations]
    if len(shown) < number:
        rest = number - len(shown)
        shown.append(count(rest, "more combination") if shown else f"{count(rest, 'combination')} of them")
    derived = f"that of {_listed(shown)}" if has_changes else _listed(shown)
    return f"{text}; {derived} {'is' if number == 1 or has_changes else 'are'}"


def _combinations(solution: Solution, undetermined: Sequence[int], number: int) -> Sequence[Sequence[Fraction]]:
    """Return short combinations c of the undetermined unknowns that the system determines: cᵀV = 0."""
    null_space_rows = RationalMatrix.of(solution.general.null_space).numerators
    V = [null_space_rows[j] for j in undetermined]
    if len(V) * len(V[0]) > MAX_SEARCHED:
        return []
    of_equations = [[row[j] for j in undetermined] for row in RationalMatrix.of(solution.system.A).numerators]
    reduced = null_space([list(column) for column in zip(*V, strict=True)], len(V))
    found = _readable(short_relations(V, [*of_equations, *reduced], MOST_RELATIONS))
    return [list(map(Fraction, relation)) for relation in found]


def _combinations_in_letters(
    solution: Solution, undetermined: Sequence[int], number: int
) -> Sequence[Sequence[Fraction]]:
    """Return the parts of the rows of A in the undetermined unknowns, if they are a basis of the combinations.

    They span the combinations, for the determined unknowns are combinations of rows of A, too.
    """
    parts = [[row[j] for j in undetermined] for row in solution.system.A]
    multiples = {i for i, _, _ in _multiples(parts)}
    found = [part for i, part in enumerate(parts) if any(part) and i not in multiples]
    if len(found) != number:
        return []
    return [
        part
        for part in found[:MOST_RELATIONS]
        if sum(map(bool, part)) <= MOST_TERMS and all(map(_is_shown_whole, part))
    ]


def _is_shown_whole(factor: Fraction) -> bool:
    """Return whether a factor with letters, or a number, is written without being rounded."""
    value = factor.fraction if isinstance(factor, Symbolic) else factor
    if value is None:
        return not factor.is_number
    return max(abs(value.numerator), value.denominator) <= LARGEST


def _readable(relations: Sequence[IntegerRow]) -> list[IntegerRow]:
    return [one for one in relations if max(map(abs, one)) <= LARGEST and sum(map(bool, one)) <= MOST_TERMS]


def _combination(factors: Sequence[Fraction], names: Sequence[str], notation: Notation) -> Expression:
    """Return Σ factor·name, a term without a minus sign first."""
    terms = [(factor, notation.name(name)) for factor, name in zip(factors, names, strict=True) if factor]
    if split_sign(terms[0][0])[0]:
        terms.sort(key=lambda term: split_sign(term[0])[0])
    return notation.sum(Fraction(0), terms)


def _dependent_equations(solution: Solution, notation: Notation) -> Iterator[Sentence | Equations]:
    """Yield how equations follow from others: a basis of the left null space, the short relations first."""
    system = solution.system
    empty = [i for i, is_nonzero in enumerate(system.A.nonzero_rows()) if not is_nonzero]
    if empty:
        names = _listed([notation.mention(_name(solution, i)) for i in empty[:MOST_NAMES]], len(empty))
        verb = "has" if len(empty) == 1 else "have"
        what = "derivatives that are 0 with respect to the unknowns" if are_in_changes(system.origin) else "no unknown"
        yield Sentence(f"{names} {verb} {what}", Role.FINDING)
    number = system.equations - solution.rank - len(empty)
    if not number:
        return
    in_letters = solution.arithmetic is Arithmetic.SYMBOLIC
    lines = [
        _equation(solution, notation, *one) for one in (_pairs if in_letters else _relations)(solution, len(empty))
    ]
    is_constrained = solution.constraints is not None
    if are_in_changes(system.origin):
        subject = f"the derivatives of the equations{' with respect to the unknowns' if is_constrained else ''}"
        where = ""
    else:
        subject, where = "the equations", " in the unknowns" if is_constrained else ""
    subject = _generically(solution) + subject
    if not lines:
        are = "is" if number == 1 else "are"
        yield Sentence(f"{subject} are dependent{where}: {number} of {system.equations} {are} a combination of others")
        return
    yield Sentence(f"{subject} depend on each other{where}:", Role.FINDING)
    yield Equations(tuple(lines))
    if rest := number - len(lines):
        yield Sentence(f"{rest} more {'depends' if rest == 1 else 'depend'} on others")


Relation = tuple[int, list[tuple[Fraction, int]]]
"""An equation, and the factors of the others that it is the sum of."""


def _relations(solution: Solution, empty: int) -> Iterator[Relation]:
    """Yield short relations between the equations of an exact system, but for its empty ones."""
    known = solution.dependent_equations
    if known is None:
        return
    rows = RationalMatrix.of(solution.system.A).numerators
    for relation in _readable(short_relations(rows, map(list, known), empty + MOST_RELATIONS)):
        *others, last = [i for i, factor in enumerate(relation) if factor]
        if others:
            yield last, [(Fraction(-relation[i], relation[last]), i) for i in others]


def _pairs(solution: Solution, empty: int) -> Iterator[Relation]:
    """Yield the equations of a system with letters that are multiples of others."""
    for i, earlier, factor in islice(_multiples(list(solution.system.A)), MOST_RELATIONS):
        if _is_shown_whole(factor):
            yield i, [(factor, earlier)]


def _multiples(rows: Sequence[Sequence[Fraction]]) -> Iterator[tuple[int, int, Fraction]]:
    """Yield each row that is a multiple of an earlier one, the earlier one and the factor."""
    first: list[int] = []
    for i, row in enumerate(rows[:MOST_IN_LETTERS]):
        if not any(row):
            continue
        k = next(k for k, entry in enumerate(row) if entry)
        for j in first:
            other = rows[j]
            if other[k] and all(a * other[k] == row[k] * b for a, b in zip(row, other, strict=True)):
                yield i, j, row[k] / other[k]
                break
        else:
            first.append(i)


def _equation(solution: Solution, notation: Notation, last: int, others: list[tuple[Fraction, int]]) -> Expression:
    """Return ``equation 5 = -equation 4``."""
    terms = [(factor, notation.name(_name(solution, i))) for factor, i in others]
    return notation.sum(Fraction(0), terms).named(notation.name(_name(solution, last)))


def _generically(solution: Solution) -> str:
    """Return the condition of what holds unless a letter has a special value; "" without letters."""
    has_letters = any(isinstance(entry, Symbolic) and not entry.is_number for row in solution.system.A for entry in row)
    return "for almost all values of the letters, " if has_letters else ""


def _name(solution: Solution, equation: int) -> str:
    """Return the name of an equation: that of its input, if the user named it, or else its number."""
    system = solution.system
    name = f"x{equation + 1}" if system.B is not None else system.x[equation]
    return f"equation {equation + 1 if name == f'x{equation + 1}' else name}"


def _listed(texts: Sequence[str], total: int = 0) -> str:
    """Return ``a, b and c``, or ``a, b and 3 more`` of a total."""
    if total > len(texts):
        return f"{', '.join(texts)} and {total - len(texts)} more"
    return listed(texts)

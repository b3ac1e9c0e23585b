"""Judge claims about nonlinear equations by points that satisfy the equations, and by algebra.

A difference between a claim and the answer is harmless if the equations make it 0. A point at which it is not 0 proves
that they do not; algebra may prove that they do. Otherwise nothing is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice, product
from typing import Any, NamedTuple

from implicitgrad.checks.feasibility.decision import Decision
from implicitgrad.model.solution import Solution
from implicitgrad.model.verdict import DIGITS
from implicitgrad.numbers.display.form import ROUNDED
from implicitgrad.numbers.display.style import show_decimal
from implicitgrad.symbolic.equations.sampling import SamplePoint, find_points, points_beside
from implicitgrad.symbolic.function_field.element import Symbolic
from implicitgrad.symbolic.function_field.field import Field, differences, expression_of
from implicitgrad.symbolic.to_sympy import natural, symbol
from implicitgrad.symbolic.zeros.ideal import is_zero_where
from implicitgrad.symbolic.zeros.real import is_never_zero
from implicitgrad.text.characters import count

NOWHERE = "theorem-applies-nowhere"
MAX_BRANCHES = 6
"""The most choices of a factor of each equation."""
AT_A_POINT = "a point, --at, decides it there"


class Finding(NamedTuple):
    """An answer and its evidence."""

    answer: Decision
    apart: SamplePoint | None = None
    """A point where the difference is nonzero."""
    alike: tuple[SamplePoint, ...] = ()
    """Points where the difference counts as 0."""
    difference: Any = 0
    compared: int = 0
    """The number of points at which it was computed."""


class OnCurve:
    """The points of a system's equations, and their consequences."""

    def __init__(self, solution: Solution, claimed: Sequence[Any]) -> None:
        system = solution.system
        self.remarks = {code for code, _ in solution.remarks}
        assert system.origin is not None
        assert solution.validity is not None
        self.F = differences(system.origin.parsed)
        names = [y for y in system.y if y not in solution.general.free]
        if solution.constraints is not None:
            names += solution.constraints.dependent
        self.sought = list(map(symbol, names))
        present = {letter for expression in (*self.F, *claimed) for letter in expression.free_symbols}
        others = present | set(map(symbol, (*system.x, *system.y)))
        self.letters = [*self.sought, *sorted(others - {*self.sought}, key=lambda v: natural(v.name))]
        self.nonzero = [expression_of(value) for value in solution.validity.nonzero]
        self.points = self._found() if len(self.sought) == len(self.F) else []

    def _found(self) -> list[SamplePoint]:
        """Return points of the equations, and of each choice of factors if equations are products."""
        points = find_points(self.F, self.sought, self.letters)
        factors = list(map(_factors, self.F))
        if any(len(some) > 1 for some in factors):
            for chosen in islice(product(*factors), MAX_BRANCHES):
                points += find_points(list(chosen), self.sought, self.letters)
        return points

    def compare(self, claimed: Symbolic, expected: Symbolic, slack: Fraction) -> Finding:
        """Decide whether the equations make two values equal; a difference within ``slack`` is left undecided."""
        expression = claimed.field.plain(claimed.element) - expected.field.plain(expected.element)
        found = [(point, size) for point in self.points if (size := point.distance(expression)) is not None]
        apart = next((point for point, size in found if size.least > slack), None)
        alike = tuple([point for point, size in found if size.is_zero])
        if apart is not None:
            return Finding(Decision.NO, apart, alike, expression, len(found))
        is_shown = bool(alike) and is_zero_where(expression, self.F, self.nonzero, self.letters)
        return Finding(Decision.YES if is_shown else Decision.UNDECIDED, None, alike, expression, len(found))

    def said(self, finding: Finding, claimed: Symbolic, correct: Symbolic) -> str:
        """Return why the claim of a number fails, or why that is undecided."""
        if finding.apart is None:
            return self.why_undecided(finding)
        one, other = (_shown(finding.apart, value) for value in (claimed, correct))
        return f"at {place_of(finding.apart)} the claim is {one}, and correct is {other}"

    def right_on_a_part(self, findings: Sequence[Finding]) -> str:
        """Return evidence that the claim is right on one branch: it is right at a point and at its neighbours."""
        for point in findings[0].alike:
            beside = points_beside(point)
            if len(beside) > 1 and all(_is_zero(one, finding) for one in (point, *beside) for finding in findings):
                return (
                    f"; they agree at {place_of(point)}, and beside it: the claim is right on a part of the curve alone"
                )
        return ""

    def why_undecided(self, finding: Finding) -> str:
        """Return why it is proved neither that a difference is 0 nor that it is not, and what would decide."""
        if not self.points and NOWHERE in self.remarks:
            return "∂F/∂y is singular wherever the equations hold, and no claim is right or wrong"
        if not finding.compared:
            found = "no point was found at which the equations hold and the claim has a value"
        else:
            points = count(finding.compared, "point")
            found = f"it is right at {points} of the equations, and it is not shown that it always is"
        return f"{found}; {AT_A_POINT}"


def _is_zero(point: SamplePoint, finding: Finding) -> bool:
    size = point.distance(finding.difference)
    return size is not None and size.is_zero


def _factors(f: object) -> list[Any]:
    """Return the factors of left − right that can be 0."""
    field = Field([f])
    factors = field.factors(field.value(f).element)
    return [field.plain(factor) for factor in factors if not is_never_zero(field, factor)]


def _shown(point: SamplePoint, value: Symbolic) -> str:
    number = point.value(value.field.plain(value.element))
    return "no number" if number is None else show_decimal(number, DIGITS)


def place_of(point: SamplePoint) -> str:
    """Return the coordinates as text: x = 1.5, y ≈ 4.76970."""
    texts = []
    for v in sorted(point.values, key=lambda v: (v in point.solved, natural(v.name))):
        number = Fraction(int(point.values[v].p), int(point.values[v].q))
        text = show_decimal(number, DIGITS)
        texts.append(f"{v.name} {ROUNDED if text.startswith(ROUNDED) else '='} {text.removeprefix(ROUNDED)}")
    return ", ".join(texts)

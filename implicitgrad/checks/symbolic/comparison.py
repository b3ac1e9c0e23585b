"""Decide whether values with letters are equal: for almost all letters, or wherever nonlinear equations hold."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from implicitgrad.checks.feasibility.decision import Decision
from implicitgrad.checks.symbolic.solution_set import Finding, OnCurve, place_of
from implicitgrad.model.verdict import DIGITS
from implicitgrad.numbers.display.style import show_number
from implicitgrad.symbolic.function_field.element import Symbolic
from implicitgrad.symbolic.function_field.field import Field
from implicitgrad.symbolic.function_field.rank_profile import profile_at

Rows = list[list[Any]]


class Difference(NamedTuple):
    """A number that is not, or not proved to be, equal to its claim."""

    name: str
    text: str
    """The claim as written."""
    claimed: Symbolic | None
    correct: Any
    finding: Finding


class SymbolicComparison:
    """A comparison of values in one field."""

    def __init__(self, field: Field, curve: OnCurve | None) -> None:
        self.field = field
        self.curve = curve
        """The solution set of nonlinear equations; None if the values need not satisfy any."""

    def compare(self, claimed: Symbolic, expected: Symbolic, slack: Fraction = Fraction(0)) -> Finding:
        """Decide whether two values are equal; for nonlinear equations, wherever these hold."""
        difference = claimed - expected
        if not difference or (slack and difference.is_number and abs(difference.approximation()) <= slack):
            return Finding(Decision.YES)
        return Finding(Decision.NO) if self.curve is None else self.curve.compare(claimed, expected, slack)

    def said(self, one: Difference) -> str:
        """Describe a difference: the claimed value, the correct value, and where they differ."""
        text = f"{one.name}: claimed {one.text}, correct is {show_number(one.correct, DIGITS)}"
        if self.curve is None or one.claimed is None:
            return text
        return f"{text}; {self.curve.said(one.finding, one.claimed, one.correct)}"

    def of_column(self, name: str, what: str, finding: Finding) -> str:
        """Return why the claim fails, or why that is undecided, for one column."""
        column = f"the column of {name}"
        if self.curve is None or finding.apart is not None:
            return f"{what}: {column}" + (f"; as at {place_of(finding.apart)}" if finding.apart else "")
        return f"{column}: {self.curve.why_undecided(finding)}"

    def solve(self, equations: Rows) -> Finding:
        """Decide whether [V | c] has a solution: c is no pivot column, or its rest is 0 wherever the equations hold."""
        if not equations:
            return Finding(Decision.YES)
        width = len(equations[0])
        found = profile_at(self.field.evaluated(equations, self.field.points[0]), range(width), width)
        if width - 1 not in found.pivots:
            return Finding(Decision.YES)
        if self.curve is None:
            return Finding(Decision.NO)
        remaining = [row[-1] for row in row_reduced(equations, keeps_all=True) if not any(row[:-1]) and row[-1]]
        findings = [self.compare(one, self.field.number(0)) for one in remaining]
        order = [Decision.NO, Decision.UNDECIDED, Decision.YES]
        return min(findings, key=lambda finding: order.index(finding.answer), default=Finding(Decision.YES))


def row_reduced(given: Sequence[Sequence[Any]], *, keeps_all: bool = False) -> Rows:
    """Return the rows of [C | c] in reduced echelon form, without those with C = 0 unless ``keeps_all``."""
    rows, done = [list(row) for row in given], 0
    for column in range(len(rows[0]) - 1 if rows else 0):
        chosen = next((i for i in range(done, len(rows)) if rows[i][column]), None)
        if chosen is None:
            continue
        rows[done], rows[chosen] = rows[chosen], rows[done]
        rows[done] = pivot_row = [entry / rows[done][column] for entry in rows[done]]
        for i, row in enumerate(rows):
            if i != done and row[column]:
                rows[i] = [a - row[column] * b for a, b in zip(row, pivot_row, strict=True)]
        done += 1
    return rows if keeps_all else rows[:done]

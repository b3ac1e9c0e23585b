"""Claim: a claimed ∂y/∂x or ∂L/∂x beside the family of values that it may have."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property

from implicitgrad.checks.context import Context
from implicitgrad.checks.feasibility.constraints import IntervalConstraint, LinearForm, PlacedForm
from implicitgrad.checks.matrices import absolute, complete, product
from implicitgrad.checks.tolerances import tolerances_of
from implicitgrad.model.claims import ClaimedMatrix
from implicitgrad.model.solution import PartialMatrix, PartialRow
from implicitgrad.model.system import Arithmetic, Matrix
from implicitgrad.model.verdict import Deviation, show
from implicitgrad.numbers.display.sums import linear
from implicitgrad.numbers.exact import Row
from implicitgrad.text.characters import printable

MAX_TERMS = 6
"""The longest sum that a message spells out."""
MAX_ENTRIES = 40
"""The most entries of a claim in doubles, which have long fractions, that exact feasibility decides and explains."""
MAX_EXACT_ENTRIES = 400
"""The same limit for short fractions."""
Entries = dict[tuple[int, int], Fraction]
"""Values by row and independent input."""


class Claim:
    """A claimed matrix, as written and reduced, with its tolerances; valid if it is near a member of its family."""

    def __init__(
        self, matrix: ClaimedMatrix, context: Context, jacobian: Claim | None = None, tolerances: Matrix | None = None
    ) -> None:
        """jacobian : a valid ∂y/∂x that must yield this ∂L/∂x. tolerances : of the shape of the claim."""
        self.matrix, self.context, self.jacobian = matrix, context, jacobian
        self.family = context.family(matrix.key)
        self.is_wide = context.is_wide(matrix)
        self.columns = context.independent if self.is_wide else range(len(context.x))
        """For each independent input its column in the claim as written."""
        if tolerances is not None:
            self.written_tolerances = tolerances

    @cached_property
    def written_tolerances(self) -> Matrix:
        """The tolerance of each entry as written."""
        return tolerances_of(self.matrix, self.context)

    @cached_property
    def values(self) -> PartialMatrix:
        """(R, P′), the claim in terms of the independent inputs; None where it needs an entry that is not claimed."""
        if not self.is_wide:
            return self.matrix.entries
        columns = list(zip(*self.context.T, strict=True))
        return tuple([tuple([_combined(row, column) for column in columns]) for row in self.matrix.entries])

    @cached_property
    def tolerances(self) -> Matrix:
        """(R, P′), those of the reduced claim, sums over its terms."""
        allowed = self.written_tolerances
        return product(allowed, absolute(self.context.T)) if self.is_wide else allowed

    @property
    def own_tolerances(self) -> Matrix:
        """Return the tolerances of the independent inputs' entries alone (R, P′)."""
        return [tuple([row[k] for k in self.columns]) for row in self.written_tolerances]

    @property
    def dependent_tolerances(self) -> Matrix:
        """Return the tolerances of the dependent inputs' entries (R, D); empty if the claim has none."""
        if not self.is_wide:
            return ()
        return [tuple([row[k] for k in self.context.dependent]) for row in self.written_tolerances]

    def with_tolerances(self, tolerances: Matrix) -> Claim:
        """Return the same claim with other tolerances."""
        return Claim(self.matrix, self.context, self.jacobian, tolerances)

    @property
    def is_gradient(self) -> bool:
        """Return whether this is a ∂L/∂x."""
        return self.matrix.key == "dL_dx"

    @property
    def says_something(self) -> bool:
        """Return whether any entry is not null."""
        return any(value is not None for row in self.values for value in row)

    @property
    def is_small(self) -> bool:
        """Return whether exact feasibility and explanations of the claim are affordable."""
        has_short_fractions = self.context.solution.arithmetic is Arithmetic.EXACT and self.matrix.unit_roundoff is None
        entries = self.matrix.entry_count
        if self.jacobian is not None:
            entries += len(self.jacobian.values) * len(self.jacobian.values[0])
        return entries <= (MAX_EXACT_ENTRIES if has_short_fractions else MAX_ENTRIES)

    @cached_property
    def forms(self) -> list[PlacedForm]:
        """The linear form that each claimed number is the value of."""
        kind = 2 if self.is_gradient else 1
        dependent = self.context.dependent if self.is_wide else []
        T = self.context.T if dependent else ()
        place = {k: m for m, k in enumerate(self.columns)}
        found = []
        for i, (C, values) in enumerate(zip(self.family.coefficients, self.matrix.entries, strict=True)):
            for k, value in enumerate(values):
                if value is None:
                    continue
                m = place.get(k)
                if m is None:
                    form: LinearForm = {(kind, i, k): Fraction(1)}
                else:
                    form = {(0, f, m): c for f, c in enumerate(C) if c}
                    form |= {(kind, i, d): -T[d][m] for d in dependent if T[d][m]}
                found.append(PlacedForm(i, k, m, form))
        return found

    @cached_property
    def constraints(self) -> list[IntervalConstraint]:
        """The conditions that the claim imposes on the free parameters; empty if there are none to choose."""
        if not self.context.has_choices:
            return []
        entries, tolerances, particular = self.matrix.entries, self.written_tolerances, self.family.particular
        found = []
        for i, k, m, form in self.forms:
            value = entries[i][k]
            assert value is not None
            centre = value if m is None else value - particular[i][m]
            found.append(IntervalConstraint(i, k, form, centre, tolerances[i][k]))
        return found

    @property
    def given_constraints(self) -> list[IntervalConstraint]:
        """The conditions that the claimed ∂y/∂x beside it imposes, if there is one."""
        return [] if self.jacobian is None else self.jacobian.constraints

    @cached_property
    def reduced_constraints(self) -> list[IntervalConstraint]:
        """The conditions that the reduced claim imposes on the free parameters, separately for each column."""
        return [
            IntervalConstraint(i, m, {(0, f, m): c for f, c in enumerate(C) if c}, value - p[m], tolerances[m])
            for i, (p, C, values, tolerances) in enumerate(
                zip(self.family.particular, self.family.coefficients, self.values, self.tolerances, strict=True)
            )
            for m, value in enumerate(values)
            if value is not None and any(C)
        ]

    def equations(self, m: int) -> list[list[Fraction]]:
        """Return the rows of coefficients·Z = claimed − particular for one independent input, as [C | c]."""
        return [
            [*C, value - p[m]]
            for C, p, values in zip(self.family.coefficients, self.family.particular, self.values, strict=True)
            if any(C) and (value := values[m]) is not None
        ]

    @cached_property
    def unique_differences(self) -> list[tuple[int, int, Fraction]]:
        """Row, independent input and |claimed − correct| of each entry that no free parameter changes."""
        rows = enumerate(zip(self.family.particular, self.family.coefficients, self.values, strict=True))
        return [
            (i, m, abs(value - p[m]))
            for i, (p, C, values) in rows
            if not any(C)
            for m, value in enumerate(values)
            if value is not None
        ]

    def wrong_entries(self) -> Iterator[Deviation]:
        """Yield the entries that are wrong whatever the free parameters are."""
        yield from self.determined_nulls()
        for i, m, difference in self.unique_differences:
            if difference > self.tolerances[i][m]:
                yield self.deviation(i, m, self.family.particular[i][m])

    def determined_nulls(self) -> Iterator[Deviation]:
        """Yield the entries that are claimed not to be determined, and are."""
        matrix, family, independent = self.matrix, self.family, self.context.independent
        is_reduced = len(matrix.entries[0]) != self.context.system.inputs
        for i, row in enumerate(matrix.entries):
            nulls = [j for j, value in enumerate(row) if value is None]
            if not nulls:
                continue
            answer = family.answer[i]  # a row of doubles is converted at each access
            if is_reduced:
                is_unique = not any(family.coefficients[i])
                answer = family.particular[i] if is_unique else tuple([answer[k] for k in independent])
            for j in nulls:
                if (correct := answer[j]) is not None:
                    yield Deviation(matrix.name(i, j), self.meaning(i, j), "null", None, correct, Fraction(0))

    def meaning(self, i: int, j: int) -> str:
        """Return the derivative that the entry in row i and column j, as written, is: ∂y1/∂x2."""
        is_full = len(self.matrix.entries[0]) == self.context.system.inputs
        x = printable(self.context.system.x[j]) if is_full else self.context.x[j]
        return f"∂{self.family.rows[i]}/∂{x}"

    def deviation(self, i: int, m: int, correct: Fraction) -> Deviation:
        """Compare an entry of the reduced claim, which has a value, with what it should be."""
        value, j = self.values[i][m], self.columns[m]
        assert value is not None
        direction = " along the constraint" if self.context.solution.constraints is not None else ""
        meaning = f"∂{self.family.rows[i]}/∂{self.context.x[m]}{direction}"
        text = self._written_sum(value, i, j)
        return Deviation(self.matrix.name(i, j), meaning, text, value, correct, self.tolerances[i][m])

    def _written_sum(self, value: Fraction, i: int, j: int) -> str:
        """Return a claimed number as written, or the sum of several along the constraint: 3 + 2·1 = 5."""
        texts = self.matrix.texts[i]
        if not self.is_wide:
            return texts[j]
        column = [row[self.context.independent.index(j)] for row in self.context.T]
        shown = [f"({text})" if text.startswith("-") else text for text in texts]
        terms = [(factor, text) for factor, text in zip(column, shown, strict=True) if factor]
        if len(terms) == 1:
            return texts[j]
        if len(terms) > MAX_TERMS:
            return show(value)
        return f"{linear(Fraction(0), terms, show)} = {show(value)}"

    @property
    def has_all_entries(self) -> bool:
        """Return whether no entry is null."""
        return complete(self.matrix.entries) is not None


def _combined(row: PartialRow, column: Row) -> Fraction | None:
    """Return row·column, or None if an entry that it needs is not claimed."""
    terms = [(value, factor) for value, factor in zip(row, column, strict=True) if factor]
    if any(value is None for value, _ in terms):
        return None
    return sum((value * factor for value, factor in terms if value is not None), Fraction(0))

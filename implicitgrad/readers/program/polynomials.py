"""Polynomials with coefficients in letters → a quadratic program, and how its numbers depend on the letters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.model.program.letters import Letter, Sensitivity
from implicitgrad.model.program.problem import QuadraticProgram, Rows, Vector
from implicitgrad.readers.equations.reader import EquationLine
from implicitgrad.symbolic.polynomials.dual_numbers import MINUS_ONE, ZERO, DualNumber
from implicitgrad.symbolic.polynomials.expander import Polynomial


class ConstraintRow(NamedTuple):
    """One row of G or A: expression ≤ 0 or expression = 0."""

    name: str
    is_equality: bool
    terms: Polynomial
    line: EquationLine
    """Where it is written."""


def negated(terms: Polynomial) -> Polynomial:
    """Return the polynomial times −1."""
    return {monomial: coefficient.times(MINUS_ONE) for monomial, coefficient in terms.items()}


def program_of_polynomials(
    objective: Polynomial, rows: Sequence[ConstraintRow], unknowns: Sequence[str], values: Mapping[str, Fraction]
) -> QuadraticProgram:
    """Build the program that minimises the objective, of degree 2 at most, at the letters' values."""
    numbers = _Numbers({})
    numbers.add_objective(objective)
    inequalities = [row for row in rows if not row.is_equality]
    equalities = [row for row in rows if row.is_equality]
    for matrix, vector, group in (("G", "h", inequalities), ("A", "b", equalities)):
        for number, row in enumerate(group):
            numbers.add_row(matrix, vector, number, row.terms)
    n, m, p = len(unknowns), len(inequalities), len(equalities)
    return QuadraticProgram(
        P=numbers.matrix("P", n, n),
        q=numbers.vector("q", n),
        G=numbers.matrix("G", m, n),
        h=numbers.vector("h", m),
        A=numbers.matrix("A", p, n),
        b=numbers.vector("b", p),
        lower=(None,) * n,
        upper=(None,) * n,
        z=tuple(unknowns),
        inequality_names=tuple(row.name for row in inequalities),
        equality_names=tuple(row.name for row in equalities),
        constant=objective.get((), ZERO).value,
        letters=tuple(numbers.letters(values)),
    )


class _Numbers(NamedTuple):
    """The numbers of a program that are not 0 whatever the letters are."""

    found: dict[tuple[str, int, int], DualNumber]
    """By key, row and column; the column of a vector is 0."""

    def add_objective(self, terms: Polynomial) -> None:
        for monomial, coefficient in terms.items():
            if len(monomial) == 1:
                self.found["q", monomial[0], 0] = coefficient
            elif monomial:
                i, j = monomial
                entry = coefficient.plus(coefficient) if i == j else coefficient
                self.found["P", i, j] = self.found["P", j, i] = entry

    def add_row(self, matrix: str, vector: str, row: int, terms: Polynomial) -> None:
        """Add terms ≤ 0 or terms = 0 as a row of G and h, or of A and b."""
        for monomial, coefficient in terms.items():
            if monomial:
                self.found[matrix, row, monomial[0]] = coefficient
            else:
                self.found[vector, row, 0] = coefficient.times(MINUS_ONE)

    def matrix(self, key: str, rows: int, columns: int) -> Rows:
        return tuple(tuple(self.found.get((key, i, j), ZERO).value for j in range(columns)) for i in range(rows))

    def vector(self, key: str, rows: int) -> Vector:
        return tuple(self.found.get((key, i, 0), ZERO).value for i in range(rows))

    def letters(self, values: Mapping[str, Fraction]) -> Iterator[Letter]:
        of: dict[str, dict[str, dict[tuple[int, int], Sensitivity]]]
        of = {name: {key: {} for key in "PqGhAb"} for name in values}
        for (key, row, column), number in self.found.items():
            for name, slope in number.partials.items():
                of[name][key][row, column] = Sensitivity(slope, name not in number.curved)
        for name, value in values.items():
            q, h, b = ({i: one for (i, _), one in of[name][key].items()} for key in "qhb")
            yield Letter(name, value, of[name]["P"], q, of[name]["G"], h, of[name]["A"], b)

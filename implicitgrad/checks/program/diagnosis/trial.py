"""Trials: a wrong claim, and what candidates for it are computed from.

A mistake is named only if it explains the claim completely, every number within its tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cached_property, partial
from typing import Any, NamedTuple

from implicitgrad.checks.program.diagnosis.adjoint import KktSystems, Response
from implicitgrad.checks.program.quantities import Entry, Quantities
from implicitgrad.model.program.problem import Rows
from implicitgrad.model.program.solution import Missing, ProgramSolution
from implicitgrad.model.system import Matrix

Values = Sequence[Sequence[Fraction | None]]


class Candidate(NamedTuple):
    """A mistake, with the code and the message of its suspicion, and what it makes of the quantity."""

    code: str
    message: str
    values: Values
    """None for an entry that it makes nothing of."""


class ProgramTrial:
    """A wrong claim, or the row of one loss in it."""

    def __init__(
        self,
        systems: KktSystems,
        key: str,
        loss: int,
        claimed: Values,
        tolerances: Matrix,
        entries: Sequence[Sequence[Entry]],
    ) -> None:
        """Take claimed numbers, None for those that are not claimed to be numbers, and what is known of them."""
        self.systems, self.key, self.loss = systems, key, loss
        self.claimed, self.tolerances, self.entries = claimed, tolerances, entries

    @property
    def solution(self) -> ProgramSolution:
        """The right answer."""
        return self.systems.solution

    @property
    def of(self) -> str:
        """What is claimed: z, L of a derivative, dz of one, …"""
        return self.key.partition("_d")[0]

    @property
    def parameter(self) -> str:
        """The parameter of a derivative, such as q; "" if it is none."""
        return self.key.partition("_d")[2]

    @property
    def target(self) -> str:
        """The quantity as messages have it: ∂L/∂h."""
        names = {"lambda": "λ", "nu": "ν", "objective": "the objective"}
        if not self.parameter:
            return names.get(self.key, self.key)
        L = "L" if len(self.solution.program.losses) == 1 or self.of == "dz" else f"L{self.loss + 1}"
        return f"∂{'z' if self.of == 'dz' else L}/∂{self.parameter}"

    @cached_property
    def correct(self) -> Values:
        """The right numbers, None where there is no one."""
        return mapped(lambda entry: entry.value, self.entries)

    @cached_property
    def sides(self) -> tuple[Values, Values] | None:
        """The derivatives from the left and the right, None for one that is missing; None if nothing has a kink."""
        if all(entry.value is not None or entry.sides is None for row in self.entries for entry in row):
            return None

        def side(entry: Entry, number: int) -> Fraction | None:
            found = entry.value if entry.sides is None else entry.sides[number]
            return None if isinstance(found, Missing) else found

        return mapped(partial(side, number=0), self.entries), mapped(partial(side, number=1), self.entries)

    @property
    def is_wrong(self) -> bool:
        """Whether a claimed number is not the right one."""
        return any(
            value is None or abs(claimed - value) > tolerance
            for claimed, tolerance, value in self.numbers(self.correct)
        )

    def name(self, i: int, j: int) -> str:
        """Return the name of an entry, ∂L/∂h1."""
        return self.systems.quantities.meaning(self.key, self.loss, self.loss if self._is_row_of_losses else i, j)

    @property
    def _is_row_of_losses(self) -> bool:
        """Whether the claim is the row of one loss in a matrix with a row for each."""
        return self.of == "dL" and self.parameter not in "PGA"

    def values_of_loss(self, loss: int) -> Values:
        """Return what the quantity is for another loss."""
        return self._values_in(self.systems.quantities, loss)

    def _values_in(self, quantities: Quantities, loss: int) -> Values:
        first = loss if self._is_row_of_losses else 0
        return [
            [quantities.entry(self.key, loss, first + i, j).value for j in range(len(row))]
            for i, row in enumerate(self.claimed)
        ]

    def numbers(self, values: Values) -> list[tuple[Fraction, Fraction, Fraction | None]]:
        """Return claimed numbers and their tolerances beside other values."""
        return [
            (claimed, tolerance, value)
            for rows in zip(self.claimed, self.tolerances, values, strict=True)
            for claimed, tolerance, value in zip(*rows, strict=True)
            if claimed is not None
        ]

    def is_explained_by(self, values: Values) -> bool:
        """Return whether the claim is this."""
        numbers = self.numbers(values)
        return all(value is not None and abs(claimed - value) <= tolerance for claimed, tolerance, value in numbers)

    def answer_with(self, P: Rows) -> Values | None:
        """Return what the quantity is for the program with another P; None if that has no answer in time."""
        solution = self.systems.with_quadratic(P)
        return None if solution is None else self._values_in(Quantities(solution), self.loss)

    def from_response(self, response: Response | None) -> Values | None:
        """Return what the quantity is by other KKT conditions; None if these do not say."""
        return None if response is None else self.systems.values(self.key, self.loss, response)


def mapped(function: Callable[..., Fraction | None], *matrices: Sequence[Sequence[Any]]) -> Values:
    """Return a function of the entries of matrices of one shape."""
    return [[function(*entries) for entries in zip(*rows, strict=True)] for rows in zip(*matrices, strict=True)]


def scaled(values: Values, factor: Fraction | int) -> Values:
    """Return the values times a factor."""
    return mapped(lambda value: None if value is None else factor * value, values)

"""Verdict: whether each claim holds, and why not; immutable, with all that a report needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.model.claims import Place
from implicitgrad.numbers.display.style import show_decimal, show_number
from implicitgrad.numbers.display.sums import linear
from implicitgrad.numbers.doubles import Ball
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import Problem
from implicitgrad.text.number_grammar import is_number
from implicitgrad.text.number_texts import last_place

if TYPE_CHECKING:
    from implicitgrad.model.program.problem import QuadraticProgram
    from implicitgrad.model.program.solution import ProgramSolution
    from implicitgrad.model.solution import Solution
    from implicitgrad.model.system import LinearSystem

NOTHING = "solved, nothing claimed"
DIGITS = 6
"""The significant digits of a number in a message."""
MAX_DIGITS = 17
"""The largest number of digits beside a claim that has more."""


def show(value: Fraction) -> str:
    """Return the text of a number in a message."""
    return show_number(value, DIGITS)


def show_short(value: Fraction) -> str:
    """Return the text of a number to three digits."""
    return show_decimal(value, 3)


class Deviation(NamedTuple):
    """A number that differs from its claim."""

    entry: str
    """In the claim's own indices: dL_dx[2]."""
    meaning: str
    """In the system's names: ∂L/∂x2."""
    claimed: str
    """As it was written."""
    claimed_value: Fraction | None
    """None if it is claimed not to be determined."""
    correct: Fraction | None
    """None if it has no one value."""
    tolerance: Fraction
    """The largest difference that is allowed."""
    instead: str = ""
    """What it is if it has no one value, as "but it is …" goes on."""

    @property
    def difference(self) -> Fraction | None:
        """Return claimed − correct."""
        return None if self.claimed_value is None or self.correct is None else self.claimed_value - self.correct

    def __str__(self) -> str:
        where, difference = f"{self.entry} ({self.meaning})", self.difference
        if self.correct is None:
            return f"{where}: claimed {self.claimed}, but it is {self.instead}"
        if difference is None:
            return f"{where}: claimed not to be determined, correct is {show(self.correct)}"
        if isinstance(self.correct, Ball):  # show no digit that the bound does not support
            correct, found = show(self.correct), show(Ball(difference, self.correct.error))
            tolerance = show_short(self.tolerance)
        elif not is_number(self.claimed) or last_place(self.claimed) is None:
            correct, found, tolerance = map(show, (self.correct, difference, self.tolerance))
        else:  # compare a decimal with a decimal of one more digit
            digits = len("".join(filter(str.isdigit, self.claimed.lower().partition("e")[0])).lstrip("0"))
            correct = show_decimal(self.correct, max(DIGITS, min(digits, MAX_DIGITS) + 1))
            found, tolerance = show_short(difference), show_short(self.tolerance)
        allowed = f", allowed {tolerance}" if self.tolerance else ""
        return f"{where}: claimed {self.claimed}, correct is {correct}, difference {found}{allowed}"

    @property
    def excess(self) -> Fraction:
        """Return the difference beyond the tolerance; a claim of no determined value has the largest."""
        return Fraction(10**400) if self.difference is None else abs(self.difference) - self.tolerance


class Suspicion(NamedTuple):
    """A mistake that would fully explain a wrong claim."""

    code: str
    message: str


class Choice(NamedTuple):
    """A condition that a claim imposes on free parameters, usually on one: Σ coefficient·parameter = value."""

    terms: tuple[tuple[Fraction, str, str], ...]
    """Triples of a coefficient and the names of the y and the x of ∂y/∂x."""
    value: Fraction

    def __str__(self) -> str:
        named = [(factor, f"∂{printable(y)}/∂{printable(x)}") for factor, y, x in self.terms]
        return f"{linear(Fraction(0), named, show)} = {show(self.value)}"


class Outcome(NamedTuple):
    """The result of judging one claim."""

    key: str
    holds: bool
    claimed: str
    """The claim in brief: its value, or its size."""
    reason: str = ""
    """Why the claim fails, in one clause."""
    failing: int = 0
    """The number of wrong entries."""
    worst: Deviation | None = None
    """The entry with the largest difference; for a claim that holds, one where rounding was allowed for."""
    suspicions: tuple[Suspicion, ...] = ()
    choices: tuple[Choice, ...] = ()
    """The values of free parameters that a claim implies if it holds."""
    fixes_nothing: str = ""
    """Why the claim could not fail, if so."""
    place: Place = Place(None)
    is_undecided: bool = False
    """Neither proved nor refuted."""

    def failed(self, wrong: Sequence[Deviation], reason: str) -> Outcome:
        """Return the outcome of the claim with these wrong numbers."""
        worst = max(wrong, key=lambda deviation: deviation.excess)
        return self._replace(holds=False, reason=reason, failing=len(wrong), worst=worst)

    def undecided(self, reason: str) -> Outcome:
        """Return the outcome of the claim if it is neither proved nor refuted."""
        return Outcome(self.key, False, self.claimed, reason, is_undecided=True)

    @property
    def verb(self) -> str:
        """Return the verb for a claim that does not hold."""
        return "is not decided" if self.is_undecided else "fails"

    @property
    def headline(self) -> str:
        """Return why the claim does not hold, in one line with its worst entry first."""
        return "; ".join((*self._worst_entry, self.reason))

    @property
    def explanation(self) -> tuple[str, ...]:
        """Return why the claim does not hold: a clause, the worst entry, and the mistakes that would explain it."""
        if self.holds:
            return ()
        return (self.reason, *self._worst_entry, *(suspicion.message for suspicion in self.suspicions))

    @property
    def _worst_entry(self) -> tuple[str, ...]:
        return () if self.worst is None else (f"{'worst ' if self.failing > 1 else ''}{self.worst}",)


class Unreadable(NamedTuple):
    """A file without a system, or with claims that make no sense."""

    source: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """All claims about a system and their outcomes; true exactly if all hold.

    >>> from implicitgrad import check
    >>> verdict = check([[1, 2], [3, 4]], [1, 1], dL_dx=["0.5", "-0.5"])
    >>> assert not verdict
    >>> print(verdict)
    dL_dx fails: 2 of 2 entries
    worst dL_dx[1] (∂L/∂x1): claimed 0.5, correct is -0.5, difference 1, allowed 0.05
    the claim is the negative of ∂L/∂x: is a sign flipped?
    """

    solution: Solution | ProgramSolution
    outcomes: tuple[Outcome, ...]

    @property
    def question(self) -> LinearSystem | QuadraticProgram:
        """Return what the claims are about."""
        return self.solution.program if self.solution.kind == "program" else self.solution.system

    @property
    def source(self) -> str:
        """Return where that was read from."""
        return self.question.source

    @property
    def remarks(self) -> tuple[tuple[str, str], ...]:
        """Return warnings of possible misreadings, by code and message."""
        return () if self.solution.kind == "program" else self.solution.system.remarks

    @property
    def holds(self) -> bool:
        """Return whether every claim holds."""
        return all(outcome.holds for outcome in self.outcomes)

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """Return the claims that fail or are undecided."""
        return tuple(outcome for outcome in self.outcomes if not outcome.holds)

    def strictly(self) -> Verdict:
        """Return the verdict that requires a claim, and that every claim could fail."""
        outcomes = tuple(
            outcome._replace(holds=False, reason=f"it fixes nothing: {outcome.fixes_nothing}", failing=1, worst=None)
            if outcome.holds and outcome.fixes_nothing
            else outcome
            for outcome in self.outcomes
        )
        nothing = Outcome("expect", False, NOTHING, "nothing is claimed", 1, place=Place(self.source))
        return Verdict(self.solution, outcomes or (nothing,))

    def __bool__(self) -> bool:
        return self.holds

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def __str__(self) -> str:
        if self.holds:
            lines = [f"{', '.join(outcome.key for outcome in self.outcomes)}: all hold"]
            vain = [outcome for outcome in self.outcomes if outcome.fixes_nothing]
            lines += [f"but {outcome.key} fixes nothing: {outcome.fixes_nothing}" for outcome in vain]
            return "\n".join(map(printable, lines))
        lines = []
        for outcome in self.failures:
            first, *rest = outcome.explanation
            lines += [f"{outcome.key} {outcome.verb}: {first}", *rest]
        return "\n".join(map(printable, lines))

"""Verdict: whether each claim holds, and what is wrong with one that does not; immutable, all that a report reads."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.model.claims import Place
from implicitgrad.model.solution import Solution
from implicitgrad.numbers.ball import Ball
from implicitgrad.numbers.formatting import linear, show_decimals, show_number
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import Problem
from implicitgrad.text.number_grammar import is_number, last_place

NOTHING = "solved, nothing claimed"
DIGITS = 6
"""The significant digits of a number in a message."""
MAX_DIGITS = 17
"""Of one beside a claim that has more."""


def show(value: Fraction) -> str:
    """A number as a message has it."""
    return show_number(value, DIGITS)


def show_short(value: Fraction) -> str:
    """A number of which three digits say enough."""
    return show_decimals([value], 3)[0]


class Deviation(NamedTuple):
    """One number that is not what it is claimed to be."""

    entry: str
    """As the claim's own indices have it: dL_dx[2]."""
    meaning: str
    """In the system's names: ∂L/∂x2."""
    claimed: str
    """As it was written."""
    claimed_value: Fraction | None
    """None: claimed not to be determined."""
    correct: Fraction
    tolerance: Fraction
    """How far from the claim the correct value may be."""

    @property
    def difference(self) -> Fraction | None:
        """Claimed less correct."""
        return None if self.claimed_value is None else self.claimed_value - self.correct

    def __str__(self) -> str:
        where, difference = f"{self.entry} ({self.meaning})", self.difference
        if difference is None:
            return f"{where}: claimed not to be determined, correct is {show(self.correct)}"
        if isinstance(self.correct, Ball):  # no digit that the bound does not support
            correct, found = show(self.correct), show(Ball(difference, self.correct.error))
            tolerance = show_short(self.tolerance)
        elif not is_number(self.claimed) or last_place(self.claimed) is None:
            correct, found, tolerance = map(show, (self.correct, difference, self.tolerance))
        else:  # a decimal is compared with a decimal, of a digit more
            digits = len("".join(filter(str.isdigit, self.claimed.lower().partition("e")[0])).lstrip("0"))
            correct = show_decimals([self.correct], max(DIGITS, min(digits, MAX_DIGITS) + 1))[0]
            found, tolerance = show_short(difference), show_short(self.tolerance)
        allowed = f", allowed {tolerance}" if self.tolerance else ""
        return f"{where}: claimed {self.claimed}, correct is {correct}, difference {found}{allowed}"

    @property
    def excess(self) -> Fraction:
        """How far beyond the tolerance; what is claimed not to be determined counts as most of all."""
        return Fraction(10**400) if self.difference is None else abs(self.difference) - self.tolerance


class Suspicion(NamedTuple):
    """A mistake that would explain a wrong claim whole."""

    code: str
    message: str


class Choice(NamedTuple):
    """What a claim says of free parameters: Σ coefficient·parameter = value, mostly of one alone."""

    terms: tuple[tuple[Fraction, str, str], ...]
    """Each a coefficient and the names of the y and the x of ∂y/∂x."""
    value: Fraction

    def __str__(self) -> str:
        named = [(factor, f"∂{printable(y)}/∂{printable(x)}") for factor, y, x in self.terms]
        return f"{linear(Fraction(0), named, DIGITS)} = {show(self.value)}"


class Outcome(NamedTuple):
    """What became of one claim."""

    key: str
    holds: bool
    claimed: str
    """The claim in a few words: its value, or its size."""
    reason: str = ""
    """Why it fails, in one clause."""
    failing: int = 0
    """How many numbers are wrong."""
    worst: Deviation | None = None
    """The number that is farthest off; of a claim that holds, where rounding was allowed for."""
    suspicions: tuple[Suspicion, ...] = ()
    choices: tuple[Choice, ...] = ()
    """The free parameters' values that go with a claim that holds."""
    fixes_nothing: str = ""
    """Why the claim could not fail, if it could not."""
    place: Place = Place(None)
    is_undecided: bool = False
    """Neither that the claim holds is shown, nor that it fails."""

    @property
    def verb(self) -> str:
        """What is said of a claim that does not hold."""
        return "is not decided" if self.is_undecided else "fails"

    @property
    def headline(self) -> str:
        """Why the claim does not hold, in one line: its worst entry first."""
        return "; ".join((*self._worst_entry, self.reason))

    @property
    def explanation(self) -> tuple[str, ...]:
        """Why the claim does not hold: a clause, the worst entry, and the mistakes that would explain it."""
        if self.holds:
            return ()
        return (self.reason, *self._worst_entry, *(suspicion.message for suspicion in self.suspicions))

    @property
    def _worst_entry(self) -> tuple[str, ...]:
        return () if self.worst is None else (f"{'worst ' if self.failing > 1 else ''}{self.worst}",)


class Unreadable(NamedTuple):
    """A file that holds no system, or claims that make no sense."""

    source: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """Every claim of a system and what became of it; true exactly if all hold.

    >>> from implicitgrad import check
    >>> verdict = check([[1, 2], [3, 4]], [1, 1], dL_dx=["0.5", "-0.5"])
    >>> assert not verdict
    >>> print(verdict)
    dL_dx fails: 2 of 2 entries
    worst dL_dx[1] (∂L/∂x1): claimed 0.5, correct is -0.5, difference 1, allowed 0.05
    the claim is the negative of ∂L/∂x: is a sign flipped?
    """

    solution: Solution
    outcomes: tuple[Outcome, ...]

    @property
    def holds(self) -> bool:
        """Whether every claim holds."""
        return all(outcome.holds for outcome in self.outcomes)

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The claims that fail, or are not decided."""
        return tuple(outcome for outcome in self.outcomes if not outcome.holds)

    def strictly(self) -> Verdict:
        """The verdict where something is to be claimed, and what is claimed is to fix something."""
        outcomes = tuple(
            outcome._replace(holds=False, reason=f"it fixes nothing: {outcome.fixes_nothing}", failing=1, worst=None)
            if outcome.holds and outcome.fixes_nothing
            else outcome
            for outcome in self.outcomes
        )
        nothing = Outcome("expect", False, NOTHING, "nothing is claimed", 1, place=Place(self.solution.system.source))
        return Verdict(self.solution, outcomes or (nothing,))

    def __bool__(self) -> bool:
        return self.holds

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def __str__(self) -> str:
        if self.holds:
            return f"{', '.join(outcome.key for outcome in self.outcomes)}: all hold"
        lines = []
        for outcome in self.failures:
            first, *rest = outcome.explanation
            lines += [f"{outcome.key} {outcome.verb}: {first}", *rest]
        return "\n".join(map(printable, lines))

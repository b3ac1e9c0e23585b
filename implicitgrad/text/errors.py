"""The exceptions of the program, and the problems that they carry.

ImplicitGradError          everything below; its exit_code is the process's
├── UsageError       2     the question makes no sense: options, arguments, a choice of free unknowns
├── InputError       2     a system cannot be read or has no meaning; carries every Problem found
├── OutputError      2     the answer cannot be written
└── ReaderGone     141     the reader of our output closed the pipe

A singular, wide or tall matrix is none of these: it has an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from implicitgrad.text.characters import printable

MAX_PROBLEMS_SHOWN = 10


class Problem(NamedTuple):
    """One thing that is wrong with the input: what, where, and how to mend it."""

    message: str
    """What was found and what was expected, in one clause: ``A[2][3]: expected a number, got 'x'``."""
    hint: str | None = None
    """A sentence that says how to mend it."""
    code: str = "bad-input"
    """A stable name for the kind of problem, for programs."""
    source: str | None = None
    line: int | None = None
    """1-based, as ``column`` is."""
    column: int | None = None

    def at(self, source: str, position: tuple[int, int] | None) -> Problem:
        """Return the problem with its place; ``position`` is (line, column), 1-based."""
        line, column = position or (None, None)
        return self._replace(source=source, line=line, column=column)

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.source, self.line, self.column) if part is not None)
        text = f"{place}: {self.message}" if place else self.message
        if self.hint:
            text += f"{'' if text.endswith(('?', '?)')) else '.'} {self.hint}"
        return printable(text)


def without_repeated_hints(problems: Iterable[Problem], said: set[str | None]) -> list[Problem]:
    """Return the problems, each hint only with the first that has it.

    said : the hints printed so far; the new ones are added to it.
    """
    kept = []
    for problem in problems:
        kept.append(problem._replace(hint=None) if problem.hint in said else problem)
        said.add(problem.hint)
    return kept


class ImplicitGradError(Exception):
    """The root of the tree: a message a user can act on."""

    exit_code = 2
    code = "error"

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.problems: tuple[Problem, ...] = (Problem(message, hint, self.code),)
        super().__init__(str(self.problems[0]))

    def __reduce__(self) -> tuple[object, ...]:
        problem = self.problems[0]
        return type(self), (problem.message, problem.hint)


class UsageError(ImplicitGradError):
    """The question makes no sense: options that exclude one another, a choice that is impossible."""

    code = "usage"


class InputError(ImplicitGradError):
    """A system cannot be read, or what it says has no meaning."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        lines = list(map(str, without_repeated_hints(self.problems[:MAX_PROBLEMS_SHOWN], set())))
        if len(self.problems) > MAX_PROBLEMS_SHOWN:
            lines.append(f"... and {len(self.problems) - MAX_PROBLEMS_SHOWN} more problems")
        Exception.__init__(self, "\n".join(lines))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.problems,)


class OutputError(ImplicitGradError):
    """The answer cannot be written: the disk is full, the file is the input, standard output is closed."""

    code = "output"


class ReaderGone(ImplicitGradError):
    """The reader of our output closed the pipe; there is nobody to report it to."""

    exit_code = 141
    code = "reader-gone"

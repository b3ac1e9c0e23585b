"""Report problems, and what a command raised, on standard error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from implicitgrad.terminal.streams import say, write_stderr
from implicitgrad.text.errors import (
    MAX_PROBLEMS_SHOWN,
    ImplicitGradError,
    Problem,
    ReaderGone,
    without_repeated_hints,
)
from implicitgrad.text.internal_errors import INTERNAL_ERROR, INTERNAL_ERROR_EXIT, unforeseen_problem
from implicitgrad.writers.formats import JSON


def report(problems: Iterable[Problem], *, as_json: bool = False, hinted: set[str | None] | None = None) -> None:
    """Report problems on standard error, one a line: the first ten, then the number of the others.

    hinted : the hints printed so far, which are not repeated.
    """
    problems = list(problems)
    if not problems:
        return
    if any(problem.code == "cannot-read" for problem in problems):
        from implicitgrad.terminal.nearest_file import with_nearest_file

        problems[:MAX_PROBLEMS_SHOWN] = map(with_nearest_file, problems[:MAX_PROBLEMS_SHOWN])
    left_out = len(problems) - MAX_PROBLEMS_SHOWN
    if left_out > 0:
        problems[MAX_PROBLEMS_SHOWN:] = [Problem(f"... and {left_out} more problems", code="more-problems")]
    if as_json:
        from implicitgrad.writers.record import error_record, write_json

        lines = [write_json(error_record(problem)) for problem in problems]
    else:
        lines = [
            f"implicitgrad: {problem}"
            for problem in without_repeated_hints(problems, set() if hinted is None else hinted)
        ]
    for line in lines:
        say(line)


def report_error(error: Exception, arguments: Sequence[str]) -> int:
    """Report what the command of these arguments raised, and return the exit code."""
    if isinstance(error, ReaderGone):
        return error.exit_code
    formats = [b for a, b in pairwise(arguments) if a in ("--format", "-f")]
    as_json = JSON in formats or f"--format={JSON}" in arguments or f"-f{JSON}" in arguments
    if isinstance(error, ImplicitGradError):
        report(error.problems, as_json=as_json)
        return error.exit_code
    problem = unforeseen_problem(error, "the command and the input; --debug shows where")
    is_bug = problem.code == INTERNAL_ERROR
    if is_bug and "--debug" in arguments:
        import traceback

        write_stderr("".join(traceback.format_exception(error)))
    report([problem], as_json=as_json)
    return INTERNAL_ERROR_EXIT if is_bug else ImplicitGradError.exit_code

"""Report problems on standard error."""

from __future__ import annotations

from collections.abc import Iterable

from implicitgrad.terminal.streams import say
from implicitgrad.text.errors import MAX_PROBLEMS_SHOWN, Problem, without_repeated_hints


def report(problems: Iterable[Problem], *, as_json: bool = False, hinted: set[str] | None = None) -> None:
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
        lines = [f"implicitgrad: {problem}" for problem in without_repeated_hints(problems, hinted)]
    for line in lines:
        say(line)

"""Write an answer as tables, a large one as a summary, for a screen or a text file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from implicitgrad.model.system import Arithmetic
from implicitgrad.terminal.screen import Screen, stdout_screen
from implicitgrad.writers.screen.table import lay_out, write_short_table, write_table

if TYPE_CHECKING:
    from implicitgrad.model.selection import Selection
    from implicitgrad.model.solution import Solution
    from implicitgrad.writers.options import AnySolution, WriteOptions
    from implicitgrad.writers.reports.report import Result

MAX_TABLE_SIZE = 40
"""Unknowns or inputs up to which ∂y/∂x is readable as a table in a pipe, which has no size."""


def write(solution: AnySolution, options: WriteOptions) -> str:
    """Write the answer to one system. Raise ImplicitGradError if the format has no place for it."""
    screen = stdout_screen() if options.is_on_screen else Screen()
    if solution.kind == "program":
        from implicitgrad.writers.notation import PlainNotation
        from implicitgrad.writers.program.document import ProgramDocument

        notation = PlainNotation(options.numbers, screen.label, screen.label)
        document = ProgramDocument(solution, notation, options.wrt, options.selection, has_steps=options.has_steps)
        return lay_out(document, screen)
    if options.is_full:
        return write_table(solution, screen, options.numbers, options.selection)
    if screen.width is not None and _is_summarised_whole(solution):
        text = write_short_table(solution, screen, options.numbers, options.selection)
    elif _is_large(solution, options.selection):
        text = None
    else:
        text = write_table(solution, screen, options.numbers, options.selection)
    if text is None:
        from implicitgrad.writers.screen.summary import write_summary

        text = write_summary(solution, screen, options.numbers, options.selection)
    return text


def _is_summarised_whole(solution: Solution) -> bool:
    """Return whether a summary leaves out nothing but entries of ∂y/∂x and ∂L/∂x."""
    others = (solution.derivation, solution.second, solution.at_value, solution.along)
    return solution.arithmetic is not Arithmetic.SYMBOLIC and all(one is None for one in others)


def _is_large(solution: Solution, selection: Selection | None) -> bool:
    """Return whether what is shown of ∂y/∂x is too large to read as a table in a pipe, which has no size."""
    if selection is None:
        return max(len(solution.y), len(solution.independent)) > MAX_TABLE_SIZE
    rows = 0 if solution.is_gradient_alone else len(selection.rows)
    return max(rows, len(selection.columns)) > MAX_TABLE_SIZE


def write_results(results: Sequence[Result], only_failures: bool, is_on_screen: bool) -> str:
    """Write the results of check. only_failures : leave out what holds. is_on_screen : lay them out for a screen."""
    from implicitgrad.writers.reports.report import write_report

    return write_report(results, stdout_screen() if is_on_screen else Screen(), only_failures=only_failures)

"""Write an answer as tables, a large one as a summary, for a screen or a text file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from implicitgrad.model.system import Arithmetic
from implicitgrad.terminal.streams import USUAL_HEIGHT, USUAL_WIDTH, Screen, stdout_screen
from implicitgrad.writers.document import Document, document_of
from implicitgrad.writers.notation import Notation
from implicitgrad.writers.options import WriteOptions
from implicitgrad.writers.screen.table import LEAST_CELL, page_of

if TYPE_CHECKING:
    from implicitgrad.model.selection import Selection
    from implicitgrad.model.solution import Solution
    from implicitgrad.writers.options import AnySolution

MAX_TABLE_SIZE = 40
"""Unknowns or inputs up to which ∂y/∂x is readable as a table in a pipe, which has no size."""
SCREENS = 2
"""The screens that a table may be long before an answer is summarised."""


def write(solution: AnySolution, options: WriteOptions) -> str:
    """Write the answer to one system. Raise ImplicitGradError if the format has no place for it."""
    return lay_out(solution, stdout_screen() if options.is_on_screen else Screen(), options)


def lay_out(solution: AnySolution, screen: Screen, options: WriteOptions) -> str:
    """Return an answer laid out for a screen."""
    document = document_of(solution, Notation(options.numbers, screen.label, screen.label), options)
    if not isinstance(document, Document) or options.is_full:
        return page_of(document, screen).text()
    if screen.width is not None and _is_summarised_whole(document.solution):
        text = _short_page(document, screen)
    elif _is_large(document.solution, options.selection):
        text = None
    else:
        text = page_of(document, screen).text()
    if text is None:
        from implicitgrad.writers.screen.summary import summarize

        text = summarize(document, screen)
    return text


def _short_page(document: Document, screen: Screen) -> str | None:
    """Return the document laid out for a screen; None if a table in it is longer than SCREENS screens."""
    most = SCREENS * max(screen.height, USUAL_HEIGHT)  # a summary is no shorter than two small screens
    rows = (0 if document.solution.is_gradient_alone else len(document.y)) + len(document.system.dL_dy or ())
    least = rows * len(document.inputs) * LEAST_CELL // (screen.width or USUAL_WIDTH)
    if max(rows, least) > most or document.is_long:
        return None
    page = page_of(document, screen)
    return page.text() if page.longest_table <= most else None


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

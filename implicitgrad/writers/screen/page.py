"""Write an answer as tables, a large one as a summary, for a screen or a text file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from implicitgrad.model.system import Arithmetic
from implicitgrad.terminal.streams import USUAL_HEIGHT, Screen, stdout_screen
from implicitgrad.writers.document import Document, document_of
from implicitgrad.writers.notation import Notation
from implicitgrad.writers.screen.table import Page, page_of
from implicitgrad.writers.screen.table_layout import GAP

if TYPE_CHECKING:
    from implicitgrad.model.solution import Solution
    from implicitgrad.writers.options import AnySolution, WriteOptions

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
    if (page := _readable_page(document, screen)) is not None:
        return page.text()
    from implicitgrad.writers.screen.summary import summarize

    return summarize(document, screen)


def _readable_page(document: Document, screen: Screen) -> Page | None:
    """Return the page with every entry; None if ∂y/∂x is too large to read as a table."""
    rows, columns = 0 if document.solution.is_gradient_alone else len(document.y), len(document.inputs)
    if screen.width is None or not _is_summarised_whole(document.solution):
        return None if max(rows, columns) > MAX_TABLE_SIZE else page_of(document, screen)
    most = SCREENS * max(screen.height, USUAL_HEIGHT)  # a summary is no shorter than two small screens
    rows += len(document.system.dL_dy or ())
    least = rows * columns * (len(GAP) + 1) // screen.width
    if max(rows, least) > most or document.is_long:
        return None
    page = page_of(document, screen)
    return page if page.longest_table <= most else None


def _is_summarised_whole(solution: Solution) -> bool:
    """Return whether a summary leaves out nothing but entries of ∂y/∂x and ∂L/∂x."""
    others = (solution.derivation, solution.second, solution.at_value, solution.along)
    return solution.arithmetic is not Arithmetic.SYMBOLIC and all(one is None for one in others)

"""Write an answer as tables, a large one as a summary, for a screen or a text file.

The status stands before the numbers, reasons beside the numbers in doubt. No line is wider than the screen, and nothing
is cut: tables, matrices, expressions and names are broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from implicitgrad.model.system import Arithmetic
from implicitgrad.numbers.display.style import Expression
from implicitgrad.terminal.streams import DOUBTFUL, GOOD, USUAL_HEIGHT, Screen, stdout_screen
from implicitgrad.text.characters import IN_ASCII
from implicitgrad.writers.document import MAX_TERMS, Document, document_of
from implicitgrad.writers.elements import FREE, OPEN, Block, Equations, Matrices, Role, Section, Sentence
from implicitgrad.writers.notation import Notation
from implicitgrad.writers.screen.table_layout import GAP, MARGIN, Line, TableLayout, lines_of

if TYPE_CHECKING:
    from implicitgrad.model.solution import Solution
    from implicitgrad.writers.options import AnySolution, WriteOptions
    from implicitgrad.writers.program.document import ProgramDocument

MAX_TABLE_SIZE = 40
"""Unknowns or inputs up to which ∂y/∂x is readable as a table in a pipe, which has no size."""
SCREENS = 2
"""The screens that a table may be long before an answer is summarised."""
STYLES = {Role.FINDING: "bold", Role.ASIDE: "italic", Role.WARNING: DOUBTFUL}


def write(solution: AnySolution, options: WriteOptions) -> str:
    """Write the answer to one system. Raise ImplicitGradError if the format has no place for it."""
    return lay_out(solution, stdout_screen() if options.is_on_screen else Screen(), options)


def lay_out(solution: AnySolution, screen: Screen, options: WriteOptions) -> str:
    """Return an answer laid out for a screen."""
    document = document_of(solution, Notation(options.numbers, screen.label, screen.label), options)
    if not isinstance(document, Document) or options.is_full:
        return Page(screen, document, document.sections()).text()
    if (page := _readable_page(document, screen)) is not None:
        return page.text()
    from implicitgrad.writers.screen.summary import summarize

    return Page(screen, document, summarize(document, screen)).text()


def _readable_page(document: Document, screen: Screen) -> Page | None:
    """Return the page with every entry; None if ∂y/∂x is too large to read as a table."""
    rows, columns = 0 if document.solution.is_gradient_alone else len(document.y), len(document.inputs)
    if screen.width is None or not _is_summarised_whole(document.solution):
        is_large = max(rows, columns) > MAX_TABLE_SIZE
        return None if is_large else Page(screen, document, document.sections())
    most = SCREENS * max(screen.height, USUAL_HEIGHT)  # a summary is no shorter than two small screens
    rows += len(document.system.dL_dy or ())
    least = rows * columns * (len(GAP) + 1) // screen.width
    if max(rows, least) > most or document.count_terms() > MAX_TERMS:
        return None
    page = Page(screen, document, document.sections())
    return page if page.longest_table <= most else None


def _is_summarised_whole(solution: Solution) -> bool:
    """Return whether a summary leaves out nothing but entries of ∂y/∂x and ∂L/∂x."""
    others = (solution.derivation, solution.second, solution.at_value, solution.along)
    return solution.arithmetic is not Arithmetic.SYMBOLIC and all(one is None for one in others)


class Page:
    """A page laid out for a screen."""

    def __init__(
        self, screen: Screen, document: Document | ProgramDocument, parts: Iterable[Section | Sequence[Line]]
    ) -> None:
        """Write the question, the findings and the parts, which are sections or laid out already."""
        self.screen = screen
        self.lines: list[str] = []
        self.longest_table = 0
        """The lines of the longest table."""
        title, *rest = document.question()
        self._spread([(title, "bold"), *((part, "") for part in rest)], GAP)
        verdict, *findings = document.findings()
        color = GOOD if document.is_good else DOUBTFUL
        self._spread([(verdict, f"bold {color}"), *((finding, "") for finding in findings)], " ")
        for part in parts:
            if isinstance(part, Section):
                self._section(part if screen.has_symbols else _in_ascii(part))
            else:
                self._put([[], *part])

    def text(self) -> str:
        """Return the page, in the screen's characters."""
        return self._shown("".join(f"{line.rstrip()}\n" for line in self.lines))

    def _shown(self, text: str) -> str:
        return text if self.screen.has_symbols else text.translate(IN_ASCII)

    def _room(self, margin: str) -> int | None:
        """Return the columns beside a margin."""
        return None if self.screen.width is None else max(1, self.screen.width - len(margin))

    def _section(self, section: Section) -> None:
        """Write a section below an empty line, each equation under the sentence that announces it."""
        if not isinstance(section.elements[0], Block):
            self._put([[]])
        margin = MARGIN
        if section.heading:
            self._write(section.heading, MARGIN, "bold")
            margin += MARGIN
        for element in section.elements:
            if isinstance(element, Sentence):
                self._write(element.text, "" if element.role is Role.WARNING else margin, STYLES.get(element.role, ""))
            elif isinstance(element, Equations):
                is_announced = section.heading or element is not section.elements[0]
                for equation in element.lines:
                    self._write(equation, margin + MARGIN if is_announced else margin)
            elif isinstance(element, Block):
                self._block(element)
            else:
                from implicitgrad.writers.screen.matrices import lay_out as lay_out_matrices

                lines = lay_out_matrices(element.pieces, self._room(margin + MARGIN))
                self._put([(margin + MARGIN + line, "")] for line in lines)

    def _put(self, lines: Iterable[Line]) -> None:
        """Write lines unchanged, in colours if the screen has them."""
        if self.screen.has_color:
            from implicitgrad.writers.screen.colors import paint

            lines = ([(paint(text, style), "") for text, style in line] for line in lines)
        self.lines += ["".join(text for text, _ in line) for line in lines]

    def _spread(self, parts: Sequence[tuple[str, str]], gap: str) -> None:
        """Write texts with their styles side by side, on as many lines as the width requires."""
        lines: list[Line] = [[]]
        room = self._room("")
        for part, style in parts:
            for text in lines_of(self._shown(part), room, is_list=True):
                used = sum(cell_len(before) for before, _ in lines[-1])
                if lines[-1] and room is not None and used + len(gap) + cell_len(text) > room:
                    lines.append([])
                lines[-1] += [(gap if lines[-1] else "", ""), (text, style)]
        self._put(lines)

    def _write(self, content: Expression | str, margin: str, style: str = "") -> None:
        """Write a sentence, broken between words, or an expression, broken between its terms."""
        self._put([(margin + line, style)] for line in lines_of(content, self._room(margin)))

    def _block(self, block: Block) -> None:
        """Write a table, in another form where the width requires it."""
        start = len(self.lines)
        room = self._room(MARGIN)
        table = TableLayout(block, room)
        lines = table.lines()
        if room is not None and not table.fits:
            from implicitgrad.writers.screen.narrow_table import narrowed

            lines = narrowed(block, room)
        self._put([[], *lines])
        for note in () if table.has_notes_beside else block.notes():
            self._put([[]])
            self._write(note, MARGIN, DOUBTFUL)
        self.longest_table = max(self.longest_table, len(self.lines) - start)


def _in_ascii(part: Any) -> Any:  # noqa: ANN401 (a section, or what it consists of)
    """Return a section with its symbols in ASCII, so that its width can be measured; matrices only when written."""
    if isinstance(part, str):
        return part.translate(IN_ASCII)
    if not isinstance(part, tuple) or part is FREE or part is OPEN or isinstance(part, Matrices):
        return part
    parts = map(_in_ascii, part)
    return part._make(parts) if hasattr(part, "_make") else tuple(parts)

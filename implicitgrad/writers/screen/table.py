"""Lay out the answer as tables for a screen: the status before the numbers, reasons beside the numbers in doubt.

No line is wider than the screen, and nothing is cut: tables, matrices, expressions and names are broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from implicitgrad.numbers.display.style import Expression
from implicitgrad.terminal.streams import DOUBTFUL, GOOD, Screen
from implicitgrad.text.characters import IN_ASCII
from implicitgrad.writers.elements import (
    FREE,
    OPEN,
    Block,
    Equations,
    Matrices,
    Role,
    Section,
    Sentence,
)
from implicitgrad.writers.screen.table_layout import GAP, MARGIN, Line, TableLayout, lines_of

if TYPE_CHECKING:
    from implicitgrad.writers.document import Document
    from implicitgrad.writers.program.document import ProgramDocument

STYLES = {Role.FINDING: "bold", Role.ASIDE: "italic", Role.WARNING: DOUBTFUL}


def page_of(document: Document | ProgramDocument, screen: Screen) -> Page:
    """Lay out a document."""
    page = Page(screen)
    page.header(document)
    for section in document.sections():
        page.section(section)
    return page


class Page:
    """The page written so far."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.lines: list[str] = []
        self.longest_table = 0
        """The lines of the longest table."""

    def text(self) -> str:
        """Return the page, in the screen's characters."""
        return self.shown("".join(f"{line.rstrip()}\n" for line in self.lines))

    def shown(self, text: str) -> str:
        """Return a text in the screen's characters."""
        return text if self.screen.has_symbols else text.translate(IN_ASCII)

    def room(self, margin: str) -> int | None:
        """Return the columns beside a margin."""
        return None if self.screen.width is None else max(1, self.screen.width - len(margin))

    def header(self, document: Document | ProgramDocument) -> None:
        """Write the question and the findings."""
        title, *rest = document.question()
        self.spread([(title, "bold"), *((part, "") for part in rest)], GAP)
        verdict, *findings = document.findings()
        color = GOOD if document.is_good else DOUBTFUL
        self.spread([(verdict, f"bold {color}"), *((finding, "") for finding in findings)], " ")

    def section(self, section: Section) -> None:
        """Write a section below an empty line, each equation under the sentence that announces it."""
        if not self.screen.has_symbols:
            section = _in_ascii(section)
        if not isinstance(section.elements[0], Block):
            self.gap()
        margin = ""
        if section.heading:
            self.prose(section.heading, "bold")
            margin = MARGIN
        for element in section.elements:
            if isinstance(element, Sentence):
                is_warning = element.role is Role.WARNING
                self.prose(element.text, STYLES.get(element.role, ""), "" if is_warning else margin + MARGIN)
            elif isinstance(element, Equations):
                is_announced = section.heading or element is not section.elements[0]
                for equation in element.lines:
                    self.equation(equation, margin + MARGIN * (2 if is_announced else 1))
            elif isinstance(element, Block):
                self.block(element)
            else:
                self.matrices(element, margin + MARGIN * 2)

    def line(self, texts: Line) -> None:
        """Write a line unchanged, in colours if the screen has them."""
        if self.screen.has_color:
            from implicitgrad.writers.screen.colors import paint

            texts = [(paint(text, style), "") for text, style in texts]
        self.lines.append("".join(text for text, _ in texts))

    def gap(self) -> None:
        """Write an empty line."""
        self.line([])

    def spread(self, parts: Sequence[tuple[str, str]], gap: str) -> None:
        """Write texts with their styles side by side, on as many lines as the width requires."""
        line: Line = []
        room = self.room("")
        for part, style in parts:
            for text in lines_of(self.shown(part), room, is_list=True):
                used = sum(cell_len(before) for before, _ in line)
                if line and room is not None and used + len(gap) + cell_len(text) > room:
                    self.line(line)
                    line = []
                if line:
                    line.append((gap, ""))
                line.append((text, style))
        self.line(line)

    def prose(self, text: str, style: str = "", margin: str = MARGIN) -> None:
        """Write a sentence, broken between words."""
        for line in lines_of(self.shown(text), self.room(margin)):
            self.line([(margin + line, style)])

    def equation(self, expression: Expression, margin: str = MARGIN) -> None:
        """Write an expression, broken between its terms."""
        for line in lines_of(expression, self.room(margin)):
            self.line([(margin + line, "")])

    def matrices(self, element: Matrices, margin: str) -> None:
        """Write matrices side by side, or below one another where the width requires it."""
        from implicitgrad.writers.screen.matrices import lay_out as lay_out_matrices

        for line in lay_out_matrices(element.pieces, self.room(margin)):
            self.line([(margin + line, "")])

    def block(self, block: Block) -> None:
        """Write a table, in another form where the width requires it."""
        room = self.room(MARGIN)
        table = TableLayout(block, room)
        lines = table.lines()
        if room is not None and not table.fits:
            from implicitgrad.writers.screen.narrow_table import narrowed

            lines = narrowed(block, room)
        start = len(self.lines)
        self.gap()
        for line in lines:
            self.line(line)
        if not table.has_notes_beside:
            for note in block.notes():
                self.gap()
                self.prose(note, DOUBTFUL)
        self.longest_table = max(self.longest_table, len(self.lines) - start)


def _in_ascii(part: Any) -> Any:  # noqa: ANN401 (a section, or what it consists of)
    """Return a section with its symbols in ASCII, so that its width can be measured; matrices only when written."""
    if isinstance(part, str):
        return part.translate(IN_ASCII)
    if not isinstance(part, tuple) or part is FREE or part is OPEN or isinstance(part, Matrices):
        return part
    parts = map(_in_ascii, part)
    return part._make(parts) if hasattr(part, "_make") else tuple(parts)

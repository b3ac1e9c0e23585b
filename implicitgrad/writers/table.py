"""Lay out the answer as tables for a screen: the status before the numbers, reasons beside the numbers in doubt.

A table that is too wide is split into groups of columns, or else into one entry per line; numbers are never cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from implicitgrad.model.solution import Solution
from implicitgrad.numbers.formatting import Expression
from implicitgrad.numbers.number_form import DEFAULT, NumberOptions
from implicitgrad.terminal.screen import DOUBTFUL, GOOD, LABEL, UNDETERMINED, Screen
from implicitgrad.text.characters import IN_ASCII
from implicitgrad.writers.document import Document, refuse_long
from implicitgrad.writers.elements import FREE, Block, Equations, PageDocument, Role, Row, Section, Sentence
from implicitgrad.writers.notation import PlainNotation

if TYPE_CHECKING:
    from implicitgrad.model.selection import Selection

GAP = "   "
MARGIN = "  "
NARROWEST_CELL = 24
NARROWEST_PROSE = 24
MAX_PIECES = 200
"""The terms of a sum on one line where a line may have any length."""
MAX_NOTE_BESIDE = 100
"""The columns of a note beside a table if a line may have any length."""
STYLES = {Role.FINDING: "bold", Role.ASIDE: "italic", Role.WARNING: DOUBTFUL}


def write_table(
    solution: Solution, screen: Screen, options: NumberOptions = DEFAULT, selection: Selection | None = None
) -> str:
    """Return the document laid out for a screen. selection : the rows and the columns; None for all."""
    document = Document(solution, PlainNotation(options, screen.label, screen.label), selection)
    refuse_long(document)
    return lay_out(document, screen)


def lay_out(document: PageDocument, screen: Screen) -> str:
    """Return a document as text."""
    page = Page(screen)
    page.header(document)
    for section in document.sections():
        page.section(section)
    return page.text()


class Page:
    """The page written so far."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.file = StringIO()
        self.console = Console(
            file=self.file,
            width=screen.width or 80,  # no line is cut at this width
            force_terminal=screen.has_color,
            color_system="256" if screen.has_color else None,
            no_color=not screen.has_color,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
        )

    def text(self) -> str:
        """Return the page, in the screen's characters."""
        text = "\n".join(line.rstrip() for line in self.file.getvalue().split("\n"))
        return text if self.screen.has_symbols else text.translate(IN_ASCII)

    def room(self, margin: str) -> int | None:
        """Return the columns beside a margin."""
        return None if self.screen.width is None else max(1, self.screen.width - len(margin))

    def header(self, document: PageDocument) -> None:
        """Write the question and the findings."""
        title, *rest = document.question()
        self.spread([(title, "bold"), *((part, "") for part in rest)], GAP)
        verdict, *findings = document.findings()
        color = GOOD if document.is_good else DOUBTFUL
        self.spread([(verdict, f"bold {color}"), *((finding, "") for finding in findings)], " ")

    def section(self, section: Section) -> None:
        """Write a section below an empty line, each equation under the sentence that announces it."""
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
                for line in element.text.split("\n"):
                    self.equation(Expression((line,)), margin + MARGIN * 2)

    def line(self, text: Text) -> None:
        """Write a line unchanged."""
        self.console.print(text, soft_wrap=True)

    def gap(self) -> None:
        """Write an empty line."""
        self.line(Text())

    def spread(self, parts: Sequence[tuple[str, str]], gap: str) -> None:
        """Write texts with their styles side by side, on as many lines as the width requires."""
        line = Text()
        room = self.room("")
        for text, style in self._broken(parts, room):
            if line and room is not None and line.cell_len + len(gap) + cell_len(text) > room:
                self.line(line)
                line = Text()
            if line:
                line.append(gap)
            line.append(text, style=style)
        self.line(line)

    @staticmethod
    def _broken(parts: Sequence[tuple[str, str]], room: int | None) -> Iterator[tuple[str, str]]:
        """Yield the texts with their styles; one that is wider than the room, broken between words."""
        for text, style in parts:
            pieces = [text]
            if room is not None and cell_len(text) > room:
                import textwrap

                pieces = textwrap.wrap(text, max(room, NARROWEST_PROSE), break_long_words=False)
            for piece in pieces:
                yield piece, style

    def prose(self, text: str, style: str = "", margin: str = MARGIN) -> None:
        """Write a sentence, broken between words."""
        import textwrap

        room = max(self.room(margin) or len(text), NARROWEST_PROSE)
        for line in textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False):
            self.line(Text(margin + line, style=style))

    def equation(self, expression: Expression, margin: str = MARGIN) -> None:
        """Write an expression, broken between its terms."""
        for line in _wrapped(expression, self.room(margin)):
            self.line(Text(margin + line))

    def block(self, block: Block) -> None:
        """Write a table, in as many groups of columns as the width requires."""
        self.gap()
        corner = block.corner if block.rows else ""
        label_width = max(cell_len(text) for text in [corner, *(line.label for line in block.lines)])
        room = self.room(MARGIN + " " * label_width)
        breaks_at = room - len(GAP) if room is not None and room - len(GAP) >= NARROWEST_CELL else None
        if room is None and any(len(cell.pieces) > MAX_PIECES for line in block.lines for cell in line.cells):
            breaks_at = MAX_NOTE_BESIDE
        cells = [[_wrapped(line.cells[k], breaks_at) for line in block.lines] for k in range(len(block.heads))]
        widths = [
            len(GAP) + max(cell_len(text) for text in [head, *(text for cell in column for text in cell)])
            for head, column in zip(block.heads, cells, strict=True)
        ]
        if room is not None and max(widths) > room:
            self.entries(block)
            return
        groups = _groups(widths, room)
        longest_note = max((cell_len(line.note) for line in block.losses), default=0)
        space = MAX_NOTE_BESIDE if room is None else room - sum(widths) - len(GAP)
        has_notes_beside = len(groups) == 1 and longest_note <= space
        for number, group in enumerate(groups):
            if number:
                self.gap()
            self.grid(block, {k: widths[k] for k in group}, cells, label_width, has_notes_beside)
        if not has_notes_beside:
            self.notes(block)

    def grid(
        self, block: Block, widths: dict[int, int], cells: list[list[list[str]]], label_width: int, has_notes: bool
    ) -> None:
        """Write the columns whose widths are given, side by side."""
        table = Table.grid()
        table.add_column(no_wrap=True)
        for _ in widths:
            table.add_column(no_wrap=True)
        if has_notes:
            table.add_column(no_wrap=True)
        indents = [0 if block.is_wordy(k) else width for k, width in widths.items()]
        heads = [_indented((block.heads[k], "bold"), width) for k, width in zip(widths, indents, strict=True)]
        table.add_row(Text.assemble(MARGIN, (block.corner if block.rows else "", "bold")), *heads)
        table.add_row(Text(" " + "─" * (label_width + 1)), *(Text("─" * width) for width in widths.values()))
        for i, line in enumerate(block.lines):
            if block.rows and i == len(block.rows):
                table.add_row()
            note = [Text.assemble(GAP, (line.note, DOUBTFUL))] if has_notes and line.note else []
            texts = [
                Text("\n").join(
                    _indented((text, _style(line, k, is_loss=i >= len(block.rows))), width) for text in cells[k][i]
                )
                for k, width in zip(widths, indents, strict=True)
            ]
            table.add_row(Text.assemble(MARGIN, (line.label, LABEL)), *texts, *note)
        longest_note = max((cell_len(line.note) for line in block.losses), default=0)
        self.console.width = len(MARGIN) + label_width + sum(widths.values()) + len(GAP) + longest_note
        self.console.print(table)

    def entries(self, block: Block) -> None:
        """Write one entry per line, for a screen too narrow for a table."""
        for line in block.lines:
            for head, cell in zip(block.heads, line.cells, strict=True):
                self.equation(cell.named(line.entry + head))
        self.notes(block)

    def notes(self, block: Block) -> None:
        """Write the notes on the losses as sentences."""
        for note in block.notes():
            self.gap()
            self.prose(note, DOUBTFUL)


def _style(line: Row, k: int, *, is_loss: bool) -> str:
    return UNDETERMINED if line.cells[k] is FREE else "bold" if is_loss else ""


def _indented(part: tuple[str, str], width: int) -> Text:
    """Return a text with its style, aligned at the right of a column of this width, or after the gap."""
    return Text.assemble(" " * max(width - cell_len(part[0]), len(GAP)), part)


def _wrapped(expression: Expression, width: int | None) -> list[str]:
    """Return lines of at most ``width`` columns if the terms allow it, with later lines indented."""
    lines: list[str] = []
    for piece in expression.pieces:
        if lines and (width is None or cell_len(lines[-1]) + 1 + cell_len(piece) <= width):
            lines[-1] += f" {piece}"
        else:
            lines.append(MARGIN + piece if lines else piece)
    return lines


def _groups(widths: list[int], room: int | None) -> list[list[int]]:
    """Return groups of consecutive columns that fit side by side."""
    groups: list[list[int]] = [[]]
    used = 0
    for k, width in enumerate(widths):
        if groups[-1] and room is not None and used + width > room:
            groups.append([])
            used = 0
        groups[-1].append(k)
        used += width
    return groups

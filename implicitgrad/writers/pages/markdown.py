"""The answer in Markdown: tables that GitHub and notebooks render."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from implicitgrad.text.characters import printable
from implicitgrad.writers.document import document_of
from implicitgrad.writers.elements import FREE, Block, Element, Equations, Role, Row, Section, Sentence
from implicitgrad.writers.notation import Notation

if TYPE_CHECKING:
    from implicitgrad.writers.options import AnySolution, WriteOptions

_SPECIAL = re.compile(r"([\\`*{}\[\]<>#|~&]|(?<![^\W_])_|_(?![^\W_]))")
"""The characters that Markdown interprets; it ignores an underscore inside a word."""


def write(solution: AnySolution, options: WriteOptions) -> str:
    """Return the document in Markdown."""
    document = document_of(solution, Notation(options.numbers, _escaped, printable), options)
    title, *question = document.question()
    verdict, *findings = document.findings()
    parts = [", ".join([f"**{title}**", *question]), " ".join([f"**{verdict.rstrip(':')}**:", *findings])]
    for section in document.sections():
        parts += _section(section)
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> Iterator[str]:
    if section.heading:
        yield f"**{_escaped(section.heading)}**"
    for is_list, group in groupby(
        section.elements, lambda one: isinstance(one, Sentence) and one.role is Role.CONDITION
    ):
        texts = [text for element in group for text in _element(element)]
        yield from ["\n".join(texts)] if is_list else texts


def _element(element: Element) -> list[str]:
    if isinstance(element, Sentence):
        text = element.text if element.is_spelled else _escaped(element.text)
        return [{Role.ASIDE: "*{}*", Role.CONDITION: "- {}", Role.WARNING: "> {}"}.get(element.role, "{}").format(text)]
    if isinstance(element, Equations):
        return ["\n".join(f"- {equation}" for equation in element.lines)]
    if isinstance(element, Block):
        return _table(element)
    from implicitgrad.writers.screen.matrices import side_by_side

    return ["\n".join(["```text", *side_by_side(element.pieces), "```"])]


def _table(block: Block) -> list[str]:
    """Return a table and the notes on its losses."""
    rows = [
        [block.corner if block.rows else "", *block.heads],
        [":--", *(":--" if block.is_wordy(k) else "--:" for k in range(len(block.heads)))],
        *([row.label, *_cells(row)] for row in block.rows),
        *([f"**{text}**" for text in (row.label, *_cells(row))] for row in block.losses),
    ]
    return ["\n".join(f"| {' | '.join(row)} |" for row in rows), *block.notes()]


def _cells(row: Row) -> Sequence[str]:
    return ["*free*" if cell is FREE else str(cell).strip() for cell in row.cells]


def _escaped(name: str) -> str:
    """Escape a name so that Markdown shows it as it is."""
    return _SPECIAL.sub(r"\\\1", printable(name))

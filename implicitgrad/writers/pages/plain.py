"""The answer as facts, one a line, for screen readers, grep and awk: ``dy_dx[y1][x2] = 3/2``. ASCII but for names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeGuard

from implicitgrad.model.verdict import NOTHING, Unreadable
from implicitgrad.numbers.display.form import NumberOptions
from implicitgrad.numbers.display.style import Expression
from implicitgrad.text.characters import IN_ASCII, printable
from implicitgrad.writers.document import Document, document_of
from implicitgrad.writers.elements import Block, Element, Equations, Role, Sentence
from implicitgrad.writers.notation import Notation
from implicitgrad.writers.reports.report import Result, name_of, place_of

if TYPE_CHECKING:
    from implicitgrad.writers.options import AnySolution, WriteOptions
    from implicitgrad.writers.program.document import ProgramDocument

QUANTITY = re.compile(r"(rank|condition) (.*)")
"""A finding with a name of its own."""


class FactNotation(Notation):
    """Plain text in which the name of a derivative is that of its fact."""

    def __init__(self, options: NumberOptions) -> None:
        super().__init__(options, printable, printable)

    def derivative(self, above: str, below: str) -> str:
        """Return ``dy_dx[above][below]``, the gradient of a loss as ``dL_dx[below]``."""
        return f"dy_dx[{self.label(above)}][{self.label(below)}]"

    def gradient(self, loss: str, letter: str) -> str:
        """Return ``dL_dletters[letter]``."""
        return f"d{loss}_dletters[{self.label(letter)}]"

    def second_derivative(self, y: str, one: str, other: str) -> str:
        """Return ``d2y_dx2[one][other]``."""
        return f"d2y_dx2[{self.label(one)}][{self.label(other)}]"


def write(solution: AnySolution, options: WriteOptions) -> str:
    """Return the document as facts."""
    document = document_of(solution, FactNotation(options.numbers), options)
    return "".join(f"{fact.translate(IN_ASCII)}\n" for fact in _facts(document))


def _facts(document: Document | ProgramDocument) -> Iterator[str]:
    yield f"system = {', '.join(document.question())}"
    verdict, *findings, arithmetic = document.findings()
    yield f"status = {verdict.rstrip(':')}"
    for finding in findings:
        text = finding.rstrip(",")
        quantity = QUANTITY.fullmatch(text)
        yield f"{quantity[1]} = {quantity[2]}" if quantity else f"note = {text}"
    yield f"arithmetic = {arithmetic}"
    prefix = ""
    for section in document.sections():
        for element in _with_announcements(section.elements):
            prefix = "minimum_norm." if isinstance(element, Sentence) and "minimum-norm" in element.text else prefix
            yield from _of_element(element, prefix)


def _with_announcements(elements: Sequence[Element]) -> Iterator[Element]:
    """Yield the elements; a sentence that announces equations becomes one sentence with each."""
    for previous, element, following in zip((None, *elements), elements, (*elements[1:], None), strict=False):
        if isinstance(element, Equations) and _announces(previous):
            yield from (Sentence(f"{previous.text} {line}") for line in element.lines)
        elif not (isinstance(following, Equations) and _announces(element)):
            yield element


def _announces(element: Element | None) -> TypeGuard[Sentence]:
    return isinstance(element, Sentence) and element.text.endswith(":")


def _of_element(element: Element, prefix: str) -> Iterator[str]:
    if isinstance(element, Sentence):
        is_warning = element.role is Role.WARNING
        yield f"warning = {element.text.removeprefix('warning: ')}" if is_warning else f"note = {element.text}"
    elif isinstance(element, Equations):
        yield from map(_fact_of, element.lines)
    elif isinstance(element, Block):
        yield from _of_block(element, prefix)
    else:
        raise AssertionError("a derivation has no facts")


def _fact_of(equation: Expression) -> str:
    """Return an equation with = before its right side, which may begin with ≈."""
    name, *right = equation.pieces
    return f"{name[:-1]}= ≈{' '.join(right)}" if name.endswith(" ≈") else str(equation)


def _of_block(block: Block, prefix: str) -> Iterator[str]:
    corner = _key(block.corner)
    for row in block.rows:
        cells = dict(zip(block.heads, map(_text, row.cells), strict=True))
        constraint = cells.pop("active", "")  # beside an unknown, and not about it
        for head, text in cells.items():
            label = row.label if head == block.heads[0] or not constraint else constraint
            key = f"{corner}[{row.label}][{head}]" if corner else f"{head or 'kind'}[{label}]"
            if text:
                yield f"{prefix}{key} = {text}"
    for row in block.losses:
        for head, cell in zip(block.heads, row.cells, strict=True):
            yield f"{prefix}{_key(row.label)}[{head}] = {_text(cell)}"
    yield from (f"note = {note}" for note in block.notes())


def _key(symbol: str) -> str:
    """Return the name of a matrix in the facts: ``dy_dx`` for ∂y/∂x, ``d2r_dx2`` for ∂²r/∂x²."""
    return symbol.replace("²", "2").translate(IN_ASCII).replace("/", "_")


def _text(cell: Expression) -> str:
    return str(cell).strip()


def write_results(results: Sequence[Result], only_failures: bool, is_on_screen: bool) -> str:
    """Return a line for each claim: ``FILE: CLAIM holds``, or why it does not, and a line for each unreadable file."""
    return "".join(f"{printable(fact).translate(IN_ASCII)}\n" for fact in _verdicts(results, only_failures))


def _verdicts(results: Sequence[Result], only_failures: bool) -> Iterator[str]:
    for result in results:
        if isinstance(result, Unreadable):
            yield f"{result.source}: not read"
            continue
        if not result.outcomes and not only_failures:
            yield f"{result.source}: {NOTHING}"
        for outcome in result.outcomes:
            claim = name_of(result, outcome)
            if not outcome.holds:
                yield f"{place_of(result, outcome)}: {claim} {outcome.verb}: {'; '.join(outcome.explanation)}"
            elif not only_failures:
                yield f"{place_of(result, outcome)}: {claim} holds"

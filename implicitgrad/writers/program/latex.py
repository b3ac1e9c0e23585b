r"""The answer to a quadratic program in LaTeX, to be put into a paper that loads amsmath."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from implicitgrad.model.program.solution import ProgramSolution
from implicitgrad.numbers.number_form import NumberOptions
from implicitgrad.writers.elements import Block, Element, Equations, Matrices, Sentence
from implicitgrad.writers.pages.latex_notation import LatexNotation, displayed, formula, sentence, words
from implicitgrad.writers.program.document import ProgramDocument

if TYPE_CHECKING:
    from implicitgrad.model.selection import Selection


def write_program_latex(
    solution: ProgramSolution,
    options: NumberOptions,
    wrt: Sequence[str],
    selection: Selection | None,
    *,
    has_steps: bool = False,
) -> str:
    """Return the document for amsmath."""
    document = ProgramDocument(solution, LatexNotation(options), wrt, selection, has_steps=has_steps)
    title, *question = document.question()
    lines = [
        f"% {', '.join([title, *question])}",
        f"% {' '.join(document.findings())}",
        "% needs \\usepackage{amsmath}",
    ]
    for section in document.sections():
        if section.heading:
            lines.append(f"\\medskip\\noindent\\textbf{{{words(section.heading)}.}}\n")
        for element in section.elements:
            lines += _element(element)
    return "\n".join(lines) + "\n"


def _element(element: Element) -> Iterator[str]:
    if isinstance(element, Sentence):
        is_spelled = element.is_spelled
        yield f"{element.text[:1].upper()}{element.text[1:]}.\n" if is_spelled else sentence(element.text)
    elif isinstance(element, Equations):
        yield from displayed(formula(str(line)) for line in element.lines)
    elif isinstance(element, Matrices):
        yield from displayed([formula(element.text)])
    elif isinstance(element, Block):
        yield from displayed([_array(element)])


def _array(block: Block) -> str:
    """Return a table as an array with its heads above a line."""
    alignment = "".join("l" if block.is_wordy(k) else "r" for k in range(len(block.heads)))
    lines = [" & ".join(map(_text, (block.corner, *block.heads))) + r" \\ \hline"]
    for rows in (block.rows, block.losses):
        for row in rows:
            cells = (str(cell).strip() for cell in row.cells)
            spelled = (
                _text(cell) if k in block.left_columns or cell.replace(" ", "").isalpha() else formula(cell)
                for k, cell in enumerate(cells)
            )
            lines.append(" & ".join((_text(row.label), *spelled)) + r" \\")
        if rows is block.rows and block.losses:
            lines[-1] += r" \hline"
    body = "\n".join(lines)
    return f"\\begin{{array}}{{l|{alignment}}}\n{body}\n\\end{{array}}"


def _text(text: str) -> str:
    return f"\\text{{{words(text)}}}" if text else ""

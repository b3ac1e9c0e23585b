"""The answer in Markdown: tables that GitHub and notebooks render."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from implicitgrad.model.solution import Solution
from implicitgrad.text.characters import printable
from implicitgrad.writers.document import FREE, Block, Document, DocumentLine, refuse_long
from implicitgrad.writers.steps import Plain, Step, derive

CORNER = "∂y/∂x"
_SPECIAL = re.compile(r"([\\`*{}\[\]<>#|~&]|(?<![^\W_])_|_(?![^\W_]))")
"""What Markdown would act on; an underscore inside a word it leaves alone."""


def write_markdown(solution: Solution, digits: int = 6) -> str:
    """The same as the table on a screen. digits : the significant digits of a decimal."""
    refuse_long(solution)
    answer = Document(solution, _escaped, digits)
    title, *question = answer.question()
    verdict, *findings = answer.findings()
    parts = [", ".join([f"**{title}**", *question]), " ".join([f"**{verdict.rstrip(':')}**:", *findings])]
    if solution.derivation is not None:
        parts += _steps(derive(solution, Plain(_escaped, digits)))
    else:
        parts += _answer(solution, answer)
    if second := answer.second():
        parts.append("\n".join(f"- {equation}" for equation in second))
    if sentences := answer.validity():
        parts.append("\n".join(f"- {_escaped(sentence)}" for sentence in sentences))
    parts += [f"> {warning}" for warning in answer.warnings()]
    return "\n\n".join(parts) + "\n"


def _answer(solution: Solution, answer: Document) -> list[str]:
    """The tables, and what is to be said of them."""
    parts = []
    if solution.constraints is not None:
        equations = [f"- {equation}" for equation in answer.constraints()]
        parts += [answer.constrained(), "\n".join(equations), f"*{answer.direction()}*"]
    if solution.independent:
        parts += _block(answer.general())
        if unconstrained := answer.unconstrained():
            parts.append(unconstrained)
        if answer.shows_a_choice:
            parts += ["*one choice of many, the minimum-norm one*", *_block(answer.minimum_norm())]
    return parts


def _steps(steps: Sequence[Step]) -> list[str]:
    """A heading each, equations as a list, matrices as they are."""
    parts = []
    for number, step in enumerate(steps, start=1):
        parts.append(f"**{number}. {_escaped(step.title)}**")
        for kind, group in groupby(step.parts, lambda part: part.kind):
            texts = [part.text for part in group]
            if kind == "equation":
                parts.append("\n".join(f"- {text}" for text in texts))
            elif kind == "matrices":
                parts += [f"```text\n{text}\n```" for text in texts]
            else:
                parts += [_escaped(text) if kind == "words" else text for text in texts]
    return parts


def _block(block: Block) -> list[str]:
    """A table, and what is to be said of its losses."""
    are_wordy = [
        any(line.cells[k] is FREE or len(line.cells[k].pieces) > 1 for line in block.lines)
        for k in range(len(block.heads))
    ]
    rows = [
        [CORNER if block.rows else "", *block.heads],
        [":--", *(":--" if is_wordy else "--:" for is_wordy in are_wordy)],
        *(_row(line, is_loss=False) for line in block.rows),
        *(_row(line, is_loss=True) for line in block.losses),
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return [table, *(f"{line.label} is {line.note}" for line in block.losses if line.note)]


def _row(line: DocumentLine, *, is_loss: bool) -> list[str]:
    cells = ["*free*" if cell is FREE else str(cell).strip() for cell in line.cells]
    return [f"**{text}**" for text in (line.label, *cells)] if is_loss else [line.label, *cells]


def _escaped(name: str) -> str:
    """A name that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", printable(name))

"""Write the tables of the answer to a quadratic program in LaTeX."""

from __future__ import annotations

from implicitgrad.writers.elements import Block
from implicitgrad.writers.pages.latex_notation import displayed, formula, words


def spell_block(block: Block) -> list[str]:
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
    return displayed([f"\\begin{{array}}{{l|{alignment}}}\n{body}\n\\end{{array}}"])


def _text(text: str) -> str:
    return f"\\text{{{words(text)}}}" if text else ""

"""Lay out matrices in plain text, side by side in brackets, or below one another on a narrow screen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from implicitgrad.numbers.display.style import Expression
from implicitgrad.writers.screen.line_breaks import break_expression

GAP = "  "
Matrix = Sequence[Sequence[str]]
Piece = str | Matrix
"""A matrix by its rows, or an operator between matrices."""


def side_by_side(pieces: Sequence[Piece]) -> list[str]:
    """Return lines with the matrices beside one another, the operators at half their height."""
    height = max((len(piece) for piece in pieces if not isinstance(piece, str)), default=1)
    lines = [""] * height
    for piece in pieces:
        texts = _texts(piece, height)
        lines = [line + text for line, text in zip(lines, texts, strict=True)]
    return [line.rstrip() for line in lines]


def lay_out(pieces: Sequence[Piece], width: int | None) -> list[str]:
    """Return lines of at most ``width`` columns: as many matrices beside one another as fit."""
    lines: list[str] = []
    band: list[Piece] = []
    for piece in pieces:
        if width is None or _width([*band, piece]) <= width:
            band.append(piece)
            continue
        operators = [band.pop()] if band and isinstance(band[-1], str) else []
        lines += side_by_side(band) if band else []
        band = [operators[0].lstrip()] if operators and isinstance(operators[0], str) else []
        if _width([*band, piece]) > width:
            lines += [operator.strip() for operator in band if isinstance(operator, str)]
            lines += _narrowed(piece, width)
            band = []
        else:
            band.append(piece)
    return [*lines, *(side_by_side(band) if band else [])]


def _width(pieces: Sequence[Piece]) -> int:
    return max(map(cell_len, side_by_side(pieces)))


def _narrowed(piece: Piece, width: int) -> list[str]:
    """Return a matrix with each row on several lines, or an operator with a long name."""
    if isinstance(piece, str):
        return break_expression(Expression.of(piece.strip()), width)
    widths = _column_widths(piece)
    room = width - len("[]")
    if max(widths) > room - len(GAP):
        entries = [[break_expression(Expression.of(text), room) for text in row] for row in piece]
        return [line for row in entries for line in _bracketed([line for entry in row for line in entry])]
    fitting = max(1, (room - len(GAP)) // (max(widths) + len(GAP)))
    lines = []
    for row in piece:
        texts = [" " * (max(widths) - cell_len(text)) + text for text in row]
        lines += _bracketed([GAP.join(texts[start : start + fitting]) for start in range(0, len(texts), fitting)])
    return lines


def _bracketed(lines: Sequence[str]) -> list[str]:
    """Return the lines of one row in brackets."""
    first, last = ["[", *" " * (len(lines) - 1)], [*[""] * (len(lines) - 1), "]"]
    return [f"{start}{line}{end}" for start, line, end in zip(first, lines, last, strict=True)]


def _texts(piece: Piece, height: int) -> list[str]:
    if isinstance(piece, str):
        return [piece if i == (height - 1) // 2 else " " * cell_len(piece) for i in range(height)]
    widths = _column_widths(piece)
    rows = [
        f"[{GAP.join(' ' * (w - cell_len(text)) + text for text, w in zip(row, widths, strict=True))}]" for row in piece
    ]
    return rows + [" " * cell_len(rows[0])] * (height - len(rows))


def _column_widths(matrix: Matrix) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(*matrix, strict=True)]

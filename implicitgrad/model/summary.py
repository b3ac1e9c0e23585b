"""Say an answer in a few lines, for ``print`` in Python: the verdict, and the numbers that fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from implicitgrad.numbers.matrix import BaseMatrix

MAX_NUMBERS = 100
"""The numbers of a matrix that are shown."""


def summary(verdict: str, answer: Mapping[str, object]) -> str:
    """Return the verdict and a line for each vector or matrix of an answer, without those that are None."""
    return "\n".join([verdict, *(f"{key} = {_text(value)}" for key, value in answer.items() if value is not None)])


def _text(value: object) -> str:
    if isinstance(value, BaseMatrix):
        rows, columns = value.shape if len(value) else (0, 0)
        if value.is_sparse or rows * columns > MAX_NUMBERS:
            return f"{rows}×{columns} {value.arithmetic} numbers"
        value = value.plain_rows()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"{len(value)} numbers" if len(value) > MAX_NUMBERS else f"[{', '.join(map(_text, value))}]"
    return str(value)

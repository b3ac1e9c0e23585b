"""Differentiate matrices with letters in each letter, before their entries are elements of one field."""

from __future__ import annotations

from typing import Any

from implicitgrad.model.system import LinearSystem
from implicitgrad.numbers.matrix import RowMatrix
from implicitgrad.symbolic.equations.linearize import derivative
from implicitgrad.symbolic.to_sympy import natural, read_value, symbol


def in_letters(system: LinearSystem) -> LinearSystem:
    """Return a system of SymPy expressions with the derivatives of A and B in each of their letters.

    An x without a value stands for itself.
    """
    M, P, zero = system.equations, system.inputs, read_value("0")
    A: Any = list(system.A)
    B: Any = [[zero] * P] * M if system.B is None else list(system.B)
    rows = [[*a, *b] for a, b in zip(A, B, strict=True)]
    letters = sorted({letter for row in rows for entry in row for letter in entry.free_symbols}, key=_place)
    by_letter = [[*(derivative(entry, letter) for entry in row), zero] for letter in letters for row in rows]
    x_value = system.x_value
    if x_value is None and letters and all(map(str.isidentifier, system.x)):
        x_value = RowMatrix([[symbol(name) for name in system.x]])
    names = tuple(letter.name for letter in letters)
    return system._replace(letters=names, by_letter=RowMatrix(by_letter) if letters else None, x_value=x_value)


def _place(letter: Any) -> Any:  # noqa: ANN401 (a SymPy symbol)
    return natural(letter.name)

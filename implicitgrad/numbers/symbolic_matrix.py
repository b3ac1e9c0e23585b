"""SymbolicMatrix: a matrix of elements of one function field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from implicitgrad.numbers.matrix import Arithmetic, RowMatrix
from implicitgrad.symbolic.function_field.element import Field, Symbolic


class SymbolicMatrix(RowMatrix):
    """A matrix of Symbolics, all of one field."""

    __slots__ = ("field",)
    arithmetic = Arithmetic.SYMBOLIC
    rows: tuple[tuple[Symbolic, ...], ...]

    def __init__(self, field: Field, rows: Iterable[Iterable[Symbolic]]) -> None:
        super().__init__(rows)
        self.field = field

    def with_rows(self, rows: Iterable[Sequence[Any]]) -> SymbolicMatrix:
        return SymbolicMatrix(self.field, rows)

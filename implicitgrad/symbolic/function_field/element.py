"""Symbolic: a number with letters in it; its field knows what holds for the letters."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from sympy.polys.fields import FracElement

Field = Any
"""A Field of field.py, which imports this file."""
Operation = Callable[["Symbolic", "Symbolic | Fraction | int"], "Symbolic"]


def _operation(name: str) -> Operation:
    def operate(self: Symbolic, other: Symbolic | Fraction | int) -> Symbolic:
        element = other.element if isinstance(other, Symbolic) else self.field.constant(other)
        return self.field.reduced(getattr(self.element, name)(element))

    return operate


class Derivative(NamedTuple):
    """An entry of A or B that is no rational number, as a SymPy expression."""

    expression: Any

    def __str__(self) -> str:
        from implicitgrad.symbolic.printing import write

        return write(self.expression)


class Symbolic:
    """An element of a field of rational functions of letters and of functions of them; immutable."""

    __slots__ = ("element", "field")

    def __init__(self, field: Field, element: FracElement) -> None:
        self.field = field
        self.element = element
        """An element of SymPy's field; 0 exactly if the value is."""

    __add__ = __radd__ = _operation("__add__")
    __sub__ = _operation("__sub__")
    __mul__ = __rmul__ = _operation("__mul__")
    __truediv__ = _operation("__truediv__")

    def __rtruediv__(self, other: Fraction | int) -> Symbolic:
        return Symbolic(self.field, self.field.constant(other)) / self

    def __rsub__(self, other: Fraction | int) -> Symbolic:
        return -self + other

    def __neg__(self) -> Symbolic:
        return Symbolic(self.field, -self.element)

    def __bool__(self) -> bool:
        return bool(self.element)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Symbolic) and other.field is not self.field:
            return self.text == other.text
        if isinstance(other, Symbolic | Fraction | int):
            return not self - other
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def fraction(self) -> Fraction | None:
        """Return the value if it is a rational number, else None."""
        return self.field.fraction(self.element)

    @property
    def is_number(self) -> bool:
        """Return whether it has no letters: 1/2, or cos(1)."""
        return self.field.is_number(self.element)

    def approximation(self) -> Fraction:
        """Return the value of a number without letters, to 50 digits."""
        return self.field.approximation(self.element)

    @property
    def text(self) -> str:
        """Return the text in the grammar of expressions: a4/(a1*a4 - a2*a3)."""
        return self.field.text(self.element)

    @property
    def shown(self) -> str:
        """Return the text for display: a4/(a1·a4 − a2·a3)."""
        return self.field.shown(self.element)

    def latex(self, name: Callable[[str], str]) -> str:
        """Return LaTeX; ``name`` gives the LaTeX of each letter."""
        return self.field.latex(self.element, name)

    def __repr__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[Any, ...]:
        return Symbolic, (WRITTEN, WrittenElement.of(self, WrittenElement.of(-self)))


class WrittenElement(NamedTuple):
    """The texts and the value of an element, for other processes: SymPy's fields cannot be pickled."""

    text: str
    shown: str
    fraction: Fraction | None
    approximation: Fraction | None
    """The value, if it has no letters."""
    negative: WrittenElement | None

    @classmethod
    def of(cls, value: Symbolic, negative: WrittenElement | None = None) -> WrittenElement:
        """Return the texts and the value of a Symbolic."""
        approximation = value.approximation() if value.is_number else None
        return cls(value.text, value.shown, value.fraction, approximation, negative)

    def __bool__(self) -> bool:
        return self.fraction != 0

    def __neg__(self) -> WrittenElement:
        assert self.negative is not None
        return self.negative


class _WrittenField:
    """The field of WrittenElements."""

    text = staticmethod(attrgetter("text"))
    shown = staticmethod(attrgetter("shown"))
    fraction = staticmethod(attrgetter("fraction"))
    approximation = staticmethod(attrgetter("approximation"))

    @staticmethod
    def is_number(element: WrittenElement) -> bool:
        return element.approximation is not None

    def __reduce__(self) -> str:
        return "WRITTEN"


WRITTEN: Any = _WrittenField()

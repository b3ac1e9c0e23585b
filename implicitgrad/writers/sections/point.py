"""Describe the point of equations, or the value of x, at which derivatives are taken."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING

from implicitgrad.model.at_value import has_given_x
from implicitgrad.model.implicit_equations import ImplicitEquations, PointAccuracy
from implicitgrad.model.system import LinearSystem
from implicitgrad.numbers.display.form import ROUNDED
from implicitgrad.numbers.display.style import show_decimal

if TYPE_CHECKING:
    from implicitgrad.writers.notation import Notation

MAX_VALUES = 8
"""The most values of x above an answer."""


def describe_point(system: LinearSystem, notation: Notation) -> list[str]:
    """Return the point of the equations or the value of x, and which of the values were computed."""
    if system.origin is not None:
        return _point(system.origin, notation)
    if not has_given_x(system):
        return []
    values = [f"{notation.label(name)} = {notation.number(*value)}" for name, value in _values_of_x(system)]
    more = ", …" if system.inputs > MAX_VALUES else ""
    return [f"at {', '.join(values)}{more}"]


def _point(origin: ImplicitEquations, notation: Notation) -> list[str]:
    """Return the point of the equations, and which of its values were computed."""
    if not origin.point:
        return []
    values = [
        f"{notation.label(name)} {_near(value, notation.options.digits) if origin.is_computed(name) else f'= {value}'}"
        for name, value in origin.point
    ]
    found = [f"{', '.join(map(notation.label, origin.found))} found by Newton's method"] if origin.found else []
    if found and origin.accuracy is not PointAccuracy.EXACT:
        found[-1] += ", and proved"
    return [f"at {', '.join(values)}", *found]


def _values_of_x(system: LinearSystem) -> Iterator[tuple[str, tuple[Fraction, ...]]]:
    """Yield the first inputs with their values."""
    assert system.x_value is not None
    return islice(zip(system.x, system.x_value.transposed().bounded_rows(), strict=True), MAX_VALUES)


def _near(value: str, digits: int) -> str:
    return f"{ROUNDED} {show_decimal(Fraction(value), digits).removeprefix(ROUNDED)}"

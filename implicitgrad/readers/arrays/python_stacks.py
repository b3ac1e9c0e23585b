"""Stacks of systems from Python values: arrays, lists of arrays, nested lists of numbers and texts."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.model.stack import Index, StackPlace, SystemStack, label
from implicitgrad.model.system import Arithmetic, LinearSystem
from implicitgrad.numbers.ball import Array
from implicitgrad.numbers.doubles import copied, is_array, is_array_of_doubles
from implicitgrad.numbers.values import described, plain
from implicitgrad.readers.arrays.stacks import entry_at, is_stack, refuse_infinite, spread, system_at
from implicitgrad.readers.systems.build import build_system
from implicitgrad.text.errors import InputError, Problem

SOURCE = "<python>"


def python_stack(values: Mapping[str, object], name: str | None, arithmetic: str | None) -> SystemStack:
    """Return the stack that Python values by key are; None stands for what is not given. Raise InputError.

    arithmetic : None to judge claims, exact unless there are arrays of doubles.
    """
    given = {key: SourceValue(gathered(key, value)) for key, value in values.items() if value is not None}
    spec = SystemSpec(SOURCE, given, name or SOURCE)
    if not is_stack(spec):
        message = "A: expected the systems of a stack to have one shape, got several"
        raise InputError([Problem(message, "Solve each by itself", "bad-shape", SOURCE)])
    for key, part in given.items():
        if key in ("B", "dL_dy") and not hasattr(part.value, "ndim"):
            found = "lists of different lengths" if isinstance(part.value, list) else described(part.value)
            raise InputError([Problem(f"{key}: expected an array, got {found}", None, "bad-shape", SOURCE)])
    A: Array = np.asarray(given["A"].value)
    shape, leading = A.shape[:-2], A.ndim - 2
    parts = {key: spread(key, value, shape, SOURCE) for key, value in given.items()}
    B, g = (np.asarray(parts[key].value) if key in parts else None for key in ("B", "dL_dy"))
    for key, array in {"A": A, "B": B, "dL_dy": g}.items():
        if is_array(array):
            refuse_infinite(SOURCE, key, array, leading)

    M, N = A.shape[leading:]
    has_doubles = any(map(is_array_of_doubles, (A, B, g)))
    chosen = arithmetic or (Arithmetic.FLOAT if has_doubles else Arithmetic.EXACT)

    def system(index: Index) -> LinearSystem:
        return build_system(system_at(spec, StackPlace(shape, index), SOURCE, parts, {}, dict), chosen)

    return SystemStack(
        shape,
        (M, N, M if B is None else B.shape[-1]),
        None if g is None else g.shape[leading:-1],
        system,
        _as_doubles(A, B, g, leading) if has_doubles and chosen != Arithmetic.EXACT else None,
    )


class ClaimsOfStack:
    """The claims about a stack, by key: arrays with its leading axes, and values that are the same for all systems."""

    def __init__(self, parts: Mapping[str, SourceValue], shape: tuple[int, ...]) -> None:
        """parts : as for one system, with nested lists of more axes. Raise InputError."""
        self.shape = shape
        self.parts = dict(parts)
        for key, part in parts.items():
            if isinstance(part.value, list) and key.partition(".")[0] != "constraints" and 0 not in shape:
                self.parts[key] = spread(key, part._replace(value=_of_objects(part.value)), shape, SOURCE)

    def at(self, index: Index) -> dict[str, SourceValue]:
        """Return the claims about one system."""
        source, place = SOURCE + label(index), StackPlace(self.shape, index)
        entries = {key: entry_at(part, place, source) for key, part in self.parts.items()}
        return {key: part._replace(value=plain(part.value)) for key, part in entries.items()}


def gathered(key: str, value: object) -> object:
    """Return a value as an array: of doubles or integers if it consists of such arrays, else of Python objects.

    Names, and what is no list, stay as they are.
    """
    if is_array(value):
        return copied(value)
    if key in ("x", "y"):
        return plain(value)
    if isinstance(value, list | tuple) and value:
        parts = [part for one in value if is_array(part := gathered(key, one))]
        if len(parts) == len(value) and len({part.shape for part in parts}) == 1:
            return np.stack(parts)
    value = plain(value)
    return _of_objects(value) if isinstance(value, list) else value


def _of_objects(value: list[Any]) -> object:
    """Return nested lists as an array; lists of different lengths stay as they are."""
    try:
        return np.array(value, dtype=object)
    except ValueError:
        return value


def _as_doubles(
    A: Array, B: Array | None, g: Array | None, leading: int
) -> tuple[Array, Array | None, Array | None] | None:
    """Return the arrays as doubles in one leading axis, dL_dy with one for losses; None if a number is no double."""
    if not all(array is None or _holds_doubles(array) for array in (A, B, g)):
        return None
    S = prod(A.shape[:leading])
    g = None if g is None else g.reshape(S, prod(g.shape[leading:-1]), g.shape[-1])
    B = None if B is None else B.reshape(S, *B.shape[leading:])
    B, g = (None if array is None else array.astype(float, copy=False) for array in (B, g))
    return A.reshape(S, *A.shape[leading:]).astype(float, copy=False), B, g


def _holds_doubles(array: Array) -> bool:
    """Return whether an array has numbers alone, each of which is a double."""
    if is_array_of_doubles(array):
        return True
    return array.dtype == object and all(type(one) in (int, float) and _is_double(one) for one in array.ravel())


def _is_double(number: float) -> bool:
    try:
        return float(number) == number
    except OverflowError:
        return False

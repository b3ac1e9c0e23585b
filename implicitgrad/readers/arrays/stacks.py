"""Split stacks, arrays that hold a system for each index of their leading axes, into the systems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.model.stack import StackPlace, label, selected
from implicitgrad.readers.sources import split_source
from implicitgrad.text.errors import MAX_PROBLEMS_SHOWN, InputError, Problem

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

Claims = Mapping[str, SourceValue]

AXES = {
    "A": ("M×N",), "B": ("M×P",), "dL_dy": ("N", "K×N"), "dy_dx": ("N×P",), "dL_dx": ("P", "K×P"),
    "x_value": ("P",), "dx": ("P",), "dL_dA": ("M×N", "K×M×N"), "dL_dB": ("M×P", "K×M×P"),
    "constraints.matrix": ("D×P",), "constraints.dependent": ("D",),
}  # fmt: skip
"""The axes of a value beside one system; none for those of other keys."""


def is_stack(spec: SystemSpec) -> bool:
    """Return whether A is an array of more than two axes."""
    return "A" in spec.values and getattr(spec.values["A"].value, "ndim", 0) > 2


def split(
    spec: SystemSpec,
    claims: Mapping[str, SourceValue] | None = None,
    finish: Callable[[Mapping[str, SourceValue]], Claims] = lambda parts: parts,
) -> list[SystemSpec]:
    """Return the systems of a stack, those that the source selects; a system that is no stack alone.

    claims : arrays of claims. finish : makes the claims of one system of its values. Raise InputError.
    """
    file, selection = split_source(spec.source)
    if not is_stack(spec):
        if selection:
            message = f"expected a stack of systems, got one system; it is {file}, without {selection}"
            raise InputError([Problem(message, code="bad-shape", source=spec.source)])
        return [spec]
    shape = spec.values["A"].value.shape[:-2]  # type: ignore[attr-defined]
    values = {key: spread(key, value, shape, file) for key, value in spec.values.items()}
    claimed = {key: spread(key, value, shape, file) for key, value in (claims or {}).items()}
    try:
        places = [StackPlace(shape, index) for index in selected(selection, shape)]
    except ValueError as error:
        problem = Problem(f"{error}; the stack has the shape {_shown(shape)}", code="bad-shape", source=spec.source)
        raise InputError([problem]) from None
    return [system_at(spec, place, file, values, claimed, finish) for place in places]


def system_at(
    spec: SystemSpec,
    place: StackPlace,
    file: str,
    values: Mapping[str, SourceValue],
    claims: Mapping[str, SourceValue],
    finish: Callable[[Claims], Claims],
) -> SystemSpec:
    """Return one system of a stack, of values and claims with its leading axes."""
    source = file + label(place.at)
    parts = {key: entry_at(value, place, source) for key, value in values.items()}
    found = SystemSpec(source, parts, spec.name + label(place.at))
    found.place = place
    if claims:
        found.expect = lambda: dict(finish({key: entry_at(value, place, source) for key, value in claims.items()}))
    return found


def at_place(key: str, value: SourceValue, place: StackPlace | None, source: str) -> SourceValue:
    """Return what a value, given beside all systems, is beside the one at ``place``. Raise InputError.

    source : what the value is beside, for messages.
    """
    if not hasattr(value.value, "ndim") or key in ("A", "x", "y"):
        return value
    if place is None:
        array: Any = value.value
        if array.ndim > max(map(_count, _own(key, array))):
            raise _misfit(key, value, (), source)
        return value
    return entry_at(spread(key, value, place.shape, source), place, value.source)


def spread(key: str, value: SourceValue, shape: tuple[int, ...], source: str) -> SourceValue:
    """Return an array with the leading axes of a stack, of shape ``shape``; a list is the same for all systems.

    Raise InputError for an array that does not have these axes.
    """
    array: Any = value.value
    if not hasattr(array, "ndim") or key in ("x", "y"):
        return value
    axes = list(map(_count, _own(key, array)))
    leading = len(shape)
    if array.ndim == axes[0] and key != "A":
        return value._replace(value=np.broadcast_to(array, (*shape, *array.shape)))
    fits = all(length in (1, whole) for length, whole in zip(array.shape, shape, strict=False))
    if array.ndim - leading not in axes or not fits:
        raise _misfit(key, value, shape, source)
    return value._replace(value=np.broadcast_to(array, (*shape, *array.shape[leading:])))


def entry_at(value: SourceValue, place: StackPlace, source: str | None) -> SourceValue:
    """Return the value of one system."""
    array: Any = value.value
    return value._replace(value=array[place.at], source=source) if hasattr(array, "ndim") else value


def _misfit(key: str, value: SourceValue, shape: tuple[int, ...], source: str) -> InputError:
    array: Any = value.value
    own = [axes or "one value" for axes in _own(key, array)]
    found, at = _shown(array.shape), value.source or source
    if not shape:
        expected = f"{key}: expected {' or '.join(own)} beside one system, got the shape {found}"
        return InputError([Problem(expected, "Leading axes are for a stack, an A of shape S×M×N", "bad-shape", at)])
    lead = _shown(shape)
    each = [f"{lead}×{axes}" if axes != "one value" else lead for axes in own]
    message = f"{key}: expected {' or '.join(each)} beside a stack of {lead} systems, or {own[0]} for all of them"
    hint = None
    if key in ("dL_dy", "dL_dx") and array.ndim == 2:
        hint = f"{key}[None] is several losses of every system"
    return InputError([Problem(f"{message}; got the shape {found}", hint, "bad-shape", at)])


def refuse_infinite(source: str, key: str, array: Array, leading: int = 0) -> None:
    """Raise InputError for nan and ±inf, naming the entries; if these are many, the first and their number.

    leading : the number of leading axes, whose indices name the system.
    """
    if np.isfinite(array).all():
        return
    places = np.argwhere(~np.isfinite(array))
    problems = []
    for place in places[:MAX_PROBLEMS_SHOWN].tolist():
        entry = key + "".join(f"[{k + 1}]" for k in place[leading:])
        message = f"{entry}: expected a finite number, got {array[tuple(place)]}"
        where = source + label(tuple(place[:leading])) if leading else source
        problems.append(Problem(message, None, "bad-number", where))
    if len(places) > len(problems):
        message = f"{problems[0].message}, and so for {len(places) - 1:,} more entries of {key}"
        problems = [problems[0]._replace(message=message)]
    raise InputError(problems)


def _own(key: str, array: Array) -> tuple[str, ...]:
    """Return what axes a value may have beside one system."""
    is_list = key == "free_parameters" and (array.dtype.kind == "U" or {*map(type, array.flat)} == {str})
    return ("D",) if is_list else AXES.get(key, ("",))


def _count(axes: str) -> int:
    return len(axes.split("×")) if axes else 0


def _shown(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "()"

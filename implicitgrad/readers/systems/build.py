"""Build what a SystemSpec describes.

A small system of plain decimals in which everything fits is built here at once. Any other is built by general.py,
which chooses the arithmetic, reads fractions and expressions, and says where and why something does not fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from implicitgrad.model.spec import SystemSpec
from implicitgrad.model.system import ALWAYS_EXACT, AUTO, Arithmetic, LinearSystem, numbered
from implicitgrad.numbers.exact import read_plain_decimals

if TYPE_CHECKING:
    from implicitgrad.model.program.problem import QuadraticProgram

    Question = LinearSystem | QuadraticProgram

PLAIN = {"A", "B", "dL_dy", "x", "y"}


def build_question(spec: SystemSpec, arithmetic: str = AUTO, *, allow_algebra: bool = True) -> Question:
    """Build the system or the quadratic program that a spec describes. Raise as build_system does."""
    if spec.kind == "program":
        from implicitgrad.readers.program.build import build_program

        return build_program(spec)
    return build_system(spec, arithmetic, allow_algebra=allow_algebra)


def build_system(spec: SystemSpec, arithmetic: str = AUTO, *, allow_algebra: bool = True) -> LinearSystem:
    """Build the system that a spec describes. Raise InputError with every problem found.

    arithmetic : "exact", "float", or "auto": doubles for arrays of them and for what takes long in exact arithmetic.
    allow_algebra : if false, raise NeedsAlgebra for letters and nonlinear equations, before any algebra is done.
    """
    system = _plain_system(spec) if arithmetic in (AUTO, Arithmetic.EXACT) else None
    if system is not None:
        return system
    from implicitgrad.readers.systems.general import build_general

    return build_general(spec, arithmetic, allow_algebra=allow_algebra)


def _plain_system(spec: SystemSpec) -> LinearSystem | None:
    """Build a small system of plain decimals; return None for any other, and if something does not fit."""
    if spec.problems or spec.origin is not None:
        return None
    values: dict[str, Any] = {}
    for key, part in spec.values.items():
        if part.display or key not in PLAIN:
            return None
        values[key] = part.value
    A = read_plain_decimals(values.get("A"), ALWAYS_EXACT)
    B = read_plain_decimals(values["B"], ALWAYS_EXACT) if "B" in values else None
    if A is None or (B is None and "B" in values):
        return None
    M, N = A.shape
    rows_of_B, P = (M, M) if B is None else B.shape
    g, dL_dy = values.get("dL_dy"), None
    has_one_loss = isinstance(g, list) and list not in map(type, g)
    if "dL_dy" in values:
        dL_dy = read_plain_decimals([g] if has_one_loss else g)
        if dL_dy is None or dL_dy.shape[1] != N:
            return None
    x, y = _names(values, "x", P), _names(values, "y", N)
    if rows_of_B != M or x is None or y is None:
        return None
    return LinearSystem(A, B, dL_dy, has_one_loss, x, y, spec.name, spec.source, has_decimals=A.denominator != 1)


def _names(values: dict[str, Any], key: str, number: int) -> tuple[str, ...] | None:
    """Return the names of x or y, numbered ones unless given; None if these are not so many different names."""
    if key not in values:
        return numbered(key, number)
    names = values[key]
    are_names = isinstance(names, list) and all(isinstance(name, str) and name.strip() for name in names)
    return tuple(names) if are_names and len(names) == number == len(set(names)) else None

"""Quadratic programs in NumPy's .npz files: the keys that qpsolvers writes, and those of OSQP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from implicitgrad.model.program.spec import ProgramSpec
from implicitgrad.model.spec import SourceValue
from implicitgrad.numbers.ball import Array
from implicitgrad.readers.arrays.npy import is_numeric, not_numeric, numeric_value, refused, unit_roundoff_of
from implicitgrad.text.errors import InputError, Problem

DIMENSIONS = {"P": (2,), "G": (2,), "A": (2,), "dL_dz": (1, 2), "dL_dlambda": (1, 2), "dL_dnu": (1, 2)}
BOUNDS = ("lb", "ub", "l", "u")
NO_BOUND = 1e30
"""OSQP's infinity."""


def program_spec(path: str, name: str, arrays: dict[str, Array], claimed: Mapping[str, str]) -> ProgramSpec:
    """Return the program of an .npz file's arrays. Raise InputError with every one that is no part of one.

    claimed : the keys of claims, dL_dh.left, by the rest of an array's name after ``expect_``.
    """
    spec = ProgramSpec(path, {}, name)
    claims: dict[str, SourceValue] = {}
    for key, array in arrays.items():
        try:
            if key.startswith("expect_"):
                claims |= _claim(path, claimed[key.removeprefix("expect_")], array)
            elif key.startswith("names_"):
                spec.values[key.replace("_", ".")] = SourceValue(np.atleast_1d(array).astype(str).tolist(), path)
            else:
                spec.values[key] = _numbers(path, key, array)
        except InputError as error:
            spec.problems.extend(error.problems)
    if not spec.problems:
        if "l" in arrays or "u" in arrays:
            _split_rows(spec, arrays)
        elif "P" in arrays and _is_upper_triangle(arrays["P"]):
            message = "P: expected a symmetric matrix, got its upper triangle alone"
            hint = "P + P.T - np.diag(P.diagonal()) is all of it; with l and u it is read as OSQP reads it"
            spec.problems.append(Problem(message, hint, "bad-shape", path))
    if spec.problems:
        raise InputError(spec.problems)
    claims |= _mappings(path, claims)
    spec.expect = lambda: claims
    return spec


def _numbers(path: str, key: str, array: Array) -> SourceValue:
    dimensions = DIMENSIONS.get(key, (1,))
    if key in BOUNDS or not array.size:  # infinity is no bound, and G may have no row
        if not is_numeric(array):
            raise not_numeric(path, f"{key}: ", array)
        if array.ndim not in dimensions and array.size:
            raise refused(path, f"{key}: expected one dimension, got {array.ndim}", "bad-shape")
        return SourceValue(array, path, unit_roundoff=unit_roundoff_of(array))
    return numeric_value(path, key, array, dimensions)


def _claim(path: str, key: str, array: Array) -> dict[str, SourceValue]:
    if key.startswith("tolerance") and array.ndim == 0:
        return {key: SourceValue(str(array.item()), path)}
    if is_numeric(array):
        return {key: SourceValue(np.atleast_1d(array), path, unit_roundoff=unit_roundoff_of(array))}
    texts = array.astype(str)
    return {key: SourceValue(texts.item() if array.ndim == 0 else texts.tolist(), path)}


def _mappings(path: str, claims: Mapping[str, SourceValue]) -> dict[str, SourceValue]:
    """Return the claims that are mappings, {left: …, right: …}, by their keys. Raise InputError for two of one key."""
    found: dict[str, dict[str, object]] = {}
    for key, part in claims.items():
        root, _, rest = key.partition(".")
        if rest:
            found.setdefault(root, {})[rest] = part.value
    twice = [key for key in found if key in claims]
    if twice:
        message = f"{twice[0]} is claimed as a whole and from one side; expected one of both"
        raise InputError([Problem(message, None, "bad-claim", path)])
    return {key: SourceValue(value, path) for key, value in found.items()}


def _is_upper_triangle(P: Array) -> bool:
    return P.ndim == 2 and bool(np.triu(P, 1).any()) and not np.tril(P, -1).any()


def _split_rows(spec: ProgramSpec, arrays: dict[str, Array]) -> None:
    """Replace l ≤ A·z ≤ u by equalities, where l = u, and rows of G. P is the upper triangle, as OSQP reads it."""
    path = spec.source
    if not {"A", "l", "u"} <= arrays.keys() or not arrays.keys().isdisjoint(("G", "h", "b", "lb", "ub")):
        message = "expected A, l and u together, as OSQP has them, without G, h, b, lb and ub"
        spec.problems.append(Problem(message, None, "bad-key", path))
        return
    A, lower, upper = (np.asarray(arrays[key], dtype=float) for key in ("A", "l", "u"))
    if lower.shape != (len(A),) or upper.shape != (len(A),):
        spec.problems.append(
            Problem(f"l and u: expected {len(A)} entries, one for each row of A", None, "bad-shape", path)
        )
        return
    if np.isnan(lower).any() or np.isnan(upper).any():
        spec.problems.append(Problem("l and u: expected numbers or ±inf, got nan", None, "bad-number", path))
        return
    is_equality = lower == upper
    above, below = ~is_equality & (upper < NO_BOUND), ~is_equality & (lower > -NO_BOUND)
    values: dict[str, Any] = {
        "G": np.concatenate([-A[below], A[above]]),
        "h": np.concatenate([-lower[below], upper[above]]),
        "A": A[is_equality],
        "b": lower[is_equality],
    }
    for key in ("l", "u"):
        del spec.values[key]
    spec.values |= {key: SourceValue(value, path) for key, value in values.items()}
    rows = np.arange(1, len(A) + 1)
    names = [f"row{row}.lower" for row in rows[below]] + [f"row{row}.upper" for row in rows[above]]
    spec.values["names.G"] = SourceValue(names, path)
    spec.values["names.A"] = SourceValue([f"row{row}" for row in rows[is_equality]], path)
    if "P" in arrays:
        P = np.triu(arrays["P"])
        spec.values["P"] = SourceValue(P + P.T - np.diag(P.diagonal()), path)

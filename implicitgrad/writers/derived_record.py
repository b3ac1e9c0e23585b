"""The keys of the JSON record that were asked for beside ∂y/∂x and ∂L/∂x."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from implicitgrad.model.solution import Solution
from implicitgrad.numbers.matrix import BaseMatrix

WriteRows = Callable[[BaseMatrix[Any]], Any]
"""Returns the rows of a matrix as they are in JSON."""


def derived_keys(solution: Solution, write: WriteRows, at: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known along dx and at the value of x, and the second derivatives, if these were asked for.

    at : the key of the value of x, which stands before what it determines.
    """
    return {**_along(solution, write), **at, **_at_value(solution, write), **_second(solution, write)}


def _along(solution: Solution, write: WriteRows) -> dict[str, Any]:
    """Return dx, and dy and dL along it, if they were asked for."""
    found, dx = solution.along, solution.system.dx
    if found is None or dx is None:
        return {}
    losses = None if found.dL is None else write(found.dL)[0]
    return {
        "dx": write(dx)[0],
        "dy": None if found.dy is None else write(found.dy)[0],
        "dL": losses[0] if losses is not None and solution.has_one_loss else losses,
    }


def _at_value(solution: Solution, write: WriteRows) -> dict[str, Any]:
    """Return y at the value of x, and the gradients of A, B and letters that were asked for."""
    found, is_one = solution.at_value, solution.has_one_loss
    if found is None:
        return {}
    keys: dict[str, Any] = {} if found.y is None else {"y_value": write(found.y)[0]}
    for key, matrices in (("dL_dA", found.dL_dA), ("dL_dB", found.dL_dB)):
        if matrices is not None:
            written = [write(matrix) for matrix in matrices]
            keys[key] = written[0] if is_one else written
    if found.dL_dletters is not None:
        columns = zip(found.letters, zip(*write(found.dL_dletters), strict=True), strict=True)
        keys["dL_dletters"] = {letter: column[0] if is_one else column for letter, column in columns}
    return keys


def _second(solution: Solution, write: WriteRows) -> dict[str, Any]:
    """Return ∂²y/∂x² of one unknown, or a list of those of several, if it was asked for; None if there is none."""
    if solution.second is None:
        return {}
    second, N, P = write(solution.second), len(solution.y), len(solution.x)
    return {"d2y_dx2": None if not second else second if N == 1 else [second[P * j : P * (j + 1)] for j in range(N)]}

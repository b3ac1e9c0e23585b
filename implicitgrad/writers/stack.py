"""The numbers of many systems as one .npz file: arrays with a first axis for the systems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from implicitgrad.numbers.ball import Array


def write_stack(answers: Sequence[tuple[str, str, Any]], stream: BinaryIO) -> None:
    """Of each system its source, its verdict or "error", and what ``write_numbers`` gave of it.

    dy_dx (S, N, P), dL_dx (S, P) or (S, K, P); NaN where an entry is not determined, where a system has no answer, and
    beyond a system's own size where others are larger. shape (S, 3): equations, unknowns, inputs.
    """
    numbers = [found if status != "error" else None for _, status, found in answers]
    solved = [found for found in numbers if found]
    arrays: dict[str, Array] = {
        "source": np.array([source for source, _, _ in answers], dtype=str),
        "status": np.array([status for _, status, _ in answers], dtype=str),
        "shape": np.array([found["shape"] if found else (0, 0, 0) for found in numbers], dtype=np.int64).reshape(-1, 3),
        "rank": np.array([found["rank"] if found else -1 for found in numbers], dtype=np.int64),
        "condition": np.array([found["condition"] if found else np.nan for found in numbers], dtype=float),
        "dy_dx": _stacked([found and found["dy_dx"] for found in numbers]),
    }
    if any(found["dL_dx"] is not None for found in solved):
        gradients = _stacked([found and found["dL_dx"] for found in numbers])
        arrays["dL_dx"] = gradients[:, 0] if all(found["has_one_loss"] for found in solved) else gradients
    np.savez(stream, allow_pickle=False, **arrays)


def _stacked(matrices: Sequence[Array | None]) -> Array:
    """(S, rows, columns) of the largest, NaN elsewhere."""
    shapes = [matrix.shape for matrix in matrices if matrix is not None]
    rows, columns = (max((shape[axis] for shape in shapes), default=0) for axis in (0, 1))
    found = np.full((len(matrices), rows, columns), np.nan)
    for k, matrix in enumerate(matrices):
        if matrix is not None:
            found[k, : matrix.shape[0], : matrix.shape[1]] = matrix
    return found

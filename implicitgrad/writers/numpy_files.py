"""NumPy files: .npy with ∂y/∂x, .npz with all of an answer, .npz with the numbers of many answers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from implicitgrad.model.solution import PartialMatrix, Solution
from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.symbolic.element import Symbolic
from implicitgrad.text.characters import count
from implicitgrad.text.errors import UsageError
from implicitgrad.text.number_grammar import to_float

if TYPE_CHECKING:
    from implicitgrad.numbers.ball import Array


def write_npy(solution: Solution) -> memoryview:
    """∂y/∂x (N, P), or ∂L/∂x where that was asked for alone; NaN for each entry that is not determined."""
    stream = BytesIO()
    np.save(stream, _asked(solution), allow_pickle=False)
    return stream.getbuffer()


def npy_limitation(solution: Solution) -> str | None:
    """Return a message on the entries that are NaN in the .npy file; None if all are determined."""
    lacking = int(np.isnan(_asked(solution)).sum())
    hint = "a name that ends in .npz gets the general solution"
    return f"{count(lacking, 'entry')} not determined, and NaN there; {hint}" if lacking else None


def write_npz(solution: Solution) -> memoryview:
    """Every matrix of the record under its key; what is not there is left out."""
    general, constraints = solution.general, solution.constraints
    matrices: dict[str, Array] = {}
    if not solution.is_gradient_alone:
        matrices["dy_dx"] = _array(solution.dy_dx)
        if general.free or constraints is not None:
            matrices["particular"] = _array(general.particular)
            matrices["null_space"] = _array(general.null_space)
            matrices["minimum_norm"] = _array(general.minimum_norm)
    if solution.dL_dx_rows is not None:
        matrices["dL_dx"] = _gradient(solution)
    if constraints is not None:
        matrices["constraints"] = _array(constraints.matrix)
        matrices["dependent"] = np.array(constraints.dependent)
    names = {"x": solution.x, "y": solution.y, "free": general.free, "independent": solution.independent}
    labels = {key: np.array(value, dtype=str) for key, value in names.items()}
    jacobian_error, gradient_error = solution.error_bounds
    stream = BytesIO()
    np.savez(
        stream,
        allow_pickle=False,
        status=np.array(str(solution.status)),
        rank=np.array(solution.rank),
        condition=np.array(np.nan if solution.condition is None else solution.condition),
        error_bound=np.array([np.nan if error is None else error for error in (jacobian_error, gradient_error)]),
        **labels,
        **matrices,
    )
    return stream.getbuffer()


def write_numbers(solution: Solution) -> dict[str, Any]:
    """The numbers of an answer, for a stack of many."""
    return {
        "shape": (solution.system.equations, solution.system.unknowns, solution.system.inputs),
        "rank": solution.rank,
        "condition": np.nan if solution.condition is None else solution.condition,
        "dy_dx": _array(solution.dy_dx),
        "dL_dx": None if solution.dL_dx_rows is None else _array(solution.dL_dx_rows),
        "has_one_loss": solution.has_one_loss,
    }


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


def _asked(solution: Solution) -> Array:
    return _gradient(solution) if solution.is_gradient_alone else _array(solution.dy_dx)


def _gradient(solution: Solution) -> Array:
    rows = _array(solution.dL_dx_rows or ())
    return rows[0] if solution.has_one_loss else rows


def _array(matrix: PartialMatrix) -> Array:
    """(rows, columns), NaN for None and ±inf beyond the largest double."""
    if isinstance(matrix, BallMatrix):
        return matrix.array
    return np.array([[_double(value) for value in row] for row in matrix])


def _double(value: Fraction | None) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, Symbolic):
        if not value.is_number:
            raise UsageError(f"NumPy's files are for numbers, and there is {value.shown}", "--format json has letters")
        value = value.approximation()
    double = to_float(value)
    return double if double is not None else float("inf") if value > 0 else float("-inf")


def _stacked(matrices: Sequence[Array | None]) -> Array:
    """(S, rows, columns) of the largest, NaN elsewhere."""
    shapes = [matrix.shape for matrix in matrices if matrix is not None]
    rows, columns = (max((shape[axis] for shape in shapes), default=0) for axis in (0, 1))
    found = np.full((len(matrices), rows, columns), np.nan)
    for k, matrix in enumerate(matrices):
        if matrix is not None:
            found[k, : matrix.shape[0], : matrix.shape[1]] = matrix
    return found

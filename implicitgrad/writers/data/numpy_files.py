"""Write NumPy files: .npy with ∂y/∂x, .npz with a complete answer, .npz with the numbers of many answers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from implicitgrad.model.solution import PartialMatrix, Solution
from implicitgrad.model.stack import numbered
from implicitgrad.numbers.ball import Array, BallMatrix
from implicitgrad.numbers.exact import to_float
from implicitgrad.symbolic.function_field.element import Symbolic
from implicitgrad.text.characters import count
from implicitgrad.text.errors import UsageError

if TYPE_CHECKING:
    from implicitgrad.model.program.solution import ProgramSolution


def write_npy(solution: Solution) -> memoryview:
    """Return ∂y/∂x (N, P), or ∂L/∂x if only that was asked for; NaN for each entry that is not determined."""
    stream = BytesIO()
    np.save(stream, _main_matrix(solution), allow_pickle=False)
    return stream.getbuffer()


def npy_limitation(solution: Solution) -> str | None:
    """Return a message on the entries that are NaN in the .npy file; None if all are determined."""
    lacking = int(np.isnan(_main_matrix(solution)).sum())
    hint = "a name that ends in .npz gets the general solution"
    return f"{count(lacking, 'entry')} not determined, and NaN there; {hint}" if lacking else None


def write_npz(solution: Solution) -> memoryview:
    """Return every matrix of the record that exists, under its key."""
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
    if solution.along is not None and solution.system.dx is not None:
        found_along = {"dx": solution.system.dx, "dy": solution.along.dy, "dL": solution.along.dL}
        matrices |= {key: _array(one)[0] for key, one in found_along.items() if one is not None}
    if solution.at_value is not None and solution.system.x_value is not None:
        matrices["x_value"] = _array(solution.system.x_value)[0]
        matrices["y_value"] = _array(solution.at_value.y or ())[0]
        for key in ("dL_dA", "dL_dB"):
            if (found := getattr(solution.at_value, key)) is not None:
                stacked = np.stack([_array(one) for one in found])
                matrices[key] = stacked[0] if solution.has_one_loss else stacked
    if constraints is not None:
        matrices["constraints"] = _array(constraints.matrix)
        matrices["dependent"] = np.array(constraints.dependent)
    names = {"x": solution.x, "y": solution.y, "free": general.free, "independent": solution.independent}
    labels = {key: np.array(value, dtype=str) for key, value in names.items()}
    stream = BytesIO()
    np.savez(
        stream,
        allow_pickle=False,
        status=np.array(str(solution.status)),
        rank=np.array(solution.rank),
        condition=np.array(np.nan if solution.condition is None else solution.condition),
        error_bound=np.array(_bounds(solution)),
        **labels,
        **matrices,
    )
    return stream.getbuffer()


def write_numbers(solution: Solution | ProgramSolution) -> dict[str, Any]:
    """Return the numbers of an answer, for ``write_stack``."""
    if solution.kind == "program":
        from implicitgrad.writers.program.numpy_files import program_numbers

        return {"program": program_numbers(solution)}
    return numbers_of(
        (solution.system.equations, solution.system.unknowns, solution.system.inputs),
        solution.rank,
        np.nan if solution.condition is None else solution.condition,
        _bounds(solution),
        _array(solution.dy_dx),
        None if solution.dL_dx_rows is None else _array(solution.dL_dx_rows),
        has_one_loss=solution.has_one_loss,
    )


def numbers_of(
    shape: tuple[int, int, int],
    rank: int,
    condition: float,
    error_bound: tuple[float, ...],
    dy_dx: Array,
    dL_dx: Array | None,
    *,
    has_one_loss: bool,
) -> dict[str, Any]:
    """Return the numbers of an answer to a linear system, for ``write_stack``. dL_dx : (K, P)."""
    return {
        "shape": shape, "rank": rank, "condition": condition, "error_bound": error_bound, "dy_dx": dy_dx,
        "dL_dx": dL_dx, "has_one_loss": has_one_loss,
    }  # fmt: skip


def write_stack(answers: Sequence[tuple[str, str, Any]], stream: BinaryIO) -> None:
    """Write the sources of systems, their statuses or "error", and the numbers from ``write_numbers``.

    dy_dx (S, N, P), dL_dx (S, P) or (S, K, P); NaN for entries that are not determined, for systems without an answer,
    and outside a system's own size if others are larger. shape (S, 3): equations, unknowns, inputs. error_bound (S, 2):
    of ∂y/∂x and ∂L/∂x. If these are the systems of one stack, S stands for its leading axes. If some are quadratic
    programs, z (S, n), lambda (S, m) and nu (S, p), with NaN in the same way, and shape 0, rank -1 for them.
    """
    everything = [found if status != "error" else None for _, status, found in answers]
    numbers = [None if found and "program" in found else found for found in everything]
    solved = [found for found in numbers if found]
    arrays: dict[str, Array] = {
        "source": np.array([source for source, _, _ in answers], dtype=str),
        "status": np.array([status for _, status, _ in answers], dtype=str),
        "shape": np.array([found["shape"] if found else (0, 0, 0) for found in numbers], dtype=np.int64).reshape(-1, 3),
        "rank": np.array([found["rank"] if found else -1 for found in numbers], dtype=np.int64),
        "condition": np.array([found["condition"] if found else np.nan for found in numbers], dtype=float),
        "error_bound": np.array(
            [found["error_bound"] if found else (np.nan, np.nan) for found in numbers], dtype=float
        ).reshape(-1, 2),
        "dy_dx": _stacked([found and found["dy_dx"] for found in numbers]),
    }
    if any(found["dL_dx"] is not None for found in solved):
        gradients = _stacked([found and found["dL_dx"] for found in numbers])
        arrays["dL_dx"] = gradients[:, 0] if all(found["has_one_loss"] for found in solved) else gradients
    programs = [found["program"] if found and "program" in found else None for found in everything]
    if any(programs):
        arrays |= {key: _stacked([found and found[key] for found in programs])[:, 0] for key in ("z", "lambda", "nu")}
    leading = _leading_axes([source for source, _, _ in answers])
    arrays = {key: array.reshape(*leading, *array.shape[1:]) for key, array in arrays.items()}
    np.savez(stream, allow_pickle=False, **arrays)


def _leading_axes(sources: Sequence[str]) -> tuple[int, ...]:
    """Return the lengths of the leading axes of the stack that has exactly these systems; else their number."""
    named = list(map(numbered, sources))
    places = [index for _, index in named]
    if not all(places) or len({(file, len(index)) for file, index in named}) != 1:
        return (len(sources),)
    shape = tuple([max(numbers) + 1 for numbers in zip(*places, strict=True)])
    return shape if places == list(np.ndindex(shape)) else (len(sources),)


def _bounds(solution: Solution) -> tuple[float, ...]:
    """Return the bounds on the errors of ∂y/∂x and ∂L/∂x, NaN where there is none."""
    return tuple([np.nan if error is None else error for error in solution.error_bounds])


def _main_matrix(solution: Solution) -> Array:
    return _gradient(solution) if solution.is_gradient_alone else _array(solution.dy_dx)


def _gradient(solution: Solution) -> Array:
    rows = _array(solution.dL_dx_rows or ())
    return rows[0] if solution.has_one_loss else rows


def _array(matrix: PartialMatrix) -> Array:
    """Return (rows, columns), NaN for None and ±inf beyond the largest double."""
    if isinstance(matrix, BallMatrix):
        return matrix.array
    if not len(matrix):  # only ∂L/∂x was asked for
        return np.zeros((0, 0))
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
    """Return (S, rows, columns) of the largest size, NaN elsewhere."""
    shapes = [matrix.shape for matrix in matrices if matrix is not None]
    rows, columns = (max((shape[axis] for shape in shapes), default=0) for axis in (0, 1))
    found = np.full((len(matrices), rows, columns), np.nan)
    for k, matrix in enumerate(matrices):
        if matrix is not None:
            found[k, : matrix.shape[0], : matrix.shape[1]] = matrix
    return found

"""Write all matrices of an answer, or the numbers of many, into a .npz file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from implicitgrad.model.solution import Solution
from implicitgrad.model.stack import numbered
from implicitgrad.numbers.ball import Array
from implicitgrad.writers.data.batch_format import BatchFormat
from implicitgrad.writers.data.npy import array_of, gradient_of

if TYPE_CHECKING:
    from implicitgrad.model.program.solution import ProgramSolution
    from implicitgrad.writers.options import AnySolution, WriteOptions


def write(solution: AnySolution, options: WriteOptions) -> memoryview:
    """Return every matrix of the record that exists, under its key."""
    if solution.kind == "program":
        from implicitgrad.writers.program.numpy_files import write_program_npz

        return write_program_npz(solution)
    general, constraints = solution.general, solution.constraints
    matrices: dict[str, Array] = {}
    if not solution.is_gradient_alone:
        matrices["dy_dx"] = array_of(solution.dy_dx)
        if general.free or constraints is not None:
            matrices["particular"] = array_of(general.particular)
            matrices["null_space"] = array_of(general.null_space)
            matrices["minimum_norm"] = array_of(general.minimum_norm)
    if solution.dL_dx_rows is not None:
        matrices["dL_dx"] = gradient_of(solution)
    if solution.second is not None:
        N, P = len(solution.y), len(solution.x)
        second = array_of(solution.second) if solution.second else np.full((N * P, P), np.nan)
        matrices["d2y_dx2"] = second.reshape(N, P, P)
    if solution.along is not None and solution.system.dx is not None:
        found_along = {"dx": solution.system.dx, "dy": solution.along.dy, "dL": solution.along.dL}
        matrices |= {key: array_of(one)[0] for key, one in found_along.items() if one is not None}
    if solution.at_value is not None and solution.system.x_value is not None:
        matrices["x_value"] = array_of(solution.system.x_value)[0]
        matrices["y_value"] = array_of(solution.at_value.y or ())[0]
        for key in ("dL_dA", "dL_dB"):
            if (found := getattr(solution.at_value, key)) is not None:
                stacked = np.stack([array_of(one) for one in found])
                matrices[key] = stacked[0] if solution.has_one_loss else stacked
    if constraints is not None:
        matrices["constraints"] = array_of(constraints.matrix)
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


class AnswerNumbers(NamedTuple):
    """The numbers of an answer to a linear system, for ``write_stack``."""

    shape: tuple[int, int, int]
    rank: int
    condition: float
    error_bound: tuple[float, ...]
    dy_dx: Array
    dL_dx: Array | None
    """(K, P)."""
    has_one_loss: bool


def write_numbers(solution: Solution | ProgramSolution) -> AnswerNumbers | dict[str, Array]:
    """Return the numbers of an answer, for ``write_stack``."""
    if solution.kind == "program":
        from implicitgrad.writers.program.numpy_files import program_numbers

        return program_numbers(solution)
    return AnswerNumbers(
        (solution.system.equations, solution.system.unknowns, solution.system.inputs),
        solution.rank,
        np.nan if solution.condition is None else solution.condition,
        _bounds(solution),
        array_of(solution.dy_dx),
        None if solution.dL_dx_rows is None else array_of(solution.dL_dx_rows),
        solution.has_one_loss,
    )


def write_stack(answers: Sequence[tuple[str, str, Any]], stream: BinaryIO) -> None:
    """Write the sources of systems, their statuses or "error", and the numbers from ``write_numbers``.

    dy_dx (S, N, P), dL_dx (S, P) or (S, K, P); NaN for entries that are not determined, for systems without an answer,
    and outside a system's own size if others are larger. shape (S, 3): equations, unknowns, inputs. error_bound (S, 2):
    of ∂y/∂x and ∂L/∂x. If these are the systems of one stack, S stands for its leading axes. If some are quadratic
    programs, z (S, n), lambda (S, m) and nu (S, p), with NaN in the same way, and shape 0, rank -1 for them.
    """
    everything = [found if status != "error" else None for _, status, found in answers]
    numbers = [found if isinstance(found, AnswerNumbers) else None for found in everything]
    solved = [found for found in numbers if found]
    arrays: dict[str, Array] = {
        "source": np.array([source for source, _, _ in answers], dtype=str),
        "status": np.array([status for _, status, _ in answers], dtype=str),
        "shape": np.array([found.shape if found else (0, 0, 0) for found in numbers], dtype=np.int64).reshape(-1, 3),
        "rank": np.array([found.rank if found else -1 for found in numbers], dtype=np.int64),
        "condition": np.array([found.condition if found else np.nan for found in numbers], dtype=float),
        "error_bound": np.array(
            [found.error_bound if found else (np.nan, np.nan) for found in numbers], dtype=float
        ).reshape(-1, 2),
        "dy_dx": _stacked([found and found.dy_dx for found in numbers]),
    }
    if any(found.dL_dx is not None for found in solved):
        gradients = _stacked([found and found.dL_dx for found in numbers])
        arrays["dL_dx"] = gradients[:, 0] if all(found.has_one_loss for found in solved) else gradients
    programs = [found if isinstance(found, dict) else None for found in everything]
    if any(programs):
        arrays |= {
            key: _stacked([found[key] if found else None for found in programs])[:, 0] for key in ("z", "lambda", "nu")
        }
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


def _stacked(matrices: Sequence[Array | None]) -> Array:
    """Return (S, rows, columns) of the largest size, NaN elsewhere."""
    shapes = [matrix.shape for matrix in matrices if matrix is not None]
    rows, columns = (max((shape[axis] for shape in shapes), default=0) for axis in (0, 1))
    found = np.full((len(matrices), rows, columns), np.nan)
    for k, matrix in enumerate(matrices):
        if matrix is not None:
            found[k, : matrix.shape[0], : matrix.shape[1]] = matrix
    return found


@cache
def batch_format() -> BatchFormat:
    """Return how batch writes the answers to many systems into one output."""
    return BatchFormat(lambda solution, _: write_numbers(solution), lambda *_: "", assemble=write_stack)

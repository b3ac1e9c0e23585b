"""Write the answer to a quadratic program as NumPy's .npz file, or as the numbers of one of many."""

from __future__ import annotations

from io import BytesIO

import numpy as np

from implicitgrad.model.program.solution import ProgramSolution
from implicitgrad.numbers.ball import Array
from implicitgrad.writers.program.record import program_record

NUMBERS = ("objective", "z", "lambda", "lambda_lb", "lambda_ub", "nu")
NAMES = ("active", "strong", "exchangeable", "weak")


def write_program_npz(solution: ProgramSolution) -> memoryview:
    """Return the numbers of the record under their keys; NaN for null, and no member for what there is not."""
    record = program_record(solution)
    keys = [key for key in record if key in NUMBERS or key.startswith(("dz_d", "dL_d"))]
    arrays = {key: _array(record[key]) for key in keys if record[key] is not None}
    stream = BytesIO()
    np.savez(
        stream,
        allow_pickle=False,
        status=np.array(str(solution.status)),
        names_z=np.array(solution.program.z, dtype=str),
        **{key: np.array(record[key], dtype=str) for key in NAMES},
        **arrays,
    )
    return stream.getbuffer()


def program_numbers(solution: ProgramSolution) -> dict[str, Array]:
    """Return z, λ and ν as rows; a row of NaN for a z that is not unique or does not exist."""
    program, record = solution.program, program_record(solution)
    sizes = {"z": program.unknowns, "lambda": len(program.h), "nu": len(program.b)}
    return {
        key: np.full((1, size), np.nan) if record[key] is None else _array(record[key]).reshape(1, size)
        for key, size in sizes.items()
    }


def _array(value: object) -> Array:
    return np.array(value, dtype=float)

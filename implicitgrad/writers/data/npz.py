"""Write all matrices of an answer, or the numbers of many, into a .npz file."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from implicitgrad.writers.data.batch_format import BatchFormat
from implicitgrad.writers.data.numpy_files import write_npz, write_numbers, write_stack

if TYPE_CHECKING:
    from implicitgrad.writers.options import AnySolution, WriteOptions


def write(solution: AnySolution, options: WriteOptions) -> memoryview:
    """Write the answer to one system. Raise ImplicitGradError if the format has no place for it."""
    if solution.kind == "program":
        from implicitgrad.writers.program.numpy_files import write_program_npz

        return write_program_npz(solution)
    return write_npz(solution)


@cache
def batch_format() -> BatchFormat:
    """Return how batch writes the answers to many systems into one output."""
    return BatchFormat(lambda solution, _: write_numbers(solution), lambda *_: "", assemble=write_stack)

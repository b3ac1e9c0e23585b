"""Write ∂y/∂x into a .npy file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from implicitgrad.writers.data.batch_format import linear_alone
from implicitgrad.writers.data.numpy_files import npy_limitation, write_npy

if TYPE_CHECKING:
    from implicitgrad.writers.options import AnySolution, WriteOptions


def write(solution: AnySolution, options: WriteOptions) -> memoryview:
    """Write the answer to one system. Raise ImplicitGradError if the format has no place for it."""
    return write_npy(linear_alone(solution))


def limitation(solution: AnySolution, options: WriteOptions) -> str | None:
    """Return a message on what the format leaves out of an answer."""
    return npy_limitation(linear_alone(solution))

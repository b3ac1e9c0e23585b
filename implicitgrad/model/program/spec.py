"""ProgramSpec: a quadratic program as it is written, and the keys of its claims."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from implicitgrad.model.spec import SourceValue, SystemSpec

if TYPE_CHECKING:
    from implicitgrad.model.program.problem import QuadraticProgram

PROGRAM_CLAIMS = (
    "status", "objective", "z", "lambda", "lambda_lb", "lambda_ub", "nu", "active",
    "dz_dq", "dz_dh", "dz_db", "dz_dlb", "dz_dub", "dz_dx",
    "dL_dq", "dL_dh", "dL_db", "dL_dlb", "dL_dub", "dL_dP", "dL_dG", "dL_dA", "dL_dx", "tolerance",
)  # fmt: skip
"""The keys of ``expect`` beside a quadratic program."""
ONE_SIDED = tuple([f"{of}_d{key}" for of in ("dz", "dL") for key in ("q", "h", "b", "lb", "ub", "x")])
"""Those that can be claimed from one side."""
PROGRAM_KEYS = (
    "name", "P", "q", "G", "h", "A", "b", "lb", "ub", "names", "dL_dz", "dL_dlambda", "dL_dnu",
    "minimize", "maximize", "subject_to", "z", "at", "expect",
)  # fmt: skip


class ProgramSpec(SystemSpec):
    """A quadratic program as written. Its values are by the keys P, q, G, h, A, b, lb, ub, dL_dz, names.z and so on."""

    kind = "program"

    def __init__(self, source: str, values: dict[str, SourceValue], name: str) -> None:
        super().__init__(source, values, name)
        self.expressions: Callable[[SourceValue | None], QuadraticProgram] | None = None
        """Reads minimize or maximize, subject_to and at, given the unknowns' names; None if there are arrays."""

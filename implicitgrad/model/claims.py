"""Claims: what somebody says of a system's answer, in their own digits."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.model.solution import PartialMatrix, Status
from implicitgrad.model.system import Matrix

LONGEST_SUMMARY = 24


class Place(NamedTuple):
    """Where a claim is written."""

    source: str | None
    line: int | None = None
    column: int | None = None


class Number(NamedTuple):
    """A claimed number, and as it was written."""

    value: Fraction
    text: str


class Numbers(NamedTuple):
    """A claimed matrix, as written and as numbers."""

    key: str
    entries: PartialMatrix
    """None: claimed not to be determined."""
    texts: tuple[tuple[str, ...], ...]
    roundings: Matrix
    """Half a unit of each decimal's last place; 0 for integers and fractions."""
    unit_roundoff: Fraction | None
    """Of the floating-point type the numbers were computed in; None where they were written by hand."""
    is_flat: bool
    """Written as one list."""
    broken: tuple[str, ...] = ()
    """Which entries of an array are infinite or no number at all, and what they are."""

    def summary(self) -> str:
        """The matrix as an option would have it, 1 2; 3 4, or its size where that is long."""
        text = "; ".join(" ".join(row) for row in self.texts)
        return text if len(text) <= LONGEST_SUMMARY else f"{len(self.texts)}×{len(self.texts[0])}"

    def name(self, i: int, j: int) -> str:
        """What the entry in row i and column j, 0-based, is called: dL_dx[2], dy_dx[1][2]."""
        return f"{self.key}[{i + j + 1}]" if self.is_flat else f"{self.key}[{i + 1}][{j + 1}]"


class ClaimedConstraints(NamedTuple):
    """x_dependent = matrix · the other inputs in their order."""

    dependent: tuple[str, ...]
    """None of them: every x is possible."""
    matrix: Numbers | None


class Claims(NamedTuple):
    """What is claimed; None where nothing is."""

    status: Status | None = None
    rank: Number | None = None
    dy_dx: Numbers | None = None
    dL_dx: Numbers | None = None
    free_parameters: Number | tuple[str, ...] | None = None
    """Their number, or their names."""
    dL_dx_unique: bool | None = None
    constraints: ClaimedConstraints | None = None
    condition: Number | None = None
    """The largest that is allowed."""
    rtol: Fraction | None = None
    atol: Fraction | None = None
    places: Mapping[str, Place] = {}
    """Where each claim is written, in the order of CLAIMS."""

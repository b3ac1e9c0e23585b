"""Claims: what a user states about the answer to a system, with the digits it was written with."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.model.solution import PartialMatrix
from implicitgrad.model.system import Matrix, Status

MAX_SUMMARY = 24


class Place(NamedTuple):
    """Where a claim is written."""

    source: str | None
    line: int | None = None
    column: int | None = None


class ClaimedNumber(NamedTuple):
    """A claimed number, and as it was written."""

    value: Fraction
    text: str


class ClaimedMatrix(NamedTuple):
    """A claimed matrix, as written and as numbers."""

    key: str
    """dy_dx, dL_dx, dL_dA, dL_dB or constraints.matrix."""
    entries: PartialMatrix
    """None: claimed not to be determined."""
    texts: tuple[tuple[str, ...], ...]
    roundings: Matrix
    """Half a unit of each decimal's last place; 0 for integers and fractions."""
    unit_roundoff: Fraction | None
    """The unit roundoff of the floating-point type the numbers were computed in; None for numbers written by hand."""
    is_flat: bool
    """Written as one list."""
    non_finite: tuple[str, ...] = ()
    """A phrase for each entry of an array that is infinite or not a number: dL_dx[2] is nan."""
    height: int = 0
    """The rows of each of several matrices of which it was written as a list; 0 if it was written as one."""

    @property
    def entry_count(self) -> int:
        """Return the number of entries, null ones included."""
        return len(self.entries) * len(self.entries[0])

    def summary(self) -> str:
        """Return the matrix as an option spells it, 1 2; 3 4, or its size if that is long."""
        text = "; ".join(" ".join(row) for row in self.texts)
        return text if len(text) <= MAX_SUMMARY else f"{len(self.texts)}×{len(self.texts[0])}"

    def name(self, i: int, j: int) -> str:
        """Return the name of the entry in row i and column j, 0-based: dL_dx[2], dy_dx[1][2], dL_dA[1][1][2]."""
        if self.height:
            return f"{self.key}[{i // self.height + 1}][{i % self.height + 1}][{j + 1}]"
        return f"{self.key}[{i + j + 1}]" if self.is_flat else f"{self.key}[{i + 1}][{j + 1}]"

    def divided_by(self, factor: Fraction | int) -> ClaimedMatrix:
        """Return the claim, and what its digits leave open, divided by a factor."""
        inverse = 1 / Fraction(factor)
        entries = tuple([tuple([v if v is None else v * inverse for v in row]) for row in self.entries])
        roundings = tuple([tuple([rounding * abs(inverse) for rounding in row]) for row in self.roundings])
        return self._replace(entries=entries, roundings=roundings)

    def transposed(self) -> ClaimedMatrix:
        """Return the claim with rows for columns."""
        entries, roundings = zip(*self.entries, strict=True), zip(*self.roundings, strict=True)
        return self._replace(entries=tuple(entries), roundings=tuple(roundings))

    def zeros(self) -> ClaimedMatrix:
        """Return the claim with 0 in place of each number."""
        return self._replace(entries=tuple([tuple([v and Fraction(0) for v in row]) for row in self.entries]))


class ClaimedConstraints(NamedTuple):
    """x_dependent = matrix · the other inputs in their order."""

    dependent: tuple[str, ...]
    """Empty if every x is claimed to be possible."""
    matrix: ClaimedMatrix | None


class Claims(NamedTuple):
    """The claims about one system; None for what is not claimed."""

    status: Status | str | None = None
    """A status, or another requirement of --require."""
    rank: ClaimedNumber | None = None
    dy_dx: ClaimedMatrix | None = None
    dL_dx: ClaimedMatrix | None = None
    dL_dA: ClaimedMatrix | None = None
    """The rows of all losses, one loss below the other."""
    dL_dB: ClaimedMatrix | None = None
    """As dL_dA."""
    free_parameters: ClaimedNumber | tuple[str, ...] | None = None
    """Their number, or their names."""
    dL_dx_unique: bool | None = None
    constraints: ClaimedConstraints | None = None
    condition: ClaimedNumber | None = None
    """The largest condition number that is allowed."""
    rtol: Fraction | None = None
    atol: Fraction | None = None
    caveats: Mapping[str, str] = {}
    """Why claims by their keys are undecided if they fail."""
    places: Mapping[str, Place] = {}
    """Where each claim is written, in the order of CLAIMS."""

"""ProgramClaims: what a user states about the answer to a quadratic program, with the digits it was written with."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.model.claims import ClaimedMatrix, Place
from implicitgrad.model.program.solution import Missing


class Side(StrEnum):
    """The side that a one-sided derivative is claimed from."""

    LEFT = "left"
    RIGHT = "right"


class ClaimedPart(NamedTuple):
    """Numbers claimed of one quantity."""

    side: Side | None
    """None: claimed of the quantity itself, or of a derivative that is the same from both sides."""
    loss: int
    """0-based, for matrices of which every loss has one."""
    matrix: ClaimedMatrix
    unclaimed: frozenset[tuple[int, int]] = frozenset()
    """The entries that nothing is claimed of."""
    missing: Mapping[tuple[int, int], Missing] = {}
    """The entries of a side that are claimed not to exist, with the reason that is claimed."""

    def claimed(self) -> list[tuple[int, int]]:
        """Return the positions of the entries that something is claimed of."""
        rows = enumerate(self.matrix.entries)
        return [(i, j) for i, row in rows for j in range(len(row)) if (i, j) not in self.unclaimed]

    def summary(self) -> str:
        """Return the claimed numbers as an option spells them, or their size if they are many."""
        texts = [
            ["·" if (i, j) in self.unclaimed else str(self.missing.get((i, j), text)) for j, text in enumerate(row)]
            for i, row in enumerate(self.matrix.texts)
        ]
        shown = self.matrix._replace(texts=tuple(map(tuple, texts))).summary()
        return shown if self.side is None else f"{self.side}: {shown}"


class ClaimedQuantity(NamedTuple):
    """All that is claimed of one key, such as z or dL_dh."""

    key: str
    parts: tuple[ClaimedPart, ...]
    """Empty if it is claimed as a whole not to exist, or has no entry."""
    is_null: bool = False

    def summary(self) -> str:
        """Return the claim in brief: its values, or its size."""
        if self.is_null:
            return "null"
        shown = [part.summary() for part in self.parts if part.claimed()]
        return ", ".join(shown) or "no entry"


class ProgramClaims(NamedTuple):
    """The claims about one program; None for what is not claimed."""

    status: str | None = None
    """A status, or a requirement of --require."""
    active: tuple[str, ...] | None = None
    quantities: tuple[ClaimedQuantity, ...] = ()
    rtol: Fraction | None = None
    atol: Fraction | None = None
    caveats: Mapping[str, str] = {}
    """By key why a claim is undecided if it fails."""
    places: Mapping[str, Place] = {}
    """Where each claim is written."""

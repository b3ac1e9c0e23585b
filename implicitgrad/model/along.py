"""Along: the change of y and of the losses along a change of x."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from implicitgrad.numbers.matrix import BaseMatrix, largest_error


class Along(NamedTuple):
    """The derivatives along dx, a Jacobian-vector product. An entry is None where it is not determined."""

    dy: BaseMatrix[Fraction | None] | None
    """(1, N): J·dx; None if only ∂L/∂x was asked for."""
    dL: BaseMatrix[Fraction | None] | None
    """(1, K): ∂L/∂x·dx of each loss; None without dL_dy."""

    def error_bound(self, key: str) -> float | None:
        """Return a bound on the error of every number of dy or dL; None if nothing is certified."""
        return largest_error((getattr(self, key),))

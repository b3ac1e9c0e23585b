"""AtValue: y and the gradients with respect to A and B at a value of x."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from implicitgrad.model.system import Arithmetic, LinearSystem
from implicitgrad.numbers.matrix import BaseMatrix, largest_error


class AtValue(NamedTuple):
    """What the value of x adds to an answer. An entry is None where it is not determined."""

    y: BaseMatrix[Fraction | None] | None
    """(1, N); None for nonlinear equations."""
    one_of_many: BaseMatrix[Fraction] | None = None
    """(1, N): the y whose free unknowns are 0, where y is not unique; general.null_space has the directions."""
    dL_dA: tuple[BaseMatrix[Fraction | None], ...] | None = None
    """−u·yᵀ with Aᵀu = ∂L/∂y, (M, N) for each of the K losses; None if it was not asked for."""
    dL_dB: tuple[BaseMatrix[Fraction | None], ...] | None = None
    """u·xᵀ, (M, P) for each of the K losses; None if it was not asked for."""
    letters: tuple[str, ...] = ()
    """The names of the C letters in whose places A and B change."""
    dL_dletters: BaseMatrix[Fraction | None] | None = None
    """(K, C); None if it was not asked for."""
    shows_x: bool = True
    """Whether a page shows the derivatives in x, too."""

    def error_bound(self, key: str) -> float | None:
        """Return a bound on the error of every number of y_value, dL_dA, …; None if nothing is certified."""
        found = self.y if key == "y_value" else getattr(self, key)
        return largest_error(found if isinstance(found, tuple) else (found,))

    def for_users(self, key: str, *, has_one_loss: bool) -> Any:  # noqa: ANN401 (of many types)
        """Return y, dL_dA, dL_dB or dL_dletters in the shape that dL_dy had; None if it was not asked for."""
        found = getattr(self, key)
        if found is None:
            return None
        if key == "y":
            return found.vector()
        if key == "dL_dletters":
            columns = dict(zip(self.letters, zip(*found, strict=True), strict=True))
            return {letter: column[0] if has_one_loss else column for letter, column in columns.items()}
        return found[0] if has_one_loss else found


def has_given_x(system: LinearSystem) -> bool:
    """Return whether x has a value that was given, and does not stand for itself among letters."""
    if system.x_value is None or system.arithmetic is not Arithmetic.SYMBOLIC:
        return system.x_value is not None
    return tuple(str(entry) for entry in system.x_value[0]) != system.x

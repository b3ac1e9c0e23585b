"""LinearSystem: what is asked, B·x = A·y with ∂L/∂y, immutable."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

Row = tuple[Fraction, ...]
Matrix = tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class LinearSystem:
    """The linear implicit system B·x = A·y and the gradients ∂L/∂y of K losses.

    Made by the readers and by linear_system(), which check that everything in it fits.
    """

    A: Matrix
    """(M, N): M equations in N unknowns y."""
    B: Matrix | None
    """(M, P); None is the identity, P = M."""
    dL_dy: Matrix | None
    """(K, N), a row for each loss; None where no gradient was given."""
    has_one_loss: bool
    """dL_dy was written as one vector, and dL_dx is to be one too."""
    x: tuple[str, ...]
    """The P inputs' names."""
    y: tuple[str, ...]
    """The N unknowns' names."""
    name: str
    source: str
    """A path, ``path#2`` for a file's second document, ``-`` for standard input, ``<inline>``, ``<python>``."""
    A_rounding: Fraction
    """‖E‖_F² of the largest E that rounding A's entries at their last digit can hide; 0 for integers and fractions."""

    @property
    def equations(self) -> int:
        """M, the rows of A."""
        return len(self.A)

    @property
    def unknowns(self) -> int:
        """N, the columns of A."""
        return len(self.y)

    @property
    def inputs(self) -> int:
        """P, the columns of B."""
        return len(self.x)


def squared_norm(matrix: Matrix) -> Fraction:
    """‖matrix‖_F², summed in integers over the common denominator."""
    entries = [entry for row in matrix for entry in row]
    denominator = lcm(*[entry.denominator for entry in entries])
    numerators = [entry.numerator * (denominator // entry.denominator) for entry in entries]
    return Fraction(sum([number * number for number in numerators]), denominator**2)

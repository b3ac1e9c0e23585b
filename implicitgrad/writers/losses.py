"""∂L/∂x of every loss along the independent inputs, the minimum-norm choice where it is not unique."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from implicitgrad.numbers.ball import BallMatrix

if TYPE_CHECKING:
    from implicitgrad.model.solution import PartialMatrix, Solution


def losses_shown(solution: Solution, is_open: Sequence[bool]) -> PartialMatrix | None:
    """(K, P′); None without a gradient. is_open : (K,), whether ∂L/∂x of a loss is not unique."""
    general, gradients = solution.general, solution.system.dL_dy
    unique = general.dL_dx_particular
    if unique is None or gradients is None or not any(is_open):
        return unique
    J = general.minimum_norm
    if isinstance(unique, BallMatrix) and isinstance(gradients, BallMatrix) and isinstance(J, BallMatrix):
        return _doubles(gradients, J, unique, is_open)
    columns = list(zip(*J, strict=True))
    return tuple(
        tuple(sum((a * b for a, b in zip(g, column, strict=True)), Fraction(0)) for column in columns)
        if chosen
        else row
        for g, row, chosen in zip(gradients, unique, is_open, strict=True)
    )


def _doubles(gradients: BallMatrix, J: BallMatrix, unique: BallMatrix, is_open: Sequence[bool]) -> BallMatrix:
    """|ĝ·Ĵ − g·J| ≤ |ĝ|·dJ + dg·(|Ĵ| + dJ), and the rounding of the product of N terms."""
    import numpy as np

    chosen = np.array(is_open)[:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        value = np.where(chosen, gradients.array @ J.array, unique.array)
        if J.error is None or gradients.error is None or unique.error is None:
            return BallMatrix(value, None)
        g, size, dJ = np.abs(gradients.array), np.abs(J.array), np.broadcast_to(J.error, J.array.shape)
        dg = np.broadcast_to(gradients.error, g.shape)
        rounding = (g @ size + np.finfo(float).tiny) * (len(size) + 2) * 2.0**-52
        error = (g @ dJ + dg @ (size + dJ) + rounding) * (1 + len(size) * 2.0**-50)
    error = np.where(np.isfinite(error), error, np.inf)
    return BallMatrix(value, np.where(chosen, error, unique.error))

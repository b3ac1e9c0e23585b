"""Whether a matrix that was rounded to doubles is clearly indefinite."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from implicitgrad.model.program import Rows, Vector, product, times

ROUNDING = 2.0**-50
"""Of a sum of products, for each of its terms."""


def clearest_curvature(P: Rows) -> Vector | None:
    """Return a v with a vᵀPv that is negative beyond what rounding its entries can make of 0; None if there is none."""
    n = len(P)
    v = tuple(map(Fraction, np.round(np.linalg.eigh(np.array(P, dtype=float))[1][:, 0], 3).tolist()))
    size = max(abs(entry) for row in P for entry in row) * sum(map(abs, v)) ** 2
    return v if product(v, times(P, v)) < -Fraction(n * ROUNDING) * size else None

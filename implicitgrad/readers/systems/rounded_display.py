"""Warn of a matrix whose rank may be lower than that of its display, which rounds its entries."""

from __future__ import annotations

from fractions import Fraction

from implicitgrad.model.spec import SourceValue
from implicitgrad.text.number_grammar import is_number, parse_number
from implicitgrad.text.number_texts import last_place

LEAST_PLACES = 4
"""The fewest decimals to which other programs round what they display."""


def remarks_on_rounding(A: SourceValue) -> tuple[tuple[str, str], ...]:
    """Return a warning, by code and message, if the rounding of a display could lower the rank of A, which is full.

    An entry with fewer decimals than another was not rounded. No change E with ‖E‖_F < σ_min lowers the rank.
    """
    rows = A.value if isinstance(A.value, list) else []
    if not rows or not all(isinstance(text, str) and is_number(text) for row in rows for text in row):
        return ()
    units = [last_place(text) or Fraction(1) for row in rows for text in row]
    unit = min(units)
    if unit > Fraction(1, 10**LEAST_PLACES):
        return ()
    import numpy as np

    change = float(unit) / 2 * units.count(unit) ** 0.5
    values = np.linalg.svd([[float(parse_number(text)) for text in row] for row in rows], compute_uv=False)
    if not 1e-12 * values[0] < values[-1] <= change:
        return ()
    message = (
        f"A is read as {A.display}, whose numbers are rounded, here to {float(unit):g}: within that rounding its rank "
        "may be lower"
    )
    return (("rounded-display", message),)

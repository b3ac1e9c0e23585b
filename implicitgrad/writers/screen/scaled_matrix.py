"""A matrix with its norm, its largest entries, and the digits of each entry that its bound supports."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_UP, Context, Decimal
from fractions import Fraction
from functools import cached_property
from math import inf, isfinite
from typing import TYPE_CHECKING

from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.numbers.display.decimals import SMALLEST_FIXED
from implicitgrad.numbers.display.form import ROUNDED, NumberForm, NumberOptions
from implicitgrad.numbers.display.style import NumberStyle, show_decimal

if TYPE_CHECKING:
    from implicitgrad.model.solution import PartialMatrix
    from implicitgrad.numbers.ball import Array

UNKNOWN = "unknown"
SAFE_EXPONENT = 400
"""Numbers below two to this power, and above its inverse, can be squared and summed in doubles."""


class ScaledMatrix:
    """A matrix of doubles, with a common power of two factored out if they would otherwise overflow or vanish."""

    def __init__(self, matrix: PartialMatrix, columns: int, options: NumberOptions) -> None:
        """columns : their number, which a matrix without rows does not show."""
        import numpy as np

        self.matrix, self.form, self.digits = matrix, options.form, options.summary_digits
        self.error: Array | float | None = 0.0
        self.ball = matrix if isinstance(matrix, BallMatrix) else None
        if self.ball is not None:
            sizes = np.abs(self.ball.array)
            self.exponent = _exponent(float(sizes.max(initial=0.0, where=np.isfinite(sizes))))
            self.values = np.ldexp(self.ball.array, -self.exponent) if self.exponent else self.ball.array
            self.error = self.ball.error
            if self.exponent and self.error is not None:
                self.error = np.ldexp(self.error, -self.exponent)
        else:
            largest = max((abs(entry) for row in matrix for entry in row if entry is not None), default=Fraction(0))
            self.exponent = _exponent(largest)
            unit = Fraction(2) ** self.exponent
            doubles = [[np.nan if entry is None else float(entry / unit) for entry in row] for row in matrix]
            self.values = np.array(doubles).reshape(len(matrix), columns)

    @property
    def unit(self) -> Fraction:
        """Return the unit of the doubles."""
        return Fraction(2) ** self.exponent

    @cached_property
    def certain(self) -> Array:
        """The doubles, 0 where the bound does not exclude 0, NaN where they are unknown."""
        import numpy as np

        values = (
            self.values if np.isfinite(self.values).all() else np.where(np.isfinite(self.values), self.values, np.nan)
        )
        if self.error is None or not np.any(self.error):
            return values
        return np.where(np.abs(values) <= self.error, 0.0, values)

    def norm(self) -> str:
        """Return the Frobenius norm; the norm of the bounds bounds its error."""
        import numpy as np

        norm = _norm(self.values)
        if not isfinite(norm):
            return UNKNOWN
        shown = Fraction(norm) * self.unit
        if self.ball is None:
            text = show_decimal(shown, self.digits)
            return text if not norm else ROUNDED + text.removeprefix(ROUNDED)
        if self.error is None:
            return show_bounded(shown, None, self.digits)
        rounding = norm * self.values.size * 2.0**-52
        bound = _norm(np.broadcast_to(np.asarray(self.error), self.values.shape)) + rounding
        return show_bounded(shown, Fraction(bound) * self.unit if isfinite(bound) else inf, self.digits)

    def largest(self, most: int) -> list[tuple[int, int]]:
        """Return the positions of the nonzero entries of largest magnitude, the first among equal ones.

        The ``most`` largest entries are in the ``most`` rows with the largest maxima.
        """
        import numpy as np

        sizes = np.abs(self.values)
        sizes[~np.isfinite(sizes)] = 0.0
        rows = np.sort(np.argsort(-sizes.max(axis=1, initial=0.0), kind="stable")[:most])
        sizes = sizes[rows]
        found = np.argsort(-sizes, axis=None, kind="stable")[:most]
        i, j = np.unravel_index(found[sizes.flat[found] > 0], sizes.shape)
        return list(zip(rows[i].tolist(), j.tolist(), strict=True))

    def show(self, positions: Sequence[tuple[int, int]]) -> list[str]:
        """Return the texts of entries: as decimals beside the norm, unless fractions are asked for."""
        if self.ball is not None:
            return [self._show_double(i, j) for i, j in positions]
        entries = [self.matrix[i][j] for i, j in positions]
        form = NumberForm.DECIMAL if self.form is NumberForm.AUTO else self.form
        known = [entry for entry in entries if entry is not None]
        style = NumberStyle.of(known, NumberOptions(self.digits, form))
        return [UNKNOWN if entry is None else style.show(entry) for entry in entries]

    def _show_double(self, i: int, j: int) -> str:
        import numpy as np

        assert self.ball is not None
        number, bound = float(self.ball.array[i, j]), None
        if not isfinite(number):
            return UNKNOWN
        if self.ball.error is not None:
            bound = float(np.broadcast_to(self.ball.error, self.values.shape)[i, j])
        return show_bounded(Fraction(number), bound, self.digits)


def show_bounded(value: Fraction, bound: Fraction | float | None, digits: int) -> str:
    """Return a decimal whose digits are right except for one unit of the last.

    bound : a bound on the error of ``value``; if None, all ``digits`` are shown, marked as rounded.
    """
    if bound is None:
        text = show_bounded(value, 0, digits)
        return text if text == "0" else ROUNDED + text
    if not bound < inf:
        return UNKNOWN
    if not bound and not value:
        return "0"
    for supported in range(digits, 0, -1) if value else ():
        decimal = _divided(value, Context(prec=supported))
        exponent = decimal.adjusted()
        if 2 * Fraction(bound) <= Fraction(10) ** (exponent - supported + 1):
            if SMALLEST_FIXED <= exponent < supported:
                return f"{decimal:.{supported - 1 - exponent}f}"
            return f"{decimal:.{supported - 1}e}"
    return f"0 ± {_divided(abs(value) + Fraction(bound), Context(prec=1, rounding=ROUND_UP)):.0e}"


def decimal_exponent(value: Fraction) -> int:
    """Return the power of ten of the first digit of ``value``."""
    return _divided(value, Context(prec=1, rounding=ROUND_DOWN)).adjusted()


def _divided(value: Fraction, context: Context) -> Decimal:
    return context.divide(Decimal(value.numerator), Decimal(value.denominator))


def _norm(values: Array) -> float:
    return float((values * values).sum() ** 0.5)


def _exponent(largest: float | Fraction) -> int:
    """Return the power of two to factor out, 0 if none is needed."""
    numerator, denominator = largest.as_integer_ratio()
    exponent = numerator.bit_length() - denominator.bit_length() if numerator else 0
    return exponent if abs(exponent) > SAFE_EXPONENT else 0

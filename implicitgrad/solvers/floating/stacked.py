"""Certify the inverses of many small matrices at once, in LAPACK's stacked calls.

With X ≈ K⁻¹, G = I − K·X and ε ≥ ‖G‖ in the 1- and ∞-norm, ε < 1, K is invertible, and K⁻¹ = X + X·G + X·G²·(I − G)⁻¹.
So Z = X + X·Ĝ, with Ĝ the computed G and |G − Ĝ| ≤ δ, has an error of at most

    |X|·1·(δ + ε·max|G|/(1 − ε) + γ_n·max|Ĝ|) + u·|Z|

in each row, since |G²·(I − G)⁻¹| ≤ ‖G‖_∞·max|(I − G)⁻¹·G| (inverse.py says more of the method).

Ĝ has more than working precision. K = K₁ + K₂ and X = X₁ + X₂ are split without error, so that entries of K₁ and X₁
are multiples of 2^−β·2^e, of few enough bits that K₁·X₁ is computed without error in any order of summation (Ozaki,
Ogita, Oishi, Rump 2012, *Error-free transformations of matrix multiplication*, Numer. Algorithms 59). What remains,
K₁·X₂ + K₂·X, is smaller by 2^−β, and so are its rounding errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from implicitgrad.numbers.ball import Array
from implicitgrad.solvers.floating.back_substitution import times
from implicitgrad.solvers.floating.basis import EPS, SVD_ERROR
from implicitgrad.solvers.floating.equilibration import EVEN
from implicitgrad.solvers.floating.error_free import SMALLEST, U, enlarged, gamma
from implicitgrad.solvers.floating.inverse import MAX_PRECISE, BallArray

MAX_SIZE = MAX_PRECISE
"""Larger systems gain nothing from being solved together."""
CHUNK = 2**15
"""The entries of the matrices that are solved together, which stay in the processor's cache."""
CLEAR = 0.5
"""The fraction of its limit up to which a proof is accepted here; the solver of single systems decides closer ones."""
MAX_DEFECT = 0.1
SMALLEST_NORM = 1e-140
"""Norms down to this are computed without scaling."""
SMALL_AXIS = 16


class CertifiedStack(NamedTuple):
    """The answers to the systems of a stack, in one leading axis; not of use where ``is_certified`` is False."""

    is_certified: Array
    """(S,): whether A is proved to be invertible and everything has a bound."""
    dy_dx: Array
    """(S, N, P)"""
    dy_dx_error: Array
    """(S,): a bound on the errors of all entries."""
    dL_dx: Array | None
    """(S, K, P)"""
    dL_dx_error: Array
    """(S,)"""
    condition: Array
    """(S,): ‖A‖_F·‖A⁻¹‖_F"""


def solve_stacked(A: Array, B: Array | None, g: Array | None, rtol: float | None) -> CertifiedStack:
    """Solve the systems of A (S, n, n), B (S, n, P) and g (S, K, n), which are exact, as far as this proves them."""
    S, n, _ = A.shape
    P = n if B is None else B.shape[-1]
    dL_dx = None if g is None else np.empty((S, g.shape[1], P))
    found = CertifiedStack(
        np.zeros(S, dtype=bool), np.empty((S, n, P)), np.empty(S), dL_dx, np.zeros(S), np.empty(S)
    )  # fmt: skip
    relative = n * EPS if rtol is None else rtol
    step = max(1, CHUNK // n**2)
    with np.errstate(all="ignore"):  # what overflows is not certified
        for start in range(0, S, step):
            part = slice(start, start + step)
            _solve_part(_part(found, part), _part((A, B, g), part), relative)
    return found


def _part(arrays: Sequence[Array | None], part: slice) -> list[Any]:
    """Return that part of the leading axis of each array."""
    return [None if array is None else array[part] for array in arrays]


def _solve_part(answers: Sequence[Any], system: Sequence[Any], relative: float) -> None:
    found, (A, B, g) = CertifiedStack(*answers), system
    scaled = ScaledStack(A)
    value, error, is_certain = _certified_inverses(scaled.K, relative)
    found.condition[:] = _frobenius(scaled.K) * _frobenius(value)  # which one factor for a whole matrix leaves as it is
    inverse, is_exact = scaled.unscaled(BallArray(value, error))
    is_certain &= is_exact
    if len(at := scaled.uneven):
        sizes = _frobenius(A[at]), _frobenius(inverse.value[at])
        is_certain[at] &= (np.minimum(*sizes) > SMALLEST_NORM) & (np.maximum(*sizes) < 1 / SMALLEST_NORM)
        found.condition[at] = sizes[0] * sizes[1]
    for part in inverse:
        part[~is_certain] = 0.0  # no infinity may reach the bounds of others
    if B is not None:
        inverse = times(inverse, BallArray(B, np.zeros(1)))
    found.dy_dx[:], found.dy_dx_error[:] = inverse.value, _largest_entries(inverse.error)
    is_certain &= np.isfinite(found.dy_dx_error) & np.isfinite(found.condition)
    if g is not None and found.dL_dx is not None:
        inverse = BallArray(*(np.where(is_certain[:, None, None], part, 0.0) for part in inverse))
        gradient = times(BallArray(g, np.zeros(1)), inverse)
        found.dL_dx[:], found.dL_dx_error[:] = gradient.value, _largest_entries(gradient.error)
        is_certain &= np.isfinite(found.dL_dx_error)
    found.is_certified[:] = is_certain


class ScaledStack:
    """A stack (S, n, n) with its rows and columns scaled by powers of two, as equilibration.py does for one matrix."""

    def __init__(self, A: Array) -> None:
        sizes = np.abs(A)
        rows, columns = (np.frexp(_largest(sizes, axis))[1] for axis in (-1, -2))
        (row_top, row_bottom), (column_top, column_bottom) = (
            (_largest(exponents, 1), -_largest(-exponents, 1)) for exponents in (rows, columns)
        )
        is_even = (row_top - row_bottom <= EVEN) & (column_top - column_bottom <= EVEN)
        is_close = (np.maximum(row_top, column_top) <= EVEN) & (np.minimum(row_bottom, column_bottom) >= -EVEN)
        self.which = np.flatnonzero(~(is_even & is_close))
        """The systems that are scaled."""
        self.uneven = np.flatnonzero(~is_even)
        """Those in which rows and columns are scaled differently."""
        self.K = A
        if not len(self.which):
            return
        rows, is_even = -rows[self.which], is_even[self.which]
        rows[is_even] = rows[is_even].min(axis=1, keepdims=True)
        part = A[self.which]
        columns = np.where(is_even[:, None], 0, -np.frexp(_largest(np.abs(np.ldexp(part, rows[:, :, None])), -2))[1])
        exponents = rows[:, :, None] + columns[:, None, :]
        shifted = np.ldexp(part, exponents)
        self.is_exact = (np.ldexp(shifted, -exponents) == part).all(axis=(1, 2))
        self.exponents = columns[:, :, None] + rows[:, None, :]
        """Those of the inverse."""
        self.K = A.copy()
        self.K[self.which] = shifted

    def unscaled(self, inverse: BallArray) -> tuple[BallArray, Array]:
        """Return the inverses of A from those of K, and whether each is one: no number is near the end of the range."""
        is_exact = np.ones(len(self.K), dtype=bool)
        if len(self.which):
            parts = [np.ldexp(part[self.which], self.exponents) for part in inverse]
            is_safe = [((np.abs(part) > 2.0**-1000) | (part == 0)) & np.isfinite(part) for part in parts]
            is_exact[self.which] = self.is_exact & (is_safe[0] & is_safe[1]).all(axis=(1, 2))
            for whole, part in zip(inverse, parts, strict=True):
                whole[self.which] = part
        return inverse, is_exact


def _certified_inverses(K: Array, relative: float) -> tuple[Array, Array, Array]:
    """Return Z ≈ K⁻¹, the bounds on its errors, and whether they are proved with all singular values beyond the cutoff.

    relative : that cutoff, relative to the largest one.
    """
    n = K.shape[-1]
    X = _inverses(K)
    sizes = np.abs(X)
    bits = (53 - (n - 1).bit_length()) // 2
    tops = [np.frexp(_largest_entries(part))[1] for part in (np.abs(K), sizes)]
    K_high, X_high = (_leading_bits(part, top, bits) for part, top in zip((K, X), tops, strict=True))
    T = K_high @ X_high
    np.subtract(np.eye(n), T, out=T)
    rest = K_high @ (X - X_high)
    rest += (K - K_high) @ X
    G = T - rest
    largest_G = _largest_entries(np.abs(G))
    rounding = 2 * n * gamma(n + 3) * np.ldexp(1.0, tops[0] + tops[1] - bits)
    delta = (rounding + U * (_largest_entries(np.abs(T)) + largest_G)) * (1 + 8 * U) + SMALLEST
    largest = (largest_G + delta) * (1 + 4 * U)
    defect = n * largest
    Z = X @ G
    Z += X
    within = (delta + defect * largest / (1 - defect) + gamma(n) * largest_G) * (1 + 16 * U)
    rows = enlarged(sizes @ np.ones(n), n)
    error = (rows * within[:, None])[:, :, None] + U * np.abs(Z)
    error *= 1 + 8 * U
    inverse_norm = _norms(X) / (1 - defect) * (1 + 8 * U)
    cutoff = _norms(K) * (relative + SVD_ERROR * EPS * n)
    return Z, error, (defect < MAX_DEFECT) & (inverse_norm * cutoff < CLEAR)


def _inverses(K: Array) -> Array:
    """Return approximate inverses (S, n, n), NaN for matrices in which elimination finds no pivot."""
    try:
        inverses: Array = np.linalg.inv(K)
        return inverses
    except np.linalg.LinAlgError:
        found: Array = np.full_like(K, np.nan)
        sign, logarithm = np.linalg.slogdet(K)
        is_regular = (sign != 0) & np.isfinite(logarithm)
        with suppress(np.linalg.LinAlgError):  # the determinant's elimination found pivots
            found[is_regular] = np.linalg.inv(K[is_regular])
        return found


def _leading_bits(a: Array, top: Array, bits: int) -> Array:
    """Return a rounded to multiples of 2^(top − bits), without error in the difference; |a| < 2^top."""
    shift = np.ldexp(1.0, top + (53 - bits))[:, None, None]
    found: Array = a + shift
    found -= shift
    return found


def _largest(sizes: Array, axis: int) -> Array:
    """Return the largest entries along an axis of length n, for small n in n operations on the others."""
    if sizes.shape[axis] > SMALL_AXIS:
        largest: Array = sizes.max(axis=axis)
    else:
        largest = reduce(np.maximum, np.moveaxis(sizes, axis, 0))
    return largest


def _largest_entries(sizes: Array) -> Array:
    """Return the largest entry of each matrix."""
    found: Array = sizes.reshape(len(sizes), -1).max(axis=1)
    return found


def _norms(a: Array) -> Array:
    """Return the Frobenius norms, rounded up."""
    rounded_up: Array = _frobenius(a) * (1 + (a.shape[-1] * a.shape[-2] + 8) * U)
    return rounded_up


def _frobenius(a: Array) -> Array:
    flat = a.reshape(len(a), -1)
    found: Array = np.sqrt(np.einsum("sk,sk->s", flat, flat) + SMALLEST)
    return found

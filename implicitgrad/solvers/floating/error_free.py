"""Error-free transformations: matrix products with bounded rounding errors, and residuals in twice the precision.

u = 2⁻⁵³ is the unit roundoff and γ_k = k·u/(1 − k·u). A sum of k products in any order has an error of at most
γ_k·Σ|aᵢ·bᵢ| (Higham 2002, *Accuracy and Stability of Numerical Algorithms*, §3.1). Bounds are doubles too: each is
enlarged by more than the rounding errors of its own computation.
"""

from __future__ import annotations

import numpy as np

from implicitgrad.numbers.ball import Array

U = 2.0**-53
SMALLEST = 2.0**-1000
"""An upper bound of all underflow errors of a product together."""
MAX_SPLIT = 2.0**900
BLOCK = 256
_SPLITTER = 2.0**27 + 1


def gamma(k: int) -> float:
    """Return γ_k, rounded up."""
    return k * U / (1 - k * U) * (1 + 4 * U)


def enlarged(bound: Array, k: int) -> Array:
    """Turn a computed sum of k non-negative numbers or products into an upper bound of the true sum."""
    return bound * (1 + (2 * k + 8) * U)


def underflow(a: Array, b: Array) -> float:
    """Return a bound on the underflow errors of products of the magnitudes a and b, and of these with a few u."""
    return 0.0 if _least(a) * _least(b) > 2.0**-800 else SMALLEST


def _least(a: Array) -> float:
    """Return the smallest nonzero entry, at most 1."""
    least = float(a.min(initial=1.0))
    return least if least > 0 else float(np.min(a, where=a > 0, initial=1.0))


def bound_product(a: Array, b: Array) -> Array:
    """Return an upper bound of a @ b for non-negative matrices."""
    return enlarged(a @ b, a.shape[-1]) + underflow(a, b)


def residual(B: Array, A: Array, Z: Array) -> tuple[Array, Array]:
    """Return B − A·Z in doubles, and a bound on its error."""
    return blocked_residual(B, A, Z), bound_residual(B, A, Z, blocked_gamma(A.shape[1]))


def blocked_residual(B: Array, A: Array, Z: Array) -> Array:
    """Return B − A·Z, with products summed in blocks, which has smaller errors than one sum."""
    total = B
    for start in range(0, A.shape[1], BLOCK):
        part = A[:, start : start + BLOCK] @ Z[start : start + BLOCK]
        total = np.subtract(total, part, out=part)
    return total


def blocked_gamma(n: int) -> float:
    """Return the γ of a blocked residual of n products each."""
    return gamma(min(n, BLOCK) + -(-n // BLOCK) + 1)


def bound_residual(B: Array, A: Array, Z: Array, factor: float) -> Array:
    """Return factor·(|B| + |A|·|Z|), rounded up."""
    return factor * (bound_product(np.abs(A), np.abs(Z)) + np.abs(B)) * (1 + 8 * U)


def precise_residual(B: Array, A: Array, Z: Array) -> tuple[Array, Array]:
    """Return B − A·Z as if computed in twice the precision and then rounded, and a bound on its error.

    This is Dot2 (Ogita, Rump, Oishi 2005, *Accurate sum and dot product*, SIAM J. Sci. Comput. 26, §5) for all entries
    at once: it sums the exact errors of all products and sums. Where they are all 0, so is the bound.
    """
    n = A.shape[1]
    A_high, A_low = _split(A)
    Z_high, Z_low = _split(Z)
    total = B.copy()
    errors = np.zeros_like(B)
    is_rounded = np.zeros(B.shape, dtype=bool)
    for j in range(n):
        a, z = A[:, j, None], Z[None, j]
        product = a * z
        high, low = A_high[:, j, None], A_low[:, j, None]
        error = high * Z_high[j]
        error -= product
        error += high * Z_low[j]
        error += low * Z_high[j]
        error += low * Z_low[j]
        errors -= error
        following = total - product
        gone = following - total
        sum_error = (total - (following - gone)) - (product + gone)
        errors += sum_error
        is_rounded |= (error != 0) | (sum_error != 0)
        total = following
    found = total + errors
    bound = U * np.abs(found) + bound_residual(B, A, Z, 2 * gamma(n + 2) ** 2)
    return found, np.where(is_rounded, bound * (1 + 4 * U), underflow(np.abs(A), np.abs(Z)))


def _split(a: Array) -> tuple[Array, Array]:
    """Split a = high + low, each of at most 26 bits (Veltkamp 1968)."""
    scaled = _SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high


def norms(a: Array, axis: int) -> Array:
    """Return the 2-norms of the columns (axis 0) or rows (axis 1), rounded up."""
    squares = np.einsum("ij,ij->j" if axis == 0 else "ij,ij->i", a, a)
    found: Array = np.sqrt(squares + SMALLEST) * (1 + (a.shape[axis] + 8) * U)
    return found


def norm(a: Array) -> float:
    """Return ‖a‖_F, rounded up."""
    root, terms = float(np.sqrt((norms(a, 0) ** 2).sum())), int(a.shape[1])
    return root * (1 + (terms + 8) * U)

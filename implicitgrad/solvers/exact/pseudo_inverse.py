"""Compute the minimum-norm solution and the condition number exactly from a few rows and columns of A itself.

With I the r rows and p the r columns of A in which the row reduction found its pivots, the other rows and columns
depend on these: K = A[I, p] is invertible, and A = A[:, p]·K⁻¹·A[I, :]. Products of A's own entries stay small, where
the reduced rows have grown to minors of order r.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd
from operator import mul

from implicitgrad.numbers.exact import IntegerRow, RationalMatrix, reduce_rows
from implicitgrad.numbers.null_space import inverse


def dot(a: Sequence[int], b: Sequence[int]) -> int:
    """Return Σ aᵢ·bᵢ."""
    return sum(map(mul, a, b))


def solution_of_least_norm(A: RationalMatrix, particular: RationalMatrix, null_space: RationalMatrix) -> RationalMatrix:
    """Return A⁺·A·J₀, computed from the row space or the null space, whichever promises less work.

    A : (r, N), independent rows that span the others. particular, null_space : J₀ (N, P′) and V (N, F), over one
    denominator.
    """
    J, rows, d = particular.numerators, A.numerators, particular.denominator
    if len(rows) >= 4 * len(null_space.numerators[0]):
        numerators, e = without_null_space(J, null_space.numerators)
        return RationalMatrix(numerators, d * e)
    columns = list(zip(*J, strict=True))
    right = [[dot(row, column) for column in columns] for row in rows]
    common = gcd(d, *[entry for row in right for entry in row])  # all of d, unless x is constrained
    numerators, e = solve_from_rows(rows, [[entry // common for entry in row] for row in right])
    return RationalMatrix(numerators, d // common * e)


def solve_from_rows(rows: list[IntegerRow], right: list[IntegerRow]) -> tuple[list[IntegerRow], int]:
    """Return the solution of least norm of rows·J = right, rowsᵀ·(rows·rowsᵀ)⁻¹·right, as numerators and denominator.

    rows : (r, N), linearly independent.
    """
    r = len(rows)
    normal = [[dot(a, b) for b in rows] + beside for a, beside in zip(rows, right, strict=True)]
    W, d = _solved(normal, r)
    columns = list(zip(*W, strict=True))
    return [[dot(column, w) for w in columns] for column in zip(*rows, strict=True)], d


def without_null_space(particular: list[IntegerRow], null_space: list[IntegerRow]) -> tuple[list[IntegerRow], int]:
    """Return J₀ − V·(VᵀV)⁻¹·VᵀJ₀, the solution of least norm, as numerators and denominator.

    particular : (N, P′). null_space : (N, F), of full column rank; any multiple of it serves.
    """
    V = list(zip(*null_space, strict=True))
    J = list(zip(*particular, strict=True))
    normal = [[dot(v, w) for w in V] + [dot(v, column) for column in J] for v in V]
    W, d = _solved(normal, len(V))
    W_columns = list(zip(*W, strict=True))
    return [
        [d * number - dot(v, w) for number, w in zip(row, W_columns, strict=True)]
        for row, v in zip(particular, null_space, strict=True)
    ], d


def squared_condition(A: RationalMatrix, rows: list[int], columns: list[int]) -> Fraction:
    """Return (‖A‖_F·‖A⁺‖_F)² for A ≠ 0 and rows I and columns p as above.

    ‖A⁺‖_F² = tr((A_I·A_Iᵀ)⁻¹·K·(A_pᵀ·A_p)⁻¹·Kᵀ), where one half is the identity if A has full rank.
    """
    numerators = A.numerators
    M, N, r = len(numerators), len(numerators[0]), len(rows)
    square = sum([dot(row, row) for row in numerators])
    if r == M:
        W, d = _inverse_gram(numerators)
        return Fraction(square * sum([W[i][i] for i in range(r)]), d)
    transposed = [[row[j] for row in numerators] for j in columns]
    W, d = _inverse_gram(transposed)
    if r == N:
        return Fraction(square * sum([W[j][j] for j in range(r)]), d)
    K = [[numerators[i][j] for j in columns] for i in rows]
    K_inverse = [[dot(k, column) for column in W] for k in K]
    right = [[dot(a, k) for k in K] for a in K_inverse]
    left, e = _inverse_gram([numerators[i] for i in rows])
    return Fraction(square * sum(dot(a, b) for a, b in zip(left, right, strict=True)), d * e)


def _inverse_gram(vectors: Sequence[Sequence[int]]) -> tuple[list[IntegerRow], int]:
    """Return the inverse of the Gram matrix of independent vectors, as numerators and denominator."""
    found = inverse([[dot(v, w) for w in vectors] for v in vectors])
    assert found is not None
    return found


def _solved(equations: list[IntegerRow], n: int) -> tuple[list[IntegerRow], int]:
    """Solve S·X = R, given [S | R] with S (n×n) invertible, and return numerators and denominator."""
    reduced = reduce_rows(equations, range(n))
    return [row for _, row in sorted(zip(reduced.pivots, reduced.rows, strict=True))], reduced.d

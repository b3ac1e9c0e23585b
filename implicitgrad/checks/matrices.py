"""Products, transposes and linear combinations of rational matrices."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt

from implicitgrad.model.solution import PartialMatrix
from implicitgrad.model.system import Matrix
from implicitgrad.numbers.exact import RationalMatrix, Row, reduce_rows
from implicitgrad.numbers.null_space import integers
from implicitgrad.numbers.null_space import inverse as inverse_of_integers


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    """Return Σ aᵢ·bᵢ."""
    return sum((p * q for p, q in zip(a, b, strict=True) if p and q), Fraction(0))


def product(X: Matrix, Y: Matrix) -> Matrix:
    """Return X·Y."""
    columns = list(zip(*Y, strict=True))
    return tuple([tuple([dot(row, column) for column in columns]) for row in X])


def transpose(X: Matrix) -> Matrix:
    """Return Xᵀ."""
    return tuple(zip(*X, strict=True))


def absolute(X: Matrix) -> Matrix:
    """Return |X|, entry by entry."""
    return tuple([tuple(map(abs, row)) for row in X])


def times(X: Matrix, vector: Sequence[Fraction]) -> Row:
    """Return X·vector."""
    return tuple([dot(row, vector) for row in X])


def inverse(X: Matrix) -> Matrix:
    """Return X⁻¹ of an invertible X."""
    matrix = RationalMatrix.of(X)
    found = inverse_of_integers(matrix.numerators)
    assert found is not None
    numerators, d = found
    return RationalMatrix([[matrix.denominator * number for number in row] for row in numerators], d)


def row_reduced(rows: Sequence[Sequence[Fraction]]) -> list[Row]:
    """Return the rows of [C | c] in reduced echelon form, without those with C = 0."""
    if not rows:
        return []
    width = len(rows[0])
    reduced = reduce_rows([integers(row)[0] for row in rows], range(width - 1))
    found = []
    for pivot, row in sorted(zip(reduced.pivots, reduced.rows, strict=False)):
        entries = {pivot: reduced.d} | dict(zip(reduced.columns, row, strict=True))
        found.append(tuple([Fraction(entries.get(j, 0), reduced.d) for j in range(width)]))
    return found


def rank(rows: Sequence[Row]) -> int:
    """Return the rank."""
    if not rows:
        return 0
    return len(reduce_rows([integers(row)[0] for row in rows], range(len(rows[0]))).pivots)


def complete(X: PartialMatrix) -> Matrix | None:
    """Return the matrix if no entry of it is None."""
    rows = tuple([tuple([value for value in row if value is not None]) for row in X])
    return rows if all(len(a) == len(b) for a, b in zip(rows, X, strict=True)) else None


def combination(rows: Sequence[Row], target: Row) -> Row | None:
    """Return weights w with wᵀ·rows = target, or None if ``target`` is not in the span of the rows."""
    if not rows or not target:
        return None if any(target) else tuple([Fraction(0)] * len(rows))
    equations = [integers(line)[0] for line in zip(*rows, target, strict=True)]
    reduced = reduce_rows(equations, range(len(rows)))
    if any(row[-1] for row in reduced.rows[len(reduced.pivots) :]):
        return None
    weights = [Fraction(0)] * len(rows)
    for pivot, row in zip(reduced.pivots, reduced.rows, strict=False):
        weights[pivot] = Fraction(row[-1], reduced.d)
    return tuple(weights)


def root_above(square: Fraction) -> Fraction:
    """Return an upper bound on the square root, tight to about 2⁻⁶⁴ relative, with a short denominator."""
    if not square:
        return square
    bits = 128 + max(0, square.denominator.bit_length() - square.numerator.bit_length())
    bits += bits % 2
    return Fraction(isqrt((square.numerator << bits) // square.denominator) + 1, 2 ** (bits // 2))


def squared_norm(matrix: Matrix) -> Fraction:
    """Return ‖matrix‖_F²."""
    rational = RationalMatrix.of(matrix)
    return Fraction(rational.squared_numerators(), rational.denominator**2)

"""An independent truth: plain Gauss-Jordan elimination in fractions, sharing nothing with the package."""

from collections.abc import Sequence
from fractions import Fraction

Matrix = list[list[Fraction]]


def matrix(rows: Sequence[Sequence[object]]) -> Matrix:
    return [[Fraction(str(entry)) for entry in row] for row in rows]


def identity(n: int) -> Matrix:
    return [[Fraction(i == j) for j in range(n)] for i in range(n)]


def product(X: Sequence[Sequence[Fraction]], Y: Sequence[Sequence[Fraction]]) -> Matrix:
    width = len(Y[0]) if Y else 0
    return [[sum((a * row[k] for a, row in zip(x, Y, strict=True)), Fraction(0)) for k in range(width)] for x in X]


def transpose(X: Sequence[Sequence[Fraction]]) -> Matrix:
    return [list(column) for column in zip(*X, strict=True)]


def reduced(X: Matrix) -> tuple[Matrix, list[int]]:
    """The reduced row echelon form and its pivot columns, from the left."""
    X = [list(row) for row in X]
    pivots: list[int] = []
    for column in range(len(X[0]) if X else 0):
        top = len(pivots)
        row = next((i for i in range(top, len(X)) if X[i][column]), None)
        if row is None:
            continue
        X[top], X[row] = X[row], X[top]
        X[top] = [entry / X[top][column] for entry in X[top]]
        for i in range(len(X)):
            if i != top:
                X[i] = [a - X[i][column] * b for a, b in zip(X[i], X[top], strict=True)]
        pivots.append(column)
    return X, pivots


def rank(X: Matrix) -> int:
    return len(reduced(X)[1])


def inverse(X: Matrix) -> Matrix:
    n = len(X)
    rows, pivots = reduced([row + unit for row, unit in zip(X, identity(n), strict=True)])
    assert pivots == list(range(n))
    return [row[n:] for row in rows]


def null_space(X: Matrix) -> list[list[Fraction]]:
    """Vectors that span {v: X·v = 0}."""
    n = len(X[0])
    rows, pivots = reduced(X)
    vectors = []
    for free in (j for j in range(n) if j not in pivots):
        vector = [Fraction(j == free) for j in range(n)]
        for row, pivot in zip(rows, pivots, strict=False):
            vector[pivot] = -row[free]
        vectors.append(vector)
    return vectors

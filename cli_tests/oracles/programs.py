"""Quadratic programs by brute force in FLINT's rationals: every set of constraints is tried.

Shares no code with the package.

minimise ½·zᵀPz + qᵀz subject to C·z ≤ d and A·z = b, P symmetric. With R the rows of A and of some constraints J,
linearly independent, the equality-constrained minimum is K⁻¹·(−q, b, d_J) of K = [P Rᵀ; R 0]. The solutions' vertices
are the feasible ones among these with multipliers of J that are at least 0. Where null vectors N of [P; A; C] exist,
the solutions form a cylinder along them, and N·z = 0 is required to have vertices at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from flint import fmpq, fmpq_mat

Row = list[Fraction]
Rows = list[Row]


def rational(x: Fraction) -> fmpq:
    return fmpq(x.numerator, x.denominator)


def fraction(x: fmpq) -> Fraction:
    return Fraction(int(x.p), int(x.q))


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True) if x and y), Fraction(0))


def flint_matrix(rows: Sequence[Sequence[Fraction]], columns: int) -> fmpq_mat:
    return fmpq_mat(len(rows), columns, [rational(x) for row in rows for x in row])


def rank(rows: Sequence[Sequence[Fraction]]) -> int:
    return flint_matrix(rows, len(rows[0])).rref()[1] if rows else 0


def null_space(rows: Sequence[Sequence[Fraction]], columns: int) -> Rows:
    if not rows:
        return [[Fraction(i == j) for j in range(columns)] for i in range(columns)]
    echelon, found = flint_matrix(rows, columns).rref()
    table = echelon.tolist()
    pivots = [next(j for j in range(columns) if table[i][j] != 0) for i in range(found)]
    vectors = []
    for free in (j for j in range(columns) if j not in pivots):
        vector = [Fraction(j == free) for j in range(columns)]
        for i, pivot in enumerate(pivots):
            vector[pivot] = -fraction(table[i][free])
        vectors.append(vector)
    return vectors


@dataclass(frozen=True)
class Vertex:
    """A vertex of the solutions and one of the multipliers."""

    J: tuple[int, ...]
    z: Row
    multipliers: Row
    equality_multipliers: Row
    """Of all equalities, 0 for dependent ones."""


@dataclass
class Optimum:
    """The whole set of solutions."""

    vertices: list[Vertex]
    rays: Rows
    """Of the set of solutions, null vectors not included."""


class BruteForce:
    """The programs with given P, C and A, for any q, d and b."""

    def __init__(self, P: Rows, C: Rows, A: Rows) -> None:
        self.P, self.C, self.A, self.n = P, C, A, len(P)
        self.independent: list[int] = []
        for r in range(len(A)):
            if rank([A[k] for k in [*self.independent, r]]) == len(self.independent) + 1:
                self.independent.append(r)
        self.rows_of_A = [A[r] for r in self.independent]
        self.null_vectors = null_space([*P, *A, *C], self.n)
        self.fixed = [*self.rows_of_A, *self.null_vectors]
        self.pieces = dict(self._pieces())
        self.recession = list(self._recession())

    def _pieces(self) -> Iterator[tuple[tuple[int, ...], fmpq_mat]]:
        """K⁻¹ for every J with a regular K; the order of the rows is z, A, J, N."""
        n = self.n
        for size in range(n - len(self.fixed) + 1):
            for J in combinations(range(len(self.C)), size):
                rows = [*self.rows_of_A, *(self.C[i] for i in J), *self.null_vectors]
                zeros = [Fraction(0)] * len(rows)
                K = [[*self.P[j], *(row[j] for row in rows)] for j in range(n)] + [[*row, *zeros] for row in rows]
                try:
                    yield J, flint_matrix(K, n + len(rows)).inv()
                except ZeroDivisionError:
                    continue

    def _recession(self) -> Iterator[Row]:
        """The extreme rays of {t: P·t = 0, A·t = 0, C·t ≤ 0, N·t = 0}."""
        given = [*self.P, *self.A, *self.null_vectors]
        size = self.n - 1 - rank(given)
        for J in combinations(range(len(self.C)), max(size, 0)) if size >= 0 else ():
            directions = null_space([*given, *(self.C[i] for i in J)], self.n)
            if len(directions) == 1:
                for sign in (1, -1):
                    t = [sign * x for x in directions[0]]
                    if all(dot(row, t) <= 0 for row in self.C):
                        yield t

    def is_consistent(self, b: Row) -> bool:
        return not self.A or rank([[*row, entry] for row, entry in zip(self.A, b, strict=True)]) == len(
            self.independent
        )

    def vertices(self, q: Row, d: Row, b: Row) -> Iterator[Vertex]:
        n, p, m = self.n, len(self.independent), len(self.C)
        if not self.is_consistent(b) or any(dot(v, q) for v in self.null_vectors):
            return
        for J, inverse in self.pieces.items():
            right = [-x for x in q] + [b[r] for r in self.independent] + [d[i] for i in J]
            right += [Fraction(0)] * len(self.null_vectors)
            y = [fraction(x) for x in (inverse * flint_matrix([[x] for x in right], 1)).entries()]
            z, multipliers = y[:n], y[n + p : n + p + len(J)]
            if all(x >= 0 for x in multipliers) and all(
                dot(row, z) <= bound for row, bound in zip(self.C, d, strict=True)
            ):
                given, duals = dict(zip(J, multipliers, strict=True)), dict(zip(self.independent, y[n:], strict=False))
                yield Vertex(
                    J,
                    z,
                    [given.get(i, Fraction(0)) for i in range(m)],
                    [duals.get(r, Fraction(0)) for r in range(len(self.A))],
                )

    def is_feasible(self, d: Row, b: Row) -> bool:
        nothing = [Fraction(0)] * self.n
        free = BruteForce([nothing] * self.n, self.C, self.A)
        return next(free.vertices(nothing, d, b), None) is not None

    def solve(self, q: Row, d: Row, b: Row) -> Optimum | str:
        """Return all solutions, "infeasible" or "unbounded"."""
        vertices = list(self.vertices(q, d, b))
        if vertices:
            return Optimum(vertices, [t for t in self.recession if not dot(q, t)])
        return "unbounded" if self.is_feasible(d, b) else "infeasible"

    def face_dimension(self, optimum: Optimum) -> int:
        first = optimum.vertices[0].z
        steps = [[a - b for a, b in zip(vertex.z, first, strict=True)] for vertex in optimum.vertices[1:]]
        return rank([*steps, *optimum.rays, *self.null_vectors])

    def tight(self, optimum: Optimum, d: Row) -> list[int]:
        """The constraints that are tight at every solution."""
        return [
            i
            for i, row in enumerate(self.C)
            if all(dot(row, vertex.z) == d[i] for vertex in optimum.vertices)
            and not any(dot(row, t) for t in optimum.rays)
        ]

    def multiplier_rays(self, tight: Sequence[int]) -> list[tuple[Row, Row]]:
        """The extreme rays (μ, β) of C_tightᵀμ + Aᵀβ = 0, μ ≥ 0, with independent equalities."""
        found = []
        for size in range(1, self.n + 2):
            for J in combinations(tight, size):
                rows = [self.C[i] for i in J] + self.rows_of_A
                vectors = null_space([list(column) for column in zip(*rows, strict=True)], len(rows))
                if len(vectors) != 1:
                    continue
                for sign in (1, -1):
                    v = [sign * x for x in vectors[0]]
                    if all(x >= 0 for x in v[:size]) and any(v[:size]):
                        mu, beta = dict(zip(J, v, strict=False)), dict(zip(self.independent, v[size:], strict=True))
                        found.append(
                            (
                                [mu.get(i, Fraction(0)) for i in range(len(self.C))],
                                [beta.get(r, Fraction(0)) for r in range(len(self.A))],
                            )
                        )
        return found

    def jacobian(self, J: tuple[int, ...]) -> Rows:
        """∂(z, λ, ν)/∂(q, d, b) as long as the constraints J are equations; 0 of and by a dependent equality."""
        n, m, p = self.n, len(self.C), len(self.A)
        table = [[fraction(x) for x in row] for row in self.pieces[J].tolist()]
        start = n + len(self.independent)
        places = {**{j: j for j in range(n)}, **{n + i: start + k for k, i in enumerate(J)}}
        places |= {n + m + r: n + k for k, r in enumerate(self.independent)}
        return [
            [
                (-1 if k < n else 1) * table[places[i]][places[k]] if i in places and k in places else Fraction(0)
                for k in range(n + m + p)
            ]
            for i in range(n + m + p)
        ]


@dataclass
class Multipliers:
    """The polyhedron of the multipliers, by its vertices and rays."""

    ranges: dict[int, tuple[Fraction, Fraction | None]]
    """By constraint that is tight at every solution."""
    are_unique: list[bool]
    """For each equality."""

    def kind(self, i: int) -> str:
        least, most = self.ranges[i]
        return "weak" if most == 0 else "strong" if least == most else "exchangeable"


def multipliers(brute: BruteForce, optimum: Optimum, d: Row) -> Multipliers:
    tight = brute.tight(optimum, d)
    rays = brute.multiplier_rays(tight)
    ranges = {}
    for i in tight:
        values = [vertex.multipliers[i] for vertex in optimum.vertices]
        ranges[i] = (min(values), None if any(mu[i] for mu, _ in rays) else max(values))
    dependencies = null_space([list(column) for column in zip(*brute.A, strict=True)], len(brute.A)) if brute.A else []
    are_unique = [
        len({vertex.equality_multipliers[r] for vertex in optimum.vertices}) == 1
        and not any(beta[r] for _, beta in rays)
        and not any(vector[r] for vector in dependencies)
        for r in range(len(brute.A))
    ]
    return Multipliers(ranges, are_unique)

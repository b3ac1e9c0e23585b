"""Quadratic programs against exact answers found by hand and against brute force over all active sets."""

import json
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from random import Random
from typing import Any

import programs as brute_force
import pytest
from conftest import ROOT, trials
from programs import BruteForce, Row, Rows, dot

from implicitgrad.model.program import Loss, QuadraticProgram
from implicitgrad.model.program_solution import (
    FarkasCertificate,
    Missing,
    ProgramSolution,
    ProgramStatus,
    RayCertificate,
    Slope,
)
from implicitgrad.solvers.program.solver import solve_program

ZERO = Fraction(0)
STEP = Fraction(1, 10**12)
"""Small enough that z is affine from 0 to it in every small program of the tests."""


def program_of(
    P: Rows,
    q: Row,
    G: Rows = (),
    h: Row = (),
    A: Rows = (),
    b: Row = (),
    lower: Row | None = None,
    upper: Row | None = None,
    losses: list[Row] | None = None,
) -> QuadraticProgram:
    """Return the program with default names and losses of z alone, of any numbers."""

    def vector(entries: Row) -> tuple[Fraction, ...]:
        return tuple(None if entry is None else Fraction(entry) for entry in entries)  # type: ignore[misc]

    n, m, p = len(q), len(h), len(b)
    return QuadraticProgram(
        tuple(map(vector, P)),
        vector(q),
        tuple(map(vector, G)),
        vector(h),
        tuple(map(vector, A)),
        vector(b),
        vector(lower or [None] * n),
        vector(upper or [None] * n),
        tuple(f"z{j + 1}" for j in range(n)),
        tuple(f"h{i + 1}" for i in range(m)),
        tuple(f"b{r + 1}" for r in range(p)),
        tuple(Loss(vector(loss), (ZERO,) * m, (ZERO,) * p) for loss in losses or []),
        has_one_loss=False,
    )


class Canonical:
    """A program's symmetric P, its inequalities with the bounds in the contract's order, and their signs."""

    def __init__(self, program: QuadraticProgram) -> None:
        n = program.unknowns
        P = program.P
        self.P = [[(P[i][j] + P[j][i]) / 2 for j in range(n)] for i in range(n)]
        self.q, self.A, self.b = list(program.q), [list(row) for row in program.A], list(program.b)
        self.C, self.d = [list(row) for row in program.G], list(program.h)
        self.signs = [1] * len(program.h)
        for sign, bounds in ((-1, program.lower), (1, program.upper)):
            for j, bound in enumerate(bounds):
                if bound is not None:
                    self.C.append([Fraction(sign * (k == j)) for k in range(n)])
                    self.d.append(sign * bound)
                    self.signs.append(sign)
        self.brute = BruteForce(self.P, self.C, self.A)

    def changes(self) -> Iterator[tuple[Row, Row, Row] | None]:
        """Yield (dq, dd, db) for each parameter as it grows: q, the inequalities' own, b; None for a dependent b."""
        n, m, p = len(self.q), len(self.d), len(self.b)

        def unit(size: int, place: int, value: int = 1) -> Row:
            return [Fraction(value * (k == place)) for k in range(size)]

        for j in range(n):
            yield unit(n, j), [ZERO] * m, [ZERO] * p
        for i in range(m):
            yield [ZERO] * n, unit(m, i, self.signs[i]), [ZERO] * p
        independent = self.brute.independent
        for r in range(p):
            if r not in independent:
                yield None
                continue
            db = unit(p, r)
            for s in range(p):
                if s not in independent:
                    columns = [self.A[k] for k in independent] + [self.A[s]]
                    (v,) = brute_force.null_space([list(c) for c in zip(*columns, strict=True)], len(columns))
                    db[s] = -v[independent.index(r)] / v[-1]
            yield [ZERO] * n, [ZERO] * m, db

    def slope(self, z: Row, change: tuple[Row, Row, Row], sign: int) -> Row | str:
        """Return the derivative of z from one side by solving again: as a derivative, or why there is none."""
        q, d, b = (
            [x + sign * STEP * dx for x, dx in zip(part, dpart, strict=True)]
            for part, dpart in zip((self.q, self.d, self.b), change, strict=True)
        )
        found = self.brute.solve(q, d, b)
        if isinstance(found, str):
            return found
        if self.brute.face_dimension(found):
            return "not-unique"
        return [(x - x0) / (sign * STEP) for x, x0 in zip(found.vertices[0].z, z, strict=True)]


def verify(program: QuadraticProgram) -> ProgramSolution:
    """Compare all that the solver says of a program with brute force."""
    found = solve_program(program)
    truth = Canonical(program)
    optimum = truth.brute.solve(truth.q, truth.d, truth.b)
    if isinstance(optimum, str):
        assert str(found.status) == optimum
        verify_certificate(truth, found)
        return found
    assert found.z is not None, found.status
    z = list(found.z)
    dimension = truth.brute.face_dimension(optimum)
    verify_optimality(truth, found)
    verify_multipliers(truth, found, optimum)
    if dimension:
        assert found.status is ProgramStatus.NOT_UNIQUE
        assert brute_force.rank([list(v) for v in found.face]) == len(found.face) == dimension
        first = optimum.vertices[0].z
        steps = [[a - b for a, b in zip(vertex.z, first, strict=True)] for vertex in optimum.vertices]
        span = [*steps, *optimum.rays, *truth.brute.null_vectors, [a - b for a, b in zip(z, first, strict=True)]]
        assert brute_force.rank([*span, *[list(v) for v in found.face]]) == dimension
        assert list(found.unique_losses) == [not any(dot(loss.z, v) for v in found.face) for loss in program.losses]
        return found
    assert z == optimum.vertices[0].z
    active = [i for i, row in enumerate(truth.C) if dot(row, z) == truth.d[i]]
    has_dependent_equalities = len(truth.brute.independent) < len(truth.A)
    independent_rows = [truth.C[i] for i in active] + truth.brute.rows_of_A
    if found.status is ProgramStatus.DIFFERENTIABLE:
        assert brute_force.rank(independent_rows) == len(independent_rows)
        assert not found.weak
        assert not has_dependent_equalities
    elif found.status is ProgramStatus.CONSTRAINED:
        assert not found.weak
        assert not found.exchangeable
        assert has_dependent_equalities
    else:
        assert found.status is ProgramStatus.ONE_SIDED
        assert found.weak or found.exchangeable
    verify_slopes(truth, found)
    return found


def verify_certificate(truth: Canonical, found: ProgramSolution) -> None:
    """Check a certificate by its definition."""
    certificate = found.certificate
    n = len(truth.q)
    if isinstance(certificate, FarkasCertificate):
        mu, beta = certificate.multipliers, certificate.equality_multipliers
        assert min(mu, default=0) >= 0
        for j in range(n):
            assert dot(mu, [row[j] for row in truth.C]) + dot(beta, [row[j] for row in truth.A]) == 0
        assert certificate.value == dot(mu, truth.d) + dot(beta, truth.b) < 0
    else:
        assert isinstance(certificate, RayCertificate)
        ray, point = certificate
        assert all(dot(row, point) <= bound for row, bound in zip(truth.C, truth.d, strict=True))
        assert all(dot(row, point) == bound for row, bound in zip(truth.A, truth.b, strict=True))
        assert not any(dot(row, ray) for row in [*truth.P, *truth.A])
        assert all(dot(row, ray) <= 0 for row in truth.C)
        assert dot(truth.q, ray) < 0


def verify_optimality(truth: Canonical, found: ProgramSolution) -> None:
    """Check the KKT conditions of z and of the multipliers that are unique, and the objective."""
    z = found.z
    assert z is not None
    assert all(dot(row, z) <= bound for row, bound in zip(truth.C, truth.d, strict=True))
    assert all(dot(row, z) == bound for row, bound in zip(truth.A, truth.b, strict=True))
    assert found.objective == sum(dot(row, z) * x for row, x in zip(truth.P, z, strict=True)) / 2 + dot(truth.q, z)


def verify_multipliers(truth: Canonical, found: ProgramSolution, optimum: brute_force.Optimum) -> None:
    """Compare the classes, the ranges and the unique multipliers."""
    expected = brute_force.multipliers(truth.brute, optimum, truth.d)
    assert list(found.active) == sorted(expected.ranges)
    for kind in ("strong", "exchangeable", "weak"):
        assert list(getattr(found, kind)) == [i for i in sorted(expected.ranges) if expected.kind(i) == kind], kind
    assert dict(found.ranges) == expected.ranges
    vertex = optimum.vertices[0]
    assert list(found.multipliers) == [
        None if i in found.exchangeable else entry for i, entry in enumerate(vertex.multipliers)
    ]
    assert [entry is not None for entry in found.equality_multipliers] == expected.are_unique
    for entry, value in zip(found.equality_multipliers, vertex.equality_multipliers, strict=True):
        assert entry in (None, value)


def verify_slopes(truth: Canonical, found: ProgramSolution) -> None:
    """Compare the derivatives in every parameter with programs solved again."""
    assert found.z is not None
    assert found.derivatives is not None
    z, derivatives, losses = list(found.z), found.derivatives, found.program.losses
    for k, (parameter, change) in enumerate(zip(derivatives.parameters, truth.changes(), strict=True)):
        column = [row[k] for row in derivatives.z]
        of_losses = [row[k] for row in derivatives.losses]
        expected: list[Row | str] = ["infeasible"] * 2
        if change is not None:
            expected = [truth.slope(z, change, sign) for sign in (-1, 1)]
        left, right = expected
        if left == right and not isinstance(left, str):
            assert parameter.name not in derivatives.one_sided
            assert column == left, parameter
            assert of_losses == [dot(loss.z, left) for loss in losses]
            continue
        assert column == [None] * len(z), parameter
        sides = derivatives.one_sided[parameter.name]
        for side, truth_of_side in zip(sides, expected, strict=True):
            if isinstance(side, Missing):
                assert str(side) == truth_of_side, parameter
            else:
                assert isinstance(side, Slope)
                assert list(side.z) == truth_of_side, parameter
                assert list(side.losses) == [dot(loss.z, side.z) for loss in losses]
        for j, loss in enumerate(losses):
            agree = not isinstance(left, str) and not isinstance(right, str) and dot(loss.z, left) == dot(loss.z, right)
            assert of_losses[j] == (dot(loss.z, left) if agree else None)


TRUTH = json.loads((ROOT / "cli_tests/oracles/programs.json").read_text())["instances"]


def as_text(value: object) -> Any:
    """Return numbers as the texts of the file."""
    if value is None or isinstance(value, Fraction | str):
        return value if value is None else str(value)
    return [as_text(entry) for entry in value]  # type: ignore[attr-defined]


@pytest.mark.parametrize("instance", TRUTH, ids=[instance["name"] for instance in TRUTH])
def test_known_answers(instance: dict[str, Any]) -> None:
    program = program_of(
        *(instance[key] for key in ("P", "q", "G", "h", "A", "b", "lb", "ub")), losses=[instance["dL_dz"]]
    )
    found = verify(program)
    assert instance["status"] == ("optimal" if found.z is not None else str(found.status))
    if found.z is None:
        return
    assert as_text(found.objective) == instance["objective"]
    assert found.is_unique == instance["z_unique"]
    if not found.is_unique:
        assert as_text(found.face) == instance["face"]
        assert list(found.unique_losses) == [instance["L_unique"]]
        return
    assert as_text(found.z) == instance["z"]
    for key in ("active", "strong", "exchangeable", "weak"):
        assert list(getattr(found, key)) == instance[key]
    assert found.has_unique_multipliers == instance["multipliers_unique"]
    assert {str(i): as_text(ends) for i, ends in found.ranges.items()} == instance["lam_range"]
    if found.has_unique_multipliers:
        assert [as_text(found.multipliers), as_text(found.equality_multipliers)] == [instance["lam"], instance["nu"]]
    known = {"in q": found.is_differentiable_in_q, "in q, h and b": found.is_differentiable}
    assert known == instance["differentiable"]
    compare_derivatives(instance, found)


def compare_derivatives(instance: dict[str, Any], found: ProgramSolution) -> None:
    """Compare with derivatives by the right-hand sides of rows, which for a lower bound are negative ones."""
    assert found.derivatives is not None
    n, m, signs = len(instance["q"]), len(found.inequalities), [row.sign for row in found.inequalities]

    def by_rows(entries: Sequence[Fraction | None]) -> list[Fraction | None]:
        return [None if x is None else sign * x for sign, x in zip(signs, entries, strict=True)]

    z, (loss,) = found.derivatives.z, found.derivatives.losses
    assert as_text([row[:n] for row in z]) == instance["dz_dq"]
    assert as_text([by_rows(row[n : n + m]) for row in z]) == instance["dz_dh"]
    assert as_text([row[n + m :] for row in z]) == instance["dz_db"]
    gradients = [loss[:n], by_rows(loss[n : n + m]), loss[n + m :]]
    assert as_text(gradients) == [instance[key] for key in ("dL_dq", "dL_dh", "dL_db")]
    expected = {}
    for key, start in (("q", 0), ("h", n), ("b", n + m)):
        for entry in instance.get("one_sided", {}).get(key, []):
            name = found.derivatives.parameters[start + entry["of"]].name
            sides = [
                entry[side] if isinstance(entry[side], str) else [entry[side], entry[f"dL_{side}"]]
                for side in ("left", "right")
            ]
            is_turned = key == "h" and signs[entry["of"]] < 0
            expected[name] = [turned(side) for side in sides[::-1]] if is_turned else sides
    assert {
        name: [str(side) if isinstance(side, Missing) else as_text([side.z, side.losses[0]]) for side in sides]
        for name, sides in found.derivatives.one_sided.items()
    } == expected
    if found.matrix_gradients is None:
        assert instance["dL_dP"] is None
    else:
        (of_loss,) = found.matrix_gradients
        G = instance["dL_dG"][: len(instance["G"])]
        assert as_text(of_loss[:3]) == [instance["dL_dP"], G, instance["dL_dA"]]


def turned(side: str | list[Any]) -> str | list[Any]:
    """Return the derivative by a number as that by its negative."""
    if isinstance(side, str):
        return side
    return as_text([[-Fraction(x) for x in side[0]], -Fraction(side[1])])


def integers(random: Random, rows: int, columns: int, most: int = 2) -> Rows:
    return [[Fraction(random.randint(-most, most)) for _ in range(columns)] for _ in range(rows)]


def semidefinite(random: Random, n: int, inner: int) -> Rows:
    B = integers(random, inner, n)
    return [[sum((row[i] * row[j] for row in B), ZERO) for j in range(n)] for i in range(n)]


def plus_identity(P: Rows) -> Rows:
    return [[x + (i == j) for j, x in enumerate(row)] for i, row in enumerate(P)]


def vector(random: Random, n: int, most: int = 2) -> Row:
    return integers(random, 1, n, most)[0]


def around_a_point(random: Random, n: int, active: int, inactive: int, P: Rows, p: int = 0) -> QuadraticProgram:
    """Return a program whose solution is known to be z, with some constraints active, of which some are weak."""
    z = vector(random, n)
    G = integers(random, active + inactive, n)
    A = integers(random, p, n)
    h = [dot(row, z) + (random.randint(1, 3) if i >= active else 0) for i, row in enumerate(G)]
    multipliers = [random.choice([0, 0, 1, 2]) if i < active else 0 for i in range(len(G))]
    duals = vector(random, p)
    q = [
        -dot(P[j], z)
        - sum((g[j] * x for g, x in zip(G, multipliers, strict=True)), ZERO)
        - sum((a[j] * x for a, x in zip(A, duals, strict=True)), ZERO)
        for j in range(n)
    ]
    return program_of(P, q, G, h, A, [dot(row, z) for row in A], losses=[vector(random, n), vector(random, n)])


def regular(random: Random) -> QuadraticProgram:
    n = random.randint(1, 4)
    P = plus_identity(semidefinite(random, n, n))
    P[0][-1], P[-1][0] = P[0][-1] + (n > 1), P[-1][0] - (n > 1)  # not symmetric as written
    G, z = integers(random, random.randint(0, 5), n, 5), vector(random, n, 5)
    A = integers(random, random.randint(0, 1), n, 5)
    h = [dot(row, z) + random.randint(0, 5) for row in G]
    return program_of(P, vector(random, n, 9), G, h, A, [dot(a, z) for a in A], losses=[vector(random, n)])


def weak(random: Random) -> QuadraticProgram:
    n = random.randint(1, 4)
    return around_a_point(
        random, n, random.randint(1, n), random.randint(0, 2), plus_identity(semidefinite(random, n, n))
    )


def many_active(random: Random) -> QuadraticProgram:
    n = random.randint(1, 3)
    return around_a_point(random, n, n + random.randint(1, 3), 0, semidefinite(random, n, random.randint(0, n)))


def linear(random: Random) -> QuadraticProgram:
    n = random.randint(1, 3)
    G, z = integers(random, random.randint(n, 6), n), vector(random, n)
    return program_of(
        [[ZERO] * n] * n,
        vector(random, n),
        G,
        [dot(row, z) + random.choice([0, 0, 1, 3]) for row in G],
        losses=[vector(random, n)],
        lower=[random.choice([None, x, x - 1]) for x in z],
        upper=[random.choice([None, None, x, x + 1]) for x in z],
    )


def singular(random: Random) -> QuadraticProgram:
    n = random.randint(2, 4)
    P = semidefinite(random, n, random.randint(1, n - 1))
    return around_a_point(random, n, random.randint(0, n), random.randint(0, 2), P, random.randint(0, 1))


def redundant_equalities(random: Random) -> QuadraticProgram:
    n = random.randint(2, 4)
    P = semidefinite(random, n, random.randint(0, n))
    found = around_a_point(random, n, random.randint(0, 3), random.randint(0, 1), P, random.randint(1, 2))
    factors = integers(random, random.randint(1, 2), len(found.A))
    A = [*found.A, *([dot(f, column) for column in zip(*found.A, strict=True)] for f in factors)]
    order = random.sample(range(len(A)), len(A))
    b = [*found.b, *(dot(f, found.b) for f in factors)]
    losses = [list(loss.z) for loss in found.losses]
    return program_of(found.P, found.q, found.G, found.h, [A[r] for r in order], [b[r] for r in order], losses=losses)


def box(random: Random) -> QuadraticProgram:
    n = random.randint(1, 3)
    lower: list[Fraction | None] = [random.choice([None, Fraction(random.randint(-2, 0))]) for _ in range(n)]
    upper = [random.choice([None, Fraction(random.randint(0, 2)), x if x is not None else None]) for x in lower]
    return program_of(
        semidefinite(random, n, random.randint(0, n)), vector(random, n, 3), lower=lower, upper=upper,
        A=(A := integers(random, random.randint(0, 1), n, 1)), b=[ZERO] * len(A), losses=[vector(random, n)],
    )  # fmt: skip


def support_vectors(random: Random) -> QuadraticProgram:
    n = random.randint(2, 4)
    points, labels = integers(random, n, 2), [random.choice([-1, 1]) for _ in range(n)]
    P = [[Fraction(labels[i] * labels[j]) * dot(points[i], points[j]) for j in range(n)] for i in range(n)]
    return program_of(
        P, [Fraction(-1)] * n, A=[[Fraction(x) for x in labels]], b=[ZERO],
        lower=[ZERO] * n, upper=[Fraction(random.randint(1, 2))] * n, losses=[vector(random, n)],
    )  # fmt: skip


def infeasible(random: Random) -> QuadraticProgram:
    n = random.randint(1, 3)
    G, A = integers(random, random.randint(1, 3), n), integers(random, random.randint(0, 2), n)
    mu, beta = [Fraction(random.randint(0, 2)) for _ in G], vector(random, len(A))
    h, b = vector(random, len(G)), vector(random, len(A))
    last = [-dot(mu, [g[j] for g in G]) - dot(beta, [a[j] for a in A]) for j in range(n)]
    bound = -dot(mu, h) - dot(beta, b) - random.randint(1, 3)
    P = semidefinite(random, n, random.randint(0, n))
    return program_of(P, vector(random, n), [*G, last], [*h, bound], A, b)


def unbounded(random: Random) -> QuadraticProgram:
    n = random.randint(1, 4)
    t = vector(random, n)
    t[0] = Fraction(random.choice([-1, 1]))

    def orthogonal(row: Row) -> Row:
        return [row[0] * dot(t, t) - dot(row, t) * t[0], *(x * dot(t, t) - dot(row, t) * y for x, y in zip(row[1:], t[1:], strict=True))]  # fmt: skip  # noqa: E501

    B = [orthogonal(row) for row in integers(random, random.randint(0, 2), n, 1)]
    P = [[sum((row[i] * row[j] for row in B), ZERO) for j in range(n)] for i in range(n)]
    G = [row if dot(row, t) <= 0 else [-x for x in row] for row in integers(random, random.randint(0, 4), n)]
    A = [orthogonal(row) for row in integers(random, random.randint(0, 1), n, 1)]
    z = vector(random, n)
    q = vector(random, n)
    q[0] -= t[0] * (abs(dot(q, t)) + 1)
    h = [dot(row, z) + random.randint(0, 2) for row in G]
    return program_of(P, q, G, h, A, [dot(row, z) for row in A])


def degenerate(random: Random) -> QuadraticProgram:
    n, m, p = random.randint(1, 3), random.randint(0, 5), random.choice([0, 0, 0, 1, 2])
    P = semidefinite(random, n, random.randint(0, n))
    lower = [random.choice([None, None, None, ZERO, Fraction(-1)]) for _ in range(n)]
    upper = [random.choice([None, None, None, ZERO, Fraction(1)]) for _ in range(n)]
    return program_of(
        P, vector(random, n, 1), integers(random, m, n, 1), [Fraction(random.choice([0, 0, 1])) for _ in range(m)],
        integers(random, p, n, 1), [Fraction(random.choice([0, 0, 1])) for _ in range(p)],
        lower, upper, losses=[vector(random, n, 1)],
    )  # fmt: skip


KINDS: list[Callable[[Random], QuadraticProgram]] = [
    regular,
    weak,
    many_active,
    linear,
    singular,
    redundant_equalities,
    box,
    support_vectors,
    infeasible,
    unbounded,
    degenerate,
]


def test_random_programs_are_solved_as_brute_force_does() -> None:
    for seed in range(trials(100)):
        for kind in KINDS:
            verify(kind(Random(f"{kind.__name__} {seed}")))

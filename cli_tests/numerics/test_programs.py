"""Quadratic programs against exact answers found by hand and against brute force over all active sets."""

import json
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from random import Random
from typing import Any, NamedTuple

import programs as brute_force
import pytest
from conftest import ROOT, Run, spread, trials
from programs import BruteForce, Row, Rows, Vertex, dot

from implicitgrad.model.program.problem import CanonicalProgram, Loss, QuadraticProgram
from implicitgrad.model.program.solution import (
    FarkasCertificate,
    Missing,
    ProgramSolution,
    ProgramStatus,
    RayCertificate,
    Slope,
)
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import LinearSystem
from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.solvers.floating.solver import solve_float
from implicitgrad.solvers.program import doubles, guess, solver, work
from implicitgrad.solvers.program import optimum as row_generation
from implicitgrad.solvers.program.derivatives import directional_derivative
from implicitgrad.solvers.program.doubles import solve_in_doubles
from implicitgrad.solvers.program.pieces import MAX_PIECES, find_pieces
from implicitgrad.solvers.program.solver import solve_in_any_arithmetic, solve_program
from implicitgrad.text.errors import InputError

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


class Side(NamedTuple):
    """A one-sided derivative."""

    z: Row
    multipliers: Row
    """λ and ν, of one of the vertices if these are not unique."""
    losses: list[Fraction | None]


def all_of(vertex: Vertex) -> Row:
    return [*vertex.z, *vertex.multipliers, *vertex.equality_multipliers]


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

    def side(self, program: QuadraticProgram, start: Vertex, change: tuple[Row, Row, Row], sign: int) -> Side | str:
        """Return the derivative from one side by solving again: as a derivative, or why there is none."""
        q, d, b = (
            [x + sign * STEP * dx for x, dx in zip(part, dpart, strict=True)]
            for part, dpart in zip((self.q, self.d, self.b), change, strict=True)
        )
        found = self.brute.solve(q, d, b)
        if isinstance(found, str):
            return found
        if self.brute.face_dimension(found):
            return "not-unique"
        slopes = [
            [(x - y) / (sign * STEP) for x, y in zip(all_of(v), all_of(start), strict=True)] for v in found.vertices
        ]
        rays = []
        if program.has_multiplier_losses:
            rays = [[*mu, *beta] for mu, beta in self.brute.multiplier_rays(self.brute.tight(found, d))]
        losses: list[Fraction | None] = []
        for weights in map(self.weights, [program] * len(program.losses), program.losses):
            values = {dot(weights, slope) for slope in slopes}
            is_unique = len(values) == 1 and not any(dot(weights[len(q) :], ray) for ray in rays)
            losses.append(values.pop() if is_unique else None)
        return Side(slopes[0][: len(q)], slopes[0][len(q) :], losses)

    def weights(self, program: QuadraticProgram, loss: Loss) -> Row:
        """Return ∂L/∂(z, λ, ν), with the multipliers of the bounds."""
        bounds = [ZERO] * (len(self.d) - len(program.h))
        return [*loss.z, *loss.multipliers, *bounds, *loss.equality_multipliers]


def verify(program: QuadraticProgram) -> ProgramSolution:
    """Compare all that the solver says of a program with brute force."""
    truth = Canonical(program)
    optimum = truth.brute.solve(truth.q, truth.d, truth.b)
    if program.has_multiplier_losses and not isinstance(optimum, str) and not truth.brute.face_dimension(optimum):
        known = brute_force.multipliers(truth.brute, optimum, truth.d)
        if "exchangeable" in map(known.kind, known.ranges) or not all(known.are_unique):
            with pytest.raises(InputError, match="need unique multipliers"):
                solve_program(program)
            return verify(with_losses_of_z(program))
    found = solve_program(program)
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
    start = optimum.vertices[0]
    verify_slopes(truth, found, start)
    verify_pieces(truth, found, optimum)
    random = Random(str(program.q))
    verify_directions(truth, found, start, random)
    if found.status is ProgramStatus.DIFFERENTIABLE:
        verify_matrix_gradients(truth, found, start, random)
    else:
        assert found.matrix_gradients is None
    return found


def with_losses_of_z(program: QuadraticProgram) -> QuadraticProgram:
    nothing = {"multipliers": (ZERO,) * len(program.h), "equality_multipliers": (ZERO,) * len(program.b)}
    losses = tuple(loss._replace(**nothing) for loss in program.losses)
    return program._replace(losses=losses, has_multiplier_losses=False)


def with_losses_of_multipliers(random: Random, program: QuadraticProgram) -> QuadraticProgram:
    m, p = len(program.h), len(program.b)
    losses = tuple(Loss(loss.z, tuple(vector(random, m)), tuple(vector(random, p))) for loss in program.losses)
    return program._replace(losses=losses, has_multiplier_losses=True)


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


def verify_slopes(truth: Canonical, found: ProgramSolution, start: Vertex) -> None:
    """Compare the derivatives in every parameter with programs solved again."""
    assert found.derivatives is not None
    derivatives, K = found.derivatives, len(found.program.losses)
    rows = [truth.C[i] for i in found.active] + truth.brute.rows_of_A
    has_licq = brute_force.rank(rows) == len(rows)
    assert (derivatives.multipliers is not None) == (derivatives.equality_multipliers is not None) == has_licq
    is_unique = [True] * len(truth.C) + [entry is not None for entry in found.equality_multipliers]
    for k, (parameter, change) in enumerate(zip(derivatives.parameters, truth.changes(), strict=True)):
        left: Side | str = "infeasible"
        right: Side | str = "infeasible"
        if change is not None:
            left, right = (truth.side(found.program, start, change, sign) for sign in (-1, 1))
        z: list[Fraction | None] = [None] * len(truth.q)
        multipliers: list[Fraction | None] = [None] * len(is_unique)
        losses: list[Fraction | None] = [None] * K
        if isinstance(left, Side) and isinstance(right, Side):
            if left.z == right.z:
                z = list(left.z)
            if left.multipliers == right.multipliers:
                multipliers = [x if unique else None for x, unique in zip(left.multipliers, is_unique, strict=True)]
            losses = [x if x == y else None for x, y in zip(left.losses, right.losses, strict=True)]
        assert [row[k] for row in derivatives.z] == z, parameter
        assert [row[k] for row in derivatives.losses] == losses, parameter
        if has_licq:
            by_parameter = [*(derivatives.multipliers or ()), *(derivatives.equality_multipliers or ())]
            assert [row[k] for row in by_parameter] == multipliers, parameter
        assert (parameter.name in derivatives.one_sided) == (None in z)
        for side, expected in zip(derivatives.one_sided.get(parameter.name, ()), (left, right), strict=False):
            verify_side(side, expected)


def verify_side(side: Slope | Missing, expected: Side | str) -> None:
    if isinstance(side, Missing):
        assert str(side) == expected
    else:
        assert isinstance(expected, Side)
        assert [list(side.z), list(side.losses)] == [expected.z, expected.losses]


def verify_pieces(truth: Canonical, found: ProgramSolution, optimum: brute_force.Optimum) -> None:
    """Compare the Jacobians of the pieces, and whether the losses are differentiable in q, h and b jointly."""
    n, m, losses = len(truth.q), len(truth.d), found.program.losses
    weights = [truth.weights(found.program, loss) for loss in losses]
    signs = [*[1] * n, *truth.signs, *[1] * len(truth.b)]
    expected = {}
    for J in {vertex.J for vertex in optimum.vertices}:
        jacobian = [[sign * x for sign, x in zip(signs, row, strict=True)] for row in truth.brute.jacobian(J)]
        gradients = [[dot(w, column) for column in zip(*jacobian, strict=True)] for w in weights]
        expected[J] = [jacobian[:n], gradients]
    pieces = find_pieces(found)
    if len(expected) > MAX_PIECES:
        assert pieces is None
    else:
        assert pieces is not None
        assert [piece.active for piece in pieces] == sorted(expected)
        for piece in pieces:
            dependent = [k for k, entry in enumerate(piece.z[0]) if entry is None]
            assert dependent == [n + m + r for r in range(len(truth.b)) if r not in truth.brute.independent]
            assert [[[x or ZERO for x in row] for row in part] for part in piece[1:]] == expected[piece.active]
    has_border = bool(truth.brute.multiplier_rays(found.active)) or len(truth.brute.independent) < len(truth.A)
    assert len(found.are_losses_differentiable) == len(losses)
    for k, is_differentiable in enumerate(found.are_losses_differentiable):
        are_alike = len({tuple(gradients[k]) for _, gradients in expected.values()}) == 1
        if is_differentiable is None:
            assert len(expected) > MAX_PIECES
        else:
            assert is_differentiable == (are_alike and not has_border)


def verify_directions(truth: Canonical, found: ProgramSolution, start: Vertex, random: Random) -> None:
    """Compare derivatives in random directions with programs solved again."""
    assert found.derivatives is not None
    names = [parameter.name for parameter in found.derivatives.parameters]
    changes = list(truth.changes())
    for is_consistent in (False, True):
        rates = [Fraction(random.randint(-2, 2), random.randint(1, 3)) for _ in names]
        moving = [(rate, change) for rate, change in zip(rates, changes, strict=True) if change]
        total = tuple(
            [sum((rate * change[k][i] for rate, change in moving), ZERO) for i in range(size)]
            for k, size in enumerate((len(truth.q), len(truth.d), len(truth.b)))
        )
        if is_consistent and truth.b:
            rates[-len(truth.b) :] = total[2]
        slope = directional_derivative(found, dict(zip(names, rates, strict=True)))
        if rates[len(names) - len(truth.b) :] == total[2]:
            verify_side(slope, truth.side(found.program, start, total, 1))  # type: ignore[arg-type]
        else:
            assert slope is Missing.INFEASIBLE


TINY = Fraction(1, 10**40)


def verify_matrix_gradients(truth: Canonical, found: ProgramSolution, start: Vertex, random: Random) -> None:
    """Compare some entries of ∂L/∂P, ∂L/∂G and ∂L/∂A with differences of exact solutions."""
    program = found.program
    assert found.matrix_gradients is not None
    for key in ("P", "G", "A"):
        rows: tuple[tuple[Fraction, ...], ...] = getattr(program, key)
        if not rows:
            continue
        i, j = random.randrange(len(rows)), random.randrange(program.unknowns)
        changed = [list(row) for row in rows]
        changed[i][j] += TINY
        near = Canonical(program._replace(**{key: tuple(map(tuple, changed))}))
        steps = [
            [x - y for x, y in zip(all_of(vertex), all_of(start), strict=True)]
            for vertex in near.brute.vertices(near.q, near.d, near.b)
        ]
        step = min(steps, key=lambda step: sum(map(abs, step)))
        for loss, gradients in zip(program.losses, found.matrix_gradients, strict=True):
            difference = dot(truth.weights(program, loss), step) / TINY
            assert abs(getattr(gradients, key)[i][j] - difference) < Fraction(1, 10**20), (key, i, j)


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
    n = random.randint(2, 3)
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


def random_program(kind: Callable[[Random], QuadraticProgram], seed: int) -> QuadraticProgram:
    random = Random(f"{kind.__name__} {seed}")
    program = kind(random)
    return with_losses_of_multipliers(random, program) if program.losses and seed % 3 == 1 else program


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_random_programs_are_solved_as_brute_force_does(kind: Callable[[Random], QuadraticProgram]) -> None:
    for seed in spread(range(32), 8):
        verify(random_program(kind, seed))


def test_a_guess_in_doubles_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "MAX_WITHOUT_GUESS", -1)
    for seed in spread(range(1000, 1012), 6):
        for kind in KINDS:
            verify(random_program(kind, seed))


def test_inequalities_are_added_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_generation, "MAX_ROWS_AT_ONCE", 0)
    monkeypatch.setattr(row_generation, "MAX_ROWS_PER_UNKNOWN", 0)
    for number, seed in enumerate(spread(range(2000, 2012), 4)):
        monkeypatch.setattr(solver, "MAX_WITHOUT_GUESS", -1 if number % 2 else 24)
        for kind in KINDS:
            verify(random_program(kind, seed))


def test_many_inequalities_take_no_longer_than_the_active_ones() -> None:
    random = Random(7)
    G = integers(random, 3000, 2, 99)
    h = [abs(x) + abs(y) + 1 + Fraction(random.randint(0, 10**9), 10**9) for x, y in G]
    program = program_of([[2, 1], [1, 2]], [-300, -90], G, h, losses=[[1, 1]])
    found = solve_program(program)
    few = [*found.active, 5, 6]
    again = verify(program._replace(
        G=tuple(program.G[i] for i in few), h=tuple(program.h[i] for i in few),
        inequality_names=tuple(program.inequality_names[i] for i in few),
        losses=(Loss(program.losses[0].z, (ZERO,) * len(few), ()),),
    ))  # fmt: skip
    assert found.status is again.status is ProgramStatus.DIFFERENTIABLE
    assert found.z == again.z
    assert found.derivatives is not None
    assert found.derivatives.multipliers is None
    assert [code for code, _ in found.remarks] == ["multipliers-left-out"]


def unit_matrix(n: int, factor: int = 1) -> Rows:
    return [[Fraction(factor * (i == j)) for j in range(n)] for i in range(n)]


TOO_LARGE = {
    "many unknowns": lambda: program_of([[x + 1 for x in row] for row in unit_matrix(300, 9)], [1] * 300),
    "many digits": lambda: program_of([[3**4000, 3, 2], [3, 7**3000, 1], [2, 1, 10**2500]], [1, 2, 3], lower=[0, 0, 0]),
    "many weak constraints": lambda: program_of(unit_matrix(10), [0] * 10, integers(Random(1), 20, 10, 9), [0] * 20),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_takes_too_much_work_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "MAX_WORK", 30_000)
    with pytest.raises(InputError, match=r"a program that takes at most 30,000 updates of integers") as caught:
        solve_program(TOO_LARGE[name]())
    assert [problem.code for problem in caught.value.problems] == ["too-large"]


ZEROS = [[0, 0], [0, 0]]
EDGE_CASES = {
    "one unknown, no constraint": (program_of([[2]], [-3]), "differentiable"),
    "one unknown, no objective": (program_of([[0]], [0]), "not-unique"),
    "one unknown, unbounded": (program_of([[0]], [1]), "unbounded"),
    "no objective, one point": (program_of([[0]], [0], lower=[1], upper=[1]), "one-sided"),
    "zero row of G": (program_of([[1]], [1], [[0]], [1]), "differentiable"),
    "zero row of G, active": (program_of([[1]], [1], [[0]], [0]), "one-sided"),
    "zero row of G, infeasible": (program_of([[1]], [1], [[0], [1]], [-1, 5]), "infeasible"),
    "zero row of A": (program_of([[1]], [1], A=[[0]], b=[0]), "constrained"),
    "zero row of A, infeasible": (program_of([[1]], [1], A=[[0]], b=[1]), "infeasible"),
    "zero rows alone": (program_of(ZEROS, [0, 0], ZEROS, [0, 0], ZEROS, [0, 0]), "not-unique"),
    "equal bounds": (program_of([[1, 0], [0, 1]], [1, 1], lower=[0, None], upper=[0, None]), "one-sided"),
    "crossed bounds": (program_of([[1]], [1], lower=[2], upper=[1]), "infeasible"),
    "bounds twice": (program_of([[1]], [1], [[-1], [-1]], [0, 0], lower=[0]), "one-sided"),
    "bound beside an equality": (program_of([[1]], [1], A=[[1]], b=[0], lower=[0]), "one-sided"),
    "unknown in nothing": (program_of([[1, 0], [0, 0]], [1, 0], lower=[0, None]), "not-unique"),
    "unknown in the costs alone": (program_of([[1, 0], [0, 0]], [1, -1]), "unbounded"),
    "unknown in the bounds alone": (program_of([[1, 0], [0, 0]], [1, 0], lower=[0, 0], upper=[1, 1]), "not-unique"),
    "inconsistent equalities": (program_of([[1]], [1], A=[[1], [1]], b=[0, 1]), "infeasible"),
    "equality twice": (program_of([[1]], [1], A=[[1], [1]], b=[2, 2]), "constrained"),
    "infeasible and unbounded below": (program_of([[0]], [1], [[1], [-1]], [0, -1]), "infeasible"),
    "only equalities": (program_of(ZEROS, [1, 2], A=[[1, 0], [0, 1]], b=[3, 4]), "differentiable"),
    "P not symmetric": (program_of([[1, 2], [-2, 1]], [1, 0], lower=[0, 0]), "one-sided"),
    "the point of a cone": (program_of(ZEROS, [0, 1], [[1, -1], [-1, -1]], [0, 0]), "differentiable"),
    "an edge of a cone": (program_of(ZEROS, [1, 1], [[1, -1], [-1, -1]], [0, 0]), "not-unique"),
}


@pytest.mark.parametrize("name", EDGE_CASES)
def test_edge_cases(name: str) -> None:
    program, status = EDGE_CASES[name]
    losses = tuple(Loss((Fraction(1),) * n, (ZERO,) * m, (ZERO,) * p) for n, m, p in [shape(program)])
    assert str(verify(program._replace(losses=losses)).status) == status


def shape(program: QuadraticProgram) -> tuple[int, int, int]:
    return len(program.q), len(program.h), len(program.b)


def at_a_corner(n: int) -> QuadraticProgram:
    """Return the projection of 0 onto z ≥ 0: every bound is weakly active."""
    return program_of(unit_matrix(n), [0] * n, lower=[0] * n, losses=[[1] * n, [0] * n])


@pytest.mark.parametrize(("n", "pieces"), [(1, 2), (6, 64), (7, None), (30, None)])
def test_pieces_are_listed_up_to_their_limit(n: int, pieces: int | None) -> None:
    found = solve_program(at_a_corner(n))
    assert len(found.weak) == n
    listed = find_pieces(found)
    assert (None if listed is None else len(listed)) == pieces
    assert found.are_losses_differentiable == (False, True)


@pytest.mark.parametrize(("weight", "is_differentiable"), [(0, False), (1, True), (2, False)])
def test_a_loss_of_a_weak_multiplier_can_be_differentiable(weight: int, is_differentiable: bool) -> None:
    # z = min(-q, h) and λ = max(-q - h, 0) at 0: z + λ = -q
    program = program_of([[1]], [0], [[1]], [0], losses=[[1]])
    losses = (Loss((Fraction(1),), (Fraction(weight),), ()),)
    found = verify(program._replace(losses=losses, has_multiplier_losses=True))
    assert found.are_losses_differentiable == (is_differentiable,)


def test_directions_are_refused_by_name() -> None:
    found = solve_program(at_a_corner(2))
    with pytest.raises(InputError, match=r"got 'lb\[z\]'. Did you mean lb\[z2\]\?"):
        directional_derivative(found, {"lb[z]": Fraction(1)})
    with pytest.raises(InputError, match="the program is unbounded"):
        directional_derivative(solve_program(program_of([[0]], [1])), {"q[z1]": Fraction(1)})
    flat = solve_program(program_of([[0]], [0]))
    assert directional_derivative(flat, {"q[z1]": Fraction(1)}) is Missing.NOT_UNIQUE


def random_regular(random: Random, n: int) -> QuadraticProgram:
    """Return a program with a definite P, 2n inequalities and sometimes an equality, in tenths."""

    def tenths(rows: int) -> Rows:
        return [[x / 10 for x in row] for row in integers(random, rows, n, 30)]

    B, G, A, (z, q, loss) = tenths(n), tenths(2 * n), tenths(random.randint(0, 1)), tenths(3)
    P = plus_identity([[sum((row[i] * row[j] for row in B), ZERO) for j in range(n)] for i in range(n)])
    h = [dot(row, z) + Fraction(random.randint(0, 30), 10) for row in G]
    return program_of(P, [5 * x for x in q], G, h, A, [dot(row, z) for row in A], losses=[loss])


def test_a_guess_of_quadprog_is_proved_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("quadprog")
    random, asked = Random(12), 0
    by_quadprog = guess._by_quadprog

    def counted(program: CanonicalProgram) -> list[int] | None:
        nonlocal asked
        found = by_quadprog(program)
        asked += found is not None
        return found

    monkeypatch.setattr(guess, "_by_quadprog", counted)
    monkeypatch.setattr(solver, "MAX_WITHOUT_GUESS", 0)
    programs = [random_regular(random, random.randint(2, 6)) for _ in range(trials(25))]
    one = Fraction(1)
    programs += [program_of([[one]], [-2 * one], [[one], [one]], [one, one])]
    own = [solve_program(program) for program in programs]
    assert asked == 0
    monkeypatch.setattr(guess, "MIN_FOR_QUADPROG", 0)
    assert [solve_program(program) for program in programs] == own
    assert asked > len(programs) // 2


def test_gradients_agree_with_differences_of_another_solver() -> None:
    quadprog = pytest.importorskip("quadprog")
    numpy = pytest.importorskip("numpy")
    random, compared, step = Random(11), 0, 1e-4
    for _ in range(trials(120)):
        program = random_regular(random, random.randint(2, 6))
        found = solve_program(program)
        assert found.z is not None
        margins = [
            max(row.bound - dot(row.coefficients, found.z), multiplier or ZERO)
            for row, multiplier in zip(found.inequalities, found.multipliers, strict=True)
        ]
        if min(margins) < Fraction(1, 20):
            continue
        compared += 1
        assert found.derivatives is not None
        assert found.matrix_gradients is not None
        n, m = program.unknowns, len(program.h)
        (loss,), (gradients,) = found.derivatives.losses, found.matrix_gradients
        expected = {"q": loss[:n], "h": loss[n : n + m], "b": loss[n + m :]} | gradients._asdict()
        arrays = {key: numpy.array(getattr(program, key), dtype=float) for key in expected}
        weights = numpy.array(program.losses[0].z, dtype=float)

        def value(arrays: dict[str, Any], weights: Any = weights, n: int = n) -> float:
            P, q, G, h, A, b = (arrays[key] for key in ("P", "q", "G", "h", "A", "b"))
            C = numpy.vstack([A.reshape(-1, n), -G])
            z = quadprog.solve_qp((P + P.T) / 2, -q, C.T, numpy.concatenate([b, -h]), len(b))[0]
            return float(weights @ z)

        for key, exact in expected.items():
            for place in numpy.ndindex(arrays[key].shape):
                ends = []
                for sign in (1, -1):
                    moved = arrays | {key: arrays[key].copy()}
                    moved[key][place] += sign * step
                    ends.append(value(moved))
                entry = float(exact[place[0]][place[1]] if len(place) == 2 else exact[place[0]])
                assert abs((ends[0] - ends[1]) / (2 * step) - entry) <= 1e-6 * max(1, abs(entry)), (key, place)
    assert compared >= trials(100)


def numbers_of(found: ProgramSolution) -> list[Fraction]:
    """Return all numbers of a differentiable program."""
    assert found.derivatives is not None
    derivatives = found.derivatives
    assert derivatives.multipliers is not None
    assert derivatives.equality_multipliers is not None
    matrices = [derivatives.z, derivatives.losses, derivatives.multipliers, derivatives.equality_multipliers]
    matrices += [part for gradients in found.matrix_gradients or () for part in gradients]
    vectors = [(found.objective,), found.z or (), found.multipliers, found.equality_multipliers]
    return [entry for part in [vectors, *matrices] for row in part for entry in row]  # type: ignore[misc]


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_doubles_decide_what_their_bounds_reach(kind: Callable[[Random], QuadraticProgram]) -> None:
    for seed in spread(range(3000, 3030), 6):
        program = with_losses_of_z(random_program(kind, seed))
        found = in_doubles(program)
        if found is not None:
            verify_bounds(found)


def test_doubles_decide_regular_programs() -> None:
    random, decided = Random(3), 0
    for _ in range(40):
        program = random_regular(random, 4)
        bounds = {"lower": (None, *map(Fraction, (-1, 0, 1))), "upper": (Fraction(0), *[Fraction(2)] * 3)}
        found = in_doubles(program._replace(**bounds) if not program.A else program)
        if found is not None:
            decided += 1
            verify_bounds(found)
    assert decided >= 30


def verify_bounds(found: ProgramSolution) -> None:
    """Compare an answer in doubles with the exact one."""
    exact = solve_program(found.program)
    assert found.status is exact.status is ProgramStatus.DIFFERENTIABLE
    assert found.active == exact.active
    assert found.error_bound is not None
    assert found.error_bound < 1e-8
    pairs = zip(numbers_of(found), numbers_of(exact), strict=True)
    assert max(abs(x - y) for x, y in pairs) <= found.error_bound


def in_doubles(program: QuadraticProgram) -> ProgramSolution | None:
    try:
        return solve_in_doubles(program, InputError([]))
    except InputError:
        return None


def test_doubles_name_what_they_do_not_decide() -> None:
    weak_bound = program_of([[1]], [0], lower=[0])
    for program, message in {
        weak_bound: r"whether lb\[z1\] is active, weak or inactive is not decided",
        program_of([[1, 1], [1, 1]], [1, 0], lower=[0, 0]): "whether P is positive semidefinite is not decided",
        program_of([[1]], [-2], [[1], [2]], [1, 2]): "not decided",
    }.items():
        with pytest.raises(InputError, match=message) as caught:
            solve_in_doubles(program, InputError([]))
        assert [problem.code for problem in caught.value.problems] == ["not-decided"]
    with pytest.raises(InputError, match="expected a convex objective, got vᵀPv = -"):
        solve_in_doubles(program_of([[1, 2], [2, 1]], [0, 0]), InputError([]))


def test_doubles_without_a_bound_on_the_inverse_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def solved_without_bounds(system: LinearSystem) -> Solution:
        found = solve_float(system)
        J = BallMatrix(found.general.particular.array, None)  # type: ignore[attr-defined]
        return found._replace(general=found.general._replace(particular=J))

    monkeypatch.setattr(doubles, "solve_float", solved_without_bounds)
    with pytest.raises(InputError, match="is not decided: within rounding errors each is possible"):
        solve_in_doubles(program_of([[2, 0], [0, 2]], [-4, 1], [[1, 0], [0, 1], [1, 1]], [1, 5, 7]), InputError([]))


def test_too_much_work_is_left_to_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    program = random_regular(Random(5), 16)
    assert solve_in_any_arithmetic(program).error_bound is None
    monkeypatch.setattr(work, "MAX_WORK", 30_000)
    assert solve_in_any_arithmetic(program).error_bound is not None


def test_a_rounded_hessian_is_not_called_indefinite() -> None:
    numpy = pytest.importorskip("numpy")
    data = numpy.random.default_rng(1).normal(size=(6, 2))
    P = data @ data.T  # of rank 2, up to rounding
    rounded = program_of(P.tolist(), [-1] * 6, lower=[0] * 6, upper=[1] * 6)
    with pytest.raises(InputError, match="whether it is positive semidefinite is not decided") as caught:
        solve_program(rounded)
    assert [problem.code for problem in caught.value.problems] == ["not-decided"]
    clearly = program_of((P - 1e-6 * numpy.eye(6)).tolist(), [-1] * 6, lower=[0] * 6, upper=[1] * 6)
    with pytest.raises(InputError, match="expected a convex objective, got vᵀPv = -"):
        solve_program(clearly)
    thirds = [[Fraction(1, 3), Fraction(1, 3)], [Fraction(1, 3), Fraction(1, 3) - Fraction(1, 10**30)]]
    with pytest.raises(InputError, match="expected a convex objective, got vᵀPv = -"):
        solve_program(program_of(thirds, [0, 0]))


def test_answers_in_doubles_say_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "MAX_WORK", 60)
    layer = {"P": [[4, 1], [1, 2]], "q": [-3, -6], "lb": [0, 0], "ub": [3, 2], "dL_dz": [1, 0]}
    kink = layer | {"q": [-2, -4]}
    files = {"layer.json": json.dumps(layer), "kink.json": json.dumps(kink)}
    page = run("solve", "layer.json", files=files)
    assert (page.returncode, page.stderr) == (0, "")
    verdict = "differentiable: z is unique, 1 inequality is active, float, error ≤ 1e-1"
    assert page.stdout.splitlines()[1][:-1] == verdict  # its last digit is the machine's
    record = json.loads(run("solve", "layer.json", "--format", "json", files=files).stdout)
    assert [record["arithmetic"], record["exact"], record["active"]] == ["float", None, ["ub[z2]"]]
    assert record["z"] == [0.25, 2]
    assert 0 < record["error_bound"] <= 1e-14
    refused = run("solve", "kink.json", files=files)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "implicitgrad: kink.json: whether lb[z1], ub[z2] are active, weak or inactive is not decided: within rounding "
        "errors each is possible. Exact arithmetic decides, and would take too much work; a smaller program or fewer "
        "digits take less\n"
    )

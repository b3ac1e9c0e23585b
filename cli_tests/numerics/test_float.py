"""Arithmetic in doubles: every number within its bound of the exact answer, the rank as the singular values say."""

import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case
from conftest import ROOT, examples, is_program, spread, trials
from hypothesis import given
from hypothesis import strategies as st
from rationals import assert_within, exactly, fractions

from implicitgrad import InputError, Solution, Status, UsageError, check, linear_system, read_systems, solve
from implicitgrad.checks.expected import check_specs
from implicitgrad.model.spec import SourceValue
from implicitgrad.numbers.ball import BallMatrix, from_fractions, from_texts
from implicitgrad.readers.sources import read_specs
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.solvers.floating.column_selection import LIMIT
from implicitgrad.solvers.floating.equilibration import equilibration, shifted
from implicitgrad.solvers.floating.error_free import precise_residual
from implicitgrad.writers.options import ShownAnswer
from implicitgrad.writers.sections.not_unique import minimum_norm_gradients

U = 2.0**-53
SAMPLES = sorted((ROOT / "sample_systems").iterdir())


def matrices(n: int, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    gaussian = rng.standard_normal((n, n))
    yield "gaussian", gaussian
    yield "integers", rng.integers(-9, 10, (n, n)) + 20.0 * np.eye(n)
    yield "graded", gaussian * 10.0 ** np.linspace(-12, 0, n)
    yield "graded rows", gaussian * 10.0 ** np.linspace(-9, 9, n)[:, None]
    yield "upper triangular", np.triu(gaussian) + 3 * np.eye(n)
    c = np.cos(1.2)
    yield "Kahan", np.diag(np.sin(1.2) ** np.arange(n)) @ (np.eye(n) - c * np.triu(np.ones((n, n)), 1))
    if n <= 8:
        yield "Hilbert", 1 / (np.arange(n)[:, None] + np.arange(n) + 1.0)
        yield "Vandermonde", np.vander(np.linspace(0.1, 1, n))
    left, right = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(2))
    for gap in (1e-1, 1e-4, 1e-8, 1e-11, 1e-13, 1e-15, 1e-16):
        yield f"gap {gap}", (left * np.r_[np.ones(n - 1), gap]) @ right


def assert_determined(A: Any, given: Any, g: np.ndarray, name: str) -> None:
    """The answer to ``given`` against that to the numbers A that it says: some columns of J, and ∂L/∂x."""
    n = len(A)
    solution = solve(given, g, arithmetic="float")
    if solution.status is not Status.DETERMINED:
        assert solution.warnings[0][0] == "rank-by-cutoff", name
        return
    some = sorted({0, n // 3, n // 2, n - 1}) if n > 8 else list(range(n))
    exact = exactly(A)
    columns = exact.solve(exactly(np.eye(n)[:, some]))
    J = solution.dy_dx
    assert_within(BallMatrix(J.array[:, some], np.broadcast_to(J.error, (n, n))[:, some]), fractions(columns), name)
    gradients = exact.transpose().solve(exactly(g.T)).transpose()
    assert_within(solution.dL_dx_rows, fractions(gradients), name)
    assert J.largest_error() <= 2 * U * solution.condition * np.abs(J.array).max(), name


@pytest.mark.parametrize("n", spread([1, 2, 3, 5, 8, 20, 35, 60, 100], 2))
def test_a_determined_system_is_within_bounds_that_are_tight(n: int) -> None:
    kinds = list(matrices(n, seed=n))[:: 1 + n // 35]
    for name, A in spread(kinds, 2 + n // 8):
        g = np.random.default_rng(n).standard_normal((2, n))
        assert_determined(A.tolist(), A, g, name)
        texts = [[f"{value:.5g}" for value in row] for row in A.tolist()]
        assert_determined([[Fraction(text) for text in row] for row in texts], texts, g, f"{name}, text")


@pytest.mark.parametrize("n", [150, 520])
def test_large_systems_have_bounds_in_proportion(n: int) -> None:
    A, g = np.random.default_rng(n).standard_normal((n, n)), np.random.default_rng(0).standard_normal(n)
    solution = solve(A, g)
    bound = solution.dy_dx.largest_error()
    assert 0 < bound <= n * U * solution.condition * np.abs(solution.dy_dx.array).max()
    some = spread(range(0, n, 4), 4)
    columns = solution.dy_dx.array[:, some]
    correction = solution.dy_dx.array @ precise_residual(np.eye(n)[:, some], A, columns)[0]
    assert (np.abs(correction) <= np.broadcast_to(solution.dy_dx.error, (n, n))[:, some]).all()
    alone = solve_alone(A, g)
    assert alone.dL_dx_rows.largest_error() < 1e-6 * np.abs(alone.dL_dx).max()
    difference = np.abs(alone.dL_dx - solution.dL_dx)
    assert (difference <= alone.dL_dx_rows.error + np.broadcast_to(solution.dL_dx_rows.error, (1, n))).all()


def solve_alone(A: Any, g: Any, **other: Any) -> Solution:
    return solve_system(linear_system(A, g, **other), gradient_alone=True)


def entry(kind: str) -> st.SearchStrategy[Any]:
    return {
        "integers": st.integers(-3, 3),
        "sparse": st.sampled_from([0, 0, 0, 1, -2]),
        "decimals": st.decimals(-2, 2, places=3).map(str),
        "fractions": st.fractions(-9, 9, max_denominator=9),
        "doubles": st.floats(-2, 2, allow_subnormal=False).map(lambda x: 0.0 if abs(x) < 1e-6 else x),
    }[kind]


@st.composite
def systems(draw: st.DrawFn) -> dict[str, Any]:
    M, N, P, K = (draw(st.integers(1, 6)) for _ in range(4))
    numbers = entry(draw(st.sampled_from(["integers", "sparse", "decimals", "fractions", "doubles"])))

    def matrix(rows: int, columns: int) -> list[list[Any]]:
        return [[draw(numbers) for _ in range(columns)] for _ in range(rows)]

    A = matrix(M, N)
    if draw(st.booleans()):
        A[-1] = A[0]
    g = matrix(K, N)
    if draw(st.booleans()):
        g[0] = A[0]
    return {"A": A, "dL_dy": g, "B": matrix(M, P) if draw(st.booleans()) else None}


FACTS = ("rank", "status", "independent", "free_parameters", "unique_losses")


def assert_agree(exact: Solution, found: Solution) -> None:
    """Field by field; what was decided by a cutoff is not certified, and says so."""
    for fact in FACTS:
        assert getattr(exact, fact) == getattr(found, fact), fact
    pairs = {"dy_dx": (found.dy_dx, exact.dy_dx), "dL_dx": (found.dL_dx_rows, exact.dL_dx_rows)}
    for name in ("particular", "null_space", "minimum_norm", "dL_dx_particular", "dL_dx_coefficients"):
        pairs[name] = getattr(found.general, name), getattr(exact.general, name)
    if exact.constraints is not None:
        assert found.constraints is not None
        assert found.constraints.dependent == exact.constraints.dependent
        pairs["constraints"] = found.constraints.matrix, exact.constraints.matrix
    for name, (matrix, right) in pairs.items():
        assert (matrix is None) == (right is None)
        if matrix is None:
            continue
        if matrix.error is None:
            assert found.warnings
            matrix = BallMatrix(matrix.array, 1e-9 * (1 + np.nanmax(np.abs(matrix.array), initial=0.0)))
        assert_within(matrix, right, name)
    assert (found.condition is None) == (exact.condition is None)
    if exact.condition is not None:
        assert found.condition == pytest.approx(exact.condition, rel=1e-6)


@examples(75)
@given(systems())
def test_small_systems_of_every_kind_agree_with_exact_arithmetic(values: dict[str, Any]) -> None:
    A, others = values["A"], {key: value for key, value in values.items() if key != "A"}
    exact, found = solve(A, **others, arithmetic="exact"), solve(A, **others, arithmetic="float")
    differs = exact.general.free != found.general.free  # there may be free unknowns without free parameters
    if differs or any(getattr(exact, fact) != getattr(found, fact) for fact in FACTS):
        largest = max((abs(v) for row in exact.general.null_space for v in row), default=0)
        moved = max((abs(v) for row in exact.constraints.matrix for v in row), default=0) if exact.constraints else 0
        assert found.warnings or max(largest, moved) > LIMIT / 1000  # another choice of what is free
        return
    assert_agree(exact, found)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_both_arithmetics_agree_on_the_table_of_cases(case: Case) -> None:
    exact = solve(case.A, case.dL_dy, B=case.B)
    if case.name == "tiny":
        with pytest.raises(InputError, match="within the range of doubles, got a number beyond"):
            solve(case.A, case.dL_dy, B=case.B, arithmetic="float")
        return
    found = solve(case.A, case.dL_dy, B=case.B, arithmetic="float")
    if case.name == "nearly singular":
        assert (found.rank, [code for code, _ in found.warnings]) == (1, ["rank-by-cutoff"])
        return
    assert_agree(exact, found)


@pytest.mark.parametrize("path", [path for path in SAMPLES if not is_program(path)], ids=lambda path: path.name)
def test_both_arithmetics_agree_on_every_sample(path: Any) -> None:
    for system in read_systems(path):
        if str(system.arithmetic) == "symbolic":
            with pytest.raises(UsageError, match="is for numbers, and there are letters"):
                solve(system, arithmetic="float")
        else:
            assert_agree(solve(system), solve(system, arithmetic="float"))


@pytest.mark.parametrize(("M", "N"), [(20, 20), (15, 25), (25, 15), (1, 30), (30, 1)])
def test_wide_and_tall_systems_are_within_their_bounds(M: int, N: int) -> None:
    rng = np.random.default_rng(M)
    A, g = rng.standard_normal((M, N)), rng.standard_normal((2, N))
    exact = solve(A, g, arithmetic="exact")
    found = solve(A, g)
    assert_agree(exact, found)
    assert found.error_bounds[0] < 1e-8
    text = [[f"{value:.3f}" for value in row] for row in A.tolist()]
    assert_agree(solve(text, g, arithmetic="exact"), solve(text, g, arithmetic="float"))


def test_the_bounds_of_decimals_hold_against_the_decimals() -> None:
    texts = [["0.1", "0.7", "1e-3"], ["1.3", "-0.2", "0.9"], ["3.3", "0.4", "-1.7"]]
    found = solve(texts, ["0.1", "0.2", "0.3"], arithmetic="float")
    exact = solve(texts, ["0.1", "0.2", "0.3"], arithmetic="exact")
    assert_agree(exact, found)
    doubles = from_texts(texts)
    assert doubles is not None
    assert_within(doubles, [[Fraction(text) for text in row] for row in texts])
    assert from_texts([["1", "2"], ["-3", "4"]]).error == 0
    for wrong in ("nan", "1_0", "010", "1e400", "0x1", "", " 1", "1/2", "1" * 1001):
        assert from_texts([["1", wrong]]) is None


def chains(n: int) -> list[list[str]]:
    """Balances (n, n + 2) in decimals, each of neighbours: two chains that share nothing, and one unknown in none."""
    A = [["0"] * (n + 2) for _ in range(n)]
    for i in range(n):
        A[i][i] = "0.600"
        if i != n // 2:
            A[i][i + 1] = "0.400"
    return A


@pytest.mark.parametrize("is_tall", [False, True])
@pytest.mark.parametrize("P", [None, 3, 40])
def test_where_a_large_sparse_system_has_zeros_nothing_is_in_doubt(P: int | None, is_tall: bool) -> None:
    A = [list(row) for row in zip(*chains(20), strict=True)] if is_tall else chains(20)
    M, N = len(A), len(A[0])
    g = [["0.2" if j == 5 else "0" for j in range(N)], ["0.1"] * N]
    B = None
    if P is not None:
        B = [[f"{(3 * i + 5 * k) % 7 / 10}" if (i + k) % 20 < 2 else "0" for k in range(P)] for i in range(M)]
    exact, found = (solve(A, g, B=B, arithmetic=arithmetic) for arithmetic in ("exact", "float"))
    assert (found.arithmetic, found.rank, found.warnings) == ("float", 20, ())
    assert_agree(exact, found)


@pytest.mark.parametrize(
    ("A", "is_ill"),
    [
        ([["1.00", "1.00"], ["1.00", "1.01"]], False),
        ([["1", "1"], ["1", "1.01"]], False),
        ([["0.3", "-0.3"], ["-0.3", "0.31"]], False),
        ([["0.1", "0.3"], ["0.3", "0.9"]], False),
        ([["1.1", "2.2", "3.3"], ["4.4", "5.5", "6.6"], ["7.7", "8.8", "9.9"]], False),
        ([["0.1", "0"], ["0", "1e-20"]], False),
        ([["0.1", "1e-20"], ["0.2", "3e-20"]], False),
        ([["0.1", "0.2"], ["1e-20", "3e-20"]], False),
        ([["1", "100"], ["1", "101"]], False),
        ([["0.1", "0.2", "0.3"]], False),
        ([["3.0", "0.0"], ["0.0", "9.0"]], False),
        ([["1/3", "1/3"], ["1/3", "0.33"]], False),
        (np.array([[1.0, 1.0], [1.0, 1.0 + 1e-13]]), False),
    ],
)
def test_both_arithmetics_call_the_same_systems_ill_conditioned(A: Any, is_ill: bool) -> None:
    for arithmetic in ("exact", "float"):
        codes = [code for code, _ in solve(A, arithmetic=arithmetic).warnings]
        assert ("ill-conditioned" in codes) == is_ill, arithmetic


def test_rounding_to_doubles_that_could_lower_a_rank_is_warned_of() -> None:
    nearly = [["1", "1"], ["1", "1.00000000000000015"]]
    assert "ill-conditioned" in dict(solve(nearly, arithmetic="float", rtol=1e-18).warnings)
    assert "ill-conditioned" not in dict(solve(nearly, arithmetic="float").warnings)  # rank 1, by the cutoff
    assert "ill-conditioned" in dict(solve([["1", "1"], ["1", "1.00000000000000001"]]).warnings)


def test_what_is_written_with_decimals_is_known() -> None:
    decimals = [["0.5", "-0.25"], ["1", "2.0"]], [["1", "2"], ["1/3", "2.0e0"]], [[0.1, 3.0, 2]], [["1e-3"]]
    assert all(linear_system(A).has_decimals for A in decimals)
    assert not any(linear_system(A).has_decimals for A in ([["1", "2"]], [["1/3", "-4"]], [[3.0, 2]], [["1."]]))


def test_rounding_to_doubles_is_bounded() -> None:
    rows = [[Fraction(1, 3), Fraction(2**60 + 1)], [Fraction(-5), Fraction(1, 10**300)]]
    matrix = from_fractions(rows)
    assert_within(matrix, rows)
    assert [value > 0 for value in matrix.error.ravel()] == [True, True, False, True]
    with pytest.raises(OverflowError):
        from_fractions([[Fraction(10**400)]])


def test_the_rank_is_what_the_singular_values_say() -> None:
    rng = np.random.default_rng(7)
    for trial in range(trials(1000)):
        M, N = rng.integers(1, 7, size=2)
        r = min(M, N)
        cutoff = max(M, N) * 2 * U
        left, right = (np.linalg.qr(rng.standard_normal((n, r)))[0] for n in (M, N))
        factors = [0.0, 1e-3, 0.25, 0.5, 0.9, 1.1, 2.0, 4.0, 10.0, 40.0, 1e3]
        last = cutoff * rng.choice(factors) if trial % 3 else rng.random()
        A = (left * np.r_[np.ones(r - 1), last][-r:]) @ right.T
        rtol = None if trial % 2 else 10.0 ** rng.integers(-14, -1)
        rows, columns = equilibration(A)
        sigma = np.linalg.svd(shifted(A, rows[:, None] + columns[None]), compute_uv=False)
        wanted = int((sigma > (cutoff if rtol is None else rtol) * sigma[0]).sum()) if A.any() else 0
        assert solve(A, rtol=rtol).rank == wanted, (A.tolist(), rtol)


def test_bad_scaling_is_no_bad_condition() -> None:
    huge = solve(1e308 * np.array([[1.0, -1.0], [1.0, 1.0]]))
    assert_within(huge.dy_dx, fractions(exactly(1e308 * np.array([[1.0, -1.0], [1.0, 1.0]])).inv()))
    assert huge.condition == pytest.approx(2)
    for A in (np.diag([1e-300, 1.0]), np.array([[1e150, 1.0], [1.0, 1e-149]]), np.diag([1.0, 1e-20])):
        found = solve(A)
        assert_within(found.dy_dx, fractions(exactly(A).inv()))
        assert [code for code, _ in found.warnings] == ["badly-scaled"]
    inputs = solve([[1], [1]], B=[["1e100", "0"], ["0", "1e-100"]], arithmetic="float")
    assert inputs.constraints.dependent == ("x2",)
    assert_within(inputs.constraints.matrix, [[Fraction(10) ** 200]])
    rows = np.array([[1e150, 2e150], [3e-150, 4e-150]])
    assert_within(solve(rows).dy_dx, fractions(exactly(rows).inv()))
    with pytest.raises(InputError, match="beyond ±1\\.8e308"):
        solve(np.diag([1e-320, 1.0]))


def test_what_is_nearly_singular_is_not_called_determined_without_a_word() -> None:
    for power in range(1, 18):
        A = np.array([[1.0, 1.0], [1.0, 1.0 + 10.0**-power]])
        found = solve(A)
        if found.status is Status.DETERMINED:
            assert_within(found.dy_dx, fractions(exactly(A).inv()))
        else:
            assert found.error_bounds[0] is None
            assert [code for code, _ in found.warnings] == ["rank-by-cutoff"]


def test_free_unknowns_are_the_first_unless_that_would_be_ill_conditioned() -> None:
    A = np.random.default_rng(3).standard_normal((4, 9))
    assert solve(A).general.free == ("y1", "y2", "y3", "y4", "y5")
    assert solve(A, free=["y9", "y2"]).general.free == ("y1", "y2", "y3", "y4", "y9")
    assert solve([[1.0, 1.0, 1e-9], [1.0, 2.0, 1e-9]], arithmetic="float").general.free == ("y1",)
    nearly = np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0 + 1e-7]])
    found = solve(nearly)
    assert found.general.free == ("y2", "y3")
    assert np.abs(found.general.null_space.array).max() <= LIMIT
    with pytest.raises(UsageError, match=r"y1 cannot be free; 1 unknown is free, possible are y2 or y3$"):
        solve(np.array([[1.0, 0, 0], [0, 1, 1]]), free=["y1"])


def test_rank_deficient_systems_are_answered_without_a_bound_and_with_a_warning() -> None:
    rng = np.random.default_rng(5)
    A = rng.standard_normal((8, 3)) @ rng.standard_normal((3, 6))
    found = solve(A, A[0])
    assert (found.rank, found.status, len(found.general.free)) == (3, Status.RANK_DEFICIENT, 3)
    assert found.error_bounds == (None, None)
    assert found.unique_losses == (True,)
    assert [code for code, _ in found.warnings] == ["rank-by-cutoff"]
    V, J = found.general.null_space.array, found.general.minimum_norm.array
    assert np.abs(A @ V).max() < 1e-12
    T = np.zeros((8, 3))
    T[[found.system.x.index(name) for name in found.independent], range(3)] = 1
    T[[found.system.x.index(name) for name in found.constraints.dependent]] = found.constraints.matrix.array
    assert np.abs(A @ J - T).max() < 1e-12
    assert np.abs(J - np.linalg.pinv(A) @ T).max() < 1e-12
    assert found.condition == pytest.approx(np.linalg.norm(A) * np.linalg.norm(np.linalg.pinv(A)))


def laplacian(weights: np.ndarray) -> np.ndarray:
    """Of a chain: its rows sum to 0."""
    n = len(weights) + 1
    D = np.eye(n - 1, n) - np.eye(n - 1, n, k=1)
    return D.T @ np.diag(weights) @ D


@pytest.mark.parametrize("powers", [[-12, 13, -10, 9], [0] * 30, [13, -13] * 14, [-9, 9, 9, -9, 0], [19, -19] * 5])
def test_what_a_cutoff_decides_is_right_where_there_is_a_gap(powers: list[int]) -> None:
    A = laplacian(2.0 ** np.array(powers))
    found, exact = solve(A), solve(A.tolist(), arithmetic="exact")
    assert found.warnings[0][0] == "rank-by-cutoff"
    assert (found.rank, found.status) == (exact.rank, exact.status)
    V, W = found.general.null_space.array, found.constraints.matrix.array
    assert np.allclose(V, 1, rtol=1e-4)
    assert np.allclose(W, -1, rtol=1e-4)
    J = found.general.minimum_norm.array
    assert np.abs(J.sum(axis=0)).max() <= 1e-4 * np.abs(J).max()
    if (found.free_parameters, found.independent) == (exact.free_parameters, exact.independent):
        wanted = np.array(exact.general.minimum_norm, dtype=float)
        assert np.abs(J - wanted).max() <= 1e-4 * np.abs(wanted).max()


@pytest.mark.parametrize(
    "A",
    [
        1 / (np.arange(12)[:, None] + np.arange(12) + 1.0),
        np.vander(np.linspace(0.1, 1, 20)),
        np.exp(-((np.linspace(0, 1, 15)[:, None] - np.linspace(0, 1, 15)) ** 2)),
    ],
    ids=["Hilbert", "Vandermonde", "Gaussian kernel"],
)
def test_without_a_gap_the_answer_is_still_that_of_a_matrix_nearby(A: np.ndarray) -> None:
    n = len(A)
    found = solve(A, np.ones(n))
    assert [code for code, _ in found.warnings] == ["rank-by-cutoff", "no-gap"]
    V, J = found.general.null_space.array, found.general.minimum_norm.array
    assert np.abs(A @ V).max() <= 1e-12 * np.abs(A).max() * np.abs(V).max()
    T = np.zeros((n, len(found.independent)))
    T[[found.system.x.index(name) for name in found.independent], range(T.shape[1])] = 1
    T[[found.system.x.index(name) for name in found.constraints.dependent]] = found.constraints.matrix.array
    assert np.abs(A @ J - T).max() <= 1e-13 * n * np.abs(A).max() * np.abs(J).max()
    assert not any(value is not None for row in found.dy_dx for value in row)


def test_check_and_solve_say_the_same_of_doubles(tmp_path: Any) -> None:
    rng = np.random.default_rng(12)
    for n in (5, 20, 60):
        A = rng.standard_normal((n, 3)) @ rng.standard_normal((3, n))
        found = solve(A, A[0])
        assert found.rank == 3
        claims = {"status": "rank-deficient", "rank": 3, "dL_dx": np.linalg.pinv(A).T @ A[0]}
        assert check(A, A[0], **claims, constraints=found.constraints).holds
        assert check(A, A[0], dy_dx=found.general.minimum_norm.array).holds
        assert not check(A, A[0], rank=n).holds
        assert not check(A, A[0], dL_dx=np.linalg.pinv(A).T @ A[0] + 0.01).holds
        np.savez(tmp_path / f"{n}.npz", A=A, dL_dy=A[0])
        (spec,) = read_specs(str(tmp_path / f"{n}.npz"))
        assert check_specs([spec], {"rank": SourceValue("3"), "status": SourceValue("rank-deficient")})[0].holds


def test_a_large_gradient_alone_goes_without_a_jacobian(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    n = 140
    A, B, g = rng.standard_normal((n, n)), rng.standard_normal((n, 3)), rng.standard_normal((2, n))
    whole = solve(A, g, B=B)
    by_cutoff = solve_system(linear_system(A, g), rtol=0.01, gradient_alone=True)
    assert (by_cutoff.status, by_cutoff.warnings[0][0]) == (Status.RANK_DEFICIENT, "rank-by-cutoff")
    monkeypatch.setattr(np.linalg, "inv", lambda a: pytest.fail("an inverse was formed"))
    found = solve_alone(A, g, B=B)
    assert (found.dy_dx, found.status, found.rank, found.condition) == ((), Status.DETERMINED, n, None)
    difference = np.abs(np.asarray(found.dL_dx) - np.asarray(whole.dL_dx))
    assert (difference <= found.dL_dx_rows.error + whole.dL_dx_rows.error).all()


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_what_is_no_choice_of_arithmetic_is_said() -> None:
    A = np.array([[1.0, 2.0], [3.0, 4.0]])
    for rtol in (float("nan"), 2, -1, "1e-3"):
        with pytest.raises(UsageError, match="rtol: expected a number from 0 to 1, got"):
            solve(A, rtol=rtol)
    with pytest.raises(UsageError, match="arithmetic: expected 'auto', 'exact', 'float', got 'doubles'"):
        solve(A, arithmetic="doubles")
    with pytest.raises(InputError, match=r"A\[1\]\[1\]: expected a number"):
        solve(np.ma.masked_array(A, mask=[[True, False], [False, False]]))
    assert solve(np.ma.masked_array(A)).status is Status.DETERMINED
    assert solve(np.asmatrix(A)).status is Status.DETERMINED


def test_a_solution_does_not_change_with_the_array_it_was_made_from() -> None:
    A = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = solve(A)
    A[0, 0] = 77
    assert found.system.A.array[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        found.dy_dx.array[0, 0] = 99
    np.asarray(found.dy_dx)[0, 0] = 99
    assert found.dy_dx.array[0, 0] == pytest.approx(-2)


def test_arrays_are_doubles_and_lists_are_exact() -> None:
    values = [[0.1, 0.2], [0.3, 0.4]]
    assert solve(values).arithmetic == "exact"
    assert solve(np.array(values)).arithmetic == "float"
    assert solve(np.array(values), arithmetic="exact").dy_dx == solve(values).dy_dx
    assert solve(np.array([[1, 2], [3, 4]])).arithmetic == "float"
    assert solve([[int(i == j) for j in range(80)] for i in range(80)]).arithmetic == "float"
    found = solve(np.array(values), np.array([1.0, 2.0]))
    assert isinstance(found.dL_dx, np.ndarray)
    assert np.allclose(np.asarray(found.dy_dx), np.linalg.inv(values))
    with pytest.raises(InputError, match=r"A\[2\]\[1\]: expected a finite number, got nan"):
        solve(np.array([[1.0, 2.0], [np.nan, 4.0]]))


def test_numpy_is_not_needed_for_a_system_of_text() -> None:
    assert "numpy" in sys.modules  # by this test; what a run of the program loads is held elsewhere
    assert solve([["1", "2"], ["3", "4"]]).arithmetic == "exact"


def test_the_gradient_of_the_minimum_norm_choice_is_within_its_bound() -> None:
    random = np.random.default_rng(7)
    for _ in range(trials(25)):
        M, N = sorted(random.integers(1, 6, 2))
        A, g = random.normal(size=(M, N + 1)), random.normal(size=(2, N + 1))
        found = solve(A, g)
        losses = minimum_norm_gradients(found, ShownAnswer.whole(found))
        exact = solve(A.tolist(), g.tolist(), arithmetic="exact")
        true = exact.system.dL_dy.times(exact.general.minimum_norm)
        for row, right in zip(losses, true, strict=True):
            for ball, number in zip(row, right, strict=True):
                assert abs(Fraction(ball) - number) <= ball.error < 1e-6


def test_a_solution_prints_what_fits() -> None:
    assert str(solve(np.eye(30))) == "determined: rank 30 of 30, float\ndy_dx = 30×30 float numbers"
    assert str(solve(np.eye(1), [2.0])) == "determined: rank 1 of 1, float\ndy_dx = [[1.0]]\ndL_dx = [2.]"

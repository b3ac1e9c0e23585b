"""Arithmetic in doubles: every number within its bound of the exact answer, the rank as the singular values say."""

import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest
from cases import CASES, Case
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from implicitgrad import InputError, Solution, Status, UsageError, linear_system, read_systems, solve
from implicitgrad.doubles import DoubleMatrix, from_fractions, from_texts
from implicitgrad.solvers.adjoint import Adjoint
from implicitgrad.solvers.inverse import EntrywiseInverse, NormwiseInverse, certified_inverse
from implicitgrad.solvers.products import bound_product, precise_residual, residual
from implicitgrad.solvers.scaling import equilibration, shifted
from implicitgrad.solvers.selection import LIMIT

U = 2.0**-53
SAMPLES = sorted((ROOT / "sample_systems").iterdir())


def exactly(a: Any) -> flint.fmpq_mat:
    """Doubles, or fractions, as the rational numbers they are."""
    rows = [[Fraction(value) for value in row] for row in a]
    return flint.fmpq_mat(
        len(rows), len(rows[0]), [flint.fmpq(v.numerator, v.denominator) for row in rows for v in row]
    )


def fractions(a: flint.fmpq_mat) -> list[list[Fraction]]:
    return [[Fraction(int(a[i, j].p), int(a[i, j].q)) for j in range(a.ncols())] for i in range(a.nrows())]


def assert_within(matrix: Any, exact: Any, what: str = "") -> None:
    """Every entry of a DoubleMatrix is within its bound of the exact one, and is there exactly where that is."""
    assert isinstance(matrix, DoubleMatrix)
    assert matrix.error is not None, what
    errors = np.broadcast_to(matrix.error, matrix.array.shape)
    for i, (row, wanted) in enumerate(zip(matrix, exact, strict=True)):
        for j, (value, right) in enumerate(zip(row, wanted, strict=True)):
            assert (value is None) == (right is None), (what, i, j)
            if value is not None:
                assert abs(value - right) <= Fraction(float(errors[i, j])), (what, i, j, float(value), float(right))


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
    for gap in (1e-1, 1e-4, 1e-8, 1e-11, 1e-13):
        yield f"gap {gap}", (left * np.r_[np.ones(n - 1), gap]) @ right


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 20, 35])
def test_a_determined_system_is_within_bounds_that_are_tight(n: int) -> None:
    for name, A in matrices(n, seed=n):
        g = np.random.default_rng(n).standard_normal((2, n))
        solution = solve(A, g)
        assert solution.status is Status.DETERMINED or solution.warnings, name
        if solution.status is not Status.DETERMINED:
            continue
        inverse = exactly(A).inv()
        assert_within(solution.dy_dx, fractions(inverse), name)
        assert_within(solution.dL_dx_rows, fractions(exactly(g) * inverse), name)
        bound = solution.dy_dx.largest_error()
        assert bound <= 2 * U * solution.condition * np.abs(solution.dy_dx.array).max(), name


def test_a_hundred_unknowns_are_within_bounds() -> None:
    A, g = np.random.default_rng(1).standard_normal((100, 100)), np.ones(100)
    solution = solve(A, g)
    columns = exactly(A).solve(exactly(np.eye(100)[:, :7]))
    assert_within(DoubleMatrix(solution.dy_dx.array[:, :7], solution.dy_dx.error[:, :7]), fractions(columns))
    bound = solution.dy_dx.largest_error()
    assert bound <= 2 * U * solution.condition * np.abs(solution.dy_dx.array).max()


@pytest.mark.parametrize("n", [150, 520])
def test_large_systems_have_bounds_in_proportion(n: int) -> None:
    A, g = np.random.default_rng(n).standard_normal((n, n)), np.random.default_rng(0).standard_normal(n)
    solution = solve(A, g)
    bound = solution.dy_dx.largest_error()
    assert 0 < bound <= n * U * solution.condition * np.abs(solution.dy_dx.array).max()
    refined = solution.dy_dx.array + solution.dy_dx.array @ precise_residual(np.eye(n), A, solution.dy_dx.array)[0]
    assert (np.abs(solution.dy_dx.array - refined) <= solution.dy_dx.error).all()
    alone = solve_alone(A, g)
    assert alone.dL_dx_rows.largest_error() < 1e-6 * np.abs(alone.dL_dx).max()
    difference = np.abs(alone.dL_dx - solution.dL_dx)
    assert (difference <= alone.dL_dx_rows.error + np.broadcast_to(solution.dL_dx_rows.error, (1, n))).all()


def solve_alone(A: Any, g: Any, **other: Any) -> Solution:
    from implicitgrad.solvers import solve_system

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
            matrix = DoubleMatrix(matrix.array, 1e-9 * (1 + np.nanmax(np.abs(matrix.array), initial=0.0)))
        assert_within(matrix, right, name)
    assert (found.condition is None) == (exact.condition is None)
    if exact.condition is not None:
        assert found.condition == pytest.approx(exact.condition, rel=1e-6)


@settings(max_examples=150, deadline=None)
@given(systems())
def test_small_systems_of_every_kind_agree_with_exact_arithmetic(values: dict[str, Any]) -> None:
    A, others = values["A"], {key: value for key, value in values.items() if key != "A"}
    exact, found = solve(A, **others, arithmetic="exact"), solve(A, **others, arithmetic="float")
    if any(getattr(exact, fact) != getattr(found, fact) for fact in FACTS):
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


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_both_arithmetics_agree_on_every_sample(path: Any) -> None:
    for system in read_systems(path):
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


def test_rounding_to_doubles_is_bounded() -> None:
    rows = [[Fraction(1, 3), Fraction(2**60 + 1)], [Fraction(-5), Fraction(1, 10**300)]]
    matrix = from_fractions(rows)
    assert_within(matrix, rows)
    assert [value > 0 for value in matrix.error.ravel()] == [True, True, False, True]
    with pytest.raises(OverflowError):
        from_fractions([[Fraction(10**400)]])


def test_the_rank_is_what_the_singular_values_say() -> None:
    rng = np.random.default_rng(7)
    for trial in range(900):
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


def test_a_residual_in_twice_the_precision_is_right_to_the_last_bit_but_one() -> None:
    rng = np.random.default_rng(2)
    A, Z = rng.standard_normal((9, 7)) * 10.0 ** rng.integers(-8, 8, (9, 7)), rng.standard_normal((7, 4))
    B = A @ Z
    exact = fractions(exactly(B) - exactly(A) * exactly(Z))
    for compute in (precise_residual, residual):
        value, error = compute(B, A, Z)
        assert_within(DoubleMatrix(value, error), exact)
    value, error = precise_residual(B, A, Z)
    assert (error <= 2 * U * np.abs(value) + 400 * U**2 * (np.abs(A) @ np.abs(Z))).all()
    integers = precise_residual(np.array([[5.0]]), np.array([[1.0, 2.0]]), np.array([[1.0], [3.0]]))
    assert (integers[0][0, 0], integers[1][0, 0]) == (-2, 0)


def test_a_product_of_bounds_is_an_upper_bound() -> None:
    rng = np.random.default_rng(4)
    for shape in ((3, 50, 2), (1, 300, 1)):
        a, b = rng.random(shape[:2]), rng.random(shape[1:])
        exact = fractions(exactly(a) * exactly(b))
        assert all(
            Fraction(float(value)) >= right
            for row, wanted in zip(bound_product(a, b), exact, strict=True)
            for value, right in zip(row, wanted, strict=True)
        )
    tiny = bound_product(np.array([[2.0**-600]]), np.array([[2.0**-600]]))
    assert tiny[0, 0] > 0


@pytest.mark.parametrize("kind", [EntrywiseInverse, NormwiseInverse])
@pytest.mark.parametrize("gap", [1.0, 1e-3, 1e-6, 1e-9])
def test_an_inverse_solves_within_its_bounds_both_ways(kind: Any, gap: float) -> None:
    rng = np.random.default_rng(6)
    n = 12
    left, right = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(2))
    K = (left * np.r_[np.ones(n - 1), gap]) @ right
    dK = np.abs(K) * 1e-14
    B, g = rng.standard_normal((n, 3)), rng.standard_normal((2, n))
    for uncertainty in (None, dK):
        inverse = kind(K, np.linalg.inv(K), uncertainty)
        assert inverse.defect < 0.9
        shift = np.zeros((n, n)) if uncertainty is None else dK * np.sign(rng.standard_normal((n, n)))
        pairs = zip(K.ravel().tolist(), shift.ravel().tolist(), strict=True)
        numbers = [Fraction(a) + Fraction(b) for a, b in pairs]
        truth = exactly([numbers[i * n : (i + 1) * n] for i in range(n)]).inv()
        assert_within(DoubleMatrix(*inverse.solve()), fractions(truth))
        assert_within(DoubleMatrix(*inverse.solve(B)), fractions(truth * exactly(B)))
        assert_within(DoubleMatrix(*inverse.solve_transposed(g)), fractions(exactly(g) * truth))
        moved = [[Fraction(value) + Fraction(1, 10**9) for value in row] for row in B.tolist()]
        dB = np.full(B.shape, 1.0000001e-9)
        assert_within(DoubleMatrix(*inverse.solve(B, dB)), fractions(truth * exactly(moved)))
        shifted_g = [[Fraction(value) - Fraction(1, 10**9) for value in row] for row in g.tolist()]
        found = inverse.solve_transposed(g, np.full(g.shape, 1.0000001e-9))
        assert_within(DoubleMatrix(*found), fractions(exactly(shifted_g) * truth))
        norm = np.linalg.norm(np.linalg.inv(K), 2)
        assert norm <= inverse.inverse_norm


def test_a_residual_that_is_rounded_away_is_in_the_bound() -> None:
    """1 − 3·fl(1/3) is 0 in doubles, and 2⁻⁵⁴·… in truth."""
    inverse = NormwiseInverse(np.array([[3.0]]), np.array([[1 / 3]]), None)
    assert inverse.largest_residual == 0
    assert_within(DoubleMatrix(*inverse.solve()), [[Fraction(1, 3)]])
    assert_within(DoubleMatrix(*inverse.solve_transposed(np.array([[1.0]]))), [[Fraction(1, 3)]])


def test_what_may_be_singular_within_its_uncertainty_is_not_certified() -> None:
    assert certified_inverse(np.zeros((2, 2))) is None
    assert certified_inverse(np.array([[1.0, 1.0], [1.0, 1.0 + 1e-10]])) is not None
    assert certified_inverse(np.array([[1.0, 1.0], [1.0, 1.0 + 1e-10]]), np.full((2, 2), 1e-10)) is None


def test_a_gradient_alone_is_within_its_bound_without_an_inverse() -> None:
    rng = np.random.default_rng(8)
    K, g = rng.standard_normal((60, 60)), rng.standard_normal((2, 60))
    adjoint = Adjoint(K, None, g, None)
    truth = exactly(K).inv()
    assert_within(DoubleMatrix(*adjoint.solution), fractions(exactly(g) * truth))
    assert np.linalg.norm(np.linalg.inv(K), 2) <= adjoint.inverse_norm < 100 * np.linalg.norm(np.linalg.inv(K), 2)
    singular = K.copy()
    singular[-1] = singular[0] * (1 + 1e-9)
    assert Adjoint(singular, None, g, None).inverse_norm == np.inf


def test_a_large_gradient_alone_goes_without_a_jacobian(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    n = 140
    A, B, g = rng.standard_normal((n, n)), rng.standard_normal((n, 3)), rng.standard_normal((2, n))
    whole = solve(A, g, B=B)
    monkeypatch.setattr(np.linalg, "inv", lambda a: pytest.fail("an inverse was formed"))
    found = solve_alone(A, g, B=B)
    assert (found.dy_dx, found.status, found.rank, found.condition) == ((), Status.DETERMINED, n, None)
    difference = np.abs(np.asarray(found.dL_dx) - np.asarray(whole.dL_dx))
    assert (difference <= found.dL_dx_rows.error + whole.dL_dx_rows.error).all()


def test_arrays_are_doubles_and_lists_are_exact() -> None:
    values = [[0.1, 0.2], [0.3, 0.4]]
    assert solve(values).arithmetic == "exact"
    assert solve(np.array(values)).arithmetic == "float"
    assert solve(np.array(values), arithmetic="exact").dy_dx == solve(values).dy_dx
    assert solve(np.array([[1, 2], [3, 4]])).arithmetic == "float"
    assert solve([[int(i == j) for j in range(17)] for i in range(17)]).arithmetic == "float"
    found = solve(np.array(values), np.array([1.0, 2.0]))
    assert isinstance(found.dL_dx, np.ndarray)
    assert np.allclose(np.asarray(found.dy_dx), np.linalg.inv(values))
    with pytest.raises(InputError, match=r"A\[2\]\[1\]: expected a finite number, got nan"):
        solve(np.array([[1.0, 2.0], [np.nan, 4.0]]))


def test_numpy_is_not_needed_for_a_system_of_text() -> None:
    assert "numpy" in sys.modules  # by this test; what a run of the program loads is held elsewhere
    assert solve([["1", "2"], ["3", "4"]]).arithmetic == "exact"

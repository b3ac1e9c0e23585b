"""The parts of arithmetic in doubles, one by one: every bound holds against rational numbers."""

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from conftest import spread, trials
from rationals import assert_within, exactly, fractions

from implicitgrad import solve
from implicitgrad.numbers.ball import BallMatrix, from_fractions, from_texts
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.numbers.matrix import RowMatrix
from implicitgrad.solvers.floating.adjoint import Adjoint
from implicitgrad.solvers.floating.basis import _svd
from implicitgrad.solvers.floating.column_selection import LIMIT, choose_columns
from implicitgrad.solvers.floating.equilibration import lost, shifted, unscaled
from implicitgrad.solvers.floating.error_free import bound_product, precise_residual, residual
from implicitgrad.solvers.floating.inverse import BallArray, EntrywiseInverse, NormwiseInverse, certified_inverse
from implicitgrad.solvers.floating.minimum_norm import minimum_norm
from implicitgrad.solvers.floating.structural_zeros import inverse_pattern
from implicitgrad.writers.sections.not_unique import _nonzero_entries

U = 2.0**-53


def test_a_residual_in_twice_the_precision_is_right_to_the_last_bit_but_one() -> None:
    rng = np.random.default_rng(2)
    A, Z = rng.standard_normal((9, 7)) * 10.0 ** rng.integers(-8, 8, (9, 7)), rng.standard_normal((7, 4))
    B = A @ Z
    exact = fractions(exactly(B) - exactly(A) * exactly(Z))
    for compute in (precise_residual, residual):
        value, error = compute(B, A, Z)
        assert_within(BallMatrix(value, error), exact)
    value, error = precise_residual(B, A, Z)
    assert (error <= 2 * U * np.abs(value) + 400 * U**2 * (np.abs(A) @ np.abs(Z))).all()
    integers = precise_residual(np.array([[5.0]]), np.array([[1.0, 2.0]]), np.array([[1.0], [3.0]]))
    assert (integers[0][0, 0], integers[1][0, 0]) == (-2, 0)


@pytest.mark.parametrize("seed", range(trials(10)))
def test_matrices_of_every_arithmetic_say_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, inner, m = rng.integers(1, 6, 3)
    left, right, other = (
        rng.integers(-3, 4, shape) / 4.0 * (rng.random(shape) < 0.5) for shape in ((n, inner), (inner, m), (n, inner))
    )
    column_of = {int(k): i for i, k in enumerate(rng.permutation(inner + 2)[:inner])}
    is_replaced = [bool(one) for one in rng.random(n) < 0.5]
    found = []
    for kind in (BallMatrix, lambda a: RationalMatrix.of(fractions(exactly(a))), lambda a: RowMatrix(BallMatrix(a))):
        A, B, C = kind(left), kind(right), kind(other)
        product = A.times(B)
        partial = A.partial(C, column_of, int(inner) + 2)
        values = (
            A.shape, A.nonzero_rows(), A.transposed().nonzero_rows(), A.count_nonzero(), _nonzero_entries(A),
            product.rows, partial.rows,
        )  # fmt: skip
        found.append((*values, [list(map(float, row)) for row in A.plain_rows()]))
    assert found[0] == found[1] == found[2]
    A, C = BallMatrix(left), BallMatrix(other)
    assert A.where(is_replaced, C).rows == tuple(C[i] if is_replaced[i] else A[i] for i in range(n))
    assert found[0][5] == tuple(map(tuple, fractions(exactly(left) * exactly(right))))


@pytest.mark.parametrize("seed", range(trials(5)))
def test_a_product_of_balls_holds_that_of_the_numbers_in_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    P, Q = rng.standard_normal((3, 4)) * 10.0 ** rng.integers(-9, 9, (3, 4)), rng.standard_normal((4, 2))
    dP, dQ = np.abs(P) * 1e-9, np.full(Q.shape, 1e-7)
    product = BallMatrix(P, dP).times(BallMatrix(Q, dQ))
    for signs_of_P, signs_of_Q in ((1, 1), (1, -1), (-1, -1)):
        assert_within(product, fractions(exactly(P + 0.99 * signs_of_P * dP) * exactly(Q + 0.99 * signs_of_Q * dQ)))
    assert BallMatrix(P, None).times(BallMatrix(Q)).error is None


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
        assert_within(BallMatrix(*inverse.solve()), fractions(truth))
        assert_within(BallMatrix(*inverse.solve(B)), fractions(truth * exactly(B)))
        assert_within(BallMatrix(*inverse.solve_transposed(g)), fractions(exactly(g) * truth))
        moved = [[Fraction(value) + Fraction(1, 10**9) for value in row] for row in B.tolist()]
        dB = np.full(B.shape, 1.0000001e-9)
        assert_within(BallMatrix(*inverse.solve(B, dB)), fractions(truth * exactly(moved)))
        shifted_g = [[Fraction(value) - Fraction(1, 10**9) for value in row] for row in g.tolist()]
        found = inverse.solve_transposed(g, np.full(g.shape, 1.0000001e-9))
        assert_within(BallMatrix(*found), fractions(exactly(shifted_g) * truth))
        norm = np.linalg.norm(np.linalg.inv(K), 2)
        assert norm <= inverse.inverse_norm


def test_a_residual_that_is_rounded_away_is_in_the_bound() -> None:
    """1 − 3·fl(1/3) is 0 in doubles, and 2⁻⁵⁴·… in truth."""
    inverse = NormwiseInverse(np.array([[3.0]]), np.array([[1 / 3]]), None)
    assert inverse.largest_residual == 0
    assert_within(BallMatrix(*inverse.solve()), [[Fraction(1, 3)]])
    assert_within(BallMatrix(*inverse.solve_transposed(np.array([[1.0]]))), [[Fraction(1, 3)]])


def test_what_may_be_singular_within_its_uncertainty_is_not_certified() -> None:
    assert certified_inverse(np.zeros((2, 2))) is None
    assert certified_inverse(np.array([[1.0, 1.0], [1.0, 1.0 + 1e-10]])) is not None
    assert certified_inverse(np.array([[1.0, 1.0], [1.0, 1.0 + 1e-10]]), np.full((2, 2), 1e-10)) is None


def test_a_gradient_alone_is_within_its_bound_without_an_inverse() -> None:
    rng = np.random.default_rng(8)
    K, g = rng.standard_normal((40, 40)), rng.standard_normal((2, 40))
    adjoint = Adjoint(K, None, g, None)
    truth = exactly(K).inv()
    assert_within(BallMatrix(*adjoint.solution), fractions(exactly(g) * truth))
    assert np.linalg.norm(np.linalg.inv(K), 2) <= adjoint.inverse_norm < 100 * np.linalg.norm(np.linalg.inv(K), 2)
    singular = K.copy()
    singular[-1] = singular[0] * (1 + 1e-9)
    assert Adjoint(singular, None, g, None).inverse_norm == np.inf


def test_a_gradient_alone_counts_what_its_residual_and_its_matrix_hide() -> None:
    third = Adjoint(np.array([[3.0]]), None, np.array([[1.0]]), None)
    assert_within(BallMatrix(*third.solution), [[Fraction(1, 3)]])
    near = Adjoint(np.diag([1.0, 1e-3]), np.diag([0.0, 5e-4]), np.ones((1, 2)), None)
    assert near.inverse_norm >= 2000
    assert Adjoint(np.diag([1.0, 1e-3]), np.diag([0.0, 1e-3]), np.ones((1, 2)), None).inverse_norm == np.inf
    assert Adjoint(np.diag([1.0, 1e-10]), None, np.ones((1, 2)), None).inverse_norm == np.inf  # its square is lost
    moved = Adjoint(np.eye(2), np.full((2, 2), 1e-9), np.ones((1, 2)), np.full((1, 2), 1e-6))
    truth = exactly([[1 + 1e-6, 1 - 1e-6]]) * exactly(np.eye(2) + 1e-9).inv()
    assert_within(BallMatrix(*moved.solution), fractions(truth))


def least(J: Any, V: Any) -> list[list[Fraction]]:
    """The least [J; 0] + [V; I]·t of rational numbers, the pivot rows and then the free ones."""
    J, V = exactly(J), exactly(V)
    free = -1 * (V.transpose() * V + exactly(np.eye(V.ncols()))).inv() * V.transpose() * J
    return fractions(J + V * free) + fractions(free)


def assert_least(J: np.ndarray, dJ: Any, V: np.ndarray, dV: Any, true_J: Any, true_V: Any) -> None:
    found = minimum_norm(BallArray(J, np.asarray(dJ)), BallArray(V, np.asarray(dV)))
    rows = np.concatenate([found.pivots, found.free])
    assert_within(BallMatrix(rows, np.broadcast_to(found.error, rows.shape)), least(true_J, true_V))


def test_a_least_solution_of_one_number_is_within_its_bound() -> None:
    for v, j in product(range(-40, 41), spread(range(1, 30), 4)):
        V, J = np.array([[v * 1.0]]), np.array([[j * 1.0]])
        assert_least(J, 0.0, V, 0.0, J, V)


@pytest.mark.parametrize(("r", "F"), [(1, 1), (4, 2), (2, 4), (3, 3), (1, 6), (6, 1)])
@pytest.mark.parametrize("size", [1.0, 50.0, 2e4, 1e7])
def test_a_least_solution_is_within_its_bound_whatever_its_givens_hide(r: int, F: int, size: float) -> None:
    rng = np.random.default_rng(r)
    for _ in range(trials(10)):
        V, J = size * rng.standard_normal((r, F)), rng.standard_normal((r, 3))
        assert_least(J, 0.0, V, 0.0, J, V)
        for shift in (1e-6, -1e-6, 1e-6 * np.sign(rng.standard_normal((r, 3)))):
            assert_least(J, 1.001e-6, V, 0.0, J + shift, V)
        for shift in (1e-6, -1e-6, 1e-6 * np.sign(rng.standard_normal((r, F)))):
            assert_least(J, 0.0, V, 1.001e-6, J, V + shift)
    found = minimum_norm(BallArray(J, np.zeros(J.shape)), BallArray(V, np.zeros(V.shape)))
    assert found.error.max() <= (1e-14 if size < 1e5 else 1e-8) * size * np.abs(J).max()


@pytest.mark.parametrize(("r", "F"), [(30, 20), (20, 30)])
def test_a_least_solution_is_refined_where_squares_lose_digits(r: int, F: int) -> None:
    rng = np.random.default_rng(1)
    k = min(r, F)
    left, right = (np.linalg.qr(rng.standard_normal((n, k)))[0] for n in (r, F))
    V, J = (left * np.geomspace(1, 9e4, k)) @ right.T, rng.standard_normal((r, 3))
    assert_least(J, 0.0, V, 0.0, J, V)
    assert minimum_norm(BallArray(J, np.zeros(J.shape)), BallArray(V, np.zeros(V.shape))).error.max() < 1e-5


@pytest.mark.parametrize(("r", "F"), [(4, 2), (2, 4), (3, 3)])
@pytest.mark.parametrize("size", [1.0, 50.0, 1e7])
@pytest.mark.parametrize("routine", ["inv", "solve"])
def test_a_least_solution_is_within_its_bound_whatever_lapack_does(
    r: int, F: int, size: float, routine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(r)
    original = getattr(np.linalg, routine)
    monkeypatch.setattr(np.linalg, routine, lambda *a: original(*a) * (1 + 1e-5))
    V, J = size * rng.standard_normal((r, F)), rng.standard_normal((r, 3))
    assert_least(J, 0.0, V, 0.0, J, V)


def test_a_least_solution_without_a_bound_has_none() -> None:
    V, J = np.ones((2, 1)), np.zeros((2, 2))
    assert (minimum_norm(BallArray(J, np.full(J.shape, np.inf)), BallArray(V, np.zeros(V.shape))).error == np.inf).all()
    assert (minimum_norm(BallArray(J, np.zeros(J.shape)), BallArray(V, np.full(V.shape, np.inf))).error == np.inf).all()


def test_scaling_counts_what_it_loses_below_the_normal_range() -> None:
    rng = np.random.default_rng(3)
    values = rng.standard_normal((20, 4))
    for exponent in (-1020, -1050, -1070, -1074, -1080, 900):
        exponents = np.full(values.shape, exponent)
        true = [[Fraction(v) * Fraction(2) ** exponent for v in row] for row in values.tolist()]
        assert_within(BallMatrix(shifted(values, exponents), np.broadcast_to(lost(values, exponents), (20, 4))), true)
        for error in (0.0, 0.75, 1e-9):
            found = unscaled(BallArray(values, np.full(values.shape, error)), exponents)
            for sign in (1, -1):
                moved = [[v + sign * Fraction(error) * Fraction(2) ** exponent for v in row] for row in true]
                assert_within(BallMatrix(*found), moved)


def test_decimals_are_as_far_from_their_doubles_as_is_said() -> None:
    rows = [["0", "0.5", "0.1", "-2.25", "7"], ["1e-3", "5e-1", "0.0e-9", "123456.0009765625", "1e300"]]
    rows += [["4503599627370497.5", "0.50000000000000000001", "1e-300", "-0", "8796093022208.5"]]
    for chosen in ([rows[0]], [rows[1]], [rows[2]], rows):
        found = from_texts(chosen)
        assert found is not None
        assert_within(found, [[Fraction(text) for text in row] for row in chosen])
    assert (np.asarray(from_texts([rows[0]]).error) > 0).tolist() == [[False, False, True, False, False]]
    assert from_texts([["0.5", "-0.25"]]).error == 0
    assert from_texts([["1e-350", "0"]]) is None  # it would become 0
    with pytest.raises(OverflowError):
        from_fractions([[Fraction("1e-350")]])
    tiny = from_texts([["3e-322", "5e-324"]])
    assert_within(tiny, [[Fraction("3e-322"), Fraction("5e-324")]])


def sparse(n: int, seed: int) -> np.ndarray:
    """An invertible matrix of blocks on and above the diagonal, its rows and columns shuffled."""
    rng = np.random.default_rng(seed)
    A = np.zeros((n, n))
    start = 0
    while start < n:
        end = min(n, start + int(rng.integers(1, 4)))
        A[start:end, start:end] = rng.integers(1, 1000, (end - start, end - start))
        start = end
    above = np.triu(rng.random((n, n)) < 0.15, 1)
    A += above * rng.integers(1, 1000, (n, n)) * (A == 0)
    return A[np.ix_(rng.permutation(n), rng.permutation(n))]


@pytest.mark.parametrize("n", [1, 2, 3, 7, 15])
def test_where_an_inverse_is_0_is_known_from_where_its_matrix_is(n: int) -> None:
    for seed in range(25):
        A = sparse(n, seed)
        inverse = np.array([[entry != 0 for entry in row] for row in fractions(exactly(A).inv())])
        assert (inverse_pattern(A != 0) == inverse).all(), A.tolist()
    assert inverse_pattern(np.ones((n, n), dtype=bool)).all()
    assert (inverse_pattern(np.eye(n, dtype=bool)[::-1]) == np.eye(n, dtype=bool)[::-1]).all()


def test_the_first_independent_columns_are_the_basis() -> None:
    rng = np.random.default_rng(11)
    for r, n in ((3, 8), (40, 200), (70, 90)):
        Q = rng.standard_normal((r, n))
        copies = rng.choice(np.arange(1, r), size=r // 2, replace=False)
        Q[:, copies] = Q[:, copies - 1] @ np.eye(len(copies))  # each as the one before it
        wanted: list[int] = []
        for column in range(n):
            if np.linalg.matrix_rank(Q[:, [*wanted, column]]) > len(wanted):
                wanted.append(column)
        found = choose_columns(Q, list(range(n))).columns
        assert found == sorted(wanted[:r])
    graded = np.array([[1.0, 1.0, 1.0], [0.0, 1e-12, 1e-11]])
    found = choose_columns(graded, [0, 1, 2]).columns
    others = [j for j in range(3) if j not in found]
    assert len(found) == 2
    assert np.abs(np.linalg.solve(graded[:, found], graded[:, others])).max() <= LIMIT


def test_rows_and_columns_of_zeros_have_no_part_in_the_singular_values(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = np.random.default_rng(3)
    A = np.zeros((7, 9))
    A[np.ix_([1, 2, 5], [0, 4, 7, 8])] = numbers.normal(size=(3, 4))
    left, sigma, right = _svd(A)
    np.testing.assert_allclose((left * sigma) @ right, A, atol=1e-14)
    np.testing.assert_allclose(left.T @ left, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(right @ right.T, np.eye(3), atol=1e-14)
    sizes = []
    svd = np.linalg.svd
    monkeypatch.setattr(np.linalg, "svd", lambda a, **options: sizes.append(a.shape) or svd(a, **options))
    assert solve(np.zeros((300, 300))).rank == 0
    assert solve(np.diag([1.0] * 5 + [0.0] * 295)).rank == 5
    assert sizes == [(0, 0), (5, 5)]

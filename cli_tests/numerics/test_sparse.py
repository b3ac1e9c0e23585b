"""Large sparse systems: bounds that hold against exact rationals, structure, what is refused, and claims about them."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Run, examples
from hypothesis import given
from hypothesis import strategies as st

import implicitgrad
from implicitgrad import InputError, LinearSystem, Solution, UsageError
from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.solvers.dispatch import solve_system

sparse = pytest.importorskip("scipy.sparse")

from implicitgrad.checks.derivatives import sparse as judging  # noqa: E402
from implicitgrad.numbers.sparse import SparseMatrix  # noqa: E402 (needs SciPy)
from implicitgrad.solvers.sparse import certificates, factorization, structure  # noqa: E402
from implicitgrad.solvers.sparse import solver as sparse_solver  # noqa: E402


def kept_sparse(A: Any, g: Any = None, B: Any = None, errors: Any = 0.0) -> LinearSystem:
    """A system of doubles, however small, as a large one is kept."""
    (names,) = ([f"y{j + 1}" for j in range(np.shape(A)[1])],)
    system = LinearSystem(
        SparseMatrix.of_doubles(BallMatrix(np.array(A, dtype=float), errors)),
        None if B is None else SparseMatrix.of_doubles(BallMatrix(np.array(B, dtype=float))),
        None if g is None else BallMatrix(np.atleast_2d(np.array(g, dtype=float))),
        g is not None and np.ndim(g) == 1, (), tuple(names), "s", "s.npz", has_decimals=False,
    )  # fmt: skip
    return system._replace(x=tuple(f"x{k + 1}" for k in range(np.shape(A if B is None else B)[B is not None])))


def solved(system: LinearSystem) -> Solution:
    return solve_system(system, gradient_alone=True)


def exact(A: Any, g: Any, B: Any = None) -> list[list[Fraction]]:
    """∂L/∂x (K, P) in rational numbers, of the doubles or Fractions given."""
    as_rows = lambda X: [[Fraction(entry) for entry in row] for row in X]  # noqa: E731
    found = implicitgrad.solve(
        as_rows(A), as_rows(np.atleast_2d(g)), B=None if B is None else as_rows(B), arithmetic="exact"
    )
    assert found.dL_dx_rows is not None
    return [list(row) for row in found.dL_dx_rows]


def assert_within_bounds(found: Solution, truth: list[list[Fraction]]) -> None:
    rows = found.dL_dx_rows
    assert isinstance(rows, BallMatrix)
    errors = np.broadcast_to(np.asarray(rows.error, dtype=float), rows.shape)
    for k, row in enumerate(truth):
        for j, value in enumerate(row):
            assert abs(Fraction(float(rows.array[k, j])) - value) <= Fraction(float(errors[k, j]))


def matrices(n: int, kind: str, seed: int) -> Any:
    """A random invertible matrix of a kind, sparse, of doubles."""
    rng = np.random.default_rng(seed)
    beside = rng.standard_normal((n, n)) * (rng.random((n, n)) < 0.4)
    np.fill_diagonal(beside, 0)
    signs = rng.choice([-1.0, 1.0], n)
    scale = 10.0 ** rng.integers(-3, 4, n)
    dominant = np.abs(beside).sum(axis=1) + 0.01
    if kind == "m-matrix":
        return np.diag(dominant) - np.abs(beside)
    if kind == "rows-turned":
        return signs[:, None] * (np.diag(dominant) - np.abs(beside))
    if kind == "columns-turned":
        return (np.diag(dominant) - np.abs(beside)) * signs
    if kind == "h-matrix":
        return (np.diag(dominant * signs) + beside) * scale
    if kind == "badly-scaled":
        return (
            10.0 ** rng.integers(-150, 150, n)[:, None]
            * (np.diag(dominant) + beside)
            * 10.0 ** rng.integers(-100, 100, n)
        )
    return np.diag(signs) + beside


KINDS = ["m-matrix", "rows-turned", "columns-turned", "h-matrix", "badly-scaled", "general"]


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(2, 9), st.integers(0, 2**32), st.integers(1, 3), st.booleans())
@examples(20)
def test_every_certified_number_is_within_its_bound(kind: str, n: int, seed: int, losses: int, has_B: bool) -> None:
    A = matrices(n, kind, seed)
    rng = np.random.default_rng(seed + 1)
    g = rng.standard_normal((losses, n))
    B = rng.standard_normal((n, 3)) * (rng.random((n, 3)) < 0.6) if has_B else None
    try:
        found = solved(kept_sparse(A, g, B))
    except InputError:
        if kind != "general":
            raise
        return
    truth = exact(A, g, B)
    if found.dL_dx_rows.largest_error() is None:  # type: ignore[union-attr]
        assert kind == "general"
        return
    assert_within_bounds(found, truth)
    sizes = max(max(abs(float(value)) for value in row) for row in truth)
    if kind == "m-matrix":
        assert found.error_bounds[1] <= 1e-9 * sizes  # type: ignore[operator]


@pytest.mark.parametrize("kind", ["m-matrix", "h-matrix", "general"])
@given(st.integers(2, 7), st.integers(0, 2**32))
@examples(15)
def test_the_bound_holds_for_every_matrix_within_the_errors_of_its_entries(kind: str, n: int, seed: int) -> None:
    A, rng = matrices(n, kind, seed), np.random.default_rng(seed + 2)
    radius, g = 1e-6, rng.standard_normal(n)
    try:
        found = solved(kept_sparse(A, g, errors=np.where(A != 0, radius, 0.0)))
    except InputError:
        return
    if found.error_bounds[1] is None:
        return
    for _ in range(3):
        moved = A + np.where(A != 0, radius * rng.choice([-1.0, 1.0], A.shape) * 0.999, 0.0)
        assert_within_bounds(found, exact(moved, g))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("names", [["y1", "y2", "x1"], ["x2", "x1", "y*"], ["y2"], ["x2"]], ids=str)
@given(st.integers(2, 7), st.integers(0, 2**32), st.booleans())
@examples(10)
def test_shown_rows_and_columns_are_within_their_bounds(
    kind: str, names: list[str], n: int, seed: int, has_B: bool
) -> None:
    A, rng = matrices(n, kind, seed), np.random.default_rng(seed + 4)
    B = rng.standard_normal((n, 3)) * (rng.random((n, 3)) < 0.6) if has_B else None
    g = rng.standard_normal(n)
    try:
        found = solve_system(kept_sparse(A, g, B)._replace(shown=tuple(names)))
    except InputError:
        if kind != "general":
            raise
        return
    rational = [[Fraction(entry) for entry in row] for row in A]
    J = implicitgrad.solve(rational, B=None if B is None else [[Fraction(b) for b in row] for row in B]).dy_dx
    rows, columns = ([int(name[1:]) - 1 for name in chosen] for chosen in (found.y, found.x))
    assert found.y == (
        ("y1", "y2") if "y1" in names else ("y2",) if "y2" in names else tuple(f"y{j + 1}" for j in range(n))
    )
    assert (found.system.unknowns, found.system.inputs, found.rank) == (n, n if B is None else 3, n)
    assert_within_bounds(found, [[exact(A, g, B)[0][k] for k in columns]])
    truth = found._replace(dL_dx_rows=found.dy_dx)
    if found.error_bounds[0] is not None:
        assert_within_bounds(truth, [[J[j][k] for k in columns] for j in rows])


@given(st.integers(2, 8), st.integers(0, 2**32))
@examples(15)
def test_bounds_do_not_depend_on_what_the_decomposition_is_worth(n: int, seed: int) -> None:
    A, rng = matrices(n, "m-matrix", seed), np.random.default_rng(seed + 3)
    g = rng.standard_normal(n)
    solve = factorization.Factored.solve
    with pytest.MonkeyPatch.context() as patch:
        wrong = 1 + 1e-4 * rng.standard_normal((n, 1))
        patch.setattr(
            factorization.Factored, "solve", lambda M, g: solve(M, g) * (wrong if np.ndim(g) > 1 else wrong[:, 0])
        )
        found = solved(kept_sparse(A, g))
    if found.error_bounds[1] is not None:
        assert_within_bounds(found, exact(A, g))


@pytest.mark.parametrize("radius", [0.0, 0.02, 0.08])
def test_a_bound_covers_large_errors_of_the_entries(radius: float) -> None:
    A, g = np.array([[1.0, -0.9], [-0.9, 1.0]]), [1.0, 2.0]
    found = solved(kept_sparse(A, g, errors=np.full((2, 2), radius)))
    if radius == 0.08:  # [[0.95, -0.95], [-0.95, 0.95]] is among the matrices
        assert found.error_bounds[1] is None
        return
    for first in (-1, 1):
        for second in (-1, 1):
            assert_within_bounds(found, exact(A + radius * np.array([[first, second], [second, first]]), g))


def test_a_bound_covers_errors_of_B() -> None:
    A, B, g = np.diag([2.0, 3.0]), np.array([[1.0, 2.0], [0.5, 0.0]]), [1.0, 1.0]
    system = kept_sparse(A, g, B)
    errors = np.where(B != 0, 0.125, 0.0)
    found = solved(system._replace(B=SparseMatrix.of_doubles(BallMatrix(B, errors))))
    for sign in (-1, 1):
        assert_within_bounds(found, exact(A, g, B + sign * errors))


def test_a_bound_by_a_poor_inverse_accounts_for_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    solve = factorization.Factored.solve
    monkeypatch.setattr(factorization.Factored, "solve", lambda M, g: 0.6 * solve(M, g))
    monkeypatch.setattr(certificates, "_by_dominance", lambda M: None)
    for A in ([[2.0]], [[2.0, 1.0], [0.0, 3.0]]):
        g = np.ones(len(A))
        found = solved(kept_sparse(A, g))
        assert found.error_bounds[1] is not None
        assert_within_bounds(found, exact(A, g))


def test_a_symmetric_pattern_that_needs_pivots_beside_the_diagonal_is_solved() -> None:
    n, rng = 300, np.random.default_rng(5)
    A = sparse.diags_array([np.ones(n - 1), 1e-14 + np.zeros(n), np.ones(n - 1)], offsets=[-1, 0, 1]).toarray()
    A[np.arange(n), np.arange(n)] = 0.11 * rng.choice([-1.0, 1.0], n)
    found = solved(kept_sparse(A, np.ones(n)))
    assert np.allclose(np.asarray(found.dL_dx), np.linalg.solve(A.T, np.ones(n)), rtol=1e-8)
    assert found.error_bounds[1] is not None


def test_an_unstable_order_of_pivots_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []
    splu = factorization.splu
    monkeypatch.setattr(
        factorization, "splu", lambda matrix, **settings: calls.append(settings) or splu(matrix, **settings)
    )
    # after any first pivot on the diagonal, the second is about 1e-14 beside an entry of size 2
    sizes = np.array([0.7, 0.9, 1.1])
    A = np.outer(sizes, sizes) * np.array([[1 + 1e-14, 1.0, -1.0], [1.0, 1 + 1e-14, 1.0], [-1.0, 1.0, 1 + 1e-14]])
    found = solved(kept_sparse(A, [1.0, 2.0, 4.0]))
    assert [bool(settings) for settings in calls[:2]] == [True, False]
    assert_within_bounds(found, exact(A, [1.0, 2.0, 4.0]))
    assert found.error_bounds[1] < 1e-10  # type: ignore[operator]


@pytest.mark.parametrize("kind", ["m-matrix", "rows-turned", "columns-turned", "h-matrix"])
def test_an_h_matrix_needs_no_inverse(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "_by_inverse", lambda M: None)
    for seed in range(10):
        found = solved(kept_sparse(matrices(8, kind, seed), np.ones(8)))
        assert found.error_bounds[1] is not None
        assert found.warnings == ()


def definite(n: int, seed: int) -> Any:
    """A symmetric positive definite matrix that is no H-matrix."""
    rng = np.random.default_rng(seed)
    G = np.round(rng.standard_normal((n, n)) * (rng.random((n, n)) < 0.6), 3) + np.eye(n)
    A = G.T @ G + 0.05 * np.eye(n)
    return (A + A.T) / 2


@given(st.integers(2, 9), st.integers(0, 2**32))
@examples(30)
def test_a_definite_matrix_is_certified_by_its_least_eigenvalue(n: int, seed: int) -> None:
    A, g = definite(n, seed), np.random.default_rng(seed + 1).standard_normal(n)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificates, "_by_inverse", lambda M: None)
        patch.setattr(certificates, "_by_dominance", lambda M: None)
        found = solved(kept_sparse(A, g))
        assert found.error_bounds[1] is not None
        assert found.error_bounds[1] < 1e-8
        assert_within_bounds(found, exact(A, g))
        moved = solved(kept_sparse(A, g, errors=np.where(A != 0, 1e-6, 0.0)))
        if moved.error_bounds[1] is not None:
            assert_within_bounds(moved, exact(A + 0.9e-6 * (A != 0), g))


def test_an_indefinite_matrix_has_no_bound_of_its_least_eigenvalue() -> None:
    for A in ([[1.0, 3.0], [3.0, 1.0]], [[-2.0, 1.0], [1.0, -2.0]], [[1.0, 3.0], [2.0, 1.0]]):
        assert certificates._by_definiteness(factorization.factored(sparse.csc_array(A), None)) is None


@given(st.integers(2, 9), st.integers(0, 2**32), st.floats(0.01, 2.0))
@examples(30)
def test_a_bound_of_the_least_eigenvalue_is_below_it(n: int, seed: int, share: float) -> None:
    A = definite(n, seed)
    M = factorization.factored(sparse.csc_array(A), None)
    least = float(np.linalg.eigvalsh(A)[0])
    assert certificates._least_eigenvalue(M, share * least) <= least * (1 + 1e-9)
    if share < 0.9:
        assert certificates._least_eigenvalue(M, share * least) > 0.8 * share * least


def test_what_is_not_certified_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "MAX_WORK", 0)
    A = [[1.0, 2.0], [3.0, -4.0]]
    found = solved(kept_sparse(A, [1.0, 1.0]))
    assert found.error_bounds[1] is None
    ((code, message),) = found.warnings
    assert code == "not-certified"
    assert "|∂L/∂y − Aᵀ·u| ≤ " in message
    assert message.startswith(
        "nothing is certified, for no bound on the inverse of A was found; its condition is about"
    )
    assert np.allclose(np.asarray(found.dL_dx), np.linalg.solve(np.array(A).T, [1, 1]))


def network(nodes: int, grounded: bool = True) -> Any:
    """The conductance matrix of a ladder of resistors."""
    resistors = np.linspace(1, 2, nodes - 1)
    A = sparse.diags_array([-resistors, -resistors], offsets=[-1, 1], shape=(nodes, nodes)).tolil()
    A.setdiag(
        np.concatenate([[0], resistors]) + np.concatenate([resistors, [0]]) + [*[0.0] * (nodes - 1), float(grounded)]
    )
    return A.tocsr()


def save(folder: Path, A: Any, g: Any = None) -> None:
    sparse.save_npz(folder / "a.npz", A)
    if g is not None:
        np.save(folder / "g.npy", g)


def test_a_network_of_many_nodes_is_solved_and_certified(run: Run, tmp_path: Path) -> None:
    n = 20_000  # with its zeros it would take 3 GB
    save(tmp_path, network(n), np.eye(1, n, n - 1)[0])
    result = run("solve", "a.npz", "-g", "@g.npy", "--only", "dL_dx", "--format", "json")
    record = json.loads(result.stdout)
    assert (result.returncode, record["status"], record["rank"]) == (0, "determined", n)
    assert (record["dy_dx"], record["condition"], record["warnings"]) == (None, None, [])
    # the current through the ground is what flows in at any node: all potentials are 1
    assert 0 < record["error_bound"]["dL_dx"] < 1e-6
    assert max(abs(value - 1) for value in record["dL_dx"]) <= record["error_bound"]["dL_dx"]
    assert "error ≤ 1e-" in run("solve", "a.npz", "-g", "@g.npy", "--only", "dL_dx").stdout


def test_a_text_says_the_same_as_an_archive(run: Run, tmp_path: Path) -> None:
    A = network(1200).tocoo()
    lines = [f"{i + 1} {j + 1} {v!r}" for i, j, v in zip(A.row, A.col, A.data.tolist(), strict=True)]
    (tmp_path / "a.mtx").write_text(
        "\n".join(["%%MatrixMarket matrix coordinate real general", f"1200 1200 {A.nnz}", *lines])
    )
    save(tmp_path, A, np.arange(1200.0))
    texts, doubles = (
        json.loads(run("solve", file, "-g", "@g.npy", "--only", "dL_dx", "--format", "json").stdout)
        for file in ("a.mtx", "a.npz")
    )
    assert np.allclose(texts["dL_dx"], doubles["dL_dx"], rtol=1e-12)
    assert texts["error_bound"]["dL_dx"] >= doubles["error_bound"]["dL_dx"]  # decimals are rounded to doubles
    lines[-1] = lines[-2]
    (tmp_path / "a.mtx").write_text(
        "\n".join(["%%MatrixMarket matrix coordinate real general", f"1200 1200 {A.nnz}", *lines])
    )
    result = run("solve", "a.mtx", "-g", "@g.npy", "--only", "dL_dx")
    assert result.returncode == 2
    assert result.stderr.startswith(f"implicitgrad: a.mtx:{A.nnz + 2}:")
    assert "duplicate entry" in result.stderr


def test_entries_in_one_place_of_a_large_archive_are_summed(run: Run, tmp_path: Path) -> None:
    n = 1100
    places = np.concatenate([np.arange(n), np.arange(n)])
    values = np.concatenate([np.full(n, 3.0), np.full(n, -1.0)])
    save(tmp_path, sparse.coo_array((values, (places, places)), shape=(n, n)), np.ones(n))
    record = json.loads(run("solve", "a.npz", "-g", "@g.npy", "--only", "dL_dx", "--format", "json").stdout)
    assert record["dL_dx"] == [0.5] * n


def test_doubles_that_cannot_tell_a_from_a_singular_matrix_are_refused(run: Run, tmp_path: Path) -> None:
    save(tmp_path, network(1100, grounded=False), np.ones(1100))
    result = run("solve", "a.npz", "-g", "@g.npy", "--only", "dL_dx")
    assert (result.returncode, result.stdout) == (2, "")
    assert "A is singular" in result.stderr or "from a singular matrix" in result.stderr


def test_equations_and_unknowns_that_make_the_structural_rank_short_are_named(run: Run, tmp_path: Path) -> None:
    A = network(1100).tolil()
    A[5, :], A[9, :] = 0, 0
    A[5, 7], A[9, 7] = 1, 2
    save(tmp_path, A.tocsr(), np.ones(1100))
    result = run("solve", "a.npz", "-g", "@g.npy", "--only", "dL_dx")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "implicitgrad: a.npz: A has at most rank 1099 by its pattern of 1100 equations in 1100 unknowns: the 2 "
        "equations x6, x10 have only 1 unknown, y8. Large sparse systems are solved where A is invertible\n"
    )


@pytest.mark.parametrize(
    ("A", "expected"),
    [
        (
            [[1, 1, 0], [0, 0, 2], [0, 0, 3]],
            "the 2 equations x2, x3 have only 1 unknown, y3; the 2 unknowns y1, y2 are only in 1 equation, x1",
        ),
        ([[1, 0], [2, 0]], "unknown y2 is in no equation; the 2 equations x1, x2 have only 1 unknown, y1"),
        ([[0, 0], [2, 1]], "equation x1 has no unknown; the 2 unknowns y1, y2 are only in 1 equation, x2"),
        ([[1, 2, 3], [4, 5, 6]], "the 3 unknowns y1, y2, y3 are only in 2 equations, x1, x2"),
        ([[1, 2], [3, 4], [5, 6]], "the 3 equations x1, x2, x3 have only 2 unknowns, y1, y2"),
    ],
)  # fmt: skip
def test_a_structural_deficiency_is_explained(A: Any, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        solved(kept_sparse(A))
    (problem,) = caught.value.problems
    assert (problem.code, problem.message.partition(": ")[2]) == ("structurally-singular", expected)


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 2**32))
@examples(30)
def test_a_named_block_has_fewer_lines_across_than_lines(M: int, N: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    A = (rng.random((M, N)) < 0.4) * rng.standard_normal((M, N))
    pattern = sparse.csr_array(A != 0)
    partners = structure.maximum_bipartite_matching(pattern, perm_type="column")
    unmatched = (partners == structure.NO_PARTNER).sum()
    assert M - unmatched >= np.linalg.matrix_rank(A)
    if unmatched:
        block = structure._find_block(pattern, partners)
        assert len(block.lines) > len(block.across)
        assert {j for i in block.lines for j in np.flatnonzero(A[i])} <= {*block.across}


def test_what_is_not_computed_is_refused(run: Run, tmp_path: Path) -> None:
    save(tmp_path, network(1100), np.ones(1100))
    only = ("--only", "dL_dx")
    for options, expected in {
        (): "∂y/∂x has 1,210,000 entries, and is not computed whole of a large sparse system. "
        "--only dL_dx leaves it out; --show NAMES computes some rows or columns",
        (
            *only,
            "--arithmetic",
            "exact",
        ): "expected a smaller matrix for exact arithmetic, got one that is kept without "
        "its zeros. --arithmetic float solves it",
        (*only, "--free", "y1"): "--free is not for large sparse systems",
        (*only, "--rtol", "1e-3"): "--rtol is not for large sparse systems",
    }.items():
        result = run("solve", "a.npz", "-g", "@g.npy", *options)
        assert (result.returncode, result.stdout, result.stderr) == (2, "", f"implicitgrad: a.npz: {expected}\n")
    with pytest.raises(InputError, match="kept without its zeros"):
        list(implicitgrad.read_systems(tmp_path / "a.npz")[0].A)
    with pytest.raises(UsageError):
        implicitgrad.solve(implicitgrad.read_systems(tmp_path / "a.npz")[0], arithmetic="exact")


def test_shown_columns_are_listed_in_the_record(run: Run, tmp_path: Path) -> None:
    A = network(1100)
    save(tmp_path, A, np.arange(1100.0))
    J = np.linalg.inv(A.toarray())
    for names in ("x3,x900,y1,y2", "x3,x900,y1,y2,y7"):
        result = run("solve", "a.npz", "-g", "@g.npy", "--show", names, "--format", "json")
        record = json.loads(result.stdout)
        y = [int(name[1:]) - 1 for name in record["y"]]
        assert (result.returncode, record["x"], record["shape"]["unknowns"]) == (0, ["x3", "x900"], 1100)
        assert np.allclose(record["dy_dx"], J[np.ix_(y, [2, 899])], rtol=1e-9)
        assert np.allclose(record["dL_dx"], (np.arange(1100.0) @ J)[[2, 899]], rtol=1e-9)
        assert 0 < record["error_bound"]["dy_dx"] < 1e-4
        assert record["residual"] < 1e-9
    page = run("solve", "a.npz", "--show", "x3,y1,y2")
    assert [line.split()[0] for line in page.stdout.splitlines()[3:] if line.strip()] == ["∂y/∂x", "─" * 16, "y1", "y2"]
    assert run("solve", "a.npz", "--show", "x3,y1", "--format", "csv").stdout.startswith("dy/dx,x3\ny1,")


def test_more_rows_and_columns_than_fit_are_refused(run: Run, tmp_path: Path) -> None:
    save(tmp_path, network(20_000))
    result = run("solve", "a.npz", "--show", "x*")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "implicitgrad: a.npz: --show selects 20,000 rows and 20,000 columns of ∂y/∂x; expected fewer. "
        "Either rows or columns must be few\n"
    )


def test_a_batch_answers_sparse_systems_with_their_gradient(run: Run, tmp_path: Path) -> None:
    save(tmp_path, network(1100))
    record = json.loads(run("batch", "a.npz").stdout)
    assert (record["status"], record["dy_dx"], record["dL_dx"]) == ("determined", None, None)
    np.save(tmp_path / "small.npy", np.array([[2.0]]))
    assert run("batch", "a.npz", "small.npy", "-o", "all.npz").returncode == 0
    with np.load(tmp_path / "all.npz") as found:
        assert (found["rank"].tolist(), found["dy_dx"].shape) == ([1100, 1], (2, 1, 1))
        assert np.array_equal(found["dy_dx"][:, 0, 0], [np.nan, 0.5], equal_nan=True)


def test_without_scipy_a_large_matrix_is_refused(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, network(1100))
    monkeypatch.setitem(__import__("sys").modules, "implicitgrad.numbers.sparse", None)
    result = run("solve", "a.npz", "--only", "dL_dx")
    assert result.returncode == 2
    assert result.stderr == (
        "implicitgrad: a.npz: a matrix of 1100×1100 is kept without its zeros, which needs SciPy. "
        "pip install 'implicitgrad[sparse]'\n"
    )


def test_sparse_and_other_matrices_work_together(run: Run, tmp_path: Path) -> None:
    A = network(1100)
    save(tmp_path, A, np.arange(1100.0))
    B = np.zeros((1100, 2))
    B[3, 0], B[700, 1], B[9, 1] = 2, -1, 0.5
    np.save(tmp_path / "b.npy", B)
    sparse.save_npz(tmp_path / "b.npz", sparse.csr_array(B))
    expected = B.T @ np.linalg.solve(A.toarray().T, np.arange(1100.0))
    for file in ("b.npy", "b.npz"):
        result = run("solve", "a.npz", "-B", f"@{file}", "-g", "@g.npy", "--only", "dL_dx", "--format", "json")
        record = json.loads(result.stdout)
        assert record["shape"] == {"equations": 1100, "unknowns": 1100, "inputs": 2}
        assert np.allclose(record["dL_dx"], expected, rtol=1e-10)
        assert record["error_bound"]["dL_dx"] < 1e-8 * max(map(abs, record["dL_dx"]))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("none", None),
        ("one", "1 of 1100 entries"),
        ("sign", "is a sign flipped?"),
        ("twice", "is a factor of 2 too many?"),
        ("transpose", "was the transpose forgotten?"),
        ("unsolved", "was the solution with Aᵀ left out?"),
        ("explicit", "was the explicit direction taken for the implicit one?"),
        ("nan", "dL_dx[8] is nan"),
        ("single", None),
        ("digits", None),
    ],
)
def test_claims_about_a_sparse_system_are_judged(change: str, expected: str | None, run: Run, tmp_path: Path) -> None:
    A = network(1100).tolil()
    A[0, 1099] = 0.5
    A = A.tocsc()
    g = np.linspace(-1, 1, 1100)
    claim = sparse.linalg.splu(A.T.tocsc()).solve(g)
    if change == "one":
        claim[7] *= 1 + 1e-6
    elif change == "nan":
        claim[7] = np.nan
    claim = {
        "sign": -claim, "twice": 2 * claim, "transpose": sparse.linalg.splu(A).solve(g), "unsolved": g,
        "explicit": A @ g, "single": claim.astype("f4"),
    }.get(change, claim)  # fmt: skip
    save(tmp_path, A, g)
    np.save(tmp_path / "c.npy", claim)
    file = "c.npy"
    if change == "digits":
        file = "c.mtx"
        (tmp_path / file).write_text(
            "\n".join(["%%MatrixMarket matrix array real general", "1100 1", *(f"{v:.6f}" for v in claim)])
        )
    result = run("check", "a.npz", "-g", "@g.npy", "--dldx", f"@{file}")
    assert (result.returncode, result.stderr) == (0 if expected is None else 1, "")
    assert expected is None or expected in result.stdout


def test_scalar_claims_about_a_sparse_system_are_judged(run: Run, tmp_path: Path) -> None:
    save(tmp_path, network(1100))
    assert run("check", "a.npz", "--require", "determined").returncode == 0
    result = run("check", "a.npz", "--max-condition", "1e30")
    assert result.returncode == 1
    assert "is not decided: the condition of a large sparse A is not computed" in result.stdout
    result = run("check", "a.npz", "--dydx", "1")
    assert result.returncode == 2
    assert "∂y/∂x of a large sparse system is not computed whole. --show NAMES says which" in result.stderr


@pytest.mark.parametrize(("change", "expected"), [("none", 0), ("one", 1), ("sign", 1)])
def test_claims_about_chosen_columns_are_judged(change: str, expected: int, run: Run, tmp_path: Path) -> None:
    A = network(1100)
    save(tmp_path, A, np.ones(1100))
    claim = sparse.linalg.splu(A.tocsc()).solve(np.eye(1100)[:, [2, 899]])
    if change == "one":
        claim[7, 1] *= 1 + 1e-5
    np.save(tmp_path / "c.npy", -claim if change == "sign" else claim)
    np.save(tmp_path / "rows.npy", claim[[4, 6]])
    result = run("check", "a.npz", "--show", "x3,x900", "--dydx", "@c.npy")
    assert (result.returncode, result.stderr) == (expected, "")
    if change == "one":
        assert "dy_dx[8][2] (∂y8/∂x900)" in result.stdout
    if change == "sign":
        assert "the claim is the negative of ∂y/∂x: is a sign flipped?" in result.stdout
    if change == "none":
        assert run("check", "a.npz", "--show", "x3,x900,y5,y7", "--dydx", "@rows.npy").returncode == 0
        assert run("check", "a.npz", "--show", "x3,x900,y5", "--dydx", "@rows.npy").returncode == 2


def test_show_in_check_is_for_sparse_systems(run: Run) -> None:
    result = run("check", "s.yaml", "--show", "x1", files={"s.yaml": "A: [[2]]\nexpect: {rank: 1}\n"})
    assert result.returncode == 2
    assert "s.yaml: --show is for claims about a large sparse system" in result.stderr


@pytest.mark.parametrize(
    ("error", "claimed", "code"), [(np.inf, 1.0, 1), (3.0, 2.0, 1), (3.0, 1.0, 0), (1e-12, 2.0, 1)]
)
def test_an_error_that_hides_a_claim_leaves_it_undecided(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: float, claimed: float, code: int
) -> None:
    """All potentials are 1; the claim of one of them is judged with another bound on the computed values."""
    n = 1200
    save(tmp_path, network(n), np.eye(1, n, n - 1)[0])
    claim = np.ones(n)
    claim[7] = claimed
    np.save(tmp_path / "c.npy", claim)
    answer = judging._answer
    monkeypatch.setattr(judging, "_answer", lambda *given: BallMatrix(answer(*given).array, np.full((1, n), error)))
    result = run("check", "a.npz", "-g", "@g.npy", "--dldx", "@c.npy")
    assert (result.returncode, result.stderr) == (code, "")
    verdict = "holds" if not code else "fails" if error < 1 else "is not decided: dL_dx["
    assert verdict in result.stdout


def test_a_bound_beyond_doubles_certifies_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    solution = sparse_solver._solution
    without_bound = lambda *given: (found := solution(*given))._replace(error=np.full_like(found.value, np.inf))  # noqa: E731
    monkeypatch.setattr(sparse_solver, "_solution", without_bound)
    found = solved(kept_sparse(network(1200).toarray(), np.eye(1, 1200)))
    assert [code for code, _ in found.warnings] == ["not-certified"]

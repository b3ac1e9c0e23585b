"""∂L/∂A and ∂L/∂B against exact differences: perturb a coefficient, solve again, and compare."""

import json
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from conftest import Run, examples
from elimination import Matrix, inverse, null_space, product, rank, reduced, transpose
from hypothesis import assume, given
from hypothesis import strategies as st

from implicitgrad import InputError, solve

entries = st.integers(-4, 4).map(Fraction)
steps = st.builds(Fraction, st.sampled_from([-3, -2, -1, 1, 2, 3]), st.integers(2, 9))


def vectors(n: int) -> st.SearchStrategy[list[Fraction]]:
    return st.lists(entries, min_size=n, max_size=n)


def matrices(m: int, n: int) -> st.SearchStrategy[Matrix]:
    return st.lists(vectors(n), min_size=m, max_size=m)


def times(X: Matrix, v: Sequence[Fraction]) -> list[Fraction]:
    return [sum((a * b for a, b in zip(row, v, strict=True)), Fraction(0)) for row in X]


def dot(v: Sequence[Fraction], w: Sequence[Fraction]) -> Fraction:
    return times([list(v)], w)[0]


def one_solution(A: Matrix, right: Sequence[Fraction]) -> list[Fraction] | None:
    n = len(A[0])
    rows, pivots = reduced([[*row, side] for row, side in zip(A, right, strict=True)])
    if n in pivots:
        return None
    y = [Fraction(0)] * n
    for row, pivot in zip(rows, pivots, strict=False):
        y[pivot] = row[n]
    return y


@given(st.integers(1, 4).flatmap(lambda n: st.tuples(matrices(n, n), vectors(n), vectors(n))), steps, st.data())
@examples(75)
def test_a_changed_coefficient_of_an_invertible_system_changes_the_loss_as_the_rank_one_update_says(
    system: tuple[Matrix, list[Fraction], list[Fraction]], step: Fraction, data: st.DataObject
) -> None:
    A, g, x = system
    n = len(A)
    assume(rank(A) == n)
    P = data.draw(st.integers(1, 3))
    B = data.draw(st.none() | matrices(n, P)) if data.draw(st.booleans()) else None
    x = x if B is None else data.draw(vectors(P))
    found = solve(A, g, B=B, at=x)
    right = x if B is None else times(B, x)
    y = times(inverse(A), right)
    assert list(found.y_value) == y
    i, j = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, n - 1))
    changed = [list(row) for row in A]
    changed[i][j] += step
    growth = 1 + step * inverse(A)[j][i]
    assume(growth)
    difference = dot(g, times(inverse(changed), right)) - dot(g, y)
    assert found.dL_dA[i][j] * step == difference * growth  # Sherman and Morrison
    k = data.draw(st.integers(0, len(x) - 1))
    side = [value + step * x[k] * (row == i) for row, value in enumerate(right)]
    assert found.dL_dB[i][k] * step == dot(g, times(inverse(A), side)) - dot(g, y)


def derivative_of_change(A: Matrix, g: Sequence[Fraction], ys: Sequence[Sequence[Fraction]], i: int, side: Any) -> Any:
    """∂L if equation i gets the right side ``side(y)`` more; None where that is not one number for all solutions y."""
    found = set()
    for y in ys:
        change = one_solution(A, [side(y) * (row == i) for row in range(len(A))])
        directions = null_space(A)
        if change is None or any(dot(g, v) for v in directions):
            return None
        found.add(dot(g, change))
    return found.pop() if len(found) == 1 else None


@given(st.data())
@examples(100)
def test_exactly_the_entries_that_do_not_depend_on_a_choice_are_determined(data: st.DataObject) -> None:
    m, n, r = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4)), data.draw(st.integers(0, 3))
    A = product(data.draw(matrices(m, r)), data.draw(matrices(r, n))) if r else [[Fraction(0)] * n] * m
    if data.draw(st.booleans()):
        x, B = times(A, data.draw(vectors(n))), None
    else:
        B, x = product(A, data.draw(matrices(n, 2))), data.draw(vectors(2))
    g = times(transpose(A), data.draw(vectors(m))) if data.draw(st.booleans()) else data.draw(vectors(n))
    found = solve(A, g, B=B, at=x)
    y = one_solution(A, x if B is None else times(B, x))
    assert y is not None
    directions = null_space(A)
    ys = [y, *([a + b for a, b in zip(y, v, strict=True)] for v in directions)]
    assert list(found.y_value) == [None if any(v[j] for v in directions) else y[j] for j in range(n)]
    for i in range(m):
        for j in range(n):
            assert found.dL_dA[i][j] == derivative_of_change(A, g, ys, i, lambda y, j=j: -y[j])
        for k in range(len(x)):
            assert found.dL_dB[i][k] == derivative_of_change(A, g, ys, i, lambda _, k=k: x[k])


@pytest.mark.parametrize(("m", "n", "r"), [(5, 5, 5), (5, 8, 5), (8, 5, 5), (60, 60, 60), (6, 6, 3)])
@pytest.mark.parametrize("has_B", [False, True])
def test_the_bounds_of_doubles_hold_against_exact_numbers(m: int, n: int, r: int, has_B: bool) -> None:
    random = np.random.default_rng(m + n + has_B)
    A = (
        random.integers(-9, 10, (m, r)) @ random.integers(-9, 10, (r, n))
        if r < min(m, n)
        else random.normal(size=(m, n))
    )
    A = np.round(A * 2**20) / 2**20
    x = A @ random.integers(-9, 10, n)  # exact: few bits
    B = np.column_stack([x, 2 * x]) if has_B else None
    x = np.array([3.0, -1.0]) if has_B else x
    g = random.integers(-9, 10, (2, m)) @ A
    doubles = solve(A, g, B=B, at=x)
    exact = solve(
        *(value.astype(float).tolist() for value in (A, g)), B=None if B is None else B.tolist(), at=x.tolist()
    )
    assert doubles.arithmetic == "float"
    assert exact.arithmetic == "exact" or m > 16
    for key in ("dL_dA", "dL_dB"):
        bound = doubles.at_value.error_bound(key)
        for computed, true in zip(getattr(doubles, key), getattr(exact, key), strict=True):
            pairs = [(c, t) for row, other in zip(computed, true, strict=True) for c, t in zip(row, other, strict=True)]
            assert all(t is not None for c, t in pairs if c is not None)
            errors = [abs(c - t) for c, t in pairs if c is not None]
            assert r < min(m, n) or bound is not None
            assert not errors or max(errors) <= (1e-9 * np.nanmax(np.abs(computed)) if bound is None else bound)


def test_the_gradient_of_a_large_system_alone_has_y_without_the_inverse() -> None:
    random = np.random.default_rng(5)
    n = 300
    A, x, g = random.normal(size=(n, n)), random.normal(size=n), random.normal(size=n)
    from implicitgrad.readers.arrays.python_values import linear_system
    from implicitgrad.solvers.dispatch import solve_system

    found = solve_system(linear_system(A, g, at=x), gradient_alone=True, wrt=("A", "B"))
    u, y = np.linalg.solve(A.T, g), np.linalg.solve(A, x)
    assert len(found.dy_dx) == 0
    assert np.allclose(found.dL_dA, -np.outer(u, y), rtol=1e-9)
    assert np.allclose(found.dL_dB, np.outer(u, x), rtol=1e-9)


def test_an_impossible_x_is_an_error_that_says_which_equations_contradict_one_another(run: Run) -> None:
    result = run("solve", "-A", "1 1; 1 1; 0 1", "-g", "1 0", "--at", "x1=5,x2=6,x3=0", "--wrt", "A")
    message = "no y solves the equations at this x: equation 2 − equation 1 says 1 = 0. x must satisfy x2 = x1"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"implicitgrad: <inline>: {message}\n")
    with pytest.raises(InputError, match="says 2 = 0"):
        solve([[1], [1]], [1], B=[[1], [2]], at=[2])
    with pytest.raises(InputError, match="says 1 = 0"):
        solve([[0]], [1], at=[1])


def test_a_rounded_x_is_no_contradiction_in_doubles() -> None:
    A = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
    assert solve(A, A[2], at=np.array([0.1, 0.2, 0.1 + 0.2])).warnings == ()
    found = solve(A, A[2], at=np.array([0.1, 0.2, 0.3 + 1.5e-15]))
    assert [code for code, _ in found.warnings] == ["rounded-x"]
    with pytest.raises(InputError, match="no y solves"):
        solve(A, A[2], at=np.array([0.1, 0.2, 0.3001]))


PAGE = """\
x = A·y   at x1 = 5, x2 = 5   2 equations, 3 unknowns
underdetermined: rank 2 of 3, 1 unknown is free, condition 3, exact

  at this x
    y1 = 0
    y2 = 5
  y3 is not unique

  ∂L/∂A   y1   y2               y3
 ─────────────────────────────────
  x1       0   -5   not determined
  x2       0    5   not determined

  ∂L/∂A has entries that are not determined: y is not unique, and they depend on it
"""
SYSTEM = "A: [[1, 1, 0], [0, 1, 0]]\ndL_dy: [1, 0, 0]\nat: {x2: 5, x1: 5}\n"


def test_a_page_says_what_is_determined_and_why_the_rest_is_not(run: Run) -> None:
    result = run("solve", "a.yaml", "--wrt", "A", files={"a.yaml": SYSTEM})
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.partition("\n")[2] == PAGE.partition("\n")[2]
    plain = run("solve", "a.yaml", "--wrt", "A", "--plain").stdout
    assert "dL_dA[x1][y2] = -5\ndL_dA[x1][y3] = not determined\n" in plain
    latex = run("solve", "a.yaml", "--wrt", "A", "--format", "latex").stdout
    assert "\\frac{\\partial L}{\\partial A} = \\begin{pmatrix}\n  0 & -5 & \\text{not determined}" in latex
    assert "| x1 | 0 | -5 | not determined |" in run("solve", "a.yaml", "--wrt", "A", "--format", "markdown").stdout


def test_the_record_has_y_and_the_gradients_that_were_asked_for(run: Run) -> None:
    files = {"a.yaml": SYSTEM, "two.yaml": SYSTEM.replace("[1, 0, 0]", "[[1, 0, 0], [0, 0, 1]]")}
    record = json.loads(run("solve", "a.yaml", "--format", "json", "--wrt", "A", files=files).stdout)
    assert record["at"] == {"x1": "5", "x2": "5"}
    assert (record["y_value"], record["dL_dA"]) == ([0, 5, None], [[0, -5, None], [0, 5, None]])
    assert record["exact"]["dL_dA"] == [["0", "-5", None], ["0", "5", None]]
    assert record["error_bound"] == {"dy_dx": 0, "dL_dx": 0, "y_value": 0, "dL_dA": 0}
    assert "dL_dB" not in record
    two = json.loads(run("solve", "two.yaml", "--format", "json", "--wrt", "A,B").stdout)
    assert two["dL_dA"] == [[[0, -5, None], [0, 5, None]], [[None] * 3] * 2]
    assert two["dL_dB"] == [[[5, 5], [-5, -5]], [[None] * 2] * 2]
    assert json.loads(run("batch", "a.yaml").stdout)["y_value"] == [0, 5, None]


def test_a_number_beyond_doubles_is_null_with_a_warning_and_exact_has_it(run: Run) -> None:
    record = json.loads(run("solve", "-A", "1e-300", "-g", "1", "--at", "x1=1e300", "--format", "json").stdout)
    assert (record["y_value"], record["exact"]["y_value"]) == ([None], [str(10**600)])
    assert [warning["code"] for warning in record["warnings"]] == ["double-overflow"]
    result = run("solve", "-A", "1e-300", "-g", "1", "--at", "x1=1e300", "--arithmetic", "float")
    assert (result.returncode, result.stdout) == (2, "")
    assert "expected numbers within the range of doubles, got one beyond" in result.stderr


def test_an_answer_at_a_value_of_x_is_written_so_that_check_reads_it_again(run: Run) -> None:
    written = run("solve", "a.yaml", "--format", "yaml", "--wrt", "x,A,B", files={"a.yaml": SYSTEM}).stdout
    assert "at: {x1: 5, x2: 5}\n" in written
    assert "dL_dA: [[0, -5, null], [0, 5, null]]\n" in written
    assert run("check", "b.yaml", "--strict", files={"b.yaml": written}).returncode == 0
    updated = written.replace("-5, null", "5, null")
    assert run("check", "--update", "--yes", "c.yaml", files={"c.yaml": updated}).returncode == 0
    assert run("check", "c.yaml").returncode == 0
    refused = run("solve", "a.yaml", "--format", "csv", "--wrt", "x,A")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "implicitgrad: a.yaml: CSV has no place for ∂L/∂A and ∂L/∂B. --format json has them\n"
    assert run("solve", "a.yaml", "--format", "csv").stdout.startswith("dy/dx,x1,x2\n")


def test_npz_files_have_the_value_of_x_and_get_the_gradients(run: Run, tmp_path: Any) -> None:
    A, g, x = np.array([[1.0, 2], [3, 4]]), np.ones(2), np.array([5.0, 6])
    np.savez(tmp_path / "a.npz", A=A, dL_dy=g, x_value=x, expect_dL_dA=[[-2.0, 2.25], [2.0, -2.25]])
    assert run("check", "a.npz").returncode == 0
    assert run("solve", "a.npz", "--wrt", "x,A,B", "-o", "b.npz").returncode == 0
    with np.load(tmp_path / "b.npz") as found:
        assert np.allclose(found["y_value"], np.linalg.solve(A, x))
        assert np.allclose(found["dL_dA"], -np.outer(np.linalg.solve(A.T, g), np.linalg.solve(A, x)))
        assert np.allclose(found["dL_dB"], np.outer(np.linalg.solve(A.T, g), x))
    np.savez(tmp_path / "c.npz", A=A, dL_dy=g, x_value=x[:1])
    assert "c.npz: x_value has 1 entry; expected 2 entries, one for each input x" in run("solve", "c.npz").stderr


def test_each_system_of_a_stack_has_its_value_of_x(run: Run, tmp_path: Any) -> None:
    random = np.random.default_rng(8)
    A, g, x = random.normal(size=(3, 2, 2)), random.normal(size=(3, 2)), random.normal(size=(3, 2))
    y = np.linalg.solve(A, x[..., None])[..., 0]
    u = np.linalg.solve(A.transpose(0, 2, 1), g[..., None])[..., 0]
    claim = -u[:, :, None] * y[:, None, :]
    np.savez(tmp_path / "s.npz", A=A, dL_dy=g, x_value=x, expect_dL_dA=claim)
    assert run("check", "s.npz", "--strict").returncode == 0
    records = [json.loads(line) for line in run("solve", "s.npz", "--wrt", "A", "--format", "json").stdout.splitlines()]
    assert np.allclose([record["dL_dA"] for record in records], claim)
    np.savez(tmp_path / "w.npz", A=A, dL_dy=g, x_value=x, expect_dL_dA=-claim)
    assert run("check", "w.npz").returncode == 1
    solutions = solve(A, g, at=x)
    assert np.allclose([one.dL_dA for one in solutions], claim)
    assert np.allclose(solve(A, g, at=x[0])[2].dL_dB, u[2][:, None] * x[0])


REFUSED = {
    "no value": (("-A", "1", "-g", "1", "--wrt", "A"), "<inline>: --wrt A needs the value of x, and there is none"),
    "no gradient": (("-A", "1", "--at", "x1=1", "--wrt", "B"), "<inline>: --wrt B needs dL_dy, and there is none"),
    "unknown key": (("-A", "1", "--wrt", "q"), "<inline>: --wrt: expected some of x, A, B, got 'q'"),
    "unknown name": (("-A", "1", "--at", "x=1"), "--at: expected values of the inputs, x1, got one of 'x'"),
    "an unknown": (("-A", "1", "--at", "x1=1,y1=1"), "got one of 'y1'. y is solved for"),
    "missing name": (("-A", "1; 1", "--at", "x1=1"), "--at: expected a value for x2, got none"),
    "no number": (("-A", "1", "--at", "x1=1e999"), "x_value[1]: expected"),
    "solve for": (("-A", "1", "--at", "x1=1", "--solve-for", "x1"), "--solve-for is for equations"),
    "of a program": (("p.yaml", "--wrt", "B"), "p.yaml: --wrt: expected some of q, h, b, lb, ub, P, G, A, x, got 'B'"),
    "at of a program": (("p.yaml", "--at", "x1=1"), "p.yaml: --at is for linear systems and equations"),
    "bad list": (("l.yaml",), "l.yaml:2:5: x_value has 2 entries; expected 1 entry, one for each input x"),
    "twice": (("t.yaml",), "t.yaml:2:13: at: duplicate name 'x1', first on line 2"),
    "of equations": (("e.yaml", "--at", "x=1"), "e.yaml: --at is for matrices and for -e"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_with_a_reason(run: Run, options: tuple[str, ...], message: str) -> None:
    files = {
        "p.yaml": "P: [[1]]\nq: [1]\n",
        "l.yaml": "A: [[1]]\nat: [1, 2]\n",
        "t.yaml": "A: [[1]]\nat: {x1: 1, x1: 2}\n",
        "e.yaml": 'equations: ["x = y**2"]\ny: [y]\n',
    }
    result = run("solve", *options, files=files)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr


def test_y_is_written_in_terms_of_what_is_free(run: Run) -> None:
    """A network without a ground: potentials up to a constant."""
    A = "2 -1 0 -1; -1 3 -1 -1; 0 -1 2 -1; -1 -1 -1 3"
    given = ("-A", A, "--y", "v1,v2,v3,v4", "--x", "i1,i2,i3,i4", "--free", "v4", "--at", "i1=1,i2=0,i3=0,i4=-1")
    result = run("solve", *given)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith(
        "  at this x\n    v1 = 5/8 + v4\n    v2 = 1/4 + v4\n    v3 = 1/8 + v4\n  v4 is not unique\n"
    )
    assert json.loads(run("solve", *given, "-f", "json").stdout)["y_value"] == [None] * 4
    refused = run("solve", *given[:-3], "v4=0")
    assert refused.returncode == 2
    assert refused.stderr.endswith("expected v1, v2, v3, v4. The value of a free unknown is yours to choose\n")

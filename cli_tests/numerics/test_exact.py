"""The exact solver against elimination written in the tests and against sympy, over the cases and random systems."""

import json
import subprocess
import sys
from fractions import Fraction
from itertools import combinations
from random import Random
from typing import Any

import pytest
import sympy
from cases import CASES, Case
from conftest import Run, examples, spread
from elimination import Matrix, identity, inverse, matrix, null_space, product, rank, transpose
from hypothesis import given
from hypothesis import strategies as st

import implicitgrad
from implicitgrad import InputError, LinearSystem, Solution, UsageError, linear_system, solve
from implicitgrad.model.system import Arithmetic
from implicitgrad.numbers import flint_reduction
from implicitgrad.writers.record import to_record

ENTRIES = st.one_of(
    st.integers(-3, 3).map(Fraction),
    st.sampled_from([Fraction(0)]),
    st.fractions(min_value=-5, max_value=5, max_denominator=12),
)


@st.composite
def systems(draw: st.DrawFn) -> LinearSystem:
    """Random rational systems of every shape and rank, with and without B and gradients."""
    M, N = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    inner = draw(st.integers(1, 5))  # A of rank at most `inner`

    def entries(rows: int, columns: int) -> Matrix:
        return [[draw(ENTRIES) for _ in range(columns)] for _ in range(rows)]

    A = product(entries(M, inner), entries(inner, N)) if draw(st.booleans()) else entries(M, N)
    B = None
    if draw(st.booleans()):
        P = draw(st.integers(1, 4))
        B = product(A, entries(N, P)) if draw(st.booleans()) else entries(M, P)
    dL_dy: object = None
    kind = draw(st.sampled_from(["none", "any", "row space", "several"]))
    if kind == "any":
        dL_dy = entries(1, N)[0]
    elif kind == "row space":
        dL_dy = product(entries(1, M), A)[0]
    elif kind == "several":
        dL_dy = entries(draw(st.integers(1, 3)), N)
    return linear_system(A, dL_dy, B=B)


def parts(system: LinearSystem) -> tuple[Matrix, Matrix]:
    A = [list(row) for row in system.A]
    B = identity(system.equations) if system.B is None else [list(row) for row in system.B]
    return A, B


def inputs_by_independent(solution: Solution) -> Matrix:
    """T (P × P′): all inputs by the independent ones."""
    rows = {name: [Fraction(name == other) for other in solution.independent] for name in solution.independent}
    if solution.constraints is not None:
        for name, row in zip(solution.constraints.dependent, solution.constraints.matrix, strict=True):
            rows[name] = list(row)
    return [rows[name] for name in solution.system.x]


def holds_everything_in_section_one(solution: Solution) -> None:
    """Rank, A·J₀ = B·T, A·V = 0 and span of V, constraints, determinacy, uniqueness: all against elimination."""
    system, general = solution.system, solution.general
    A, B = parts(system)
    N, P = system.unknowns, system.inputs
    r = rank(A)
    J0, V, T = [list(row) for row in general.particular], general.null_space, inputs_by_independent(solution)
    F = N - r
    assert solution.rank == r
    assert len(general.free) == F

    # x is possible exactly if rank [A | B·x] = rank A: the possible x are the columns of T, and no more.
    unsolvable = rank([a + b for a, b in zip(A, B, strict=True)]) - r
    assert len(solution.independent) == P - unsolvable
    assert (solution.constraints is None) == (unsolvable == 0)
    BT = product(B, T) if solution.independent else [[] for _ in A]
    assert product(A, J0) == BT
    assert not T or not T[0] or rank(T) == len(solution.independent)

    # V spans the null space, with the identity in the free rows, where J₀ is zero.
    assert not F or product(A, V) == [[0] * F for _ in A]
    for f, name in enumerate(general.free):
        i = system.y.index(name)
        assert list(V[i]) == [Fraction(f == other) for other in range(F)]
        assert not any(J0[i])
    assert (
        solution.status
        == {
            (False, False): "determined",
            (True, False): "underdetermined",
            (False, True): "overdetermined",
            (True, True): "rank-deficient",
        }[F > 0, unsolvable > 0]
    )

    # An entry is determined exactly if no null vector moves its row and no constraint concerns its column.
    null_vectors = null_space(A)
    left_null = null_space(transpose(A))
    C = product(left_null, B) if left_null else []
    constrained = [any(row[k] for row in C) for k in range(P)]
    for i in range(N):
        for k in range(P):
            is_determined = not constrained[k] and not any(vector[i] for vector in null_vectors)
            assert (solution.dy_dx[i][k] is not None) == is_determined
            if is_determined:
                assert solution.dy_dx[i][k] == J0[i][solution.independent.index(system.x[k])]

    # ∂L/∂x is unique exactly if ∂L/∂y is orthogonal to the null space of A.
    for row, g in enumerate(system.dL_dy or ()):
        is_unique = not any(sum(a * b for a, b in zip(g, vector, strict=True)) for vector in null_vectors)
        assert solution.unique_losses[row] == is_unique
        assert solution.dL_dx_rows is not None
        assert general.dL_dx_particular is not None
        assert general.dL_dx_coefficients is not None
        assert list(general.dL_dx_particular[row]) == (product([list(g)], J0)[0] if J0[0] else [])
        assert list(general.dL_dx_coefficients[row]) == (product([list(g)], V)[0] if F else [])
        for k in range(P):
            assert (solution.dL_dx_rows[row][k] is not None) == (is_unique and not constrained[k])

    # The minimum-norm Jacobian solves the system and is orthogonal to the null space, which makes it the only one.
    least = [list(row) for row in general.minimum_norm]
    assert product(A, least) == BT
    if null_vectors and solution.independent:
        assert not any(any(row) for row in product(null_vectors, least))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_case_holds_everything_and_has_its_verdict(case: Case) -> None:
    solution = solve(case.A, case.dL_dy, B=case.B)
    assert (solution.status, solution.rank) == (case.status, case.rank)
    holds_everything_in_section_one(solution)


@examples(150)
@given(systems())
def test_random_systems_hold_everything(system: LinearSystem) -> None:
    holds_everything_in_section_one(solve(system))


@examples(30)
@given(systems())
def test_random_systems_agree_with_sympy(system: LinearSystem) -> None:
    solution = solve(system)
    A, B = (
        sympy.Matrix([[sympy.Rational(e.numerator, e.denominator) for e in row] for row in X]) for X in parts(system)
    )
    pseudo_inverse = A.pinv()
    assert solution.rank == A.rank()
    T = inputs_by_independent(solution)
    if solution.independent:
        T = sympy.Matrix([[sympy.Rational(e.numerator, e.denominator) for e in row] for row in T])
        least = sympy.Matrix(solution.general.minimum_norm)
        assert (least - pseudo_inverse * B * T).applyfunc(sympy.nsimplify).is_zero_matrix
    if solution.condition_squared is not None:
        squared = sum(a**2 for a in A) * sum(a**2 for a in pseudo_inverse)
        assert sympy.Rational(solution.condition_squared.numerator, solution.condition_squared.denominator) == squared
    else:
        assert A.is_zero_matrix
    if A.rank() == A.rows == A.cols:
        assert sympy.Matrix(solution.dy_dx) == A.inv() * B


@examples(75)
@given(systems(), st.data())
def test_perturbing_x_and_solving_again_gives_the_same_derivatives(system: LinearSystem, data: st.DataObject) -> None:
    """Move x along T by an exact step; y = J₀·z solves A·y = B·T·z, and where y is unique it is the only solution."""
    solution = solve(system)
    if not solution.independent:
        return
    A, B = parts(system)
    step = [data.draw(ENTRIES) for _ in solution.independent]
    x = [sum((t * s for t, s in zip(row, step, strict=True)), Fraction(0)) for row in inputs_by_independent(solution)]
    y = [sum((j * s for j, s in zip(row, step, strict=True)), Fraction(0)) for row in solution.general.particular]
    assert product(A, [[entry] for entry in y]) == product(B, [[entry] for entry in x])


@examples(75)
@given(systems(), st.data())
def test_free_unknowns_are_the_first_possible_or_those_chosen(system: LinearSystem, data: st.DataObject) -> None:
    A, _ = parts(system)
    vectors = null_space(A)
    F = len(vectors)

    def can_be_free(choice: tuple[int, ...]) -> bool:
        return rank([[vector[i] for i in choice] for vector in vectors]) == F if F else not choice

    possible = [choice for choice in combinations(range(system.unknowns), F) if can_be_free(choice)]
    assert [system.y.index(name) for name in solve(system).general.free] == list(possible[0])
    chosen = data.draw(st.sampled_from(list(combinations(range(system.unknowns), F))))
    names = [system.y[i] for i in chosen]
    if chosen in possible:
        solution = solve(system, free=names)
        assert solution.general.free == tuple(names)
        holds_everything_in_section_one(solution)
    else:
        with pytest.raises(UsageError, match="cannot be free"):
            solve(system, free=names)


def test_the_notes_equation_with_a_gradient_that_leaves_dL_dx_open() -> None:
    solution = solve([[3, 5]], [7, 11])
    assert solution.free_parameters == ("dy1/dx1",)
    assert solution.general.particular == ((0,), (Fraction(1, 5),))
    assert solution.general.null_space == ((1,), (Fraction(-3, 5),))
    assert solution.general.dL_dx_particular == ((Fraction(11, 5),),)
    assert solution.general.dL_dx_coefficients == ((Fraction(2, 5),),)
    assert solution.dL_dx == (None,)


def test_the_notes_equation_with_a_gradient_that_makes_dL_dx_unique() -> None:
    assert solve([[3, 5]], [6, 10]).dL_dx == (2,)


@pytest.mark.parametrize("first", [Fraction(1, 6), Fraction(0)], ids=["f = x/(2·a1)", "f = 0"])
def test_both_of_the_notes_choices_satisfy_the_general_solution(first: Fraction) -> None:
    general = solve([[3, 5]], [7, 11]).general
    second = general.particular[1][0] + general.null_space[1][0] * first
    assert second == (1 - 3 * first) / 5
    assert 3 * first + 5 * second == 1


def test_a_large_matrix_is_inverted_exactly() -> None:
    n = 24
    A = [[Fraction((i * j) % 7 + (i == j) * 11, 1 + (i + j) % 5) for j in range(n)] for i in range(n)]
    assert [list(row) for row in solve(A, arithmetic="exact").general.particular] == inverse(matrix(A))


def test_a_system_whose_answer_does_not_fit_into_memory_is_refused() -> None:
    for A in ([[1] * 30_000], [[1]] * 30_000):
        with pytest.raises(InputError, match="at most 4,000,000 entries"):
            solve(A, arithmetic="exact")
        with pytest.raises(InputError, match="at most 100,000,000 entries"):
            solve(A)


def test_fewer_names_than_free_unknowns_are_completed_from_the_first() -> None:
    assert solve([[1, 1, 1]], free=["y3"]).general.free == ("y1", "y3")


def test_an_impossible_choice_names_the_possible_ones() -> None:
    with pytest.raises(UsageError, match=r"y1 cannot be free; 1 unknown is free, possible are y2 or y3$"):
        solve([[1, 0, 0], [0, 1, 1]], free=["y1"])


def test_a_float_stands_for_its_exact_binary_value() -> None:
    assert solve([[0.1]]).dy_dx[0][0] == 1 / Fraction(0.1) != 10
    assert solve([["0.1"]]).dy_dx[0][0] == 10


def test_the_null_space_of_a_solution_is_empty_where_everything_is_determined() -> None:
    assert implicitgrad.solve([[2]]).general.null_space == ((),)


# python-flint, and when exact arithmetic is chosen


def large(M: int, N: int, rank: int, P: int = 0, seed: int = 0) -> LinearSystem:
    random = Random(seed)

    def entries(rows: int, columns: int) -> list[list[str]]:
        return [[f"{random.randint(-9, 9)}/{random.randint(1, 3)}" for _ in range(columns)] for _ in range(rows)]

    A = entries(M, N)
    A[rank:] = [A[i % rank] for i in range(rank, M)]
    return linear_system(A, [["1"] * N, ["0", "2"] * (N // 2) + ["1"] * (N % 2)], B=entries(M, P) if P else None)


LARGE = {
    "determined": large(34, 34, 34),
    "underdetermined": large(12, 40, 12),
    "overdetermined": large(40, 12, 12),
    "rank-deficient": large(34, 34, 30),
    "determined beside B": large(8, 8, 8, P=36),
    "rank-deficient beside B": large(12, 10, 6, P=33),
    "rank 1": large(36, 36, 1),
}


@pytest.mark.parametrize("system", LARGE.values(), ids=LARGE.keys())
def test_flint_gives_the_same_answer_to_the_last_digit(system: LinearSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    reduced = []
    by_flint = flint_reduction.reduce_by_flint

    def noted(*arguments: Any, **options: Any) -> Any:
        reduced.append(by_flint(*arguments, **options))
        return reduced[-1]

    for free in ((), (system.y[-1],) if len(system.y) > system.equations else ()):
        monkeypatch.setattr(flint_reduction, "reduce_by_flint", noted)
        fast = solve(system, free=free, arithmetic="exact")
        assert reduced
        assert None not in reduced
        monkeypatch.setattr(flint_reduction, "reduce_by_flint", lambda *_, **__: None)
        slow = solve(system, free=free, arithmetic="exact")
        assert to_record(fast) == to_record(slow)
        assert fast.condition_squared == slow.condition_squared


def test_flint_is_loaded_beyond_32_rows_and_columns_only() -> None:
    code = """
import random, sys
from implicitgrad import solve
numbers = random.Random(0)
for n in (32, 33):
    solve([[numbers.randint(-9, 9) for _ in range(n)] for _ in range(n)], arithmetic="exact")
    print("flint" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\nTrue\n"


def test_a_system_of_text_is_solved_exactly_if_that_takes_no_noticeable_time(run: Run) -> None:
    """By its size and digits; a cutoff decides no rank that can be decided exactly in seconds."""
    random = Random(5)

    def rows(n: int, digits: int, rank: int) -> list[list[str]]:
        found = [[str(random.randint(-(10**digits), 10**digits)) for _ in range(n)] for _ in range(n)]
        found[rank:] = [found[i - rank] for i in range(rank, n)]
        return found

    cases = (
        (16, 40, 16, "exact"),
        (20, 2, 20, "exact"),
        (20, 2, 19, "exact"),
        (40, 3, 40, "exact"),
        (24, 60, 24, "float"),
        (72, 1, 72, "float"),
        (24, 25, 23, "exact"),  # settled
    )
    by_command = [case[:3] for case in spread(cases, 5)]
    for n, digits, r, expected in spread(cases, 2):
        A = rows(n, digits, r)
        found = solve(A)
        assert (str(found.arithmetic), found.rank) == (expected, r), (n, digits)
        if (n, digits, r) not in by_command:
            continue
        system = json.dumps({"A": [[int(entry) for entry in row] for row in A], "expect": {"rank": r}})
        files = {"a.json": system, "a.jsonl": f"{system}\n"}
        for command in (("solve", "a.json", "-f", "json"), ("batch", "a.jsonl")):
            record = json.loads(run(*command, files=files).stdout)
            assert (record["arithmetic"], record["rank"]) == (expected, r), command
        assert run("check", "a.json").returncode == 0


def test_a_rank_near_the_cutoff_is_found_exactly() -> None:
    """20 rows that doubles take for 19."""
    n = 20
    A = [[str(int(i == j) if i < n - 1 else 1) for j in range(n)] for i in range(n)]
    A[-2] = ["1"] * n
    A[-1] = [*["1"] * (n - 1), "1.00000000000000000001"]
    found = solve(A)
    assert (found.arithmetic, found.rank) == (Arithmetic.EXACT, n)
    assert solve(A, arithmetic="float").rank == n - 1


def test_what_can_be_free_is_judged_by_the_rank_that_is_settled(run: Run) -> None:
    """Two columns that only exact arithmetic tells apart."""
    random, n = Random(3), 24
    A = [[random.randint(-(10**25), 10**25) for _ in range(n - 1)] for _ in range(n)]
    text = "; ".join(" ".join(map(str, [*row, row[-1] + (i == 0)])) for i, row in enumerate(A))
    result = run("solve", "-A", text, "--free", "y1")
    message = "<inline>: y1 cannot be free; expected none, since every unknown is determined"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"implicitgrad: {message}\n")
    in_doubles = run("solve", "-A", text, "--free", "y1", "--arithmetic", "float")
    assert "y1 cannot be free; 1 unknown is free, possible are y23 or y24" in in_doubles.stderr

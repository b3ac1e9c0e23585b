"""Claims are judged as mathematics: whatever is valid passes, and nothing else."""

import json
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case
from conftest import IS_THOROUGH, Run, examples
from elimination import identity, inverse, null_space, product, transpose
from hypothesis import assume, given
from hypothesis import strategies as st
from intervals import between, is_feasible

from implicitgrad import InputError, LinearSystem, Solution, Verdict, check, linear_system, solve
from implicitgrad.checks.feasibility import rational as feasible

small = st.integers(-4, 4)
fractions = st.fractions(-5, 5, max_denominator=6)


def outcome(verdict: Verdict, key: str) -> Any:
    (found,) = [outcome for outcome in verdict.outcomes if outcome.key == key]
    return found


def solved(case: Case) -> Solution:
    return solve(case.A, case.dL_dy, B=case.B)


def moving(solution: Solution) -> list[list[Fraction]]:
    """All inputs by the independent ones."""
    system = solution.system
    rows = {name: [Fraction(name == other) for other in solution.independent] for name in solution.independent}
    if solution.constraints is not None:
        rows |= zip(solution.constraints.dependent, map(list, solution.constraints.matrix), strict=True)
    return [rows[name] for name in system.x]


def is_valid(system: LinearSystem, J: Any, T: Any) -> bool:
    """A·J·T = B·T, by multiplication alone."""
    B = system.B or identity(system.equations)
    return product(system.A, product(J, T)) == product(B, T)


@st.composite
def systems(draw: st.DrawFn, losses: int = 1) -> LinearSystem:
    M, N = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    A = draw(st.lists(st.lists(small, min_size=N, max_size=N), min_size=M, max_size=M))
    g = draw(st.lists(st.lists(small, min_size=N, max_size=N), min_size=losses, max_size=losses))
    B = None
    if draw(st.booleans()):
        P = draw(st.integers(1, 3))
        B = draw(st.lists(st.lists(small, min_size=P, max_size=P), min_size=M, max_size=M))
    return linear_system(A, g if losses > 1 else g[0], B=B)


def matrices(draw: st.DrawFn, rows: int, columns: int) -> list[list[Fraction]]:
    return draw(st.lists(st.lists(fractions, min_size=columns, max_size=columns), min_size=rows, max_size=rows))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_solve_finds_holds_as_a_claim(case: Case) -> None:
    solution = solved(case)
    claims: dict[str, Any] = {
        "status": case.status,
        "rank": case.rank,
        "dy_dx": solution.dy_dx,
        "free_parameters": list(solution.free_parameters),
        "constraints": solution.constraints and solution.constraints._asdict(),
    }
    if solution.dL_dx is not None:
        claims |= {"dL_dx": solution.dL_dx, "dL_dx_unique": all(solution.unique_losses)}
    if solution.condition is not None:
        claims["max_condition"] = Fraction(solution.condition) * (1 + Fraction(1, 2**50))
    verdict = check(solution.system, **claims)
    assert verdict, str(verdict)
    assert [outcome.key for outcome in verdict.outcomes if claims.get(outcome.key, 1) is not None]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_general_solution_holds_with_its_own_gradient_and_says_what_it_chose(case: Case) -> None:
    solution = solved(case)
    general = solution.general
    F, free = len(general.free), len(solution.independent)
    if not free:
        pytest.skip("no input can vary")
    Z = [[Fraction(3 * f + 7 * m + 1, 5) for m in range(free)] for f in range(F)]
    J = [
        [j + change for j, change in zip(row, moved, strict=True)]
        for row, moved in zip(
            general.particular, product(general.null_space, Z) if F else general.particular, strict=True
        )
    ] if F else [list(row) for row in general.particular]  # fmt: skip
    claims: dict[str, Any] = {"dy_dx": J}
    if solution.system.dL_dy is not None:
        gradient = product(solution.system.dL_dy, J)
        claims["dL_dx"] = gradient[0] if solution.system.has_one_loss else gradient
    verdict = check(solution.system, **claims)
    assert verdict, str(verdict)
    chosen = [str(choice) for choice in outcome(verdict, "dy_dx").choices]
    assert len(chosen) == F * free
    for (y, row), m in ((pair, m) for pair in zip(general.free, Z, strict=True) for m in range(free)):
        value = row[m]
        number = f"{value.numerator}/{value.denominator}" if value.denominator > 1 else str(value.numerator)
        assert f"∂{y}/∂{solution.independent[m]} = {number}" in chosen


def test_the_notes_two_choices_both_pass_with_their_two_gradients_and_no_other_does() -> None:
    a1, a2, g1, g2 = Fraction(3), Fraction(5), Fraction(7), Fraction(11)
    halves = [[1 / (2 * a1)], [1 / (2 * a2)]]
    second = [[Fraction(0)], [1 / a2]]
    gradients = [g1 * J[0][0] + g2 * J[1][0] for J in (halves, second)]
    assert gradients[0] != gradients[1]
    for J, gradient, other in ((halves, *gradients), (second, *reversed(gradients))):
        assert check([[a1, a2]], [g1, g2], dy_dx=J)
        assert check([[a1, a2]], [g1, g2], dL_dx=[gradient])
        assert check([[a1, a2]], [g1, g2], dy_dx=J, dL_dx=[gradient])
        failed = check([[a1, a2]], [g1, g2], dy_dx=J, dL_dx=[other])
        assert [outcome.key for outcome in failed.failures] == ["dL_dx"]
        worst = failed.failures[0].worst
        assert worst is not None
        assert (worst.correct, worst.difference) == (gradient, other - gradient)
    wrong = check([[a1, a2]], [g1, g2], dy_dx=[[1 / a1], [1 / a2]])
    assert str(wrong) == (
        "dy_dx fails: it does not solve A·∂y/∂x = B: 1 of 1 entry\n"
        "A·dy_dx[1][1] (3·∂y1/∂x1 + 5·∂y2/∂x1): claimed 2, correct is 1, difference 1\n"
        "the claim is 2 times a valid ∂y/∂x: is a factor of 2 too many?"
    )


@given(systems(), st.data())
@examples(100)
def test_a_jacobian_holds_exactly_if_it_solves_the_equation_along_the_constraint(
    system: LinearSystem, data: st.DataObject
) -> None:
    solution = solve(system)
    T = moving(solution)
    assume(T[0])
    J = matrices(data.draw, system.unknowns, system.inputs)
    if data.draw(st.booleans()):  # make it valid: any J + (J₀ + V·Z − J·T)·T⁺ is
        particular = solution.general.particular
        left = inverse(product(transpose(T), T))
        change = [[a - b for a, b in zip(p, q, strict=True)] for p, q in zip(particular, product(J, T), strict=True)]
        moved = product(product(change, left), transpose(T))
        J = [[a + b for a, b in zip(p, q, strict=True)] for p, q in zip(J, moved, strict=True)]
    assert bool(check(system, dy_dx=J)) == is_valid(system, J, T)


@given(systems(losses=2), st.data())
@examples(100)
def test_a_gradient_holds_exactly_if_a_valid_jacobian_yields_it(system: LinearSystem, data: st.DataObject) -> None:
    solution = solve(system)
    free = len(solution.independent)
    assume(free)
    g, general = system.dL_dy, solution.general
    assert g is not None
    claim = matrices(data.draw, 2, free)
    if data.draw(st.booleans()):
        claim = product(g, general.particular)
    verdict = check(system, dL_dx=claim)
    V = transpose(null_space([list(row) for row in system.A])) if general.free else []
    gV = product(g, V) if V else [[], []]
    rest = [
        [a - b for a, b in zip(p, q, strict=True)] for p, q in zip(claim, product(g, general.particular), strict=True)
    ]
    possible = all(
        is_feasible([line for row, r in zip(gV, rest, strict=True) for line in between(row, r[m], r[m])])
        for m in range(free)
    )
    assert bool(verdict) == possible
    if verdict.failures and (worst := outcome(verdict, "dL_dx").worst):
        assert worst.difference == worst.claimed_value - worst.correct != 0


@given(systems(), st.data())
@examples(100)
def test_decimals_hold_exactly_if_something_valid_rounds_to_them(system: LinearSystem, data: st.DataObject) -> None:
    solution = solve(system)
    general = solution.general
    assume(solution.constraints is None)
    texts = [
        [f"{data.draw(st.integers(-12, 12)) / 10:.1f}" for _ in range(system.inputs)] for _ in range(system.unknowns)
    ]
    half = Fraction(1, 20)

    def is_possible(tolerances: list[Fraction]) -> bool:
        return all(
            is_feasible([
                line
                for J, V, row in zip(general.particular, general.null_space, texts, strict=True)
                for line in between(list(V), Fraction(row[m]) - t - J[m], Fraction(row[m]) + t - J[m])
            ])
            for m, t in enumerate(tolerances)
        )  # fmt: skip

    found = outcome(check(system, dy_dx=texts), "dy_dx")
    rounded = [half] * system.inputs
    if not found.is_undecided:
        assert found.holds == is_possible(rounded)
        return
    assert found.reason.startswith("it proves nothing: its own rounding allows an error of 0.05 in dy_dx[")
    assert is_possible(rounded)
    squares = [sum(value**2 for value in column) / len(column) for column in transpose(general.minimum_norm)]
    assert not is_possible([min(half, Fraction(math.sqrt(square)) / 2) if square else half for square in squares])


@given(st.integers(1, 3), st.data())
@examples(100)
def test_intervals_are_feasible_exactly_if_elimination_says_so(F: int, data: st.DataObject) -> None:
    intervals = []
    for _ in range(data.draw(st.integers(1, 5))):
        coefficients = data.draw(st.lists(small.map(Fraction), min_size=F, max_size=F))
        radius = Fraction(data.draw(st.sampled_from([0, 0, 1])), 2)
        intervals.append(feasible.RationalInterval(tuple(coefficients), data.draw(fractions), radius))
    lines = [line for row, c, t in intervals for line in between(list(row), c - t, c + t)]
    assert feasible.is_feasible(intervals) == is_feasible(lines)


def test_intervals_that_have_one_point_in_common_are_feasible() -> None:
    one = (Fraction(1),)
    for lowest, is_there in ((Fraction(1), True), (Fraction(10**9 + 1, 10**9), False)):
        intervals = [
            feasible.RationalInterval(one, Fraction(0), Fraction(1)),
            feasible.RationalInterval(one, (7 + lowest) / 2, (7 - lowest) / 2),
        ]
        assert feasible.is_feasible(intervals) == is_there


def test_valid_to_the_written_digits_jointly_is_what_counts_not_each_alone() -> None:
    """y1 + y2 = 1 along x, and 7·y1 + 11·y2 = L: each claim rounds from something valid, the two not from the same."""
    A, g = [[1, 1]], [7, 11]
    assert check(A, g, dy_dx=["0.5", "0.5"])
    assert check(A, g, dy_dx=["0.5", "0.5"], dL_dx=["9.2"])  # y1 = 0.45, y2 = 0.55
    assert check(A, g, dy_dx=["0.54", "0.46"], dL_dx=["8.84"])
    failed = check(A, g, dy_dx=["0.5", "0.5"], dL_dx=["9.26"])
    assert [outcome.key for outcome in failed.failures] == ["dL_dx"]


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ("0.333", True), ("0.334", False), ("0.33", True), ("3.3e-1", True), ("3.4e-1", False), ("1/3", True),
        ("0", False), (Fraction(1, 3), True), (1 / 3, True), (0.333, False), (Decimal("0.333"), True),
        ("0.3333333333333333", True), ("0.33333333333333331", True), ("0.3333333333333", True),
        ("0.3333333333333334", True), ("0.333333333333333", True), ("0.33333333333334", False), ("0.", False),
        ("1.", False), ("3.333333333333333148e-01", True), ("0.3333333333333333333334", True),
        ("0.3333333333333433333334", False), ("3e-1", False), ("3.e-1", False),
    ],
)  # fmt: skip
def test_a_claim_is_held_to_the_digits_it_has(claim: object, holds: bool) -> None:
    assert bool(check([[3]], [1], dL_dx=[claim])) == holds
    assert bool(check([[3]], dy_dx=[[claim]])) == holds


@pytest.mark.parametrize(
    ("tolerance", "holds"),
    [({"atol": "0.01"}, True), ({"atol": "1/300"}, True), ({"atol": "0.003"}, False), ({"rtol": "0.02"}, True),
     ({"rtol": "1/100"}, False), ({"rtol": 0.005, "atol": 0.002}, True), ({"rtol": 0, "atol": 0}, False)],
)  # fmt: skip
def test_a_tolerance_takes_the_place_of_the_digits(tolerance: dict[str, Any], holds: bool) -> None:
    assert bool(check([[3]], [1], dL_dx=["0.33"], **tolerance)) == holds


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 2, 3, 6, 10])
def test_a_gradient_computed_in_floating_point_holds_and_a_wrong_one_does_not(dtype: type, n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(10 // n + 1 if IS_THOROUGH else 1 + (n < 4)):
        A, g = rng.normal(size=(n, n)).astype(dtype), rng.normal(size=n).astype(dtype)
        gradient, J = np.linalg.solve(A.T, g), np.linalg.inv(A)
        verdict = check(A, g, dL_dx=gradient, dy_dx=J)
        assert verdict, verdict
        assert check(A, g, dL_dx=gradient.astype(np.float32), rtol=1e-4)
        if np.linalg.cond(A) < 1e3:
            eps = float(np.finfo(dtype).eps)
            assert not check(A, g, dL_dx=gradient * dtype(1 + 1e6 * eps * n))
            assert not check(A, g, dy_dx=J + dtype(1e6 * eps * n) * np.abs(J).max())


def test_doubles_of_an_ill_conditioned_system_hold_as_far_as_doubles_can() -> None:
    n = 8
    A = [[Fraction(1, i + j + 1) for j in range(n)] for i in range(n)]
    computed = np.linalg.inv(np.array(A, dtype=float))
    assert check(A, dy_dx=computed)
    assert not check(A, dy_dx=computed * 1.1)
    for wrong in (-computed, 1.5 * computed, 0 * computed, np.ones((n, n))):
        assert not check(A, dy_dx=wrong)
        assert not check(A, np.ones(n), dL_dx=wrong.T @ np.ones(n))
    hopeless = [[Fraction(1, i + j + 1) for j in range(14)] for i in range(14)]
    assert not check(hopeless, dy_dx=np.linalg.inv(np.array(hopeless, dtype=float)))


def test_a_float_claim_far_from_a_small_gradient_of_a_large_inverse_fails() -> None:
    A, g = np.array([[1.0, 0.5], [0.0, 3e-8]]), np.array([2.0, 1.0])
    gradient = np.linalg.solve(A.T, g)
    assert check(A, g, dL_dx=gradient)
    for wrong in (-gradient, g, 1.001 * gradient, 0 * g):
        assert not check(A, g, dL_dx=wrong)


def test_an_array_that_is_not_finite_fails() -> None:
    verdict = check([[1, 2], [3, 4]], [1, 1], dL_dx=[math.nan, 0.5], dy_dx=[[math.inf, 1], [1, -math.inf]])
    assert [outcome.failing for outcome in verdict.outcomes] == [2, 1]
    assert str(verdict) == (
        "dy_dx fails: dy_dx[1][1] is inf: 2 of 4 entries are not finite\n"
        "dL_dx fails: dL_dx[1] is nan: 1 of 2 entries is not finite"
    )


def test_a_jacobian_that_says_nothing_leaves_a_gradient_that_fixes_nothing() -> None:
    outcome = check([[3, 5]], [7, 11], dy_dx=[[None], [None]], dL_dx=[2]).outcomes[1]
    assert outcome.holds
    assert outcome.fixes_nothing.startswith("∂L/∂y is not in the row space of A")


def test_a_jacobian_claimed_in_part_says_what_the_gradient_must_be() -> None:
    verdict = check([[3, 5]], [7, 11], dy_dx=[[0], [None]], dL_dx=[2])
    assert str(verdict) == (
        "dL_dx fails: it does not follow from the claimed ∂y/∂x: 1 of 1 entry\n"
        "dL_dx[1] (∂L/∂x1): claimed 2, correct is 11/5, difference -1/5"
    )


def test_a_claim_put_together_along_the_constraint_says_how() -> None:
    verdict = check([[1, 0], [0, 1], [1, 2]], [3, 4], dL_dx=[3, 4, -1])
    assert "claimed 4 + 2·(-1) = 2, correct is 4, difference -2" in str(verdict)


def test_a_verdict_is_shown_by_its_reasons() -> None:
    assert repr(check([[2]], [1], dL_dx=["1/2"])) == "<Verdict: dL_dx: all hold>"
    assert repr(check([[2]], rank=2)).startswith("<Verdict: rank fails: ")


def test_null_claims_that_an_entry_is_not_determined() -> None:
    wide = [[1, 0, 0], [0, 2, 3]]
    right = [[1, 0], [None, None], [None, None]]
    assert check(wide, [5, 0, 0], dy_dx=right, dL_dx=[5, 0])
    failed = check(wide, dy_dx=[[None, 0], [None, None], [0, "1/3"]])
    assert str(failed) == (
        "dy_dx fails: 1 of 6 entries\ndy_dx[1][1] (∂y1/∂x1): claimed not to be determined, correct is 1"
    )
    assert not check([[1, 2], [3, 4]], [1, 1], dL_dx=[None, "1/2"])
    assert check([[3, 5]], [7, 11], dL_dx=["null"])
    assert check([[1, 0], [0, 1], [1, 1]], [6, 10], dL_dx=[None, None, None])
    assert not check([[1, 0], [0, 1], [1, 1]], [6, 10], dL_dx=[None, 10])  # along the constraint it is 6


@pytest.mark.parametrize(
    ("A", "g", "claims", "why"),
    [
        ([[3, 5]], [7, 11], {"dL_dx": [9]}, "∂L/∂y is not in the row space of A"),
        ([[0, 0]], [1, 1], {"dL_dx": [9]}, "no input can vary"),
        ([[0]], [1], {"dy_dx": [[4]]}, "no input can vary"),
        ([[3, 5]], [6, 10], {"dL_dx": [2]}, ""),
        ([[3, 5]], [7, 11], {"dy_dx": [[0], ["1/5"]], "dL_dx": ["11/5"]}, ""),
        ([[3, 5]], [[7, 11], [6, 10]], {"dL_dx": [[9], [2]]}, ""),
        ([[3, 5]], [[7, 11], [1, 0]], {"dL_dx": [["11/5"], [0]]}, ""),
    ],
)
def test_a_claim_that_could_not_fail_is_told_that_it_fixes_nothing(
    A: object, g: object, claims: dict[str, Any], why: str
) -> None:
    verdict = check(A, g, **claims)
    assert verdict, verdict
    assert outcome(verdict, list(claims)[-1]).fixes_nothing.startswith(why)
    assert bool(outcome(verdict, list(claims)[-1]).fixes_nothing) == bool(why)


def test_a_gradient_of_many_free_parameters_says_what_it_asks_of_them() -> None:
    verdict = check([[1, 1, 1]], [1, 2, 4], dL_dx=[5])
    (choice,) = outcome(verdict, "dL_dx").choices
    # y3 = 1 − z1 − z2, so L = z1 + 2·z2 + 4·(1 − z1 − z2) = 5
    assert str(choice) == "∂y1/∂x1 + 2/3·∂y2/∂x1 = -1/3"


def test_losses_that_depend_on_one_another_must_agree() -> None:
    A, g = [[1, 1]], [[1, 2], [2, 4], [3, 5]]
    assert check(A, g, dL_dx=[[5], [10], [11]])  # y1 = -3
    first = outcome(check(A, g, dL_dx=[[5], [11], [13]]), "dL_dx")
    assert not first.holds
    assert first.worst is not None
    assert (first.worst.entry, first.worst.correct, first.failing) == ("dL_dx[3][1]", 11, 2)


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ({"dependent": ["x3"], "matrix": [[1, 1]]}, True),
        ({"dependent": ["x1"], "matrix": [[-1, 1]]}, True),
        ({"dependent": ["x3"], "matrix": [["1.0", "0.99"]]}, False),
        ({"dependent": ["x3"], "matrix": [[1, 2]]}, False),
        ({"dependent": ["x3", "x2"], "matrix": [[1], [1]]}, False),
    ],
)
def test_a_constraint_may_be_solved_for_any_input(claim: dict[str, Any], holds: bool) -> None:
    assert bool(check([[1, 0], [0, 1], [1, 1]], constraints=claim)) == holds


def test_constraints_may_be_those_of_a_solution_or_none() -> None:
    solution = solve([[1, 0], [0, 1], [1, 1]])
    assert check(solution.system, constraints=solution.constraints)
    assert not check(solution.system, constraints=())
    assert check([[1]], constraints=())
    with pytest.raises(InputError, match=r"constraints: expected \{dependent"):
        check([[1]], constraints=["x1"])


def test_what_does_not_follow_is_not_dependent() -> None:
    failed = check([[1, 0], [0, 1], [0, 2]], constraints={"dependent": ["x1"], "matrix": [[1, 0]]})
    assert str(failed) == "constraints fails: x1 do not follow from the other inputs; correct is x3 or a similar choice"


@pytest.mark.parametrize(
    ("A", "names", "holds"),
    [
        ([[3, 5]], ["dy1/dx1"], True), ([[3, 5]], ["dy2/dx1"], True), ([[3, 5]], ["∂y2/∂x1"], True),
        ([[3, 0]], ["dy1/dx1"], False), ([[3, 0]], ["dy2/dx1"], True), ([[3, 5]], [], False),
        ([[1, 2], [3, 4]], [], True), ([[1, 2, 0], [0, 1, 1]], ["dy1/dx1", "dy3/dx2"], True),
        ([[1, 2, 0], [0, 1, 1]], ["dy1/dx1", "dy3/dx1"], False), ([[1, 2], [2, 4]], ["dy1/dx2"], True),
        ([[1, 2], [0, 0]], ["dy1/dx2"], False), ([[3, 5]], 1, True), ([[3, 5]], 2, False), ([[3, 5]], -1, False),
    ],
)  # fmt: skip
def test_any_parameters_that_can_be_free_are_right(A: object, names: Any, holds: bool) -> None:
    assert bool(check(A, free_parameters=names)) == holds


def test_the_condition_is_compared_exactly() -> None:
    assert check([[1, 2], [3, 4]], max_condition=15)
    assert not check([[1, 2], [3, 4]], max_condition="14.999999999999999999999")
    assert not check([[1, 2], [3, 4]], max_condition=-15)
    assert not check([[0]], max_condition=10**9)


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"dL_dx": [1, 2, 3]}, "dL_dx has 3 entries; expected 2"),
        ({"dL_dx": [[1, 2], [3, 4]]}, "dL_dx has 2 rows; expected 1, one for each loss"),
        ({"dL_dx": 1}, "dL_dx: expected a list of numbers (1×2), got '1'"),
        ({"dL_dx": ["x", 1]}, "dL_dx[1]: expected a number such as -12, 0.5, 1e-3 or 3/4, got 'x'"),
        ({"dy_dx": [1, 2]}, "dy_dx has 2 entries; expected 3 rows of 2"),
        ({"dy_dx": [[1, 2, 3], [4, 5, 6]]}, "It has the shape of the transpose"),
        ({"dy_dx": [[1, 2], [3], [4, 5]]}, "dy_dx[2] has 1 entry; expected 2, one for each input x"),
        ({"status": "singular"}, "status: expected one of determined, underdetermined"),
        ({"rank": "two"}, "rank: expected a number"),
        ({"free_parameters": ["y1"]}, "free_parameters[1]: expected an entry of ∂y/∂x such as dy1/dx1, got 'y1'"),
        ({"free_parameters": ["dy1/dx1", "∂y1/∂x1"]}, "duplicate name"),
        ({"constraints": {"dependent": ["z"], "matrix": [[1]]}}, "expected one of x1, x2, got 'z'"),
        ({"constraints": {"dependent": ["x1"]}}, "constraints: expected dependent and matrix, got dependent"),
        ({"constraints": {"dependent": ["x1"], "matrix": [[1, 2]]}}, "constraints.matrix[1] has 2 entries; expected 1"),
        ({"dL_dx": [1, 1], "rtol": -1}, "tolerance.rtol: expected a number of 0 or more, got '-1'"),
        ({"dL_dx": [1, 1], "atol": "many"}, "tolerance.atol: expected a number"),
    ],
)
def test_a_claim_that_makes_no_sense_is_an_input_error(claims: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        check([[1, 2, 3], [4, 5, 6]], [1, 1, 1], **claims)
    assert message in str(caught.value)


def test_a_gradient_is_claimed_only_where_there_is_a_loss_and_something_must_be_claimed() -> None:
    with pytest.raises(InputError, match="dL_dx needs dL_dy, and there is none"):
        check([[1]], dL_dx=[1])
    with pytest.raises(TypeError, match="expected a claim"):
        check([[1]])
    with pytest.raises(TypeError, match="has its own"):
        check(linear_system([[1]]), [1], rank=1)


def test_a_verdict_cannot_be_changed_and_says_that_all_is_well() -> None:
    verdict = check([[1]], rank=1, status="determined")
    assert str(verdict) == "status, rank: all hold"
    with pytest.raises(AttributeError):
        verdict.outcomes = ()  # type: ignore[misc]


def test_the_example_in_the_docstring_holds() -> None:
    import doctest

    from implicitgrad.model import verdict

    assert doctest.testmod(verdict).failed == 0


ULP = Fraction(1, 2**52)


def test_an_entry_with_the_wrong_sign_is_not_taken_for_rounding() -> None:
    A, g = np.diag([1e-8, 1.0]), np.ones(2)
    assert check(A, g, dL_dx=np.array([1e8, 1.0]))
    assert check(A, g, dL_dx=np.array([1e8 + 1, 1.25]))  # the condition allows an error of 8.88
    for wrong in (-1.0, 0.0, 2.0):
        (outcome,) = check(A, g, dL_dx=np.array([1e8, wrong])).outcomes
        assert (outcome.holds, outcome.is_undecided) == (False, True)
        assert f"dL_dx[2] (∂L/∂x2): claimed {wrong}, correct is 1, " in outcome.reason
        assert outcome.reason.endswith("may explain that, and so may a mistake; a stated relative tolerance decides")
    assert check(A, g, dL_dx=np.array([1e8, 2.0]), rtol=1)
    stack = np.stack([np.eye(2), A])
    assert check(stack, g, dL_dx=np.array([[1.0, 1.0], [1e8, 1.0]]))
    assert check(stack, g, dL_dx=np.array([[1.0, 1.0], [1e8, -1.0]])).failing == (1,)
    noise = np.array([[1.0, 1e-17], [0.0, 1.0]])  # what stands for 0 is no entry of its own size
    assert check(noise, dy_dx=np.eye(2))


def test_beside_a_computed_number_0_0_is_computed_too(run: Run) -> None:
    A, g = [[3.0, 1.0, 0.0], [1.0, 30.0, 0.0], [0.0, 2.0, 40.0]], [1.0, 1.0, 1.0]
    right = np.linalg.solve(np.array(A).T, g)
    masked = right * [1, 1, 0]
    for claim, code in ((right, 0), (masked, 1)):
        text = json.dumps({"A": A, "dL_dy": g, "expect": {"dL_dx": claim.tolist()}})
        result = run("check", "a.json", files={"a.json": text})
        assert (result.returncode, result.stderr) == (code, "")
    assert "dL_dx[3] (∂L/∂x3): claimed 0.0, correct is 0.025, difference -0.025, allowed ≈8.80e-15" in result.stdout
    assert check([[3, 0], [0, 7]], dy_dx=[[1 / 3, 0], [0, "0.143"]])  # a text beside a float of Python is as written


@pytest.mark.parametrize(
    ("A", "g", "B", "claim"),
    [
        ([[1]], None, None, [[2 * ULP]]),
        ([[1]], None, [[16]], [[32 * ULP]]),
        ([[1]], [8], None, [16 * ULP]),
        ([[1]], [[1], [1024]], None, [[2 * ULP], [0]]),
        ([[1], [0]], None, [[1], [0]], [[4 * ULP]]),
    ],
)
def test_a_computed_claim_is_allowed_what_the_page_says_and_no_more(A: Any, g: Any, B: Any, claim: Any) -> None:
    """4·max(M, N, P)·u·condition·(‖claimed‖ + ‖B‖/‖A‖), for ∂L/∂x with the norm of its own loss's gradient."""
    solution = solve(A, g, B=B)
    key = "dy_dx" if g is None else "dL_dx"
    right = np.array(getattr(solution, key), dtype=float)
    allowed = np.array(claim, dtype=float)
    assert check(solution.system, **{key: right + 2 * allowed})
    assert not check(solution.system, **{key: right + allowed * 3})


def test_an_ill_conditioned_system_allows_as_much_more_as_its_condition_says() -> None:
    A = [[1, 0], [0, Fraction(1, 1024)]]  # 4·2·2⁻⁵³·2¹⁰·2¹⁰·√2 = 1.4·2⁻³⁰
    assert check(A, dy_dx=[[1 + 2.0**-30, 0], [0, 1024]])
    assert not check(A, dy_dx=[[1 + 2.0**-29, 0], [0, 1024]])


def test_an_array_is_allowed_what_its_own_type_may_be_wrong_by() -> None:
    assert check([[1]], dy_dx=np.array([[1 + 2.0**-21]], dtype=np.float32))
    assert not check([[1]], dy_dx=np.array([[1 + 1.5 * 2.0**-21]], dtype=np.float32))
    assert check([[1]], dy_dx=np.array([[1 + 2.0**-8]], dtype=np.float16))
    assert not check([[1]], dy_dx=np.array([[1 + 2.0**-7]], dtype=np.float16))


def test_an_exponent_has_no_digits_that_count() -> None:
    A = [[1, 0], [0, "1e-6"]]
    assert not check(A, dy_dx=[[1, 0], [0, "1.0000000000001E+06"]])  # 14 digits were written by hand
    assert check(A, dy_dx=[[1, 0], [0, "1.000000000000001E+06"]])
    assert not check(A, dy_dx=[[1, "0.000000000000001"], [0, 1000000]])  # nor have the zeros in front


def test_along_a_constraint_the_digits_of_all_entries_add_up_whatever_their_signs() -> None:
    assert check([[1], [-1]], dy_dx=[["0.5", "-0.4"]])  # 0.5 + 0.4 = 0.9 ± 0.1
    assert not check([[1], [-1]], dy_dx=[["0.5", "-0.39"]])


@pytest.mark.parametrize(
    ("A", "g", "claims", "holds"),
    [
        ([[1, 2], [2, 4]], [1, 0], {"dL_dx": [None]}, True),
        ([[1, 2], [2, 4]], [1, 2], {"dL_dx": [None]}, False),
        ([[1], [2]], None, {"dy_dx": [None]}, False),
        ([[1, 2], [2, 4]], None, {"dy_dx": [None, None]}, True),
        ([[1, 0], [2, 0], [3, 0]], None, {"dy_dx": [1, None]}, True),
        ([[1, 0], [0, 1], [1, 1]], [6, 10], {"dL_dx": ["NULL", "Null", None]}, True),
    ],
)
def test_null_in_a_claim_by_the_independent_inputs_is_about_the_derivative_along_the_constraint(
    A: object, g: object, claims: dict[str, Any], holds: bool
) -> None:
    assert bool(check(A, g, **claims)) == holds


def test_losses_that_depend_on_one_that_is_left_open_are_judged_without_it() -> None:
    failed = check([[1, 1]], [[1, 2], [2, 4], [3, 5]], dL_dx=[[None], [11], [5]])
    assert str(failed) == (
        "dL_dx fails: no valid ∂y/∂x yields it: 1 of 3 entries\n"
        "dL_dx[3][1] (∂L3/∂x1, given the others): claimed 5, correct is 12, difference -7"
    )
    assert check([[1, 1]], [[1, 2], [2, 4], [3, 5]], dL_dx=[[None], [11], [12]])


def test_where_any_jacobian_is_valid_a_whole_one_fixes_nothing_and_null_says_something() -> None:
    for claim, why in ([[5]], "A is 0, and any ∂y/∂x solves A·∂y/∂x = B"), ([[None]], ""):
        assert outcome(check([[0]], B=[[0]], dy_dx=claim), "dy_dx").fixes_nothing == why
    open_ = outcome(check([[1], [2]], dy_dx=[["1", None]]), "dy_dx")
    assert open_.fixes_nothing == "x is constrained, and entries that follow one another are left open"


def test_a_long_equation_is_cut_and_an_entry_put_together_along_the_constraint_shows_how() -> None:
    assert str(check([[1] * 8], dy_dx=[1] * 8)).splitlines()[1] == (
        "A·dy_dx[1][1] (∂y1/∂x1 + ∂y2/∂x1 + ∂y3/∂x1 + ∂y4/∂x1 + ∂y5/∂x1 + ∂y6/∂x1 + …): "
        "claimed 8, correct is 1, difference 7"
    )
    assert str(check([[1], [2]], dy_dx=[["1", "1"]])).splitlines()[1] == (
        "dy_dx[1][1] (∂y1/∂x1 along the constraint): claimed 1 + 2·1 = 3, correct is 1, difference 2"
    )
    wrong = check([[1, 1, 1]], B=[[1, 2]], dy_dx=[[0, 2], [0, 0], [1, 1]])
    assert wrong.failures[0].worst is not None
    assert wrong.failures[0].worst.entry == "A·dy_dx[1][2]"


@pytest.mark.parametrize(
    ("A", "g", "claimed", "reason"),
    [
        ([[3, 5]], [[7, 11], [6, 10], [1, 0]], True, ": ∂L/∂y of L1, L3 is not in the row space of A"),
        ([[3, 5]], [7, 11], True, ": ∂L/∂y is not in the row space of A"),
        ([[3, 5]], [6, 10], False, ": ∂L/∂y is in the row space of A"),
        ([[1, 2], [3, 4]], [1, 1], False, ""),
    ],
)
def test_why_a_gradient_is_unique_or_is_not(A: object, g: object, claimed: bool, reason: str) -> None:
    failed = check(A, g, dL_dx_unique=claimed)
    found = f"claimed {str(claimed).lower()}, correct is {str(not claimed).lower()}{reason}"
    assert str(failed) == f"dL_dx_unique fails: {found}"


@pytest.mark.parametrize(
    ("A", "B", "names", "message"),
    [
        ([[1, 0], [2, 0], [0, 0]], None, ["dy2/dx3"],
         "the inputs x3 cannot vary independently; correct is x1 or a similar choice"),
        ([[1, 1, 1]], [[1, 2]], ["dy1/dx1", "dy2/dx1", "dy3/dx1", "dy1/dx2"],
         "dy1/dx1, dy2/dx1, dy3/dx1 cannot be chosen freely; correct is dy1/dx1, dy2/dx1 or a similar choice"),
        ([[1, 1, 1]], [[1, 2]], ["dy1/dx1"],
         "claimed 1 parameter, correct is 4: dy1/dx1, dy1/dx2, dy2/dx1, dy2/dx2"),
    ],
)  # fmt: skip
def test_parameters_that_cannot_be_free_together_are_told_why(A: object, B: object, names: Any, message: str) -> None:
    assert str(check(A, B=B, free_parameters=names)) == f"free_parameters fails: {message}"


def test_a_wrong_constraint_is_explained_by_its_entry() -> None:
    failed = check([[1, 0], [0, 1], [1, 2]], constraints={"dependent": ["x3"], "matrix": [[1, 3]]})
    assert str(failed).splitlines()[1] == "constraints.matrix[1][2] (x3 by x2): claimed 3, correct is 2, difference 1"
    failed = check([[1], [2]], constraints={"dependent": ["x2"], "matrix": [[None]]})
    assert str(failed).splitlines()[1].endswith("(x2 by x1): claimed not to be determined, correct is 2")
    computed = check([[1], [3]], constraints={"dependent": ["x2"], "matrix": [["3.0000000000000004"]]})
    assert not computed  # a constraint is no solution: only its digits count


@pytest.mark.parametrize(
    ("A", "claims", "message"),
    [
        ([[0]], {"dL_dx": [[]]}, "dL_dx[1] has 0 entries; expected 1, one for each input x"),
        ([[1], [1]], {"dy_dx": [[1, 2, 3]]}, "dy_dx[1] has 3 entries; expected 2 or 1, one for each input x"),
        ([[1, 0], [2, 0]], {"dy_dx": [[1], [None, None]]},
         "dy_dx[2] has 2 entries; expected 2 or 1, one for each input x"),
        ([[1], [2], [3]], {"constraints": {"dependent": ["x1", "x1"], "matrix": [[1], [1]]}},
         "constraints.dependent[2]: duplicate name 'x1'"),
        ([[1], [2]], {"constraints": {"dependent": [], "matrix": []}},
         "constraints.dependent: expected names of inputs, got an empty list"),
        ([[1]], {"dL_dx_unique": True}, "dL_dx_unique needs dL_dy, and there is none. Give it as dL_dy="),
        ([[1, 2]], {"free_parameters": ["∂y1/∂x1", "dy1/dx1"]}, "free_parameters[2]: duplicate name 'dy1/dx1'"),
        ([[1, 2, 3], [4, 5, 6]], {"dy_dx": [[1, 2, 3], [4, 5]]},
         "dy_dx has 2 rows; expected 3, one for each unknown y"),
        ([[1], [1]], {"dy_dx": [["a", "b"]]},
         "dy_dx[1][1]: expected a number such as -12, 0.5, 1e-3 or 3/4, got 'a'"),
    ],
)  # fmt: skip
def test_a_claim_that_makes_no_sense_is_one_message_from_python(
    A: list[list[int]], claims: dict[str, Any], message: str
) -> None:
    g = [1] * len(A[0]) if "dL_dx" in claims else None
    with pytest.raises(InputError) as caught:
        check(A, g, **claims)
    assert str(caught.value.problems[0]) == f"<python>: {message}"
    assert len(caught.value.problems) == (2 if "dy_dx" in claims and "'a'" in message else 1)


def test_losses_that_say_different_things_of_a_free_parameter_are_no_combination_of_one_another() -> None:
    A, g = [[1, 1, 1]], [[1, 0, 0], [0, 1, 0], [1, 2, 0]]
    failed = outcome(check(A, g, dL_dx=[[1], [2], [6]]), "dL_dx")
    assert not failed.holds
    assert (failed.worst.entry, failed.worst.correct, failed.failing) == ("dL_dx[3][1]", 5, 1)
    assert check(A, g, dL_dx=[[1], [2], [5]])
    open_ = outcome(check([[1, 1]], [[1, 2], [2, 4]], dL_dx=[[5], [None]]), "dL_dx")
    assert open_.fixes_nothing.startswith("∂L/∂y is not in the row space of A")


def test_a_gradient_is_judged_alone_where_the_claimed_jacobian_is_not_valid() -> None:
    failed = check([[3, 5]], [7, 11], dy_dx=["1/3", "1/5"], dL_dx=["34/15"])
    assert [outcome.key for outcome in failed.failures] == ["dy_dx"]


def test_what_is_claimed_not_to_be_determined_is_the_worst_of_wrong_entries() -> None:
    failed = check([[1, 2], [3, 4]], [1, 1], dL_dx=[500, None])
    assert str(failed).splitlines()[1].startswith("worst dL_dx[2] (∂L/∂x2): claimed not to be determined")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        (
            {"dy_dx": [["5", "100", None]]},
            "(∂y1/∂x2, given the others): claimed 100, correct is 6, difference 94",
        ),
        ({"dL_dx": ["5", "100", None]}, "(∂L/∂x2, given the others): claimed 100, correct is 8, difference 92"),
        ({"dy_dx": [["1.18", "1.82", "0"]], "atol": "0.1"}, "correct is 2.18, difference -0.36, allowed 0.1"),
    ],
)
def test_what_is_claimed_along_a_constraint_must_go_together(claims: dict[str, Any], reason: str) -> None:
    """x3 = x1 + x2, and y1 = x1 + 2·x2: J1 + J3 = 1 and J2 + J3 = 2."""
    A, B, g = [[1], [0]], [[1, 2, 0], [1, 1, -1]], [3]
    assert reason in str(check(A, g, B=B, **claims))
    held = check(A, g, B=B, dy_dx=[[1, 2, None]], dL_dx=[3, 6, None])
    assert held
    assert [one.fixes_nothing for one in held.outcomes] == ["", ""]


@pytest.mark.parametrize(
    ("A", "g", "claims", "loose"),
    [
        ([[3, 5]], None, {"dy_dx": [["7"], [None]]}, "dy_dx"),
        ([[3, 5]], [7, 11], {"dy_dx": [[None], [None]], "dL_dx": ["5"]}, "dL_dx"),
        ([[2, -6, 0]], [2, -1, -3], {"dy_dx": [["-4"], ["-3/2"], [None]], "dL_dx": ["77"]}, "dL_dx"),
    ],
)
def test_numbers_that_may_be_anything_fix_nothing(A: Any, g: Any, claims: dict[str, Any], loose: str) -> None:
    verdict = check(A, g, **claims)
    assert verdict
    assert outcome(verdict, loose).fixes_nothing
    assert not verdict.strictly()


def test_losses_of_their_own_column_each_fix_nothing() -> None:
    verdict = check([[3, 5]], [[7, 11], [14, 22]], B=[[1, 2]], dL_dx=[["5", None], [None, "7"]])
    assert outcome(verdict, "dL_dx").fixes_nothing


def test_every_loss_is_held_against_a_claimed_jacobian() -> None:
    J = [["1/6"], ["1/10"]]
    for claim, failing, worst in ((["4", "34"], 2, "dL_dx[2][1]"), (["34/15", "2"], 2, "dL_dx[1][1]")):
        failed = outcome(check([[3, 5]], [[6, 10], [7, 11]], dy_dx=J, dL_dx=[[c] for c in claim]), "dL_dx")
        assert failed.failing == failing
        assert failed.worst is not None
        assert failed.worst.entry == worst
    rounded = check([[3, 5]], [[7, 11], [1, 0]], dy_dx=[["0.17"], ["0.10"]], dL_dx=[["34/15"], ["1/2"]])
    assert outcome(rounded, "dL_dx").failing == 1


def test_an_entry_that_follows_from_others_is_named() -> None:
    failed = outcome(check([[1, 1, 0], [0, 1, 1]], B=[[1], [1]], dy_dx=[["0"], [None], ["5"]]), "dy_dx")
    assert str(failed.worst) == "dy_dx[3][1] (∂y3/∂x1, given the others): claimed 5, correct is 0, difference 5"


def test_a_list_of_arrays_is_judged_by_their_type() -> None:
    A, g = np.array([[4, 1], [2, 3]], dtype=np.float32), np.array([1, 2], dtype=np.float32)
    d = np.linalg.solve(A.T, g)
    wrong = d * np.float32(1 + 2e-6)
    assert check(A, g, dL_dx=list(d), dy_dx=list(np.linalg.inv(A)))
    assert check(A, g, dL_dx=wrong)
    assert check(A, g, dL_dx=list(wrong))
    assert not check(A, g, dL_dx=wrong.astype(float))


def test_many_losses_and_inputs_with_rounded_numbers_are_judged_in_a_moment() -> None:
    rng = np.random.default_rng(0)
    A, B, g = (rng.normal(size=size).round(2) for size in ((4, 16), (4, 16), (16, 16)))
    J = np.linalg.pinv(A) @ B

    def texts(matrix: np.ndarray) -> list[list[str]]:
        return [[f"{value:.2f}" for value in row] for row in matrix]

    assert check(texts(A), texts(g), B=texts(B), dy_dx=J, dL_dx=g @ J)
    J[3, 2] += 0.3
    assert not check(texts(A), texts(g), B=texts(B), dy_dx=J, dL_dx=g @ J)


SINGULAR = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
INVERSE_OF_SINGULAR = [
    [-3152519739159347.5, 6305039478318695.0, -3152519739159347.5],
    [6305039478318695.0, -1.261007895663739e16, 6305039478318695.0],
    [-3152519739159347.5, 6305039478318695.0, -3152519739159347.5],
]
PROVE_NOTHING: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "the inverse of a singular matrix": (SINGULAR, None, {"dy_dx": INVERSE_OF_SINGULAR}),
    "the same as text": (SINGULAR, None, {"dy_dx": [[str(entry) for entry in row] for row in INVERSE_OF_SINGULAR]}),
    "the same as an array": (np.array(SINGULAR, float), None, {"dy_dx": np.array(INVERSE_OF_SINGULAR)}),
    "a gradient by it": (SINGULAR, [1, 2, 3], {"dL_dx": np.array([-3e15, 6e15, -3e15]) + 0.5}),
    "A·J = 0, wide": ([[3, 5]], None, {"dy_dx": [["1.0e+3"], ["-6.0e+2"]]}),
    "A·J = 0, in many unknowns": ([[1] * 50], None, {"dy_dx": [["1.0e+3"], ["-1.0e+3"]] * 25}),
    "A·J = 0, relative tolerance": ([[3, 5]], None, {"dy_dx": [[1000], [-600]], "rtol": "0.1"}),
    "A·J = 0, tall": ([[1], [2]], None, {"dy_dx": [["-1.0e3", "5.0e2"]]}),
    "one unknown": ([[1000]], None, {"dy_dx": [["0.0"]]}),
    "a gradient that is all rounding": ([[1000]], [1], {"dL_dx": ["0.0"]}),
    "a part of a badly scaled inverse": (np.diag([1, 1e-20]), None, {"dy_dx": np.diag([5, 1e20])}),
    "a large null space": (np.ones((1, 60)), None, {"dy_dx": np.tile([[1e18], [-1e18]], (30, 1))}),
}  # fmt: skip


@pytest.mark.parametrize("name", PROVE_NOTHING)
def test_a_claim_whose_rounding_is_as_large_as_the_answer_is_undecided(name: str) -> None:
    A, g, claims = PROVE_NOTHING[name]
    (outcome,) = check(A, g, **claims).outcomes
    assert (outcome.holds, outcome.is_undecided, outcome.failing) == (False, True, 0)
    assert outcome.reason.startswith("it proves nothing: its own rounding allows an error of ")


def test_no_null_vector_is_taken_for_a_jacobian_and_every_valid_one_is() -> None:
    rng = np.random.default_rng(5)
    for M, N in ((1, 2), (1, 6), (2, 5), (3, 4)):
        A = rng.integers(1, 9, (M, N)).tolist()
        V = transpose(null_space([list(map(Fraction, row)) for row in A]))
        J = solve(A).general.minimum_norm
        for size in (10, 10**5, 10**17):
            Z = [[size * (i + m + 1) for m in range(M)] for i in range(len(V[0]))]
            null = product(V, Z)
            valid = [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(J, null, strict=True)]
            as_floats = [[float(entry) for entry in row] for row in null]
            assert not check(A, dy_dx=as_floats)
            assert not check(A, dy_dx=[[f"{entry:.2e}" for entry in row] for row in as_floats])
            assert check(A, dy_dx=valid)
            if size < 10**6:
                assert check(A, dy_dx=[[float(entry) for entry in row] for row in valid])


@pytest.mark.parametrize("condition", [1e1, 1e5, 1e9])
def test_what_numpy_finds_of_a_nonsingular_system_holds_and_says_how_near_it_is(condition: float) -> None:
    rng = np.random.default_rng(3)
    U, V = (np.linalg.qr(rng.normal(size=(6, 6)))[0] for _ in range(2))
    A, g = U @ np.diag(np.geomspace(1, 1 / condition, 6)) @ V, rng.normal(size=6)
    J, dL_dx = np.linalg.inv(A), np.linalg.solve(A.T, g)
    verdict = check(A, g, dy_dx=J, dL_dx=dL_dx)
    assert verdict
    right = inverse([[Fraction(entry) for entry in row] for row in A.tolist()])
    gradient = [sum(Fraction(a) * row[k] for a, row in zip(g.tolist(), right, strict=True)) for k in range(6)]
    off_by = (
        max(abs(Fraction(J[i, k]) - right[i][k]) for i in range(6) for k in range(6)),
        max(abs(Fraction(entry) - true) for entry, true in zip(dL_dx.tolist(), gradient, strict=True)),
    )
    for outcome, truth in zip(verdict.outcomes, off_by, strict=True):
        assert outcome.worst is not None
        assert outcome.worst.difference is not None
        assert abs(outcome.worst.difference) == truth <= outcome.worst.tolerance
    assert check(A.tolist(), g.tolist(), dy_dx=[[repr(x) for x in row] for row in J.tolist()])


def test_the_difference_of_a_claim_that_is_not_unique_is_one_of_its_equations() -> None:
    (outcome,) = check([[3, 5]], dy_dx=[["0.3"], ["0.0"]]).outcomes
    assert str(outcome.worst) == (
        "A·dy_dx[1][1] (3·∂y1/∂x1 + 5·∂y2/∂x1): claimed 9/10, correct is 1, difference -1/10, allowed 2/5"
    )
    (outcome,) = check([[3, 5]], dy_dx=[["0.5"], ["-0.1"]]).outcomes
    assert outcome.worst is None  # of decimals that are right there is nothing to say
    _, gradient = check([[3, 5]], [7, 11], dy_dx=["1/6", "1/10"], dL_dx=["2.27"]).outcomes
    assert str(gradient.worst).endswith("claimed 2.27, correct is ≈2.26667, difference ≈0.00333, allowed 0.005")


def test_a_stated_absolute_tolerance_and_an_answer_of_zeros_decide() -> None:
    assert check([[3, 5]], dy_dx=[[1000], [-600]], atol=100)
    assert check([[1000]], dy_dx=[["0.0"]], atol="0.01")
    assert check([[3, 1], [1, 3]], ["0.1", "0.1"], B=[[1, -1], [-1, 1]], dL_dx=["0.0", "0.0"])
    assert check([[3, 5]], B=[[0]], dy_dx=[["1.7"], ["-1.0"]])
    assert check([[1, 0], [0, 1]], B=[[1, 0], [0, 0]], dy_dx=[["1.0", "0.0"], ["0.0", "0.0"]])


def test_an_entry_within_its_tolerance_is_not_counted_beside_a_wrong_one() -> None:
    failed = outcome(check([[1, 1]], [[1, 2], [2, 4], [4, 8]], dL_dx=[["5.02"], ["10.0"], ["30"]]), "dL_dx")
    assert failed.worst is not None
    assert (failed.worst.entry, failed.worst.correct, failed.failing) == ("dL_dx[3][1]", Fraction("20.08"), 1)


def test_a_gradient_beside_a_rounded_jacobian_differs_by_no_more_than_what_is_allowed() -> None:
    verdict = check([[3, 5]], [7, 11], dy_dx=[["0.0"], ["0.2"]], dL_dx=["2.22"])  # 2.2 + 0.4·J11, J11 within 0.05
    worst = verdict.outcomes[1].worst
    assert verdict
    assert worst is not None
    assert worst.difference == Fraction(2, 100) <= worst.tolerance
    assert not check([[3, 5]], [7, 11], dy_dx=[["0.0"], ["0.2"]], dL_dx=["2.23"])

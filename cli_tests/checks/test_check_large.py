"""Claims of many numbers, where ∂y/∂x is not unique: doubles decide them, and say what exact arithmetic says."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from conftest import spread, trials

from implicitgrad import check
from implicitgrad.checks.feasibility import rational as feasible
from implicitgrad.checks.feasibility.decision import Decision
from implicitgrad.checks.feasibility.floating import IntervalProblem, decide
from implicitgrad.checks.feasibility.rational import RationalInterval, is_feasible

SHAPES = [
    (10, 10, 3),
    (15, 15, 5),
    (20, 20, 8),
    (10, 30, 10),
    (1, 100, 1),
    (20, 30, 20),
    (30, 10, 10),
    (25, 30, 18),
]


def array(M: int, N: int, rank: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(M, rank)) @ rng.normal(size=(rank, N))


@pytest.fixture
def without_elimination(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact elimination of doubles takes minutes where doubles take milliseconds."""

    def refuse(*_: Any) -> bool:
        raise AssertionError("intervals of a large claim were judged exactly")

    monkeypatch.setattr(feasible, "_by_least_squares", refuse)


@pytest.mark.usefixtures("without_elimination")
@pytest.mark.parametrize(("M", "N", "rank"), spread(SHAPES, 4))
def test_a_pseudo_inverse_holds_and_a_wrong_one_does_not(M: int, N: int, rank: int) -> None:
    A = array(M, N, rank)
    J = np.linalg.pinv(A)
    assert check(A, dy_dx=J)
    J[0, 0] += 1e-3
    assert not check(A, dy_dx=J)


@pytest.mark.usefixtures("without_elimination")
def test_any_valid_jacobian_holds() -> None:
    A = array(20, 30, 20)
    null_space = np.linalg.svd(A)[2][20:].T
    assert check(A, dy_dx=np.linalg.pinv(A) + null_space @ np.random.default_rng(1).normal(size=(10, 20)))


@pytest.mark.usefixtures("without_elimination")
@pytest.mark.parametrize(("M", "N", "rank"), spread([(25, 40, 25), (40, 40, 25)], 2))
def test_gradients_of_large_arrays_are_judged_at_once(M: int, N: int, rank: int) -> None:
    rng = np.random.default_rng(1)
    A = (rng.integers(-3, 4, (M, rank)) @ rng.integers(-3, 4, (rank, N))).astype(float)
    in_row_space = rng.integers(-3, 4, M) @ A
    J = np.linalg.pinv(A)
    claim = in_row_space @ J
    assert check(A, in_row_space, dL_dx=claim)
    assert check(A, in_row_space, dL_dx=claim, dy_dx=J)
    claim[3] += 1
    assert not check(A, in_row_space, dL_dx=claim)
    g = rng.normal(size=N)
    assert check(A, g, dL_dx=g @ J)
    assert check(A, g, dL_dx=g @ J, dy_dx=J)
    assert not check(A, g, dL_dx=g @ J + 1, dy_dx=J)


def test_doubles_prove_only_what_exact_arithmetic_finds() -> None:
    """Of claims from far within their tolerances to far beyond, and on the edge."""
    rng = np.random.default_rng(0)
    found_by_answer = dict.fromkeys(Decision, 0)
    number = trials(300)
    for trial in range(number):
        F, others, P = (int(n) for n in rng.integers(1, 4, 3))
        V = [[Fraction(int(v), 7) for v in row] for row in rng.integers(-5, 6, (others, F))]
        C = [[Fraction(f == g) for g in range(F)] for f in range(F)] + V
        c = [[Fraction(int(v), 10) for v in row] for row in rng.integers(-20, 21, (F + others, P))]
        t = [[Fraction(int(v), 10) for v in row] for row in rng.integers(0 if trial % 3 else 1, 30, (F + others, P))]
        found = decide(IntervalProblem(c, C, t, t, range(F) if trial % 2 else ()))
        found_by_answer[found] += 1
        columns = [
            [RationalInterval(tuple(a), row[m], r[m]) for a, row, r in zip(C, c, t, strict=True)] for m in range(P)
        ]
        assert found in (Decision.UNDECIDED, Decision.of(all(map(is_feasible, columns)))), (C, c, t)
    assert found_by_answer[Decision.YES] > number // 6
    assert found_by_answer[Decision.NO] > number // 6


def test_doubles_prove_only_what_is_so_where_numbers_follow_one_another() -> None:
    """z and changes Δ with |c + Δ·T − C·z| ≤ t, |Δ| ≤ s, against the intervals of all of them."""
    rng = np.random.default_rng(0)
    found_by_answer = dict.fromkeys(Decision, 0)

    def tenths(low: int, high: int, shape: tuple[int, int]) -> list[list[Fraction]]:
        return [[Fraction(int(v), 10) for v in row] for row in rng.integers(low, high, shape)]

    number = trials(150)
    for _ in range(number):
        F, others, P, D = (int(n) for n in rng.integers(1, 3, 4))
        R = F + others
        C = [[Fraction(f == g) for g in range(F)] for f in range(F)] + tenths(-20, 21, (others, F))
        c, T = tenths(-30, 31, (R, P)), tenths(-20, 21, (D, P))
        t, s = tenths(1, 20, (R, P)), tenths(1, 20, (R, D))
        most = [[t[i][m] + sum(s[i][d] * abs(T[d][m]) for d in range(D)) for m in range(P)] for i in range(R)]
        found = decide(IntervalProblem(c, C, t, most, range(F), T, s))
        found_by_answer[found] += 1
        intervals = []
        for i in range(R):
            for m in range(P):
                form = [Fraction(0)] * (F * P + R * D)
                form[m * F : (m + 1) * F] = C[i]
                form[F * P + i * D : F * P + (i + 1) * D] = [-T[d][m] for d in range(D)]
                intervals.append(RationalInterval(tuple(form), c[i][m], t[i][m]))
            for d in range(D):
                unit = [Fraction(k == F * P + i * D + d) for k in range(F * P + R * D)]
                intervals.append(RationalInterval(tuple(unit), Fraction(0), s[i][d]))
        assert found in (Decision.UNDECIDED, Decision.of(is_feasible(intervals))), (C, c, t, T, s)
    assert found_by_answer[Decision.YES] > number // 8
    assert found_by_answer[Decision.NO] > number // 8


@pytest.mark.parametrize("scale", [1, 1e200, 1e-200])
def test_what_doubles_cannot_hold_proves_nothing(scale: float) -> None:
    huge = Fraction(10) ** 400
    one = [[Fraction(1)]]
    assert decide(IntervalProblem([[huge]], one, one, one, (0,))) is Decision.UNDECIDED
    c, t = [[Fraction(scale)], [Fraction(scale)]], [[Fraction(scale) / 4], [Fraction(scale) / 4]]
    assert decide(IntervalProblem(c, [[Fraction(1)], [Fraction(1)]], t, t, (0,))) is not Decision.NO
    assert decide(IntervalProblem(c, [[Fraction(1)], [Fraction(-1)]], t, t, (0,))) is not Decision.YES

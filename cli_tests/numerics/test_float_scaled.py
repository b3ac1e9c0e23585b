"""Doubles say what exact arithmetic says, in whatever units equations, unknowns and inputs are."""

from collections.abc import Iterator
from fractions import Fraction
from random import Random

import pytest
from conftest import spread, trials

from implicitgrad import InputError, Solution, solve

Rows = list[list[Fraction]]
FACTS = ("rank", "status", "independent", "free_parameters", "unique_losses")
UNITS = [Fraction(2) ** k for k in (-500, -60, -7, 0, 9, 55)] + [Fraction(10) ** k for k in (-150, -16, -3, 6, 17, 200)]
FEW = [unit for unit in UNITS if 2**-64 < unit < 2**64]
FAR = 100
"""What follows is not so much larger than what it follows, or doubles would choose others."""


def number(rng: Random) -> Fraction:
    kinds = (0, 0, rng.randint(-5, 5), rng.randint(-5, 5), Fraction(rng.randint(-99, 99), 10))
    return Fraction(rng.choice([*kinds, Fraction(rng.randint(-9, 9), rng.randint(1, 9))]))


def rows(text: str) -> Rows:
    return [[Fraction(entry) for entry in row.split()] for row in text.split(";")]


def times(units: list[Fraction], matrix: Rows) -> Rows:
    return [[unit * entry for entry in row] for unit, row in zip(units, matrix, strict=True)]


def degenerate(rng: Random) -> tuple[Rows, Rows]:
    """A and B with rows and columns of zeros and rows that are others again."""
    M, N, P = (rng.randint(1, 4) for _ in range(3))
    A, B = ([[number(rng) for _ in range(width)] for _ in range(M)] for width in (N, P))
    for _ in range(rng.randint(0, 3)):
        i, j, zeros = rng.randrange(M), rng.randrange(M), [Fraction(0)]
        kind = rng.choice(["row of A", "row of B", "column of A", "column of B", "A again", "multiple of A", "both"])
        if kind.startswith("column"):
            for row in A if kind.endswith("A") else B:
                row[i % len(row)] = Fraction(0)
        elif kind.startswith("row"):
            (A if kind.endswith("A") else B)[i] = zeros * (N if kind.endswith("A") else P)
        else:
            A[i] = [-2 * entry for entry in A[j]] if kind == "multiple of A" else A[j].copy()
            B[i] = B[j].copy() if kind == "both" else B[i]
    return A, B


def scaled(rng: Random, A: Rows, B: Rows) -> Iterator[tuple[Rows, Rows]]:
    """The same system in other units."""
    M, P = len(A), len(B[0])
    yield A, B
    yield times([rng.choice(UNITS)] * M, A), B
    equations = [rng.choice(FEW) for _ in range(M)]
    yield times(equations, A), times(equations, B)
    unknowns, inputs = rng.choice(FEW), [rng.choice(FEW) for _ in range(P)]
    B = [[entry * unit for entry, unit in zip(row, inputs, strict=True)] for row in B]
    yield times([unknowns * unit for unit in equations], A), times(equations, B)


def assert_same(exact: Solution, found: Solution, what: object) -> None:
    for fact in FACTS:
        assert getattr(exact, fact) == getattr(found, fact), (fact, what)
    assert (exact.constraints is None) == (found.constraints is None), what
    if exact.constraints is not None and found.constraints is not None:
        assert exact.constraints.dependent == found.constraints.dependent, what
        for row, others in zip(exact.constraints.matrix, found.constraints.matrix, strict=True):
            for right, value in zip(row, others, strict=True):
                assert abs(value - right) <= abs(right) / 10**9, what
    for row, others in zip(exact.dy_dx, found.dy_dx, strict=True):
        assert [entry is None for entry in row] == [entry is None for entry in others], what


def is_even(solution: Solution) -> bool:
    constraints = () if solution.constraints is None else solution.constraints.matrix
    return all(abs(entry) < FAR for row in (*constraints, *solution.general.null_space) for entry in row)


@pytest.mark.parametrize("seed", spread(range(3), 3))
def test_units_change_nothing(seed: int) -> None:
    rng = Random(seed)
    tried = 0
    for _ in range(trials(40)):
        A, B = degenerate(rng)
        if not is_even(solve(A, B=B)):
            continue
        gradient = [number(rng) for _ in A[0]]
        for A_scaled, B_scaled in scaled(rng, A, B):
            exact = solve(A_scaled, gradient, B=B_scaled)
            found = solve(A_scaled, gradient, B=B_scaled, arithmetic="float")
            assert_same(exact, found, (A_scaled, B_scaled))
            tried += 1
    assert tried > trials(100)


def test_a_row_that_A_leaves_to_B_is_in_no_unit_of_As() -> None:
    B = rows("1 3 -2; 5 1 -1; 1 0 1")
    for unit in ("1", "1e16", "1e-16", "1e200"):
        A = rows(f"{unit} 0; 0 0; -{unit} 0")
        found = solve(A, B=B, arithmetic="float")
        assert found.constraints is not None
        assert found.constraints.dependent == ("x2", "x3"), unit
        assert found.constraints.matrix.array.tolist() == [[pytest.approx(1.5)], [pytest.approx(6.5)]]


def test_rows_without_unknowns_are_measured_by_one_another() -> None:
    A, B = rows("9e199; 0; 0; 1e200"), rows("0 0 0 -2e9; 7/49152 3/8192 -1/4096 0; -3 0 0 -2.7; 0 0 0 -8.8")
    assert_same(solve(A, B=B), solve(A, B=B, arithmetic="float"), "chained")


def test_an_input_that_B_does_not_contain_is_not_constrained_where_A_is_0() -> None:
    for B in ("0 0 2; -2/7 0 -2/7; 5/7 0 0", "-2 6 4 0; 0 -2 0 -4; -2 6 4 0", "5 1 -9.9 2.5; 2 1 5 -4; 2 0 0 0"):
        A = rows("0; 0; 0")
        assert_same(solve(A, B=rows(B)), solve(A, B=rows(B), arithmetic="float"), B)


def test_a_condition_that_doubles_do_not_find_is_none() -> None:
    A = rows("-1/180000000000 1/20000000000 3e-11; 0 1 0; 0 0 0; -3e6 0 -1.2e6")
    found = solve(A, arithmetic="float")
    assert found.rank == 3
    assert found.condition is None


def test_what_overflows_when_scaled_is_refused() -> None:
    with pytest.raises(InputError, match="within the range of doubles"):
        solve(rows("0 0; 0 1e-140"), B=rows("-1e200 5e200; -2e200 20e200"), arithmetic="float")

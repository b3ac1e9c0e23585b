"""The JSON record: its keys, its numbers, and that it says what the solution says."""

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case

from implicitgrad import solve
from implicitgrad.writers.record import to_record, write_json, write_record

KEYS = [
    "name", "source", "kind", "arithmetic", "shape", "x", "y", "rank", "rank_tolerance", "condition", "status", "dy_dx",
    "dL_dx", "free_parameters", "independent", "constraints", "general", "dependent_equations", "residual",
    "error_bound", "warnings", "exact",
]  # fmt: skip


def record(*arguments: Any, **options: Any) -> dict[str, Any]:
    text = write_record(solve(*arguments, **options))
    assert "\n" not in text
    assert text.isascii()

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    loaded: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return loaded


def same_shape(doubles: Any, exact: Any) -> None:
    """Every number is the double nearest to the fraction beside it."""
    if isinstance(exact, list):
        assert len(doubles) == len(exact)
        for pair in zip(doubles, exact, strict=True):
            same_shape(*pair)
    elif isinstance(exact, dict):
        for key, value in exact.items():
            if key not in ("free", "dependent"):
                same_shape(doubles[key], value)
    elif exact is None:
        assert doubles is None
    else:
        value = Fraction(exact)
        try:
            assert doubles == float(value)
        except OverflowError:
            assert doubles is None


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_case_has_all_keys_in_order_and_doubles_that_are_its_fractions(case: Case) -> None:
    found = record(case.A, case.dL_dy, B=case.B)
    M, N = len(case.A), len(case.A[0])
    P = len(case.B[0]) if case.B else M
    assert list(found) == KEYS
    assert found["shape"] == {"equations": M, "unknowns": N, "inputs": P}
    assert (len(found["dy_dx"]), {len(row) for row in found["dy_dx"]}) == (N, {P})
    assert (found["arithmetic"], found["rank_tolerance"], found["residual"]) == ("exact", 0, 0)
    for key in ("dy_dx", "dL_dx", "constraints", "general"):
        same_shape(found[key], found["exact"][key])
    assert (found["general"] is None) == (found["status"] == "determined")
    assert (found["constraints"] is None) == (found["status"] in ("determined", "underdetermined"))
    assert (found["condition"] is None) == (case.rank == 0 or case.name == "tiny")
    F, free_inputs = N - case.rank, len(found["independent"])
    assert len(found["free_parameters"]) == F * free_inputs
    if found["general"] is not None:
        general = found["general"]
        assert len(general["free"]) == F
        assert (
            {len(row) for row in general["particular"]}
            == {len(row) for row in general["minimum_norm"]}
            == {free_inputs}
        )
        assert {len(row) for row in general["null_space"]} == {F}
        assert (general["dL_dx"] is None) == (case.dL_dy is None)


def test_the_two_by_two_record_whole() -> None:
    assert record([[1, 2], [3, 4]], [1, 1], name="two") == {
        "name": "two",
        "source": "<python>",
        "kind": "linear",
        "arithmetic": "exact",
        "shape": {"equations": 2, "unknowns": 2, "inputs": 2},
        "x": ["x1", "x2"],
        "y": ["y1", "y2"],
        "rank": 2,
        "rank_tolerance": 0,
        "condition": 15,
        "status": "determined",
        "dy_dx": [[-2, 1], [1.5, -0.5]],
        "dL_dx": [-0.5, 0.5],
        "free_parameters": [],
        "independent": ["x1", "x2"],
        "constraints": None,
        "general": None,
        "dependent_equations": [],
        "residual": 0,
        "error_bound": {"dy_dx": 0, "dL_dx": 0},
        "warnings": [],
        "exact": {
            "dy_dx": [["-2", "1"], ["3/2", "-1/2"]],
            "dL_dx": ["-1/2", "1/2"],
            "constraints": None,
            "general": None,
            "condition": "15",
        },
    }


def test_what_is_open_is_null_and_stands_in_general() -> None:
    found = record([[3, 5]], [7, 11])
    assert (found["dy_dx"], found["dL_dx"], found["free_parameters"]) == ([[None], [None]], [None], ["dy1/dx1"])
    assert found["exact"]["general"] == {
        "free": ["y1"],
        "particular": [["0"], ["1/5"]],
        "null_space": [["1"], ["-3/5"]],
        "minimum_norm": [["3/34"], ["5/34"]],
        "dL_dx": {"particular": ["11/5"], "coefficients": ["2/5"]},
    }


def test_several_losses_are_rows_everywhere_and_one_is_flat() -> None:
    found = record([[3, 5]], [[6, 10], [7, 11]])
    assert found["dL_dx"] == [[2], [None]]
    assert found["general"]["dL_dx"] == {"particular": [[2], [2.2]], "coefficients": [[0], [0.4]]}
    assert record([[2]], [[1]])["dL_dx"] == [[0.5]]
    assert record([[2]], [1])["dL_dx"] == [0.5]
    assert record([[2]])["error_bound"] == {"dy_dx": 0, "dL_dx": None}


def test_constraints_are_a_matrix_by_the_independent_inputs() -> None:
    found = record([[1, 0], [0, 1], [1, 1]], [6, 10])
    assert found["constraints"] == {"dependent": ["x3"], "matrix": [[1, 1]]}
    assert found["independent"] == ["x1", "x2"]
    assert found["dy_dx"] == [[None] * 3] * 2
    assert found["general"]["particular"] == [[1, 0], [0, 1]]


def test_an_unconstrained_column_is_determined() -> None:
    found = record([[1, 0], [0, 1], [0, 2]], [1, 1])
    assert found["dy_dx"] == [[1, None, None], [0, None, None]]
    assert found["dL_dx"] == [1, None, None]


def test_numbers_beyond_the_doubles_are_null_or_zero_with_a_warning_and_exact_beside() -> None:
    found = record([["1e-320", 0], [0, "1e399"]], [1, 1])
    assert found["dy_dx"] == [[None, 0], [0, 0]]
    assert found["condition"] is None
    assert found["exact"]["dy_dx"][0][0] == "1" + "0" * 320
    assert [warning["code"] for warning in found["warnings"]] == ["double-overflow", "double-underflow"]
    zeros = record([["1e-320", 0], [0, 1]])
    assert zeros["dy_dx"] == [[None, 0], [0, 1]]
    assert [warning["code"] for warning in zeros["warnings"]] == ["double-overflow"]
    assert [warning["code"] for warning in record([["1e399"]])["warnings"]] == ["double-underflow"]
    assert [warning["code"] for warning in record([["1", "1"], ["1", "1.000000000000000000001"]])["warnings"]] == [
        "ill-conditioned"
    ]


def test_names_go_through_unchanged() -> None:
    names = ["größe", "[red]", "\x1b[2J", '"', "\u202e", "=1+1"]
    assert record([[1, 2, 3, 4, 5, 6]], y=names)["y"] == names


def test_the_record_of_python_values_is_the_record_written() -> None:
    solution = solve([[3, 5]], [7, 11])
    assert json.loads(json.dumps(to_record(solution))) == json.loads(write_record(solution))


def test_a_large_record_is_written_as_a_small_one() -> None:
    numbers = np.random.default_rng(7)
    wide, deficient = numbers.normal(size=(3, 400)), np.outer(numbers.normal(size=300), numbers.normal(size=300))
    tall = np.vstack([np.eye(270), np.ones((1, 270))])
    for solution in (
        solve(wide, numbers.normal(size=(2, 400))),
        solve(deficient, numbers.normal(size=300)),
        solve(tall),
    ):
        assert write_record(solution) == write_json(to_record(solution))
        assert write_record(solution, {"more": {}}) == write_json(to_record(solution) | {"more": {}})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_dependent_equations_are_a_basis_of_what_cancels_the_rows_of_A(case: Case) -> None:
    solution = solve(case.A, B=case.B)
    basis = to_record(solution)["dependent_equations"]
    assert isinstance(basis, list | tuple)
    A = [[Fraction(entry) for entry in row] for row in solution.system.A]
    assert len(basis) == len(A) - solution.rank
    assert np.linalg.matrix_rank(np.array(basis, dtype=float).reshape(len(basis), len(A))) == len(basis)
    for w in basis:
        assert all(sum(a * b for a, b in zip(w, column, strict=True)) == 0 for column in zip(*A, strict=True))


def test_dependent_equations_are_small_integers() -> None:
    assert solve([[1, 2], ["1/2", 1], [3, 4]]).dependent_equations == [[1, -2, 0]]
    assert solve(np.array([[1.0, 2], [2, 4]])).dependent_equations is None
    assert solve([[1, 2]] * 200).dependent_equations is None

"""implicitgrad as a library."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import implicitgrad
from implicitgrad import InputError, Status, check, linear_system, read_systems, solve


@pytest.mark.parametrize(
    "A",
    [
        [[1, 2], [3, 4]], ((1, 2), (3, 4)), [["1", "2"], ["3", "4"]], np.array([[1, 2], [3, 4]]),
        np.array([[1, 2], [3, 4]], dtype=np.float32), [[Decimal(1), Fraction(2)], [3.0, np.int64(4)]],
        [np.array([1, 2]), np.array([3, 4])],
    ],
    ids=["lists", "tuples", "texts", "array", "float32 array", "mixed", "list of arrays"],
)  # fmt: skip
def test_values_of_many_kinds_are_the_same_system(A: object) -> None:
    solution = solve(A, [1, 1], arithmetic="exact")
    assert solution.status is Status.DETERMINED
    assert solution.dL_dx == (Fraction(-1, 2), Fraction(1, 2))
    assert np.array_equal(solve(A, [1, 1], arithmetic="float").dL_dx, [-0.5, 0.5])


def test_the_answer_goes_back_into_arrays() -> None:
    A = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert np.array_equal(np.array(solve(A).dy_dx, dtype=float), [[-2, 1], [1.5, -0.5]])


@pytest.mark.parametrize(
    ("A", "message"),
    [
        (3, "<python>: A: expected a list of rows, got '3'"),
        (None, "<python>: A: expected a list of rows, got None"),
        ([1, 2], "expected a list of rows, got a list of 2 entries"),
        ([[1, True]], "A[1][2]: expected a number such as -12, 0.5, 1e-3 or 3/4, got True"),
        ([[1, None]], "got None"),
        ([[float("nan")]], "A[1][1]: expected a finite number, got nan"),
        ([[Decimal("Infinity")]], "A[1][1]: expected a finite number, got Infinity"),
        ([[1j]], "got '1j'"),
        (np.zeros((2, 0)), "A[1] is empty"),
        (np.zeros((2, 2, 0)), "<python>[0]: A[1] is empty"),
    ],
)
def test_values_without_meaning_are_input_errors(A: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        solve(A)
    assert message in str(caught.value)


def test_a_gradient_of_one_row_in_a_list_stays_a_matrix() -> None:
    assert solve([[2]], [1]).dL_dx == (Fraction(1, 2),)
    assert solve([[2]], [[1]]).dL_dx == ((Fraction(1, 2),),)


def test_one_name_is_enough_to_choose_a_free_unknown() -> None:
    assert solve([[3, 5]], free="y2").free_parameters == ("dy2/dx1",)


def test_the_condition_is_a_double() -> None:
    assert solve([[1, 2], [3, 4]]).condition == 15.0
    assert solve([[0]]).condition is None


def test_names_must_be_texts() -> None:
    with pytest.raises(InputError, match=r"y\[1\]: expected a name, got '1'"):
        solve([[1]], y=[1])  # type: ignore[list-item]
    with pytest.raises(InputError, match="y: expected a list of names, got 'ab'"):
        solve([[1, 2]], y="ab")


def test_a_system_is_solved_as_it_is_and_takes_nothing_beside() -> None:
    system = linear_system([[3, 5]], [7, 11], y=["a", "b"])
    assert solve(system, free=["b"]).free_parameters == ("db/dx1",)
    with pytest.raises(TypeError, match="has its own dL_dy"):
        solve(system, [1, 2])


def test_systems_and_solutions_cannot_be_changed() -> None:
    solution = solve([[1]])
    with pytest.raises(AttributeError):
        solution.rank = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        solution.system.A = ()  # type: ignore[misc]
    assert solve([[1]]) == solution


def test_read_systems_reads_all_documents() -> None:
    from conftest import ROOT

    systems = read_systems(ROOT / "sample_systems" / "four_verdicts.yaml")
    assert [str(solve(system).status) for system in systems] == [system.name for system in systems] == list(Status)


def test_the_example_in_the_packages_docstring_holds() -> None:
    import doctest

    assert doctest.testmod(implicitgrad) == (0, 2)


LONG = np.longdouble(1) + np.longdouble(2) ** -60
is_long = pytest.mark.skipif(LONG == 1, reason="long doubles are doubles here")


@is_long
def test_long_doubles_are_what_they_are() -> None:
    A = np.array([[1, 1], [1, LONG]], dtype=np.longdouble)
    for given in (A, A.tolist(), [list(row) for row in A]):
        solution = solve(given)
        assert solution.rank == 2
        assert solution.dy_dx == ((2**60 + 1, -(2**60)), (-(2**60), 2**60))
        assert check(given, rank=2, status="determined")
    rounded = solve(np.pad(A, (0, 78)) + np.eye(80, dtype=np.longdouble))
    assert rounded.arithmetic == "float"
    assert rounded.system.A.error.max() >= 2.0**-60
    with pytest.raises(InputError, match="expected a finite number, got nan"):
        solve(np.array([[np.longdouble("nan")]]))


def test_claims_in_long_doubles_are_computed_numbers() -> None:
    A = [[3, 1], [1, 7]]
    J = np.linalg.inv(np.array(A, dtype=float)).astype(np.longdouble)
    assert check(A, dy_dx=J)
    assert check(A, dy_dx=J.tolist())
    assert not check(A, dy_dx=J + np.longdouble(1e-9))
    assert not check(A, dy_dx=J * np.longdouble("inf"))


def test_integers_beyond_doubles_are_no_doubles() -> None:
    rows = [[2**53 + 1, 2**53], [1, 1]]
    assert solve(np.array(rows)).dy_dx == solve(rows).dy_dx == ((1, -(2**53)), (-1, 2**53 + 1))
    assert check(np.array(rows), rank=2, dy_dx=[[1, -(2**53)], [-1, 2**53 + 1]])
    assert solve(np.array([[2**60, 0], [1, 1]])).arithmetic == "float"
    assert solve(np.array([[2**64 - 1]], dtype=np.uint64)).dy_dx == ((Fraction(1, 2**64 - 1),),)
    large = solve(np.diag([2**53 + 1] * 80))
    assert large.arithmetic == "float"
    assert large.dy_dx.error.min() > 0


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.eye(8, dtype=bool), "True; 63 other entries are no numbers either"),
        (np.eye(8) * 1j, "'1j'; 63 other entries are no numbers either"),
        (np.array([[1, None], [2, 3]], dtype=object), "None"),
        (np.array([[True, False], [2, 3]], dtype=object), "True; 1 other entry is no number either"),
    ],
)
def test_an_array_of_what_are_no_numbers_is_one_problem(array: Any, found: str) -> None:
    with pytest.raises(InputError) as of_system:
        solve(array)
    (problem,) = of_system.value.problems
    assert problem.message.partition("got ")[2] == found
    assert problem.message.startswith("A[1][")
    if None in array.ravel():  # which claims that an entry is not determined
        return
    with pytest.raises(InputError) as of_claim:
        check(np.eye(len(array)), dy_dx=array)
    (problem,) = of_claim.value.problems
    assert problem.message.partition("got ")[2] == found
    assert problem.message.startswith("dy_dx[1][1]: expected a number such as")


def test_a_hint_stands_once_in_a_message() -> None:
    with pytest.raises(InputError) as refused:
        solve([["010"] * 5] * 4)
    assert str(refused.value).count("Leading zeros") == 1
    assert len(refused.value.problems) == 20


def test_a_claim_that_no_answer_could_fail_is_said_to_fix_nothing_and_fails_if_strict() -> None:
    A = [[4, 1, 0], [2, 3, 1], [0, 5, 2]]
    holds = check(A, [1, 2, 3], dL_dx=[1, 2, 3])
    assert holds
    assert str(holds).startswith("dL_dx: all hold\nbut dL_dx fixes nothing: ")
    strict = check(A, [1, 2, 3], dL_dx=[1, 2, 3], strict=True)
    assert not strict
    assert str(strict).startswith("dL_dx fails: it fixes nothing: ")
    assert check([[1, 2], [3, 4]], [1, 1], dL_dx=["-1/2", "1/2"], strict=True)

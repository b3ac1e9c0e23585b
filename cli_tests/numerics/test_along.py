"""dy = J·dx and dL along a change of x, against the changed system solved again."""

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from conftest import Run, examples
from elimination import Matrix, null_space, product, transpose
from hypothesis import given
from hypothesis import strategies as st
from test_coefficients import dot, matrices, one_solution, times, vectors

from implicitgrad import InputError
from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.readers.arrays.python_values import linear_system
from implicitgrad.solvers.dispatch import solve_system


def along(A: Any, g: Any, dx: Any, **more: Any) -> Any:
    system = linear_system(A, g, **more)
    given = RationalMatrix.of((tuple(dx),)) if system.arithmetic == "exact" else BallMatrix(np.array([dx]))
    return solve_system(system._replace(dx=given)).along


@given(st.data())
@examples(100)
def test_exactly_what_every_solution_of_the_changed_equations_agrees_on_is_determined(data: st.DataObject) -> None:
    m, n, r = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4)), data.draw(st.integers(0, 3))
    A: Matrix = product(data.draw(matrices(m, r)), data.draw(matrices(r, n))) if r else [[Fraction(0)] * n] * m
    if data.draw(st.booleans()):
        dx, B = times(A, data.draw(vectors(n))), None
    else:
        B, dx = product(A, data.draw(matrices(n, 2))), data.draw(vectors(2))
    g = times(transpose(A), data.draw(vectors(m))) if data.draw(st.booleans()) else data.draw(vectors(n))
    found = along(A, g, dx, B=B)
    dy = one_solution(A, dx if B is None else times(B, dx))
    assert dy is not None
    directions = null_space(A) if any(dx) else []
    assert list(found.dy[0]) == [None if any(v[j] for v in directions) else dy[j] for j in range(n)]
    assert list(found.dL[0]) == [None if any(dot(g, v) for v in directions) else dot(g, dy)]


def test_a_change_that_the_constraint_forbids_is_an_error(run: Run) -> None:
    with pytest.raises(InputError, match="dx2 differs by 1 from what it must be"):
        along([[1], [2]], [1], [1, 3])
    result = run("solve", "-A", "1; 2", "--dx", "1 3")
    message = "no change of y goes with this dx: dx2 differs by 1 from what it must be. x is constrained: dx2 = 2·dx1"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"implicitgrad: <inline>: {message}\n")


def test_the_bound_of_doubles_holds() -> None:
    random = np.random.default_rng(2)
    for n in (2, 9, 40):
        A, g, dx = random.normal(size=(n, n)), random.normal(size=(2, n)), random.normal(size=n)
        found = along(A, g, dx)
        exact = along(A.tolist(), g.tolist(), list(map(Fraction, dx.tolist())), arithmetic="exact")
        for key in ("dy", "dL"):
            pairs = zip(getattr(found, key)[0], getattr(exact, key)[0], strict=True)
            assert max(abs(a - b) for a, b in pairs) <= found.error_bound(key) < 1e-9


LAST_LINES = """
  along this dx, J·dx
    dy1 = -4
    dy2 = 9/2
    dL = 1/2
  not determined: dy3
"""


def test_the_command_prints_what_is_determined(run: Run) -> None:
    system = ("solve", "-A", "1 2 0; 3 4 0", "-g", "1 1 0", "--dx", "5 6")
    assert run(*system).stdout.endswith(LAST_LINES)
    record = json.loads(run(*system, "--format", "json").stdout)
    assert (record["dx"], record["dy"], record["dL"]) == ([5, 6], [-4, 4.5, None], 0.5)
    assert (record["exact"]["dy"], record["error_bound"]["dy"]) == (["-4", "9/2", None], 0)
    letters = run("solve", "-A", "a b; 1 2", "-g", "1 1", "--dx", "5 c").stdout
    assert "    dL = (a·c − b·c + 5)/(2·a − b)\n" in letters
    point = run("solve", "-e", "x^2 + y^2 = 25", "--unknowns", "y", "--at", "x=3,y=4", "--dx", "2").stdout
    assert "    dy = -3/2\n" in point
    alone = json.loads(run(*system, "--format", "json", "--only", "dL_dx").stdout)
    assert (alone["dy"], alone["dL"]) == (None, 0.5)
    assert "  along this dx, J·dx\n" in run("solve", "-A", "2", "--dx", "1", "--steps").stdout


REFUSED = {
    "length": (("-A", "1", "--dx", "1 2"), "--dx:1:1: dx has 2 entries; expected 1 entry, one for each input x"),
    "program": (("p.yaml", "--dx", "1"), "p.yaml: --dx is for linear systems and equations, not for a program"),
    "number": (("-A", "1", "--dx", "1e999"), "--dx:1:1: dx[1]: expected"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_a_change_that_makes_no_sense_is_refused(run: Run, options: tuple[str, ...], message: str) -> None:
    result = run("solve", *options, files={"p.yaml": "P: [[1]]\nq: [1]\n"})
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr

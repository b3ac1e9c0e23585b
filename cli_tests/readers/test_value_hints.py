"""Values that are no numbers: what is said of a file's name, code, an equation, LaTeX, a tensor, a decimal comma."""

from collections.abc import Callable

import numpy as np
import pytest
from conftest import Run

import implicitgrad
from implicitgrad import InputError

NUMBER = "expected a number such as -12, 0.5, 1e-3 or 3/4"
LATEX = r"LaTeX is not read here: write \frac{u}{v} as (u)/(v), and u^{2} as u^2"
RIGHT_SIDE = "A claim is the right side alone: leave out"
ENTRIES = "dy_dx has 3 entries; expected 1, one for each input x"


@pytest.mark.parametrize(
    ("claim", "problem"),
    [
        ("(2y-x²)/(y²-2x)", f"dy_dx[1]: {NUMBER}, got '(2y-x²)/(y²-2x)'. A product is written 2*y"),
        ("y' = (2*y-x^2)/(y^2-2*x)", f"{ENTRIES}. {RIGHT_SIDE} 'y' ='"),
        ("dy/dx = (2*y-x^2)/(y^2-2*x)", f"{ENTRIES}. {RIGHT_SIDE} 'dy/dx ='"),
        ("y'=-x/y", f"dy_dx[1]: {NUMBER}, got 'y'=-x/y'. {RIGHT_SIDE} 'y'='"),
        (r"\frac{2 y-x^{2}}{y^{2}-2 x}", f"{ENTRIES}. {LATEX}"),
    ],
)
def test_a_claim_in_another_notation_is_answered_with_what_to_write(run: Run, claim: str, problem: str) -> None:
    result = run("check", "-e", "x^3 + y^3 = 6*x*y", "--unknowns", "y", "--dydx", claim, "-q")
    assert (result.returncode, result.stderr) == (2, f"implicitgrad: --dydx:1:1: {problem}\n")
    assert run("check", "-e", "x^3 + y^3 = 6*x*y", "--unknowns", "y", "--dydx", "(2*y-x²)/(y²-2*x)").returncode == 0


STACK = "A: expected rows of numbers, got lists of rows"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("A: [[1, 2]]\ndL_dy: {y1: 1}\n",
         "2:8: dL_dy: expected a list of numbers, got a mapping. Write it as [1, 2], in the order of the unknowns"),
        ("A: [[1, 2]]\ndL_dy: tensor([1])\n",
         f"2:8: dL_dy[1]: {NUMBER}, got 'tensor([1])'. Write its list alone, as [1, 2]"),
        ("A: [[1, 2]]\ndL_dy: g.npy\n", f"2:8: dL_dy[1]: {NUMBER}, got 'g.npy'. A file is read with -g @g.npy"),
        ("A: a.npy\n", "1:4: A: expected a list of rows, got 'a.npy'. A file is read as the system itself, or with -A "
                       "@a.npy"),
        ("A: 1 2\n", "1:4: A: expected a list of rows, got '1 2'. Write it as [[1, 2], [3, 4]]"),
        ('{"A": [[[1, 2], [3, 4]], [[1, 2], [3, 5]]]}',
         f"1:7: {STACK}. A stack of systems is read from .npy and .npz; in a .jsonl file each line is a system"),
        ("A: [[[1, 2], [3, 4]]]\n", f"1:4: {STACK}. Leave out the outer brackets"),
        ("equations: x^2 + y^2 = 25\ny: y\nat: {x: 3,0, y: 4}\n",
         "3:11: at: expected a number for '0', got none. Write the decimal mark as a point: 3.5"),
        ("equations: x^2 + y^2 = 25\ny: y\nat: {x: , y: 4}\n",
         "3:6: at: expected a number for 'x', got none. at: {x: 3, y: 4}"),
        ("A: [[1]]\nat: {x1: 3,5}\n", "2:13: at: expected values of the inputs, x1, got one of '5'. Write the decimal "
                                      "mark as a point: 3.5"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_answered_with_what_to_write(run: Run, text: str, problem: str) -> None:
    result = run("solve", "s.yaml", files={"s.yaml": text})
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"implicitgrad: s.yaml:{problem}\n")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("grad.npy", "has 1 entry; expected 2, one for each input x. A file is read with --dldx @grad.npy"),
        ("'tensor([1, 2])'", "expected a list of numbers (1×2), got 'tensor([1, 2])'. Write its list alone, as [1, 2]"),
        ("{x1: 1, x2: 2}", "expected a list of numbers (1×2), got a mapping. Write it as [1, 2], in the order of the "
                           "inputs"),
    ],
)  # fmt: skip
def test_a_claimed_value_of_another_kind_is_answered_with_what_to_write(run: Run, value: str, problem: str) -> None:
    text = f"A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\nexpect:\n  dL_dx: {value}\n"
    result = run("check", "s.yaml", "-q", files={"s.yaml": text})
    colon = " " if problem.startswith("has") else ": "
    assert (result.returncode, result.stderr) == (2, f"implicitgrad: s.yaml:4:10: expect.dL_dx{colon}{problem}\n")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["-A", "a.npy"], "-A: expected a value, got 'a.npy'. @ reads a file: -A @a.npy"),
        (["-A", "1", "-g", "data/g.csv"], "-g: expected a value, got 'data/g.csv'. @ reads a file: -g @data/g.csv"),
    ],
)
def test_a_file_without_its_sign_is_answered_with_it(run: Run, arguments: list[str], problem: str) -> None:
    result = run("solve", *arguments)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"implicitgrad: {problem}\n")


@pytest.mark.parametrize(
    ("value", "got", "typed"),
    [
        ("x=3,0;y=4", "0;y=4", "x=3.0,y=4"), ("x=3;y=4", "x=3;y=4", "x=3,y=4"), ("x=3 y=4", "x=3 y=4", "x=3,y=4"),
        ("x=3,0,y=4,5", "0", "x=3.0,y=4.5"), ("x:3,y:4", "x:3", "x=3,y=4"), ("x=3; y = 4,5", "x=3; y = 4", "x=3,y=4.5"),
        ("x=sqrt(9);y=8/2", "x=sqrt(9);y=8/2", "x=sqrt(9),y=8/2"), ("3,4", "3", "x=3,y=4"), ("a;b", "a;b", "x=3,y=4"),
    ],
)  # fmt: skip
def test_a_point_with_other_separators_is_answered_with_ours(run: Run, value: str, got: str, typed: str) -> None:
    result = run("solve", "-e", "x^2 + y^2 = 25", "--unknowns", "y", "--at", value)
    message = f"implicitgrad: --at: expected NAME=VALUE, got '{got}'. Write --at {typed}\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", message)


def test_one_loss_has_its_gradient_claimed_as_a_column_too(run: Run) -> None:
    column = np.array([[-0.5], [0.5]])
    assert implicitgrad.check([[1, 2], [3, 4]], [1, 1], dL_dx=column)
    assert not implicitgrad.check([[1, 2], [3, 4]], [1, 1], dL_dx=-column)
    system = ("check", "-A", "1 2; 3 4", "-g", "1 1", "--dldx")
    assert run(*system, "-1/2; 1/2").returncode == 0
    assert run(*system, "@savetxt.txt", files={"savetxt.txt": "-5.0e-01\n5.0e-01\n"}).returncode == 0
    assert run(*system, "@c.csv", files={"c.csv": "-0.5\n0.5\n"}).returncode == 0
    text = "A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\nexpect: {dL_dx: [[-1/2], [oops]]}\n"
    result = run("check", "s.yaml", "-q", files={"s.yaml": text})
    problem = f"s.yaml:3:26: expect.dL_dx[2]: {NUMBER}, got 'oops'"
    assert (result.returncode, result.stderr) == (2, f"implicitgrad: {problem}\n")
    result = run("check", "-A", "1 2; 3 4", "--dydx", "-2 3/2; 1 -1/2", "-g", "1 0; 0 1", "--dldx", "1; 2", "-q")
    assert "dL_dx[1] has 1 entry; expected 2, one for each input x" in result.stderr


class Tensor:
    """An object that refuses to become an array, as a tensor that requires a gradient does."""

    def __array__(self) -> np.ndarray:
        raise RuntimeError("Use tensor.detach().numpy() instead.")


class Convertible:
    """An object that only numpy.asarray converts."""

    def __array__(self) -> np.ndarray:
        return np.eye(2)


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda: implicitgrad.solve(Tensor()), "Use tensor.detach().numpy() instead."),
        (lambda: implicitgrad.solve([[1]], Tensor()), "Use tensor.detach().numpy() instead."),
        (lambda: implicitgrad.solve([[1]], [Tensor()]), "Use tensor.detach().numpy() instead."),
        (lambda: implicitgrad.check([[1]], [1], dL_dx=Tensor()), "Use tensor.detach().numpy() instead."),
        (lambda: implicitgrad.solve(Convertible()), "numpy.asarray() converts it"),
    ],
)
def test_a_tensor_s_own_hint_is_passed_on(call: Callable[[], object], hint: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.problems[0].hint == hint

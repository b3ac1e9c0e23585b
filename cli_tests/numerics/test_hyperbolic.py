"""sinh, cosh and tanh in equations: derivatives against mpmath's, claims that know the identities, certified points."""

import json

import mpmath
import pytest
from conftest import Run, spread

CASES = {
    "y = sinh(x)": (lambda x: mpmath.sinh(x), "sqrt(1 + y**2)"),
    "y = tanh(x)": (lambda x: mpmath.tanh(x), "1 - y**2"),
    "y = cosh(2*x)/2": (lambda x: mpmath.cosh(2 * x) / 2, "2*sinh(x)*cosh(x)"),
    "tanh(y) = x/9": (lambda x: mpmath.atanh(x / 9), "9/(81 - x**2)"),
    "y = log(cosh(x))": (lambda x: mpmath.log(mpmath.cosh(x)), "tanh(x)"),
    "y = exp(x)*tanh(x)": (lambda x: mpmath.exp(x) * mpmath.tanh(x), "y + exp(x)/cosh(x)**2"),
}


@pytest.mark.parametrize("equation", spread(CASES, 3))
def test_a_derivative_is_that_of_the_function(run: Run, equation: str) -> None:
    function, derivative = CASES[equation]
    given = ("-e", equation, "--unknowns", "y", "--inputs", "x")
    point = ("--at", "x=0.7,y=1", "--solve-for", "y")
    record = json.loads(run("solve", *given, *point, "--order", "2", "-f", "json").stdout)
    with mpmath.workdps(30):
        assert abs(record["dy_dx"][0][0] - mpmath.diff(function, mpmath.mpf("0.7"))) <= record["error_bound"]["dy_dx"]
        assert abs(record["d2y_dx2"][0][0] - mpmath.diff(function, mpmath.mpf("0.7"), 2)) < 1e-12
    assert run("check", *given, "--dydx", derivative.replace(" ", "")).returncode == 0
    wrong = run("check", *given, "--dydx", f"{derivative}+1e-9*x".replace(" ", ""))
    assert wrong.returncode == 1
    assert "FAILS" in wrong.stdout


def test_a_recurrent_layer_has_its_textbook_derivative(run: Run) -> None:
    layer = ("-e", "z = tanh(w*z + u*x)", "--unknowns", "z", "--inputs", "x")
    assert run("check", *layer, "--dydx", "(1-z**2)*u/(1-w*(1-z**2))").returncode == 0
    assert run("check", *layer, "--dydx", "(1-z**2)*u").returncode == 1
    assert "1/cosh(x)²" in run("solve", "-e", "y = tanh(x)", "--unknowns", "y").stdout
    assert "holds where y ≠ 0\n" in run("solve", "-e", "cosh(y) = x", "--unknowns", "y").stdout


@pytest.mark.parametrize(("name", "hint"), [("sigmoid", "1/(1 + exp(-u))"), ("relu", "(u + abs(u))/2")])
def test_what_is_no_function_here_is_spelled_otherwise(run: Run, name: str, hint: str) -> None:
    result = run("solve", "-e", f"z = {name}(x)", "--unknowns", "z")
    assert (result.returncode, result.stdout) == (2, "")
    assert f"Write {name}(u) as {hint}" in result.stderr
    assert run("solve", "-e", f"z = {hint.replace('u', 'x')}", "--unknowns", "z").returncode == 0

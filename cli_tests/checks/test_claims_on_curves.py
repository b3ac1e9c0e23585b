"""Claims about nonlinear equations: judged where the equations hold, by proof or by a point that refutes them."""

import json
import random
from typing import Any

import mpmath
import pytest
import sympy
from conftest import Run, spread
from nonlinear import TEXTBOOK, solved

from implicitgrad import Solution
from implicitgrad.checks.judge import judge
from implicitgrad.model.spec import SourceValue
from implicitgrad.model.verdict import Outcome
from implicitgrad.readers.claims.reader import build_claims
from implicitgrad.symbolic.equations.sampling import find_points
from implicitgrad.symbolic.function_field.field import differences
from implicitgrad.symbolic.grammar.expressions import read_equation
from implicitgrad.symbolic.to_sympy import read_value, symbol
from implicitgrad.symbolic.zeros.ideal import is_zero_where

SOFTMAX = ["-e", "p1*s=exp(z1)", "-e", "p2*s=exp(z2)", "-e", "s=exp(z1)+exp(z2)", "--unknowns", "p1,p2,s"]
SPHERE = ["-e", "x**2+y**2+w**2=1", "--unknowns", "y,w", "--inputs", "x"]


def equation(text: str, y: str = "y", x: str = "x") -> list[str]:
    return ["-e", text, "--unknowns", y, "--inputs", x]


def judged(curve: Solution, dy_dx: str) -> Outcome:
    (outcome,) = judge(curve, build_claims({"dy_dx": SourceValue([[dy_dx]])}, curve)).outcomes
    return outcome


@pytest.mark.parametrize("arguments", spread([
    [*equation("z = 1/(1+exp(-x))", "z"), "--dydx", "z*(1-z)"],
    [*equation("y = exp(x)"), "--dydx", "y"],
    [*equation("y = sqrt(x)"), "--dydx", "1/(2*y)"],
    [*equation("y = sqrt(x)"), "--dydx", "1/(2*abs(y))"],
    [*equation("exp(y) = x"), "--dydx", "1/x"],
    [*equation("exp(y) = x"), "-g", "log(x)", "--dldx", "y/x"],
    [*equation("y = tan(x)"), "--dydx", "1+y**2"],
    [*equation("sin(y) = x"), "--dydx", "cos(y)/(1-x**2)"],
    [*equation("x*y = 1"), "--dydx=-y**2"],
    [*equation("x*y = 1"), "--dydx=-1/x**2"],
    [*equation("x = w*y", x="x,w"), "--dydx", "1/w -x/w**2"],
    [*equation("x**2+y**2=25"), "--dydx=-x*y/(25-x**2)"],
    [*equation("x**2+y**2=25"), "-g", "y", "--dldx=-x*y**2/(25-x**2)"],
    [*equation("y**5+y=x"), "--dydx", "y/(5*x-4*y)"],
    [*SOFTMAX, "--inputs", "z1,z2", "--dydx", "p1*(1-p1) -p1*p2; -p1*p2 p2*(1-p2); p1*s p2*s"],
    [*SPHERE, "--dydx=-x*y/(1-x**2-w**2); 0"],
    ["-e", "x1 = y**2", "-e", "x2 = y**3", "--unknowns", "y", "--inputs", "x1,x2", "--dydx", "y/(2*x1) 0"],
], 3))  # fmt: skip
def test_what_the_equations_make_right_holds(arguments: list[str], run: Run) -> None:
    result = run("check", *arguments)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout


@pytest.mark.parametrize(("arguments", "explanation"), spread([
    (
        [*equation("x**2+y**2=25"), "--dydx=-x/sqrt(25-x**2)"],
        "at x = 1.25, y ≈ -4.84123 the claim is ≈-0.258199, and correct is ≈0.258199; "
        "they agree at x = 1.25, y ≈ 4.84123, and beside it: the claim is right on a part of the curve alone\n",
    ),
    ([*equation("(y-1000)*(x-y**2)=0"), "--dydx", "1/(2*y)"], "at x = 1.25, y = 1000 the claim is ≈0.000500000, and"),
    ([*equation("z = 1/(1+exp(-x))", "z"), "--dydx", "z*(z-1)"], "is a sign flipped?"),
    ([*equation("x*y = 1"), "--dydx", "y**2"], "is a sign flipped?"),
    ([*equation("x**2+y**2=25"), "--dydx=-2*x/y"], "the claim is 2 times"),
    ([*equation("x**2+y**2=25"), "--dydx=-q/y"], "; the system has no q\n"),
    ([*SPHERE, "--dydx=-x/y; 1"], "it does not solve A·∂y/∂x = B: the column of x; as at x = 0.25, y = 0.25, w ≈ 0.9"),
    ([*equation("y**2 = x"), "--dydx", "1/(2*abs(y))"], "the claim is right on a part of the curve alone\n"),
    ([*equation("y = x**2"), "--dydx", "2*sqrt(y)"], "the claim is right on a part of the curve alone\n"),
    ([*equation("y = exp(x)"), "--dydx", "0.5"], "claimed 0.5, correct is exp(x); at x = 1.25"),
    ([*SOFTMAX, "--inputs", "z1,z2", "--dydx", "p1 -p1*p2; -p1*p2 p2*(1-p2); p1*s p2*s"], "fails: 1 of 6 entries"),
], 3))  # fmt: skip
def test_what_is_wrong_at_a_point_of_the_equations_fails(arguments: list[str], explanation: str, run: Run) -> None:
    result = run("check", *arguments)
    assert (result.returncode, result.stderr) == (1, "")
    assert "FAILS" in result.stdout
    assert explanation in result.stdout


@pytest.mark.parametrize("arguments", spread([
    [*equation("x**2+y**2=25"), "--dydx=-x/y+(x-3)"],  # x = 3 is two points of the circle
    [*equation("y**3=x"), "--dydx", "1/(3*y**2)+(x-1)*(x-8)"],
    [*equation("x*y=1"), "--dydx=-y/x+(8*x-10)*(y-2)"],
    [*equation("x**2+y**2=25"), "--dydx", "y-0.75*x"],
    [*equation("x**2+y**2=w", x="x,w"), "--dydx=-x/y+x-3 1/(2*y)+x-3"],
], 2))  # fmt: skip
def test_points_at_which_a_claim_happens_to_be_right_are_no_part_of_the_curve(arguments: list[str], run: Run) -> None:
    result = run("check", *arguments)
    assert (result.returncode, result.stderr) == (1, "")
    assert "they agree" not in result.stdout
    assert "part of the curve" not in result.stdout


def test_a_flipped_sign_is_named_though_the_claim_is_right_where_it_is_0(run: Run) -> None:
    for text, claim in (
        ("y+x*y**2=0", "y**2/(1+2*x*y)"),
        ("y**2+x*y=0", "y/(2*y+x)"),
        ("y=x**2*y**2", "-2*x*y/(1-2*x**2*y)*y"),
    ):
        result = run("check", *equation(text), "--dydx", claim)
        assert "the claim is the negative of a valid ∂y/∂x: is a sign flipped?" in result.stdout, result.stdout
        assert "part of the curve" not in result.stdout
    both = run("check", *equation("x**2=y**2"), "--dydx", "1").stdout  # right on y = x, its negative on y = -x
    assert "they agree at x = 1.25, y = 1.25, and beside it: the claim is right on a part of the curve alone\n" in both
    assert "sign" not in both


def test_zero_is_written_as_zero(run: Run) -> None:
    result = run("check", *equation("x**2+y**2=25"), "--dydx", "x**2+y**2-25")
    assert "y ≈ 4.84123 the claim is 0, and correct is ≈-0.258199\n" in result.stdout


UNSHOWN = [*equation("x**y = y**x"), "--dydx", "(x*y*log(y)-y**2)/(x**2*log(y)-x**2)"]


@pytest.mark.parametrize(("arguments", "explanation"), [
    (UNSHOWN, "it is right at 8 points of the equations, and it is not shown that it always is; a point, --at, "),
    ([*equation("x**2+y**2=-1"), "--dydx", "y"], "no point was found at which the equations hold and the claim has"),
    (
        ["-e", "x=y**2", "-e", "2*x=2*y**2", "--unknowns", "y", "--inputs", "x", "--dydx", "y/(2*x)"],
        "no point was found",
    ),
])  # fmt: skip
def test_what_is_neither_shown_nor_refuted_is_not_decided(arguments: list[str], explanation: str, run: Run) -> None:
    result = run("check", *arguments)
    assert (result.returncode, result.stderr) == (1, "")
    assert "(--dydx) is not decided: 1 of 1 entry: dy_dx[1] (∂y/∂x): claimed" in result.stdout
    assert explanation in result.stdout
    assert "   undecided   " in result.stdout
    assert result.stdout.endswith("1 claim about 1 system: 0 hold, 0 fail, 1 undecided\n")


def test_every_report_says_what_is_not_decided(run: Run, tmp_path: Any) -> None:
    record = json.loads(run("check", *UNSHOWN, "--format", "json", "--junit", "a.xml").stdout)
    (claim,) = record["claims"]
    assert (record["holds"], claim["holds"], claim["undecided"], claim["failing"]) == (False, False, True, 0)
    assert '<failure type="dy_dx" message="not decided: 1 of 1 entry: ' in (tmp_path / "a.xml").read_text("utf-8")
    assert "title=dy_dx is not decided::" in run("check", *UNSHOWN, "--quiet", "--github").stdout
    solution = solved("x**y = y**x", y="y", x="x")
    verdict = judge(solution, build_claims({"dy_dx": SourceValue([[UNSHOWN[-1]]])}, solution))
    assert not verdict
    assert str(verdict).startswith("dy_dx is not decided: 1 of 1 entry: ")


@pytest.mark.parametrize("name", spread(TEXTBOOK, 5))
def test_textbook_answers_hold_and_others_do_not(name: str) -> None:
    equation, expected = TEXTBOOK[name]
    left, right = equation.split(" = ")
    curve = solved(equation, y="y", x="x")
    for claim in (expected, f"{expected} + ({left} - ({right}))*x/y"):
        outcome = judged(curve, claim)
        assert outcome.holds, outcome.reason
    for claim in spread((f"-({expected})", f"{expected} + x", f"x*({expected})"), 3):
        outcome = judged(curve, claim)
        assert (outcome.holds, outcome.is_undecided) == (False, False)


@pytest.mark.parametrize("seed", spread(range(3), 3))
def test_a_claim_is_said_to_hold_exactly_where_the_truth_is_seen_at_other_points(seed: int) -> None:
    """On curves of two branches, y = f(x) and y = g(x), claims that are right on both, on one, or on none."""
    generator = random.Random(seed)
    x = sympy.Symbol("x")
    f, g = (sum(generator.randrange(1, 5) * x**k for k in range(2)) + sign * x**2 for sign in (1, -1))
    curve = solved(f"(y - ({f}))*(y - ({g})) = 0", y="y", x="x")
    F = f"((y - ({f}))*(y - ({g})))"
    slope = f"(({f.diff(x)})*(y - ({g})) - ({g.diff(x)})*(y - ({f})))/(2*y - ({f}) - ({g}))"
    both = f"(({f.diff(x)})*(y - ({g})) - ({g.diff(x)})*(y - ({f})))/(({f}) - ({g}))"
    claims = ((both, True), (slope, None), (f"{both} + y - ({f})", False), (str(f.diff(x)), False),
              (f"{both} + {F}*y", True), (f"{both} + 1", False))  # fmt: skip
    for claim, holds in spread(claims, 2):
        outcome = judged(curve, claim)
        right = [
            sympy.sympify(claim).subs({"x": at, "y": branch.subs(x, at)}) == branch.diff(x).subs(x, at)
            for branch in (f, g)
            for at in (sympy.Rational(7, 3), sympy.Rational(-11, 5))
        ]
        assert holds in (None, all(right))
        assert outcome.holds == all(right), outcome.reason
        assert not outcome.is_undecided
        assert ("right on a part of the curve alone" in outcome.reason) == (any(right) and not all(right))


def test_points_solve_the_equations_and_lie_on_more_than_one_branch() -> None:
    x, y = symbol("x"), symbol("y")
    points = find_points(differences([read_equation("x**2 + y**2 = 25")]), [y], [y, x])
    assert {point.values[y] > 0 for point in points} == {True, False}
    with mpmath.workdps(60):
        for point in points:
            u, v = (mpmath.mpf(int(point.values[w].p)) / int(point.values[w].q) for w in (x, y))
            assert abs(u**2 + v**2 - 25) < mpmath.mpf(10) ** -45
            assert point.intervals[y].a <= mpmath.sign(v) * mpmath.sqrt(25 - u**2) <= point.intervals[y].b
    assert not find_points(differences([read_equation("(x - y)**2 = 0")]), [y], [y, x])
    assert not find_points(differences([read_equation("exp(exp(y)) = -x**2")]), [y], [y, x])


@pytest.mark.parametrize(("equations", "value", "nonzero", "is_shown"), [
    (["x**2 + y**2 = 25"], "x**4 - (25 - y**2)**2", [], True),
    (["x**2 + y**2 = 25"], "x - sqrt(25 - y**2)", [], False),
    (["x*y = x"], "y - 1", [], False),
    (["x*y = x"], "y - 1", ["x"], True),
    (["x*(y - 1) = 0", "z*(y - 2) = 0"], "z*x", [], True),
    (["x*(y - 1) = 0", "z*(y - 2) = 0"], "z", [], False),
    (["x*z = y", "x*(x - 1) = 0"], "z - y", [], False),
    (["x*z = y", "x*(x - 1) = 0"], "x*z - x*y", [], True),
    (["y**2 = x", "x = 0"], "y", [], True),
    (["sin(x) = y"], "cos(x)**2 + y**2 - 1", [], True),
    (["exp(y) = x"], "log(x) - y", [], True),
])  # fmt: skip
def test_consequences_of_equations(equations: list[str], value: str, nonzero: list[str], is_shown: bool) -> None:
    letters = [symbol(name) for name in "xyz"]
    found = is_zero_where(
        read_value(value), differences(map(read_equation, equations)), list(map(read_value, nonzero)), letters
    )
    assert found == is_shown

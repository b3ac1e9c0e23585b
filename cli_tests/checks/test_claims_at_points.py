"""Claims at a point of equations: with letters in them, and where the point is rounded."""

import json
import math
import random

import pytest
from conftest import IS_THOROUGH, Run, spread
from nonlinear import solved

from implicitgrad import check
from implicitgrad.checks.context import is_at_rounded_point
from implicitgrad.checks.judge import judge, solve_to_judge
from implicitgrad.model.spec import SourceValue
from implicitgrad.readers.claims.reader import build_claims

CIRCLE = ["-e", "x**2+y**2=25", "--unknowns", "y"]
FOUND = ["--at", "x=2,y=5", "--solve-for", "y"]


@pytest.mark.parametrize(("point", "claim", "verdict"), spread([
    (["--at", "x=3,y=4"], "-x/y", "holds"),
    (["--at", "x=3,y=4"], "-x*y/(25-x**2)", "holds"),
    (["--at", "x=3,y=4"], "-x/sqrt(25-x**2)", "holds"),
    (["--at", "x=3,y=-4"], "-x/sqrt(25-x**2)", "FAILS"),
    (["--at", "x=3,y=4"], "-y/x", "FAILS"),
    (["--at", "x=3,y=4"], "sin(x)-sin(3)-3/y", "holds"),
    (["--at", "x=3,y=4"], "1/sqrt(y-2)-3/2", "FAILS"),
    (["--at", "x=2,y=sqrt(21)"], "-x/y", "holds"),
    (["--at", "x=2,y=sqrt(21)"], "-y/x", "FAILS"),
    (FOUND, "-2/sqrt(21)", "holds"),
    (FOUND, "-y/x", "FAILS"),
    (FOUND, "-x/y", "holds"),
    (["--at", "x=2,y=4.6"], "-x/sqrt(25-x**2)", "undecided"),
    (["--at", "x=2,y=4.6"], "-x/y", "holds"),
    (["--at", "x=2,y=4.6"], "-y/x", "FAILS"),
    (["--at", "x=2,y=4.6"], "-x*y/(25-x**2)", "holds"),
], 2))  # fmt: skip
def test_letters_have_their_values_at_the_point(point: list[str], claim: str, verdict: str, run: Run) -> None:
    result = run("check", *CIRCLE, *point, f"--dydx={claim}")
    assert (result.returncode, result.stderr) == (0 if verdict == "holds" else 1, "")
    assert f"   {verdict}   " in result.stdout


@pytest.mark.parametrize(("claim", "reason"), [
    ("x/q", "dy_dx[1]: expected letters that have a value at the point, got q"),
    ("sqrt(-x)", "dy_dx[1]: expected an expression with a real value at the point, got one without"),
    ("1/(x-3)", "dy_dx[1]: expected an expression with a real value at the point, got one without"),
    ("x*", "dy_dx[1]: expected a number, a name or (, got the end"),
])  # fmt: skip
def test_a_claim_that_has_no_value_at_the_point_is_refused(claim: str, reason: str, run: Run) -> None:
    result = run("check", *CIRCLE, "--at", "x=3,y=4", "--dydx", claim)
    assert (result.returncode, result.stdout) == (2, "")
    assert reason in result.stderr


@pytest.mark.parametrize(("point", "claim", "verdict", "said"), [
    ("x=2,y=4.6", "-0.436436", "undecided", "only to ±0.0048: dy_dx[1] is -0.43, claimed -0.436436; --solve-for y"),
    ("x=2,y=4.6", "-0.43478", "undecided", "the point is rounded, and decides ∂"),
    ("x=2,y=4.6", "-0.6", "FAILS", "claimed -0.6, correct is -0.43, difference -0.17, allowed ≈0.0548\n"),
    ("x=2,y=4.6", "-0.4", "holds", ""),
    ("x=2,y=4.58258", "-0.436436", "undecided", "±4.8e-7: dy_dx[1] is -0.436435, claimed -0.436436; --solve"),
    ("x=2,y=4.58258", "-0.43478", "FAILS", "correct is -0.436435, difference 0.001655, allowed ≈5.48e-6\n"),
    ("x=2,y=4.58258", "-0.4364", "holds", ""),
    ("x=3.0,y=4.0", "-3/4", "holds", ""),
    ("x=3.0,y=4.0", "-0.74", "FAILS", "correct is -0.75"),
])  # fmt: skip
def test_a_rounded_point_decides_as_much_as_its_bound_lets_it(
    point: str, claim: str, verdict: str, said: str, run: Run
) -> None:
    result = run("check", *CIRCLE, "--at", point, f"--dydx={claim}")
    assert (result.returncode, result.stderr) == (0 if verdict == "holds" else 1, "")
    assert f"   {verdict}   " in result.stdout
    assert said in result.stdout
    gradient = run("check", *CIRCLE, "--at", point, "-g", "1", f"--dldx={claim}")
    assert f"   {verdict}   " in gradient.stdout


def test_a_tolerance_may_be_as_wide_as_the_bound_and_a_found_point_decides_more(run: Run) -> None:
    assert run("check", *CIRCLE, "--at", "x=2,y=4.6", "--dydx=-0.436436", "--atol", "0.01").returncode == 0
    assert run("check", *CIRCLE, *FOUND, "--dydx=-0.436436").returncode == 0
    assert "correct is ≈-0.436436" in run("check", *CIRCLE, *FOUND, "--dydx=-0.43478").stdout


def test_what_is_known_within_bounds_alone_has_no_exact_value_in_the_record(run: Run) -> None:
    arguments = ["check", *CIRCLE, "--at", "x=2,y=4.6", "--format", "json"]
    (wrong,) = json.loads(run(*arguments, "--dydx=-0.6").stdout)["claims"]
    assert wrong["worst"]["exact"] == {"claimed": "-3/5", "correct": None, "difference": None, "tolerance": None}
    assert abs(wrong["worst"]["difference"]) > wrong["worst"]["tolerance"] > 0.05
    (open_one,) = json.loads(run(*arguments, "--dydx=-0.43").stdout)["claims"]
    assert (open_one["holds"], open_one["undecided"], open_one["worst"]) == (False, True, None)


def test_near_a_fold_nothing_is_decided_and_what_the_point_does_not_touch_is(run: Run) -> None:
    system = solved("x**2 + y**2 = 25", y="y", at={"x": "5.0", "y": "0.1"}).system
    verdict = check(system, dy_dx=[["-50"]])
    assert verdict.outcomes[0].is_undecided
    beside = ["-e", "u=2*x", "-e", "x**2+v**2=25", "--unknowns", "u,v", "--inputs", "x", "--at", "x=2,u=4,v=4.6"]
    assert run("check", *beside, "--dydx", "2; -0.4").returncode == 0
    assert "is not decided" in run("check", *beside, "--dydx", "2; -0.436").stdout
    wrong_entry = "dy_dx[1][1] (∂u/∂x): claimed 3, correct is 2, difference 1"
    assert wrong_entry in run("check", *beside, "--dydx", "3; -0.4").stdout


def test_no_verdict_is_wrong_of_any_solution_that_rounds_to_the_point() -> None:
    generator, seen = random.Random(5), set()
    for _ in range(60 if IS_THOROUGH else 30):
        t, places = generator.uniform(0.2, 1.3), generator.choice([1, 2, 4])
        x, y = math.cos(t), math.sin(t) * 1.5
        truth = -9 * x / (4 * y)
        at = {"x": f"{x:.{places}f}", "y": f"{y:.{places}f}"}
        system = solved("9*x**2 + 4*y**2 = 9", y="y", x="x", at=at).system
        if not is_at_rounded_point(system):
            continue
        digits = generator.choice([0, 1, 3, 5])
        claim = f"{truth + generator.choice([0, 0, 0.3, -0.02]):.{digits}f}"
        solution = solve_to_judge(system)
        (outcome,) = judge(solution, build_claims({"dy_dx": SourceValue([[claim]])}, solution)).outcomes
        is_right = abs(float(claim) - truth) <= 0.5 * 10.0**-digits if digits else float(claim) == truth
        seen.add((outcome.holds, outcome.is_undecided))
        assert outcome.is_undecided or outcome.holds == is_right
    assert seen == {(True, False), (False, True), (False, False)}


def test_an_entry_lost_in_the_rounding_of_a_point_is_not_laid_to_the_condition(run: Run) -> None:
    text = "equations: [y1^2 = 2*x1, y2 = (x1-1)*(y1-1.4141)]\ny: [y1, y2]\nat: {x1: 1, y1: 1.414, y2: 0}\n"
    claim = "expect: {dy_dx: [[0.7071067811865475], [0.00011356237309515]]}\n"
    result = run("check", "a.yaml", files={"a.yaml": text + claim})
    assert (result.returncode, result.stderr) == (1, "")
    assert "dy_dx is not decided: the point is rounded, and decides ∂y/∂x only to ±" in result.stdout
    assert "condition" not in result.stdout

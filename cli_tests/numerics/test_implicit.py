"""Nonlinear equations: against sympy's idiff, against hand results, and against solving again after a small change."""

import itertools
import json
import math
import random
from fractions import Fraction
from functools import partial
from typing import Any

import mpmath
import pytest
import sympy
from conftest import IS_THOROUGH, Run, spread, trials
from nonlinear import TEXTBOOK, solved
from test_symbolic import at

from implicitgrad import InputError, UsageError


def text_of(value: Any) -> str:
    return value.text if hasattr(value, "text") else str(value)


def is_same(found: str, expected: str, equation: str, seed: int = 1) -> bool:
    """Whether two expressions are equal at points of the curve, to 25 digits."""
    left, right = equation.split(" = ")
    x, y = sympy.symbols("x y", positive=True)
    names = {"x": x, "y": y}
    F = sympy.sympify(left, locals=names) - sympy.sympify(right, locals=names)
    a, b = (sympy.lambdify((x, y), sympy.sympify(text, locals=names), "mpmath") for text in (found, expected))
    f = sympy.lambdify((x, y), F, "mpmath")
    generator, compared = random.Random(seed), 0
    with mpmath.workdps(40):
        for _ in range(60 if IS_THOROUGH else 12):
            u = mpmath.mpf(generator.uniform(0.2, 4))
            try:
                v = mpmath.findroot(partial(f, u), mpmath.mpf(generator.uniform(0.2, 4)))
                if abs(mpmath.im(v)) > 1e-30 or mpmath.re(v) <= 0.01 or abs(u - v) < 1e-6:
                    continue
                p, q = a(u, v), b(u, v)
            except (ValueError, ZeroDivisionError):
                continue
            if abs(p - q) > 1e-25 * (1 + abs(q)):
                return False
            compared += 1
    return compared > 0


@pytest.mark.parametrize("name", spread(TEXTBOOK, 3))
def test_textbook_problems(name: str) -> None:
    equation, expected = TEXTBOOK[name]
    solution = solved(equation, y="y", x="x")
    assert str(solution.status) == "determined"
    found = text_of(solution.dy_dx[0][0])
    assert is_same(found, expected, equation)
    x, y = sympy.symbols("x y", positive=True)
    left, right = (sympy.sympify(side, locals={"x": x, "y": y}) for side in equation.split(" = "))
    assert is_same(found, str(sympy.idiff(left - right, y, x)), equation)


@pytest.mark.parametrize(
    "name", spread(["circle", "folium of Descartes", "product", "sine", "exponential", "logarithm", "roots"], 5)
)
def test_second_derivatives_are_sympys(name: str) -> None:
    equation, _ = TEXTBOOK[name]
    solution = solved(equation, y="y", x="x", order=2)
    x, y = sympy.symbols("x y", positive=True)
    left, right = (sympy.sympify(side, locals={"x": x, "y": y}) for side in equation.split(" = "))
    assert solution.second is not None
    assert is_same(text_of(solution.second[0][0]), str(sympy.idiff(left - right, y, x, 2)), equation)


def test_second_derivatives_of_several_inputs() -> None:
    solution = solved("u*y + exp(y) = v", y="y", x="u v", order=2)
    F_y = "(u + exp(y))"
    expected = [[f"y*(2*u + 2*exp(y) - y*exp(y))/{F_y}**3", f"(y*exp(y) - u - exp(y))/{F_y}**3"],
                [f"(y*exp(y) - u - exp(y))/{F_y}**3", f"-exp(y)/{F_y}**3"]]  # fmt: skip
    assert solution.second is not None
    for row, texts in zip(solution.second, expected, strict=True):
        for value, text in zip(row, texts, strict=True):
            assert sympy.simplify(sympy.sympify(text_of(value)) - sympy.sympify(text)) == 0
    assert solved("x = 2*y", y="y", order=2).second == ((0,),)
    for equation, expected in spread((  # as textbooks have them
        ("x**2 + y**2 = r**2", "-r²/y³"),
        ("x**2/a**2 + y**2/b**2 = 1", "-b⁴/(a²·y³)"),
        ("x**3 + y**3 = 3*a*x*y", "2·a³·x·y/(a·x − y²)³"),
        ("sqrt(x) + sqrt(y) = sqrt(a)", "sqrt(a)/(2·x^(3/2))"),
    ), 3):  # fmt: skip
        ((second,),) = solved(equation, y="y", x="x", order=2).second or ()
        assert getattr(second, "shown", None) == expected
    assert solved("x**2 + y**2 = 25", y="y", at={"x": "3", "y": "4"}, order=2).second == ((Fraction(-25, 64),),)
    with pytest.raises(
        UsageError, match="--order 2 is for as many equations as unknowns, got 1 equation in 2 unknowns"
    ):
        solved("x = y1 + y2", y="y1 y2", order=2)


SYSTEMS = [
    (("x = r*cos(t)", "z = r*sin(t)"), "r t", "x z", {"r": 2.0, "t": 0.5}),
    (("u**2 - v = x", "u + v**2 = z"), "u v", "x z", {"u": 1.0, "v": 2.0}),
    (("x*u + exp(v) = 3", "u*v + z = x"), "u v", "x z", {"u": 0.7, "v": 0.4}),
    (("log(u) + v*x = 1", "u*v*z = 2"), "u v", "x z", {"u": 1.5, "v": 0.9}),
    (("sin(u)*cos(v) = x", "u - sqrt(v) = z**3"), "u v", "x z", {"u": 0.9, "v": 0.5}),
]


def test_a_second_derivative_that_does_not_exist_is_null(run: Run) -> None:
    arguments = ["solve", "-e", "y^2 = x", "--unknowns", "y", "--at", "x=0,y=0"]
    record = json.loads(run(*arguments, "--order", "2", "--format", "json").stdout)
    assert (record["d2y_dx2"], record["exact"]["d2y_dx2"], record["error_bound"]["d2y_dx2"]) == (None, None, None)
    assert "d2y_dx2" not in json.loads(run(*arguments, "--format", "json").stdout)
    assert run(*arguments, "--order", "2").stdout == run(*arguments).stdout


@pytest.mark.parametrize(("equations", "y", "x", "near"), spread(SYSTEMS, 3), ids=lambda value: str(value)[:30])
def test_derivatives_agree_with_a_perturbed_system_solved_again(
    equations: tuple[str, ...], y: str, x: str, near: dict[str, float]
) -> None:
    solution = solved(*equations, y=y, x=x)
    unknowns, inputs = y.split(), x.split()
    symbols = {name: sympy.Symbol(name) for name in unknowns + inputs}
    F = [
        sympy.sympify(e.split(" = ")[0], locals=symbols) - sympy.sympify(e.split(" = ")[1], locals=symbols)
        for e in equations
    ]
    f = sympy.lambdify([symbols[name] for name in unknowns + inputs], F, "mpmath")
    with mpmath.workdps(40):
        start = [mpmath.mpf(near[name]) for name in unknowns]
        given = list(mpmath.findroot(lambda *v: f(*start, *v), [mpmath.mpf("0.8"), mpmath.mpf("0.3")]))

        def unknowns_at(values: list[Any], guess: list[Any]) -> list[Any]:
            return list(mpmath.findroot(lambda *v: f(*v, *values), guess))

        base = unknowns_at(given, start)
        point = dict(zip(unknowns + inputs, [*base, *given], strict=True))
        h = mpmath.mpf(10) ** -12
        for k in range(len(inputs)):
            moved = [[value + sign * h * (i == k) for i, value in enumerate(given)] for sign in (1, -1)]
            forward, backward = (unknowns_at(values, base) for values in moved)
            for i in range(len(unknowns)):
                expression = sympy.sympify(text_of(solution.dy_dx[i][k]), locals=symbols)
                found = sympy.lambdify(list(symbols.values()), expression, "mpmath")(*(point[name] for name in symbols))
                assert abs(found - (forward[i] - backward[i]) / (2 * h)) < 1e-6 * (1 + abs(found))


def test_at_a_point_the_answer_is_exact() -> None:
    solution = solved("x**2 + y**2 = 25", y="y", at={"x": "3", "y": "4"})
    assert solution.dy_dx == ((Fraction(-3, 4),),)
    assert str(solution.arithmetic) == "exact"
    solution = solved("x = r*cos(t)", "z = r*sin(t)", y="r t", at={"r": "2", "t": "pi/6", "x": "sqrt(3)", "z": "1"})
    assert [[text_of(value) for value in row] for row in solution.dy_dx] == [
        ["sqrt(3)/2", "1/2"],
        ["-1/4", "sqrt(3)/4"],
    ]
    solution = solved("x = a1*y1 + a2*y2", y="y1 y2", at={"a1": "3", "a2": "5"})
    assert solution.general.particular == ((0,), (Fraction(1, 5),))
    solution = solved("x**2 + y**2 = r**2", y="y", x="x", at={"x": "0.6", "y": "0.8", "r": "1"})
    assert solution.dy_dx == ((Fraction(-3, 4),),)


def test_where_the_theorem_fails_there_is_a_verdict_and_its_reason() -> None:
    fold = solved("x**2 + y**2 = 25", y="y", at={"x": "5", "y": "0"})
    assert (str(fold.status), fold.rank) == ("rank-deficient", 0)
    assert [code for code, _ in fold.warnings] == ["fold"]
    cusp = solved("y**2 = x**3", y="y", at={"x": "0", "y": "0"})
    assert (str(cusp.status), cusp.rank) == ("underdetermined", 0)
    assert [code for code, _ in cusp.warnings] == ["singular-point"]
    node = solved("y**2 = x**2*(x + 1)", y="y", at={"x": "0", "y": "0"})
    assert [code for code, _ in node.warnings] == ["singular-point"]
    assert not solved("y**2 = x**2*(x + 1)", y="y", at={"x": "3", "y": "6"}).warnings
    tangent = solved("y**3 = x", y="y", at={"x": "0", "y": "0"})
    ((_, message),) = tangent.warnings
    assert message.endswith("With ∂F/∂x it has 1: a fold, or a vertical tangent: y is no differentiable function of x")
    assert not solved("s = y**2", "t = y**3", y="y").warnings
    assert not solved("s = y**2", "t = y**3", y="y", at={"s": "4", "t": "8", "y": "2"}).warnings
    assert [code for code, _ in solved("u = p*q", "v = 2*p*q", y="p q").warnings] == ["dependent"]
    unused = solved("x**2 + y**2 = 25", y="z w")
    assert unused.warnings == (("unused-unknown", "z, w are in none of the equations"),)
    linear = solved("x = 3*y1 + 5*y2", y="y1 y3")
    assert linear.warnings == (("unused-unknown", "y3 is in none of the equations"),)
    assert not solved("x = 3*y1 + 0*y2", y="y1 y2").warnings
    nowhere = solved("(y - x)**2 = 0", y="y")
    assert [code for code, _ in nowhere.warnings] == ["theorem-applies-nowhere"]
    assert not solved("x**2 + y**2 = 25", y="y").warnings
    assert [code for code, _ in solved("u + v = x", "(u + v)**2 = x**2 + 0*z", y="u v").warnings]


def test_newtons_method_finds_the_point() -> None:
    exact = solved("x**2 + y**2 = 25", y="y", at={"x": "3", "y": "5"}, solve_for="y")
    assert exact.dy_dx == ((Fraction(-3, 4),),)
    assert exact.system.origin is not None
    assert dict(exact.system.origin.point) == {"x": "3", "y": "4"}
    near = solved("x**2 + y**2 = 25", y="y", at={"x": "2", "y": "5"}, solve_for="y")
    assert near.warnings == ()
    assert abs(float(near.dy_dx[0][0] or 0) + 2 / math.sqrt(21)) <= (near.error_bounds[0] or 0) <= 1e-16
    kepler = solved("M = E - e*sin(E)", y="E", x="M", at={"M": "1", "e": "0.5", "E": "1"}, solve_for="E")
    E = 1.4987011335178482
    assert float(kepler.dy_dx[0][0] or 0) == pytest.approx(1 / (1 - 0.5 * math.cos(E)), rel=1e-14)
    for point, reason in (
        ({"x": "30", "y": "4"}, "Newton's method found no solution from y = 4"),
        ({"x": "3", "y": "0"}, "Newton's method found no solution from y = 0"),
    ):
        with pytest.raises(InputError, match=reason):
            solved("x**2 + y**2 = 25", y="y", at=point, solve_for="y")


@pytest.mark.parametrize("name", spread(TEXTBOOK, 5))
def test_what_newtons_method_finds_is_proved_and_its_error_bounded(name: str) -> None:
    """Against ∂y/∂x by hand at a root found with more digits; singular is only what is."""
    equation, expected = TEXTBOOK[name]
    names = sympy.symbols("x y", real=True)
    left, right = (sympy.sympify(side, locals=dict(zip("xy", names, strict=True))) for side in equation.split(" = "))
    F, dF = (sympy.lambdify(names, f, "mpmath") for f in (left - right, sympy.diff(left - right, names[1])))
    by_hand = sympy.lambdify(sympy.symbols("x y"), sympy.sympify(expected), "mpmath")
    found = 0
    points = itertools.product(("0.7", "1/3", "2", "sqrt(3)", "5"), ("0.3", "1.1", "3"))
    for x, start in spread(itertools.islice(points, None, None, 3), 2):
        try:
            solution = solved(equation, y="y", x="x", at={"x": x, "y": start}, solve_for="y")
        except InputError:
            continue
        assert solution.system.origin is not None
        point = dict(solution.system.origin.point)
        with mpmath.workdps(60):
            u, near = (mpmath.mpf(sympy.sympify(text, rational=True).evalf(60)) for text in (x, point["y"]))
            v = mpmath.findroot(partial(F, u), near)
            assert abs(v - near) < 1e-15 * max(1, abs(near))
            if str(solution.status) != "determined":
                assert abs(dF(u, v)) < 1e-30
                continue
            slope = by_hand(u, v)
            value = mpmath.mpf(sympy.sympify(text_of(solution.dy_dx[0][0]), rational=True).evalf(60))
            off, bound = abs(value - slope), solution.error_bounds[0]
            assert bound is not None
            assert off <= (bound or 1e-50 * abs(slope))
            assert bound <= 1e-13 * abs(slope) + 1e-18
            found += 1
    assert found


@pytest.mark.parametrize(
    ("equation", "x", "y"),
    [
        ("(y**2 - 2)**2 = x", "0", "1.5"),
        ("cos(y) = x", "-1", "3"),
        ("(y**2 - 2)**3 = x", "0", "1.5"),
    ],
)
def test_a_fold_that_newtons_method_comes_near_is_not_called_determined(equation: str, x: str, y: str) -> None:
    with pytest.raises(InputError, match=r"it cannot be proved that a solution is there|found no solution"):
        solved(equation, y="y", x="x", at={"x": x, "y": y}, solve_for="y")


def test_a_rounded_point_is_taken_for_what_it_is() -> None:
    rounded = solved("y = sin(x)", y="y", at={"x": "1", "y": "0.8415"})
    assert [code for code, _ in rounded.warnings] == ["rounded-point"]
    with pytest.raises(InputError, match="is no solution of equation 1: its sides differ by"):
        solved("y = sin(x)", y="y", at={"x": "1", "y": "0.8414"})
    with pytest.raises(InputError, match="the equations have no derivative, or any, near x = 0, y = 1/10"):
        solved("abs(y - 0.101) = x", y="y", x="x", at={"x": "0.00", "y": "0.10"})


@pytest.mark.parametrize(
    ("equation", "point"),
    [
        ("y*x = h*h", {"x": "1/10**21", "y": "5/10**21", "h": "1/10**21"}),
        ("y**2 = x", {"x": "1/10**44", "y": "2/10**22"}),
        ("y**2 = x", {"x": "1/10**44", "y": "0"}),
        ("y**2 = x + exp(-100)", {"x": "0", "y": "0"}),
        ("y = x + exp(-100)", {"x": "1", "y": "1"}),
        ("y**3 = x", {"x": "-8.0", "y": "-2.1"}),
    ],
)
def test_a_point_of_any_size_is_no_solution_unless_it_is_one(equation: str, point: dict[str, str]) -> None:
    with pytest.raises(InputError, match="is no solution of equation 1"):
        solved(equation, y="y", x="x", at=point)


def test_small_points_and_points_that_take_proof() -> None:
    small = solved("y**2 = x", y="y", at={"x": "1/10**44", "y": "1/10**22"})
    assert small.dy_dx == ((Fraction(5 * 10**21),),)
    root = solved("y**2 = 3 + 2*x", y="y", x="x", at={"x": "sqrt(2)", "y": "1 + sqrt(2)"})
    assert str(root.arithmetic) == "symbolic"
    cubic = solved("y**3 + y = x", y="y", at={"x": "0.123", "y": "0.1"}, solve_for="y")
    assert cubic.error_bounds[0] is not None
    with pytest.raises(InputError, match="equation 1 has no real value"):
        solved("y = x**(1/4)", y="y", x="x", at={"x": "-16", "y": "-2"})
    with pytest.raises(InputError, match="expected numbers of at most 4,000 digits, and the equations have more"):
        solved("exp(exp(exp(y))) = x", y="y", at={"x": "1", "y": "100"})
    assert solved("mpf**2/3 = x + sin(mpf)", y="mpf", x="x", at={"x": "1", "mpf": "1"}, solve_for="mpf").rank == 1


def test_the_error_at_a_rounded_point_is_that_of_any_solution_that_rounds_to_it() -> None:
    generator, compared = random.Random(3), 0
    for _ in range(trials(150)):
        t, places = generator.uniform(0.2, 1.3), generator.choice([2, 3, 5, 9])
        x, y = math.cos(t), math.sin(t) * 1.5
        at = {"x": f"{x:.{places}f}", "y": f"{y:.{places}f}"}
        solution = solved("9*x**2 + 4*y**2 = 9", y="y", x="x", at=at)
        bound = solution.error_bounds[0]
        if bound is None:
            continue
        compared += 1
        assert abs(float(solution.dy_dx[0][0] or 0) + 9 * x / (4 * y)) <= bound * (1 + 1e-9) + 1e-15
        assert bound <= 40 * 10.0**-places
    assert compared > trials(125)


@pytest.mark.parametrize(
    ("equation", "point", "reason"),
    [
        ("x**2 + y**2 = 25", {"x": "3", "y": "5"}, "x = 3, y = 5 is no solution of equation 1: its sides differ by 9"),
        ("x**2 + y**2 = 25", {"x": "3"}, "at: expected a value for y, got none. solve_for: y finds it from a value to"),
        (
            "x = k*y",
            {"k": "3", "y": "5"},
            "at: expected a value for x, got none. solve_for: x finds it from a value to",
        ),
        ("x**2 + a*y = 25", {"x": "3"}, "at: expected a value for a, y, got none"),
        ("x**2 + y**2 = 25", {"x": "3", "y": "4", "z": "1"}, "expected names that the equations have, got 'z'"),
        ("x**2 + y**2 = 25", {"x": "3", "y": "k"}, "expected a number for y, got the letter 'k'"),
        ("abs(y) = x", {"x": "0", "y": "0"}, "equation 1 has no derivative at x = 0, y = 0"),
        ("sqrt(y) = x", {"x": "0", "y": "0"}, "equation 1 has no derivative"),
        ("y = 1/x", {"x": "0", "y": "0"}, "equation 1 has no real value"),
        ("log(y) = x", {"x": "0", "y": "-1"}, "equation 1 has no real value"),
        ("sin(y) = x", {"x": "0.5", "y": "1e300"}, "leave open what the derivatives of equation 1 are"),
        ("cos(y/7) = x", {"x": "0.7", "y": "1e4"}, "leave open what the derivatives of equation 1 are"),
    ],
)
def test_what_is_no_point_of_the_equations_is_refused(equation: str, point: dict[str, str], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        solved(equation, y="y", at=point)
    assert reason in str(caught.value)


def test_on_the_command_line_and_in_files(run: Run) -> None:
    result = run("solve", "-e", "x**2 + y**2 = 25", "--unknowns", "y")
    assert (result.returncode, result.stderr) == (0, "")
    assert "F(x, y) = 0   1 equation, 1 unknown" in result.stdout
    assert "  y       -x/y\n\n  holds where y ≠ 0\n" in result.stdout
    circle = ["-e", "x**2 + y**2 = 25", "--unknowns", "y"]
    result = run("solve", *circle, "--at", "x=3,y=4", "--format", "json", "--order", "2")
    record = json.loads(result.stdout)
    assert (record["dy_dx"], record["exact"]["dy_dx"], record["d2y_dx2"]) == ([[-0.75]], [["-3/4"]], [[-0.390625]])
    assert (record["equations"], record["at"]) == (["x**2 + y**2 = 25"], {"x": "3", "y": "4"})
    result = run("solve", *circle, "--at", "x=5,y=0")
    assert "dx = 0" in result.stdout
    assert "warning: the implicit function theorem does not apply at the point" in result.stdout
    text = "equations:\n  - x**2 + y**2 = 25\ny: [y]\nat: {x: 2, y: 5}\nsolve_for: y\n"
    files = {
        "a.yaml": text + "expect: {status: determined, dy_dx: [[-0.436436]]}\n",
        "b.yaml": text + "expect: {dy_dx: [[-0.436446]]}\n",
        "c.yaml": text.replace("solve_for: y", "solve_for: z"),
        "d.yaml": text.replace("at: {x: 2, y: 5}\n", ""),
        "e.yaml": "A: [[1]]\nat: {x: 1}\n",
        "f.yaml": text.replace("{x: 2, y: 5}", "[2, 5]"),
        "g.yaml": text.replace("{x: 2, y: 5}", "{x: 2, y: 5, x: 3}"),
        "h.yaml": text.replace("x: 2", "x: __import__('os')"),
    }
    assert run("check", "a.yaml", files=files).returncode == 0
    assert run("check", "b.yaml").returncode == 1
    for name, reason in (
        ("c.yaml", "c.yaml:5:12: solve_for: expected a name that at has a value for, to start from, got 'z'"),
        ("d.yaml", "solve_for: expected the point to start from, at, beside it"),
        ("e.yaml", "e.yaml:2:9: at: expected values of the inputs, x1, got one of 'x'. Did you mean x1?"),
        ("f.yaml", "f.yaml:4:5: at: expected a number for each name, got a list"),
        ("g.yaml", "duplicate name 'x'"),
        ("h.yaml", "got '''"),
    ):
        result = run("solve", name)
        assert (result.returncode, result.stdout) == (2, "")
        assert reason in result.stderr
    for options, reason in (
        (["--at", "x"], "--at: expected NAME=VALUE, got 'x'"),
        (["--solve-for", "y"], "--solve-for needs a point to start from"),
        (["--at", "x=1,y=2", "--solve-for", "z"], "--solve-for: expected a name that --at has a value for"),
        (["--at", "x=1,x=2"], "--at: expected each name once"),
        (["--at", "x=3"], "--at: expected a value for y, got none. --solve-for y finds it from a value to start at\n"),
        (["--at", "x=3,y=5"], "its sides differ by 9. --solve-for NAME finds one near to it\n"),
        (["--at", "x=2,y=5", "--solve-for", "y", "--arithmetic", "exact"],
         "Without --arithmetic exact, doubles are used there, with bounds on their errors\n"),
    ):  # fmt: skip
        result = run("solve", *circle, *options)
        assert (result.returncode, reason in result.stderr) == (2, True), result.stderr
    found = json.loads(run("batch", "a.yaml").stdout)
    assert found["dy_dx"][0][0] == pytest.approx(-2 / math.sqrt(21), rel=1e-14)


@pytest.mark.parametrize(
    "options",
    [[], ["--at", "x=3,y=4"], ["--at", "x=2,y=5", "--solve-for", "y"], ["--at", "x=2,y=4.58258"]],
    ids=str,
)
def test_an_answer_as_yaml_is_read_again(options: list[str], run: Run) -> None:
    arguments = ["-e", "x**2 + y**2 = 25", "--unknowns", "y", "-g", "2", *options]
    assert run("solve", *arguments, "-o", "a.yaml").returncode == 0
    assert run("check", "a.yaml").returncode == 0
    assert (
        run("solve", "a.yaml", "-f", "yaml").stdout.replace("name: a", 'name: "<inline>"')
        == run("solve", *arguments, "-f", "yaml").stdout
    )


def test_parameters_at_random_points() -> None:
    """At numbers the answer in letters is that to the numbers."""
    symbolic = solved("a*y**3 + b*x*y = c", y="y", x="x")
    for x, y, a, b in ((1, 2, 3, 4), (2, -1, 5, 1), (-1, 3, 2, 7)):
        c = a * y**3 + b * x * y
        values = {"x": x, "y": y, "a": a, "b": b, "c": c}
        numeric = solved("a*y**3 + b*x*y = c", y="y", x="x", at={name: str(value) for name, value in values.items()})
        point = {name: Fraction(value) for name, value in values.items()}
        assert numeric.dy_dx == ((at(symbolic.dy_dx[0][0], point),),)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch pwned') = y", "y = x.__class__", "y = (lambda: 1)()", "y = [x][0]",
        "y = x; import os",
        "y = exec(x)", "y = eval(x)", "y = open(x)", "y = S(x)", "y = Symbol(x)", "y = x if x else y", "y = 'x'",
        "y = f\"{x}\"", "y = x\x00", "y = x @ y", "y = x!", "y = getattr(x, y)", "y = 9**9**9**9", "y = x**9**9**9",
        "y = (1 + x)**100*(1 + z)**100",
    ],
)  # fmt: skip
def test_nothing_in_an_equation_is_run(text: str, run: Run) -> None:
    result = run("solve", "-", stdin=json.dumps({"equations": [text], "y": ["y"]}))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("implicitgrad: -:")
    assert "fault" not in result.stderr
    assert run("solve", "-A", "1").returncode == 0


def test_the_second_derivative_at_a_point_that_newtons_method_finds_has_its_mixed_terms() -> None:
    found = solved("y**2 + x*y = 3", y="y", x="x", at={"x": "1", "y": "1"}, solve_for="y", order=2)
    y = (math.sqrt(13) - 1) / 2  # y'·(2·y + x) = -y, and y''·(2·y + x) = -2·y'·(y' + 1)
    slope = -y / (2 * y + 1)
    assert found.second is not None
    (((second,),),) = (found.second,)
    assert float(second) == pytest.approx(-2 * slope * (slope + 1) / (2 * y + 1), rel=1e-14)


@pytest.mark.parametrize("y", ["4.6", "4.58", "4.58258", "4.582575694955840"])
def test_second_derivatives_at_rounded_points_have_bounds_that_hold(run: Run, y: str) -> None:
    circle = ("solve", "-e", "x**2 + y**2 = 25", "--unknowns", "y", "--at", f"x=2,y={y}", "--order", "2")
    record = json.loads(run(*circle, "-f", "json").stdout)
    with mpmath.workdps(30):
        true = -25 / mpmath.sqrt(21) ** 3
        bound = record["error_bound"]["d2y_dx2"]
        assert abs(record["d2y_dx2"][0][0] - true) <= bound < mpmath.mpf(10) ** (2 - len(y))
        shown = run(*circle).stdout.partition("∂²y/∂x² = ")[2].split()[0]
        assert abs(mpmath.mpf(shown) - true) <= mpmath.mpf(10) ** -(len(shown.partition(".")[2]))


def test_sentences_name_the_unknown_that_is_called_x(run: Run) -> None:
    curve = ("solve", "-e", "x^2 + 2*y^2 = 25", "--unknowns", "x")
    anywhere = run(*curve)
    assert (anywhere.returncode, anywhere.stderr) == (0, "")
    assert anywhere.stdout.endswith(
        "holds where x ≠ 0\n"
        "  elsewhere ∂F/∂x is singular or has no value, and the implicit function theorem does not apply\n"
    )
    fold = run(*curve, "--at", "x=0,y=sqrt(25/2)")
    assert (fold.returncode, fold.stderr) == (0, "")
    assert fold.stdout.endswith(
        "∂F/∂x has rank 0, not 1. With ∂F/∂y it has 1: a fold, or a vertical tangent: "
        "x is no differentiable function of y\n"
    )
    two = run("solve", "-e", "x*u = y", "-e", "x*u = y^2", "--unknowns", "u,x", "--at", "u=1,x=1,y=1")
    assert (
        "∂F/∂(u, x) has rank 1, not 2. With ∂F/∂y it has 2: a fold, or a vertical tangent: (u, x) is no" in two.stdout
    )

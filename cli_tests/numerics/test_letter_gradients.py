"""∂L/∂a for letters in coefficients, against sympy's derivative of the solved loss."""

import json
from fractions import Fraction
from typing import Any

import pytest
import sympy
from conftest import Run, spread

from implicitgrad import solve
from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.readers.equations.reader import EquationLine, Point, add_linearization, read_equations
from implicitgrad.readers.systems.build import build_system
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.symbolic.function_field.field import expression_of

a, b, c, p, x1, x2 = sympy.symbols("a b c p x1 x2", real=True)


def of_matrices(A: Any, g: Any, B: Any = None, at: Any = None) -> Any:
    given = {"A": A, "B": B, "dL_dy": g, "x_value": at}
    values = {key: SourceValue(value) for key, value in given.items() if value is not None}
    spec = SystemSpec("s", values, "s")
    spec.in_letters = True
    return solve_system(build_system(spec), wrt=("A",)).at_value


def of_equations(equations: list[str], y: list[str], x: list[str], g: list[str], at: dict[str, str]) -> Any:
    lines = [EquationLine(text, "e") for text in equations]
    point = Point({name: EquationLine(value, "at") for name, value in at.items()}) if at else None
    spec = SystemSpec("s", {"dL_dy": SourceValue(g)}, "s")
    spec.in_letters = True
    names = [SourceValue(list(one)) for one in (y, x)]
    add_linearization(spec, read_equations(lines, *names, "e", point))
    return solve_system(build_system(spec), wrt=("a", "b", "c")).at_value


def loss(A: Any, g: Any, right: Any) -> Any:
    return (sympy.Matrix([g]) * sympy.Matrix(A).inv() * sympy.Matrix(right))[0]


def is_zero(value: Any) -> bool:
    return sympy.simplify(value) == 0


SYSTEMS = {
    "once": ([["a", "b"], ["1", "2"]], ["1", "3"], None, ["5", "6"]),
    "in several places": ([["a", "2*a - b"], ["b", "a**2"]], ["1", "3"], None, ["5", "6"]),
    "in B too": ([["a", "1"], ["1", "b"]], ["1", "-1"], [["a*b"], ["2"]], ["7"]),
    "in B alone": ([["2", "1"], ["1", "1"]], ["1", "-1"], [["a", "b"], ["b", "1"]], ["7", "1/2"]),
    "functions": ([["sin(a)", "1"], ["b", "exp(b)"]], ["1", "2"], None, ["1", "1"]),
    "x in letters": ([["a", "b"], ["1", "2"]], ["1", "3"], None, ["p", "c"]),
    "x stands for itself": ([["a", "b"], ["1", "2"]], ["1", "3"], None, None),
}


@pytest.mark.parametrize(("A", "g", "B", "at"), spread(SYSTEMS.values(), 3), ids=spread(SYSTEMS, 3))
def test_a_letter_of_matrices_has_the_derivative_of_the_solved_loss(A: Any, g: Any, B: Any, at: Any) -> None:
    found = of_matrices(A, g, B, at)
    real = {"a": a, "b": b, "c": c, "p": p, "x1": x1, "x2": x2}
    parsed = [None if rows is None else [[sympy.sympify(e, real) for e in row] for row in rows] for rows in (A, [g], B)]
    x = [[sympy.sympify(value, real)] for value in at or ["x1", "x2"]]
    right = x if parsed[2] is None else sympy.Matrix(parsed[2]) * sympy.Matrix(x)
    L = loss(parsed[0], parsed[1][0], right)
    assert found.letters == ("a", "b")
    for letter, value in zip((a, b), found.dL_dletters[0], strict=True):
        names = {symbol: real[symbol.name] for symbol in expression_of(value).free_symbols}
        assert is_zero(expression_of(value).subs(names) - L.diff(letter))


LINEAR = ["x1 = a*y1 + b*y2 + c*a", "x2 + 3 = y1 - a*y2"]


@pytest.mark.parametrize(
    "values", [{}, {"x1": "5", "x2": "6"}, {"x1": "5", "x2": "6", "a": "2", "b": "1/3", "c": "-1"}]
)
def test_a_letter_of_linear_equations_counts_in_coefficients_and_constants(values: dict[str, str]) -> None:
    found = of_equations(LINEAR, ["y1", "y2"], ["x1", "x2"], ["2", "1"], values)
    L = loss([[a, b], [1, -a]], [2, 1], [[x1 - c * a], [x2 + 3]])
    numbers = {symbol: sympy.sympify(values[symbol.name]) for symbol in (a, b, c, x1, x2) if symbol.name in values}
    assert found.letters == ("a", "b", "c")
    for letter, value in zip((a, b, c), found.dL_dletters[0], strict=True):
        expression = sympy.sympify(str(value) if isinstance(value, Fraction) else expression_of(value))
        names = {symbol: sympy.Symbol(symbol.name, real=True) for symbol in expression.free_symbols}
        assert is_zero(expression.subs(names) - L.diff(letter).subs(numbers))
    if len(values) > 2:
        y = sympy.Matrix([[a, b], [1, -a]]).inv() * sympy.Matrix([x1 - c * a, x2 + 3])
        assert [str(value) for value in found.y[0]] == [str(one.subs(numbers)) for one in y]


def test_a_letter_of_nonlinear_equations_has_the_implicit_derivative() -> None:
    found = of_equations(["x = a*y + b*y**3"], ["y"], ["x"], ["2"], {})
    y = sympy.Symbol("y", real=True)
    expected = {a: -2 * y / (a + 3 * b * y**2), b: -2 * y**3 / (a + 3 * b * y**2)}
    for letter, value in zip((a, b), found.dL_dletters[0], strict=True):
        expression = expression_of(value)
        names = {symbol: sympy.Symbol(symbol.name, real=True) for symbol in expression.free_symbols}
        assert is_zero(expression.subs(names) - expected[letter])
    at = of_equations(["x = a*y + b*y**3"], ["y"], ["x"], ["2"], {"x": "3", "y": "1", "a": "2", "b": "1"})
    assert list(at.dL_dletters[0]) == [Fraction(-2, 5), Fraction(-2, 5)]
    two = of_equations(
        ["x1 = y1**2 + a*y2", "x2 = y1*y2"], ["y1", "y2"], ["x1", "x2"], ["1", "0"],
        {"x1": "5", "x2": "2", "y1": "1", "y2": "2", "a": "2"},
    )  # fmt: skip
    # F_y = [[2, 2], [2, 1]], F_a = (2, 0): dy = -F_y⁻¹·F_a = (1, -2)·2/(…)
    J = sympy.Matrix([[2, 2], [2, 1]]).inv() * sympy.Matrix([-2, 0])
    assert two.dL_dletters[0][0] == Fraction(str(J[0]))


def test_a_change_that_keeps_dependent_equations_consistent_has_a_derivative() -> None:
    found = of_matrices([["a", "a"], ["a", "a"]], ["1", "1"], None, ["5", "5"])
    assert [str(expression_of(value)) for value in found.dL_dletters[0]] == ["-5/a**2"]
    apart = of_matrices([["a", "a"], ["b", "b"]], ["1", "1"], [["a"], ["b"]], ["5"])
    assert list(apart.dL_dletters[0]) == [0, 0]  # y1 + y2 = 5, whatever a and b are
    one_alone = of_matrices([["1", "1"], ["1", "1"]], ["1", "1"], [["1 + a - a"], ["1"]], ["5"])
    assert one_alone.dL_dletters is None


@pytest.mark.parametrize("equations", [["x1 = y1 + y2", "x2 = a*y1 + y2"], ["x1 = a*y1 + y2", "x2 = y1 + y2"]])
def test_a_change_that_raises_the_rank_has_no_derivative(equations: list[str]) -> None:
    at = {"x1": "5", "x2": "5", "a": "1"}
    found = of_equations(equations, ["y1", "y2"], ["x1", "x2"], ["1", "1"], at)
    assert list(found.y[0]) == [None, None]
    assert list(found.dL_dletters[0]) == [None]


def test_an_entry_that_depends_on_which_y_is_taken_is_not_determined() -> None:
    found = of_matrices([["a", "b"]], ["a", "b"], None, ["3"])
    assert list(found.dL_dletters[0]) == [None, None]
    assert of_matrices([["a", "2*a"]], ["1", "2"], None, ["3"]).dL_dletters[0][0] is not None


def test_the_command_prints_the_letters_that_are_named_and_all_with_A(run: Run) -> None:
    system = ("solve", "-A", "a a; 1 b", "-g", "1 1", "--at", "x1=5,x2=6")
    result = run(*system, "--wrt", "a")
    assert (result.returncode, result.stderr) == (0, "")
    assert "\n  ∂L/∂a = -5/a²\n\n  holds where" in result.stdout
    assert "∂L/∂b" not in result.stdout
    assert "\n  ∂L/∂a = -5/a²\n  ∂L/∂b = 0\n" in run(*system, "--wrt", "A").stdout
    assert "\ndL_dletters[a] = -5/a^2\n" in run(*system, "--wrt", "a", "--plain").stdout
    assert "\\frac{\\partial L}{\\partial a} = " in run(*system, "--wrt", "a", "--format", "latex").stdout
    record = json.loads(run(*system, "--wrt", "a,b", "--format", "json").stdout)
    assert record["dL_dletters"] == record["exact"]["dL_dletters"] | {"b": 0} == {"a": "-5/a**2", "b": 0}
    nonlinear = run("solve", "-e", "x = a*y + y^3", "--inputs", "x", "--unknowns", "y", "-g", "1", "--wrt", "a")
    assert "  ∂L/∂a = -y/(a + 3·y²)\n" in nonlinear.stdout
    refused = run("solve", "-e", "x = a*y + y^3", "--inputs", "x", "--unknowns", "y", "-g", "1", "--wrt", "A")
    assert refused.stderr == "implicitgrad: <inline>: --wrt: expected some of x, a, got 'A'\n"


def test_a_rounded_point_gives_numbers_without_a_bound(run: Run) -> None:
    options = ("--at", "x=3,y=1,a=3", "--solve-for", "y", "--wrt", "a", "--format", "json")
    system = ("solve", "-e", "x = a*y + y^3", "--inputs", "x", "--unknowns", "y", "-g", "1")
    record = json.loads(run(*system, *options).stdout)
    y = sympy.nsolve(3 * sympy.Symbol("y") + sympy.Symbol("y") ** 3 - 3, 1)
    assert record["dL_dletters"]["a"] == pytest.approx(float(-y / (3 + 3 * y**2)))
    assert record["error_bound"]["dL_dletters"] is None


CLAIMS = {
    "right": ("-(5-6*b)/a^2 -6/a; b*(5-6*b)/a^2 6*b/a", 0, "dL_dA (--dlda) holds"),
    "sign": ("(5-6*b)/a^2 6/a; -b*(5-6*b)/a^2 -6*b/a", 1, "the claim is the negative of ∂L/∂A: is a sign flipped?"),
    "transpose": ("-(5-6*b)/a^2 b*(5-6*b)/a^2; -6/a 6*b/a", 1, "are the factors of the outer product exchanged?"),
    "other": ("-(5-6*b)/a^2 -6/a; b*(5-6*b)/a^2 b", 1, "1 of 4 entries: dL_dA[2][2]: claimed b, correct is 6"),
    "null": ("-(5-6*b)/a^2 -6/a; null 6*b/a", 1, "1 of 4 entries: dL_dA[2][1]: claimed null, correct is"),
}


@pytest.mark.parametrize(("claim", "code", "said"), CLAIMS.values(), ids=CLAIMS)
def test_a_claim_with_letters_is_judged_as_an_identity(run: Run, claim: str, code: int, said: str) -> None:
    result = run("check", "-A", "a b; 0 1", "-g", "1 0", "--at", "x1=5,x2=6", "--dlda", claim, "--plain")
    assert result.returncode == code
    assert said.replace("∂", "d") in result.stdout


SYSTEMS_IN_LETTERS = {
    "matrices": ("-A", "a b; 0 1", "-g", "1 0", "--at", "x1=5,x2=6", "--wrt", "x,A,B"),
    "x for itself": ("-A", "a b; 0 1", "-g", "1 0", "--wrt", "x,A"),
    "equations": ("-e", "x = a*y + 2", "--unknowns", "y", "--inputs", "x", "-g", "1", "--at", "x=3", "--wrt", "x,A,a"),
    "no point": ("-e", "x = a*y + 2", "--unknowns", "y", "--inputs", "x", "-g", "1", "--wrt", "x,A,a"),
}


@pytest.mark.parametrize("system", SYSTEMS_IN_LETTERS.values(), ids=SYSTEMS_IN_LETTERS)
def test_an_answer_in_letters_is_written_so_that_check_reads_it_again(run: Run, system: tuple[str, ...]) -> None:
    written = run("solve", *system, "--format", "yaml").stdout
    result = run("check", "-", stdin=written)
    assert (result.returncode, result.stderr) == (0, "")
    assert ("dL_dA (" in result.stdout or "dL_dA " in result.stdout) == ("--at" in system)


def test_python_has_the_gradients_of_matrices_with_letters() -> None:
    found = solve([["a", 0], [0, 2]], [1, 1], at=[6, 8])
    assert {letter: str(expression_of(value)) for letter, value in found.dL_dletters.items()} == {"a": "-6/a**2"}
    assert [[str(expression_of(entry)) for entry in row] for row in found.dL_dA] == [
        ["-6/a**2", "-4/a"],
        ["-3/a", "-2"],
    ]

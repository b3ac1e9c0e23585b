"""Systems with letters, against the same systems with numbers in their place, and against sympy's own matrices."""

import itertools
import json
import random
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sympy
from conftest import Run, examples, only_thorough, spread
from hypothesis import given
from hypothesis import strategies as st

from implicitgrad import InputError, Solution, UsageError, check, linear_system, solve
from implicitgrad.model.verdict import Choice
from implicitgrad.symbolic.function_field.field import Field
from implicitgrad.symbolic.printing import write
from implicitgrad.symbolic.to_sympy import read_value

LETTERS = ("a", "b", "c", "d")
ENTRIES = ("0", "1", "-2", "1/3", "a", "b", "c", "d", "-a", "2*b", "a*b", "a+1", "c**2", "a/b", "d-a")


def rows(text: str) -> list[list[str]]:
    return [row.split() for row in text.split(";")]


def at(value: Any, point: dict[str, Fraction]) -> Fraction:
    """A symbolic value, or a text, with numbers for its letters."""
    if isinstance(value, Fraction):
        return value
    text = value if isinstance(value, str) else value.text
    names = {name: sympy.Rational(number.numerator, number.denominator) for name, number in point.items()}
    found = expression(text, *names).subs(names)
    return Fraction(int(found.p), int(found.q))


@cache
def expression(text: str, *names: str) -> sympy.Expr:
    return sympy.sympify(text, locals={name: sympy.Symbol(name) for name in names})


def numbers(matrix: Any, point: dict[str, Fraction]) -> Any:
    return tuple(tuple(at(value, point) for value in row) for row in matrix)


def holds_at(solution: Solution, point: dict[str, Fraction]) -> bool:
    assert solution.validity is not None
    return all(at(value, point) != 0 for value in solution.validity.nonzero)


CASES = [
    "a", "a b", "a;b", "a b;c d", "1 a;a 1", "a b;2*a 2*b", "a 0;0 b", "0 a;0 b", "a -b;b a", "a b c;d 1 0",
    "a;b;c", "a b;c d;a+c b+d", "a a;b b", "0 0", "a-a 0;0 a", "1/a 1/b", "a+b a-b;a-b a+b", "a*b b;a 1",
]  # fmt: skip


@pytest.mark.parametrize("text", spread(CASES, 2))
def test_with_numbers_for_its_letters_an_answer_is_the_one_to_the_numbers(text: str) -> None:
    compare(rows(text), None, None)


@pytest.mark.parametrize(
    ("A", "g", "B"),
    [("0", "a", None), ("0 0", "a b", "0"), ("a-a; 0", "b", "0 0; 0 0")],
    ids=["B = I", "B = 0", "both"],
)
def test_where_A_is_0_an_answer_is_the_one_to_the_numbers(A: str, g: str, B: str | None) -> None:
    compare(rows(A), g.split(), None if B is None else rows(B))


def test_a_quotient_of_many_terms_has_one_form() -> None:
    field = Field([read_value("a + b + c + d")])
    p, q = (field.value(read_value(text)).element.numer for text in ("(a+b)**4 + c", "(a-d)**4 - b*c - 1"))
    assert field.quotient(p, q) == field.quotient(-p, -q)
    assert field.quotient(-p, q) == field.quotient(p, -q) != field.quotient(p, q)


def test_what_a_gradient_says_of_several_free_parameters_is_solved_for_each() -> None:
    (outcome,) = check([["a", "1", "1"]], [["1", "1", "0"], ["1", "2", "0"]], dL_dx=[["p"], ["q"]]).outcomes
    assert outcome.holds
    assert [[name for _, *name in choice.terms] for choice in outcome.choices] == [[["y1", "x1"]], [["y2", "x1"]]]
    assert [str(choice.value) for choice in outcome.choices] == ["2*p - q", "q - p"]


@examples(20)
@given(st.data())
def test_random_systems_with_numbers_for_their_letters(data: st.DataObject) -> None:
    M, N = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    entries = st.sampled_from(ENTRIES)
    A = data.draw(st.lists(st.lists(entries, min_size=N, max_size=N), min_size=M, max_size=M))
    g = data.draw(st.lists(entries, min_size=N, max_size=N))
    B = None
    if data.draw(st.booleans()):
        P = data.draw(st.integers(1, 2))
        B = data.draw(st.lists(st.lists(entries, min_size=P, max_size=P), min_size=M, max_size=M))
    compare(A, g, B)


def compare(A: list[list[str]], g: list[str] | None, B: list[list[str]] | None) -> None:
    """A symbolic answer at random values of the letters, with the answer at these values."""
    texts = [entry for matrix in (A, B or [], [g or []]) for row in matrix for entry in row]
    if not any(letter in text for text in texts for letter in LETTERS):
        return
    symbolic = solve(A, g, B=B)
    generator = random.Random(str(A))
    for _ in range(4):
        point = {name: Fraction(generator.randint(-9, 9), generator.randint(1, 4)) for name in LETTERS}
        if any(value == 0 for value in point.values()) or not holds_at(symbolic, point):
            continue
        exact = solve(
            numbers(A, point), None if g is None else numbers([g], point)[0],
            B=None if B is None else numbers(B, point), free=symbolic.general.free,
        )  # fmt: skip
        assert (exact.rank, exact.status) == (symbolic.rank, symbolic.status)
        assert (exact.independent, exact.general.free) == (symbolic.independent, symbolic.general.free)
        pairs = [
            (symbolic.general.particular, exact.general.particular),
            (symbolic.general.null_space, exact.general.null_space),
            (symbolic.general.minimum_norm, exact.general.minimum_norm),
            (symbolic.general.dL_dx_particular, exact.general.dL_dx_particular),
            (symbolic.general.dL_dx_coefficients, exact.general.dL_dx_coefficients),
        ]
        if symbolic.constraints is not None:
            assert exact.constraints is not None
            assert symbolic.constraints.dependent == exact.constraints.dependent
            pairs.append((symbolic.constraints.matrix, exact.constraints.matrix))
        for found, expected in pairs:
            assert (found is None) == (expected is None)
            if found is not None:
                assert numbers(found, point) == tuple(expected or ())
        determined = tuple(tuple(value is None for value in row) for row in symbolic.dy_dx)
        generic = tuple(tuple(value is None for value in row) for row in exact.dy_dx)
        assert all(
            b or not a for row, other in zip(generic, determined, strict=True) for a, b in zip(row, other, strict=True)
        )


@pytest.mark.parametrize("text", spread(CASES, 2))
def test_where_an_expression_is_0_the_system_is_as_the_special_case_says(text: str) -> None:
    A = rows(text)
    solution = solve(A)
    if solution.validity is None:
        return
    for case in solution.validity.cases:
        equations = [sympy.sympify(value.text) for value in case.zeros]
        letters = sorted({letter for equation in equations for letter in equation.free_symbols}, key=str)
        for found in sympy.solve(equations, letters, dict=True)[:3]:
            point = {name: Fraction(k + 2, 7) for k, name in enumerate(LETTERS)}
            values = {letter: found.get(letter, letter) for letter in letters}
            others = {
                sympy.Symbol(name): sympy.Rational(value.numerator, value.denominator) for name, value in point.items()
            }
            values = {letter: sympy.simplify(sympy.sympify(value).subs(others)) for letter, value in values.items()}
            if not all(value.is_Rational for value in values.values()):
                continue
            point |= {letter.name: Fraction(int(value.p), int(value.q)) for letter, value in values.items()}
            exact = solve(numbers(A, point))
            if case.rank is None:
                assert exact.rank < solution.rank
                continue
            assert exact.rank == case.rank
            assert case.status in (None, exact.status)
            if case.free:
                assert exact.general.free == case.free


def test_the_inverse_is_sympys() -> None:
    for n in spread((2, 1, 3), 3):
        letters = [[sympy.Symbol(f"a{i}{j}") for j in range(n)] for i in range(n)]
        solution = solve([[str(letter) for letter in row] for row in letters])
        inverse = sympy.Matrix(letters).inv()
        for i, row in enumerate(solution.dy_dx):
            for j, value in enumerate(row):
                assert sympy.simplify(sympy.sympify(value.text) - inverse[i, j]) == 0  # type: ignore[union-attr]
        assert solution.validity is not None
        (condition,) = solution.validity.nonzero
        assert sympy.simplify(abs(sympy.sympify(condition.text)) - abs(sympy.Matrix(letters).det())) == 0


def test_what_cannot_be_0_is_no_condition_and_what_can_only_be_at_0_says_so() -> None:
    assert solve([["1 + a**2"]]).validity == ((), (), True)
    assert solve([["exp(a)"]]).validity == ((), (), True)
    solution = solve([["a", "-b"], ["b", "a"]])
    assert solution.validity is not None
    assert [value.shown for value in solution.validity.nonzero] == ["a² + b²"]
    assert [(case.rank, len(case.zeros)) for case in solution.validity.cases] == [(0, 2)]


def compare_on_a_grid(A: list[list[str]], angles: tuple[sympy.Expr, ...] = ()) -> None:
    """The rank at every small integer point is the lowest that the cases say there, if all are listed.

    angles : the values of s and t.
    """
    solution = solve(A)
    if solution.validity is None or not solution.validity.has_all_cases:
        return
    matrix = sympy.Matrix([[expression(entry) for entry in row] for row in A])
    letters = sorted(matrix.free_symbols, key=str)
    cases = [([expression(z.text) for z in case.zeros], case.rank) for case in solution.validity.cases]
    grids = [angles if angles and letter.name in "st" else (-2, -1, 0, 1, 2) for letter in letters]
    is_zero = cache(lambda zero, *values: zero.subs(dict(zip(letters, values, strict=True))) == 0)
    for values in spread(itertools.product(*grids), 3 if len(letters) > 2 else 1):
        there = matrix.subs(dict(zip(letters, values, strict=True)))
        if not all(entry.is_finite and entry.is_real for entry in there):
            continue
        ranks = [rank for zeros, rank in cases if rank is not None and all(is_zero(zero, *values) for zero in zeros)]
        assert there.rank() == min([solution.rank, *ranks]), (A, letters, values)


@pytest.mark.parametrize("text", spread([
    *CASES, "a 0 0;0 b 0;0 0 c", "a b 0;0 b c", "a b c;a b c", "a+1 b;b a+1", "a b c;b a c", "a+1 b b;b a+1 b;b b a+1",
    "a b;c 0;0 a", "a*b 0;0 a", "a**2 a*b;a*b b**2", "a 0 0 0;0 b 0 0;0 0 c 0", "a b;b c", "a 0;0 a", "a-1 0;b a",
], 5))  # fmt: skip
def test_the_special_cases_are_all_and_true(text: str) -> None:
    compare_on_a_grid(rows(text))


@pytest.mark.parametrize("text", spread([
    "cos(t) sin(t)", "cos(t) 0;0 sin(t);sin(t) 0;0 cos(t)", "r*cos(t) r*sin(t)", "a*cos(t) b*sin(t)", "sin(s) cos(t)",
    "1-cos(t) sin(t)", "t sin(t)", "cos(t)**2 a", "sin(t) sin(2*t)", "sin(t) cos(t)-1;1 1", "sin(t)+1 cos(t)",
    "sin(a)**2+b**2 c", "cos(t)-1 a;a 1", "sin(t)+2 a", "a*sin(t) a**2+1", "sin(t) 0;0 cos(s)",
    "a**2+b**2 a**2+b**2;1 1", "a**2+b**2 0;0 1", "a**2+b**2 a*b", "a**2+a*b+b**2 a", "a**4+b**2 c",
    "a**2-2*a+1+b**2 c",
    "sqrt(a**2) a;a sqrt(a**2)", "sqrt(a) a", "abs(a) a", "sqrt(a)+sqrt(b) 0;0 1", "sqrt(a**2+b**2) a",
    "abs(a)+abs(b) 1;1 1", "cosh(a) sinh(a)", "exp(a) sinh(a)", "exp(a)-1 b", "exp(a)+exp(b) a", "cosh(a)-1 a",
    "a*exp(b) b*exp(a)", "log(a) a-1", "a**2-b a-b", "a**4-a+1 a", "a**2+b**2+1 a;b 0", "exp(a)*b b;a b",
    "a**2+b**2-2*a*b+c**2 0;0 1", "a**2-1 abs(a)-1", "a+abs(a) b",
], 6))  # fmt: skip
def test_the_special_cases_are_those_of_real_letters_and_functions(text: str) -> None:
    compare_on_a_grid(rows(text), tuple(k * sympy.pi / 2 for k in range(-2, 5)))


@pytest.mark.parametrize(("A", "cases"), spread([
    ("cos(t) sin(t)", ["where sin(t) = 0: rank 1, free is y2"]),
    ("cos(t) 0; 0 sin(t); sin(t) 0; 0 cos(t)", [
        "where cos(t) = 0: rank 2, in another form", "where sin(t) = 0: rank 2, in another form",
    ]),
    ("a^2+b^2 a^2+b^2; 1 1", ["where a = b = 0: rank 1, in another form"]),
    ("sqrt(a^2) a; a sqrt(a^2)", ["where a = 0: rank 0"]),
    ("cosh(t) sinh(t)", ["where t = 0: rank 1, free is y2"]),
    ("1-cos(t) sin(t)", ["where sin(t) = 0: rank 1, free is y2", "where cos(t) = 1: rank 0, rank-deficient"]),
    ("sin(t)+2", []),
    ("tanh(t) 1; 1 tanh(t)", []),
    ("cos(t)-cos(s) sin(t)-sin(s)", [
        "where sin(s) − sin(t) = 0: rank 1, free is y2",
        "where cos(s) − cos(t) = 0 and sin(s) − sin(t) = 0: rank 0, rank-deficient",
    ]),
    ("cbrt(a^2-1) a-1", ["where a = 1: rank 0, rank-deficient"]),
    ("cbrt(a)+cbrt(b) a+b", ["where a + b = 0: rank 0, rank-deficient"]),
    ("atan(a) a^1.852", ["where a = 0: rank 0, rank-deficient"]),
    ("exp(a)+a", ["where a + exp(a) = 0: rank 0, rank-deficient"]),
    ("a^2+a*sin(t)+1 0; 0 1", ["where a² + a·sin(t) + 1 = 0: the rank was not found"]),
], 5))  # fmt: skip
def test_a_rank_that_is_lower_somewhere_is_found_or_said_not_to_be(A: str, cases: list[str], run: Run) -> None:
    lines = [line.strip() for line in run("solve", "-A", A).stdout.splitlines()]
    assert [line for line in lines if line.startswith("where ")] == cases


def test_a_rank_that_was_not_found_is_said_so_in_all_formats(run: Run) -> None:
    arguments = ["solve", "-A", "a^2+a*sin(t)+1", "--format"]
    assert ": the rank was not found" in run(*arguments, "markdown").stdout
    assert ": the rank was not found" in run(*arguments, "latex").stdout
    (case,) = json.loads(run(*arguments, "json").stdout)["validity"]["cases"]
    assert (case["rank"], case["status"], case["free"]) == (None, None, None)


@examples(20)
@given(st.data())
def test_the_special_cases_of_random_systems(data: st.DataObject) -> None:
    M, N = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    entries = st.sampled_from(["0", "0", "1", "a", "b", "c", "-a", "a+1", "a*b", "b-a", "2*c"])
    compare_on_a_grid(data.draw(st.lists(st.lists(entries, min_size=N, max_size=N), min_size=M, max_size=M)))


def test_where_not_all_cases_are_listed_that_is_said(run: Run) -> None:
    A = "; ".join(" ".join(f"a{i}{j}" for j in range(4)) for i in range(4))
    result = run("solve", "-A", A)
    assert result.stdout.endswith("  the rank may be lower still: not every case is listed\n")
    assert "lower still" not in run("solve", "-A", "a 0 0; 0 b 0; 0 0 c").stdout


@pytest.mark.parametrize(
    ("A", "rank"),
    [
        ([["cos(t)", "-sin(t)"], ["sin(t)", "cos(t)"]], 2),
        ([["sin(t)**2", "1 - cos(t)**2"], ["1", "1"]], 1),
        ([["log(a*b)", "1"], ["log(a) + log(b)", "1"]], 1),
        ([["exp(a + b)", "exp(a)"], ["exp(b)", "1"]], 1),
        ([["sqrt(a)*sqrt(b)", "1"], ["a", "sqrt(a)/sqrt(b)"]], 1),
        ([["abs(a)**2", "a"], ["a", "1"]], 1),
        ([["sin(2*t)", "sin(t)"], ["2*cos(t)", "1"]], 1),
        ([["tan(t)", "1"], ["sin(t)", "cos(t)"]], 1),
        ([["a**n", "a"], ["a**(n-1)", "1"]], 1),
        ([["sqrt(2)", "2"], ["1", "sqrt(2)"]], 1),
        ([["sqrt(2)", "1"], ["sqrt(3)", "1"]], 2),
    ],
)
def test_identities_of_functions_are_seen(A: list[list[str]], rank: int) -> None:
    assert solve(A).rank == rank


def test_what_is_printed(run: Run) -> None:
    result = run("solve", "-A", "a1 a2", "-g", "g1 g2")
    assert (result.returncode, result.stderr) == (0, "")
    assert "underdetermined: rank 1 of 2, 1 unknown is free, symbolic" in result.stdout
    assert "y2      1/a2 − (a1/a2)·∂y1/∂x1\n" in result.stdout
    assert "  holds where a2 ≠ 0\n  where a2 = 0: rank 1, free is y2\n" in result.stdout
    assert "  where a1 = a2 = 0: rank 0, rank-deficient\n" in result.stdout
    result = run("solve", "-A", "a1 a2; a3 a4")
    assert "  holds where a1·a4 − a2·a3 ≠ 0\n" in result.stdout
    assert "a4/(a1·a4 − a2·a3)" in result.stdout
    result = run("solve", "-A", "a**2 b", PYTHONIOENCODING="ascii")
    assert "1/b - (a^2/b)*dy1/dx1" in result.stdout
    assert result.stdout.isascii()


@pytest.mark.parametrize(
    ("A", "text", "latex"),
    [
        ("k+2", "holds where k ≠ -2\n", r"Holds where $k + 2 \neq 0$."),
        ("1-k", "holds where k ≠ 1\n", r"\neq 0$."),
        ("k-1/2", "holds where 2·k − 1 ≠ 0\n", r"Holds where $2 k - 1 \neq 0$."),
        ("a-b", "holds where a ≠ b\n", r"Holds where $a - b \neq 0$."),
        ("a**2+b", "holds where a² + b ≠ 0\n", r"Holds where $a^{2} + b \neq 0$."),
        ("a*b", "holds where a ≠ 0 and b ≠ 0\n", r"Holds where $a \neq 0$ and $b \neq 0$."),
    ],
)
def test_how_conditions_are_said(A: str, text: str, latex: str, run: Run) -> None:
    assert text in run("solve", "-A", A).stdout
    assert latex in run("solve", "-A", A, "--format", "latex").stdout
    assert f"- {text}" in run("solve", "-A", A, "--format", "markdown").stdout


def test_an_absolute_value_is_of_either_sign() -> None:
    solution = solve([["abs(a) + a"]])
    assert solution.rank == 1
    assert solution.validity is not None
    assert [value.text for value in solution.validity.nonzero] == ["a + abs(a)"]
    assert solve([["abs(a)", "1"], ["a", "1"]]).rank == 2
    assert solve([["abs(a)", "a"], ["a", "abs(a)"]]).rank == 1
    with pytest.raises(UsageError, match="the rank depends on the sign"):
        solve([["abs(a) - a", "0"], ["0", "abs(a) + a"]])
    with pytest.raises(UsageError, match="the rank depends on the sign"):
        solve([[1], [1], [1]], B=[["0", "0"], ["abs(a) - a", "0"], ["0", "abs(a) + a"]])


def test_the_record(run: Run) -> None:
    result = run("solve", "-A", "a 1; 0 2", "-g", "1 a", "--format", "json")
    record = json.loads(result.stdout)
    assert record["arithmetic"] == "symbolic"
    assert record["dy_dx"] == [["1/a", "-1/(2*a)"], [0, 0.5]]
    assert record["exact"]["dy_dx"] == [["1/a", "-1/(2*a)"], ["0", "1/2"]]
    assert record["validity"] == {
        "nonzero": ["a"],
        "cases": [{"zeros": ["a"], "rank": 1, "status": "rank-deficient", "free": ["y1"]}],
        "has_all_cases": True,
    }
    assert (record["condition"], record["residual"], record["error_bound"]) == (None, 0, {"dy_dx": 0, "dL_dx": 0})
    assert "validity" not in json.loads(run("solve", "-A", "1", "--format", "json").stdout)


@pytest.mark.parametrize("arguments", spread([
    ["-A", "a1 a2; a3 a4", "-g", "g1 g2"], ["-A", "a1 a2", "-g", "g1 g2"], ["-A", "a b; 2*a 2*b", "-g", "1 1"],
    ["-A", "-a; b-a"], ["-A", "0 a", "-B", "b 1"],
], 2), ids=str)  # fmt: skip
def test_an_answer_as_yaml_is_one_that_check_finds(arguments: list[str], run: Run) -> None:
    assert run("solve", *arguments, "-o", "a.yaml").returncode == 0
    assert run("check", "a.yaml", "--strict").returncode == 0
    assert run("solve", "a.yaml", "-o", "b.yaml").returncode == 0
    assert run("solve", "b.yaml", "-f", "yaml").stdout == run("solve", "a.yaml", "-f", "yaml").stdout


def test_claims_with_letters() -> None:
    A, g = [["a", "b"]], ["c", "d"]
    assert check(A, dy_dx=[["1/a"], ["0"]])
    assert check(A, dy_dx=[["0"], ["1/b"]])
    assert check(A, dy_dx=[["a/(a**2+b**2)"], ["b/(a**2+b**2)"]])
    assert not check(A, dy_dx=[["1/a"], ["1/b"]])
    assert not check(A, dy_dx=[["1/a"], ["1"]])
    assert check(A, dy_dx=[[None], [None]])
    assert check(A, g, dL_dx=["c/a"])
    assert check(A, g, dL_dx=["c/a"], dy_dx=[["1/a"], ["0"]])
    assert not check(A, g, dL_dx=["d/b"], dy_dx=[["1/a"], ["0"]])
    assert not check(A, ["a", "b"], dL_dx=["2"])
    assert check(A, ["a", "b"], dL_dx=["1"], dL_dx_unique=True)
    assert check(A, free_parameters=["dy2/dx1"], rank=1, status="underdetermined")
    assert check(A, free_parameters=1)
    assert not check([["a", "0"]], free_parameters=["dy1/dx1"])
    tall = [["a"], ["b"]]
    assert check(tall, constraints={"dependent": ["x2"], "matrix": [["b/a"]]})
    assert check(tall, constraints={"dependent": ["x1"], "matrix": [["a/b"]]})
    assert not check(tall, constraints={"dependent": ["x2"], "matrix": [["a/b"]]})
    assert not check(tall, constraints=())
    assert check(tall, dy_dx=[["1/a"]])
    assert check(tall, dy_dx=[["0", "1/b"]])
    square = check([["a", "b"], ["c", "d"]], dy_dx=[["d/(a*d-b*c)", "-b/(a*d-b*c)"], ["-c/(a*d-b*c)", "b/(a*d-b*c)"]])
    assert str(square).startswith(
        "dy_dx fails: 1 of 4 entries: dy_dx[2][2] (∂y2/∂x2): claimed b/(a*d-b*c), correct is a/"
    )
    assert not check(A, max_condition=10)
    assert check([["cos(1)"]], dy_dx=[["1.8508"]])
    assert not check([["cos(1)"]], dy_dx=[["1.8509"]])
    assert check([["cos(1)"]], dy_dx=[["1.86"]], rtol="0.01")


@pytest.mark.parametrize(
    ("A", "claims", "is_vacuous"),
    spread([
        ("a b", {"dL_dx": ["g/a"]}, {"dL_dx": True}),
        ("a b", {"dL_dx": ["g/a"], "dy_dx": [["1/a"], ["0"]]}, {"dy_dx": False, "dL_dx": False}),
        ("a b", {"dL_dx": ["g/a"], "dy_dx": [["1/a"], [None]]}, {"dy_dx": True, "dL_dx": False}),
        ("a b; 2*a 2*b", {"dL_dx": ["g/a", "0"]}, {"dL_dx": True}),
        ("a b; 2*a 2*b", {"dy_dx": [["1/a", "0"], ["0", None]]}, {"dy_dx": True}),
        ("a b; 2*a 2*b", {"dy_dx": [["1/a"], ["0"]]}, {"dy_dx": False}),
        (
            "a 0; 0 b",
            {"dy_dx": [["1/a", "0"], ["0", "1/b"]], "dL_dx": ["g/a", "h/b"]},
            {"dy_dx": False, "dL_dx": False},
        ),
        ("a; b", {"dy_dx": [["1/a", "0"]]}, {"dy_dx": False}),
        ("a; b", {"dy_dx": [["1/a", None]]}, {"dy_dx": True}),
        ("g g/2", {"dL_dx": ["1"]}, {"dL_dx": True}),
        ("g h", {"dL_dx": ["1"]}, {"dL_dx": False}),
        ("a b g", {"dL_dx": ["h/b"]}, {"dL_dx": True}),
        ("a b g", {"dy_dx": [["1"], ["h"], ["(1-a-b*h)/g"]]}, {"dy_dx": False}),
        ("a b g; 0 h a", {"dL_dx": ["a/b", "a"]}, {"dL_dx": True}),
        (
            "a b; 2*a 2*b",
            {"dy_dx": [["h"], ["(1-a*h)/b"]], "dL_dx": ["g*h+h*(1-a*h)/b"]},
            {"dy_dx": False, "dL_dx": False},
        ),
    ], 2),
)  # fmt: skip
def test_what_a_claim_chooses_and_that_it_could_not_fail_is_said(
    A: str, claims: dict[str, Any], is_vacuous: dict[str, bool]
) -> None:
    """As at values of the letters, in the same words."""
    values = {"a": "3", "b": "5", "g": "7", "h": "11"}

    def at_values(entry: Any) -> Any:
        if entry is None:
            return None
        text = "".join(values.get(character, character) for character in entry)
        return Fraction(*map(int, sympy.sympify(text, rational=True).as_numer_denom()))

    rows = [row.split() for row in A.split("; ")]
    gradient = ["g", "h", "a"][: len(rows[0])]
    there = {
        key: [at_values(one) if key == "dL_dx" else list(map(at_values, one)) for one in claim]
        for key, claim in claims.items()
    }
    verdict = check(rows, gradient, **claims)
    numeric = check([list(map(at_values, row)) for row in rows], list(map(at_values, gradient)), **there)
    found = {outcome.key: outcome.fixes_nothing for outcome in verdict.outcomes}
    assert found == {outcome.key: outcome.fixes_nothing for outcome in numeric.outcomes}
    assert {key: bool(reason) for key, reason in found.items()} == is_vacuous
    point = {name: Fraction(number) for name, number in values.items()}
    for one, other in zip(verdict.outcomes, numeric.outcomes, strict=True):
        chosen = [
            Choice(tuple((at(factor, point), y, x) for factor, y, x in choice.terms), at(choice.value, point))
            for choice in one.choices
        ]
        assert tuple(chosen) == other.choices
    assert all(outcome.holds for outcome in (*verdict.outcomes, *numeric.outcomes))


def test_letters_are_refused_where_numbers_are_meant(run: Run) -> None:
    for bad in ("nan", "inf", "true", "no", "null", "y", "x", "x1", "A", "2a", "a b", "1e5a", "sin", "a" * 40, "½"):
        with pytest.raises(InputError):
            solve([["1", "b"], [bad, "2"]])
    with pytest.raises(InputError, match="are reserved"):
        solve([["a", "x1"]])
    with pytest.raises(InputError, match="expected a coefficient without x and y, got 'force'"):
        solve([["force", "1"]], x=["force"])
    with pytest.raises(InputError, match="at most 16 equations"):
        linear_system([["a"]], arithmetic="float")
    with pytest.raises(InputError, match="a division by 0"):
        solve([["1/((a+1)**2 - a**2 - 2*a - 1)"]])
    with pytest.raises(UsageError, match="y1 cannot be free; 1 unknown is free, of y2"):
        solve([["a", "0"]], free="y1")
    assert solve([["a", "b"]], free="y2").general.free == ("y2",)
    files = {"a.csv": "1,2\n3,a\n", "a.yaml": "A: [[a, 1], [1, a]]\n"}
    files |= {"b.yaml": 'A:\n- ["a", "1+a*)"]\n', "c.yaml": "A:\n- [a, 1+a*)]\n"}
    for arguments, code, reason in (
        (["solve", "a.csv"], 2, "expected a number such as -12, 0.5, 1e-3 or 3/4, got 'a'"),
        (["batch", "a.yaml"], 2, "got 'a'"),
        (["solve", "a.yaml", "--output", "J.npy"], 2, "NumPy's files are for numbers, and there is a/(a² − 1)"),
        (["solve", "a.yaml", "--arithmetic", "float"], 2, "Letters are for exact arithmetic"),
        (["solve", "b.yaml"], 2, "b.yaml:2:14: A[1][2]: expected a number, a name or (, got ')'"),
        (["solve", "c.yaml"], 2, "c.yaml:2:11: A[1][2]: expected a number, a name or (, got ')'"),
        (["solve", "a.yaml", "--require", "underdetermined"], 1, "expected underdetermined"),
        (
            ["solve", "-A", "1 + 2"],
            2,
            "got '1 + 2'. A number is not computed; blanks around a sign",
        ),
    ):
        result = run(*arguments, files=files)
        assert (result.returncode, reason in result.stderr) == (code, True), result.stderr


def test_without_sympy_one_line_says_what_to_install(run_process: Run, tmp_path: Path) -> None:
    files = {
        "sitecustomize.py": "import sys\nsys.modules['sympy'] = None\n",
        "a.yaml": "equations: [x = y**2]\ny: [y]\n",
        "b.yaml": "equations: [x = 2*y]\ny: [y]\n",
    }
    hidden = {"PYTHONPATH": "."}
    for arguments in (["a.yaml"], ["-A", "1 a"]):
        result = run_process("solve", *arguments, files=files, **hidden)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.count("\n") == 1
        assert "pip install 'implicitgrad[symbolic]'" in result.stderr
    (tmp_path / "many").mkdir()
    for k in range(3):
        (tmp_path / "many" / f"{k}.yaml").write_text(files["a.yaml"])
    for command in ("check", "batch"):
        result = run_process(command, "many", **hidden)
        assert (result.returncode, result.stderr.count("pip install")) == (2, 1), result.stderr
        assert sum(f"many/{k}.yaml:1:13: " in result.stderr for k in range(3)) == 3
    for arguments in (["b.yaml"], ["-A", "1 2", "--steps"]):
        assert run_process("solve", *arguments, **hidden).returncode == 0
    constants = ("-e", "F = 9/5*C_1 + 32", "--unknowns", "C_1")
    for more in spread([[], ["--steps"], ["-f", "latex"], ["-f", "yaml"]], 4):
        assert run_process("solve", *constants, *more, **hidden).returncode == 0
    steps = run_process("solve", *constants, "--steps", "-f", "latex", **hidden).stdout
    assert "\\[\n\\text{\\ttfamily F = 9/5*C\\_1 + 32}\n\\]\n" in steps


def test_sympys_own_matrices_are_taken() -> None:
    a, b = sympy.symbols("a b")
    solution = solve(sympy.Matrix([[a, b], [0, 2]]))
    assert solution.dy_dx[0][0].text == "1/a"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("A", "rank"),
    spread(
        [
            ([["1e-36*a"]], 1),
            ([["1e-36*a", "0"], ["0", "1"]], 2),
            ([["1e-80*a", "1e80*b"], ["1e-80*b", "1e80*c"]], 2),
            ([["1e-80*a", "1e80*b"], ["1e-80*a", "1e80*b"]], 1),
            ([["abs(a-5) + a - 5"]], 1),
            ([["sin(a)*(abs(a - 5) + a - 5)"]], 1),
            ([["abs(a-70000) + a - 70000"]], 1),
            ([["abs(a-5)", "a-5"], ["1", "-1"]], 2),
            ([["(abs(a)+a)*(abs(b)+b)*(abs(c)+c)*(abs(d)+d)*(abs(f)+f)"]], 1),
            ([["abs(a-5)**2 - (a-5)**2"]], 0),
            ([["sqrt(a-5)*sqrt(a-6) + sqrt((a-5)*(a-6))"]], 1),
            ([["sqrt(a-5)*sqrt(a-6) - sqrt((a-5)*(a-6))"]], 0),
            ([["log(a-5) + log(a-6) - log((a-5)*(a-6))"]], 0),
            ([["sqrt((a-2)*(a-3))", "sqrt(a-2)"], ["sqrt(a-3)", "1"]], 1),
            (
                [["sqrt(b)", "1", "1e-40*sqrt(a)"], ["sqrt(b)", "1", "0"], ["sqrt(b*c)", "sqrt(c)", "sqrt(a)*sqrt(d)"]],
                2,
            ),
            ([["sqrt(a - 1000)", "1"]], 1),
            ([["mpf/3", "sqrt(2)*mpf"]], 1),
            ([["\u00b5", "\u03bc"], ["1", "sin(2)"]], 2),
        ],
        3,
    ),
)
def test_the_rank_is_that_of_the_real_values_of_all_sizes_and_signs(A: list[list[str]], rank: int) -> None:
    assert solve(A).rank == rank


def test_what_is_nowhere_real_and_what_is_too_large_are_refused() -> None:
    with pytest.raises(UsageError, match="expected expressions that are real for some values of their letters"):
        solve([["sqrt(sin(a) - 2)"], ["sqrt(2)"]])
    for text in ("sin(exp(exp(100)))*a", "a**exp(exp(exp(50)))", "exp(exp(20)) + a", "exp(2)**(10**9) - a"):
        with pytest.raises(InputError, match=r"expected numbers of at most exp\(10,000\)|exponent"):
            solve([[text]])
    assert text_of(solve([["exp(-5000)*a"]])) == "exp(5000)/a"


def text_of(solution: Solution) -> str:
    return str(solution.dy_dx[0][0])


@pytest.mark.parametrize(("A", "g", "condition"), [
    ([["2"]], ["1/a"], "a"), ([["3", "b", "a"]], ["1/(b-2)", "a", "1"], "b - 2"),
])  # fmt: skip
def test_where_the_gradient_has_no_value_the_answer_does_not_hold(
    A: list[list[str]], g: list[str], condition: str
) -> None:
    validity = solve(A, g).validity
    assert validity is not None
    assert condition in [value.text for value in validity.nonzero]


@pytest.mark.parametrize("A", spread([
    "a**2+b**2-c a*b+c**2-1 c**2+a; b*c-a a**2-b*c b**2+c",
    "a*b*c-1 a**2+b**3-c a*c**3-b; b**3-a*c a**3+c b*c**2-a",
    "a**3*b+c*d**2-1 b**4+c**3*d-a c**4+d**3*a-2; d**4+a**3*b-3 a**2*b**2+c**2*d**2-5 a*b*c*d-7",
], 3))  # fmt: skip
def test_common_zeros_that_are_hard_to_find_are_not_looked_for(A: str) -> None:
    validity = solve(rows(A)).validity
    assert validity is not None
    assert not validity.has_all_cases


@pytest.mark.parametrize(("arguments", "explanation"), [
    (["a b; c d", "--dydx", "-d/(a*d-b*c) b/(a*d-b*c); c/(a*d-b*c) -a/(a*d-b*c)"], "is a sign flipped?"),
    (["a b; c d", "--dydx", "d/(a*d-b*c) -c/(a*d-b*c); -b/(a*d-b*c) a/(a*d-b*c)"], "the claim is the transpose"),
    (["a b; c d", "--dydx", "a b; c d"], "the claim equals A: was the explicit direction"),
    (["a b; c d", "-g", "g h", "--dldx", "(d*g-b*h)/(a*d-b*c) (a*h-c*g)/(a*d-b*c)"], "was the transpose forgotten?"),
    (["a b; c d", "-g", "g h", "--dldx", "g h"], "the claim equals ∂L/∂y"),
    (["a b", "-g", "2*a 2*b", "--dldx=-2"], "is a sign flipped?"),
    (["a b; c d", "--dydx", "d/(ad-bc) 0; 0 1"], "the system has no ad, bc; a product is written a*d"),
    (["a 0; 0 1", "--dydx", "1/a 0; 0 z"], "the system has no z\n"),
])  # fmt: skip
def test_a_wrong_claim_with_letters_is_explained_by_the_usual_mistakes(
    arguments: list[str], explanation: str, run: Run
) -> None:
    result = run("check", "-A", *arguments)
    assert (result.returncode, result.stderr) == (1, "")
    assert explanation in result.stdout


def test_a_mistake_is_named_only_where_it_explains_the_claim_for_all_letters(run: Run) -> None:
    for arguments in (["a b; c d", "--dydx", "1 2; 3 4"], ["sin(t) 1; 1 0", "--dydx", "0 -1; -1 sin(t)"]):
        result = run("check", "-A", *arguments)
        assert result.returncode == 1
        assert "?" not in result.stdout


@pytest.mark.parametrize(("arguments", "message"), [
    (["-A", "2a 1; 1 1"], "got '2a'. A product is written 2*a"),
    (["-A", "m n; n m"], "got 'n'. n alone is no to other programs; give the letter another name"),
    (["-A", "yes 1"], "got 'yes'\n"),
    (["-e", "sin x = y", "--unknowns", "x"], "-e:1:5: expected ( behind the function 'sin', got 'x'. Write sin(x)\n"),
    (["-e", "sin^2(x) = y", "--unknowns", "x"], "got '^'. Write sin(u)**2"),
    (["-e", "y = arctan(x)", "--unknowns", "y"], "got 'arctan'. It is written atan\n"),
])  # fmt: skip
def test_a_misspelling_is_answered_with_the_spelling(arguments: list[str], message: str, run: Run) -> None:
    result = run("solve", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr


def test_conditions_are_written_as_one_would(run: Run) -> None:
    rotation = run("solve", "-A", "r*cos(t) -r*sin(t); r*sin(t) r*cos(t)").stdout
    assert rotation.endswith("  holds where r ≠ 0\n  where r = 0: rank 0, rank-deficient\n")
    root = run("solve", "-A", "sqrt(a) 0; 0 sqrt(a)").stdout
    assert root.endswith("  holds where a ≠ 0\n  where a = 0: rank 0, rank-deficient\n")
    network = run("solve", "-A", "G1+G2 -G2; -G2 G2+G3").stdout
    assert network.endswith("  where G1 = G2 = G3 = 0: rank 0, rank-deficient\n")
    mixed = run("solve", "-A", "sin(a)+b b; b sin(a)").stdout
    assert mixed.endswith("  where b = 0 and sin(a) = 0: rank 0, rank-deficient\n")
    halves = run("solve", "-A", "2*a+b b-1; 0 0").stdout
    assert halves.endswith("  where 2·a + 1 = 0 and b = 1: rank 0\n")
    assert "holds where cos(y) ≠ 0\n" in run("solve", "-e", "tan(y) = x", "--unknowns", "y").stdout
    power = run("solve", "-e", "x**y = y**x", "--unknowns", "y", "--at", "x=0.7,y=0.7").stdout
    assert power.endswith("y       1\n")


@only_thorough
def test_what_would_be_longer_than_anybody_reads_is_refused() -> None:
    def letters(n: int, width: int) -> list[list[str]]:
        return [[f"a{i}_{j}" if abs(i - j) < width else "0" for j in range(n)] for i in range(n)]

    with pytest.raises(UsageError, match="determinants of up to 720 terms; expected at most 500"):
        solve(letters(6, 6))
    with pytest.raises(UsageError, match="terms; expected at most 500"):
        solve([["(a+b+c+d+f+g+h+j)**5", "1"], ["1", "(a+b+c+d+f+g+h+j)**5"]])
    assert solve(letters(8, 2)).rank == 8
    assert solve([[str(i * j % 7) if i != j else "t" for j in range(9)] for i in range(9)]).rank == 9


def test_an_integer_that_python_does_not_write_is_refused() -> None:
    with pytest.raises(InputError, match="expected an answer with shorter integers"):
        write(sympy.Integer(10) ** 5000)

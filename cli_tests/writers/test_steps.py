"""solve --steps: every line of a derivation is true, whatever the verdict, and the row operations do what is said."""

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby
from typing import Any

import pytest
import sympy
from cases import CASES, Case
from conftest import Run, spread
from markdown_it import MarkdownIt
from nonlinear import TEXTBOOK, solved
from test_formats import well_formed
from written import write_latex, write_markdown, write_table

from implicitgrad import Solution, UsageError, linear_system
from implicitgrad.numbers.display.form import NumberOptions
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.terminal.streams import Screen

SMALL = [case for case in CASES if max(len(case.A), len(case.A[0]), len((case.B or case.A)[0])) <= 6]
LETTERS = [
    Case("one equation in letters", [["a1", "a2"]], "underdetermined", 1, ["g1", "g2"]),
    Case("two equations in letters", [["a1", "a2"], ["a3", "a4"]], "determined", 2, ["g1", "g2"]),
    Case("dependent, in letters", [["a", "b"], ["2*a", "2*b"]], "rank-deficient", 1, ["1", "c"]),
    Case("tall, in letters", [["a"], ["b"]], "overdetermined", 1, ["c"]),
]
VERDICTS = [case for case in (*SMALL, *LETTERS) if "huge" not in case.name and "tiny" not in case.name]


def derived(case: Case, **options: Any) -> Solution:
    return solve_system(linear_system(case.A, case.dL_dy, B=case.B, name=case.name), steps=True, **options)


def steps_of(solution: Solution) -> dict[str, list[str]]:
    """The lines under each heading of the printed page, with = ≈ for ≈."""
    found: dict[str, list[str]] = {}
    for line in write_table(solution, Screen(), NumberOptions(40)).splitlines():
        if match := re.match(r"  [0-9]\. (.*)", line):
            found[match[1]] = []
        elif found and line.startswith("    "):
            found[list(found)[-1]].append(line.strip().replace(" ≈ ", " = ≈"))
    return found


def under(steps: dict[str, list[str]], start: str) -> list[str]:
    return next(lines for title, lines in steps.items() if title.startswith(start))


def value_of(text: str, names: dict[str, Any]) -> Any:
    """What a printed expression is, with values for what stands in it."""
    text = text.replace("≈", "").replace("^", "**").replace("−", "-").replace("·", "*")
    text = re.sub(r"[²³⁴]", lambda match: f"**{'²³⁴'.index(match[0]) + 2}", text)
    symbols: dict[str, Any] = {}
    for name in sorted(names, key=len, reverse=True):
        key = f"v{len(symbols)}_"
        if name in text:
            text = re.sub(rf"(?<![\w∂/]){re.escape(name)}(?!\w)", key, text)
            symbols[key] = names[name]
    return sympy.sympify(text, locals=symbols, rational=True)


def exact(value: Any) -> Any:
    return sympy.sympify(value.text) if hasattr(value, "text") else sympy.Rational(value.numerator, value.denominator)


def dot(row: Any, values: list[Any]) -> Any:
    return sum((exact(entry) * value for entry, value in zip(row, values, strict=True)), sympy.Integer(0))


def some_answer(solution: Solution) -> dict[str, Any]:
    """∂y/∂x, ∂L/∂x and what is in the equations, for one choice of what is free."""
    general, independent = solution.general, solution.independent
    names: dict[str, Any] = {}
    Z = [[sympy.Rational(3 + 2 * i - 5 * k, 7) for k in range(len(independent))] for i in range(len(general.free))]
    J = [
        [
            exact(p) + sum((exact(v) * z[k] for v, z in zip(V, Z, strict=True)), sympy.Integer(0))
            for k, p in enumerate(row)
        ]
        for row, V in zip(general.particular, general.null_space, strict=True)
    ]
    for k, x in enumerate(independent):
        for i, y in enumerate(solution.y):
            names[f"∂{y}/∂{x}"] = J[i][k]
        gradients = solution.system.dL_dy or ()
        for number, g in enumerate(gradients, start=1):
            loss = "L" if len(gradients) == 1 else f"L{number}"
            names[f"∂{loss}/∂{x}"] = dot(g, [row[k] for row in J])
    return names


def is_true(line: str, names: dict[str, Any]) -> bool:
    first, *others = (value_of(side, names) for side in line.split(" = "))
    if "≈" in line:
        return all(abs(first - other) < Fraction(1, 10**30) * (1 + abs(first)) for other in others)
    return all(sympy.simplify(first - other) == 0 for other in others)


@pytest.mark.parametrize("case", spread(VERDICTS, 2), ids=str)
def test_every_equation_is_true(case: Case) -> None:
    solution = derived(case)
    steps, names = steps_of(solution), some_answer(solution)
    equations = under(steps, "The equations")
    assert len(equations) == len(case.A)
    y = {name: sympy.Rational(k + 2, 3) for k, name in enumerate(solution.y)}
    system = solution.system
    right = [dot(row, [*y.values()]) for row in system.A]
    for line, value in zip(equations, right, strict=True):
        assert sympy.simplify(value_of(line.split(" = ")[1], y) - value) == 0
    if solution.constraints is None:
        for line in under(steps, "Differentiate"):
            if not line.startswith("and "):
                assert is_true(line, names), line
    if not solution.independent:
        assert not any(title.startswith(("Read off", "Solve", "The chain rule")) for title in steps)
        return
    for line in under(steps, "Solve" if len(case.A) == 1 else "Read off"):
        if " = " in line and "[" not in line:
            assert is_true(line, names), line
    if solution.system.dL_dy is not None:
        lines = [line for line in under(steps, "The chain rule") if " = " in line]
        assert lines
        for line in lines:
            assert is_true(line, names), line


def matrices(lines: list[str]) -> Iterator[list[list[str]]]:
    """The matrices that stand side by side."""
    rows = [re.findall(r"\[(.*?)\]", line) for line in lines]
    for k in range(max(map(len, rows))):
        yield [re.split(r"  +", row[k].strip()) for row in rows if len(row) > k]


@pytest.mark.parametrize("case", spread((case for case in VERDICTS if len(case.A) > 1), 2), ids=str)
def test_the_row_operations_lead_where_they_say(case: Case) -> None:
    solution = derived(case)
    steps = steps_of(solution)
    system = solution.system
    M, N = system.equations, system.unknowns
    B = system.B or [[Fraction(i == k) for k in range(M)] for i in range(M)]
    rows = [[exact(entry) for entry in (*a, *b)] for a, b in zip(system.A, B, strict=True)]
    pivots = []
    for line in under(steps, "Row reduce"):
        if match := re.fullmatch(r"pivot (.*) for (.*), in equation \((\d+)\)", line):
            column = solution.y.index(match[2])
            assert sympy.simplify(value_of(match[1], {}) - rows[int(match[3]) - 1][column]) == 0
            pivots.append((int(match[3]) - 1, column))
        elif " ← " in line:
            target, text = line.split(" ← ")
            new = []
            for column in range(len(rows[0])):
                values = {f"({i + 1})": row[column] for i, row in enumerate(rows)}
                for name, key in [(f"({i + 1})", f"row{i + 1}_") for i in range(M)]:
                    values[key] = values.pop(name)
                text_of_row = re.sub(r"(?<![\w.])\((\d+)\)", r"row\1_", text)
                new.append(sympy.simplify(value_of(text_of_row, values)))
            rows[int(target[1:-1]) - 1] = new
    assert len(pivots) == solution.rank
    for row, column in pivots:
        assert [other[column] for other in rows] == [int(i == row) for i in range(M)]
    rest = [row for i, row in enumerate(rows) if i not in {row for row, _ in pivots}]
    assert not any(sympy.simplify(entry) for row in rest for entry in row[:N])
    assert f"the rank of A is {solution.rank}" in under(steps, "Row reduce")[-1]


@pytest.mark.parametrize(
    "case", [case for case in SMALL if "huge" not in case.name and "tiny" not in case.name], ids=str
)
def test_the_constraint_is_what_elimination_leaves(case: Case) -> None:
    solution = derived(case)
    steps = steps_of(solution)
    if solution.constraints is None:
        assert not any(title.startswith("What remains") for title in steps)
        return
    lines = under(steps, "What remains")
    x = dict(zip(solution.independent, map(sympy.Integer, (5, 7, -3, 2)), strict=False))
    for name, row in zip(solution.constraints.dependent, solution.constraints.matrix, strict=True):
        x[name] = sum(
            (exact(a) * x[other] for a, other in zip(row, solution.independent, strict=True)), sympy.Integer(0)
        )
    equations = [line for line in lines if " = " in line and "[" not in line and "·∂" not in line]
    assert len(equations) == 2 * len(solution.constraints.dependent)
    for line in equations:
        assert is_true(line, x), line
    if solution.independent:
        (T,) = matrices([line for line in lines if "[" in line])
        for name, row in zip(solution.x, T, strict=True):
            found = sum(value_of(text, {}) * x[other] for text, other in zip(row, solution.independent, strict=True))
            assert found == x[name]


def test_the_note(run: Run) -> None:
    """x = a1·y1 + a2·y2, one equation in two unknowns, and two equations in two unknowns."""
    text = run("solve", "-e", "x = a1*y1 + a2*y2", "--unknowns", "y1,y2", "-g", "g1 g2", "--steps").stdout
    for line in (
        "x = a1·y1 + a2·y2", "1 = a1·∂y1/∂x + a2·∂y2/∂x", "∂y2/∂x = 1/a2 − (a1/a2)·∂y1/∂x",
        "∂L/∂x = g1·∂y1/∂x + g2·∂y2/∂x = g2/a2 + ((a2·g1 − a1·g2)/a2)·∂y1/∂x",
    ):  # fmt: skip
        assert f"      {line}\n" in text, line
    a1, a2, x = sympy.symbols("a1 a2 x")
    (general,) = re.findall(r"(?m)^ +∂y2/∂x = (.*)", text)
    for y1 in (x / (2 * a1), x**2, sympy.sin(x) / a1):  # and y2 so that the equation holds
        y2 = sympy.expand((x - a1 * y1) / a2)
        printed = value_of(general, {"∂y1/∂x": sympy.diff(y1, x), "a1": a1, "a2": a2})
        assert sympy.simplify(printed - sympy.diff(y2, x)) == 0
    text = run("solve", "-A", "a1 a2; a3 a4", "-g", "g1 g2", "--steps").stdout
    for line in (
        "x1 = a1·y1 + a2·y2", "x2 = a3·y1 + a4·y2",
        "1 = a1·∂y1/∂x1 + a2·∂y2/∂x1", "0 = a3·∂y1/∂x1 + a4·∂y2/∂x1",
        "0 = a1·∂y1/∂x2 + a2·∂y2/∂x2", "1 = a3·∂y1/∂x2 + a4·∂y2/∂x2",
        "[a1  a2] · [∂y1/∂x1  ∂y1/∂x2] = [1  0]", "[a3  a4]   [∂y2/∂x1  ∂y2/∂x2]   [0  1]",
        "[∂y1/∂x1  ∂y1/∂x2] = [ a4/(a1·a4 − a2·a3)  -a2/(a1·a4 − a2·a3)]",
        "[∂y2/∂x1  ∂y2/∂x2]   [-a3/(a1·a4 − a2·a3)   a1/(a1·a4 − a2·a3)]",
        "∂L/∂x1 = g1·∂y1/∂x1 + g2·∂y2/∂x1 = (a4·g1 − a3·g2)/(a1·a4 − a2·a3)",
        "∂L/∂x2 = g1·∂y1/∂x2 + g2·∂y2/∂x2 = (a1·g2 − a2·g1)/(a1·a4 − a2·a3)",
    ):  # fmt: skip
        assert f"      {line}\n" in text, line
    for title in ("Together, A·∂y/∂x = I", "Read off ∂y/∂x = A⁻¹", "∂L/∂x = (∂y/∂x)ᵀ·∂L/∂y = (Aᵀ)⁻¹·∂L/∂y"):
        assert title in text


def test_a_nonlinear_derivation() -> None:
    steps = steps_of(solved("x**2 + y**2 = 25", y="y", steps=True))
    assert under(steps, "The equations") == ["x^2 + y^2 = 25", "in which y is a function of x"]
    assert under(steps, "Differentiate both sides with respect to x, term by term") == [
        "2·x + 2·y·y′ = 0", "where y′ is ∂y/∂x",
    ]  # fmt: skip
    assert under(steps, "Collect the terms with derivatives on one side") == ["2·y·y′ = -2·x"]
    assert under(steps, "Solve for ∂y/∂x") == ["y′ = -x/y"]
    assert len(steps) == 4
    folium = steps_of(solved("x**3 + y**3 = 6*x*y", y="y", steps=True, order=2))
    assert under(folium, "Differentiate both")[0] == "3·x² + 3·y²·y′ = 6·y + 6·x·y′"
    assert under(folium, "Differentiate again, and solve") == [
        "6·x − 12·y′ + 6·y·y′² + (3·y² − 6·x)·y″ = 0", "y″ = (2·x + 2·y·y′² − 4·y′)/(2·x − y²)",
        "with ∂y/∂x inserted, and simplified by the equation itself:", "y″ = 16·x·y/(2·x − y²)³",
    ]  # fmt: skip
    at_point = steps_of(solved("x**2 + y**2 = 25", y="y", at={"x": "3", "y": "4"}, steps=True, order=2))
    assert under(at_point, "Solve") == ["y′ = -x/y"]
    assert under(at_point, "Insert the point") == ["y′ = -3/4"]
    assert under(at_point, "Differentiate again")[-2:] == ["with ∂y/∂x and the point inserted:", "y″ = -25/64"]
    node = steps_of(solved("x**3 + y**3 = 6*x*y", y="y", at={"x": "0", "y": "0"}, steps=True))
    assert under(node, "Solve") == ["this leaves open:", "y′"]
    fold = steps_of(solved("x**2 + y**2 = 25", y="y", at={"x": "5", "y": "0"}, steps=True))
    assert "dx = 0" in under(fold, "What remains")
    curve = steps_of(solved("p = y**2", "q = y", y="y", x="p q", at={"p": "9", "q": "3", "y": "3"}, steps=True))
    assert {"0 = -1/6·dp + dq", "dq = 1/6·dp"} <= set(under(curve, "What remains"))


def test_at_a_rounded_point_the_derivation_is_in_letters_and_the_point_is_inserted() -> None:
    at = {"x": "2", "y": "5"}
    steps = steps_of(solved("x**2 + y**2 = 25", y="y", at=at, solve_for="y", steps=True, order=2))
    assert under(steps, "Solve for ∂y/∂x") == ["y′ = -x/y"]
    (inserted,) = under(steps, "Insert the point")
    assert abs(float(inserted.removeprefix("y′ = ")) + 2 / 21**0.5) < 1e-14
    found = under(steps, "Differentiate again")
    assert found[:3] == ["2 + 2·y′² + 2·y·y″ = 0", "y″ = -(y′² + 1)/y", "with ∂y/∂x and the point inserted:"]
    assert abs(float(found[3].removeprefix("y″ = ")) + 25 / 21**1.5) < 1e-14
    at = {"x": "1", "y": "1", "r": "1.414", "t": "0.785"}
    polar = steps_of(solved("x = r*cos(t)", "y = r*sin(t)", y="r t", at=at, steps=True))
    assert not any(title.startswith("Row reduce") for title in polar)
    A, names, B = matrices(under(polar, "At the point, A·∂y/∂x = B"))
    assert [[float(entry) for entry in row] for row in A] == [[0.707, -1.0], [0.707, 1.0]]
    assert (names, B) == ([["∂r/∂x", "∂r/∂y"], ["∂t/∂x", "∂t/∂y"]], [["1", "0"], ["0", "1"]])


ORDER_2 = ("circle", "folium of Descartes", "product", "roots", "absolute value")


@pytest.mark.parametrize("name", spread(TEXTBOOK, 5))
def test_the_lines_of_a_textbook_curve_hold_with_its_slope(name: str) -> None:
    equation, _ = TEXTBOOK[name]
    solution = solved(equation, y="y", steps=True, order=2 if name in ORDER_2 else 1)
    steps = steps_of(solution)
    x, y, p, q = sympy.symbols("x y p q", positive=True)

    def meaning(line: str) -> Any:
        """Return left − right."""
        left, right = line.replace("y′", "p").replace("y″", "q").split(" = ")
        return (value_of(left, {}) - value_of(right, {})).subs({symbol.name: symbol for symbol in (x, y, p, q)})

    F = meaning(equation)
    J = -F.diff(x) / F.diff(y)
    values = {x: sympy.Rational(7, 5), y: sympy.Rational(3, 4)}
    values |= {p: J.subs(values), q: (J.diff(x) + J.diff(y) * J).subs(values)}
    titles = ["Differentiate both", "Collect", "Solve"]
    lines = [line for title in titles for line in found(steps, title)]
    lines += found(steps, "Differentiate again")[:2]  # the third line is true on the curve alone
    assert len(lines) >= 3
    for line in lines:
        if " = " in line:
            assert abs(meaning(line).subs(values).evalf(30)) < 1e-20, line


def found(steps: dict[str, list[str]], start: str) -> list[str]:
    return next((lines for title, lines in steps.items() if title.startswith(start)), [])


@pytest.mark.parametrize(
    "left", spread(["u**2 + y**2", "u**2*y + y**3", "exp(u*y) + u", "u**2*v + sin(y)*u", "3*u - v + 2*y"], 2)
)
def test_second_derivatives_are_derived(left: str) -> None:
    u, v, y = sympy.symbols("u v y")
    F = sympy.sympify(left)
    inputs = [symbol for symbol in (u, v) if F.has(symbol)]
    first = {x: -F.diff(x) / F.diff(y) for x in inputs}
    names = {str(symbol): symbol for symbol in (u, v, y)} | {"c": F}
    names |= {f"∂y/∂{x}": derivative for x, derivative in first.items()}
    second = {}
    for x in inputs:
        for z in inputs:
            by = f"∂{x}²" if x == z else f"∂{x}∂{z}"
            second[f"∂²y/{by}"] = first[x].diff(z) + first[x].diff(y) * first[z]
    solution = solved(f"{left} = c", y="y", x=" ".join(map(str, inputs)), steps=True, order=2)
    lines = under(steps_of(solution), "Differentiate again")
    equations, *_, found = [list(group) for _, group in groupby(lines, key=lambda text: " = " in text)]
    if len(inputs) == 1:
        names |= {"y′": first[u], "y″": second["∂²y/∂u²"]}
        assert len(equations) == 2
        for line in (*equations, *found):
            assert is_true(line, names), line
        well_formed(write_latex(solution))
        return
    assert len(equations) == len(found) == len(inputs) * (len(inputs) + 1) // 2
    for line in equations + found:
        text = line
        for k, name in enumerate(second):
            text = text.replace(name, f"second{k}_")
        assert text != line
        assert is_true(text, names | {f"second{k}_": value for k, value in enumerate(second.values())}), line
    latex = write_latex(solution)
    well_formed(latex)
    assert latex.count("partial^2 y}") == 2 * len(found)


@pytest.mark.parametrize("case", spread(VERDICTS, 2), ids=str)
def test_other_formats(case: Case) -> None:
    solution = derived(case)
    text = write_latex(solution)
    well_formed(text)
    assert text.count(r"\textbf{") == len(steps_of(solution))
    tokens = MarkdownIt("commonmark").parse(write_markdown(solution))
    headings = [token.content for token in tokens if token.type == "inline" and re.match(r"\*\*\d\. ", token.content)]
    assert len(headings) == len(steps_of(solution))
    if len(case.A) > 1:
        assert any(token.type == "fence" for token in tokens)


def test_what_has_no_steps(run: Run) -> None:
    with pytest.raises(UsageError, match="--steps is for exact arithmetic"):
        solve_system(linear_system([["1"]], arithmetic="float"), steps=True)
    with pytest.raises(UsageError, match="at most 6 equations, unknowns and inputs"):
        solve_system(linear_system([["1"] * 7]), steps=True)
    result = run("solve", "-A", "1", "--steps", "--format", "json")
    assert (result.returncode, "--steps is for --format table, markdown, html or latex" in result.stderr) == (2, True)
    narrow = run("solve", "-A", "a1 a2; a3 a4", "--steps", COLUMNS="60", PYTHONIOENCODING="ascii").stdout
    assert narrow.isascii()
    assert "(2) <- (2) - a4*(1)" in narrow


def test_an_input_with_the_name_of_an_unknown_is_marked() -> None:
    names = ["farm", "mill"]
    system = linear_system([["1/2", "-1/2"], ["-1/2", "1/2"]], x=names, y=names)
    assert "x is constrained:\n    x[mill] = -x[farm]\n" in write_table(
        solve_system(system), Screen(), NumberOptions(40)
    )
    steps = steps_of(solve_system(system, steps=True))
    assert under(steps, "The equations") == [
        "x[farm] = 1/2·farm − 1/2·mill", "x[mill] = -1/2·farm + 1/2·mill",
    ]  # fmt: skip
    assert under(steps, "What remains of the equations has no y")[0] == "0 = x[farm] + x[mill]"

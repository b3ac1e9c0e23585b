"""Equations as text, linear ones against trees that are evaluated on their own, and what is none."""

import json
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st

from implicitgrad import InputError
from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.readers.equations.reader import EquationLine, add_linearization, read_equations
from implicitgrad.readers.systems.build import build_system

Y, X = ("y1", "y2", "größe"), ("x1", "x_2")


class Tree(NamedTuple):
    """A text and its value for given names."""

    text: str
    value: Any


def constant() -> st.SearchStrategy[Tree]:
    numbers = st.sampled_from(["0", "1", "2", "0.5", ".25", "3.", "1e2", "12", "1E-1"])
    leaves = numbers.map(lambda text: Tree(text, lambda at: Fraction(text)))

    def combined(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        return st.tuples(inner, st.sampled_from(["+", "-", "*", " − ", "·"]), inner).map(
            lambda parts: Tree(
                f"({parts[0].text}{parts[1]}{parts[2].text})",
                lambda at: {
                    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "−": lambda a, b: a - b,
                    "*": lambda a, b: a * b, "·": lambda a, b: a * b,
                }[parts[1].strip()](parts[0].value(at), parts[2].value(at)),
            )
        )  # fmt: skip

    return st.recursive(leaves, combined, max_leaves=3)


def linear() -> st.SearchStrategy[Tree]:
    names = st.sampled_from([*Y, *X]).map(lambda name: Tree(name, lambda at: at[name]))

    def combined(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        sums = st.tuples(inner, st.sampled_from(["+", " - "]), inner).map(
            lambda p: Tree(
                f"({p[0].text}{p[1]}{p[2].text})",
                lambda at: p[0].value(at) + p[2].value(at) * (-1 if "-" in p[1] else 1),
            )
        )
        products = st.tuples(constant(), inner).map(
            lambda p: Tree(f"{p[0].text} * {p[1].text}", lambda at: p[0].value(at) * p[1].value(at))
        )
        quotients = st.tuples(inner, st.sampled_from(["2", "(-3)", "0.5"])).map(
            lambda p: Tree(f"{p[0].text}/{p[1]}", lambda at: p[0].value(at) / Fraction(p[1].strip("()")))
        )
        minus = inner.map(lambda tree: Tree(f"(-{tree.text})", lambda at: -tree.value(at)))
        return st.one_of(sums, products, quotients, minus)

    return st.recursive(st.one_of(names, constant()), combined, max_leaves=8)


def system_of(*texts: str, y: tuple[str, ...], x: tuple[str, ...] | None = None) -> Any:
    read = read_equations(
        [EquationLine(text, "t", lambda offset: (1, offset + 1)) for text in texts],
        SourceValue(list(y)), None if x is None else SourceValue(list(x)), "t",
    )  # fmt: skip
    assert read.origin is None or read.origin.has_constants or not all(name in " ".join(texts) for name in y)
    spec = SystemSpec("t", {}, "t")
    add_linearization(spec, read)
    if spec.linearize is not None:
        spec.linearize()
    spec.origin = None
    return build_system(spec)


@pytest.mark.parametrize(
    ("coefficient", "value"), [("2**3", 8), ("2^-3", Fraction(1, 8)), ("(1/2)**2/4", Fraction(1, 16)), ("4**(2/2)", 4)]
)
def test_a_power_of_a_number_is_one(coefficient: str, value: Fraction) -> None:
    system = system_of(f"x = {coefficient}*y", y=("y",))
    assert tuple(system.A) == ((value,),)


def test_a_root_of_a_number_is_no_rational_one(run: Run) -> None:
    record = json.loads(run("solve", "-e", "x = 2**(1/2)*y", "--unknowns", "y", "--format", "json").stdout)
    assert (record["arithmetic"], record["dy_dx"]) == ("symbolic", [[2**-0.5]])


@given(linear(), linear(), st.data())
def test_an_equation_is_what_its_text_says(left: Tree, right: Tree, data: st.DataObject) -> None:
    system = system_of(f"{left.text} = {right.text}", y=Y, x=X)
    B = system.B or ((Fraction(1), Fraction(0)),)
    numbers = st.fractions(max_denominator=9, min_value=-9, max_value=9)
    at = {name: data.draw(numbers) for name in (*Y, *X)}
    zero = dict.fromkeys(at, Fraction(0))
    difference = left.value(at) - right.value(at) - (left.value(zero) - right.value(zero))
    (a,), (b,) = system.A, B
    found = sum(p * at[name] for p, name in zip(a, Y, strict=True)) - sum(
        p * at[name] for p, name in zip(b, X, strict=True)
    )
    assert found in (difference, -difference)


def test_which_names_are_inputs_and_which_equation_is_which() -> None:
    system = system_of("x1 = y1 + 2*y2", "x2 = 3*y1 - y2/4", y=("y1", "y2"))
    assert (system.A, system.B, system.x) == (((1, 2), (3, Fraction(-1, 4))), None, ("x1", "x2"))
    system = system_of("x1 = y1", "x2 = y2", y=("y1", "y2"), x=("x2", "x1"))
    assert (system.A, system.B) == (((1, 0), (0, 1)), ((0, 1), (1, 0)))
    system = system_of("y = 3*b + 2*a + 7", y=("y",))
    assert (system.A, system.B, system.x) == (((1,),), ((3, 2),), ("b", "a"))
    system = system_of("0 = 2*p - 3*q", "2*q = p", y=("p",))
    assert (system.A, system.B, system.x) == (((2,), (1,)), ((3,), (2,)), ("q",))


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("x = y1/(2 - 2)", 7, "expected a divisor that is not 0"),
        (
            "x = sinn(y1)",
            5,
            "sqrt, cbrt, abs, erf, got 'sinn'. Did you mean sin?",
        ),
        ("x = lg(y1)", 5, "The logarithms are log or ln, log10 and log2"),
        ("x = arcsin(y1)", 5, "It is written asin"),
        ("x = max(y1, 2)", 5, "no derivative where the arguments are equal; write max(u, v) as (u + v + abs(u - v))/2"),
        ("x = min(y1, 2)", 5, "write min(u, v) as (u + v - abs(u - v))/2"),
        ("x = atan2(y1)", 13, "expected a comma and the second argument, got ')'"),
        ("x = log(y1, 2)", 11, "expected ), got ','. Other logarithms are log2, log10 and log(u)/log(b)"),
        ("x = y1*asin(2)", 8, "expected an argument for which asin is real"),
        ("x = y1*(-8)**0.25", 12, "expected a real power"),
        ("x = sin*y1", 8, "expected ( behind the function 'sin', got '*'"),
        ("x = y1**1000*y2", 7, "expected an exponent of at most 100"),
        ("x = y1*2**(10**10)", 9, "expected an exponent of at most 100"),
        ("x = ((y1*2**90)**90)**90", None, "expected a power of at most 20,000 bits"),
        ("x = (1 + y1 + y2 + a + b + c)**40", None, "expected at most 2,000 terms when multiplied out"),
        ("x = y1*sqrt(-1)", 8, "expected an argument for which sqrt is real"),
        ("x = 2y1", 6, "A product is written 2*y1"),
        ("x = y1 y2", 8, "A product is written y1*y2"),
        ("x = 2(y1)", 6, "A product is written with *"),
        ("x == y1", 3, "An equation has one ="),
        ("x = y1 = y2", 8, "expected the end of the equation, got '='"),
        ("x + y1", 7, "expected = and the other side, got the end. If the expression is to be 0, end it with = 0"),
        ("x = ", 4, "expected a number, a name or (, got the end"),
        ("", 1, "expected a number, a name or (, got the end"),
        ("x = (y1", 8, "expected ), got the end"),
        ("x = y1)", 7, "expected the end of the equation, got ')'"),
        ("x = 010*y1", 5, "Leading zeros"),
        ("x = 1e999*y1", 5, "expected an exponent within"),
        ("y2 = y1", None, "every letter is an unknown; expected one more at least, an input"),
        ("x = y1; y2", 7, "got ';'"),
        ("x = " + "(" * 60 + "y1" + ")" * 60, 55, "expected at most 50 levels"),
        ("x = " + "-" * 60 + "y1", None, "expected at most 50 levels"),
        ("x = __import__('os').system('true')*y1", 16, "got '''"),
        ("x = y1.__class__", 7, "got '.'"),
        ("x = [y1 for y1 in (1,)]", 5, "got '['"),
        ("x = lambda: y1", 11, "got ':'"),
        ("x = 'y1'", 5, "got '''"),
        ("x = y1 + `id`", 10, "got '`'"),
        ("x = ${y1}", 5, "got '$'"),
    ],
)
def test_what_is_no_equation_is_refused_where_it_stands(text: str, column: int | None, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        system_of(text, y=("y1", "y2"))
    assert reason in str(caught.value)
    (problem,) = caught.value.problems
    if column is not None:
        assert (problem.line, problem.column) == (1, column)


NO_EQUATION = "expected an equation, got '{}'. {}"
THE_ANSWER = "is a derivative, which is the answer: leave it out; a name has no primes"
SEVERAL = "Each equation is an -e of its own, or an item of the list in a file"
INVERSE = (
    "expected ( behind the function '{0}', got '^'. Write a{0}(u) for the inverse function, 1/{0}(u) for the reciprocal"
)
POINT = "Write the decimal mark as a point: {}"
END = "expected the end of the equation, got '{}'"
OTHER_SIDE = "expected = and the other side, got '{}'"
LATEX = r"LaTeX is not read here: write \frac{u}{v} as (u)/(v), and u^{2} as u^2"


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("tan^-1(y) = x", 4, INVERSE.format("tan")),
        ("x = sinh^(-1)(y)", 9, INVERSE.format("sinh")),
        ("ln**-1(y) = x", 3, "expected ( behind the function 'ln', got '**'. Write 1/ln(u)"),
        ("sin⁻¹(y) = x", 4, NO_EQUATION.format("⁻", INVERSE.format("sin").partition(". ")[2])),
        ("y⁻¹ = x", 2, NO_EQUATION.format("⁻", "A power is written u^(-1)")),
        ("sin^3(y) = x", 4, "expected ( behind the function 'sin', got '^'. Write sin(u)**3"),
        ("cos²(y) = x", 4, "expected ( behind the function 'cos', got '²'. Write cos(u)**2"),
        ("sin y = x", 5, "expected ( behind the function 'sin', got 'y'. Write sin(y)"),
        ("sin y*z = x", 5, "expected ( behind the function 'sin', got 'y'. Write sin(u)"),
        ("x^2 + 0,5*y^2 = 1", 8, f"{OTHER_SIDE.format(',')}. {POINT.format('0.5')}"),
        ("x*y = 1,5", 8, f"{END.format(',')}. {POINT.format('1.5')}"),
        ("x = sin(0,5*y)", 10, f"expected ), got ','. {POINT.format('0.5')}"),
        ("x = log(2,5)*y", 10, "expected ), got ','. Other logarithms are log2, log10 and log(u)/log(b)"),
        ("x = 2*y, z = y", 8, f"{END.format(',')}. {SEVERAL}"),
        ("x = 2*y; z = y", 8, NO_EQUATION.format(";", SEVERAL)),
        ("x = atan2(y; 1)", 12, NO_EQUATION.format(";", "Arguments are separated by commas")),
        ("x = 2*y;", 8, NO_EQUATION.format(";", "Leave out the ; at the end")),
        ("x^2 + y)^2 = 4", 8, f"{OTHER_SIDE.format(')')}. There is no ( for it"),
        ("x = (y + )*2", 10, "expected a number, a name or (, got ')'"),
        ("x^^2 = y", 3, "expected a number, a name or (, got '^'. A power is written u^v or u**v"),
        ("x***2 = y", 4, "expected a number, a name or (, got '*'. A power is written u^v or u**v"),
        ("3.5.2*y = x", 4, f"{OTHER_SIDE.format('.2')}. A number has one decimal point"),
        ("x = 1.234,5*y", 10, f"{END.format(',')}. A number has no thousands separators, and one decimal point"),
        ("x = 1'000*y", 6, NO_EQUATION.format("'", "Leave out the thousands separators")),
        ("x = 1_000*y", 6, f"{END.format('_000')}. Leave out the thousands separators"),
        ("x = 1 000*y", 7, f"{END.format('000')}. Leave out the thousands separators"),
        ("exp^(x) = y", 4, "expected ( behind the function 'exp', got '^'. Write exp(x)"),
        ("y' = x", 2, NO_EQUATION.format("'", f"y' {THE_ANSWER}")),
        ("x + y″ = 1", 6, NO_EQUATION.format("″", f"y″ {THE_ANSWER}")),
        ("∂y/∂x = 2", 1, NO_EQUATION.format("∂", "∂y/∂x is the answer: leave it out; a claim of it is --dydx (in a "
                                                 "file, expect: {dy_dx: ...})")),
        ("√x = y", 1, NO_EQUATION.format("√", "A square root is written sqrt(u)")),
        ("|x| = y", 1, NO_EQUATION.format("|", "An absolute value is written abs(u)")),
        ("[x + 1]*y = 2", 1, NO_EQUATION.format("[", "Parentheses are round: ( )")),
        ("x:y = 1", 2, NO_EQUATION.format(":", "A quotient is written with /; an equation has no name before it")),
        ("x = 1:y", 6, NO_EQUATION.format(":", "A quotient is written with /")),
        ("x := y", 3, NO_EQUATION.format(":", "An equation has one =")),
        ("x <= y", 3, NO_EQUATION.format("<", "An equation has =; inequalities are of --subject-to, beside "
                                              "--minimize")),
        ("x—y = 1", 2, NO_EQUATION.format("—", "A minus sign is written -")),
        ("½*x = y", 1, NO_EQUATION.format("½", "Write (1/2)")),
        ("x = y^½", 7, NO_EQUATION.format("½", "Write (1/2)")),
        ("x = y.", 6, NO_EQUATION.format(".", "Leave out the . at the end")),
        ("x = y # note", 7, NO_EQUATION.format("#", "Leave out the comment")),
        ("“x = y”", 1, NO_EQUATION.format("“", "Leave out the quotation marks")),
        ("x = y = 2", 7, f"{END.format('=')}. {SEVERAL}"),
        ("= y", 1, "expected a number, a name or (, got '='"),
        (r"x = y\2", 6, r"expected an equation, got '\'"),
        ("2½*x = y", 2, NO_EQUATION.format("½", "Write a mixed number as a sum, 2 + 1/2")),
        ("x₁ = y", 1, NO_EQUATION.format("x₁", "Write x1")),
        ("x ＝ y", 3, NO_EQUATION.format("＝", "Write =")),
        ("x\u00a0= y", 2, NO_EQUATION.format(r"\xa0", "Type a blank for the character U+00A0")),
        ("x = \u200by", 5, NO_EQUATION.format(r"\u200b", "Remove the character U+200B")),
        ("y^{2} = x", 3, NO_EQUATION.format("{", LATEX)),
        (r"\frac{x}{y} = 2", 1, NO_EQUATION.format("\\", LATEX)),
        ("x = y!", 6, "expected an equation, got '!'"),
    ],
)  # fmt: skip
def test_a_spelling_of_mathematics_is_answered_with_ours(run: Run, text: str, column: int, message: str) -> None:
    result = run("solve", "-e", text, "--unknowns", "y")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"implicitgrad: -e:1:{column}: {message}\n"


@pytest.mark.parametrize(
    ("written", "typed"),
    [("a×y", "a*y"), ("a⋅y – 1", "a*y - 1"), ("a∗y", "a*y"), ("y÷a", "y/a"), ("y⁄3", "y/3"), ("–y∕a", "-y/a")],
)
def test_signs_of_typeset_products_quotients_and_differences_are_read(run: Run, written: str, typed: str) -> None:
    for options in (["-f", "json"], ["--steps"]):
        one, other = (run("solve", "-e", f"x^2 = {text}", "--unknowns", "y", *options) for text in (written, typed))
        assert (one.returncode, one.stdout) == (0, other.stdout)


def test_equations_on_the_command_line(run: Run) -> None:
    result = run("solve", "-e", "x = 3*y1 + 5*y2", "--unknowns", "y1,y2", "-g", "7 11", "-fjson")
    record = json.loads(result.stdout)
    same = json.loads(run("solve", "-A", "3 5", "-g", "7 11", "--x", "x", "-fjson").stdout)
    assert (result.returncode, record) == (0, same)
    assert run("check", "-e", "x = 2*y", "--unknowns", "y", "--dydx", "1/2").returncode == 0
    assert run("check", "-e", "x = 2*y", "--unknowns", "y", "--dydx", "1/3").returncode == 1
    for arguments, reason in (
        (["-e", "x = y"], "got none. Name the unknowns: --unknowns y (in a file, y: [y])"),
        (["-e", "p = q + r"], "Name the unknowns: --unknowns q,r (in a file, y: [q, r])"),
        (["-e", "x^2 + y^2 = 25"], "Name the unknowns: --unknowns y (in a file, y: [y])"),
        (["-e", "u*v = 1"], "Name the unknowns: --unknowns v (in a file, y: [v])"),
        (["-e", "x = 2y", "--y", "y"], "-e:1:6: expected the end of the equation, got 'y'. A product is written 2*y"),
        (["-e", "x = y", "-A", "1", "--y", "y"], "expected equations, -e, or matrices, -A and -B, got both"),
        (["-e", "x = y", "a.yaml", "--y", "y"], "expected a system's file or -e, got both"),
        (["-e", "x = y", "--y", "y 1"], "expected a name of letters, digits and _"),
    ):
        result = run("solve", *arguments)
        assert (result.returncode, result.stdout) == (2, "")
        assert reason in result.stderr


BLOCK = """\
equations: |
  x1 = y1 + 2*y2  # the first

  # and the second
  # and the last
    x2 = 3*y1 + 4*y2
y: [y1, y2]
dL_dy: [1, 1]
"""


def test_equations_in_files(run: Run) -> None:
    text = 'equations:\n  - x1 = 1*y1 + 2*y2\n  - "x2 = 3*y1 + 4*y2"\ny: [y1, y2]\ndL_dy: [1, 1]\n'
    files = {
        "a.yaml": text + "expect: {status: determined, dL_dx: [-1/2, 1/2]}\n",
        "l.yaml": BLOCK + "expect: {dL_dx: [-1/2, 1/2]}\n",
        "b.yaml": "# \n" + BLOCK.replace("4*y2", "4*y2)"),
        "j.yaml": '{"equations": "x1 = y1\\nx2 = y2)", "y": ["y1", "y2"]}',
        "c.yaml": text.replace("2*y2", "2*y2*(y1"),
        "d.yaml": text + "A: [[1]]\n",
        "e.yaml": "equations: [[x = y]]\ny: [y]\n",
        "f.yaml": "equations: x = 2*y\ny: [y]\n",
        "g.yaml": "equations: []\ny: [y]\n",
        "h.yaml": "equations:\n- x = y\n",
        "s.jsonl": '{"equations": ["x = 4*y"], "y": ["y"]}\n{"equations": ["x = 4*(z"], "y": ["y"]}\n',
    }
    assert run("check", "a.yaml", files=files).returncode == 0
    assert run("check", "l.yaml", files=files).returncode == 0
    for name, reason in (
        ("c.yaml", "c.yaml:2:25: expected ), got the end"),
        ("b.yaml", "b.yaml:7:21: expected the end of the equation, got ')'"),
        ("j.yaml", "j.yaml:1:15: expected the end of the equation, got ')'"),
        ("d.yaml", "d.yaml:6:1: expected A or equations, got both"),
        ("e.yaml", "e.yaml:1:12: equations: expected a list of texts, got a list"),
        ("g.yaml", "g.yaml: equations: expected at least one, got none"),
        ("h.yaml", "h.yaml: equations: expected the names of the unknowns, got none. Name the unknowns: --unknowns y"),
    ):
        result = run("solve", name)
        assert (result.returncode, result.stdout) == (2, "")
        assert reason in result.stderr
    assert json.loads(run("solve", "f.yaml", "-fjson").stdout)["exact"]["dy_dx"] == [["1/2"]]
    found = [json.loads(line) for line in run("batch", "s.jsonl").stdout.splitlines()]
    assert found[0]["dy_dx"] == [[0.25]]
    assert (found[1]["error"]["code"], found[1]["error"]["line"]) == ("bad-syntax", 2)


@pytest.mark.parametrize(
    ("equations", "unknowns", "constraint"),
    [
        (["F = 9/5*C + 32", "K = C + 273.15"], "C", "dK = 5/9·dF"),
        (["total = p + q", "difference = p - q", "mean = (p + q)/2 + 3"], "p,q", "dmean = 1/2·dtotal"),
        (["x = 1", "z = y + 2"], "y", "dx = 0"),
        (["x = a*y + 3", "z = y - 1"], "y", "dz = (1/a)·dx"),
        (["x = a*y + b - b", "z = y"], "y", "z = (1/a)·x"),
        (["total = p + q", "mean = (p + q)/2 + 1 - 1"], "p,q", "mean = 1/2·total"),
    ],
)
def test_a_constraint_of_equations_with_constants_is_one_of_changes(
    run: Run, equations: list[str], unknowns: str, constraint: str
) -> None:
    arguments = [part for equation in equations for part in ("-e", equation)] + ["--unknowns", unknowns]
    table = run("solve", *arguments).stdout
    has_constants = constraint.startswith("d")
    head = "  x is constrained, in changes:" if has_constants else "  x is constrained:"
    assert f"{head}\n    {constraint}\n" in table
    assert table.startswith("equations   ") or not has_constants
    steps = run("solve", *arguments, "--steps").stdout
    assert f"{constraint}\n" in steps
    if has_constants:
        assert all(equation.replace("*", "·").replace(" - ", " − ") in steps for equation in equations)
    assert ("\\mathrm{d}x = " in run("solve", *arguments, "-f", "latex").stdout) == (has_constants and "y" != "")
    record = json.loads(run("solve", *arguments, "-f", "json").stdout)
    assert ("equations" in record) == has_constants or "a" in record["equations"][0]
    restated = run("solve", *arguments, "-f", "yaml").stdout
    checked = run("check", "restated.yaml", files={"restated.yaml": restated})
    assert checked.returncode == 0, checked.stdout


def test_many_equations_are_the_same_system_as_their_matrices(run: Run) -> None:
    size = 70
    equations = [f"x{i} = {i % 7 + 1}*y{i} - y{(i + 1) % size}/3 + 0.1*y0" for i in range(size)]
    A = [[Fraction(0)] * size for _ in range(size)]
    for i, row in enumerate(A):
        row[i] += i % 7 + 1
        row[(i + 1) % size] -= Fraction(1, 3)
        row[0] += Fraction(1, 10)
    names = {key: [f"{key}{i}" for i in range(size)] for key in "xy"}
    files = {
        "s.yaml": json.dumps({"y": names["y"], "equations": equations}),
        "m.yaml": json.dumps({**names, "A": [[str(entry) for entry in row] for row in A]}),
    }
    for arithmetic in ("float", "exact"):
        read, given = (
            json.loads(run("solve", file, "--arithmetic", arithmetic, "-f", "json", files=files).stdout) for file in
            ("s.yaml", "m.yaml")
        )  # fmt: skip
        assert read | {"name": None, "source": None} == given | {"name": None, "source": None}


def test_more_equations_than_are_solved_in_seconds_are_refused_at_once(run: Run) -> None:
    lines = "".join(f"  - x{i} = y{i}\n" for i in range(2237))
    names = ",".join(f"y{i}" for i in range(2237))
    result = run("solve", "s.yaml", files={"s.yaml": f"y: [{names}]\nequations:\n{lines}"})
    message = (
        "equations: expected at most 10,000,000 coefficients, zeros among them, got 2,237 equations in 2,237 unknowns"
    )
    hint = "A larger system is read as its matrices, from an .npz file of A and B"
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"implicitgrad: s.yaml: {message} and 2,237 inputs. {hint}\n"


@pytest.mark.parametrize(
    ("A", "entries"), [("1 " * 3163, "10,004,569"), ("1 " * 4000 + ";" + "2 " * 4000, "16,000,000")]
)
def test_a_null_space_far_larger_than_its_question_is_refused(run: Run, A: str, entries: str) -> None:
    result = run("solve", "-A", A.strip(), "-f", "json")
    message = (
        "expected an answer of at most 10,000,000 entries where there are more than 100 unknowns or inputs for each"
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert f"{message} equation, got {entries}" in result.stderr


def test_names_without_brackets_are_refused_with_their_place(run: Run) -> None:
    result = run("solve", "-", stdin="equations: x = y1 + y2\ny: y1, y2\n")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "implicitgrad: -:2:4: y[1]: expected a name of letters, digits and _, to stand in an equation, got 'y1, y2'. "
        "Names stand in brackets: [y1, y2]\n"
    )

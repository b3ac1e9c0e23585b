"""Quadratic programs written as expressions: their numbers, their names, and what is none."""

import json
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import ROOT, Run, trials

import implicitgrad
from implicitgrad.model.program.problem import QuadraticProgram
from implicitgrad.model.spec import SourceValue
from implicitgrad.readers.equations.reader import EquationLine, Point
from implicitgrad.readers.program.expressions import Objective, read_program, split_name
from implicitgrad.symbolic.polynomials import expander


def read(objective: str, *constraints: str, z: str = "z1 z2", is_maximum: bool = False, **at: str) -> QuadraticProgram:
    return read_program(
        Objective(EquationLine(objective, "-"), is_maximum),
        [split_name(EquationLine(text, "-")) for text in constraints],
        SourceValue(z.split()),
        Point({name: EquationLine(value, "-") for name, value in at.items()}),
        "-",
    )


def arrays(program: QuadraticProgram) -> dict[str, Any]:
    return {key: getattr(program, key) for key in ("P", "q", "constant", "G", "h", "A", "b")}


def test_every_sign_and_chain_becomes_rows_with_their_names() -> None:
    program = read(
        "0.5*z1^2 - 3*z1*(z2 - 1) + (z2 + 2)**2 + 5",
        "z1 + 2*z2 <= 6",
        "sign: z1 >= 2*z2 + 1",
        "0 ≤ z1 ≤ 3",
        "total: z1 + z2 = 4",
        "box: -1 <= z2 <= 1",
        "down: 7 >= z1 >= 5 - z2",
        "z1 - z2 == 2*z1",
        "ends: z1 <= z2 <= 2*z2 <= 9",
        "(z1 + 1)^2 <= z1^2 + z2",
    )
    assert arrays(program) == {
        "P": ((1, -3), (-3, 2)),
        "q": (3, 4),
        "constant": 9,
        "G": (
            (1, 2), (-1, 2), (-1, 0), (1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (1, -1), (0, -1), (0, 2),
            (2, -1),
        ),
        "h": (6, -1, 0, 3, 1, 1, 7, -5, 0, 0, 9, -1),
        "A": ((1, 1), (-1, -1)),
        "b": (4, 0),
    }  # fmt: skip
    assert program.inequality_names == (
        "h1", "sign", "h3", "h4", "box.lower", "box.upper", "down.upper", "down.lower", "ends.1", "ends.2", "ends.3",
        "h12",
    )  # fmt: skip
    assert program.equality_names == ("total", "b2")
    assert (program.lower, program.upper) == ((None, None), (None, None))


def test_maximize_negates_the_objective() -> None:
    program = read("3 + c*z1 - 2*z1^2", z="z1", is_maximum=True, c="5")
    assert (program.P, program.q, program.constant, program.is_maximum) == (((4,),), (-5,), -3, True)
    assert program.letters is not None
    assert program.letters[0].q[0].slope == -1


def test_letters_are_in_the_order_of_their_values_and_know_where_they_are() -> None:
    program = read("b*c*z1^2 + z2/c", "b^2*z1 <= c + 1", "z1 = b", c="2", b="3", z="z1 z2")
    assert program.letters is not None
    c, b = program.letters
    assert (c.name, c.value, b.name, b.value) == ("c", 2, "b", 3)
    assert (c.P, c.q) == ({(0, 0): (6, True)}, {1: (Fraction(-1, 4), False)})
    assert (c.G, c.h, c.A, c.b) == ({}, {0: (1, True)}, {}, {})
    assert (b.P, b.q, b.G, b.h, b.A, b.b) == ({(0, 0): (4, True)}, {}, {(0, 0): (6, False)}, {}, {}, {0: (1, True)})


def test_numbers_of_random_expressions_are_those_of_the_text() -> None:
    random = Random(3)

    def text(depth: int) -> str:
        if depth == 0:
            return random.choice(["2", "1/3", "c", "d", "0.25", "z1", "z2"])
        kind = random.choice(["sum", "difference", "product", "negated", "quotient"])
        if kind == "negated":
            return f"-({text(depth - 1)})"
        if kind == "product":
            return f"({constant(depth - 1)})*({text(depth - 1)})"
        if kind == "quotient":
            return f"({text(depth - 1)})/({random.choice(['3', 'c', 'd^2', 'c**-1'])})"
        return f"({text(depth - 1)}) {'+' if kind == 'sum' else '-'} ({text(depth - 1)})"

    def constant(depth: int) -> str:
        return text(depth).replace("z1", "c").replace("z2", "(d - 7)")

    def value(expression: str, **at: Fraction) -> Fraction:
        found = "".join(f"Fraction('{c}')" if c.isdigit() else c for c in expression.replace("0.25", "(1/4)"))
        found = found.replace("^Fraction('2')", "**2").replace("zFraction('1')", "z1").replace("zFraction('2')", "z2")
        return eval(found.replace("**-Fraction('1')", "**-1"), {"Fraction": Fraction, **at})

    for _ in range(trials(75)):
        square, linear, side = text(3), text(3), text(3)
        program = read(f"({square})^2 + {linear} + c*d*z1 + z2", f"{side} + z1 <= c", c="3/2", d="-2")
        letters = {"c": Fraction(3, 2), "d": Fraction(-2)}
        for z1, z2 in ((0, 0), (1, 0), (0, 1), (2, -3), (5, 7)):
            at = {**letters, "z1": Fraction(z1), "z2": Fraction(z2)}
            (p11, p12), (p21, p22) = program.P
            assert p12 == p21
            found = (p11 * z1**2 + 2 * p12 * z1 * z2 + p22 * z2**2) / 2
            found += program.q[0] * z1 + program.q[1] * z2 + program.constant
            assert found == value(square, **at) ** 2 + value(linear, **at) - 3 * z1 + z2
            assert program.G[0][0] * z1 + program.G[0][1] * z2 - program.h[0] == value(side, **at) + z1 - Fraction(3, 2)


OBJECTIVE = "minimize: z1^2 + {}\nz: [z1, z2]\nat: {{c: 1}}\n"
CONSTRAINT = "minimize: z1^2 + c*z2^2\nsubject_to:\n  cap: {}\nz: [z1, z2]\nat: {{c: 1}}\n"
DEGREE = "expected an objective of degree 2 at most in the unknowns, got"
LINEAR = "expected a constraint that is linear in the unknowns, got"
IRRATIONAL = "Put another letter in its place, with a decimal for it in at"
BAD_PROGRAMS = {
    OBJECTIVE.format("c*z1*z2^2"): f"-:1:18: {DEGREE} the term z1*z2^2",
    OBJECTIVE.format("c*(z1 + z2)^3"): f"-:1:29: {DEGREE} the term z1^3",
    OBJECTIVE.format("exp(z2)*c"): f"-:1:18: {DEGREE} exp of the unknown z2",
    OBJECTIVE.format("c/z2"): f"-:1:19: {DEGREE} a division by the unknown z2",
    OBJECTIVE.format("c^z2"): f"-:1:19: {DEGREE} the unknown z2 in an exponent",
    OBJECTIVE.format("c*z2^9"): f"-:1:22: {DEGREE} the power 9 of the unknown z2",
    OBJECTIVE.format("c*z2^(1/2)"): f"-:1:22: {DEGREE} the power 1/2 of the unknown z2",
    OBJECTIVE.format("c*abs(z2)"): f"-:1:20: {DEGREE} abs of the unknown z2. |u| is minimised as a further unknown t "
    "with u <= t and -u <= t",
    OBJECTIVE.format("z2^c"): f"-:1:20: expected an exponent without letters, got c in it. {IRRATIONAL}",
    OBJECTIVE.format("exp(c)*z2"): f"-:1:18: expected a rational number, got exp(1) at c = 1. {IRRATIONAL}",
    OBJECTIVE.format("sqrt(2*c)*z2"): f"-:1:18: expected a rational number, got (2)^(1/2) at c = 1. {IRRATIONAL}",
    OBJECTIVE.format("c*pi*z2"): f"-:1:20: expected rational numbers, got pi. {IRRATIONAL}",
    OBJECTIVE.format("z2/(c - 1)"): "-:1:20: expected a divisor that is not 0, got 0 at c = 1",
    OBJECTIVE.format("abs(c - 1)*z2"): "-:1:18: expected a derivative, got abs of 0, which has none at c = 1",
    OBJECTIVE.format("sqrt(c - 1)*z2"): "-:1:18: expected a derivative, got the power 1/2 of 0, which has none at c "
    "= 1",
    OBJECTIVE.format("sqrt(c - 5)*z2"): "-:1:18: expected a real number, got the power 1/2 of -4 at c = 1",
    OBJECTIVE.format("c*z2^2 <= 3"): "-:1:25: expected an expression to minimize, got '<=' in it. Constraints are in "
    "subject_to",
    OBJECTIVE.format("c*max(z1, z2)"): "-:1:20: expected one of the functions sin, cos, tan, sec, csc, cot, asin, "
    "acos, "
    "atan, atan2, sinh, cosh, tanh, asinh, acosh, atanh, exp, log, ln, log10, log2, sqrt, cbrt, abs, erf, got 'max'. "
    "max(u, v) is minimised as a further unknown t with u <= t and v <= t",
    OBJECTIVE.format("2z2*c"): "-:1:19: expected the end of the expression, got 'z2'. A product is written 2*z2",
    OBJECTIVE.format("cz2"): "-:1:18: expected an unknown, or a letter with a value in at, got cz2. A product is "
    "written c*z2",
    OBJECTIVE.format("c*d*z2"): "-:1:20: expected an unknown, or a letter with a value in at, got d. Give it one: at: "
    "{d: 1} (on the command line, --at d=1)",
    OBJECTIVE.format("c"): "-:2:9: z[2]: expected an unknown that the program has, got 'z2'. Leave it out",
    OBJECTIVE.format("z2"): "-:3:9: at: expected names that the program has, got 'c'",
    OBJECTIVE.format("2^9000*2^9000*2^9000*z2*c"): "-:1:18: expected numbers of at most 20,000 bits, got a larger one",
    OBJECTIVE.format("2^(10^9)*z2*c"): "-:1:19: expected numbers of at most 20,000 bits, got a larger one",
    OBJECTIVE.format("-z2^2*c"): "-:1:11: expected a convex objective, got vᵀPv = -2 at v: z2 = 1. The derivative of a "
    "minimum needs a positive semidefinite P",
    OBJECTIVE.format("z2*c").replace("minimize", "maximize"): "-:1:11: expected a concave objective, got vᵀPv = 2 "
    "at v: "
    "z1 = 1. The derivative of a maximum needs a negative semidefinite P",
    CONSTRAINT.format("z1*z2 <= 1"): f"-:3:8: {LINEAR} the term z1*z2",
    CONSTRAINT.format("z1 <= 1 + z2^2"): f"-:3:20: {LINEAR} the term z2^2",
    CONSTRAINT.format("z1 < 1"): "-:3:11: expected <=, >= or =, got '<'. A strict inequality has no least point on its "
    "boundary; write <=",
    CONSTRAINT.format("z1 > 1"): "-:3:11: expected <=, >= or =, got '>'. A strict inequality has no least point on its "
    "boundary; write >=",
    CONSTRAINT.format("z1 != 1"): "-:3:11: expected <=, >= or =, got '!='. What is left of space without a plane is "
    "not "
    "convex",
    CONSTRAINT.format("z1 ≠ 1"): "-:3:11: expected <=, >= or =, got '≠'. What is left of space without a plane is not "
    "convex",
    CONSTRAINT.format("z1 =< 1"): "-:3:11: expected <=, >= or =, got '=<'. Write <=",
    CONSTRAINT.format("z1 + 1"): "-:3:14: expected <=, >= or = and the other side, got the end",
    CONSTRAINT.format("z1 <="): "-:3:11: expected an expression behind <=, got none",
    CONSTRAINT.format("<= z1"): "-:3:8: expected an expression before <=, got none",
    CONSTRAINT.format("0 <= z1 >= 1"): "-:3:16: expected a chain of <= alone or of >= alone, got >= behind <=. "
    "Write two "
    "constraints",
    CONSTRAINT.format("1 = z1 = z2"): "-:3:15: expected a chain of <= alone or of >= alone, got = behind =. Write two "
    "constraints",
    CONSTRAINT.format("c <= 1"): "-:3:8: expected a constraint on the unknowns, got one without them",
    CONSTRAINT.format(""): "-:3:7: expected a constraint, got none. z1 + z2 <= 1",
    CONSTRAINT.format("[z1 <= 1]"): "-:3:8: subject_to: expected constraints as texts, got a list. subject_to: "
    "{capacity: z1 + z2 <= 4, sign: z1 >= 0}",
    CONSTRAINT.format("z1 <= 1\n  cap: z2 <= 1"): "-:4:3: subject_to: duplicate name 'cap', first on line 3",
    CONSTRAINT.format("z1 <= 1").replace("cap", "z2"): "-:3:7: expected a name of its own for each "
    "constraint, got 'z2'. It is in the expressions; name the constraint, as in capacity: z1 <= 2",
    CONSTRAINT.format("z1 <= 1").replace("cap", "c"): "-:3:6: expected a name of its own for each "
    "constraint, "
    "got 'c'. It is in the expressions; name the constraint, as in capacity: z1 <= 2",
    "minimize: a^2\nz: [a, b, c]\nat: {e: 3, d: 4}\n": "-:2:8: z[2]: expected an unknown that the program has, got "
    "'b'. Leave it out\n-:2:11: z[3]: expected an unknown that the program has, got 'c'\n-:3:9: at: expected names "
    "that the program has, got 'e'\n-:3:15: at: expected names that the program has, got 'd'",
    "minimize: a^2\nz: []\n": "-:2:4: expected the names of the unknowns, got none. Name them: z: [a] (on the command "
    "line, --unknowns a)",
    "maximize: ''\nz: z1\n": "-:1:12: expected an expression to maximize, got none",
    "minimize: [z1]\nz: z1\n": "-:1:11: minimize: expected an expression, got a list. minimize: (z1 - c)^2",
    "minimize: z1\nmaximize: z1\nq: [1]\nz: z1\n": "-:2:1: expected minimize or maximize, got both. Keep one of them\n"
    "-:3:1: expected q or minimize, got both",
    "q: [1]\nz: a\nat: {c: 1}\n": "-:2:1: z: expected it beside minimize or maximize, got none\n"
    "-:3:1: at: expected it beside minimize or maximize, got none",
    "A: [[1]]\nsubject_to: z1 <= 1\n": "-:2:1: unknown key 'subject_to'; expected one of name, A, B, dL_dy, x, y, "
    "equations, at, solve_for, expect. subject_to is of a quadratic program, which has P, q, minimize or maximize "
    "beside "
    "it",
    "P: [[2]]\nq: [1]\ny: [a]\n": "-:3:1: unknown key 'y'; expected one of name, P, q, G, h, A, b, lb, ub, names, "
    "dL_dz, dL_dlambda, dL_dnu, minimize, maximize, subject_to, z, at, expect. The unknowns of a quadratic program are "
    "z: names: {z: [...]}, or z: [...] beside minimize",
    "minimize: (z1 - c)^2\nat: {c: 1}\n": "-: expected the names of the unknowns, got none. Name them: z: [z1] (on the "
    "command line, --unknowns z1)",
    "minimize: z1^2\nz: z1, z2\n": "-:2:4: z[1]: expected a name of letters, digits and _, to stand in an equation, "
    "got 'z1, z2'. Names stand in brackets: [z1, z2]",
    "minimize: z1^2\nz: [z1, z1]\n": "-:2:9: z[2]: duplicate name 'z1'",
    "minimize: z1^2\nz: [z1, pi]\n": "-:2:9: z[2]: expected a name of letters, digits and _, to stand in an "
    "equation, got "
    "'pi'",
    "minimize: z1^2\nz: z1\nat: {z1: 1, exp: 2, c: d, e: sqrt(2)}\n": "-:3:10: at: expected values of names that "
    "are no "
    "unknowns, got 'z1'. An unknown's value is computed\n-:3:18: at: expected a name of letters, digits and _, got "
    "'exp'\n-:3:24: at: expected a number for c, got the letter 'd'\n-:3:30: expected a rational number, got "
    "(2)^(1/2). Write it as a decimal",
    "minimize: z1^2\nz: z1\ndL_dz: [1, 2]\n": "-:3:8: dL_dz has 2 entries; expected 1, one for each unknown",
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD_PROGRAMS.items())
def test_what_is_no_program_is_an_error_with_its_place(run: Run, text: str, message: str) -> None:
    result = run("solve", "-", stdin=text)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "".join(f"implicitgrad: {line}\n" for line in message.split("\n"))


BAD_OPTIONS = {
    "--minimize z1^2 --maximize z1": "expected --minimize or --maximize, got both",
    "--subject-to z1<=2 --unknowns z1": "--subject-to states a constraint; expected --minimize or --maximize beside it",
    "--minimize z1^2 --unknowns z1 -A 1": "-A is for linear systems and equations, not for a program",
    "--minimize z1^2 --unknowns z1 -e y=x": "-e is for linear systems and equations, not for a program",
    "--minimize z1^2 --unknowns z1 --x c": "--inputs is for linear systems and equations, not for a program. The "
    "inputs "
    "are the names of --at",
    "--minimize z1^2*c --unknowns z1 --at c=q": "--at: expected a number for c, got the letter 'q'",
    "--minimize z1^2 --unknowns z1 --subject-to z1<=c --subject-to z1<1": "--subject-to:2:3: expected <=, >= or =, got "
    "'<'. A strict inequality has no least point on its boundary; write <=",
    "p.yaml --minimize z1^2": "expected a system's file or --minimize or --maximize, got both. Leave out one of them",
    "p.yaml --x c": "p.yaml: --x is for linear systems and equations, not for a program",
    "--minimize z1^2 --unknowns z1 -g 1_2": "-g:1:1: dL_dz[1]: expected a number such as -12, 0.5, 1e-3 or 3/4, got "
    "'1_2'",
}


@pytest.mark.parametrize(("arguments", "message"), BAD_OPTIONS.items())
def test_options_that_make_no_program_are_refused(run: Run, arguments: str, message: str) -> None:
    files = {"p.yaml": "minimize: (z1 - c)^2\nz: z1\nat: {c: 1}\n"}
    result = run("solve", *arguments.split(), files=files)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"implicitgrad: {message}\n"


DOCUMENT = """\
maximize: |
  c*z1
  - z1^2/2
subject_to: {}
z: [z1, z2]
at:
  c: 4
dL_dz: [1, 1]
"""
SPELLINGS = {
    "mapping": "{cap: z1 + z2 <= 3, box: 0 <= z2 <= 1}",
    "block": "\n  cap: z1 + z2 <= 3\n  box:\n    0 <=\n    z2 <= 1",
    "list": "['cap: z1 + z2 <= 3', 'box: 0 <= z2 <= 1']",
    "list of mappings": "\n- cap: z1 + z2 <= 3\n- box: 0 <= z2 <= 1",
    "lines": "|\n  cap: z1 + z2 <= 3  # of both\n\n  box: 0 <= z2 <= 1",
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_every_spelling_says_the_same(run: Run, spelling: str) -> None:
    result = run("solve", "-", "-fjson", stdin=DOCUMENT.format(spelling))
    assert (result.returncode, result.stderr) == (0, "")
    record = json.loads(result.stdout)
    inline = run(
        "solve", "--maximize", "c*z1 - z1^2/2", "--subject-to", "cap: z1 + z2 <= 3", "--subject-to",
        "box: 0 <= z2 <= 1", "--unknowns", "z1,z2", "--at", "c=4", "-g", "1 1", "-fjson",
    )  # fmt: skip
    assert (inline.returncode, inline.stderr) == (0, "")
    of_options = json.loads(inline.stdout)
    places = {"name": None, "source": None, "kkt": None}
    assert record | places == of_options | places
    assert {key: record[key] for key in ("status", "z", "active", "inputs", "at", "dz_dx", "dL_dx", "one_sided")} == {
        "status": "differentiable",
        "z": [3, 0],
        "active": ["cap", "box.lower"],
        "inputs": ["c"],
        "at": {"c": 4},
        "dz_dx": [[0], [0]],
        "dL_dx": [0],
        "one_sided": {},
    }


def test_json_on_a_line_says_the_same(run: Run) -> None:
    document = {"minimize": "(z1 - c)^2", "subject_to": {"sign": "z1 >= 0"}, "z": ["z1"], "at": {"c": 0}, "dL_dz": [3]}
    result = run("solve", "a.jsonl", "-fjson", files={"a.jsonl": json.dumps(document)})
    record = json.loads(result.stdout)
    assert (record["status"], record["weak"], record["dz_dx"], record["dL_dx"]) == (
        "one-sided", ["sign"], [[None]], [None],
    )  # fmt: skip
    assert record["one_sided"]["c"] == {"left": {"dz": [0], "dL": 0}, "right": {"dz": [1], "dL": 3}}
    assert record["exact"]["dz_dx"] == [[None]]
    assert record["exact"]["at"] == {"c": "0"}


def test_what_is_not_decided_is_null_with_its_reason(run: Run) -> None:
    arguments = ("solve", "--minimize", "z1^2/2", "--subject-to", "z1 <= -c^2", "--subject-to", "-z1 <= -c^2")
    arguments = (*arguments, "--unknowns", "z1", "--at", "c=0", "-g", "1")
    record = json.loads(run(*arguments, "-fjson").stdout)
    assert (record["dz_dx"], record["dL_dx"], "c" in record["one_sided"]) == ([[None]], [None], False)
    reason = "the active constraints are linearly dependent, and c does not enter affinely"
    assert record["warnings"][-1] == {"code": "not-decided", "message": f"∂z/∂c is not decided: {reason}"}
    assert run(*arguments).stdout.endswith(f"""
  ∂z/∂             c
 ───────────────────
  z1     not decided

  ∂L/∂   not decided

warning: the KKT matrix is singular: λ[h1] is free in it, though z is unique

warning: ∂z/∂c is not decided: {reason}
""")


def test_expressions_that_take_long_to_expand_are_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("solve", "--minimize", "(z1 + z2 + z3)^2 + z1^2 + z2^2 + z3^2", "--unknowns", "z1,z2,z3")
    monkeypatch.setattr(expander, "MAX_PRODUCTS", 18)  # (3 + 9) + 3·(1 + 1)
    assert run(*arguments).returncode == 0
    monkeypatch.setattr(expander, "MAX_PRODUCTS", 17)
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    message = "expected expressions that can be computed with, got one that is too large, or too deep"
    assert result.stderr == f"implicitgrad: --minimize:1:36: {message}\n"


def test_multipliers_have_losses_in_letters_too(run: Run) -> None:
    document = {"minimize": "(z1 - c)^2", "subject_to": "z1 <= 1", "z": "z1", "at": {"c": 3}, "dL_dlambda": [5]}
    record = json.loads(run("solve", "-", "-fjson", stdin=json.dumps(document)).stdout)
    assert (record["lambda"], record["dz_dx"], record["dL_dx"]) == ([4], [[0]], [10])


def test_pieces_are_in_the_numbers_of_the_program(run: Run) -> None:
    result = run(
        "solve", "--minimize", "(z1 - c)^2", "--subject-to", "z1 >= 0", "--unknowns", "z1", "--at", "c=0", "--pieces"
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("""
  ∂z/∂       c
 ─────────────
  z1 left    0
  z1 right   1

  where no constraint is active

  ∂z/∂   q[z1]   h1
 ──────────────────
  z1      -1/2    0

  where h1 is active

  ∂z/∂   q[z1]   h1
 ──────────────────
  z1         0   -1
""")


def test_python_solves_and_checks_what_it_reads(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("minimize: (z1 - c)^2\nz: z1\nat: {c: 3}\ndL_dz: 2\n")
    (program,) = implicitgrad.read_systems(tmp_path / "p.yaml")
    solution = implicitgrad.solve_program(program)
    assert solution.by_letter is not None
    assert (solution.z, solution.by_letter.z, solution.by_letter.losses) == ((3,), ((1,),), ((2,),))
    assert implicitgrad.check_program(program, dz_dx=[[1]], dL_dx=[2])
    assert not implicitgrad.check_program(program, dL_dx=[1])
    with pytest.raises(TypeError, match="a QuadraticProgram has its own q, G, h, A, b, lb, ub, losses, names and name"):
        implicitgrad.solve_program(program, dL_dz=[1])
    for function in (implicitgrad.solve, implicitgrad.check):
        with pytest.raises(TypeError, match="is solved by solve_program, and checked by check_program"):
            function(program)


def test_options_replace_what_a_file_says(run: Run) -> None:
    files = {"p.yaml": "minimize: (u - c)^2\nz: v\nat: {c: 1}\n", "q.yaml": "P: [[2]]\nq: [-2]\n"}
    result = run("solve", "p.yaml", "--unknowns", "u", "-g", "7", "-fjson", files=files)
    record = json.loads(result.stdout)
    assert (record["names"]["z"], record["z"], record["dL_dx"]) == (["u"], [1], [7])
    record = json.loads(run("solve", "q.yaml", "--unknowns", "bread", "-g", "2", "-fjson", files=files).stdout)
    assert (record["names"]["z"], record["z"], record["dL_dq"]) == (["bread"], [1], [-1])


def test_steps_end_with_the_chain_rule(run: Run) -> None:
    constraints = ("z1 + c*z2 <= -2", "c*z1 - z2 = 3*c^2", "z2 >= -9*d")
    options = [text for one in constraints for text in ("--subject-to", one)]
    objective = ("--minimize", "(z1 - c)^2 + c*z2^2 + d")
    result = run("solve", *objective, *options, "--unknowns", "z1,z2", "--at", "c=1/3,d=1", "-g", "5 7", "--steps")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.partition("  6. The chain rule for the letters\n")[2].partition("\n\n")[0].splitlines()
    of_c, of_d = (line.strip().split(" = ") for line in lines)
    assert of_c[:2] == ["∂L/∂c", "∂L/∂P·dP/dc + ∂L/∂G·dG/dc + ∂L/∂A·dA/dc + ∂L/∂q·dq/dc + ∂L/∂b·db/dc"]
    numbers = [[Fraction(one) for one in term.strip("()").split(")·(")] for term in of_c[2].split(" + ")]
    assert sum(a * b for a, b in numbers) == Fraction(of_c[3])
    assert result.stdout.splitlines()[-1].split() == ["∂L/∂", of_c[3], "0"]
    assert of_d == ["∂L/∂d", "∂L/∂h·dh/dd", "0"]
    sample = run("solve", str(ROOT / "sample_systems" / "portfolio.yaml"), "--steps").stdout
    assert "\n      ∂L/∂risk = ∂L/∂P·dP/drisk = (-25/9)·(1/25) + (25/9)·(9/100) = 5/36\n" in sample

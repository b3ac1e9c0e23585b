"""A singular system explained: which unknowns are not determined, which combinations are, how equations depend."""

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from conftest import Run, trials
from oracles.elimination import matrix, null_space, product, rank, transpose

from implicitgrad import solve
from implicitgrad.writers.formats import FORMATS, TABLE
from implicitgrad.writers.options import WriteOptions

BRIDGE = "1 0 0 0 0; 0 1 0 0 0; 0 0 1 0 0; 0 0 0 1 -1; 0 0 0 -1 1"
EQUATION = re.compile(r"equation (\d+) = (.*)")
TERM = re.compile(r"(-?)(?:(\d+(?:/\d+)?)·)?(equation )?(\w+)$")


def facts(A: Any, **more: Any) -> list[str]:
    text = FORMATS[TABLE].write(solve(A, **more), WriteOptions())
    assert isinstance(text, str)
    return [line.strip() for line in text.splitlines()]


def said(lines: list[str], words: str) -> str:
    (line,) = [line for line in lines if words in line]
    return line


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-A", BRIDGE, "--y", "v1,v2,v3,v4,v5"],
         "  the equations depend on each other in the unknowns:\n    equation 5 = -equation 4\n\n"
         "  v4 and v5 are not determined; v5 − v4 is\n"),
        (["-A", BRIDGE, "-B", "1;0;0;2;-2"],
         "  the equations depend on each other:\n    equation 5 = -equation 4\n\n"
         "  y4 and y5 are not determined; y5 − y4 is\n"),
        (["-A", "1 2; 2 4", "--x", "Steel,Energy use"],
         "  the equations depend on each other in the unknowns:\n    equation Energy use = 2·equation Steel\n\n"
         "  y1 and y2 are not determined; y1 + 2·y2 is\n"),
        (["-A", "1 0 0; 0 0 0"],
         "  equation 2 has no unknown\n\n  y2 and y3 are not determined, and no combination of them is\n"),
        (["-A", "1 0"], "  y2 is not determined\n"),
        (["-A", "1 -1 0 0; 0 1 -1 0; 0 0 0 1"],
         "  y1, y2 and y3 are not determined; y2 − y1 and y3 − y1 are\n"),
        (["-A", "1 1 1 0 0 0 0; 2 2 2 0 0 0 0; 3 3 3 0 0 0 0; 4 4 4 0 0 0 0; 5 5 5 0 0 0 0; 7 7 7 0 0 0 0"],
         "  the equations depend on each other in the unknowns:\n    equation 2 = 2·equation 1\n"
         "    equation 3 = 3·equation 1\n    equation 4 = 4·equation 1\n  2 more depend on others\n\n"
         "  y1, y2, y3, y4, y5 and 2 more are not determined; y1 + y2 + y3 is\n"),
        (["-A", "1 -1 0 0 0 0; 0 1 -1 0 0 0; 0 0 1 -1 0 0; 0 0 0 1 -1 0; 0 0 0 0 1 -1"],
         "  y1, y2, y3, y4, y5 and 1 more are not determined; y2 − y1, y3 − y1, y4 − y1 and 2 more combinations are\n"),
        (["-A", "1 12345 54321"], "  y1, y2 and y3 are not determined; 1 combination of them is\n"),
        (["-A", "1 12345; 12345 152399025"],
         "  the equations are dependent in the unknowns: 1 of 2 is a combination of others\n\n"
         "  y1 and y2 are not determined; 1 combination of them is\n"),
        (["-e", "x = y1 + y2", "-e", "2*x = 2*y1 + 2*y2", "--unknowns", "y1,y2"],
         "  the equations depend on each other:\n    equation 2 = 2·equation 1\n\n"
         "  y1 and y2 are not determined; y1 + y2 is\n"),
        (["-e", "x = y1 + y2 + 1", "-e", "2*x = 2*y1 + 2*y2 + 5", "--unknowns", "y1,y2"],
         "  the derivatives of the equations depend on each other:\n    equation 2 = 2·equation 1\n\n"
         "  the derivatives of y1 and y2 are not determined; that of y1 + y2 is\n"),
        (["-e", "x = y1^2 + y2", "--unknowns", "y1,y2", "--at", "x=2,y1=1,y2=1"],
         "  the derivatives of y1 and y2 are not determined; that of 2·y1 + y2 is\n"),
    ],
)  # fmt: skip
def test_a_singular_system_is_explained(run: Run, arguments: list[str], expected: str) -> None:
    result = run("solve", *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    assert f"\n\n{expected}" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["-A", "1 2; 3 4"],
        ["-e", "x = a*y1^2 + y2", "--unknowns", "y1,y2", "--x", "x"],
        ["-A", "1 2; 2 4", "--arithmetic", "float"],
        ["-e", "x^2 + y^2 = 25", "--unknowns", "y", "--at", "x=5,y=0"],
    ],
    ids=["determined", "nonlinear in letters", "doubles", "where the theorem fails"],
)
def test_nothing_is_said_of_what_is_no_fact(run: Run, arguments: list[str]) -> None:
    text = run("solve", *arguments).stdout
    assert "determined;" not in text
    assert "not determined" not in text
    assert "depend on" not in text


def test_a_fold_says_which_derivative_vanishes(run: Run) -> None:
    text = run("solve", "-e", "x^2 + y^2 = 25", "--unknowns", "y", "--at", "x=5,y=0").stdout
    assert "\n  equation 1 has derivatives that are 0 with respect to the unknowns\n" in text


@pytest.mark.parametrize(
    ("A", "expected"),
    [
        ("a b; 2*a 2*b",
         "  for almost all values of the letters, the equations depend on each other in the unknowns:\n"
         "    equation 2 = 2·equation 1\n\n"
         "  for almost all values of the letters, y1 and y2 are not determined; a·y1 + b·y2 is\n"),
        ("1 1; a a", "    equation 2 = a·equation 1\n\n  for almost all values of the letters, y1 and y2 are not "
         "determined; y1 + y2 is\n"),
        ("a b 0; 0 0 c", "\n  for almost all values of the letters, y1 and y2 are not determined; a·y1 + b·y2 is\n"),
        ("0 a; 0 0", "\n  equation 2 has no unknown\n\n  for almost all values of the letters, y1 is not determined\n"),
        ("a b; 1 0; a+1 b", "\n  for almost all values of the letters, the equations are dependent in the unknowns: "
         "1 of 3 is a combination of others\n"),
        ("sqrt(2) 1", "\n  y1 and y2 are not determined; 1 combination of them is\n"),
    ],
)  # fmt: skip
def test_a_sentence_on_letters_holds_for_almost_all_of_their_values(run: Run, A: str, expected: str) -> None:
    result = run("solve", "-A", A)
    assert (result.returncode, result.stderr) == (0, "")
    assert expected in result.stdout


@pytest.mark.parametrize(
    "A", ["a b; 2*a 2*b", "1 1; a a", "a b 0; 0 1 c", "a 0 b 0; 0 c 0 a; a c b a", "a*b b**2; a b"]
)
def test_what_is_said_of_letters_is_true_of_numbers_in_their_place(run: Run, A: str) -> None:
    sentence = said(run("solve", "-A", A).stdout.splitlines(), "not determined").translate(
        {ord("·"): "*", ord("−"): "-", ord("²"): "**2"}
    )
    first, _, rest = sentence.partition("; ")
    rows = [[f"({entry})" for entry in row.split()] for row in A.split(";")]
    for values in ({"a": 2, "b": 3, "c": 5}, {"a": -7, "b": 1, "c": 4}):
        numbers = matrix([[eval(entry, {}, values) for entry in row] for row in rows])
        V = transpose(null_space(numbers))
        assert re.findall(r"y\d", first) == [f"y{j + 1}" for j, row in enumerate(V) if any(row)]
        for combination in re.split(", | and ", re.sub(" (is|are)$", "", rest)):
            if "combination" not in combination:
                ones = [{f"y{k + 1}": k == j for k in range(len(V))} for j in range(len(V))]
                vector = [Fraction(eval(combination, {}, values | one)) for one in ones]
                assert any(vector)
                assert not any(product([vector], V)[0])


def singular(rng: np.random.Generator) -> list[list[str]]:
    M, N = (int(size) for size in rng.integers(1, 6, 2))
    r = int(rng.integers(0, min(M, N) + 1))
    A = rng.integers(-2, 3, (M, r)) @ rng.integers(-2, 3, (r, N))
    return [list(map(str, row)) for row in A.tolist()]


def terms(text: str) -> dict[str, Fraction]:
    """The coefficients of ``v5 − 2·v4``."""
    found = {}
    for sign, term in re.findall(r"(?:^| ([+−]) )((?:[^ ]|(?<=equation) )+)", text):
        match = TERM.fullmatch(term)
        assert match, text
        minus, number, _, name = match.groups()
        found[name] = Fraction(number or 1) * (-1 if (sign == "−") != (minus == "-") else 1)
    return found


def test_every_sentence_is_true_and_complete() -> None:
    rng = np.random.default_rng(13)
    seen = 0
    for _ in range(trials(200)):
        texts = singular(rng)
        A = matrix(texts)
        M, N, r = len(A), len(A[0]), rank(A)
        lines = facts(texts)
        relations = [EQUATION.fullmatch(line) for line in lines]
        for relation in relations:
            if relation:
                w = [Fraction(0)] * M
                for name, factor in terms(relation[2]).items():
                    w[int(name) - 1] = -factor
                w[int(relation[1]) - 1] += 1
                assert not any(product([w], A)[0])
        if r == N:
            assert not any("not determined" in line for line in lines)
            continue
        V = transpose(null_space(A))
        undetermined = [f"y{j + 1}" for j in range(N) if any(V[j])]
        sentence = said(lines, "not determined")
        first, _, rest = sentence.partition("; ")
        assert re.findall(r"y\d+", first) == undetermined
        combinations = re.split(r", | and ", re.sub(" (is|are)$", "", rest)) if rest else []
        shown = [terms(one) for one in combinations if not one.endswith(("combination", "combinations"))]
        vectors = [[one.get(f"y{j + 1}", Fraction(0)) for j in range(N)] for one in shown]
        assert not any(map(any, product(vectors, V)))
        assert rank(vectors) == len(vectors) == min(3, len(undetermined) - (N - r))
        seen += len(vectors)
    assert seen > 20


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("plain", "note = the equations depend on each other in the unknowns: equation feed_2 = -equation a*b\n"
                  "note = v_4 and v*5 are not determined; v*5 - v_4 is\n"),
        ("markdown", "the equations depend on each other in the unknowns:\n\n- equation feed_2 = -equation a\\*b\n\n"
                     "v_4 and v\\*5 are not determined; v\\*5 − v_4 is\n"),
        ("html", '<p class="equation">equation feed_2 = -equation a*b</p>\n'
                 '<p class="finding">v_4 and v*5 are not determined; v*5 − v_4 is</p>\n'),
        ("latex", "The equations depend on each other in the unknowns:\n\n\\[\n"
                  "\\text{equation feed\\_2} = -\\text{equation a*b}\n\\]\n"
                  "$v_{4}$ and $\\text{v*5}$ are not determined; $\\text{v*5} - v_{4}$ is.\n"),
    ],
)  # fmt: skip
def test_each_page_has_the_sentences(run: Run, form: str, expected: str) -> None:
    arguments = ["-A", "1 -1; -1 1", "--y", "v_4,v*5", "--x", "a*b,feed_2"]
    assert expected in run("solve", *arguments, "-f", form).stdout


def test_a_summary_has_the_sentences(run: Run) -> None:
    rows = [["1" if i in (j, j - 1) else "0" for j in range(45)] for i in range(44)]
    result = run("solve", "-A", ";".join(map(" ".join, rows)), "--arithmetic", "exact", FORCE_COLOR="", COLUMNS="80")
    assert "y1, y2, y3, y4, y5 and 40 more are not determined; " in result.stdout

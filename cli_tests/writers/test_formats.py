"""solve --format markdown, latex, yaml: the same answer, in what people paste and in what is read again."""

import json
import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from cases import CASES, Case
from conftest import ROOT, Run, examples, is_program, spread
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from written import write_latex, write_markdown

from implicitgrad import read_systems, solve
from implicitgrad.__main__ import run as run_in_process
from implicitgrad.numbers.display.form import NumberOptions
from implicitgrad.numbers.doubles import Ball
from implicitgrad.writers.data.yaml import write_yaml
from implicitgrad.writers.notation import Notation
from implicitgrad.writers.pages import latex

SAMPLES = sorted((ROOT / "sample_systems").iterdir())


def answer_to(case: Case) -> Any:
    return solve(case.A, case.dL_dy, B=case.B, name=case.name)


def doubles(n: int, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return solve(rng.normal(size=(n, n)), rng.normal(size=n))


# Markdown


def tables(text: str) -> list[list[list[str]]]:
    """The cells of each table, as a renderer has them."""
    found: list[list[list[str]]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and token.map is not None and token.level >= 3:
            texts = [child.content for child in token.children or () if child.type in ("text", "code_inline")]
            found[-1][-1].append("".join(texts))
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_markdown_has_a_table_with_the_numbers_of_the_answer(case: Case) -> None:
    solution = answer_to(case)
    text = write_markdown(solution, NumberOptions(40))
    assert f"**{solution.status}**: rank {solution.rank}" in text
    if not solution.independent:
        assert not tables(text)
        return
    first, *others = tables(text)
    assert len(others) == bool(solution.general.free)
    assert first[0] == ["∂y/∂x", *solution.independent]
    assert [row[0] for row in first[1 : 1 + len(solution.y)]] == list(solution.y)
    assert {len(row) for row in first} == {len(solution.independent) + 1}
    places = [solution.x.index(name) for name in solution.independent]
    for shown, row in zip(first[1:], solution.dy_dx, strict=False):
        for cell, value in zip(shown[1:], (row[k] for k in places), strict=True):
            if value is not None:
                assert Fraction(cell.removeprefix("≈")) == pytest.approx(value, rel=1e-30, abs=0)
    for shown in first[1 + len(solution.y) :]:
        assert re.fullmatch("∂L[0-9]*/∂x", shown[0])


def test_what_markdown_would_act_on_is_shown_as_it_is(run: Run) -> None:
    names = ["a|b", "*x*", "_y_", "feed_1", "<b>", "`c`", "[d](e)", "f\\g", "#h", "~i~", "&amp;"]
    solution = solve(np.eye(11).astype(int).tolist(), y=names, x=[f"in {name}" for name in names])
    (table,) = tables(write_markdown(solution))
    assert table[0] == ["∂y/∂x", *(f"in {name}" for name in names)]
    assert [row[0] for row in table[1:]] == names
    assert "feed_1" in write_markdown(solution)
    assert "> warning: A is ill-conditioned" in write_markdown(solve([["1", "1"], ["1", "1.00000000000000001"]]))


# LaTeX


def well_formed(text: str) -> None:
    """Braces, brackets of displays, and environments are balanced; mathematics is where it may be."""
    plain = re.sub(r"(?m)^%.*$|\\[\\{}%$&_#]", "", text)
    depth = 0
    for character in plain:
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0
    open_: list[str] = []
    for begin, end, display in re.findall(r"\\begin\{(\w+)\}|\\end\{(\w+)\}|(\\\[|\\\])", text):
        if begin or display == "\\[":
            assert display or open_, "a matrix outside a display"
            open_.append(begin or "display")
        else:
            assert open_.pop() == (end or "display")
    assert not open_
    assert plain.count("$") % 2 == 0
    outside = re.sub(r"\\\[.*?\\\]|\$.*?\$|\\ensuremath\{(?:[^{}]|\{[^{}]*\})*\}", "", plain, flags=re.DOTALL)
    assert not re.findall(r"[\^]|\\frac|\\partial(?!\})", outside)


def jacobian(text: str) -> list[list[str]]:
    """The entries of the first matrix that is a derivative of y."""
    found = re.search(
        r"\\frac\{\\partial (?!\(?L).*?\}\{\\partial .*?\} = \\begin\{pmatrix\}(.*?)\\end", text, re.DOTALL
    )
    assert found is not None
    return [row.strip().split(" & ") for row in found[1].strip().split("\\\\\n")]


def number(entry: str) -> Fraction:
    entry = re.sub(r"\\frac\{(\d+)\}\{(\d+)\}", r"\1/\2", entry.removeprefix("{\\approx}\\,"))
    return Fraction(re.sub(r" \\times 10\^\{(-?\d+)\}", r"e\1", entry))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_latex_has_the_numbers_of_the_answer(case: Case) -> None:
    solution = answer_to(case)
    text = write_latex(solution, NumberOptions(40))
    well_formed(text)
    if solution.status == "determined":
        for shown, row in zip(jacobian(text), solution.dy_dx, strict=True):
            assert [number(entry) for entry in shown] == pytest.approx(row, rel=1e-30, abs=0)


def test_names_in_latex_are_letters_with_indices_or_text() -> None:
    names = ["y1", "flow12", "λ", "μ_2", "a_b", "100%", "größe", "x^2", "k"]
    text = write_latex(solve(np.eye(9).astype(int).tolist(), y=names))
    well_formed(text)
    for expected in (
        "y_{1}, ", r"\mathrm{flow}_{12}, ", r"\lambda, ", r"\mu_{2}, ", r"\text{a\_b}, ", r"\text{100\%}, ",
        r"\text{größe}, ", r"\text{x\textasciicircum{}2}, ", "k)^",
    ):  # fmt: skip
        assert expected in text


def test_latex_of_doubles_has_the_digits_that_are_sure() -> None:
    solution = doubles(12)
    text = write_latex(solution)
    well_formed(text)
    assert r"\setcounter{MaxMatrixCols}{12}" in text
    for shown, row in zip(jacobian(text), solution.dy_dx, strict=True):
        assert [float(number(entry)) for entry in shown] == pytest.approx([float(v) for v in row], abs=1e-4)


def test_latex_has_a_coefficient_with_an_error_in_parentheses() -> None:
    notation = latex.LatexNotation(NumberOptions(3))
    total = notation.sum(Ball(1.0, 0.2), [(Ball(-0.6, 0.1), "a"), (Fraction(-1), "b")])
    assert str(total) == r"1.00 \pm 0.21 - \left(0.60 \pm 0.11\right)\,a - b"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs a TeX engine")
def test_latex_compiles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in SAMPLES:
        assert run_in_process(["solve", str(path), "-f", "latex"]) == 0
    parts = [capsys.readouterr().out, *(write_latex(answer_to(case)) for case in CASES), write_latex(doubles(15))]
    names = ["a_b", "100%", "größe", "x^2", "<&>", "~", "\\", "{", "λ_1", '"']
    parts.append(write_latex(solve([["1"] * 10], [["1"] * 10, ["2"] * 10], y=names, x=["$x$"])))
    document = (
        "\\documentclass{article}\\usepackage{amsmath}\\begin{document}\n" + "\n".join(parts) + "\\end{document}\n"
    )
    (tmp_path / "all.tex").write_text(document)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert result.returncode == 0, result.stdout[-2000:]
    assert "Missing character" not in result.stdout


# what is read again


def read_again(text: str, path: Path) -> Any:
    path.write_text(text, encoding="utf-8")
    (system,) = read_systems(path)
    assert run_in_process(["check", str(path), "--quiet"]) == 0, text
    return system


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_system_and_its_answer_are_read_again(case: Case, tmp_path: Path) -> None:
    solution = answer_to(case)
    again = read_again(write_yaml(solution), tmp_path / "a.yaml")
    ours = solution.system
    assert (again.A, again.B, again.dL_dy) == (ours.A, ours.B, ours.dL_dy)
    assert (again.x, again.y, again.name, again.has_one_loss) == (ours.x, ours.y, ours.name, ours.has_one_loss)
    assert solve(again).dy_dx == solution.dy_dx


names = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=6).filter(str.strip)


@given(
    st.integers(1, 3).flatmap(
        lambda n: st.tuples(
            st.lists(
                st.lists(st.sampled_from(["0", "1", "-2", "3/7", "0.25", "-1e-3", "12.50"]), min_size=n, max_size=n),
                min_size=1,
                max_size=3,
            ),
            st.lists(names, min_size=n, max_size=n, unique=True),
        )
    ),
    st.data(),
)
@examples(30)
def test_any_names_and_numbers_are_read_again(tmp_path: Path, system: Any, data: st.DataObject) -> None:
    A, y = system
    x = data.draw(st.lists(names, min_size=len(A), max_size=len(A), unique=True))
    g = data.draw(st.none() | st.just(["1"] * len(y)))
    solution = solve(A, g, x=x, y=y)
    again = read_again(write_yaml(solution), tmp_path / "a.yaml")
    assert (again.A, again.x, again.y) == (solution.system.A, tuple(x), tuple(y))


hostile_names = st.text(
    st.one_of(
        st.sampled_from("\x01\t\n\r\x1b\x7f\x80\x85\x9f\xa0\xad\u200b\u2028\u2029\ufeff\ufffe\uffff\U0010ffff∂/"),
        st.sampled_from("- #:'\"\\[]{},&*!|>%@`?=~.aé1"),
        st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"),
    ),
    min_size=1,
    max_size=5,
).filter(str.strip)
extreme_numbers = st.one_of(
    st.sampled_from(["0", "1", "-2", "+3", ".5", "-.5", "5.", "2.50", "12.000", "1e-3", "1E+05", "-1.50e10"]),
    st.sampled_from(["9007199254740991", "9007199254740993", "18014398509481985", "9007199254740992.50"]),
    st.sampled_from(["3e399", "-7.25e-399", "1e308", "1.7976931348623157e308", "5e-324", "2.2250738585072011e-308"]),
    st.sampled_from(["1" + "0" * 900, "0." + "0" * 900 + "1", f"{10**400}/{10**400 + 1}", "1/7"]),
)


@st.composite
def extreme_systems(draw: st.DrawFn) -> dict[str, Any]:
    M, N, P = (draw(st.integers(1, 3)) for _ in range(3))

    def matrix(rows: int, columns: int) -> Any:
        return draw(
            st.lists(st.lists(extreme_numbers, min_size=columns, max_size=columns), min_size=rows, max_size=rows)
        )

    def labels(number: int) -> Any:
        return draw(st.lists(hostile_names, min_size=number, max_size=number, unique=True))

    found = {"name": draw(hostile_names), "A": matrix(M, N)}
    if M > 1 and draw(st.booleans()):
        found["A"][-1] = found["A"][0]
    if draw(st.booleans()):
        found["B"] = matrix(M, P)
    if draw(st.booleans()):
        found["dL_dy"] = matrix(1, N)[0]
    return found | {"x": labels(P if "B" in found else M), "y": labels(N)}


@given(extreme_systems(), st.sampled_from(["exact", "float", "auto"]))
@examples(75)
def test_what_is_written_as_yaml_is_read_as_the_same_system_with_the_same_answer(
    run: Run, system: Any, arithmetic: str
) -> None:
    files = {"a.json": json.dumps(system)}
    first = run("solve", "a.json", "-f", "json", "--arithmetic", arithmetic, files=files)
    if first.returncode == 2 and arithmetic == "float":  # beyond the range of doubles
        return
    assert (first.returncode, first.stderr) == (0, "")
    written = run("solve", "a.json", "-f", "yaml", "--arithmetic", arithmetic)
    assert written.returncode == 0
    again = run("solve", "a.yaml", "-f", "json", "--arithmetic", arithmetic, files={"a.yaml": written.stdout})
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout) == json.loads(first.stdout) | {"source": "a.yaml"}
    checked = run("check", "a.yaml")
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


@pytest.mark.parametrize("number", ["2.50", "0.10", "1.0e3", "+7", ".5", "3e399", "1e-399", "9007199254740993"])
@pytest.mark.parametrize("arithmetic", ["exact", "float"])
def test_numbers_are_written_digit_by_digit(run: Run, number: str, arithmetic: str) -> None:
    result = run("solve", "-A", number, "-f", "yaml", "--arithmetic", arithmetic)
    if "399" in number and arithmetic == "float":
        assert result.returncode == 2
        return
    assert f"A: [[{number}]]\n" in result.stdout
    assert run("check", "a.yaml", files={"a.yaml": result.stdout}).returncode == 0


def test_a_claim_of_more_digits_than_are_read_is_left_out(run: Run) -> None:
    result = run("solve", "-A", f"1/{10**800 + 7}", "-B", "1e399", "-g", "1e-399", "-f", "yaml")
    assert result.returncode == 0
    assert result.stdout.endswith("  # not claimed, with numbers too long to be read: dy_dx\n")
    checked = run("check", "a.yaml", files={"a.yaml": result.stdout})
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_derivative_may_be_claimed_by_names_with_any_sign(run: Run) -> None:
    for claim in ("∂a∂/∂/∂/∂b", "da∂/d/∂/∂b", "∂a∂/d/∂/∂b"):
        system = {"A": [[1, 2]], "x": ["/∂/∂b"], "y": ["a∂", "ad"], "expect": {"free_parameters": [claim]}}
        result = run("check", "a.json", files={"a.json": json.dumps(system)})
        assert (result.returncode, result.stderr) == (0, ""), claim


@pytest.mark.parametrize("n", [1, 5, 20])
@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e150])
def test_doubles_are_read_again_as_they_are(tmp_path: Path, n: int, scale: float) -> None:
    rng = np.random.default_rng(n)
    solution = solve(rng.normal(size=(n, n)) * scale, rng.normal(size=n))
    system = read_again(write_yaml(solution), tmp_path / "a.yaml")
    assert np.array_equal(np.array(system.A, dtype=float), np.array(solution.system.A, dtype=float))


def test_what_is_not_certified_is_not_claimed() -> None:
    solution = solve(np.array([[1.0, 2.0], [2.0, 4.0]]), [1.0, 0.0])
    assert None in solution.error_bounds
    text = write_yaml(solution)
    assert "# the answer is not certified, and is not claimed" in text
    assert "expect" not in text


@pytest.mark.parametrize("path", [*filter(is_program, SAMPLES)], ids=lambda path: path.name)
def test_each_program_on_each_page(run: Run, tmp_path: Path, path: Path) -> None:
    answers = [json.loads(line) for line in run("solve", str(path), "-f", "json").stdout.splitlines()]
    for name in ("a.md", "a.tex"):
        written = run("solve", str(path), "-o", name)
        assert (written.returncode, written.stdout, written.stderr) == (0, "", "")
        text = (tmp_path / name).read_text("utf-8")
        assert all(answer["status"] in text for answer in answers)
    well_formed((tmp_path / "a.tex").read_text("utf-8"))
    found = tables((tmp_path / "a.md").read_text("utf-8"))
    optimal = [answer for answer in answers if answer["objective"] is not None]
    assert len(found) == sum(1 + (answer["z"] is not None) for answer in optimal)


@pytest.mark.parametrize(
    "path", spread([path for path in SAMPLES if not is_program(path)], 4), ids=lambda path: path.name
)
def test_each_sample_in_each_format(run: Run, tmp_path: Path, path: Path) -> None:
    answers = [json.loads(line) for line in run("solve", str(path), "-f", "json").stdout.splitlines()]
    for form, name in (("markdown", "a.md"), ("latex", "a.tex"), ("yaml", "a.yaml")):
        written = run("solve", str(path), "-o", name)
        assert (written.returncode, written.stdout, written.stderr) == (0, "", "")
        text = (tmp_path / name).read_text("utf-8")
        assert answers[0]["status"] in text or "not certified" in text
        if path in spread(SAMPLES, 6):
            assert run("solve", str(path), "-f", form).stdout == text
    well_formed((tmp_path / "a.tex").read_text("utf-8"))
    assert len(tables((tmp_path / "a.md").read_text("utf-8"))) == sum(
        1 + (answer["general"] is not None and bool(answer["general"]["free"])) for answer in answers
    )
    again = [json.loads(line) for line in run("solve", "a.yaml", "-f", "json").stdout.splitlines()]
    for one, other in zip(answers, again, strict=True):
        for record in (one, other):
            del record["source"], record["warnings"]
        assert one == other
    assert run("check", "a.yaml").returncode == 0


def test_latex_shows_nonlinear_equations_and_what_follows_from_them_for_small_changes(run: Run) -> None:
    circle = run("solve", "-e", "x^2+y^2=25", "--unknowns", "y", "--at", "x=3,y=4", "-f", "latex").stdout
    assert "x^{2} + y^{2} = 25 \\quad \\text{at } x = 3, y = 4" in circle
    assert "A = \\frac{\\partial F}{\\partial y} = " in circle
    assert "B = -\\frac{\\partial F}{\\partial x} = " in circle
    assert "A\\,y" not in circle
    curve = run("solve", "-e", "s = y^2", "-e", "t = y^3", "--unknowns", "y", "-f", "latex").stdout
    assert "\\mathrm{d}t = \\frac{3 y}{2}\\,\\mathrm{d}s" in curve
    near = run("solve", "-e", "y^2=x", "--unknowns", "y", "--at", "x=2,y=1", "--solve-for", "y", "-f", "latex").stdout
    assert "\\text{at } x = 2, y \\approx 1.41421" in near
    for text in (circle, curve, near):
        well_formed(text)


def test_an_answer_too_long_for_a_page_is_refused_before_it_is_laid_out(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lay_out(*_: object) -> NoReturn:
        raise AssertionError("something was laid out")

    np.save(tmp_path / "square.npy", np.eye(320))
    np.save(tmp_path / "wide.npy", np.random.default_rng(1).normal(size=(40, 140)))
    for file, terms in (("square.npy", "102,400"), ("wide.npy", "165,600")):
        with monkeypatch.context() as patched:
            patched.setattr(Notation, "rows", lay_out)
            patched.setattr(latex, "displayed", lay_out)
            results = [run("solve", file, option) for option in ("--full", "-flatex", "-fmarkdown")]
        for result in results:
            assert (result.returncode, result.stdout) == (2, "")
            assert result.stderr == (
                f"implicitgrad: {file}: expected an answer of at most 100,000 terms on a page, got {terms}. "
                "--show picks some; --format json writes all of it, and so does --output with a name ending in .npz\n"
            )
        assert run("solve", file).returncode == run("solve", file, "-fjson").returncode == 0


def test_latex_has_the_minimum_norm_gradient() -> None:
    latex = write_latex(solve([["3", "5"]], ["7", "11"]))
    assert latex.partition("minimum-norm")[2].count(r"\frac{38}{17}") == 1


def test_markdown_escapes_a_name_in_a_condition_once(run: Run) -> None:
    system = "A: [[a, b]]\ny: [u, '*v']\n"
    result = run("solve", "s.yaml", "-f", "markdown", files={"s.yaml": system})
    assert (result.returncode, result.stderr) == (0, "")
    assert r"- where b = 0: rank 1, free is \*v" in result.stdout.split("\n")

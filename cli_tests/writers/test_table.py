"""The table, compared whole, and what terminals, pipes and encodings do to it."""

import re
from pathlib import Path

import pytest
from cases import CASES, Case
from command import on_a_terminal
from conftest import Run, examples, spread
from hypothesis import given
from hypothesis import strategies as st
from written import write_table

from implicitgrad import solve
from implicitgrad.terminal.streams import Screen

ESCAPE = "\x1b"


def table(*arguments: object, width: int | None = None, encoding: str = "utf-8", **options: object) -> str:
    return write_table(solve(*arguments, **options), Screen(width, False, encoding))  # type: ignore[arg-type]


def test_underdetermined_with_the_reason_beside_the_doubt() -> None:
    assert (
        table([[3, 5]], [7, 11])
        == """\
x = A·y   1 equation, 2 unknowns
underdetermined: rank 1 of 2, 1 unknown is free, condition 1, exact

  y1 and y2 are not determined; 3·y1 + 5·y2 is

  ∂y/∂x   x1
 ───────────────────────────
  y1      free
  y2      1/5 − 3/5·∂y1/∂x1

  ∂L/∂x   11/5 + 2/5·∂y1/∂x1   not unique: ∂L/∂y is not in the row space of A; it would need ∂L/∂y ∝ (3, 5)

  one choice of many, the minimum-norm one

  ∂y/∂x      x1
 ──────────────
  y1       3/34
  y2       5/34

  ∂L/∂x   38/17
"""
    )


def test_a_reason_that_does_not_fit_beside_stands_below() -> None:
    assert """\
  ∂L/∂x   11/5 + 2/5·∂y1/∂x1

  ∂L/∂x is not unique: ∂L/∂y is not in the row space of A; it would need ∂L/∂y ∝
  (3, 5)
""" in table([[3, 5]], [7, 11], width=80)


def test_unique_gradient_of_a_jacobian_that_is_not() -> None:
    assert "\n  ∂L/∂x   2                   unique: ∂L/∂y is in the row space of A\n" in table([[3, 5]], [6, 10])


def test_what_a_unique_gradient_would_need_is_said_for_any_rank() -> None:
    assert "would need ∂L/∂y1 − 1/2·∂L/∂y2 + 1/2·∂L/∂y3 = 0\n" in table([[1, 2, 0], [0, 1, 1]], [1, 1, 1])
    assert "would need ∂L/∂y ∝ (3, 5)\n" in table([[0, 0], [3, 5]], [1, 1], B=[[0], [1]])
    assert "that would need ∂L/∂y = 0" in table([[0, 0]], [1, 1], B=[[0]])
    assert "and 2 more conditions of this kind" in table([[1, *[0] * 6], [0, 1, *[0] * 5]], [1] * 7)
    rounded = table([["1.2345", "6.54321", 1], [1, 1, "7.77777"]], [1, 1, 1])
    assert re.search(r"would need ∂L/∂y1 − ≈0\.\d+·∂L/∂y2 − ≈0\.\d+·∂L/∂y3 = 0\n", rounded)


def test_overdetermined_with_the_constraint_as_an_equation() -> None:
    assert (
        table([[1, 0], [0, 1], [1, 1], [0, 0]], [6, 10], y=["p", "q"])
        == """\
x = A·y   4 equations, 2 unknowns
overdetermined: rank 2 of 2, 2 constraints on x, condition ≈2.31, exact

  x is constrained:
    x3 = x1 + x2
    x4 = 0

  derivatives along the constraint: x3 follows; x4 stays fixed

  equation 4 has no unknown
  the equations depend on each other in the unknowns:
    equation 3 = equation 1 + equation 2

  ∂y/∂x   x1   x2
 ────────────────
  p        1    0
  q        0    1

  ∂L/∂x    6   10
"""
    )


def test_rank_deficient_with_an_input_that_is_not_constrained() -> None:
    text = table([[1, 0, 0], [0, 2, 2], [0, 1, 1]])
    assert "    x3 = 1/2·x2\n" in text
    assert "\n  x1 is not constrained: its column holds without the others' following\n" in text


def test_nothing_can_vary() -> None:
    assert (
        table([[0]], [1])
        == """\
x = A·y   1 equation, 1 unknown
rank-deficient: rank 0 of 1, 1 constraint on x, exact

  x is constrained:
    x1 = 0

  no input can vary: there are no derivatives

  equation 1 has no unknown

  y1 is not determined
"""
    )


def test_B_names_and_several_losses_are_shown() -> None:
    assert (
        table([[2, 1], [1, 3]], [[1, 0], [0, 1]], B=[[1], [2]], x=["in"], name="pair")
        == """\
<python>: pair   B·x = A·y   2 equations, 2 unknowns, 1 input
determined: rank 2 of 2, condition 3, exact

  ∂y/∂x     in
 ─────────────
  y1       1/5
  y2       3/5

  ∂L1/∂x   1/5
  ∂L2/∂x   3/5
""".replace("<python>: pair   ", "")
    )


def test_an_ill_conditioned_matrix_is_warned_of() -> None:
    def warning(A: object) -> str:
        return table(A).partition("\nwarning: A is ill-conditioned: a change as small as ")[2]

    to_doubles = "the rounding of its entries to doubles could lower its rank\n"
    assert warning([["1", "1"], ["1", "1.00000000000000001"]]) == to_doubles
    assert warning([[f"1/{i + j + 1}" for j in range(13)] for i in range(13)]) == to_doubles
    assert warning([[0.1, 0.3], [0.3, 0.9]]) == to_doubles  # as floats, which are not what was meant
    assert warning([[10**17, 10**17 + 1], [10**17 - 1, 10**17]]) == to_doubles
    assert warning([["1e-390", 0], [0, "1e-390"]]) == to_doubles
    for harmless in (
        [["1.0", "1.1"], ["1.1", "1.3"]], [["1", "1"], ["1", "1001/1000"]], [["1", "1"], ["1", "1.000000000001"]],
        [["0.1", "0.3"], ["0.3", "0.9"]], [["0.1", "0.2", "0.3"]], [["0.1", "0"], ["0", "1e-20"]],
        [["0.1", "0"], ["0", "0.1"]], [["1e20", 0], [0, 1]], [[1.5, 0], [0, 1e9]],
    ):  # fmt: skip
        assert warning(harmless) == ""


def test_columns_that_do_not_fit_are_laid_out_in_groups() -> None:
    n = 12
    A = [[1 + (i == j) * (j + 2) for j in range(n)] for i in range(n)]
    wide, narrow = table(A, [1] * n), table(A, [1] * n, width=80)
    assert max(map(len, narrow.splitlines())) <= 80 < max(map(len, wide.splitlines()))
    assert narrow.count("∂y/∂x") > 1
    assert sorted(numbers(narrow)) == sorted(numbers(wide))
    assert [f"x{k + 1}" in narrow.split() for k in range(n)] == [True] * n


def test_a_table_that_just_fits_stays_in_one_group() -> None:
    A = [[3, 1, 0], [1, 3, 1], [0, 1, 3]]
    lines = table(A).splitlines()[3:]
    width = max(map(len, lines))
    assert table(A, width=width).splitlines()[-len(lines) :] == lines
    assert table(A, width=width - 1).count("∂y/∂x") == 2


@pytest.mark.parametrize("width", [20, 5, 1, 0])
def test_a_number_is_never_cut_however_narrow(width: int) -> None:
    A = [["1", "2.3", "3.777", "4"], ["1/3", "2", "3", "7.1"]]
    text = table(A, [6, 10, 1, 2], width=width)
    assert "…" not in text
    for number in numbers(table(A, [6, 10, 1, 2])):
        assert number in text


def test_the_narrowest_layout_is_one_entry_a_line() -> None:
    text = table([["7.77", "3.3"]], [1, 2], width=12)
    assert "\n  ∂y/∂x\n ───────────\n  y1\n    x1\n      free\n  y2\n    x1\n" in text
    assert "\n    x1\n      10/33\n        − 259/110\n        ·∂y1\n        /∂x1\n" in text
    assert text.endswith("\n  ∂L/∂x\n    x1\n      ≈0.201648\n")


def numbers(text: str) -> list[str]:
    return re.findall(
        r"(?<![\w/∂])-?\d+(?:[./]\d+)?(?:e[+-]\d+)?(?![\w/])", text.replace("≈", " ").partition("exact\n")[2]
    )


@examples(30)
@given(st.sampled_from(CASES), st.integers(0, 120))
def test_every_case_fits_any_width_without_losing_a_number(case: Case, width: int) -> None:
    solution = solve(case.A, case.dL_dy, B=case.B)
    unbounded = write_table(solution, Screen())
    text = write_table(solution, Screen(width))
    assert set(numbers(unbounded)) <= set(numbers(text))
    if width >= 60:
        assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_not_determined_is_never_a_number(case: Case) -> None:
    solution = solve(case.A, case.dL_dy, B=case.B)
    text = write_table(solution, Screen()).partition("one choice of many")[0]
    lines = text[text.find("─") :].splitlines()
    for i, name in enumerate(solution.system.y):
        if any(solution.general.null_space[i]) and solution.independent:
            row = next(line.split() for line in lines if line.startswith(f"  {name} "))
            assert "free" in row or any("∂" in word for word in row)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("encoding", spread(["ascii", "cp437", "latin-1", "cp1252"], 2))
def test_every_table_can_be_encoded(case: Case, encoding: str) -> None:
    solution = solve(case.A, case.dL_dy, B=case.B, y=[f"größe{j}" for j in range(len(case.A[0]))])
    write_table(solution, Screen(80, True, encoding)).encode(encoding)


def test_an_ascii_terminal_gets_d_for_partial(run: Run) -> None:
    result = run("solve", "-A", "3 5", "-g", "7 11", "--y", "größe,b", PYTHONIOENCODING="ascii", COLUMNS="200")
    assert result.returncode == 0
    assert "dL/dy proportional to (3, 5)" in result.stdout
    assert "gr\\xf6\\xdfe   free" in result.stdout
    assert "- 3/5*dgr\\xf6\\xdfe/dx1" in result.stdout


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("[red]", "[red]"), ("[/]", "[/]"), (":smile:", ":smile:"), ("\x1b]0;x\x07", "\\x1b]0;x\\x07"),
        ("\x1b[2J", "\\x1b[2J"), ("\u202eabc", "\\u202eabc"), ("a\tb\nc", "a\\tb\\nc"), ("\u200b", "\\u200b"),
        ("größe", "größe"), ("流量", "流量"), ("{}", "{}"), ("%s", "%s"), ("=HYPERLINK(1)", "=HYPERLINK(1)"),
    ],
)  # fmt: skip
def test_names_are_shown_literally_and_harmlessly(name: str, shown: str) -> None:
    for width in (None, 80, 10):
        text = table([[2, 1]], [1, 1], y=[name, "other"], x=["[x]"], width=width)
        assert shown in text
        assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e\u200b]", text)


def test_names_that_look_the_same_are_not_taken_for_one_another() -> None:
    text = table([[1, 2, 0], [0, 0, 4]], y=["a\u200b", "q", "a\\u200b"])
    assert re.search(r"\n  a\\u200b   0 +1/4\n", text)
    assert text.count("free") == 3  # one row of them, and the count of parameters


def test_names_do_not_take_part_in_the_layout() -> None:
    text = table([[2, 1], [1, 3]], y=["{}", "v{}"], x=["p", "{}"], width=12)
    assert "\n  {}\n    p\n      3/5\n" in text
    assert "    q = ≈p\n" in table([[1], [1]], x=["≈p", "q"])
    assert "    q = -≈p\n" in table([[1], [-1]], x=["≈p", "q"])


def test_names_stay_distinct_where_the_encoding_is_poor() -> None:
    text = table([[1, 2]], y=["a·b", "a*b"], encoding="latin-1")
    assert "a\\xb7b" in text
    assert "a*b" in text


def test_a_name_of_any_length_cuts_no_number() -> None:
    text = table([[3, 1], [1, 3]], y=["q" * 3000, "r"], x=["a", "b" * 2000])
    assert text.count("3/8") == 2
    assert text.count("-1/8") == 2
    assert "…" not in text


@pytest.mark.parametrize("name", ["<b>.yaml", "a\\b.yaml", "a#2.yaml"])
def test_the_title_is_the_files_name(run: Run, name: str) -> None:
    assert run("solve", name, files={name: "A: [[1]]"}).stdout.startswith(f"{name}   x = A·y")


def test_a_terminal_gets_colour_and_its_own_width() -> None:
    text = on_a_terminal(80, "solve", "-A", "3 5", "-g", "7 11")
    assert ESCAPE in text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "\n".join(line.rstrip() for line in plain.splitlines()) + "\n" == table([[3, 5]], [7, 11], width=80)


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}])
def test_no_escape_reaches_a_terminal_that_wants_none(environment: dict[str, str]) -> None:
    assert on_a_terminal(80, "solve", "-A", "3 5", "-g", "7 11", **environment) == table([[3, 5]], [7, 11], width=80)


def test_a_pipe_gets_no_colour_unless_forced_and_is_as_wide_as_it_needs(run: Run) -> None:
    arguments = ("solve", "-A", "; ".join(" ".join(str((i * 7 + j * j) % 11) for j in range(12)) for i in range(12)))
    piped = run(*arguments).stdout
    assert ESCAPE not in piped
    assert max(map(len, piped.splitlines())) > 80
    assert ESCAPE in run(*arguments, FORCE_COLOR="1").stdout
    assert ESCAPE not in run(*arguments, FORCE_COLOR="1", NO_COLOR="1").stdout
    assert max(map(len, run(*arguments, COLUMNS="60").stdout.splitlines())) <= 60


def test_no_columns_at_all_are_a_narrow_screen(run: Run) -> None:
    for arguments in (("-A", "3 5", "-g", "7 11"), ("-A", "a b", "--steps")):
        assert run("solve", *arguments, COLUMNS="0").stdout == run("solve", *arguments, COLUMNS="1").stdout != ""


def test_a_long_sum_is_broken_in_a_file_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wide.yaml").write_text(f"A: [{[k % 7 + 1 for k in range(300)]}]\n")
    assert run("solve", "wide.yaml", "--format", "table", "-o", "wide.txt").returncode == 0
    lines = (tmp_path / "wide.txt").read_text("utf-8").splitlines()
    assert max(map(len, lines)) < 130
    assert "".join(lines).count("∂x1") >= 299

"""The summary of a large answer: its numbers, its picture, and how both fit a screen."""

import re
from fractions import Fraction

import numpy as np
import pytest
from conftest import spread
from rich.cells import cell_len
from written import write_summary, write_table

from implicitgrad import Solution, solve
from implicitgrad.model.solution import General
from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.numbers.display.form import DEFAULT, NumberForm, NumberOptions
from implicitgrad.terminal.streams import Screen
from implicitgrad.writers.options import WriteOptions
from implicitgrad.writers.screen.heat_map import find_scale
from implicitgrad.writers.screen.page import lay_out
from implicitgrad.writers.screen.scaled_matrix import ScaledMatrix, show_bounded

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
HINT = "  --full prints all entries, --show NAMES some; --format json or -o has all\n"


def summary(*arguments: object, width: int | None = 80, encoding: str = "utf-8", **options: object) -> str:
    return write_summary(solve(*arguments, **options), Screen(width, False, encoding))  # type: ignore[arg-type]


def below_header(text: str) -> str:
    """What follows the lines that the table has too."""
    return text[text.index("\n\n") + 1 :]


def picture(text: str) -> list[str]:
    """The lines of the picture, without colour."""
    return [line for line in ESCAPE.sub("", text).split("\n") if re.search(r"[│|].*[│|]", line)]


def bidiagonal(n: int) -> np.ndarray:
    return 2 * np.eye(n) - np.eye(n, k=-1)


def with_jacobian(array: np.ndarray, error: object = 0.0) -> Solution:
    """A determined answer whose ∂y/∂x is ``array``."""
    solution = solve(np.eye(len(array)), B=np.ones(array.shape))
    J = BallMatrix(array, error)  # type: ignore[arg-type]
    general = solution.general
    return solution._replace(dy_dx=J, general=General(general.free, J, general.null_space, J, None, None))


def test_large_is_beyond_forty_unknowns_or_inputs() -> None:
    for A, B, is_large in (
        (np.eye(40), None, False),
        (np.eye(41), None, True),
        (np.eye(2), np.ones((2, 41)), True),
        (np.ones((41, 1)), None, False),  # one input varies, 40 follow
    ):
        assert (HINT in lay_out(solve(A, B=B), Screen(), WriteOptions(is_full=False))) == is_large


def test_determined_whole() -> None:
    A = np.diag([0.5] * 21 + [-0.25] * 21)
    assert (
        below_header(summary(A, np.arange(42.0)))
        == """
  ∂y/∂x            42 × 42     ∂L/∂x              42
 ─────────────────────────    ──────────────────────
  Frobenius norm      20.5     Euclidean norm    589
  ∂y22/∂x22          -4.00     ∂L/∂x42          -164
  ∂y23/∂x23          -4.00     ∂L/∂x41          -160
  ∂y24/∂x24          -4.00     ∂L/∂x40          -156
  ∂y25/∂x25          -4.00     ∂L/∂x39          -152
  ∂y26/∂x26          -4.00     ∂L/∂x38          -148

  ∂y/∂x, each cell the largest of 4 × 2 entries, on a linear scale

       x1                x42
   y1 │++                   │
      │  ++                 │
      │    ++               │
      │      ++             │
      │        ++           │
      │          &&         │
      │            &&       │
      │              &&     │
      │                &&   │
      │                  && │
  y42 │                    &│

  at least  0.6  1.2  1.8  2.4    3  3.6
  positive    .    :    +    *    #    @
  negative    ,    ;    -    =    %    &

  --full prints all entries, --show NAMES some; --format json or -o has all
"""
    )


def test_the_header_is_that_of_the_table_and_the_warnings_are_last() -> None:
    solution = solve(np.array([[1 / (i + j + 1) for j in range(20)] for i in range(20)]))
    text, table = (write(solution, Screen(80)) for write in (write_summary, write_table))
    header = len(text.split("\n\n")[0])
    assert text[:header] == table[:header]
    warning = text.partition(HINT)[2]
    assert warning.startswith("\nwarning: ")
    assert table.endswith(warning)


def test_underdetermined_shows_the_minimum_norm_choice_and_says_so() -> None:
    text = summary(np.hstack([np.eye(41), np.eye(41)]), np.arange(82.0))
    assert below_header(text).startswith("""
  41 free unknowns: y1, y2, y3, y4, y5, …
  0 of 3362 entries of ∂y/∂x are determined
  ∂L/∂x is not unique: ∂L/∂y is not in the row space of A

  ∂y/∂x and ∂L/∂x are one choice of many, the minimum-norm one

  ∂y/∂x            82 × 41     ∂L/∂x              41
 ─────────────────────────    ──────────────────────
  Frobenius norm      4.53     Euclidean norm    270
  ∂y1/∂x1            0.500     ∂L/∂x41          60.5
""")
    assert "?" not in text
    assert "∂L/∂x is unique: ∂L/∂y is in the row space of A" in summary(np.ones((1, 50)), np.ones(50))


def test_what_is_not_determined_among_what_is_has_a_question_mark() -> None:
    A = np.zeros((45, 50))
    A[:, :45] = np.eye(45)
    A[44, 45:] = 1
    text = summary(A, [np.ones(50), np.arange(50.0)])
    assert below_header(text).startswith("""
  5 free unknowns: y45, y46, y47, y48, y49
  1980 of 2250 entries of ∂y/∂x are determined
  ∂L/∂x is unique for 1 of 2 losses: it is where ∂L/∂y is in the row space of A

  what is marked ? is one choice of many, the minimum-norm one

  ∂y/∂x            50 × 45     ∂L/∂x            2 × 45
 ─────────────────────────    ────────────────────────
  Frobenius norm    6.65       Frobenius norm    172
  ∂y1/∂x1           1.00       ∂L2/∂x45         46.5 ?
""")
    assert [line.endswith("│ ?") for line in picture(text)] == [False] * 11 + [True] * 2


def test_constrained_says_which_inputs_follow() -> None:
    text = summary(np.vstack([np.eye(44), np.eye(44)[:2]]), np.ones(44))
    assert "  x is constrained, with 2 dependent inputs: x45, x46\n" in text
    assert "  1848 of 2024 entries of ∂y/∂x are determined; along the constraint 1936 of\n  1936\n" in text
    assert "∂y/∂x            44 × 44 " in text


def test_nothing_can_vary() -> None:
    assert (
        below_header(summary(np.zeros((2, 41))))
        == """
  41 free unknowns: y1, y2, y3, y4, y5, …
  x is constrained, with 2 dependent inputs: x1, x2
  no input can vary: there are no derivatives
"""
    )


def test_all_zero_has_no_picture() -> None:
    text = summary(np.eye(41), np.ones(41), B=np.zeros((41, 2)))
    assert (
        below_header(text)
        == """
  ∂y/∂x            41 × 2     ∂L/∂x            2
 ────────────────────────    ───────────────────
  Frobenius norm        0     Euclidean norm   0

  every entry of ∂y/∂x is 0

"""
        + HINT
    )
    assert "no entry of ∂y/∂x can be distinguished from 0" in write_summary(
        with_jacobian(np.full((41, 2), 1e-9), 1e-8), Screen(80)
    )


def test_exact_numbers_are_decimals_as_the_norm_is_unless_fractions_are_asked_for() -> None:
    n = 41
    A = [[2 * (i == j) - (i == j + 1) for j in range(n)] for i in range(n)]
    solution = solve(A, [1] * n, arithmetic="exact")
    lines = write_summary(solution, Screen(80)).split("\n")
    assert lines[5].split() == ["Frobenius", "norm", "≈3.68", "Euclidean", "norm", "≈6.27"]
    assert lines[6].split() == ["∂y1/∂x1", "0.5", "∂L/∂x1", "≈1.00"]
    fractions = write_summary(solution, Screen(80), NumberOptions(form=NumberForm.FRACTION)).split("\n")
    assert fractions[6].split() == ["∂y1/∂x1", "1/2", "∂L/∂x1", "2199023255551/2199023255552"]
    same = write_summary(solve(bidiagonal(n), np.ones(n)), Screen(80))
    assert picture("\n".join(lines)) == picture(same)


@pytest.mark.parametrize("size", [1e-300, 1e-170, 1e-5, 1.0, 1e8, 1e170, 1e300])
def test_numbers_of_any_size_look_the_same(size: float) -> None:
    text = write_summary(with_jacobian(np.linalg.inv(bidiagonal(60)) * size), Screen(80))
    assert picture(text) == picture(write_summary(with_jacobian(np.linalg.inv(bidiagonal(60))), Screen(80)))
    found = re.search(r"Frobenius norm +(\S+)", text)
    assert found is not None
    assert float(found[1]) == pytest.approx(size * np.linalg.norm(np.linalg.inv(bidiagonal(60))), rel=1e-2)


def test_exact_numbers_beyond_the_range_of_doubles() -> None:
    text = summary(
        [[f"1e{(-1) ** i * 350}" if i == j else 0 for j in range(41)] for i in range(41)], arithmetic="exact"
    )
    assert "Frobenius norm   ≈4.47e+350" in text
    assert "1e+350" in text


def test_a_norm_beyond_the_largest_double_is_a_number_still() -> None:
    assert "Frobenius norm   6.40e+308" in write_summary(with_jacobian(np.full((41, 41), 1.56e307)), Screen(80))


def test_what_is_no_number_is_shown_distinctly() -> None:
    array = np.linalg.inv(bidiagonal(42))
    array[:8] = np.nan
    text = write_summary(with_jacobian(array), Screen(80))
    assert ["?" in line for line in picture(text)] == [True] * 2 + [False] * 9
    assert picture(text)[0] == "   y1 │" + "?" * 21 + "│"
    assert "\n  unknown   ?\n" in text
    assert "Frobenius norm   unknown" in text
    assert "48;5;244" in write_summary(with_jacobian(array), Screen(80, True))
    assert "│" not in write_summary(with_jacobian(np.full((41, 41), np.nan)), Screen(80))


def test_numbers_that_their_bound_cannot_tell_from_zero_leave_no_trace_in_the_picture() -> None:
    array = np.eye(42) + 1e-12
    text = write_summary(with_jacobian(array, 1e-11), Screen(80))
    assert picture(text) == picture(write_summary(with_jacobian(np.eye(42)), Screen(80)))


@pytest.mark.parametrize(
    ("value", "bound", "shown"),
    [
        ("12.345", 0, "12.3"), ("12.345", "0.04", "12.3"), ("12.345", "0.06", "12"), ("12.345", "0.6", "1e+1"),
        ("12.345", 6, "0 ± 2e+1"), ("-0.5", "1e-20", "-0.500"), ("1234.5", 0, "1.23e+3"), ("1234.5", 20, "1.2e+3"),
        ("0", 0, "0"), ("0", "1e-9", "0 ± 1e-9"), ("1e-300", 0, "1.00e-300"), ("9.996", "0.001", "10.0"),
        ("9.996", None, "≈10.0"), ("0.00012", 0, "0.000120"),
    ],
)  # fmt: skip
def test_no_digit_is_shown_that_the_bound_does_not_support(value: str, bound: object, shown: str) -> None:
    limit = None if bound is None else Fraction(bound)  # type: ignore[arg-type]
    assert show_bounded(Fraction(value), limit, 3) == shown


def test_an_unbounded_error_leaves_no_digit() -> None:
    assert show_bounded(Fraction(1), float("inf"), 3) == "unknown"
    assert show_bounded(Fraction(1), float("nan"), 3) == "unknown"


def test_every_shown_number_is_within_its_bound_of_the_truth() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        truth, bound = float(rng.normal() * 10.0 ** rng.integers(-8, 8)), float(10.0 ** rng.integers(-12, 6))
        text = show_bounded(Fraction(truth) + Fraction(bound) * int(rng.integers(-1, 2)), bound, 3)
        if "±" in text:
            assert abs(truth) <= float(text.removeprefix("0 ± "))
        else:
            mantissa, _, exponent = text.partition("e")
            unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
            assert abs(float(text) - truth) <= unit * (1 + 1e-9)


def test_the_largest_are_in_order_and_the_first_among_equals() -> None:
    rng = np.random.default_rng(2)
    for array in (rng.normal(size=(30, 20)), rng.integers(-3, 4, size=(30, 20)).astype(float), np.eye(3)):
        expected = sorted(np.ndindex(array.shape), key=lambda at: (-abs(array[at]), at))[:5]
        expected = [at for at in expected if array[at]]
        assert ScaledMatrix(BallMatrix(array), array.shape[1], DEFAULT).largest(5) == expected


SHAPES = [(41, 41), (45, 3), (500, 1), (3, 45), (1, 500), (130, 70), (70, 130), (400, 400), (1, 1), (2, 1000)]


@pytest.mark.parametrize("shape", spread(SHAPES, 2), ids=str)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("has_color", [False, True])
def test_the_picture_fits_any_screen(shape: tuple[int, int], encoding: str, has_color: bool) -> None:
    solution = with_jacobian(np.random.default_rng(0).normal(size=shape))
    for width in spread((80, None, 200, 20, 40), 3):
        text = write_summary(solution, Screen(width, has_color, encoding))
        text.encode(encoding)
        plain = ESCAPE.sub("", text)
        assert (ESCAPE.search(text) is not None) == has_color
        lines = picture(text)
        assert 1 <= len(lines) <= 18
        assert len({len(line.rstrip("? ")) for line in lines}) == 1
        assert all(cell_len(line) <= (width or 80) for line in lines)
        if width != 20:  # where a sentence is wider
            assert all(cell_len(line) <= (width or 80) for line in below_header(plain).split("\n"))
        assert lines[0].lstrip().startswith("y1 ")
        assert shape[0] == 1 or lines[-1].lstrip().startswith(f"y{shape[0]} ")
        assert re.search(rf"\n +x1(\n| +(…|\.\.)? *x{shape[1]}\n)", plain)


@pytest.mark.parametrize("width", [19, 10, 5, 1, 0])
def test_no_screen_is_too_narrow_to_say_something(width: int) -> None:
    for has_color in (False, True):
        text = write_summary(with_jacobian(np.eye(50)), Screen(width, has_color))
        assert "1.00" in text


def test_square_matrices_look_square() -> None:
    for has_color in (False, True):
        lines = picture(write_summary(with_jacobian(np.eye(100)), Screen(80, has_color)))
        assert len(lines) == 17
        assert len(lines[0].partition("│")[2]) - 1 == 34


def test_ascii_has_no_symbols() -> None:
    text = summary(np.eye(42), np.ones(42), encoding="ascii")
    assert text.isascii()
    assert "\n  dy/dx            42 x 42     dL/dx              42\n" in text
    assert picture(text)[0] == "   y1 |@@                   |"


def test_colours_diverge_from_black_and_half_blocks_hold_two_rows() -> None:
    array = np.zeros((50, 50))
    array[:2, :2], array[2:4, :2], array[4:6, 2:4] = 1, -1, 0.5
    lines = [line for line in write_summary(with_jacobian(array), Screen(80, True)).split("\n") if "▀" in line]
    assert lines[0].startswith("   y1 │\x1b[38;5;222;48;5;159m▀\x1b[0m\x1b[38;5;16;48;5;16m▀")
    assert lines[1].startswith("      │\x1b[38;5;16;48;5;16m▀\x1b[0m\x1b[38;5;124;48;5;16m▀\x1b[0m")
    assert len(lines) == 13
    assert "48;5" not in lines[-1]  # an odd number of rows ends in the upper half


def test_colours_without_half_blocks() -> None:
    text = write_summary(with_jacobian(np.eye(50)), Screen(80, True, "ascii"))
    assert "   y1 |\x1b[48;5;222m  \x1b[0m\x1b[48;5;16m  " in text


def test_the_scale_is_logarithmic_where_a_linear_one_would_show_little() -> None:
    text = write_summary(with_jacobian(np.linalg.inv(bidiagonal(60))), Screen(80))
    assert "on a logarithmic scale" in text
    assert "\n  at least  1e-11   1e-9   1e-7   1e-5  0.001    0.1\n" in text
    graded = write_summary(with_jacobian(np.diag(10.0 ** -np.linspace(0, 2, 60))), Screen(80))
    assert "on a logarithmic scale" in graded
    assert "\n  at least  0.003   0.01   0.03    0.1    0.3      1\n" in graded
    even = write_summary(with_jacobian(np.diag(np.linspace(1, 2, 60))), Screen(80))
    assert "on a linear scale" in even
    assert "\n  at least  0.3  0.6  0.9  1.2  1.5  1.8\n" in even


@pytest.mark.parametrize("largest", [0.6, 6e-5, 6.0, np.nextafter(6, 0), 5.9999, 6e23, 6e-300, 1.0])
def test_no_threshold_of_a_scale_is_beyond_the_largest(largest: float) -> None:
    scale = find_scale(np.array([[largest, -largest]]), Fraction(1))
    assert scale.is_linear
    assert largest * 0.7 < scale.thresholds[-1] <= Fraction(largest)


def test_each_cell_is_the_largest_of_its_tile_with_its_sign() -> None:
    array = np.zeros((72, 72))
    array[3, 0], array[0, 1], array[5, 70], array[4, 71] = -6, 5.9, 6, -5.9
    lines = picture(write_summary(with_jacobian(array), Screen(80)))
    assert lines[0].partition("│")[2] == "&" + " " * 35 + "│"
    assert lines[1].partition("│")[2] == " " * 35 + "@│"


@pytest.mark.parametrize("name", ["[red]", ":smile:", "\x1b[2J", "流量" * 30, "q" * 3000, "\u202eabc", "a\nb"])
@pytest.mark.parametrize("width", [80, 20])
def test_names_are_shown_harmlessly_and_cut_where_there_is_no_room(name: str, width: int) -> None:
    n = 41
    text = summary(
        np.eye(n), np.ones(n), y=[name, *map(str, range(n - 1))], x=[name, *map(str, range(n - 1))], width=width
    )
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", text)
    assert all(cell_len(line) <= width for line in picture(text))
    if len(name) < 8 and width == 80:
        assert Screen(80).label(name) in text


def test_several_losses_are_one_matrix_and_what_is_not_unique_has_its_bound() -> None:
    rng = np.random.default_rng(5)
    A, g = rng.integers(-9, 10, size=(10, 42)).astype(float), rng.integers(-9, 10, size=(2, 42)).astype(float)
    text = write_summary(solve(A, g), Screen(80))
    assert "∂L/∂x            2 × 10" in text
    exact = g @ np.linalg.pinv(A)
    k, j = np.unravel_index(np.abs(exact).argmax(), exact.shape)
    assert re.search(rf"∂L{k + 1}/∂x{j + 1} +{exact[k, j]:.3g}", text)


def test_a_gradient_alone_has_neither_jacobian_nor_picture() -> None:
    from implicitgrad import linear_system
    from implicitgrad.solvers.dispatch import solve_system

    for n in (45, 150):
        system = linear_system(2 * np.eye(n), np.ones(n))
        page = write_summary(solve_system(system, gradient_alone=True), Screen(80))
        assert "∂y/∂x" not in page
        assert "│" not in page
        lines = [line.split() for line in page.splitlines()]
        assert ["∂L/∂x", str(n)] in lines
        assert ["∂L/∂x1", "0.500"] in lines
        assert "--full prints all entries" in page
    wide = linear_system(np.c_[np.eye(45), np.ones(45)], np.ones(46))
    assert "one choice of many" in write_summary(solve_system(wide, gradient_alone=True), Screen(80))

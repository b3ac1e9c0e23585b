"""Matrices and vectors as shell arguments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from implicitgrad import InputError
from implicitgrad.readers.printed.inline import read_inline

SQUARE = [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize(
    "text",
    [
        "1 2; 3 4", "1,2;3,4", "1, 2; 3, 4;", "[1 2; 3 4]", "[1, 2; 3, 4]", "[[1, 2], [3, 4]]", "[[1 2] [3 4]]",
        "[[1 2]\n [3 4]]", "1 2\n3 4\n", "\n1\t2\r\n3 4\n", "[1 2\n 3 4]", "1 2\n\n3 4", "1 2;\n3 4",
        " [ [ 1 , 2 ] , [ 3 , 4 ] ] ", "[[1,2];[3,4]]",
    ],
)  # fmt: skip
def test_matlab_and_numpy_spell_the_same_matrix(text: str) -> None:
    assert read_inline(text, "-A").value == SQUARE


@pytest.mark.parametrize("text", ["1 2", "1,2", "[1, 2]", "[1 2]", "1, 2;"])
def test_one_row_is_flat(text: str) -> None:
    assert read_inline(text, "-g").value == ["1", "2"]


def test_one_row_in_double_brackets_is_a_matrix() -> None:
    assert read_inline("[[1, 2]]", "-g").value == [["1", "2"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "-A: empty; expected numbers such as '1 2; 3 4'"),
        (" ; ", "-A: empty; expected numbers such as '1 2; 3 4'"),
        ("[1 2", "-A:1:1: expected a ] at the end, got a [ that is not closed"),
        ("1 2]", "-A:1:4: expected a number, got a ] without its ["),
        ("[[[1]]]", "-A:1:3: expected at most two levels of brackets, got three"),
        ("[1 2] 3", "-A:1:7: expected the end after the last ], got '3'"),
        ("[1 2], [3 4]", "-A:1:6: expected the end after the last ], got ','. Write rows as [[1, 2], [3, 4]]"),
        ("1 [2 3]", "-A:1:1: expected brackets around all or none, got '1' outside"),
        ("[[1, 2], 3]", "-A:1:10: expected a row in brackets, got '3'"),
        ("[[1; 2]]", "-A:1:4: expected a number or ], got ';'"),
        ("1 2;; 3 4", "-A:1:5: expected a number, got ';'"),
        ("; 1 2", "-A:1:1: expected a number, got ';'"),
        ("[[1, 2],, [3, 4]]", "-A:1:9: expected a row in brackets, got ','"),
        ("[, [1, 2]]", "-A:1:2: expected a row in brackets, got ','"),
        ("1,,2", "-A:1:3: expected a number, got ','"),
        ("1 2; ,3", "-A:1:6: expected a number, got ','"),
        (
            "1,5 2; 3,1 4",
            "-A:1:1: expected commas between all entries of a row or none, got 1 comma for 3 entries. "
            "A decimal comma is written as a point",
        ),
        (
            "1 -2, 3 4",
            "-A:1:1: expected commas between all entries of a row or none, got 1 comma for 4 entries. "
            "A decimal comma is written as a point",
        ),
        ("1,2,", "-A:1:4: expected a number after the comma"),
    ],
)
def test_a_misplaced_token_is_named_and_placed(text: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        read_inline(text, "-A")
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("-x / y", ["-x / y"]),
        ("a - b c", ["a - b", "c"]),
        ("a -b c", ["a", "-b", "c"]),
        ("a -b, c", ["a -b", "c"]),
        ("[a -b, c -2]", ["a -b", "c -2"]),
        ("a- b c* d e ^2", ["a- b", "c* d", "e ^2"]),
        ("- a  - (b - c)", ["- a  - (b - c)"]),
        ("-(2·x + y·exp(x·y))/(x·exp(x·y)) −1", ["-(2·x + y·exp(x·y))/(x·exp(x·y))", "-1"]),
        ("atan2(y, x) f(a; b)", ["atan2(y, x)", "f(a; b)"]),
        ("1 / 2 - 3 −4 1e−3", ["1 / 2 - 3", "-4", "1e-3"]),
        ("1 / 2 −3/4", ["1/2", "-3/4"]),
        ("a − b", ["a − b"]),
        ("1 -2 +3", ["1", "-2", "+3"]),
    ],
)
def test_blanks_around_operators_and_in_parentheses_belong_to_an_entry(text: str, entries: list[str]) -> None:
    assert read_inline(text, "-A").value == entries


@pytest.mark.parametrize("text", ["(1 2", "a (b", "1 2) 3"])
def test_blanks_behind_a_parenthesis_that_is_not_closed_part_entries(text: str) -> None:
    assert read_inline(text, "-A").value == text.split()


def test_entries_are_placed_by_line_and_column() -> None:
    part = read_inline("1 2\n3 x", "-A")
    assert part.locate((1, 1)) == (2, 3)
    assert part.locate((0,)) == (1, 1)


@given(st.text(st.sampled_from(list("[],; \n12.-e")), max_size=30))
def test_no_text_gives_anything_but_a_part_or_an_input_error(text: str) -> None:
    try:
        part = read_inline(text, "-A")
    except InputError:
        return
    assert isinstance(part.value, list)

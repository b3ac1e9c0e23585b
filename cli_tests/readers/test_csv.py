"""Reading CSV and TSV."""

import json
import random
import re
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from conftest import Run, examples
from hypothesis import given
from hypothesis import strategies as st
from rationals import assert_within

from implicitgrad import InputError, LinearSystem, Problem, UsageError, read_systems
from implicitgrad.model.spec import CsvFormat
from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.numbers.doubles import Decimals
from implicitgrad.readers.csv import large as csv_large
from implicitgrad.readers.csv.reader import read_systems as read_csv
from implicitgrad.readers.systems.build import build_system


def read(text: str | bytes, folder: Path, name: str = "table.csv", **options: object) -> LinearSystem:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    (system,) = read_systems(path, **options)  # type: ignore[arg-type]
    return system


def problems(text: str | bytes, folder: Path, name: str = "table.csv", **options: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(text, folder, name, **options)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


LABELLED = ",y1,y2\nx1,1,2\nx2,3,4\ndL/dy,5,6\n"


def test_a_labelled_table_has_names_and_a_gradient(tmp_path: Path) -> None:
    system = read(LABELLED, tmp_path)
    assert (system.A, system.dL_dy, system.has_one_loss) == (((1, 2), (3, 4)), ((5, 6),), True)
    assert (system.x, system.y, system.name) == (("x1", "x2"), ("y1", "y2"), "table")


def test_several_gradient_rows_are_several_losses_wherever_they_stand(tmp_path: Path) -> None:
    system = read("c,a,b\ndL/dy,5,6\nx1,1,2\ndL_dy,7,8\n", tmp_path)
    assert (system.A, system.dL_dy, system.has_one_loss) == (((1, 2),), ((5, 6), (7, 8)), False)


@pytest.mark.parametrize(
    ("text", "A", "x", "y"),
    [
        ("1,2\n3,4", ((1, 2), (3, 4)), ("x1", "x2"), ("y1", "y2")),
        ("a,b\n1,2\n", ((1, 2),), ("x1",), ("a", "b")),
        ("p,1,2\nq,3,4\n", ((1, 2), (3, 4)), ("p", "q"), ("y1", "y2")),
        ("5", ((5,),), ("x1",), ("y1",)),
        ("1,2,3", ((1, 2, 3),), ("x1",), ("y1", "y2", "y3")),
        ("1\n2\n3\n", ((1,), (2,), (3,)), ("x1", "x2", "x3"), ("y1",)),
        ("a\n1\n2\n", ((1,), (2,)), ("x1", "x2"), ("a",)),
        ("p,1,2\n", ((1, 2),), ("p",), ("y1", "y2")),
        ("7,a\nx,1\n", ((1,),), ("x",), ("a",)),
        ("1,2\r\n3,4\r\n", ((1, 2), (3, 4)), ("x1", "x2"), ("y1", "y2")),
        ("1,2\r3,4", ((1, 2), (3, 4)), ("x1", "x2"), ("y1", "y2")),
        ("\ufeff1,2\n3,4\n", ((1, 2), (3, 4)), ("x1", "x2"), ("y1", "y2")),
        ("# note, with comma\n\n1,2\n  # more\n3,4\n\n", ((1, 2), (3, 4)), ("x1", "x2"), ("y1", "y2")),
        ("1 , 2\n 3,\t4\n", ((1, 2), (3, 4)), ("x1", "x2"), ("y1", "y2")),
        ('"a, b","say ""hi"""\n1,2\n', ((1, 2),), ("x1",), ("a, b", 'say "hi"')),
        ('"a\n# b",c\n1,2\n', ((1, 2),), ("x1",), ("a\n# b", "c")),
        ("1e-3,3/4\n", ((Fraction(1, 1000), Fraction(3, 4)),), ("x1",), ("y1", "y2")),
    ],
)  # fmt: skip
def test_names_and_numbers_are_told_apart_by_rule(
    tmp_path: Path, text: str, A: object, x: tuple[str, ...], y: tuple[str, ...]
) -> None:
    system = read(text, tmp_path)
    assert (system.A, system.x, system.y) == (A, x, y)


@pytest.mark.parametrize(
    ("text", "A", "x", "y"),
    [
        ('"","v","v2"\n"1",5,9\n', ((5, 9),), ("1",), ("v", "v2")),  # R's write.csv
        (",a,b\n0,1.0,2.0\n", ((1, 2),), ("0",), ("a", "b")),  # pandas' to_csv
        (",0,1\n0,1.5,2.0\n1,3.0,4.0\n", ((Fraction(3, 2), 2), (3, 4)), ("0", "1"), ("0", "1")),
        ("Unnamed: 0,a\n7,1\n9,2\n", ((1,), (2,)), ("7", "9"), ("a",)),
        (",a,b\n-1,1,2\n5,3,4\n", ((1, 2), (3, 4)), ("-1", "5"), ("a", "b")),
        (",a\n3,1\ndL/dy,5\n", ((1,),), ("3",), ("a",)),
    ],
)
def test_integers_under_an_empty_corner_are_the_index_of_a_data_frame(
    tmp_path: Path, text: str, A: object, x: tuple[str, ...], y: tuple[str, ...]
) -> None:
    system = read(text, tmp_path)
    assert (system.A, system.x, system.y) == (A, x, y)


COUNTED = "id,a,b\n1,1.5,2\n2,3,4\n"


def test_a_named_column_that_counts_the_rows_of_a_square_table_is_refused(tmp_path: Path) -> None:
    expected = "expected to be told whether 'id', which counts the rows from {}, is an index or an unknown"
    hint = "--index: its numbers are names of the rows; --no-index: they are coefficients"
    found = (problems(text, tmp_path) for text in (COUNTED, "id,a,b\n0,1,2\n1,3,4.0\n"))
    assert list(found) == [[f"table.csv:1:1: {expected.format(first)}. {hint}"] for first in (1, 0)]


@pytest.mark.parametrize(
    "text",
    [
        "id,a,b\n1,5,2\n2,3,4\n",  # integers all
        "id,a,b\n1,1.5,2\n3,3,4\n",  # counts nothing
        "id,a,b,c\n1,1.5,2,3\n2,3,4,5\n",  # not square behind it
        "id,a\n1,1.5\n",  # one row
        "a,id,b\n7,1,1.5\n7,2,3\n",  # not the first
        "1,1.5,2\n2,3,4\n",  # without a name
    ],
)
def test_any_other_column_of_numbers_is_an_unknown(tmp_path: Path, text: str) -> None:
    assert read(text, tmp_path).unknowns == text.partition("\n")[0].count(",") + 1


def test_the_index_option_says_what_the_first_column_is(tmp_path: Path) -> None:
    named = read(COUNTED, tmp_path, index=True)
    assert (named.x, named.y, named.A) == (("1", "2"), ("a", "b"), ((Fraction(3, 2), 2), (3, 4)))
    numbers = read(COUNTED, tmp_path, index=False)
    assert (numbers.x, numbers.y, numbers.unknowns) == (("x1", "x2"), ("id", "a", "b"), 3)
    assert read("1,5,6\n2,7,8\n", tmp_path, index=True).x == ("1", "2")
    assert read(",a\n0.5,1\n1.5,2\n", tmp_path, index=True).x == ("0.5", "1.5")
    assert read(",2019,2020\n5,1,2\n", tmp_path, index=True, header=True).y == ("2019", "2020")
    assert read("id,a\n1,2\ndL/dy,3\n", tmp_path, index=True).dL_dy == ((3,),)


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        (",a\n0.5,1\n", {}, "table.csv:1:1: expected the name of an unknown, got an empty cell over a column of "
                             "numbers. If the first column holds names, --index says so"),
        (",2,3\n4,5,6\n", {}, "table.csv:1:1: the first row mixes numbers and names: expected a number, got an empty "
                              "cell. An entry is empty; write 0 if it is zero. If the row is a header, --header says "
                              "so"),
        ("id,a\n1,2\ndL/dy,3\n", {}, "table.csv:3:1: the first column mixes numbers and names: expected a number, got "
                                     "'dL/dy'. If the first column holds names, --index says so"),
        ("1\n2\n", {"index": True}, "table.csv:1:1: expected numbers beside the names in the first column, got one "
                                    "column. --no-index says that it holds no names"),
        ("a,b\nx,1,2\n", {}, "table.csv:2:5: expected 2 cells, as on line 1, got 3. If the rows begin with names, the "
                             "header begins with an empty cell: R's write.csv writes one"),
        ("a,b\n1,2\n3,4\ndL/dy,1,1\n", {}, "table.csv:4:9: expected 2 cells, as on line 1, got 3. If one row begins "
                                          "with a name, all do, and the header begins with an empty cell"),
        ('"",a\n"1",010\n', {}, "table.csv:2:5: A[1][1]: expected a number such as -12, 0.5, 1e-3 or 3/4, got '010'. "
                              "Leading zeros are octal to some programs and decimal to others; leave them out"),
    ],
)  # fmt: skip
def test_a_column_that_may_be_an_index_is_refused_where_it_stands(
    tmp_path: Path, text: str, options: dict[str, bool], expected: str
) -> None:
    assert problems(text, tmp_path, **options)[0] == expected


def test_a_large_table_has_its_index_read_as_a_small_one(tmp_path: Path) -> None:
    rows = [f"{k},{','.join(f'{k}.{j}' for j in range(200))}" for k in range(200)]
    header = ",".join(f"c{j}" for j in range(200))
    text = "\n".join([f",{header}", *rows])
    assert len(text) > csv_large.LARGE
    assert read(text, tmp_path).x == tuple(map(str, range(200)))
    (problem,) = problems(f"id{text}", tmp_path)
    assert problem.startswith("table.csv:1:1: expected to be told whether 'id', which counts the rows from 0,")


def test_utf_16_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert read(LABELLED.encode("utf-16"), tmp_path).y == ("y1", "y2")


def test_tsv_is_parted_by_tabs_and_other_names_need_a_delimiter(tmp_path: Path) -> None:
    assert read("1\t2\n3\t4\n", tmp_path, "table.tsv").A == ((1, 2), (3, 4))
    assert read("1|2\n3|4\n", tmp_path, "table.txt", delimiter="|").A == ((1, 2), (3, 4))
    with pytest.raises(UsageError, match=r"expected a name ending in .*, got '\.txt'"):
        read("1|2\n", tmp_path, "table.txt")


def test_decimal_commas_are_read_where_they_are_stated(tmp_path: Path) -> None:
    system = read("a;b\n1,5;-2,25\n", tmp_path, delimiter=";", decimal=",")
    assert list(map(list, system.A)) == [[Fraction(3, 2), Fraction(-9, 4)]]


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("1.5", "expected a decimal comma, got '1.5'. Write 1,5; where all decimal marks are points, leave out "
                "--decimal ,"),
        ("1.234", "expected a decimal comma, got '1.234'. Write 1234 if the point separates thousands, 1,234 if it is "
                  "the decimal mark"),
        ("-2.135,8023", "{}, got '-2.135,8023'. Leave out the thousands separators; a decimal comma is read from CSV "
                        "with --decimal ,"),
        ("1.234.567", "{}, got '1.234.567'. Leave out the thousands separators"),
        ("k.A.", "{}, got 'k.A.'. It stands for a missing value; write the number, or 0 if it is zero"),
    ],
)  # fmt: skip
def test_a_point_beside_decimal_commas_is_answered_with_what_to_write(tmp_path: Path, cell: str, problem: str) -> None:
    found = problems(f";a;b\nr;2,5;{cell}\n", tmp_path, delimiter=";", decimal=",")
    assert found == [f"table.csv:2:7: {problem.format('A[1][2]: ' + NUMBER)}"]


MISSING = "It stands for a missing value; write the number, or 0 if it is zero"


@pytest.mark.parametrize(
    "word",
    ["n/a", "N/A", "-n/a", "n.a.", "N. A.", "NA", "na", "<NA>", "#N/A", "#NV", "k.A.", "k. A.", "n.d.", "tbd", "TBA",
     "nil", "NULL", "(null)", "None", "missing", "offen", "-", "--", "\u2013", ".", "...", "?"],
)  # fmt: skip
def test_what_stands_for_a_missing_value_is_no_letter(run: Run, word: str) -> None:
    table = f",n,a\nr1,{word},2\nr2,3,1\n"
    result = run("solve", "table.csv", files={"table.csv": table})
    message = f"implicitgrad: table.csv:2:4: A[1][1]: {NUMBER}, got '{word}'. {MISSING}\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", message)
    assert json.loads(run("batch", "table.csv", "-q").stdout)["error"]["hint"] == MISSING


@pytest.mark.parametrize("date", ["1-May", "5-Mai", "Mar-12"])
def test_what_a_spreadsheet_makes_of_two_numbers_is_no_letter(run: Run, date: str) -> None:
    result = run("solve", "table.csv", files={"table.csv": f",u,v\nr1,{date},2\nr2,3,1\n"})
    hint = "It is a date, perhaps of a spreadsheet that took a number for one; write the number"
    message = f"implicitgrad: table.csv:2:4: A[1][1]: {NUMBER}, got '{date}'. {hint}\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", message)


@pytest.mark.parametrize("letters", ["1-May2", "1-m", "May - 5", "n/d", "a/n", "(n/a)", "k/c", "tb", "nat", "mis"])
def test_other_letters_of_a_table_stay_letters(run: Run, letters: str) -> None:
    result = run("solve", "t.csv", "--require", "determined", files={"t.csv": f",u,v\nr1,{letters},2\nr2,3,1\n"})
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "options", "problem"),
    [
        ("sep=;\n;a;b\nr;1;2\n", {"delimiter": ";"}, "It tells Excel the delimiter: delete the line"),
        ("sep=\t\na\tb\n1\t2\n", {"delimiter": "\t"}, "It tells Excel the delimiter: delete the line"),
        ("sep=;\na\n1\n", {"delimiter": ";"}, "It tells Excel the delimiter: delete the line"),
        ("sep=;\n;a;b\nr;1;2\n", {}, "It tells Excel the delimiter: delete the line, and give --delimiter ';'"),
    ],
)
def test_the_line_that_tells_excel_the_delimiter_is_refused(
    tmp_path: Path, text: str, options: dict[str, str], problem: str
) -> None:
    line = text.partition("\n")[0].replace("\t", r"\t")
    expected = f"table.csv:1:1: expected a header or numbers, got '{line}'. {problem}"
    assert problems(text, tmp_path, **options) == [expected]


def test_another_delimiter_with_decimal_commas_is_one_problem(tmp_path: Path) -> None:
    text = "a;b;c\n" + "1,5;2,5;3\n" * 11
    assert problems(text, tmp_path) == [
        "table.csv:2:3: expected 1 cell, as on line 1, got 3. If ';' separates the columns and ',' is the decimal "
        "mark: --delimiter ';' --decimal ,"
    ]
    assert problems("a,b\n1\t2,5\n", tmp_path, "table.tsv") == [
        "table.tsv:2:3: expected 1 cell, as on line 1, got 2. Is ',' the delimiter? --delimiter ',' says so"
    ]
    found = problems("p;1,5;2\nq;1,5\nr;2\n", tmp_path, delimiter=";", decimal=",")
    assert found == [f"table.csv:{line}: expected 3 cells, as on line 1, got 2" for line in ("2:3", "3:3")]


def test_header_overrules_what_the_first_row_looks_like(tmp_path: Path) -> None:
    assert read("2019,2020\n1,2\n", tmp_path).A == ((2019, 2020), (1, 2))
    assert read("2019,2020\n1,2\n", tmp_path, header=True).y == ("2019", "2020")
    found = problems("a,b\n1,2\n", tmp_path, header=False)
    assert [problem[:31] for problem in found] == ["table.csv:1:1: A[1][1]: expecte", "table.csv:1:3: A[1][2]: expecte"]


NUMBER = "expected a number such as -12, 0.5, 1e-3 or 3/4"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2\n3\n", ["table.csv:2:1: expected 2 cells, as on line 1, got 1"]),
        ('1,2\n3,a"b,c\n5,6\n', ["table.csv:2:7: expected 2 cells, as on line 1, got 3"]),
        ('n,5"x,5"x\np,1,2\n', ["table.csv:1:7: y[2]: duplicate name '5\"x'. Each name can stand for one only"]),
        ('"a,""b",c,"c"\n1,2,x\n', [f"table.csv:2:5: A[1][3]: {NUMBER}, got 'x'"]),
        ('"a,""b","c",c\n1,2,3\n', ["table.csv:1:13: y[3]: duplicate name 'c'. Each name can stand for one only"]),
        ("1,2\n3,4,5\n", ["table.csv:2:5: expected 2 cells, as on line 1, got 3"]),
        ("1,2\n3,4,\n", ["table.csv:2:5: expected 2 cells, as on line 1, got 3. Remove the trailing delimiter"]),
        ("1,2,\n3,4,\n", ["table.csv:1:5: the first row mixes numbers and names: expected a number, got an empty cell. "
                          "Remove the trailing delimiter, or write 0 if the entry is zero"]),
        ("1,2\n,4\n", ["table.csv:2:1: the first column mixes numbers and names: expected a number, got an empty cell. "
                       "An entry is empty; write 0 if it is zero"]),
        ("1,2\n3,\n", [f"table.csv:2:3: A[2][2]: {NUMBER}, got ''. An entry is empty; write 0 if it is zero"]),
        ("1,l\n3,4\n", ["table.csv:1:3: the first row mixes numbers and names: expected a number, got 'l'"]),
        ("1,2\n3,4\n5,a\n", [f"table.csv:3:3: A[3][2]: {NUMBER}, got 'a'. Letters are read from a table with names: "
                              "a header, and a first column"]),
        ("1,2\n3,4x\n", [f"table.csv:2:3: A[2][2]: {NUMBER}, got '4x'"]),
        ("a,b\n1,2\nx,4\n", ["table.csv:3:1: the first column mixes numbers and names: expected a number, got 'x'. "
                               "If the first column holds names, --index says so"]),
        ("5,1,2\nx2,3,4\n", ["table.csv:2:1: the first column mixes numbers and names: expected a number, got "
                               "'x2'. If the first column holds names, --index says so"]),
        ('1,"2\n3,4\n', ['table.csv:1: not valid CSV: a quote is not closed. A quoted cell ends with " followed by the '
                         'delimiter; a quote inside it is doubled']),
        ('"1"x,2\n', ["table.csv:1: not valid CSV: ',' expected after '\"'. A quoted cell ends with \" followed by the "
                      "delimiter; a quote inside it is doubled"]),
        ("1,5;2,5\n", ["table.csv:1:3: the first row mixes numbers and names: expected a number, got '5;2'. "
                       "If ';' separates the columns and ',' is the decimal mark: --delimiter ';' --decimal ,"]),
        ("1;2\n3;4\n", ["table.csv:1:1: expected columns separated by ',', got '1;2'. Is ';' the delimiter? "
                        "--delimiter ';' says so"]),
        ('"1,234","2,345"\n3,4\n', [
            "table.csv:1:1: the first row holds neither numbers nor names: expected a number or a name, got '1,234'. "
            "Leave out the thousands separators (decimal commas are read from CSV with --decimal ,)",
            "table.csv:1:9: the first row holds neither numbers nor names: expected a number or a name, got '2,345'. "
            "Leave out the thousands separators (decimal commas are read from CSV with --decimal ,)"]),
        (",2019,2020\na,1,2\n", ["table.csv:1:1: the first row has numbers and no name: expected a name, got an empty "
                                 "cell. If it is a header, --header says so"]),
        ("1\n2,3\n", ["table.csv:2:3: expected 1 cell, as on line 1, got 2"]),
        ("12 345,1/0\n1,2\n", [
            "table.csv:1:1: the first row holds neither numbers nor names: expected a number or a name, got '12 345'. "
            "Is a comma missing? A thousands separator is left out",
            "table.csv:1:8: the first row holds neither numbers nor names: expected a number or a name, got '1/0'. "
            "A fraction is an integer over a positive integer"]),
        ("nan,inf\n1,2\n", [
            "table.csv:1:1: the first row holds neither numbers nor names: expected a number or a name, got 'nan'. "
            "Missing and infinite values are not read",
            "table.csv:1:5: the first row holds neither numbers nor names: expected a number or a name, got 'inf'. "
            "Missing and infinite values are not read"]),
        ("np.float64(1.5),2\n3,4\n", [
            "table.csv:1:1: the first row mixes numbers and names: expected a number, got 'np.float64(1.5)'. "
            "This is Python's repr of a number; write 1.5, as str() does"]),
        ("np.float64(1.0),np.float32(2.0)\n3,4\n", [
            "table.csv:1:1: the first row holds neither numbers nor names: expected a number or a name, got "
            "'np.float64(1.0)'. This is Python's repr of a number; write 1.0, as str() does",
            "table.csv:1:17: the first row holds neither numbers nor names: expected a number or a name, got "
            "'np.float32(2.0)'. This is Python's repr of a number; write 2.0, as str() does"]),
        (",a,b\nx,1,2\ny,3L,tensor(4.5)\n", [
            f"table.csv:3:3: A[2][1]: {NUMBER}, got '3L'. Leave out the L of a long integer",
            f"table.csv:3:6: A[2][2]: {NUMBER}, got 'tensor(4.5)'. This is Python's repr of a number; write 4.5, as "
            "str() does"]),
        ("a,b\n", ["table.csv: expected rows of A, got none"]),
        ("a,a\n1,2\n", ["table.csv:1:3: y[2]: duplicate name 'a'. Each name can stand for one only"]),
        (",a\nx,1\nx,2\n", ["table.csv:3:1: x[2]: duplicate name 'x'. Each name can stand for one only"]),
        ("", ["table.csv: empty; expected a system"]),
        ("# c\n\n", ["table.csv: empty; expected a system"]),
        (',y1,y2\n"x""1,2",1,0x1\n', [f"table.csv:2:12: A[1][2]: {NUMBER}, got '0x1'"]),
        ('a,"b\nc"\n1,x\n', [f"table.csv:3:3: A[1][2]: {NUMBER}, got 'x'"]),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_refused_where_it_stands(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert problems(text, tmp_path) == expected


def test_a_file_of_another_delimiter_is_asked_about(tmp_path: Path) -> None:
    assert problems("a,b\n1,2\n", tmp_path, "table.tsv") == [
        "table.tsv:1:1: expected columns separated by '\\t', got 'a,b'. Is ',' the delimiter? --delimiter ',' says so. "
        "Is it the decimal mark? --decimal , says so"
    ]
    assert problems("a\tb\n1\t2\n", tmp_path) == [
        "table.csv:1:1: expected columns separated by ',', got 'a\\tb'. Is '\\t' the delimiter? "
        "--delimiter '\\t' says so"
    ]


def test_no_control_character_of_a_file_reaches_the_message(tmp_path: Path) -> None:
    (problem,) = problems('"a"x\t1\n', tmp_path, "q.tsv")
    assert problem.isprintable()


def test_thousands_of_problems_are_counted_and_the_first_ten_placed(tmp_path: Path) -> None:
    for text in ("1,2\n" + "1,2,3\n" * 20_000, "1," + "q," * 20_000 + "q\n"):
        with pytest.raises(InputError) as caught:
            read(text, tmp_path)
        found = caught.value.problems
        assert len(found) >= 20_000
        assert [problem.line is not None for problem in found] == [True] * 10 + [False] * (len(found) - 10)


@pytest.mark.parametrize(
    "label",
    [
        "dl/dy",
        "dL/dY",
        "DL/DY",
        "dLdy",
        "dL.dy",
        "d_L/d_y",
        "dL / dy",
        "∂L/∂y",
        "dL/dy1",
        "dL1/dy",
        "dL/dV",
        "∂L/∂I_2",
        "grad",
        "gradient",
        "Gradient",
    ],
)
def test_a_misspelt_gradient_row_does_not_become_an_equation(tmp_path: Path, label: str) -> None:
    (problem,) = problems(f",u,v\na,1,2\nb,3,4\n{label},1,1\n", tmp_path)
    assert problem.startswith(f"table.csv:4:1: expected the name dL/dy for a gradient, got '{label}'. ")


@pytest.mark.parametrize("name", ["dL_day", "dl_dose", "DL/day", "dL_dy_total"])
def test_an_input_may_begin_as_a_gradient(name: str, run: Run) -> None:
    result = run("solve", "a.csv", "--plain", files={"a.csv": f",u\n{name},2\n"})
    assert (result.returncode, result.stderr) == (0, "")
    assert f"dy_dx[u][{name}] = 1/2\n" in result.stdout


@pytest.mark.parametrize("label", ["dL/dx", "dL_dx", "∂L/∂x", "DL/DX", "expect", "Expected"])
def test_a_row_of_the_answer_is_no_gradient_and_no_equation(tmp_path: Path, label: str) -> None:
    (problem,) = problems(f",u,v\na,1,2\nb,3,4\n{label},1,1\n", tmp_path)
    found = "claims" if label[0] in "eE" else "the answer"
    assert problem == (
        f"table.csv:4:1: expected the name of an input, or dL/dy, got '{label}', which is of {found}. "
        "A claim is a comment, # expect: {dL_dx: [...]}"
    )


@examples(150)
@given(st.text(st.sampled_from(list('1 2.e/,;"\n\r#xy-dL\t')), max_size=60), st.sampled_from([None, True, False]))
def test_no_text_gives_anything_but_a_system_or_an_input_error(text: str, header: bool | None) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        for spec in read_csv(text, "fuzz", CsvFormat(",", ".", header)):
            build_system(spec)
    except InputError as error:
        problems = error.problems
    assert all(problem.message for problem in problems)


@given(st.lists(st.lists(st.fractions(), min_size=2, max_size=2), min_size=1, max_size=4))
def test_a_written_table_is_read_back(rows: list[list[Fraction]]) -> None:
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    (spec,) = read_csv(text, "table", CsvFormat())
    assert [list(row) for row in build_system(spec).A] == rows


# The large table: its fast path and the careful reader say the same.

DECIMAL_TEXTS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(-10, 10).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.from_regex(re.compile(r"[+-]?(0|[1-9][0-9]{0,20})(\.[0-9]{0,25})?([eE][+-]?[0-9]{1,2})?", re.A), fullmatch=True),
    st.sampled_from([
        "-0", "-0.0", "5.", "-.5", "1e22", "1e23", "9007199254740993", "4.9e-324", "1.7976931348623157e308", " 1", "2 ",
        "18446744073709551615", "18446744073709551616", "9999999999999999999.5", "0.500000000000000055511151231257827",
    ]),
)  # fmt: skip
OTHER_TEXTS = st.sampled_from([
    "nan", "inf", "0x10", "1_000", "010", "-01", "00.5", "1e400", "1e-400", "0e500", "", "3/4", "1 2", "1e", "e5",
    "--1", "1-2", ".-5", "-.", "1.2.3", "1e5e5", "1e+-5", "1e1.5", "x", '"1"', "\u0661", "+", "1" * 1001, "1\v", "1,",
    "#", "\xa01",
])  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> str:
    height, width = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    texts = st.one_of(*[DECIMAL_TEXTS] * 15, OTHER_TEXTS) if draw(st.booleans()) else DECIMAL_TEXTS
    rows = [draw(st.lists(texts, min_size=width, max_size=width)) for _ in range(height)]
    if draw(st.booleans()):
        labels = st.sampled_from(["a", "b", "c", "d", "dL/dy", "dL_dy", "grad", "", "7"])
        rows = [[draw(labels), *row] for row in rows]
    if draw(st.booleans()):
        rows.insert(0, [f"n{j}" for j in range(len(rows[0]))])
    lines = [",".join(row) for row in rows]
    lines.insert(
        draw(st.integers(0, len(lines))), draw(st.sampled_from(["# a comment", "", "  ", "\t", "0" + "," * width]))
    )
    return draw(st.sampled_from(["\n", "\r\n", "\r"])).join(lines)


def answer(text: str, form: CsvFormat, arithmetic: str, least: int) -> object:
    """The system, or what is wrong with it, of a text that is large if it has ``least`` characters."""
    try:
        with patch.object(csv_large, "LARGE", least):
            (spec,) = read_csv(text, "table", form)
        return build_system(spec, arithmetic)
    except InputError as error:
        return error.problems


def assert_same(fast: object, careful: object) -> None:
    assert type(fast) is type(careful)
    if not isinstance(fast, LinearSystem) or not isinstance(careful, LinearSystem):
        assert fast == careful
        return
    for key in ("x", "y", "has_one_loss", "has_decimals", "name", "source"):
        assert getattr(fast, key) == getattr(careful, key)
    for one, other in ((fast.A, careful.A), (fast.dL_dy, careful.dL_dy)):
        assert type(one) is type(other)
        if isinstance(one, BallMatrix) and isinstance(other, BallMatrix):
            assert (one.array == other.array).all()
        else:
            assert one == other


@examples(125)
@given(tables(), st.sampled_from([None, True, False]), st.sampled_from(["float", "exact", "auto"]))
def test_a_table_read_at_once_is_the_same_as_one_read_cell_by_cell(
    text: str, header: bool | None, arithmetic: str
) -> None:
    form = CsvFormat(",", ".", header)
    fast, careful = answer(text, form, arithmetic, 0), answer(text, form, arithmetic, 10**9)
    assert_same(fast, careful)
    if isinstance(fast, LinearSystem) and isinstance(fast.A, BallMatrix):
        written = answer(text, form, "exact", 10**9)
        assert isinstance(written, LinearSystem)
        assert_within(fast.A, written.A)
        assert_within(careful.A, written.A)


def large_text(rows: int = 40, columns: int = 100) -> str:
    generator = random.Random(1)
    return "".join(",".join(repr(generator.gauss(0, 1)) for _ in range(columns)) + "\n" for _ in range(rows))


def test_a_large_table_becomes_doubles_with_the_bound_of_their_conversion(tmp_path: Path) -> None:
    text = large_text()
    (spec,) = read_csv(text, "table", CsvFormat())
    assert isinstance(spec.values["A"].value, Decimals)
    A = read(text, tmp_path).A
    assert isinstance(A, BallMatrix)
    assert A.array.tolist() == [list(map(float, line.split(","))) for line in text.splitlines()]
    assert (A.error == np.abs(A.array) * 2.0**-53 + 2.0**-1074).all()
    written = read(text, tmp_path, arithmetic="exact").A
    assert [list(row) for row in written] == [list(map(Fraction, line.split(","))) for line in text.splitlines()]


def test_a_large_table_of_integers_has_no_error_of_conversion(tmp_path: Path) -> None:
    text = "".join(",".join(str(100 * i + j) for j in range(100)) + "\n" for i in range(200))
    A = read(text, tmp_path).A
    assert isinstance(A, BallMatrix)
    assert A.error == 0


def test_a_large_labelled_table_has_names_gradients_and_claims(tmp_path: Path) -> None:
    lines = large_text().splitlines()
    rows = [f"p{i},{line}" for i, line in enumerate(lines[:-1])]
    text = "\n".join(
        [",".join(["", *(f"q{j}" for j in range(100))]), *rows, "# expect: {rank: 39}", f"dL/dy,{lines[-1]}"]
    )
    (spec,) = read_csv(text, "table", CsvFormat())
    assert isinstance(spec.values["A"].value, Decimals)
    assert spec.expect()["rank"].value == "39"
    assert spec.values["A"].locate((1, 2)) == (3, 1 + sum(len(cell) + 1 for cell in rows[1].split(",")[:3]))
    system = read(text, tmp_path)
    assert system.has_one_loss
    assert (system.x[:2], system.y[:2], len(system.x)) == (("p0", "p1"), ("q0", "q1"), 39)
    assert system.dL_dy is not None
    assert list(map(float, system.dL_dy[0])) == list(map(float, lines[-1].split(",")))


@pytest.mark.parametrize("bad", ["nan", "-inf", "0x10", "1_000", "010", "1e400", "", "1 2", "x", "1e999999999"])
def test_a_bad_cell_of_a_large_table_is_placed(tmp_path: Path, bad: str) -> None:
    lines = large_text().splitlines()
    cells = lines[20].split(",")
    lines[20] = ",".join([*cells[:50], bad, *cells[51:]])
    (problem,) = problems("\n".join(lines), tmp_path)
    column = sum(len(cell) + 1 for cell in cells[:50]) + 1
    assert problem.startswith(f"table.csv:21:{column}: A[21][51]: expected ")


def test_a_ragged_row_of_a_large_table_is_placed(tmp_path: Path) -> None:
    (problem,) = problems(large_text() + "1,2\n", tmp_path)
    assert problem == "table.csv:41:3: expected 100 cells, as on line 1, got 2"


def test_halfway_cases_are_rounded_as_float_does(tmp_path: Path) -> None:
    generator = random.Random(2)
    texts = [f"{2 * generator.randrange(2**52, 2**53) + 1}" for _ in range(2000)]  # ties, of 53 bits and a half
    texts += [f"{text}.{'0' * k}{last}" for k, last in ((0, 1), (2, 1), (20, 1)) for text in texts[:1000]]
    texts += [f"{generator.randrange(10**19)}e-{generator.randrange(40)}" for _ in range(1000)]
    A = read("".join(f"{text},1\n" for text in texts), tmp_path).A
    assert isinstance(A, BallMatrix)
    assert A.array[:, 0].tolist() == list(map(float, texts))


def test_a_batch_and_an_option_s_file_are_told_of_an_index(run: Run) -> None:
    batch = run("batch", "table.csv", "--quiet", files={"table.csv": COUNTED})
    error = json.loads(batch.stdout)["error"]
    assert (batch.returncode, batch.stderr, error["code"], error["line"], error["column"]) == (2, "", "bad-csv", 1, 1)
    told = run("batch", "table.csv", "--quiet", "--index")
    assert (told.returncode, json.loads(told.stdout)["x"], told.stderr) == (0, ["1", "2"], "")
    option = run("solve", "-A", "@frame.csv", files={"frame.csv": ",0,1\n0,1.5,2\n1,3,4\n"})
    assert (option.returncode, option.stdout, option.stderr) == (
        2,
        "",
        "implicitgrad: frame.csv:1:1: expected numbers alone, got an index under an empty corner. pandas: "
        "to_csv(index=False, header=False); R: write.table(sep=',', row.names=FALSE, col.names=FALSE)\n",
    )

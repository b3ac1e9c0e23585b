"""A line of JSON says what the same text in a file says, whether it is read at once or with care."""

import pytest
from conftest import examples
from hypothesis import given
from hypothesis import strategies as st

from implicitgrad import InputError, LinearSystem, Problem
from implicitgrad.readers.json_lines import read_json_line
from implicitgrad.readers.yaml import read_yaml

LINE = 3
LONG = "1" * 1001

LINES = {
    "integers": '{"A": [[1, 2], [3, 4]], "dL_dy": [5, 6]}',
    "decimals": '{"A": [[1.5, -0.25], [3, 4.125]], "dL_dy": [1, 0.5]}',
    "exponents": '{"A": [[1e-3, 2], [3, 4.5E2]], "dL_dy": [1, 2e0]}',
    "an exponent in capitals": '{"A": [[1, 2.5E2]], "dL_dy": [1, 2]}',
    "an exponent in the gradient": '{"A": [[1, 2.5], [3, 4]], "dL_dy": [1, 2e-5]}',
    "texts": '{"A": [["1/3", "2"], ["0.5", "4"]], "dL_dy": ["1", "2.5"]}',
    "one text": '{"A": [[1, 2.5], ["3", 4]], "dL_dy": [1, 2]}',
    "several losses": '{"A": [[1, 2.5], [3, 4]], "dL_dy": [[1, 2], [0.125, 4]]}',
    "one loss in two lists": '{"A": [[1, 2.5]], "dL_dy": [[1, 2]]}',
    "no gradient": '{"A": [[1, 2.5]]}',
    "B": '{"A": [[1, 2.5], [3, 4]], "dL_dy": [1, 2], "B": [[1], [0.125]]}',
    "B of the gradient's width": '{"A": [[1, 2.5], [3, 4]], "dL_dy": [1, 2], "B": [[1, 2], [0.125, 3]]}',
    "names": '{"name": "n", "A": [[1, 2]], "dL_dy": [1, 2], "x": ["a"], "y": ["b", "c"]}',
    "blanks": ' \t{"A": [[1, 2]] , "dL_dy": [1, 2]} \r',
    "beyond ASCII": '{"A": [[1, 2]], "x": ["\u00e9"]}',
    "an escape": '{"A": [[1, 2]], "x": ["\\u00e9"]}',
    "half a character": '{"A": [[1, 2]], "x": ["\\ud800"]}',
    "a key twice": '{"A": [[1, 2]], "dL_dy": [1, 2], "A": [[3, 4]]}',
    "another key": '{"A": [[1, 2]], "dL_dx": [1, 2]}',
    "no A": '{"dL_dy": [1, 2]}',
    "more behind it": '{"A": [[1, 2]]}, 1',
    "a name of blanks": '{"A": [[1, 2]], "name": " "}',
    "no name": '{"A": [[1, 2]], "name": 5}',
    "large": '{"A": [[' + ", ".join(["0.5"] * 17) + "]]}",
    "ragged": '{"A": [[1, 2], [3]], "dL_dy": [5, 6]}',
    "a gradient too long": '{"A": [[1, 2]], "dL_dy": [5, 6, 7]}',
    "a gradient of rows too short": '{"A": [[1, 2]], "dL_dy": [[5], [6]]}',
    "an empty gradient": '{"A": [[1, 2]], "dL_dy": []}',
    "an empty row": '{"A": [[]], "dL_dy": []}',
    "empty": '{"A": [], "dL_dy": []}',
    "null": '{"A": [[1, null]], "dL_dy": [1, 2]}',
    "null for a gradient": '{"A": [[1, 2]], "dL_dy": null}',
    "null for a name": '{"A": [[1, 2]], "x": [null]}',
    "true": '{"A": [[1, 2]], "dL_dy": [1, true]}',
    "no row": '{"A": [1, [2]], "dL_dy": [1]}',
    "too deep": '{"A": [[[1]]], "dL_dy": [1]}',
    "an object": '{"A": [{"a": 1}], "dL_dy": [1]}',
    "too many digits": f'{{"A": [[{LONG}]], "dL_dy": [1]}}',
    "no number": '{"A": [["1_000", " 2"]], "dL_dy": [1, 2]}',
    "lines in a text": '{"A": [["1\\n2"]], "dL_dy": [1, 2]}',
    "a delete character": '{"A": [[1]], "x": ["\x7f"]}',
}


Outcome = LinearSystem | list[Problem]


def in_a_file(text: str) -> Outcome:
    try:
        return read_yaml("\n" * (LINE - 1) + text, "s", "s")[0].build()
    except InputError as error:
        return list(error.problems)


def on_a_line(text: str) -> Outcome:
    try:
        return read_json_line(text, "s", "s", LINE).build()
    except InputError as error:
        return list(error.problems)


@pytest.mark.parametrize("text", LINES.values(), ids=LINES)
def test_a_line_says_what_a_file_says(text: str) -> None:
    found = on_a_line(text)
    assert found == in_a_file(text.lstrip("\t "))
    assert isinstance(found, LinearSystem) or all(problem.line == LINE and problem.column for problem in found)


def numbers() -> st.SearchStrategy[str]:
    plain = st.decimals(-1000, 1000, allow_nan=False, places=3).map(lambda d: f"{d.normalize():f}")
    return st.one_of(
        st.integers(-99, 99).map(str), plain, st.sampled_from(["0", "-0", "-0.0", "1e-3", "2.50", '"1/3"'])
    )


@examples(200)
@given(st.data())
def test_random_lines_do_too(data: st.DataObject) -> None:
    M, N, K = (data.draw(st.integers(1, 3)) for _ in range(3))

    def rows(number: int) -> str:
        width = N + data.draw(st.sampled_from([0] * 9 + [1]))
        lists = [", ".join(data.draw(numbers()) for _ in range(width)) for _ in range(number)]
        return f"[{', '.join(f'[{items}]' for items in lists)}]"

    test_a_line_says_what_a_file_says(f'{{"A": {rows(M)}, "dL_dy": {rows(K)}}}')


def test_what_is_no_object_is_refused() -> None:
    for text in ("[[1, 2]]", '"A"', "A: [[1]]"):
        (problem,) = on_a_line(text)
        assert isinstance(problem, Problem)
        assert problem.message.startswith("expected a JSON object, a whole system on its line, got")

"""Reading YAML and JSON."""

import json
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml
from conftest import Run, examples, spread
from hypothesis import given
from hypothesis import strategies as st

import implicitgrad.readers.yaml.reader as reader
from implicitgrad import InputError, LinearSystem, Problem, read_systems
from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.readers import sources
from implicitgrad.readers.files import faults
from implicitgrad.readers.systems import matrices
from implicitgrad.readers.systems.build import build_system
from implicitgrad.readers.yaml import nodes as yaml_nodes


def read(text: str | bytes, folder: Path, name: str = "system.yaml") -> list[LinearSystem]:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_systems(path)


def problems(text: str | bytes, folder: Path, name: str = "system.yaml") -> list[str]:
    with pytest.raises(InputError) as caught:
        read(text, folder, name)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


@pytest.fixture(params=["C parser", "pure parser"])
def either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "pure parser":
        monkeypatch.setattr(yaml_nodes, "_LOADER", yaml.SafeLoader)
    else:
        assert yaml.__with_libyaml__


@pytest.mark.usefixtures("either_parser")
def test_every_key_is_read(tmp_path: Path) -> None:
    text = "name: n\nA: [[1, 2], [3, 4]]\nB: [[1], [2]]\ndL_dy: [5, 6]\nx: [in]\ny: [yes, no]\nexpect: {rank: 2}\n"
    (system,) = read(text, tmp_path)
    assert system.A == ((1, 2), (3, 4))
    assert system.B == ((1,), (2,))
    assert system.dL_dy == ((5, 6),)
    assert system.has_one_loss
    assert (system.name, system.x, system.y) == ("n", ("in",), ("yes", "no"))


@pytest.mark.usefixtures("either_parser")
def test_block_style_flow_style_and_json_are_the_same(tmp_path: Path) -> None:
    block = 'A:\n  - - 1\n    - 1e-3\n  - - .5\n    - 3/4\n"dL/dy":\n  - 1\n  - 2\n'
    flow = "{A: [[1, 1e-3], [.5, 3/4]], dL/dy: [1, 2]}"
    document = json.dumps({"A": [[1, "1e-3"], [0.5, "3/4"]], "dL_dy": [1, 2]}, indent="  ")
    answers = {(s.A, s.dL_dy) for text in (block, flow, document) for s in read(text, tmp_path)}
    assert answers == {(((1, Fraction(1, 1000)), (Fraction(1, 2), Fraction(3, 4))), ((1, 2),))}


def test_json_indented_by_tabs_is_read(tmp_path: Path) -> None:
    text = json.dumps({"A": [[1, 2]], "name": "tabs"}, indent="\t")
    assert read(text, tmp_path, "system.json")[0].name == "tabs"


def test_a_json_escape_of_two_surrogates_is_one_character(tmp_path: Path) -> None:
    names = ["😀", "\\😀", "\\ud83d", "é"]
    text = "\n " + json.dumps({"A": [[1, 2, 3, 4]], "y": names})
    assert "\\ud83d\\ude00" in text
    assert read(text, tmp_path, "system.json")[0].y == tuple(names)


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029"])
def test_an_invisible_line_end_is_refused(tmp_path: Path, character: str) -> None:
    (problem,) = problems(f"# c{character}A: [[5]]", tmp_path)
    assert problem.startswith("system.yaml:1:4: expected text, got the character '\\")


def test_documents_are_systems_in_order_named_by_number(tmp_path: Path) -> None:
    systems = read("A: [[1]]\n---\nname: b\nA: [[2]]\n...\n---\nA: [[3]]\n", tmp_path)
    path = str(tmp_path / "system.yaml")
    assert [s.source for s in systems] == [path, f"{path}#2", f"{path}#3"]
    assert [s.name for s in systems] == ["system", "b", "system"]
    assert [s.A for s in systems] == [((1,),), ((2,),), ((3,),)]


def test_labels_are_the_text_itself(tmp_path: Path) -> None:
    (system,) = read("A: [[1, 2, 3, 4, 5]]\ny: [yes, null, ~, 010, 1e-3]\n", tmp_path)
    assert system.y == ("yes", "null", "~", "010", "1e-3")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_is_honoured(tmp_path: Path, encoding: str) -> None:
    assert read("\ufeffA: [[1]]\ny: [größe]\n".encode(encoding), tmp_path)[0].y == ("größe",)


def test_offending_text_is_cut_at_forty_characters(tmp_path: Path) -> None:
    assert problems(f"A: [[{'z' * 40}]]", tmp_path)[0].endswith(f"got '{'z' * 40}'")
    assert problems(f"A: [[{'z' * 41}]]", tmp_path)[0].endswith(f"got '{'z' * 39}…'")


EXPECTED = "expected one of name, A, B, dL_dy, x, y, equations, at, solve_for, expect"
ANSWER = "{0} is of the answer, not of the system; a claim of it is written expect: {{{0}: ...}}"


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A: [[010]]", ["system.yaml:1:6: A[1][1]: expected a number such as -12, 0.5, 1e-3 or 3/4, got '010'. "
                        "Leading zeros are octal to some programs and decimal to others; leave them out"]),
        ("A: [[1, 2],\n    [3, yes]]", ["system.yaml:2:9: A[2][2]: expected a number such as -12, 0.5, 1e-3 or 3/4, "
                                       "got 'yes'"]),
        ("A: [[1 2], [3 4]]", ["system.yaml:1:6: A[1][1]: expected a number such as -12, 0.5, 1e-3 or 3/4, got '1 2'. "
                               "Is a comma missing?",
                               "system.yaml:1:13: A[2][1]: expected a number such as -12, 0.5, 1e-3 or 3/4, got '3 4'. "
                               "Is a comma missing?"]),
        ("A: [1, 2]", ["system.yaml:1:4: A: expected a list of rows, got a list of 2 entries. "
                       "One equation is one row, [[1, 2]]; one unknown is one column, [[1], [2]]"]),
        ("A: [[[1]]]", ["system.yaml:1:4: A: expected rows of numbers, got lists of rows. Leave out the outer "
                        "brackets"]),
        ("A: [[1, [2]]]", ["system.yaml:1:9: A[1][2]: expected a number such as -12, 0.5, 1e-3 or 3/4, got a list"]),
        ("A: []", ["system.yaml:1:4: A is empty; expected at least one row of at least one number"]),
        ("A: [[], []]", ["system.yaml:1:5: A[1] is empty; expected a row of at least one number",
                         "system.yaml:1:9: A[2] is empty; expected a row of at least one number"]),
        ("A: [[1, 2], [3]]", ["system.yaml:1:13: A[2] has 1 entry; expected 2, as in A[1]"]),
        ("A: [[1, 2], 3]", ["system.yaml:1:13: A[2]: expected a row, got '3'"]),
        ("A: 1 2; 3 4", ["system.yaml:1:4: A: expected a list of rows, got '1 2; 3 4'. Write it as [[1, 2], [3, 4]]"]),
        ("A: [[1]]\nB: [1, 2]", ["system.yaml:2:4: B: expected a list of rows, got a list of 2 entries. "
                                 "One equation is one row, [[1, 2]]; one input is one column, [[1], [2]]"]),
        ("A: [[1]]\nsomething: 1", ["system.yaml:2:1: unknown key 'something'; expected one of name, A, B, dL_dy, x, "
                                    "y, equations, at, solve_for, expect"]),
        ("A: ~", ["system.yaml:1:4: A: expected a list of rows, got '~'. Write it as [[1, 2], [3, 4]]"]),
        ("A:", ["system.yaml:1:3: A: expected a list of rows, got nothing"]),
        ("A: [[1, 2]]\ndL_dy: [1]", ["system.yaml:2:8: dL_dy has 1 entry; expected 2, one for each column of A. "
                                     "A is 1×2, dL_dy is 1×1; ∂L/∂y has an entry for each unknown y, not for each "
                                     "equation"]),
        ("A: [[1, 2]]\nB: [[1], [2]]", ["system.yaml:2:4: B has 2 rows; expected 1, as A has. A is 1×2, B is 2×1"]),
        ("A: [[1]]\nx: [a, b]", ["system.yaml:2:4: x has 2 names; expected 1, one for each row of A"]),
        ("A: [[1, 2]]\ny: [a, a]", ["system.yaml:2:8: y[2]: duplicate name 'a'. Each name can stand for one only"]),
        ("A: [[1]]\ny: ['']", ["system.yaml:2:5: y[1]: expected a name, got an empty one"]),
        ("A: [[1]]\nA: [[2]]", ["system.yaml:2:1: duplicate key 'A', first on line 1. Keep one of them"]),
        ("A: [[1]]\ndL_dy: [1]\ndL/dy: [1]", ["system.yaml:3:1: duplicate key 'dL_dy', first on line 2. "
                                             "Keep one of them"]),
        ("A: [[1]]\ndl_dy: [1]", ["system.yaml:2:1: unknown key 'dl_dy'; expected one of name, A, B, dL_dy, x, y, "
                                  "equations, at, solve_for, expect. Did you mean dL_dy?"]),
        ("A: [[1]]\ndL_dx: [1]", [f"system.yaml:2:1: unknown key 'dL_dx'; {EXPECTED}. {ANSWER.format('dL_dx')}"]),
        ("A: [[1]]\n∂L/∂x: [1]", [f"system.yaml:2:1: unknown key '∂L/∂x'; {EXPECTED}. {ANSWER.format('dL_dx')}"]),
        ("A: [[1]]\nrank: 1", [f"system.yaml:2:1: unknown key 'rank'; {EXPECTED}. {ANSWER.format('rank')}"]),
        ("A: [[1]]\ndL_dW: [1]", [f"system.yaml:2:1: unknown key 'dL_dW'; {EXPECTED}"]),
        ("A: [[1]]\ngeneral: 1", [f"system.yaml:2:1: unknown key 'general'; {EXPECTED}. 'general' is of an answer, not "
                                  "of a system"]),
        ("A: [[1]]\nunknowns: [y]\ninputs: [x]", [
            f"system.yaml:2:1: unknown key 'unknowns'; {EXPECTED}. Did you mean y?",
            f"system.yaml:3:1: unknown key 'inputs'; {EXPECTED}. Did you mean x?"]),
        ("A: [[1]]\nexpect: {dL/dx: 1, dL_dx: 2}", [
            "system.yaml:2:20: expect: duplicate key 'dL_dx', first on line 2. Keep one of them"]),
        ("A: [[1]]\ny: p, q", ["system.yaml:2:4: y: expected a list of names, got 'p, q'"]),
        ("A: [[1, 2]]\ny: p", ["system.yaml:2:4: y has 1 name; expected 2, one for each column of A"]),
        ("A: [[1]]\n<<: {B: 1}", ["system.yaml:2:1: unknown key '<<'; expected one of name, A, B, dL_dy, x, y, "
                                  "equations, at, solve_for, expect. Merge keys are refused; write the entries out"]),
        ("A: &a [[1]]", ["system.yaml:1:4: expected plain values, got '&a'. Write the values out"]),
        ("A: [[*a]]", ["system.yaml:1:6: expected plain values, got '*a'. Write the values out"]),
        ("A: [[!!int 1]]", ["system.yaml:1:6: expected plain values, got the tag 'tag:yaml.org,2002:int'. "
                            "Leave the tag out"]),
        ("{}", ["system.yaml:1:1: the key A is missing; expected A: [[...], ...]"]),
        ("A: [[1]]\n---\n", ["system.yaml:3:1: expected a mapping with the key A, got nothing. The document is empty"]),
        ("B: [[1]]", ["system.yaml:1:1: the key A is missing; expected A: [[...], ...]"]),
        ("[1]", ["system.yaml:1:1: expected a mapping with the key A, got a list. "
                 "For CSV give the file a .csv name, or --delimiter"]),
        ("A: [[1]]\nexpect: {rank: 1, rank: 2}", ["system.yaml:2:19: expect: duplicate key 'rank', first on line 2. "
                                                  "Keep one of them"]),
        ("A: [[1]]\nexpect: {stauts: x}", [
            "system.yaml:2:10: expect: unknown key 'stauts'; expected one of status, rank, dy_dx, dL_dx, dL_dA, dL_dB, "
            "free_parameters, dL_dx_unique, constraints, condition, tolerance. Did you mean status?"]),
        ("A: [[1]]\nexpect: 3", ["system.yaml:2:9: expect: expected a mapping, got '3'"]),
        ("A: [[1]]\nname: [a]", ["system.yaml:2:7: name: expected a text, got a list"]),
        ("", ["system.yaml: empty; expected a system"]),
        ("# only a comment\n", ["system.yaml: empty; expected a system"]),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_refused_where_it_stands(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert problems(text, tmp_path) == expected


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize("levels", [9, 500, 30_000])
def test_deep_nesting_is_refused_by_counting(tmp_path: Path, levels: int) -> None:
    (problem,) = problems("A: " + "[" * levels + "]" * levels, tmp_path)
    assert "at most 8 levels of nesting" in problem


@pytest.mark.parametrize(
    "text",
    ["a: &a [x]\nb: [*a, *a]\nA: [[1]]", "A: &r [*r]", "x: &a [1]\ny: &b [*a, *a, *a]\nA: [[1]]"],
    ids=["alias", "recursive alias", "bomb"],
)
def test_aliases_are_refused_at_the_first(tmp_path: Path, text: str) -> None:
    assert problems(text, tmp_path)[0].endswith("Write the values out")


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("A: [[1, 2]", "2:1"),
        ("A: [[1]]\n  B: 2", "2:4"),
        ("A: 'x", "1:6"),
        ("A: [[1]]\n\tB: 2", "2:1"),
        ("{A: ]", "1:5"),
    ],
)
def test_broken_yaml_says_where(tmp_path: Path, text: str, position: str) -> None:
    (problem,) = problems(text, tmp_path)
    assert ": not valid YAML: " in problem
    line = position.partition(":")[0]
    assert problem.startswith((f"system.yaml:{line}:", f"system.yaml:{int(line) - 1 or 1}:"))


def test_a_control_character_is_named_and_placed(tmp_path: Path) -> None:
    (problem,) = problems("A: [[1]]\nname: a\x1bb", tmp_path)
    assert problem == r"system.yaml:2:8: expected text, got the character '\x1b'. Remove it"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\x1f\x8b\x08\x00", "got gzip data"), (b"PK\x03\x04....xl/workbook", "got an Excel workbook"),
        (b"PK\x03\x04", "got a zip archive"), (b"<!DOCTYPE html><html>", "got an HTML page"),
        (b"\x93NUMPY\x01", "got a NumPy .npy file"), (b"A: [[1]]\n\xe9", "got the byte 0xe9"), (b"A\0", "a NUL byte"),
    ],
)  # fmt: skip
def test_other_formats_are_named(tmp_path: Path, data: bytes, found: str) -> None:
    for name in ("system.yaml", "system.csv"):
        (problem,) = problems(data, tmp_path, name)
        assert found in problem


@pytest.mark.parametrize(
    ("text", "found"), [("a: 1\n", "a mapping"), ("[1]\n---\n[2]\n", "2 documents"), ("# 1\n", "0 documents")]
)
def test_an_options_value_is_one_list(text: str, found: str) -> None:
    with pytest.raises(InputError, match=f"^m.yaml: expected one list of numbers, got {found}$"):
        reader.read_matrix(text, "m.yaml")


def test_all_problems_are_kept_and_ten_are_shown(tmp_path: Path) -> None:
    text = "A:\n" + "".join(f"  - [x{i}]\n" for i in range(25))
    with pytest.raises(InputError) as caught:
        read(text, tmp_path)
    assert len(caught.value.problems) == 25
    assert len(str(caught.value).splitlines()) == 11
    assert str(caught.value).endswith("... and 15 more problems")


def test_the_problems_of_all_documents_are_reported(tmp_path: Path) -> None:
    found = problems("A: [[x]]\n---\nA: [[1]]\n---\nA: [[y]]\n", tmp_path)
    assert [problem.partition(": ")[0] for problem in found] == ["system.yaml:1:6", "system.yaml:5:6"]


@examples(150)
@given(st.text(st.sampled_from(list("A:[]{},-1 2.e/\n#&*!|>'\"%@`\t?yx~")), max_size=60))
def test_no_text_gives_anything_but_systems_or_an_input_error(text: str) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        specs = reader.read_systems(text, "fuzz")
        for spec in specs:
            build_system(spec)
    except InputError as error:
        problems = error.problems
    assert all(problem.message for problem in problems)


# The large matrix: its numbers at once, its places where they are asked for.


def large_text(entry: str = "0.1", style: str = "flow", shape: tuple[int, int] = (65, 64)) -> str:
    rows = [[f"{i}.{j:02}" for j in range(shape[1])] for i in range(1, shape[0] + 1)]
    rows[40][30] = entry
    if style == "block":
        return "A:\n" + "".join("  -\n" + "".join(f"    - {text}\n" for text in row) for row in rows)
    if style == "json":
        return json.dumps({"A": rows}).replace('"', "").replace("{A", '{"A"')
    return "A:\n" + "".join(f"  - [{', '.join(row)}]\n" for row in rows)


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize("style", ["flow", "block", "json"])
def test_a_large_matrix_becomes_doubles_at_once(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = large_text("-1e-3", style)
    (spec,) = reader.read_systems(text, "large")
    with monkeypatch.context() as patched:
        patched.setattr(matrices.MatrixParser, "_parse_entries", None)
        system = build_system(spec)
    assert isinstance(system.A, BallMatrix)
    rows = [[float(f"{i}.{j:02}") for j in range(64)] for i in range(1, 66)]
    rows[40][30] = -0.001
    assert system.A.array.tolist() == rows
    assert build_system(spec, "exact").A[40][30] == Fraction(-1, 1000)


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize(
    "bad", spread(["nan", "0x10", "1_000", "010", "1e400", "''", "' 1'", "'1\\n2'", "x", "[1]", "{a: 1}", "1:30"], 3)
)
@pytest.mark.parametrize("style", ["flow", "block"])
def test_a_bad_entry_of_a_large_matrix_is_placed(
    style: str, bad: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrices, "LARGE", 1000)
    text = large_text(bad, style, (42, 32))
    (problem,) = problems(text, tmp_path)
    before = text[: text.index(bad + (", " if style == "flow" else "\n"))]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert problem.startswith(f"system.yaml:{line}:{column}: A[41][31]: expected a")


@pytest.mark.usefixtures("either_parser")
def test_an_alias_a_tag_or_an_anchor_among_many_scalars_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrices, "LARGE", 1000)
    for bad in ("*a", "&a 1", "!!int 1"):
        (problem,) = problems(large_text(bad, shape=(42, 32)), tmp_path)
        assert problem.startswith("system.yaml:42:")
        assert "expected plain values" in problem


@examples(150)
@given(
    st.lists(
        st.lists(
            st.one_of(
                st.floats(allow_nan=False, allow_infinity=False).map(repr),
                st.sampled_from(
                    ["1", "-0", "3/4", "nan", "' 1'", "'1,2'", '"1\\n2"', "010", "", "x", "[1]", "1e400", ".5"]
                ),
            ),
            min_size=1,
            max_size=3,
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["float", "exact", "auto"]),
)
def test_a_matrix_read_at_once_is_the_same_as_one_read_entry_by_entry(rows: list[list[str]], arithmetic: str) -> None:
    text = "A:\n" + "".join(f"- [{', '.join(row)}]\n" for row in rows)
    answers: list[object] = []
    for least in (0, 10**9):
        try:
            with patch.object(matrices, "LARGE", least):
                (spec,) = reader.read_systems(text, "fuzz")
                answers.append(build_system(spec, arithmetic))
        except InputError as error:
            answers.append(error.problems)
    assert answers[0] == answers[1]


def test_one_name_or_number_may_stand_for_a_list_of_it(run: Run) -> None:
    text = "A: [[2]]\ny: p\nx: q\n∂L/∂y: 3\nexpect: {dy/dx: 1/2, ∂L/∂x: 1.5, rank: 1}\n"
    result = run("check", "one.yaml", "--format", "json", files={"one.yaml": text})
    claims = json.loads(result.stdout)["claims"]
    assert (result.returncode, [(one["claim"], one["holds"], one["column"]) for one in claims]) == (
        0,
        [("rank", True, 34), ("dy_dx", True, 10), ("dL_dx", True, 22)],
    )
    record = json.loads(run("solve", "one.yaml", "--format", "json").stdout)
    assert (record["x"], record["y"], record["dL_dx"]) == (["q"], ["p"], [1.5])
    assert run("solve", "-", stdin="equations: x = 2*y\ny: y\n").returncode == 0


@pytest.mark.parametrize(("beginning", "name"), faults._SIGNATURES.items())
def test_every_format_that_is_no_text_is_told_by_its_beginning(beginning: bytes, name: str) -> None:
    rest = b">" if beginning.startswith(b"<") else b"-1.4" if beginning.startswith(b"%") else b"\0\xff"
    with pytest.raises(InputError, match=f"got {name}"):
        sources.decode("file", b" \n" + beginning + rest)

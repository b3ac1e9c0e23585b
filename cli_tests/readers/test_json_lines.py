"""A line of JSON says what the same text in a file says, whether it is read at once or with care."""

import json
from typing import Any

import pytest
from conftest import Run, examples
from hypothesis import given
from hypothesis import strategies as st

from implicitgrad import InputError, LinearSystem, Problem
from implicitgrad.readers.systems.build import build_system
from implicitgrad.readers.yaml import reader as yaml
from implicitgrad.readers.yaml.json_lines import read_json_line, read_systems

LINE = 3
LONG = "1" * 1001
FLOAT = ("--arithmetic", "float")

LINES = {
    "large integers": '{"A": [[9007199254740993, 2], [3, -0]], "dL_dy": [5, 9007199254740993]}',
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


def in_a_file(text: str, arithmetic: str) -> Outcome:
    try:
        return build_system(yaml.read_systems("\n" * (LINE - 1) + text, "s")[0], arithmetic)
    except InputError as error:
        return list(error.problems)


def on_a_line(text: str, arithmetic: str = "auto") -> Outcome:
    try:
        return build_system(read_json_line(text, "s", LINE), arithmetic)
    except InputError as error:
        return list(error.problems)


@pytest.mark.parametrize("text", LINES.values(), ids=LINES)
def test_a_line_says_what_a_file_says(text: str) -> None:
    for line in (text, text.replace("]", "]" + " " * 1001, 1)):  # a long line is decoded in another way
        for arithmetic in ("exact", "float"):
            found = on_a_line(line, arithmetic)
            assert found == in_a_file(line.lstrip("\t "), arithmetic)
            assert isinstance(found, LinearSystem) or all(problem.line == LINE and problem.column for problem in found)
            if isinstance(found, LinearSystem):
                assert error_bounds(found) == error_bounds(in_a_file(line.lstrip("\t "), arithmetic))


def error_bounds(system: Outcome) -> list[object]:
    """The errors of the doubles, which == does not compare."""
    assert isinstance(system, LinearSystem)
    return [str(getattr(matrix, "error", None)) for matrix in (system.A, system.B, system.dL_dy)]


def numbers() -> st.SearchStrategy[str]:
    plain = st.decimals(-1000, 1000, allow_nan=False, places=3).map(lambda d: f"{d.normalize():f}")
    return st.one_of(
        st.integers(-99, 99).map(str), plain, st.sampled_from(["0", "-0", "-0.0", "1e-3", "2.50", '"1/3"'])
    )


@examples(75)
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
        assert problem.message.startswith("expected a JSON object, a complete system on one line, got")


CLAIMED = """\
{"A": [[1, 2], [3, 4]], "dL_dy": [1, 1], "expect": {"status": "determined", "dL/dx": [-0.5, 0.5]}}

---
{"A": [[2]], "expect": {"dy_dx": [[0.25]]}}
{"A": [[3, 5]]}
"""


def test_lines_may_claim_and_check_says_where_a_claim_fails(run: Run) -> None:
    result = run("check", "claims.jsonl", "--quiet", files={"claims.jsonl": CLAIMED})
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.startswith("claims.jsonl:4:25: dy_dx fails")
    for arguments, stdin in ((["claims.jsonl"], ""), (["-"], CLAIMED)):
        found = [json.loads(line) for line in run("check", *arguments, "-f", "json", stdin=stdin).stdout.splitlines()]
        assert [(one["name"], one["source"].partition("#")[2], one["holds"]) for one in found] == [
            (found[0]["name"], "", True), (found[0]["name"], "2", False), (found[0]["name"], "3", True),
        ]  # fmt: skip
    assert run("solve", "claims.jsonl", "-f", "json").stdout.count("\n") == 3


def test_an_update_keeps_a_line_a_line(run: Run) -> None:
    assert run("check", "--update", "claims.jsonl", files={"claims.jsonl": CLAIMED}).returncode == 0
    result = run("solve", "claims.jsonl", "-f", "json")
    assert (run("check", "claims.jsonl", "--strict").returncode, result.stdout.count("\n")) == (0, 3)


def test_what_is_wrong_with_lines_is_said_of_each(run: Run) -> None:
    result = run("solve", "-", stdin='{"A": [[1]]}\n{"A": [[1]], "dL_dx": [1]}\n{"A": [[01]]}\n')
    assert (result.returncode, result.stdout) == (2, "")
    assert [line.partition(";")[0] for line in result.stderr.splitlines()] == [
        "implicitgrad: -:2:14: unknown key 'dL_dx'",
        "implicitgrad: -:3:9: A[1][1]: expected a number such as -12, 0.5, 1e-3 or 3/4, got '01'. Leading zeros are "
        "octal to some programs and decimal to others",
    ]
    torn = run("solve", "-", stdin='{"A": [[1]]}\n{"A": [[1, 2]], "dL_dy": [1\n')
    assert torn.stderr == (
        "implicitgrad: -:2:28: not valid YAML: while parsing a flow sequence, did not find expected ',' or ']'\n"
    )
    cut = run("solve", "lines.ndjson", files={"lines.ndjson": '{"A": [[1]]}\n7\n'})
    assert (
        cut.stderr == "implicitgrad: lines.ndjson:2:1: expected a JSON object, a complete system on one line, got '7'\n"
    )


SYSTEMS = [
    {"A": [[1, 2], [3, 4]], "dL_dy": [1, 1]},
    {"A": [[3, 5]], "dL_dy": [7, 11]},
    {"A": [[1, 0], [0, 1], [1, 1]], "dL_dy": [1, 2]},
    {"A": [[1, 2], [2, 4]]},
    {"A": [["a", 1], [1, 1]]},
]


def test_a_record_as_it_is_may_stand_under_expect(run: Run) -> None:
    text = "\n".join(map(json.dumps, SYSTEMS))
    records = [json.loads(line) for line in run("solve", "-", "--format", "json", stdin=text).stdout.splitlines()]
    lines = [json.dumps(system | {"expect": record}) for system, record in zip(SYSTEMS, records, strict=True)]
    result = run("check", "-", "--format", "json", stdin="\n".join(lines))
    assert (result.returncode, result.stderr) == (0, "")
    judged = [[one["claim"] for one in json.loads(line)["claims"]] for line in result.stdout.splitlines()]
    with_gradient = ["status", "rank", "dy_dx", "dL_dx", "free_parameters", "constraints"]
    assert judged == [with_gradient] * 3 + [[key for key in with_gradient if key != "dL_dx"]] * 2
    wrong = records[0] | {"dL_dx": [-0.5, 0.25]}
    assert run("check", "-", stdin=json.dumps(SYSTEMS[0] | {"expect": wrong})).returncode == 1


LONG_NUMBER, LONGER_NUMBER = str(7**1060), str(7**1060 + 10)
RECORDS = {
    "certified doubles": (SYSTEMS[0], FLOAT, {}),
    "tiny doubles": ({"A": [["1e300", "1e-300"], ["1e-300", "1e300"]], "dL_dy": [1, 2]}, FLOAT, {}),
    "a rank by a cutoff": (
        {"A": [["0.1", "0.2"], ["0.3", "0.6000000000000001"]], "dL_dy": [1, 2]}, FLOAT,
        dict.fromkeys(("status", "rank", "dy_dx", "dL_dx", "free_parameters", "constraints"), "is not certified"),
    ),
    "long numbers": ({"A": [[LONG_NUMBER, 3], [1, LONGER_NUMBER]], "dL_dy": [1, 2]}, (), {
        "dy_dx": "proves nothing", "dL_dx": "proves nothing"}),
    "long numbers in constraints": (
        {"A": [[LONG_NUMBER, 3], [1, LONGER_NUMBER], [LONG_NUMBER, LONG_NUMBER]]}, (), {}
    ),
    "long numbers beyond doubles": (
        {
            "A": [[LONG_NUMBER, 3], [1, LONGER_NUMBER]],
            "B": [["1e399", 1], [1, "1e399"]],
            "dL_dy": ["1e399", LONG_NUMBER],
        },
        (),
        {"dy_dx": "proves nothing", "dL_dx": "more than 1,000 digits"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("system", "options", "undecided"), RECORDS.values(), ids=RECORDS)
def test_the_record_of_an_answer_never_fails(
    run: Run, system: dict[str, Any], options: tuple[str, ...], undecided: dict[str, str]
) -> None:
    record = json.loads(run("solve", "-", "--format", "json", *options, stdin=json.dumps(system)).stdout)
    result = run("check", "-", "--format", "json", stdin=json.dumps(system | {"expect": record}))
    claims = {claim["claim"]: claim for claim in json.loads(result.stdout)["claims"]}
    assert result.returncode == (1 if undecided else 0)
    assert {key for key, claim in claims.items() if claim["undecided"]} == {*undecided}
    assert all(claim["holds"] for key, claim in claims.items() if key not in undecided)
    assert all(reason in claims[key]["reason"] for key, reason in undecided.items())


def test_a_wrong_number_in_a_record_of_doubles_fails(run: Run) -> None:
    record = json.loads(run("solve", "-", "--format", "json", *FLOAT, stdin=json.dumps(SYSTEMS[0])).stdout)
    for wrong in (0.5000001, 0.49, 0):
        forged = record | {"dL_dx": [-0.5, wrong]}
        result = run("check", "-", "--format", "json", stdin=json.dumps(SYSTEMS[0] | {"expect": forged}))
        failed = [claim["claim"] for claim in json.loads(result.stdout)["claims"] if not claim["holds"]]
        assert (result.returncode, failed) == (1, ["dL_dx"])


def test_a_line_of_many_is_read_without_those_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    documents = yaml.documents

    def recorded(text: str, source: str, first_line: int = 1) -> Any:
        seen.append(len(text))
        return documents(text, source, first_line)

    monkeypatch.setattr(yaml, "documents", recorded)
    line = '{"A": [[1, 2], [3, 4]], "expect": {"rank": 2}}'
    specs = read_systems("\n".join([line] * 50), "s.jsonl")
    assert seen == [len(line)] * 50
    assert specs[49].values["A"].locate((1, 0)) == (50, 17)
    assert specs[49].expect()["rank"].span(()) == ((50, 44), (50, 45))

"""Text of a file that a terminal, or the log of a workflow, would act on is shown as escapes wherever it is said."""

import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from conftest import Run, spread

HOSTILE = (
    "a\n::error file=x::forged",
    "::error::forged",
    "##[error]forged",
    "\r::warning::\x1b[2J\x1b]0;t\x07\x7f\x85\x9b31m\xa0\xad\u200b\u202e\u2028\ufeff\ue000\U000e0001",
)
COMMANDS = ("::error file=", "::error title=")
A_DETERMINED, A_WIDE, A_TALL = [[1, 2], [3, 4]], [[1, 2, 3], [2, 4, 6]], [[1, 2], [3, 4], [5, 6]]


def system(name: str, A: Any, **others: Any) -> dict[str, Any]:
    x, y = ([f"{name}{letter}{i}" for i in range(count)] for letter, count in (("x", len(A)), ("y", len(A[0]))))
    return {"name": name, "A": A, "x": x, "y": y, "dL_dy": [1] * len(y)} | others


def systems(name: str) -> Iterator[dict[str, Any]]:
    for A in (A_DETERMINED, A_WIDE, A_TALL, [["a", "b"], ["a", "b"]]):
        yield system(name, A)


def mistakes(name: str) -> Iterator[dict[str, Any]]:
    yield system(name, A_DETERMINED, **{name: 1})
    yield system(name, [[name, 2], [3, 4]])
    yield system(name, A_DETERMINED, x=[name, name])
    yield system(name, A_DETERMINED, x=[name])
    yield {"equations": [f"{name} = 3*y"], "y": ["y"]}
    yield {"equations": ["x = 3*y"], "y": [name]}
    yield {"equations": ["x = y"], "y": ["y"], "at": {name: 1}}
    yield {"equations": ["x = y"], "y": ["y"], "at": {"x": name, "y": 1}, "solve_for": [name]}


def claims(name: str) -> Iterator[dict[str, Any]]:
    for key, value in (("status", name), (name, 1), ("condition", {name: 1}), ("tolerance", {name: 1}), ("rank", name)):
        yield system(name, A_DETERMINED, expect={key: value})
    for A in (A_DETERMINED, A_WIDE, A_TALL):
        one = system(name, A)
        M, N = len(A), len(A[0])
        for expect in (
            {"dy_dx": [[9] * M] * N},
            {"dL_dx": [9] * M},
            {"dL_dx_unique": True, "free_parameters": [f"d{one['y'][0]}/d{one['x'][0]}"]},
            {"free_parameters": [name]},
            {"constraints": {"dependent": [one["x"][0]], "matrix": [[7] * (M - 1)]}},
            {"constraints": {"dependent": [name], "matrix": [[7] * (M - 1)]}},
        ):
            yield one | {"expect": expect}


def assert_harmless(result: CompletedProcess[str], *, has_annotations: bool = False) -> None:
    assert result.returncode in (0, 1, 2)
    for line in (result.stdout + result.stderr).split("\n"):
        assert line.isprintable(), line
        if not (has_annotations and line.startswith(COMMANDS)):
            assert not line.lstrip().startswith("::"), line
            assert "##[" not in line


@pytest.mark.parametrize("name", spread(HOSTILE, 3), ids=spread(["line", "command", "old-command", "controls"], 3))
def test_pages_and_records_show_no_name_raw(run: Run, name: str) -> None:
    for given in systems(name):
        files = {"s.json": json.dumps(given)}
        for form in ("table", "markdown", "latex", "json", "yaml"):
            result = run("solve", "s.json", "-f", form, files=files)
            assert result.returncode == 0
            assert_harmless(result)
            if form == "json":
                assert json.loads(result.stdout)["x"] == given["x"]
            elif form == "yaml":
                assert yaml.safe_load(result.stdout)["y"] == given["y"]
        for form in ("table", "markdown", "latex"):
            assert_harmless(run("solve", "s.json", "--steps", "-f", form))
        assert_harmless(run("solve", "s.json", "-f", "csv"))
        if given["A"][0][0] != "a":
            assert_harmless(run("solve", "s.json", "--arithmetic", "float"))


@pytest.mark.parametrize("name", spread(HOSTILE, 3), ids=spread(["line", "command", "old-command", "controls"], 3))
def test_messages_show_no_name_raw(run: Run, name: str) -> None:
    for given in mistakes(name):
        result = run("solve", "s.json", files={"s.json": json.dumps(given)})
        assert (result.returncode, result.stdout) == (2, "")
        assert_harmless(result)
        assert_harmless(run("solve", "s.json", "-f", "json"))
        assert_harmless(run("check", "s.json", GITHUB_ACTIONS="true"), has_annotations=True)
    run("solve", "-A", "1", files={"s.json": json.dumps(system(name, A_WIDE))})
    for options in (["--free", f"{name}y0,{name}y1"], ["--free", name], ["-g", name], ["--require", name]):
        assert_harmless(run("solve", "s.json", *options))
    for arguments in ([name], ["-A", name], ["-A", "1 2", f"--{name}"], ["-A", "1 2", "--y", f"{name},{name}"]):
        assert_harmless(run("solve", *arguments))
        assert_harmless(run("check", *arguments))
    assert_harmless(run(name))
    assert_harmless(run("solve", "-A", "1 2", "-o", f"{name}/y.txt"))


@pytest.mark.parametrize("name", spread(HOSTILE, 3), ids=spread(["line", "command", "old-command", "controls"], 3))
def test_reports_show_no_name_raw(run: Run, tmp_path: Path, name: str) -> None:
    file = f"{name.replace('/', '_')}.json"
    for given in claims(name):
        for arguments in ([], ["-f", "json"], ["--junit", "junit.xml"]):
            result = run("check", file, *arguments, files={file: json.dumps(given)}, GITHUB_ACTIONS="true")
            assert_harmless(result, has_annotations=True)
        xml = (tmp_path / "junit.xml").read_text("utf-8")
        ElementTree.fromstring(xml)
        assert all(line.isprintable() for line in xml.split("\n"))
    assert_harmless(run("check", file, "--update"))


@pytest.mark.parametrize("name", spread(HOSTILE, 3), ids=spread(["line", "command", "old-command", "controls"], 3))
def test_batches_show_no_name_raw(run: Run, name: str) -> None:
    files = {"good.jsonl": "".join(f"{json.dumps(one)}\n" for one in systems(name))}
    files |= {f"{name.replace('/', '_')}.jsonl": "".join(f"{json.dumps(one)}\n" for one in mistakes(name))}
    for arguments in ([], ["-f", "csv"], ["--require", "determined"]):
        result = run("batch", *files, "-j", "1", *arguments, files=files)
        assert result.stdout
        assert_harmless(result)


def test_a_command_in_the_name_of_a_system_is_no_annotation(run: Run) -> None:
    given = system("a\n::error file=x::forged", A_DETERMINED, expect={"rank": 1})
    result = run("check", "s.json", files={"s.json": json.dumps(given)}, GITHUB_ACTIONS="true")
    assert [line for line in result.stdout.splitlines() if line.startswith("::")] == [
        "::error file=s.json,line=1,col=228,title=rank fails::claimed 1, correct is 2"
    ]

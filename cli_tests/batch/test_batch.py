"""implicitgrad batch: sources, results, order, resumption, and what happens when something breaks."""

import asyncio
import contextlib
import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import product
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from command import children, wait_until, wait_until_blocked
from conftest import IS_THOROUGH, PROGRAM, SCREEN_VARIABLES, Run, only_thorough, spread

from implicitgrad.batch.answers import steps
from implicitgrad.batch.answers.schedule import Answered, answer_items
from implicitgrad.batch.run import answer_all
from implicitgrad.batch.task import BatchTask, Item
from implicitgrad.batch.workers.cluster import Cluster
from implicitgrad.batch.workers.pool import WORKER_DIED, Pool
from implicitgrad.text.errors import OutputError

TWO = "A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\n"


def systems(folder: Path, number: int, seed: int = 0) -> list[str]:
    """So many files of small systems; their names."""
    random_numbers = random.Random(seed)
    folder.mkdir(exist_ok=True)
    names = []
    for k in range(number):
        n = random_numbers.randint(1, 4)
        rows = [[random_numbers.randint(-9, 9) for _ in range(n)] for _ in range(n)]
        path = folder / f"s{k:04}.yaml"
        path.write_text(f"A: {rows}\ndL_dy: {rows[0]}\n")
        names.append(f"{folder.name}/{path.name}")
    return names


def lines(text: str) -> list[dict[str, Any]]:
    """The records; the last line is whole."""
    assert not text or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def sources(text: str) -> list[str]:
    return [record["source"] for record in lines(text)]


def test_each_system_has_the_record_that_solve_gives_in_order(run: Run, tmp_path: Path) -> None:
    names = systems(tmp_path / "many", 12)
    (tmp_path / "many" / "t.csv").write_text("1,2\n3,4\n")
    (tmp_path / "many" / "two.yaml").write_text(f"{TWO}---\nA: [[1, 2]]\n")
    np.save(tmp_path / "many" / "z.npy", np.eye(3))
    result = run("batch", "many")
    assert result.returncode == 0
    expected = [*names, "many/t.csv", "many/two.yaml", "many/two.yaml#2", "many/z.npy"]
    assert sources(result.stdout) == expected
    alone = [
        record
        for name in (*names, "many/t.csv", "many/two.yaml", "many/z.npy")
        for record in lines(run("solve", name, "-fjson").stdout)
    ]
    found = lines(result.stdout)
    hashes = [record.pop("content_hash") for record in found]
    assert {len(mark.removesuffix("/2")) for mark in hashes} == {64}
    assert [mark[64:] for mark in hashes[13:15]] == ["/2", "/2"]
    assert found == alone
    assert result.stderr.startswith("implicitgrad: 16 systems: ")
    assert "determined" in result.stderr
    assert run("batch", "many", "-q").stderr == ""


def test_a_failure_is_a_record_in_its_place_and_stops_nothing(run: Run, tmp_path: Path) -> None:
    files = {
        "a.yaml": TWO, "b.yaml": "A: [[1, x], [y, 2]]\n", "c.yaml": "A: [[2]]\n",
        "d.yaml": "A: [[1, 2]]\n---\nA: [[nan]]\n",
        "e.yaml": "", "f.txt": "1 2",
    }  # fmt: skip
    result = run("batch", "a.yaml", "b.yaml", "c.yaml", "d.yaml", "e.yaml", "f.txt", "g.yaml", files=files)
    assert result.returncode == 2
    found = lines(result.stdout)
    assert [("error" in record, record["source"]) for record in found] == [
        (False, "a.yaml"), (True, "b.yaml"), (False, "c.yaml"), (False, "d.yaml"), (True, "d.yaml#2"), (True, "e.yaml"),
        (True, "f.txt"), (True, "g.yaml"),
    ]  # fmt: skip
    error = found[1]["error"]
    assert set(error) == {"code", "message", "line", "column", "hint"}
    assert (error["code"], error["line"], error["column"]) == ("bad-number", 1, 9)
    assert error["message"].endswith("(and 1 more problem)")
    assert found[-1]["error"]["code"] == "cannot-read"
    assert "implicitgrad: b.yaml:1:9: A[1][2]: expected a number" in result.stderr
    assert result.stderr.endswith("implicitgrad: 8 systems: 2 determined, 1 underdetermined, 5 failed\n")
    first = run("batch", "a.yaml", "b.yaml", "c.yaml", "--fail-fast", files=files)
    assert (first.returncode, sources(first.stdout)) == (2, ["a.yaml", "b.yaml"])


def test_what_is_required_decides_the_exit_code_alone(run: Run) -> None:
    files = {"a.yaml": TWO, "b.yaml": "A: [[1, 2]]\n"}
    result = run("batch", "a.yaml", "b.yaml", "--require", "determined", files=files)
    assert result.returncode == 1
    assert len(lines(result.stdout)) == 2
    assert "implicitgrad: b.yaml: expected determined (--require), got underdetermined" in result.stderr
    assert run("batch", "a.yaml", "--require", "determined", "--require", "unique-dL_dx").returncode == 0
    assert run("batch", "b.yaml", "--require", "unique-dL_dx").returncode == 1


def test_options_are_those_of_solve(run: Run) -> None:
    files = {"a.yaml": "A: [[3, 5]]\n", "b.csv": "1;2\n3;4\n", "c.yaml": "A: [[1, 1], [1, 1.001]]"}
    record = lines(run("batch", "a.yaml", "--free", "y2", files=files).stdout)[0]
    assert record["free_parameters"] == ["dy2/dx1"]
    record = lines(run("batch", "c.yaml", "--arithmetic", "float", "--rtol", "0.1", files=files).stdout)[0]
    assert (record["arithmetic"], record["rank"]) == ("float", 1)
    assert lines(run("batch", "b.csv", "--delimiter", ";").stdout)[0]["rank"] == 2
    assert run("batch", "a.yaml", "--free", "y9").returncode == 2


@pytest.mark.parametrize("end", ["\n", "\0", "\r\n"])
def test_files_may_be_named_in_a_list(run: Run, tmp_path: Path, end: str) -> None:
    names = systems(tmp_path / "many", 5)
    listed = end.join(names) + end
    assert sources(run("batch", "--files-from", "-", stdin=listed).stdout) == names
    assert sources(run("batch", "--files-from", "list", files={"list": listed.rstrip(end)}).stdout) == names
    assert sources(run("batch", names[2], "--files-from", "list").stdout) == [names[2], *names[:2], *names[3:]]
    missing = run("batch", "--files-from", "nowhere")
    assert (missing.returncode, missing.stdout) == (2, "")


def test_patterns_directories_and_files_give_each_system_once(run: Run, tmp_path: Path) -> None:
    names = systems(tmp_path / "many", 4)
    (tmp_path / "many" / ".hidden.yaml").write_text(TWO)
    (tmp_path / "many" / "spec.yaml").write_text("A: [[x]]")
    (tmp_path / "many" / "deep").mkdir()
    (tmp_path / "many" / "deep" / "d.json").write_text('{"A": [[1]]}')
    everything = sources(run("batch", "many", "--exclude", "spec*").stdout)
    assert sorted(everything) == sorted([*names, "many/deep/d.json"])
    again = ("many", "./many", "many/", names[0], "many/*.yaml", f"./{names[1]}")
    assert sources(run("batch", *again, "--exclude", "spec*").stdout) == everything
    assert sources(run("batch", "many/**/*.json").stdout) == ["many/deep/d.json"]
    assert sources(run("batch", "many/s000[12].yaml").stdout) == names[1:3]
    nothing = run("batch", "none*.yaml")
    assert nothing.returncode == 2
    assert lines(nothing.stdout)[0]["error"]["message"] == "a pattern that no file matches"
    (tmp_path / "empty").mkdir()
    assert run("batch", "empty").returncode == 2
    assert run("batch").returncode == 2


def test_standard_input_is_a_stream_of_json_lines(run: Run) -> None:
    given = [
        '{"A": [[1, 2], [3, 4]], "dL_dy": [1, 1], "name": "first"}',
        "",
        '{"A": [[0.1]]}',
        '{"A": [[1, 2]], "x": ["a"]}',
    ]
    result = run("batch", "-", stdin="\n".join(given))
    found = lines(result.stdout)
    assert [record["source"] for record in found] == ["-", "-#2", "-#3"]
    assert (found[0]["name"], found[0]["dL_dx"], found[1]["exact"]["dy_dx"]) == ("first", [-0.5, 0.5], [["10"]])
    wrong = ['{"A": [[1]]}', '{"A": [[1, 2], [3, nan]]}', '{"A": [[1]], "A": [[2]]}', '{"A": [[1], [1, 2]]}', '{"A": 1}', '{"a": [[1]]}', "[1]", "{", '{"A": [[1]]} {"A": [[1]]}', '{"A": [[1e999]]}', '{"A": [[true]]}', '{"A": [[1]], "dL_dy": []}']  # fmt: skip # noqa: E501
    wrong += ['{"A": [[1]], "name": " "}', '{"A": [[1]], "name": ["s"]}', '{"A": [[1]], "x": "a, b"}', '{"A": [1]}']
    result = run("batch", "-", stdin="\n\n".join(wrong) + "\n")
    assert result.returncode == 2
    errors = [record.get("error") for record in lines(result.stdout)]
    assert errors[0] is None
    assert [error["line"] for error in errors[1:]] == list(range(3, 2 * len(wrong), 2))
    assert (errors[1]["column"], errors[1]["code"]) == (20, "bad-number")
    assert "duplicate key 'A'" in errors[2]["message"]
    assert errors[3]["code"] == "ragged"


def test_letters_in_the_place_of_numbers_are_a_mistake(run: Run) -> None:
    entries = {"a": "a*b + 1", "reserved": "x", "no letter": "nan", "no expression": "3 a"}
    result = run("batch", "-", stdin="".join(json.dumps({"A": [[1, entry]]}) + "\n" for entry in entries.values()))
    assert result.returncode == 2
    hint = "batch reads no letters in A, B and dL_dy; implicitgrad solve does"
    of_nan = "Missing and infinite values are not read"
    assert [record["error"]["hint"] for record in lines(result.stdout)] == [hint, None, of_nan, None]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (f"{TWO}---\n{TWO}", []),
        ('{"A": [[1, 2],\n [3, 4]],\n "dL_dy": [1, 1]}\n', []),
        ("1,2\n3,4\n", ["--delimiter", ","]),
        ('{"A": [[1, 2], [3, 4]]}', []),
    ],
)
def test_standard_input_may_be_one_text(run: Run, text: str, arguments: list[str]) -> None:
    result = run("batch", "-", *arguments, stdin=text)
    assert result.returncode == 0
    assert [record["rank"] for record in lines(result.stdout)] == [2] * (1 + text.count("---"))


def test_files_of_json_lines_are_streams_too(run: Run) -> None:
    files = {"s.jsonl": '{"A": [[1]]}\n{"A": [[2]]}\n', "t.ndjson": '{"A": [[3]]}'}
    found = lines(run("batch", "s.jsonl", "t.ndjson", files=files).stdout)
    assert [(record["source"], record["dy_dx"][0][0]) for record in found] == [
        ("s.jsonl", 1), ("s.jsonl#2", 0.5), ("t.ndjson", 1 / 3),
    ]  # fmt: skip


@pytest.mark.parametrize("source", [["-"], ["--files-from", "-"]])
def test_a_line_is_answered_before_the_next_is_written(source: list[str], tmp_path: Path) -> None:
    command = [PROGRAM, "batch", *source, "-q"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for k in range(1, 4):
            system = b'{"A": [[%d]]}' % k
            (tmp_path / f"{k}.yaml").write_bytes(system)
            process.stdin.write(system + b"\n" if source == ["-"] else b"%d.yaml\n" % k)
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["dy_dx"] == [[1 / k]]
        process.stdin.close()
    assert process.returncode == 0


def test_results_may_be_rows_of_csv(run: Run, tmp_path: Path) -> None:
    files = {"a.yaml": TWO, "b.yaml": "A: [[1, 2]]\n", "c.yaml": "A: [[x]]\n"}
    result = run("batch", "a.yaml", "b.yaml", "c.yaml", "-o", "out.csv", files=files)
    assert (result.returncode, result.stdout) == (2, "")
    with open(tmp_path / "out.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["source"], row["status"], row["rank"]) for row in rows] == [
        ("a.yaml", "determined", "2"), ("b.yaml", "underdetermined", "1"), ("c.yaml", "error", ""),
    ]  # fmt: skip
    assert json.loads(rows[0]["dL_dx"]) == [-0.5, 0.5]
    assert json.loads(rows[1]["free_parameters"]) == ["dy1/dx1"]
    assert "expected a number" in rows[2]["error"]
    assert run("batch", "a.yaml", "-f", "csv").stdout.splitlines()[1].startswith("a,a.yaml,determined,2,")


def test_results_may_be_stacked(run: Run, tmp_path: Path) -> None:
    files = {
        "a.yaml": TWO,
        "b.yaml": "A: [[2, 0], [0, 4]]\ndL_dy: [1, 2]\n",
        "c.yaml": "A: [[x]]\n",
        "d.yaml": "A: [[1, 2]]\n",
    }
    run("batch", "a.yaml", "b.yaml", "-o", "same.npz", files=files)
    with np.load(tmp_path / "same.npz") as found:
        assert found["dy_dx"].tolist() == [[[-2, 1], [1.5, -0.5]], [[0.5, 0], [0, 0.25]]]
        assert found["dL_dx"].tolist() == [[-0.5, 0.5], [0.5, 0.5]]
        assert found["status"].tolist() == ["determined"] * 2
    assert run("batch", *files, "-o", "all.npz").returncode == 2
    with np.load(tmp_path / "all.npz") as found:
        assert found["source"].tolist() == list(files)
        assert found["status"].tolist() == ["determined", "determined", "error", "underdetermined"]
        assert found["shape"].tolist() == [[2, 2, 2], [2, 2, 2], [0, 0, 0], [1, 2, 1]]
        assert np.isnan(found["dy_dx"][2:]).all()
        assert found["rank"].tolist() == [2, 2, -1, 1]


def test_results_may_be_a_file_each_and_none_overwrites_another(run: Run, tmp_path: Path) -> None:
    for folder in ("p", "q", "out"):
        (tmp_path / folder).mkdir()
    (tmp_path / "p" / "a.yaml").write_text(TWO)
    (tmp_path / "q" / "A.yaml").write_text("A: [[5]]\n---\nA: [[6]]\n")
    (tmp_path / "q" / "bad.yaml").write_text("A: [[x]]\n")
    run("batch", "p", "q", "--output-dir", "out")
    names = [name for name in os.listdir(tmp_path / "out") if not name.startswith(".")]
    assert sorted(names) == sorted(["a.json", "A-2.json", "A-2-2.json", "bad.json"])
    assert json.loads((tmp_path / "out" / "bad.json").read_text())["error"]["code"] == "bad-number"
    again = run("batch", ".", "--output-dir", "out", "-f", "table")
    assert "4 systems" in again.stderr
    assert "x = A·y" in (tmp_path / "out" / "a.txt").read_text()
    run("batch", "p", "--output-dir", "arrays", "-f", "npy")
    assert np.load(tmp_path / "arrays" / "a.npy").tolist() == [[-2, 1], [1.5, -0.5]]
    run("batch", "-", "--output-dir", "lines", stdin='{"A": [[1]]}\n{"A": [[2]]}\n')
    names = [name for name in os.listdir(tmp_path / "lines") if not name.startswith(".")]
    assert sorted(names) == ["stdin-2.json", "stdin.json"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "a.npz", "--resume"], ["--output-dir", "d", "-o", "x.jsonl"], ["--resume"], ["-f", "table"],
        ["-o", "d", "-f", "latex"], ["-o", "r.csv", "--resume"], ["-o", "r.yaml"], ["--jobs", "0"], ["-o", ""],
        ["-", "--files-from", "-"],
        ["--jobs", "2", "--dask", "tcp://127.0.0.1:1"],
        ["--dask-timeout", "5"],
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_before_anything_is_written(
    run: Run, tmp_path: Path, arguments: list[str]
) -> None:
    result = run("batch", "a.yaml", *arguments, files={"a.yaml": TWO})
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == ["a.yaml"]


def test_results_are_the_same_for_any_number_of_jobs(run: Run, tmp_path: Path) -> None:
    systems(tmp_path / "many", 700)
    (tmp_path / "many" / "s0300.yaml").write_text("A: [[x]]")
    one, three = (run("batch", "many", "--jobs", jobs) for jobs in ("1", "3"))
    assert one.returncode == three.returncode == 2
    assert one.stdout == three.stdout
    assert len(lines(one.stdout)) == 700
    assert one.stderr == three.stderr


def test_the_output_is_not_its_own_input(run: Run, tmp_path: Path) -> None:
    systems(tmp_path / "many", 3)
    for _ in range(2):
        assert run("batch", "many", "-o", "many/results.jsonl").returncode == 0
        assert len(lines((tmp_path / "many" / "results.jsonl").read_text())) == 3
    (tmp_path / "many" / "plain").write_text(TWO)
    result = run("batch", "many/plain", "-o", "many/plain")
    assert result.returncode == 2
    assert "is the input" in result.stderr
    for arguments in (["many", "-o", "many/plain"], ["many/s0001.yaml", "-o", "many/plain"]):
        result = run("batch", *arguments)
        assert result.returncode == 2
        assert "exists, and is no batch's results" in result.stderr
    assert (tmp_path / "many" / "plain").read_text() == TWO
    assert run("batch", "many", "-o", "many/s0000.yaml").returncode == 2
    (tmp_path / "many" / "plain").unlink()
    assert (tmp_path / "many" / "s0000.yaml").read_text().startswith("A: ")
    (tmp_path / "s.jsonl").write_text('{"name": "a", "A": [[1]]}\n')
    assert run("batch", "many", "-o", "s.jsonl").returncode == 2
    assert run("batch", "many", "--output-dir", "many").returncode == 2
    assert run("batch", "many/s0001.yaml", "--output-dir", "many").returncode == 2
    assert sorted(os.listdir(tmp_path / "many")) == ["results.jsonl", "s0000.yaml", "s0001.yaml", "s0002.yaml"]


# resumption


def result_of(run: Run, tmp_path: Path, *arguments: str) -> str:
    assert run("batch", "many", "-o", "r.jsonl", *arguments).returncode in (0, 2)
    return (tmp_path / "r.jsonl").read_text()


def test_a_batch_is_resumed_where_it_was_cut_off(run: Run, tmp_path: Path) -> None:
    systems(tmp_path / "many", 30)
    (tmp_path / "many" / "s0010.yaml").write_text(f"{TWO}---\n{TWO}---\nA: [[x]]\n")
    (tmp_path / "many" / "s0020.yaml").write_text("A: [[x]]\n")
    whole = result_of(run, tmp_path)
    path = tmp_path / "r.jsonl"
    for length in (0, 5, len(whole) // 3, len(whole) // 2, len(whole) - 1, len(whole)):
        path.write_text(whole[:length])
        assert result_of(run, tmp_path, "--resume") == whole, length
    identity = path.stat().st_ino
    assert result_of(run, tmp_path, "--resume") == whole
    assert path.stat().st_ino == identity
    cuts = [i for i, character in enumerate(whole) if character == "\n" and "s0010" in whole[i - 2000 : i]]
    for cut in cuts[:4]:
        path.write_text(whole[: cut + 1])
        assert result_of(run, tmp_path, "--resume") == whole
    path.unlink()
    assert result_of(run, tmp_path, "--resume") == whole


def test_only_what_has_changed_is_solved_again(run: Run, tmp_path: Path) -> None:
    names = systems(tmp_path / "many", 20)
    whole = result_of(run, tmp_path)
    marked = whole.replace('"rank_tolerance": 0', '"rank_tolerance": 7')
    (tmp_path / "r.jsonl").write_text(marked)
    (tmp_path / names[7]).write_text("A: [[8]]\n")
    (tmp_path / names[3]).unlink()
    (tmp_path / "many" / "s0011x.yaml").write_text("A: [[9]]\n")
    found = lines(result_of(run, tmp_path, "--resume"))
    assert [record["source"] for record in found] == sorted([*names[:3], *names[4:], "many/s0011x.yaml"])
    solved = [record["source"] for record in found if record["rank_tolerance"] == 0]
    assert solved == [names[7], "many/s0011x.yaml"]
    assert [record["dy_dx"] for record in found if record["source"] == names[7]] == [[[0.125]]]
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".implicitgrad")]
    other = lines(result_of(run, tmp_path, "--resume", "--arithmetic", "float"))
    assert {record["arithmetic"] for record in other} == {"float"}


def test_a_stream_is_resumed_by_its_lines(run: Run, tmp_path: Path) -> None:
    text = "".join(f'{{"A": [[{k}]]}}\n' for k in (1, 2, 2, 3, 1))
    run("batch", "-", "-o", "r.jsonl", stdin=text)
    whole = (tmp_path / "r.jsonl").read_text()
    (tmp_path / "r.jsonl").write_text("".join(whole.splitlines(keepends=True)[:2]))
    run("batch", "-", "-o", "r.jsonl", "--resume", stdin=text)
    assert (tmp_path / "r.jsonl").read_text() == whole


# faults


def poisoned(items: Sequence[Item], question: BatchTask) -> Answered:
    """Answers, but for the sources that kill who works on them."""
    for item in items:
        if "poison" in item.source:
            os.kill(os.getpid(), signal.SIGKILL)
    return answer_items(items, question)


def test_a_fault_in_one_system_is_exit_3_and_costs_no_other(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(system: Any, *arguments: Any, **options: Any) -> Any:
        if system.name == "bad":
            raise IndexError("tuple index out of range")
        return solve(system, *arguments, **options)

    solve = steps.solve_system
    monkeypatch.setattr(steps, "solve_system", faulty)
    result = run("batch", "good.yaml", "bad.yaml", "-j", "1", files={"good.yaml": TWO, "bad.yaml": TWO})
    assert [record.get("error", {}).get("code") for record in lines(result.stdout)] == [None, "fault"]
    assert result.returncode == 3
    assert "bad.yaml: internal error: IndexError: tuple index out of range" in result.stderr


@pytest.mark.parametrize("place", [0, 5, 31, 32, 37, 70])
def test_a_slow_system_is_left_with_all_behind_it_once_there_are_answers(place: int) -> None:
    entries = random.Random(place)
    large = [[entries.randrange(10**9, 10**10) for _ in range(30)] for _ in range(30)]
    items = [Item(f"s{k}", b"A: [[%d]]" % (k + 1)) for k in range(75)]
    items[place] = Item("large", f"A: {large}".encode())
    results, rest = answer_items(items, BatchTask())
    assert [result.source for result in results] + [item.source for item in rest] == [item.source for item in items]
    assert rest == (items[place:] if place else [])


def test_arrays_keep_every_loss_where_another_system_has_one(run: Run, tmp_path: Path) -> None:
    text = '{"A": [[2]], "dL_dy": [[1], [3]]}\n{"A": [[4]], "dL_dy": [1]}\n'
    assert run("batch", "-", "-o", "r.npz", stdin=text).returncode == 0
    with np.load(tmp_path / "r.npz") as found:
        np.testing.assert_array_equal(found["dL_dx"], [[[0.5], [1.5]], [[0.25], [np.nan]]])


def test_what_a_worker_did_not_come_to_is_answered_before_the_next_chunk() -> None:
    chunks = [[Item(f"{name}{k}", b"A: [[1]]") for k in range(3)] for name in "ab"]
    pool = Pool(ThreadPoolExecutor, 2, BatchTask(), the_first_alone)
    for chunk in chunks:
        pool.submit(chunk)
    found = [outcome.source for _ in range(6) for outcome in pool.next()]
    pool.close()
    assert found == ["a0", "a1", "a2", "b0", "b1", "b2"]


def the_first_alone(items: Sequence[Item], question: BatchTask) -> Answered:
    return answer_items(items[:1], question)[0], list(items[1:])


@pytest.mark.parametrize("places", spread([{0}, {25}, {49}, {0, 1, 2}, {3, 17, 18, 44}, set()], 2))
def test_a_worker_that_dies_costs_the_system_that_killed_it_and_no_other(places: set[int]) -> None:
    names = [f"poison{k}" if k in places else f"s{k}" for k in range(50)]
    items = [Item(name, b"A: [[%d]]" % (k + 1)) for k, name in enumerate(names)]
    chunks = [items[k : k + 7] for k in range(0, 50, 7)]
    made: list[Executor] = []

    def make(workers: int) -> Executor:
        made.append(ProcessPoolExecutor(workers))
        return made[-1]

    pool = Pool(make, 2, BatchTask(), poisoned)
    found = [outcome for outcomes in answer_all(chunks, BatchTask(), lambda: pool, 4) for outcome in outcomes]
    pool.close()
    assert [outcome.source for outcome in found] == names
    failed = {k for k, outcome in enumerate(found) if outcome.is_failure}
    assert failed == places
    assert all(found[k].problem.code == WORKER_DIED for k in failed)
    for executor in made:
        executor.shutdown()


def test_one_poisoned_file_among_thousands_costs_one_record(run_process: Run, tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    number, poison = (2_000, 1_154) if IS_THOROUGH else (600, 354)
    for k in range(number):
        (tmp_path / "many" / f"s{k:05}{'poison' if k == poison else ''}.yaml").write_text(f"A: [[{k + 1}]]\n")
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, implicitgrad.readers.yaml.reader as yaml\n"
        "read = yaml.read_systems\n"
        "def poisoned(text, source):\n"
        "    if 'poison' in source: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return read(text, source)\n"
        "yaml.read_systems = poisoned\n"
    )
    result = run_process("batch", "many", "--jobs", "2", "-o", "r.jsonl", PYTHONPATH=str(tmp_path))
    assert result.returncode == 2
    found = lines((tmp_path / "r.jsonl").read_text())
    assert [record["source"] for record in found] == sorted(f"many/{name}" for name in os.listdir(tmp_path / "many"))
    assert [k for k, record in enumerate(found) if "error" in record] == [poison]
    assert found[poison]["error"]["code"] == WORKER_DIED
    assert f"{number:,} systems: {number - 1:,} determined, 1 failed" in result.stderr


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def started(folder: Path, *arguments: str, number: int = 6000, **options: Any) -> subprocess.Popen[bytes]:
    """A batch of two processes in the middle of its work."""
    if not (folder / "many.jsonl").exists():
        row = ", ".join(f"0.{k}" for k in range(1, 10))
        line = '{"A": [' + ", ".join(f"[{k}.7, {row}]" for k in range(10)) + "]}\n"
        (folder / "many.jsonl").write_text(line * number)
    command = [PROGRAM, "batch", "many.jsonl", "--jobs", "2", *arguments]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    wait_until(lambda: len(children(process.pid)) == 2 or process.poll() is not None)
    return process


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")


@needs_proc
@pytest.mark.parametrize("has_answered", spread([False, True], 2))
def test_a_worker_that_somebody_kills_costs_nothing(tmp_path: Path, has_answered: bool) -> None:
    number = 1000 if has_answered else 300
    process = started(tmp_path, "-o", "r.jsonl", number=number)
    if has_answered:
        wait_until(lambda: is_filled(tmp_path / "r.jsonl"))
    os.kill(children(process.pid)[0], signal.SIGKILL)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    found = lines((tmp_path / "r.jsonl").read_text())
    assert [record["source"] for record in found] == ["many.jsonl", *(f"many.jsonl#{k}" for k in range(2, number + 1))]
    assert all("error" not in record for record in found)


@needs_proc
@pytest.mark.parametrize("killed", spread([slice(0, 1), slice(1, 2), slice(0, 2)], 3))
def test_workers_killed_in_the_midst_of_their_answers_cost_nothing(tmp_path: Path, killed: slice) -> None:
    process = started(tmp_path, "-o", "r.jsonl", number=1000)
    workers = children(process.pid)
    process.send_signal(signal.SIGSTOP)
    wait_until_blocked(*workers)  # an answer that nobody takes is longer than a pipe
    for pid in workers[killed]:
        os.kill(pid, signal.SIGKILL)
    process.send_signal(signal.SIGCONT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    found = lines((tmp_path / "r.jsonl").read_text())
    assert [record["source"] for record in found] == ["many.jsonl", *(f"many.jsonl#{k}" for k in range(2, 1001))]
    assert all("error" not in record for record in found)
    assert not any(map(is_running, workers))


@needs_proc
@pytest.mark.parametrize(
    ("number", "is_to_group", "times"),
    spread(
        [
            *product([signal.SIGINT], [True, False], [1, 2]),
            (signal.SIGTERM, False, 2),
            (signal.SIGHUP, True, 1),
        ],
        3,
    ),
)
def test_an_interruption_ends_all_at_once_with_what_was_done_written_whole(
    tmp_path: Path, number: int, is_to_group: bool, times: int
) -> None:
    heed = lambda: signal.signal(number, signal.SIG_DFL)  # noqa: E731 (whoever runs the tests may have ignored it)
    process = started(tmp_path, "-o", "r.jsonl", start_new_session=True, preexec_fn=heed)
    wait_until(lambda: is_filled(tmp_path / "r.jsonl"))
    workers = children(process.pid)
    for _ in range(times):
        if is_to_group:
            os.killpg(process.pid, number)
        else:
            os.kill(process.pid, number)
    _, stderr = process.communicate(timeout=10)
    assert process.returncode == 130, stderr
    assert b"Traceback" not in stderr
    assert b"interrupted" in stderr
    found = lines((tmp_path / "r.jsonl").read_text())
    assert 0 < len(found) < 6000
    assert all("error" not in record for record in found)
    wait_until(lambda: not any(map(is_running, workers)))
    assert sorted(os.listdir(tmp_path)) == ["many.jsonl", "r.jsonl"]


def is_filled(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


@needs_proc
def test_workers_do_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    process = started(tmp_path, "-o", "r.jsonl")
    workers = children(process.pid)
    process.kill()
    process.communicate(timeout=10)
    wait_until(lambda: not any(map(is_running, workers)))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("jobs", spread(["2", "1"], 2))
def test_a_full_disk_is_an_error_and_leaves_nobody_behind(run: Run, tmp_path: Path, jobs: str) -> None:
    systems(tmp_path / "many", 600)
    result = run("batch", "many", "-o", "/dev/full", "--jobs", jobs)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "implicitgrad: /dev/full cannot be written: No space left on device\n"
    command = f"{PROGRAM} batch many --jobs {jobs} > /dev/full"
    found = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (
        2,
        "implicitgrad: standard output cannot be written: No space left on device\n",
    )


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_reader_that_goes_away_ends_the_batch_quietly(tmp_path: Path, jobs: str) -> None:
    systems(tmp_path / "many", 900)
    command = f"set -o pipefail; {PROGRAM} batch many --jobs {jobs} | head -n 1; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (141, "")
    assert len(lines(result.stdout)) == 1


def test_files_that_cannot_be_read_cost_a_record_each(run: Run, tmp_path: Path) -> None:
    names = systems(tmp_path / "many", 4)
    (tmp_path / names[1]).unlink()
    (tmp_path / names[1]).symlink_to("nowhere")
    (tmp_path / names[2]).unlink()
    (tmp_path / names[2]).mkdir()
    result = run("batch", *names)
    found = lines(result.stdout)
    assert result.returncode == 2
    assert [record.get("error", {}).get("code") for record in found[:2]] == [None, "cannot-read"]
    assert len(found) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="needs locks")
def test_of_batches_with_one_output_one_writes_it(tmp_path: Path) -> None:
    systems(tmp_path / "many", 400)
    command = [PROGRAM, "batch", "many", "-o", "r.jsonl", "-q", "--jobs", "1"]
    processes = [
        subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        for _ in range(8 if IS_THOROUGH else 4)
    ]
    ends = [(process.communicate(timeout=60)[1], process.returncode) for process in processes]
    assert {code for _, code in ends} <= {0, 2}
    assert sum(code == 0 for _, code in ends) >= 1
    refusal = "implicitgrad: r.jsonl is being written by another batch; expected another file\n"
    assert all(text == ("" if code == 0 else refusal) for text, code in ends)
    assert len(lines((tmp_path / "r.jsonl").read_text())) == 400


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal")
@pytest.mark.parametrize("source", spread(["many", "many.jsonl"], 2))
def test_progress_is_shown_on_a_terminal_and_totals_stay(tmp_path: Path, source: str) -> None:
    import pty

    systems(tmp_path / "many", 400)
    (tmp_path / "many" / "s0007.yaml").write_text("A: [[x]]")
    (tmp_path / "many" / "s0399.yaml").write_text("---\nA: [[1]]\n" * 9)
    (tmp_path / "many.jsonl").write_text('{"A": [[1]]}\n' * 399 + '{"A": [[x]]}\n')
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in SCREEN_VARIABLES} | {"TERM": "xterm"}
    process = subprocess.Popen(
        [PROGRAM, "batch", source, "-o", "r"], cwd=tmp_path, env=environment, stderr=theirs, stdout=subprocess.PIPE
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):
        while block := os.read(ours, 4096):
            shown += block
    assert process.wait() == 2
    text = shown.decode()
    assert "Traceback" not in text
    assert "internal error" not in text
    assert "1 failed" in text
    if source == "many":
        assert "/400" in text
        assert "408/?" in text
        assert all(int(done) <= int(total) for done, total in re.findall("([0-9]+)/([0-9]+)", text))
    os.close(ours)


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A Dask scheduler's address; its process, and those of two workers that are there."""
    distributed = pytest.importorskip("distributed")
    address = f"tcp://127.0.0.1:{free_port()}"
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", address, "--no-dashboard"]
    worker = [
        sys.executable, "-m", "distributed.cli.dask_worker", address, "--nworkers", "1", "--nthreads", "1",
        "--no-dashboard", "--local-directory", str(tmp_path / "scratch"),
    ]  # fmt: skip
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    processes = [subprocess.Popen(command, **quiet) for command in (dask, worker, worker)]
    try:
        with distributed.Client(address, set_as_default=False, timeout=60) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, processes
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@needs_proc
@only_thorough
def test_a_dask_cluster_that_loses_a_worker_gives_every_result_and_one_that_is_gone_ends_the_batch(
    tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, processes = cluster
    lose_a_worker(tmp_path, address, processes[1])
    lose_the_cluster(address, processes[0], processes[2])


def lose_a_worker(tmp_path: Path, address: str, worker: subprocess.Popen[bytes]) -> None:
    line = '{"A": [[0.1, 0.2, 0.3], [0.7, 0.4, 0.9], [0.2, 0.8, 0.6]], "dL_dy": [1, 2, 3]}\n'
    (tmp_path / "many.jsonl").write_text(line * 3000)
    command = [PROGRAM, "batch", "many.jsonl", "--dask", address, "-o", "r.jsonl"]
    batch = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: is_filled(tmp_path / "r.jsonl"))
    os.killpg(worker.pid, signal.SIGKILL)
    _, stderr = batch.communicate(timeout=90)
    assert stderr == "implicitgrad: 3,000 systems: 3,000 determined\n"
    assert batch.returncode == 0
    found = lines((tmp_path / "r.jsonl").read_text())
    assert [record["source"] for record in found[:2]] == ["many.jsonl", "many.jsonl#2"]
    assert len(found) == 3000
    assert all("error" not in record for record in found)


def lose_the_cluster(address: str, scheduler: subprocess.Popen[bytes], worker: subprocess.Popen[bytes]) -> None:
    """Batches that have answered a system end with a message when the next one cannot be answered."""
    command = [PROGRAM, "batch", "-", "--dask", address, "--dask-timeout"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    batches = [subprocess.Popen([*command, timeout], **pipes) for timeout in ("1", "3")]
    for batch in batches:
        batch.stdin.write('{"A": [[2]]}\n')
        batch.stdin.flush()
    answers = [batch.stdout.readline() for batch in batches]
    assert [sources(answer) for answer in answers] == [["-"], ["-"]]
    gone = [("it has had no worker for 1 s", worker), ("the scheduler has not answered for 3 s", scheduler)]
    for batch, (what, killed) in zip(batches, gone, strict=True):
        os.killpg(killed.pid, signal.SIGKILL)
        stdout, stderr = batch.communicate('{"A": [[3]]}\n', timeout=30)
        rest = "What was done is written; --resume goes on from there\n"
        message = f"implicitgrad: --dask {address}: {what}. {rest}"
        assert (batch.returncode, stdout, stderr) == (2, "", message)


@only_thorough
def test_a_listener_that_says_nothing_is_no_scheduler(run_process: Run) -> None:
    import socket

    pytest.importorskip("distributed")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        result = run_process("batch", "a.yaml", "--dask", address, "--dask-timeout", "1", files={"a.yaml": TWO})
    message = (
        f"implicitgrad: --dask {address}: no scheduler answers: it is silent for 1 s. Start one with: dask scheduler\n"
    )
    assert (result.returncode, result.stdout, result.stderr) == (2, "", message)


class Forgetful(Executor):
    """Cancels what it is given at first, as Dask's does when its connection is lost."""

    def __init__(self, times: int) -> None:
        self.times = times

    def submit(self, function: Any, /, *arguments: Any, **others: Any) -> Future[Any]:
        theirs: Future[Any] = Future()
        self.times -= 1
        if self.times == 0:
            raise RuntimeError("closed")
        if self.times > 0:
            theirs.cancel()
        else:
            theirs.set_result(function(*arguments))
        return theirs


class Scheduler:
    """A client of one that loses tasks, or has no worker."""

    def __init__(self, times: int, workers: list[str]) -> None:
        self.executor, self.workers = Forgetful(times), workers
        self.scheduler, self.status = self, "running"
        self.loop = SimpleNamespace(asyncio_loop=asyncio.new_event_loop())
        Thread(target=self.loop.asyncio_loop.run_forever, daemon=True).start()

    def get_executor(self, pure: bool) -> Executor:
        return self.executor

    async def ncores(self, workers: None) -> list[str]:
        return self.workers


@only_thorough
def test_what_a_scheduler_has_forgotten_is_given_to_it_again() -> None:
    scheduler = Scheduler(3, ["a worker"])
    cluster = Cluster(scheduler, "tcp://there", 1)
    assert cluster.submit(sum, (1, 2)).result(timeout=10) == 3
    scheduler.workers, scheduler.executor.times = [], 1000
    for _ in range(2):  # the second, when it is given up
        with pytest.raises(OutputError, match="--dask tcp://there: it has had no worker for 1 s"):
            cluster.submit(sum, (1, 2)).result(timeout=10)
    scheduler.loop.asyncio_loop.call_soon_threadsafe(scheduler.loop.asyncio_loop.stop)


def test_a_cluster_that_does_not_answer_is_an_error(run_process: Run) -> None:
    pytest.importorskip("distributed")
    result = run_process("batch", "a.yaml", "--dask", "nonsense", files={"a.yaml": TWO})
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("implicitgrad: --dask nonsense: ")

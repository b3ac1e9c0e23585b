"""implicitgrad batch: nothing is overwritten that is not its own, and what is odd in files, names and streams."""

import csv
import json
import os
import resource
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import call, wait_until_blocked
from conftest import PROGRAM, Run, spread

from implicitgrad import InputError
from implicitgrad.batch.inputs import chunks as items
from implicitgrad.readers.files import fifo as reading
from implicitgrad.writers.data.csv import COLUMNS

TWO = "A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\n"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs links, FIFOs and limits")


def lines(text: str) -> list[dict[str, Any]]:
    assert not text or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def sources(text: str) -> list[str]:
    return [record["source"] for record in lines(text)]


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line: by a shell if it redirects streams, else in this process."""
    if not set("<>") & set(command):
        return call(folder, *shlex.split(command)[1:])
    return subprocess.run(
        ["bash", "-c", command.replace("implicitgrad", PROGRAM)],
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def shown(folder: Path) -> list[str]:
    """The names in a directory, but for hidden ones."""
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def few(folder: Path, number: int = 4) -> list[str]:
    folder.mkdir(exist_ok=True)
    for k in range(number):
        (folder / f"s{k}.yaml").write_text(f"A: [[{k + 1}]]\n")
    return [f"{folder.name}/s{k}.yaml" for k in range(number)]


# what is never overwritten


@pytest.mark.parametrize("jobs", spread(["2", "1"], 2))
def test_a_batch_does_not_read_what_it_writes(tmp_path: Path, jobs: str) -> None:
    names = few(tmp_path / "many", 100)
    for output in ("> out.jsonl", "> out.jsonl", "-o out.json", "> out.csv -f csv", "> out.csv -f csv"):
        result = shell(f"implicitgrad batch . --jobs {jobs} --exclude 'out.[!{output[-1]}]*' {output}", tmp_path)
        assert result.stderr == "implicitgrad: 100 systems: 100 determined\n", output
    assert sources((tmp_path / "out.jsonl").read_text()) == sorted(names)


@pytest.mark.parametrize(
    ("command", "file", "text"),
    [
        ("batch - -o kept < kept", "kept", '{"A": [[1, 2]]}\n{"A": [[3]]}\n'),
        ("batch - -o kept.jsonl < kept.jsonl", "kept.jsonl", '{"A": [[1, 2]]}\n'),
        ("batch --files-from - -o kept < kept", "kept", "many/s0.yaml\n"),
        ("batch --files-from kept -o kept", "kept", "many/s0.yaml\n"),
        ("batch 'many/sys*' -o many/sys1", "many/sys1", "A: [[1]]\n"),
        ("batch --files-from list -o many/sys1", "many/sys1", "A: [[1]]\n"),
        ("batch many -o many/x.jsonl", "many/x.jsonl", '{"name": "a", "A":[[1, 2]]}\n'),
        ("batch many -o thesis.tex", "thesis.tex", "my thesis\n"),
        ("batch many -o thesis.tex --resume", "thesis.tex", "my thesis\n"),
        ("batch many -o r.npz", "r.npz", "PK no archive\n"),
        ("batch --files-from missing -o r.jsonl", "r.jsonl", None),
        ("batch mani -o r.jsonl", "r.jsonl", None),
        ("batch mani --files-from many -o r.jsonl", "r.jsonl", None),
        ("batch --files-from list --output-dir many", "many/sys1", "A: [[1]]\n"),
        ("batch 'm[a]ny/*.json' --output-dir many", "many/a.json", '{"A": [[1]]}\n'),
        ("batch many/s0.yaml many/s1.yaml --output-dir out", "out/s1.json", '{"A": [[1]]}\n'),
        ("batch many/s0.yaml --output-dir out -f table", "out/s0.txt", "precious\n"),
        ("batch many/sys1 --output-dir out -f table", "out/sys1.json", "{}\n"),
        ("batch many -o c.json", "c.json", '{"name": "circle", "equations": ["x**2 = y"], "y": ["y"]}'),
        ("batch many -o c.json", "c.json", '{"name": "lr", "source": "web", "lr": 0.1}'),
        ("batch many -o c.json", "c.json", '{"name": "data", "data": [' + "1, " * 2**15 + "1]}\n"),
        ("batch many -o c.json", "c.json", '{"name": "b", "B": [[' + "1, " * 2**15 + '1]], "A": [[1]]}\n'),
        ("batch many -o o.jsonl", "o.jsonl", '{"name": "log", "source": "cron", "error": "timeout"}\n'),
        ("batch many -o o.jsonl", "o.jsonl", '{"name": "log", "source": "cron", "exact": true}'),
        ("batch many -o o.jsonl", "o.jsonl", '{"name": "log", "source": "cron", "error": {"a": 1}'),
        ("batch many -o o.csv", "o.csv", "name,source,status"),
        ("batch many -o o.jsonl --resume", "o.jsonl", ",".join(COLUMNS) + "\nr,s,determined\n"),
        ("batch 'none*.yaml' -o r.jsonl", "r.jsonl", None),
        ("batch many/s.jsonl >> many/s.jsonl", "many/s.jsonl", '{"A": [[1, 2]]}\n'),
        ("batch - < many/s.jsonl >> many/s.jsonl", "many/s.jsonl", '{"A": [[1, 2]]}\n'),
    ],
)
def test_no_input_and_no_foreign_file_is_overwritten(tmp_path: Path, command: str, file: str, text: str | None) -> None:
    few(tmp_path / "many")
    (tmp_path / "list").write_text("many/s0.yaml\nmany/s1.yaml\nmany/sys1\n")
    (tmp_path / "out").mkdir()
    if text is None:
        assert shell("implicitgrad batch many -o r.jsonl", tmp_path).returncode == 0
        text = (tmp_path / file).read_text()
    (tmp_path / file).write_text(text)
    result = shell(f"implicitgrad {command}", tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("implicitgrad: ")
    assert "internal error" not in result.stderr
    assert (tmp_path / file).read_text() == text


def test_results_replace_results_torn_ones_too_and_go_to_what_is_open_already(tmp_path: Path) -> None:
    names = few(tmp_path / "many")
    for beginning in ("", "{", '{"na', '{"name": "s0", "source": "many/s'):
        (tmp_path / "r.jsonl").write_text(beginning)
        assert shell("implicitgrad batch many -o r.jsonl -q", tmp_path).returncode == 0
        assert sources((tmp_path / "r.jsonl").read_text()) == names
    (tmp_path / "app").write_text("precious\n")
    assert shell("implicitgrad batch many -o /dev/stdout -q >> app", tmp_path).returncode == 0
    assert (tmp_path / "app").read_text().startswith('precious\n{"name": ')
    for name in ("r.npy", "r.yaml", "r.jsonl.gz"):
        assert shell(f"implicitgrad batch many -o {name}", tmp_path).returncode == 2
    assert shell("implicitgrad batch many -o csv.jsonl -f csv", tmp_path).returncode == 0
    assert (tmp_path / "csv.jsonl").read_text() == shell("implicitgrad batch many -f csv", tmp_path).stdout
    missing = shell("implicitgrad batch many -o nowhere/r.npz", tmp_path)
    assert missing.stderr == "implicitgrad: nowhere/r.npz cannot be written: no such directory\n"
    assert sorted(os.listdir(tmp_path)) == ["app", "csv.jsonl", "many", "r.jsonl"]


# resumption


def test_what_failed_is_tried_again_and_what_is_kept_counts(tmp_path: Path) -> None:
    few(tmp_path / "many")
    (tmp_path / "many" / "s1.yaml").write_text("A: [[x]]\n")
    (tmp_path / "many" / "s2.yaml").write_text("A: [[1, 2]]\ndL_dy: [1, 1]\n")
    first = shell("implicitgrad batch many -o r.jsonl", tmp_path)
    whole = (tmp_path / "r.jsonl").read_text()
    again = shell("implicitgrad batch many -o r.jsonl --resume", tmp_path)
    assert again.returncode == first.returncode == 2
    assert again.stderr == first.stderr.replace("1 failed\n", "1 failed; 3 kept from before\n") != first.stderr
    assert (tmp_path / "r.jsonl").read_text() == whole
    stopped = shell("implicitgrad batch many -o r.jsonl --resume --fail-fast", tmp_path)
    assert stopped.returncode == 2
    assert stopped.stderr.endswith(
        "2 systems: 1 determined, 1 failed; 1 kept from before; stopped at the first failure\n"
    )
    for one in ("determined", "unique-dL_dx", "underdetermined"):
        command = f"implicitgrad batch many/s0.yaml many/s2.yaml -o {one}.jsonl --require {one}"
        fresh, kept = shell(command, tmp_path), shell(f"{command} --resume", tmp_path)
        assert fresh.returncode == kept.returncode == 1
        assert fresh.stderr == kept.stderr.replace("; 2 kept from before", "") != kept.stderr
        assert "not as required" in kept.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("comment", ["", "#" * 2**12 + "\n"], ids=["sent", "read where it is answered"])
def test_a_file_of_several_systems_is_kept_whole_or_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, comment: str
) -> None:
    monkeypatch.setattr(items, "MAX_SENT", 2**12)
    (tmp_path / "k.yaml").write_text(f"A: [[2]]\n{comment}---\nA: [[x]]\n---\nA: [[3]]\n", encoding=encoding)
    few(tmp_path / "many")
    command = "implicitgrad batch many/s0.yaml k.yaml many/s1.yaml -o r.jsonl -q"
    shell(command, tmp_path)
    path = tmp_path / "r.jsonl"
    whole = path.read_text()
    assert len(lines(whole)) == 5
    kept = whole.splitlines(keepends=True)
    for part in (kept[:2], kept[:3], [line for line in kept if '"error": {' not in line], kept[1:], kept[::-1]):
        path.write_text("".join(part))
        assert shell(f"{command} --resume", tmp_path).returncode == 2
        assert path.read_text() == whole


def test_large_files_are_sent_to_workers_that_cannot_read_them(tmp_path: Path) -> None:
    small, large = tmp_path / "small.yaml", tmp_path / "large.yaml"
    small.write_text(TWO)
    large.write_text("#" * items.MAX_SENT + f"\n{TWO}")
    for sends_all in (False, True):
        (chunk,) = items.chunks([str(small), str(large)], sends_all=sends_all)
        assert not isinstance(chunk, InputError)
        assert [item.data is None for item in chunk] == [False, not sends_all]


def test_a_file_named_like_a_document_is_another_file(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("A: [[1]]\n")
    (tmp_path / "f.yaml#2").write_text("A: [[2]]\n")
    for _ in range(2):
        shell("implicitgrad batch f.yaml 'f.yaml#2' -o r.jsonl --resume", tmp_path)
        assert sources((tmp_path / "r.jsonl").read_text()) == ["f.yaml", "f.yaml#2"]


def test_a_failing_line_that_has_moved_says_where_it_is_now(run: Run, tmp_path: Path) -> None:
    files = {"s.jsonl": '{"A": [[1]]}\n{"A": [[x]]}\n'}
    run("batch", "s.jsonl", "-o", "r.jsonl", files=files)
    run("batch", "s.jsonl", "-o", "r.jsonl", "--resume", files={"s.jsonl": '\n{"A": [[1]]}\n\n{"A": [[x]]}\n'})
    assert [record.get("error", {}).get("line") for record in lines((tmp_path / "r.jsonl").read_text())] == [None, 4]


# streams


@pytest.mark.parametrize(
    "first", spread(['{"A": [[1,2]', "[1]", '{"A": [[' + "1" * 5000 + "]]}", "{,}", "nonsense"], 2)
)
@pytest.mark.parametrize("source", ["-", "/dev/stdin", "s.jsonl"])
def test_a_bad_first_line_costs_one_record(tmp_path: Path, first: str, source: str) -> None:
    (tmp_path / "s.jsonl").write_text(f'\n{first}\n{{"A": [[3]]}}\n{{"A": [[4]]}}\n')
    command = f"implicitgrad batch {source}"
    result = shell(command if source == "s.jsonl" else f"{command} < s.jsonl", tmp_path)
    found = lines(result.stdout)
    assert [record.get("dy_dx") for record in found[1:]] == [[[1 / 3]], [[0.25]]]
    assert found[0]["error"]["line"] == 2
    assert result.returncode == 2


def test_what_is_wrong_on_a_line_is_said_of_that_line(run: Run, tmp_path: Path) -> None:
    good = b'{"A": [[1]]}\n'
    bad = [b'{"name": "\xff", "A": [[1]]}', b'{"A": [[1]], "name": "a\0"}', b'{"A": [[1]], "x": ["\\ud83d"]}']
    bad += [b'{"A": [[1]], "name": "\x7f"}', b' "A": [[1]]', b"A: [[1]]", b"{", b"}"]
    (tmp_path / "s.jsonl").write_bytes(good + b"".join(line + b"\n" for line in bad))
    found = lines(run("batch", "s.jsonl").stdout)
    assert [record["error"]["line"] for record in found[1:]] == list(range(2, 2 + len(bad)))
    (tmp_path / "wide.jsonl").write_text(good.decode() * 2, encoding="utf-16")
    assert "expected UTF-8" in run("batch", "wide.jsonl").stderr
    assert lines(run("batch", "-", stdin='{"A": [[1]], "name": "größe"}').stdout)[0]["name"] == "größe"
    assert run("batch", "e.jsonl", files={"e.jsonl": "\n\n"}).returncode == 2
    (tmp_path / "r.jsonl").write_text(run("batch", "-", stdin='{"A": [[1]]}\n' * 50).stdout)
    results = run("batch", "r.jsonl")
    assert "expected systems, got the results of a batch" in results.stderr
    assert len(lines(results.stdout)) == 1


def test_blank_lines_before_a_text_or_a_stream_are_counted(run: Run) -> None:
    blank = "\n" * 300_000
    found = lines(run("batch", "-", stdin=f'{blank}{{"A": [[2]]}}\n{{"A": [[y]]}}\n').stdout)
    assert (found[0]["dy_dx"], found[1]["error"]["line"]) == ([[0.5]], 300_002)
    assert lines(run("batch", "-", stdin=f"{blank}A: [[y]]\n").stdout)[0]["error"]["line"] == 300_001


def test_a_fifo_that_nobody_writes_to_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SECONDS_FOR_A_WRITER", 0.05)
    for name in ("a.jsonl", "b.yaml"):
        os.mkfifo(tmp_path / name)
    found = list(items.chunks([str(tmp_path / "a.jsonl"), str(tmp_path / "b.yaml")]))
    assert ["a FIFO that nobody writes to" in str(error) for error in found] == [True, True]


def test_files_that_go_away_or_cannot_be_read_once_they_are_listed_cost_a_record_each(tmp_path: Path) -> None:
    few(tmp_path / "many")
    os.mkfifo(tmp_path / "many" / "m.jsonl")
    (tmp_path / "many" / "s2.yaml").unlink()
    (tmp_path / "many" / "s2.yaml").symlink_to("/proc/self/mem")
    with subprocess.Popen(
        [PROGRAM, "batch", "many", "-o", "r.jsonl"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as batch:
        with open(tmp_path / "many" / "m.jsonl", "w") as stream:  # opened when the directory has been listed
            (tmp_path / "many" / "s1.yaml").unlink()
            stream.write('{"A": [[7]]}\n')
        _, stderr = batch.communicate(timeout=30)
    assert batch.returncode == 2
    found = lines((tmp_path / "r.jsonl").read_text())
    assert [(record["source"], record.get("error", {}).get("code")) for record in found] == [
        ("many/m.jsonl", None), ("many/s0.yaml", None), ("many/s1.yaml", "cannot-read"),
        ("many/s2.yaml", "cannot-read"), ("many/s3.yaml", None),
    ]  # fmt: skip
    assert "many/s1.yaml: cannot be read: No such file or directory" in stderr
    assert sorted(os.listdir(tmp_path)) == ["many", "r.jsonl"]


def test_a_fifo_is_a_stream(tmp_path: Path) -> None:
    result = shell("""implicitgrad batch <(printf '{"A": [[1]]}\\n{"A": [[x]]}\\n{"A": [[4]]}\\n')""", tmp_path)
    assert [record.get("status") for record in lines(result.stdout)] == ["determined", None, "determined"]


def test_standard_output_may_be_a_pipe_that_does_not_block(tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text('{"A": [[1, 2], [3, 4]]}\n' * 400)
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    with subprocess.Popen([PROGRAM, "batch", "s.jsonl", "-q", "-j1"], cwd=tmp_path, stdout=theirs) as process:
        os.close(theirs)
        wait_until_blocked(process.pid)  # the pipe is full
        with open(ours, "rb") as stream:
            assert len(stream.read().splitlines()) == 400
    assert process.returncode == 0


def test_a_line_that_does_not_fit_on_the_disk_is_taken_back(tmp_path: Path) -> None:
    names = few(tmp_path / "many", 40)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))

    command = [PROGRAM, "batch", "many", "-o", "r.jsonl"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, preexec_fn=limit, check=False)
    assert (result.returncode, result.stderr) == (2, "implicitgrad: r.jsonl cannot be written: File too large\n")
    found = sources((tmp_path / "r.jsonl").read_text())
    assert found == sorted(names)[: len(found)]
    (tmp_path / "r.jsonl").write_text((tmp_path / "r.jsonl").read_text().replace("many/s1.yaml", "many/other.yaml"))
    command += ["--resume"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, preexec_fn=limit, check=False)
    assert sorted(os.listdir(tmp_path)) == ["many", "r.jsonl"]


# names and directories


def test_each_file_is_taken_once_whatever_way_leads_to_it(run: Run, tmp_path: Path) -> None:
    names = few(tmp_path / "many")
    (tmp_path / "many" / "self").symlink_to(".")
    (tmp_path / "link").symlink_to("many")
    (tmp_path / "many" / "latest.yaml").symlink_to("s3.yaml")
    expected = ["many/latest.yaml", *names]
    assert sources(run("batch", "many").stdout) == expected
    assert sources(run("batch", "many", str(tmp_path / "many"), "link", "many/").stdout) == expected
    assert len(lines(run("batch", "many/**/*.yaml").stdout)) == 5


def test_files_of_answers_stay_in_their_directory(tmp_path: Path) -> None:
    for folder in ("run#7", "y#", "out", "out/y-"):
        (tmp_path / folder).mkdir()
    (tmp_path / "run#7" / "m.yaml").write_text("A: [[1]]\n---\nA: [[2]]\n")
    long = "漢" * 80
    for name in (f"{long}.yml", f"{long}.csv"):
        (tmp_path / "run#7" / name).write_text("1\n" if name.endswith("csv") else "A: [[1]]\n")
    result = shell("implicitgrad batch 'run#7' 'y#/../run#7/../run#7/m.yaml' --output-dir out", tmp_path)
    assert (result.returncode, result.stderr) == (0, "implicitgrad: 4 systems: 4 determined\n")
    found = [name for name in shown(tmp_path / "out") if (tmp_path / "out" / name).is_file()]
    assert found == ["m-2.json", "m.json", *sorted([f"{'漢' * 66}-2.json", f"{'漢' * 66}.json"])]
    assert not (tmp_path / "m.json").exists()


@pytest.mark.parametrize(("form", "suffix"), [("table", ".txt"), ("npy", ".npy"), ("npz", ".npz")])
def test_an_answer_and_a_failure_of_one_system_do_not_stand_side_by_side(
    run: Run, tmp_path: Path, form: str, suffix: str
) -> None:
    for text, expected in (("A: [[x]]", "s.json"), ("A: [[1]]", f"s{suffix}"), ("A: [[x]]", "s.json")):
        run("batch", "s.yaml", "--output-dir", "out", "-f", form, files={"s.yaml": text})
        assert shown(tmp_path / "out") == [expected]
    record = json.loads((tmp_path / "out" / "s.json").read_text())
    assert (record["name"], len(record["content_hash"]), record["error"]["code"]) == ("s", 64, "bad-number")


@pytest.mark.parametrize(
    ("form", "suffix"), [("markdown", "md"), ("latex", "tex"), ("yaml", "yaml"), ("csv", "csv"), ("table", "txt")]
)
def test_a_file_each_is_what_solve_writes(run: Run, tmp_path: Path, form: str, suffix: str) -> None:
    files = {"a.yaml": TWO, "b.yaml": "A: [[1, 2]]\nB: [[1, 2]]\n", "c.jsonl": '{"A": [[1, 2.50], [3, 4]]}\n'}
    result = run("batch", *files, "--output-dir", "out", "-f", form, files=files)
    for name in files:
        file = tmp_path / "out" / f"{name[0]}.{suffix}"
        assert file.read_text("utf-8") == run("solve", name, "-f", form).stdout
    assert result.returncode == 0
    assert shown(tmp_path / "out") == [f"a.{suffix}", f"b.{suffix}", f"c.{suffix}"]


def test_labels_in_csv_are_no_formulas_and_no_commands(run: Run, tmp_path: Path) -> None:
    files = {
        "=b.yaml": 'name: "=HYPERLINK(1)"\nA: [[1]]\n',
        "c.yaml": 'name: "\\e[31mred"\nA: [[1]]\n',
        "d.yaml": "A: [[x]]",
    }
    result = run("batch", *files, "-", "-f", "csv", files=files, stdin='{"A": [[1]], "dL_dy": [-1]}')
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert [row["name"] for row in rows] == ["'=HYPERLINK(1)", "\\x1b[31mred", "d", "-"]
    assert [row["source"] for row in rows] == ["'=b.yaml", "c.yaml", "d.yaml", "-"]
    assert rows[3]["dL_dx"] == "[-1]"


def test_lists_may_begin_with_a_mark_and_a_directory_is_none(run: Run, tmp_path: Path) -> None:
    names = few(tmp_path / "many")
    (tmp_path / "list").write_text("\n".join(names), encoding="utf-8-sig")
    assert sources(run("batch", "--files-from", "list").stdout) == names
    result = run("batch", "--files-from", "many")
    assert (result.returncode, result.stdout) == (2, "")
    assert "it is a directory, and is given without --files-from" in result.stderr


def test_free_unknowns_are_chosen_where_there_are_any(run: Run) -> None:
    files = {"a.yaml": "A: [[2]]", "b.yaml": "A: [[3, 5]]", "c.yaml": "A: [[3, 5]]\ny: [p, q]\n"}
    result = run("batch", *files, "--free", "y2", files=files)
    found = lines(result.stdout)
    assert (found[0]["status"], found[1]["free_parameters"]) == ("determined", ["dy2/dx1"])
    assert found[2]["error"]["message"] == "free: 'y2' is not an unknown of c.yaml; expected p, q"
    assert result.stderr.count("c.yaml: ") == 1


def test_a_stack_keeps_its_order_and_says_what_failed(run: Run, tmp_path: Path) -> None:
    few(tmp_path / "many", 3)
    assert run("batch", "many", "missing.yaml", "-o", "r.npz").returncode == 2
    with np.load(tmp_path / "r.npz") as found:
        assert found["status"].tolist() == [*["determined"] * 3, "error"]
        assert found["dy_dx"][:3, 0, 0].tolist() == [1, 1 / 2, 1 / 3]

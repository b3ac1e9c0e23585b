"""implicitgrad batch: what becomes of results when there is another batch, a stalled reader, or an interruption."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import wait_until, wait_until_blocked
from conftest import PROGRAM, Run, only_thorough, spread

from implicitgrad.batch.answers.schedule import Answered, answer_items
from implicitgrad.batch.outputs.lines import locked
from implicitgrad.batch.task import BatchTask, Item
from implicitgrad.batch.workers.pool import WORKER_DIED, Pool
from implicitgrad.batch.workers.processes import local
from implicitgrad.terminal.signals import Interruptions

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals, links and FIFOs")
RESUME_IT = "; interrupted; the same command with --resume keeps these and answers the rest\n\n"
SYSTEM = '{"A": [[3, 1, 4], [1, 5, 9], [2, 6, 5]], "dL_dy": [1, 2, 3]}\n'


def lines(text: str) -> list[dict[str, Any]]:
    assert not text or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def sources(name: str, number: int) -> list[str]:
    return [name, *(f"{name}#{k}" for k in range(2, number + 1))]


def batch(folder: Path, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    command = [PROGRAM, "batch", *arguments]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, **options)


def test_resuming_beside_another_batch_loses_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "many.jsonl").write_text(SYSTEM * 1500)
    (tmp_path / "few.jsonl").write_text(SYSTEM * 5)
    run("batch", "many.jsonl", "-o", "whole.jsonl", "-q")
    whole = (tmp_path / "whole.jsonl").read_text()
    for delay in spread((0.05, 0.15, 0.25), 2):
        (tmp_path / "r.jsonl").write_text("".join(whole.splitlines(keepends=True)[:1450]))
        other = batch(tmp_path, "few.jsonl", "-o", "r.jsonl", "--resume", "-q")
        time.sleep(delay)
        ours = run("batch", "many.jsonl", "-o", "r.jsonl", "--resume", "-q", "-j1")
        other.communicate(timeout=60)
        found = [record["source"] for record in lines((tmp_path / "r.jsonl").read_text())]
        if ours.returncode == 0:
            assert found == sources("many.jsonl", 1500)
        else:
            assert "is being written by another batch" in ours.stderr
            assert found == sources("few.jsonl", 5)


def test_the_file_that_is_locked_is_the_one_that_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import fcntl

    lock, path, other = fcntl.flock, tmp_path / "r.jsonl", tmp_path / "other"
    path.write_text("before\n")
    other.write_text("another batch's\n")

    def late(descriptor: int, operation: int) -> None:
        if other.exists():  # which a batch puts in its place between opening and locking
            os.replace(other, path)
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with open(locked(str(path))) as file:
        assert file.read() == "another batch's\n"


@pytest.mark.parametrize(("jobs", "number"), spread(product(["2", "1"], [signal.SIGINT, signal.SIGTERM]), 4))
def test_a_reader_that_does_not_read_keeps_no_batch_alive(tmp_path: Path, jobs: str, number: int) -> None:
    (tmp_path / "many.jsonl").write_text(SYSTEM * 4000)
    heed = lambda: signal.signal(number, signal.SIG_DFL)  # noqa: E731 (whoever runs the tests may have ignored it)
    process = batch(tmp_path, "many.jsonl", "-j", jobs, stdout=subprocess.PIPE, preexec_fn=heed)
    wait_until_blocked(process.pid)  # the pipe is full
    process.send_signal(number)
    begun = time.monotonic()
    assert process.wait(timeout=10) == 130
    assert time.monotonic() - begun < 4
    assert process.stdout is not None
    assert process.stderr is not None
    *whole, _ = process.stdout.read().split(b"\n")
    assert [json.loads(line)["source"] for line in whole] == sources("many.jsonl", len(whole))
    assert b"interrupted" in process.stderr.read()


def test_an_interruption_does_not_put_some_arrays_in_the_place_of_all(run: Run, tmp_path: Path) -> None:
    (tmp_path / "few.jsonl").write_text(SYSTEM * 5)
    os.mkfifo(tmp_path / "many.jsonl")
    assert run("batch", "few.jsonl", "-o", "r.npz", "-q").returncode == 0
    before = (tmp_path / "r.npz").read_bytes()
    for name in ("r.npz", "new.npz"):
        process = batch(tmp_path, "many.jsonl", "-o", name, "-j1", preexec_fn=lambda: signal.signal(2, signal.SIG_DFL))
        with open(tmp_path / "many.jsonl", "w") as endless:
            endless.write(SYSTEM * 1000)
            endless.flush()
            wait_until_blocked(process.pid)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
        assert process.returncode == 130
    assert (tmp_path / "r.npz").read_bytes() == before
    with np.load(tmp_path / "new.npz") as found:
        assert 0 < len(found["source"]) <= 1000
    assert run("batch", "missing.jsonl", "-o", "no.npz").returncode == 2


def test_arrays_are_written_by_one_batch_at_a_time(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.jsonl")
    (tmp_path / "few.jsonl").write_text(SYSTEM * 5)
    first = batch(tmp_path, "fifo.jsonl", "-o", "r.npz", "-j1")
    with open(tmp_path / "fifo.jsonl", "w") as unfinished:
        unfinished.write(SYSTEM * 800)
        wait_until((tmp_path / "r.npz").exists)
        second = run("batch", "few.jsonl", "-o", "r.npz")
    assert (second.returncode, second.stdout) == (2, "")
    assert "r.npz is being written by another batch" in second.stderr
    first.communicate(timeout=60)
    with np.load(tmp_path / "r.npz") as found:
        assert len(found["source"]) == 800


def test_a_directory_of_answers_is_written_again_and_a_link_in_it_is_not(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.yaml").write_text("A: [[2]]\n")
    for _ in range(2):
        assert run("batch", "in", "--output-dir", "out", "-f", "yaml").returncode == 0
    assert "1/2" in (tmp_path / "out" / "a.yaml").read_text()
    (tmp_path / "out" / "a.yaml").unlink()
    (tmp_path / "out" / "a.yaml").symlink_to("../in/a.yaml")
    result = run("batch", "in", "--output-dir", "out", "-f", "yaml")
    assert result.returncode == 2
    assert "out/a.yaml exists, and is no batch's" in result.stderr
    assert (tmp_path / "in" / "a.yaml").read_text() == "A: [[2]]\n"


def test_resuming_without_systems_keeps_the_results(run: Run, tmp_path: Path) -> None:
    run("batch", "-", "-o", "r.jsonl", stdin=SYSTEM * 3)
    before = (tmp_path / "r.jsonl").read_text()
    assert run("batch", "--files-from", "-", "-o", "r.jsonl", "--resume", stdin="").returncode == 0
    assert (tmp_path / "r.jsonl").read_text() == before


def test_what_is_damaged_in_the_midst_of_results_is_done_again(run: Run, tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text(SYSTEM * 20)
    run("batch", "s.jsonl", "-o", "r.jsonl")
    whole = (tmp_path / "r.jsonl").read_bytes()
    kept = whole.splitlines(keepends=True)
    for damaged in (kept[7][:40] + kept[7], b"\0" * 40 + b"\n", kept[7].replace(b"[", b"("), kept[7] * 2, kept[3]):
        (tmp_path / "r.jsonl").write_bytes(b"".join([*kept[:7], damaged, *kept[8:]]))
        assert run("batch", "s.jsonl", "-o", "r.jsonl", "--resume").returncode == 0
        assert (tmp_path / "r.jsonl").read_bytes() == whole


@pytest.mark.parametrize("closed", spread(["0<&-", "1>&-", "2>&-", "1>&- 2>&-"], 2))
def test_closed_streams_change_no_results(run: Run, tmp_path: Path, closed: str) -> None:
    (tmp_path / "many.jsonl").write_text(SYSTEM * 50)
    (tmp_path / "few.jsonl").write_text(SYSTEM * 5)
    run("batch", "many.jsonl", "-o", "r.npz", "-q")
    command = f"{PROGRAM} batch few.jsonl -o r.npz -q {closed} && {PROGRAM} batch few.jsonl -o r.jsonl -q {closed}"
    assert subprocess.run(["bash", "-c", command], cwd=tmp_path, check=False).returncode == 0
    with np.load(tmp_path / "r.npz") as found:
        assert {len(found[key]) for key in ("source", "status", "rank", "dy_dx")} == {5}
    assert len(lines((tmp_path / "r.jsonl").read_text())) == 5


def test_the_list_of_a_directory_is_no_link_and_may_be_torn(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("A: [[2]]\n")
    (tmp_path / "linked").mkdir()
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "linked" / ".implicitgrad-batch").symlink_to("../victim")
    result = run("batch", "a.yaml", "--output-dir", "linked")
    assert (result.returncode, "is a link" in result.stderr) == (2, True)
    assert (tmp_path / "victim").read_text() == "precious"
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / ".implicitgrad-batch").write_bytes(b"\xff\xfe\nL2")
    for _ in range(2):
        assert run("batch", "a.yaml", "--output-dir", "torn").returncode == 0
    assert (tmp_path / "torn" / ".implicitgrad-batch").read_bytes() == b"a.json\n"
    (tmp_path / "many.jsonl").write_text(SYSTEM * 400)
    full = f"ulimit -f 2; PYTHONDONTWRITEBYTECODE=1 {PROGRAM} batch many.jsonl --output-dir full -q"
    result = subprocess.run(["bash", "-c", full], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, "cannot be written: File too large" in result.stderr) == (2, True)


def test_what_cannot_begin_leaves_earlier_results(run: Run, tmp_path: Path) -> None:
    (tmp_path / "many.jsonl").write_text(SYSTEM * 600)
    run("batch", "many.jsonl", "-o", "r.jsonl", "-q")
    before = (tmp_path / "r.jsonl").read_bytes()
    command = f"ulimit -n 12; {PROGRAM} batch many.jsonl -o r.jsonl -j 8"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert (tmp_path / "r.jsonl").read_bytes() == before


@pytest.mark.parametrize("pause", spread([0.05, 0.3, 0.8], 3))
def test_a_slow_reader_gets_whole_lines_and_the_batch_ends(tmp_path: Path, pause: float) -> None:
    (tmp_path / "many.jsonl").write_text(SYSTEM * 20000)
    heed = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    process = batch(tmp_path, "many.jsonl", "-j2", stdout=subprocess.PIPE, preexec_fn=heed)
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    begun = interrupted = ended = None
    found = b""
    while block := os.read(descriptor, 4096):
        begun = begun or time.monotonic()
        found += block
        time.sleep(pause)
        if interrupted is None and time.monotonic() - begun > 0.5:
            process.send_signal(signal.SIGINT)
            interrupted = time.monotonic()
        if interrupted is not None and ended is None and process.poll() is not None:
            ended = time.monotonic()
            pause = 0
    assert process.wait(timeout=10) == 130
    assert interrupted is not None
    assert (ended or time.monotonic()) - interrupted < 5
    found_sources = [record["source"] for record in lines(found.decode())]
    assert found_sources == sources("many.jsonl", len(found_sources))
    assert process.stderr is not None
    assert f"implicitgrad: {len(found_sources):,} system".encode() in process.stderr.read()


def test_an_interruption_leaves_no_gap(tmp_path: Path) -> None:
    (tmp_path / "many.jsonl").write_text(SYSTEM * 20000)
    heed = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    for size in spread((0, 1, 20_000, 100_000, 300_000, 600_000, 1_000_000, 2_000_000), 3):
        path = tmp_path / f"{size}.jsonl"
        process = batch(tmp_path, "many.jsonl", "-j2", "-o", path.name, preexec_fn=heed)
        wait_until(lambda path=path, size=size: path.exists() and path.stat().st_size >= size)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
        found = [record["source"] for record in lines(path.read_text())]
        assert found == sources("many.jsonl", 20000)[: len(found)]
        assert f"implicitgrad: {len(found):,} systems".encode() in told
        assert told.decode().endswith(RESUME_IT if found else "; interrupted\n\n")


AT_FORK = """
import os, signal, sys
def interrupt(): os.kill(os.getpid(), signal.{signal})
if sys.argv[1:2] == ["batch"]: os.register_at_fork({moment}=interrupt)
"""


@pytest.mark.parametrize(
    ("moment", "number"),
    spread(product(["before", "after_in_parent"], [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]), 2),
)
def test_an_interruption_while_a_worker_is_forked_is_not_lost(tmp_path: Path, moment: str, number: int) -> None:
    (tmp_path / "many.jsonl").write_text(SYSTEM * 6000)
    (tmp_path / "sitecustomize.py").write_text(AT_FORK.format(signal=signal.Signals(number).name, moment=moment))
    heed = lambda: signal.signal(number, signal.SIG_DFL)  # noqa: E731 (whoever runs the tests may have ignored it)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    process = batch(tmp_path, "many.jsonl", "-j2", "-o", "r.jsonl", preexec_fn=heed, env=environment)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (130, b"implicitgrad: 0 systems; interrupted\n\n")


def test_an_interruption_that_python_drops_is_raised_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dropping:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

    done: list[str] = []

    def work() -> None:
        with Interruptions() as interruptions, interruptions.deferred():
            with interruptions.allowed():
                Dropping()
                done.append("computed")
            done.append("written")

    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: done.append(type(dropped.exc_value).__name__))
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert done == ["KeyboardInterrupt", "computed"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("number", spread([signal.SIGKILL, signal.SIGINT], 2))
def test_an_interrupted_directory_holds_what_its_list_says_and_is_completed(
    run: Run, tmp_path: Path, number: int
) -> None:
    (tmp_path / "many.jsonl").write_text((SYSTEM * 40 + '{"A": [[x]]}\n') * 6)
    arguments = ["many.jsonl", "-j2", "-f", "npy", "--output-dir"]
    run("batch", *arguments, "fresh")
    fresh = contents(tmp_path / "fresh")
    assert len(fresh) == 247
    heed = lambda: number == signal.SIGKILL or signal.signal(number, signal.SIG_DFL)  # noqa: E731
    for least in (2, 90):
        folder = tmp_path / f"{least}"
        process = batch(tmp_path, *arguments, folder.name, preexec_fn=heed)
        wait_until(lambda folder=folder, least=least: folder.exists() and len(os.listdir(folder)) >= least)
        for _ in range(2):
            process.send_signal(number)
        _, told = process.communicate(timeout=20)
        if number != signal.SIGKILL:
            found = contents(folder)
            assert process.returncode == 130
            assert f"implicitgrad: {len(found) - 1:,} systems: ".encode() in told
            names = found.pop(".implicitgrad-batch").decode().splitlines()
            assert sorted(names) == sorted(found)
            assert found == {name: fresh[name] for name in names}
        assert run("batch", *arguments, folder.name).returncode == 2
        assert contents(folder) == fresh


def test_the_list_of_a_directory_names_what_is_there(run: Run, tmp_path: Path) -> None:
    def listed() -> set[str]:
        found = set(os.listdir(tmp_path / "out"))
        assert (tmp_path / "out" / ".implicitgrad-batch").read_text().splitlines() == sorted(found)[1:]
        return found

    arguments = ["batch", "a.yaml", "b.yaml", "--output-dir", "out", "-f", "table"]
    run(*arguments, files={"a.yaml": "A: [[x]]\n", "b.yaml": "A: [[2]]\n"})
    assert listed() == {".implicitgrad-batch", "a.json", "b.txt"}
    run(*arguments, files={"a.yaml": "A: [[1]]\n", "b.yaml": "A: [[x]]\n"})
    assert listed() == {".implicitgrad-batch", "a.txt", "b.json"}
    (tmp_path / "out" / "b.json").unlink()
    (tmp_path / "out" / "b.json").mkdir()
    assert "b.json exists, and is no batch's" in run(*arguments).stderr


@only_thorough
def test_an_interrupted_resumption_has_each_system_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "many.jsonl").write_text(SYSTEM * 6000)
    run("batch", "many.jsonl", "-o", "whole.jsonl", "-q")
    kept = (tmp_path / "whole.jsonl").read_text().splitlines(keepends=True)[:3000]
    (tmp_path / "many.jsonl").write_text('{"A": [[77]]}\n' + SYSTEM * 5999)
    heed = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    for delay in spread((0.15, 0.2, 0.25, 0.35), 2):
        (tmp_path / "r.jsonl").write_text("".join(kept))
        process = batch(tmp_path, "many.jsonl", "-j2", "-o", "r.jsonl", "--resume", preexec_fn=heed)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        found = [record["source"] for record in lines((tmp_path / "r.jsonl").read_text())]
        assert len(found) == len(set(found)) >= 3000


@pytest.mark.parametrize("source", ['"b\tc"', '"\\x"', b'"\xff"'])
def test_a_damaged_record_ends_what_is_kept(run: Run, tmp_path: Path, source: str | bytes) -> None:
    (tmp_path / "s.jsonl").write_text(SYSTEM * 6)
    run("batch", "s.jsonl", "-o", "r.jsonl")
    whole = (tmp_path / "r.jsonl").read_bytes()
    named = source if isinstance(source, bytes) else source.encode()
    damaged = b'{"name": "a", "source": ' + named + b', "arithmetic": "exact"}\n'
    (tmp_path / "r.jsonl").write_bytes(b"".join(whole.splitlines(keepends=True)[:3]) + damaged)
    for more in ([], ["--require", "determined"]):
        assert run("batch", "s.jsonl", "-o", "r.jsonl", "--resume", *more).returncode == 0
        assert (tmp_path / "r.jsonl").read_bytes() == whole


DEADLY = "7919"


def deadly(items: list[Item], question: BatchTask) -> Answered:
    """Answers, but dies of a system with a certain number in it."""
    for item in items:
        documents = (item.data or b"").decode().split("---\n")
        meant = documents if item.only is None else [documents[item.only]]
        if any(DEADLY in document for document in meant):
            os.kill(os.getpid(), signal.SIGKILL)
    return answer_items(items, question)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_document_that_kills_its_worker_costs_no_other_of_its_file(place: int) -> None:
    documents = ["A: [[1]]\n", "A: [[2]]\n", "A: [[3]]\n"]
    documents[place] = f"A: [[{DEADLY}]]\n"
    items = [Item("a.yaml", b"A: [[1]]"), Item("f.yaml", "---\n".join(documents).encode()), Item("z.yaml", b"A: [[5]]")]
    pool = Pool(local, 2, BatchTask(), deadly)
    pool.submit(items)
    found = pool.next()
    pool.close()
    assert [outcome.source for outcome in found] == ["a.yaml", "f.yaml", "f.yaml#2", "f.yaml#3", "z.yaml"]
    failures = [outcome for outcome in found if outcome.is_failure]
    assert [outcome.source for outcome in failures] == [sources("f.yaml", 3)[place]]
    assert failures[0].problem is not None
    assert failures[0].problem.code == WORKER_DIED


# odd sources


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('---\n{"A": [[1]]}\n---\n{"A": [[2]]}\n', "dd"),
        ('# two\n{"A": [[1]]}\n', "d"),
        ('{"A": [[1]]}\n---\n{"A": [[2]]}\n', "dd"),
        ('{"A": [[1]], "expect":\n{"rank": 1}}\n', "d"),
        ('{"A": [[1]],\n "dL_dy": [1]}\n', "d"),
        ('{"A": [[x]]}\n{"A": [[y]]}\n{"A": [[1]]}\n', "eed"),
        ('{"A": [[1, 2\n{"A": [[1]]}\n', "ed"),
        ('hello\n{"A": [[1]]}\n', "ed"),
        ('expect:\n  {"status": "determined"}\nA: [[2]]\n', "d"),
        ('expect:\n\n  {"rank": 1}\nA: [[2]]\n', "d"),
    ],
)
def test_lines_of_json_and_documents_are_told_apart(run: Run, text: str, expected: str) -> None:
    result = run("batch", "-", stdin=text)
    assert "".join("e" if "error" in record else record["status"][0] for record in lines(result.stdout)) == expected


def test_an_endless_line_costs_its_own_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from implicitgrad.batch.inputs import chunks as items

    monkeypatch.setattr(items, "MAX_BYTES", 2**17)
    (tmp_path / "s.jsonl").write_text(f'{{"A": [[1]]}}\n{{"A": [[{"1, " * 2**16}]]}}\n{{"A": [[2]]}}\n')
    found = list(items.chunks([str(tmp_path / "s.jsonl")]))
    assert [chunk[0].line if isinstance(chunk, list) else chunk.problems[0].line for chunk in found] == [1, 2, 3]
    problem = found[1].problems[0]  # type: ignore[union-attr]
    assert (problem.code, problem.source) == ("too-large", f"{tmp_path}/s.jsonl#2")
    assert found[2][0].source == f"{tmp_path}/s.jsonl#3"  # type: ignore[index]
    first = tmp_path / "first"
    first.write_text(f'{{"A": [[{"1, " * 2**17}]]}}\n{{"A": [[2]]}}\n')
    found = list(items.chunks([str(first)]))
    assert [chunk[0].line if isinstance(chunk, list) else chunk.problems[0].line for chunk in found] == [1, 2]


def test_names_in_lists_that_no_file_has_cost_nobody_else(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("A: [[1]]")
    (tmp_path / "a.yaml\r").write_text("A: [[1, 2]]")
    (tmp_path / "list").write_bytes(b"a.yaml\0a.yaml\r\0" + b"x" * 100_000 + b"\0./a.yaml\0")
    found = lines(run("batch", "--files-from", "list").stdout)
    assert [record["source"][:8] for record in found] == ["a.yaml", "a.yaml\r", "xxxxxxxx"]
    assert found[0]["status"] == "determined"
    assert "No such file" not in found[1]["error"]["message"]
    assert "name too long" in found[2]["error"]["message"]
    slow = batch(tmp_path, "--files-from", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert slow.stdin is not None
    assert slow.stdout is not None
    slow.stdin.write(b"a.yaml\n")
    slow.stdin.flush()
    first = slow.stdout.readline()  # so the first block ended there
    rest, _ = slow.communicate(b"d\0x/y.yaml\nb.yaml\n", timeout=30)
    assert slow.returncode == 2
    assert [record["source"] for record in lines((first + rest).decode())] == ["a.yaml", "d\0x/y.yaml", "b.yaml"]


def test_failures_are_told_before_answers_that_are_not_as_required(run: Run) -> None:
    files = {f"w{k:02}.yaml": "A: [[1, 2]]" for k in range(12)} | {"z.yaml": "A: [[nan]]"}
    told = run("batch", *files, "--require", "determined", files=files).stderr.splitlines()
    assert told[0].startswith("implicitgrad: z.yaml:1:6: A[1][1]: expected a number")
    assert told[10] == "implicitgrad: ... and 3 more problems"


def test_too_many_processes_are_no_fault(tmp_path: Path) -> None:
    (tmp_path / "many.jsonl").write_text(SYSTEM * 600)
    command = f"ulimit -n 12; {PROGRAM} batch many.jsonl -j 8"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "processes cannot be started: Too many open files. --jobs asks for fewer" in result.stderr

"""--time-limit, and the budget of algebra: one system without an answer, and all others with theirs."""

import json
import os
import random
import select
import shutil
import signal
import subprocess
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from conftest import PROGRAM, Run, spread

from implicitgrad.batch.answers import schedule, steps
from implicitgrad.batch.isolation import process
from implicitgrad.batch.run import answer_all
from implicitgrad.batch.task import BatchResult, BatchTask, Item
from implicitgrad.batch.workers.pool import Pool
from implicitgrad.batch.workers.processes import kill_all, local
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import LinearSystem
from implicitgrad.solvers.symbolic import solver as symbolic
from implicitgrad.symbolic.equations import linearize as implicit

pytestmark = pytest.mark.forks

SIZE = 100
QUICK = {"A": [[1, 2], [3, 4]], "dL_dy": [1, 1]}


def endless_system() -> dict[str, Any]:
    """Take an hour in exact arithmetic, which doubles do not spare: two rows are the same."""
    draw = random.Random(5)
    rows = [[f"{draw.randint(1, 999)}e{draw.randint(-399, 390)}" for _ in range(SIZE)] for _ in range(SIZE)]
    return {"A": [*rows[:-1], rows[0]]}


@pytest.fixture(scope="module")
def endless() -> str:
    return json.dumps(endless_system())


def documents(*systems: str) -> str:
    return "\n---\n".join(systems)


def work_for_ever(*_: object, **__: object) -> None:
    """As a call of sympy may."""
    while True:
        pass


def take_all_memory(*_: object, **__: object) -> None:
    blocks = []
    while True:
        blocks.append(bytearray(2**24))


def refusal(source: str, seconds: str = "0.5") -> str:
    return f"implicitgrad: {source}: no answer within {seconds} s. --time-limit gives it more\n"


EXACT = ("--arithmetic", "exact", "--time-limit", "0.5")


def test_a_system_that_takes_longer_is_refused_and_the_others_are_answered(run: Run, endless: str) -> None:
    quick = json.dumps(QUICK)
    text = documents(quick, endless, quick, endless)
    result = run("solve", "s.yaml", *EXACT, "-f", "json", files={"s.yaml": text})
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["source"] for record in records] == ["s.yaml", "s.yaml#3"]
    assert [record["dL_dx"] for record in records] == [[-0.5, 0.5]] * 2
    errors = [json.loads(line) for line in result.stderr.splitlines()]
    assert [(error["source"], error["error"]["code"]) for error in errors] == [
        ("s.yaml#2", "time-limit"), ("s.yaml#4", "time-limit"),
    ]  # fmt: skip
    assert result.returncode == 2


def test_a_system_through_standard_input_is_limited_too(run: Run, endless: str) -> None:
    result = run("solve", "-", *EXACT, stdin=documents(endless, json.dumps(QUICK)))
    alone = run("solve", "-", *EXACT, stdin=json.dumps(QUICK))
    assert (result.returncode, result.stderr) == (2, refusal("-"))
    assert result.stdout == alone.stdout.replace("-   x = A·y", "-#2   x = A·y")
    assert alone.returncode == 0


@pytest.mark.parametrize("name", spread(["out.json", "out.npz", "out.md"], 2))
def test_a_file_is_written_whole_or_not_at_all(run: Run, endless: str, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("before")
    text = endless if name.endswith(".npz") else documents(json.dumps(QUICK), endless)
    result = run("solve", "s.yaml", *EXACT, "-o", name, files={"s.yaml": text})
    assert (result.returncode, result.stdout) == (2, "")
    assert (tmp_path / name).read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "s.yaml"])


def test_what_is_answered_in_time_is_what_is_answered_without_a_limit(run: Run, tmp_path: Path) -> None:
    systems = [
        {"A": [[3, 5]], "dL_dy": [7, 11]},
        {"equations": ["x**2 + y**2 = 25"], "y": ["y"]},
        {"A": [["a", "b"], ["c", "d"]]},
        {"A": [["0.1", "0.2"]], "expect": {"dy_dx": [["1"], ["0"]]}},
    ]
    files: dict[str, str | bytes] = {"s.yaml": documents(*map(json.dumps, systems))}
    for command in (["solve"], ["check", "-f", "json"]):
        within, without = (run(*command, "s.yaml", *more, files=files) for more in (["--time-limit", "50"], []))
        assert (within.returncode, within.stdout, within.stderr) == (
            without.returncode, without.stdout, without.stderr,
        )  # fmt: skip
    for name in ("J.npy", "J.npz"):
        run("solve", "-A", "3 5", "-o", name, "--time-limit", "50")
        within = (tmp_path / name).read_bytes()
        run("solve", "-A", "3 5", "-o", name)
        assert within == (tmp_path / name).read_bytes()


def test_what_is_wrong_is_said_as_without_a_limit(run: Run) -> None:
    files: dict[str, str | bytes] = {"s.yaml": "A: [[1, 2]]\n---\nA: [[1, '@']]\n---\nA: [[1], [2, 3]]\n"}
    for arguments in (
        ["solve", "s.yaml"], ["check", "s.yaml"], ["solve", "-A", "1 2; 3"], ["solve", "-A", "1 2", "--free", "z"],
        ["solve", "no.yaml"], ["solve", "s.yaml", "-o", "a.npy"], ["solve", "-A", "1", "--only", "dL_dx"],
    ):  # fmt: skip
        within, without = (run(*arguments, *more, files=files) for more in (["--time-limit", "50"], []))
        assert (within.returncode, within.stdout, within.stderr) == (2, without.stdout, without.stderr)
        assert without.returncode == 2


@pytest.mark.parametrize("value", ["0", "-1", "x", "1e9", "nan", ""])
def test_a_limit_is_a_number_of_seconds(run: Run, value: str) -> None:
    result = run("solve", "-A", "1", f"--time-limit={value}")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("implicitgrad: Invalid value for '--time-limit': expected a number")


LETTERS = json.dumps({"A": [["a", "b"], ["c", "d"]], "expect": {"status": "determined"}})


def test_check_goes_on_with_the_next_system_and_the_next_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbolic, "solve_symbolic", work_for_ever)
    claimed = json.dumps({**QUICK, "expect": {"dL_dx": [-0.5, 0.5]}})
    files: dict[str, str | bytes] = {"a.yaml": documents(LETTERS, claimed), "b.yaml": claimed}
    result = run("check", "a.yaml", "b.yaml", "--time-limit", "0.5", "-f", "json", files=files)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["source"], one.get("holds")) for one in records] == [
        ("a.yaml", None), ("a.yaml#2", True), ("b.yaml", True),
    ]  # fmt: skip
    assert records[0]["error"]["code"] == "time-limit"
    assert result.returncode == 2


@pytest.mark.parametrize(("command", "limit"), spread(product(["solve", "check"], ["time", "memory"]), 3))
def test_algebra_has_a_budget(run: Run, monkeypatch: pytest.MonkeyPatch, command: str, limit: str) -> None:
    fault = {"time": work_for_ever, "memory": take_all_memory}[limit]
    most = {"time": "0.3 s", "memory": "500 MiB of memory"}[limit]
    reason = f"no answer within {most}, as much as algebra may take. Use fewer letters, or numbers"
    monkeypatch.setattr(process, "ALGEBRA_SECONDS", 0.3 if fault is work_for_ever else 60.0)
    monkeypatch.setattr(symbolic, "solve_symbolic", fault)
    quick = json.dumps({**QUICK, "expect": {"status": "determined"}})
    result = run(command, "s.yaml", "-f", "json", files={"s.yaml": documents(LETTERS, quick)})
    error = json.loads(result.stderr)
    assert f"{error['error']['message']}. {error['error']['hint']}".startswith(reason)
    assert (error["source"], error["error"]["code"]) == ("s.yaml", "symbolic-limit")
    assert json.loads(result.stdout.splitlines()[-1])["status"] == "determined"
    assert result.returncode == 2


def test_a_time_limit_replaces_the_budget_of_algebra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ALGEBRA_SECONDS", 0.001)
    refused, answered = (run("solve", "-A", "a b; c d", *more) for more in ([], ["--time-limit", "50"]))
    assert (refused.returncode, answered.returncode) == (2, 0)


def test_update_has_the_budget(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ALGEBRA_SECONDS", 0.3)
    monkeypatch.setattr(symbolic, "solve_symbolic", work_for_ever)
    result = run("check", "--update", "s.yaml", files={"s.yaml": LETTERS})
    assert result.returncode == 2
    assert result.stderr.startswith("implicitgrad: s.yaml: no answer within 0.3 s")


def written_by(run: Run, folder: Path, arguments: list[str], files: dict[str, str | bytes]) -> list[object]:
    """What a batch prints and writes to its output."""
    result = run("batch", *arguments, files=files)
    outputs = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    return [result.returncode, result.stdout, result.stderr, outputs]


@pytest.mark.parametrize("arguments", [[], ["--time-limit", "50"]], ids=["budget", "limit"])
def test_batch_waits_for_a_process_that_starts_slowly(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr(process, "PATIENCE", 0)
    equation = json.dumps({"equations": ["x = y**3"], "y": ["y"], "at": {"x": 8, "y": 2}})
    result = run("batch", "-", "-j", "1", *arguments, stdin=f"{json.dumps(QUICK)}\n{equation}\n")
    assert [json.loads(line)["status"] for line in result.stdout.splitlines()] == ["determined"] * 2
    assert (result.returncode, result.stderr) == (0, "implicitgrad: 2 systems: 2 determined\n")


@pytest.mark.parametrize("jobs", spread(["2", "1"], 2))
def test_batch_goes_on_with_the_next_system(run_process: Run, run: Run, endless: str, jobs: str) -> None:
    quick = json.dumps(QUICK)
    text = "\n".join([quick, endless, quick, endless]) + "\n"
    result = run_process("batch", "-", *EXACT, "-j", jobs, stdin=text)
    alone = run("batch", "-", *EXACT, stdin=f"{quick}\n{quick}\n")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one.get("dL_dx") for one in records] == [[-0.5, 0.5], None, [-0.5, 0.5], None]
    assert result.stdout.splitlines()[0] == alone.stdout.splitlines()[0]
    assert [(one["source"], one["error"]["code"]) for one in records if "error" in one] == [
        ("-#2", "time-limit"), ("-#4", "time-limit"),
    ]  # fmt: skip
    assert result.returncode == 2
    assert result.stderr == (
        refusal("-#2")
        + "implicitgrad: -#4: no answer within 0.5 s\n"  # what to do is said once
        + "implicitgrad: 4 systems: 2 determined, 2 failed\n"
    )


@pytest.mark.parametrize(
    "arguments", [["-o", "out/r.csv"], ["-o", "out/r.npz"], ["--output-dir", "out", "-f", "table"]]
)
def test_a_batch_within_its_limit_is_one_without_a_limit(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    files: dict[str, str | bytes] = {"s.yaml": json.dumps(QUICK)}
    results = []
    for more in (["--time-limit", "50"], []):
        (tmp_path / "out").mkdir(exist_ok=True)
        results.append(written_by(run, tmp_path, ["s.yaml", *arguments, *more], files))
        shutil.rmtree(tmp_path / "out")
    assert results[0] == results[1]
    assert results[0][0] == 0


EQUATIONS = json.dumps({"equations": ["x**2 + y**2 = 25"], "y": ["y"]})


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(work_for_ever, "no answer within 0.3 s,"), (take_all_memory, "no answer within 500 MiB of memory,")],
    ids=["time", "memory"],
)
def test_equations_of_a_batch_have_the_budget_of_algebra(
    run: Run, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., None], reason: str
) -> None:
    monkeypatch.setattr(process, "ALGEBRA_SECONDS", 0.3 if fault is work_for_ever else 60.0)
    monkeypatch.setattr(implicit, "linearize", fault)
    result = run("batch", "-", "-q", stdin=f"{EQUATIONS}\n{json.dumps(QUICK)}\n")
    refused, answered = (json.loads(line) for line in result.stdout.splitlines())
    assert refused["error"]["code"] == "symbolic-limit"
    assert refused["error"]["message"].startswith(reason)
    assert answered["status"] == "determined"
    assert result.returncode == 2


QUICK_ITEMS = [Item(f"{k}.json", json.dumps(QUICK).encode()) for k in range(10)]


@pytest.mark.parametrize(
    ("kind", "jobs", "limit"), spread(product(["numbers", "algebra", "documents"], [1, 2], [None, 3600.0]), 5)
)
def test_a_slow_system_does_not_hold_back_what_is_done(
    monkeypatch: pytest.MonkeyPatch, endless: str, kind: str, jobs: int, limit: float | None
) -> None:
    monkeypatch.setattr(process, "ALGEBRA_SECONDS", 3600.0)
    monkeypatch.setattr(implicit, "linearize", work_for_ever)
    slow = endless if kind == "numbers" else EQUATIONS
    chunk = [*QUICK_ITEMS, Item("slow.json", slow.encode()), *QUICK_ITEMS]
    if kind == "documents":
        quick = [json.dumps(QUICK)] * 10
        chunk = [Item("all.yaml", documents(*quick, slow, *quick).encode())]
    question = BatchTask("exact", time_limit=limit)
    pool = Pool(local, jobs, question) if jobs > 1 else None
    answers = answer_all([chunk], question, lambda: pool, max_pending=6)
    try:
        done: list[BatchResult] = []
        while len(done) < 10:
            done += next(answers)
        assert [outcome.status for outcome in done] == ["determined"] * 10
    finally:
        answers.close()  # type: ignore[attr-defined]
        if pool is not None:
            pool.close()
            kill_all()


def test_a_refused_system_of_a_file_leaves_the_systems_behind_it_to_be_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "ALGEBRA_SECONDS", 0.2)
    monkeypatch.setattr(implicit, "linearize", work_for_ever)
    quick = json.dumps(QUICK)
    chunk = [Item("a.yaml", documents(quick, EQUATIONS, quick).encode()), *QUICK_ITEMS[:2]]
    question = BatchTask()
    alone = [outcome for outcomes in answer_all([chunk], question, lambda: None, 1) for outcome in outcomes]
    pool = Pool(local, 2, question)
    try:
        shared = [outcome for outcomes in answer_all([chunk], question, lambda: pool, 6) for outcome in outcomes]
    finally:
        pool.close()
    assert shared == alone
    assert [outcome.source for outcome in alone] == ["a.yaml", "a.yaml#2", "a.yaml#3", "0.json", "1.json"]
    assert [outcome.status for outcome in alone] == ["determined", "error", *["determined"] * 3]


def test_no_process_is_left_behind(tmp_path: Path, endless: str) -> None:
    """Whoever waits for the one that works is killed, and it ends, too."""
    (tmp_path / "s.yaml").write_text(endless)
    command = [PROGRAM, "solve", "s.yaml", "--arithmetic", "exact", "--time-limit", "3600"]
    reader, writer = os.pipe()
    process = subprocess.Popen(command, cwd=tmp_path, pass_fds=[writer], stdout=writer)
    os.close(writer)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not children.read_text():
        assert process.poll() is None
    process.kill()
    process.wait()
    assert os.read(reader, 1) == b""  # all that could write to it are gone
    os.close(reader)


def test_workers_leave_alone_the_isolated_process_of_the_process_they_are_forked_from(endless: str) -> None:
    question = BatchTask("exact", time_limit=0.8)
    pools: list[Pool] = []

    def pool() -> Pool | None:
        return pools[0] if pools else None

    answers = answer_all([QUICK_ITEMS[:2], [Item("slow.json", endless.encode())]], question, pool, max_pending=1)
    done = next(answers)  # in this process, before there is a pool
    pools.append(Pool(local, 1, question))
    try:
        for results in answers:
            done += results
    finally:
        pools[0].close()
    assert [one.status for one in done] == ["determined", "determined", "error"]


@pytest.mark.parametrize("slow", spread(range(3), 3))
def test_a_slow_system_among_quick_ones_is_the_only_one_without_an_answer(
    monkeypatch: pytest.MonkeyPatch, slow: int
) -> None:
    """Small systems are answered together; nothing tells beforehand that one of them takes long."""
    solve = steps.solve_system

    def solve_or_hang(system: LinearSystem, *arguments: Any, **options: Any) -> Solution:
        if system.source == QUICK_ITEMS[slow].source:
            signal.pause()
        return solve(system, *arguments, **options)

    monkeypatch.setattr(steps, "solve_system", solve_or_hang)
    question = BatchTask(time_limit=0.8)
    done = [one for results in answer_all([QUICK_ITEMS[:3]], question, lambda: None, 1) for one in results]
    assert [one.source for one in done] == [item.source for item in QUICK_ITEMS[:3]]
    assert [one.is_failure for one in done] == [k == slow for k in range(3)]
    assert done[slow].problem is not None
    assert done[slow].problem.code == "time-limit"


def test_the_budget_of_algebra_does_not_depend_on_the_load_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that waits, as for its turn on a busy processor, spends nothing of it."""
    monkeypatch.setattr(process, "ALGEBRA_SECONDS", 0.1)

    def wait_without_working() -> str:
        process.begin_algebra()
        select.select([], [], [], 0.3)
        return "answered"

    (result,) = process.run_isolated(lambda: [process.Job("s.yaml", wait_without_working)])
    assert result == ("s.yaml", "answered", None)


@pytest.mark.parametrize("hanging", ["b", "c"])
def test_a_file_is_left_from_the_system_on_that_takes_long(hanging: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def solve(system: LinearSystem, *arguments: Any, **options: Any) -> Solution:
        if system.name == hanging:
            signal.pause()
        return solve_system(system, *arguments, **options)

    solve_system = steps.solve_system
    monkeypatch.setattr(steps, "solve_system", solve)
    monkeypatch.setattr(schedule, "SMALL_SIZE", 0)  # each system is a job of its own
    monkeypatch.setattr(schedule, "MAX_QUICK_EXACT_WORK", 0)
    item = Item("f.yaml", b"{name: a, A: [[1]]}\n---\n{name: b, A: [[2]]}\n---\n{name: c, A: [[3]]}\n")
    behind = Item("g.yaml", b"A: [[1]]")
    results, rest = schedule.answer_items([item, behind], BatchTask(time_limit=60))
    number = "abc".index(hanging)
    assert len(results) == number
    assert rest == [item._replace(since=number), behind]


@pytest.mark.parametrize(("size", "loaded"), [(1, ["auto"]), (40, ["auto", "float"])])
def test_doubles_are_loaded_before_processes_are_forked_if_a_system_may_need_them(
    monkeypatch: pytest.MonkeyPatch, size: int, loaded: list[str]
) -> None:
    warmed: list[str] = []
    monkeypatch.setattr(schedule, "_warm_up", lambda task: warmed.append(task.arithmetic))
    matrix = [[int(i == j) for j in range(size)] for i in range(size)]
    results, _ = schedule.answer_items([Item("", f"A: {matrix}".encode())], BatchTask(time_limit=60))
    assert (len(results), warmed) == (1, loaded)

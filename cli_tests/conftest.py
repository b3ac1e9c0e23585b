"""What the tests share: the command, run in this process or, where the process itself is tested, as a user runs it."""

import fcntl
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy is imported once for all commands that run in this process

ROOT = Path(__file__).parent.parent
PROGRAM = str(Path(sys.executable).with_name("implicitgrad"))
SCREEN_VARIABLES = ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM", "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE")

IS_THOROUGH = os.environ.get("IMPLICITGRAD_TESTS") == "thorough"

Run = Callable[..., subprocess.CompletedProcess[str]]


def examples(number: int) -> settings:
    """Try a property on ``number`` random examples in a thorough run (IMPLICITGRAD_TESTS=thorough), else on a fifth."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(
        max_examples=number if IS_THOROUGH else max(20, number // 5), deadline=None, suppress_health_check=checks
    )


def environment_of(variables: dict[str, str]) -> dict[str, str]:
    """Return this process's environment without what describes its screen, updated with ``variables``."""
    inherited = {key: value for key, value in os.environ.items() if key not in SCREEN_VARIABLES}
    return inherited | {"PYTHONIOENCODING": "utf-8"} | variables


def write_files(folder: Path, files: dict[str, str | bytes] | None) -> None:
    for name, content in (files or {}).items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Call ``implicitgrad`` in this process, in an empty folder; keyword arguments: stdin, files, environment.

    The command gets pipes as its standard streams, and an environment and a working directory of its own.
    """

    def call_program(
        *arguments: str, stdin: str | bytes = "", files: dict[str, str | bytes] | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        needs_process = [name for name in variables if name.startswith("PYTHON") and name != "PYTHONIOENCODING"]
        assert not needs_process, f"only a new process obeys {needs_process}: use run_process"
        write_files(tmp_path, files)
        data = stdin.encode() if isinstance(stdin, str) else stdin
        environment = environment_of(variables)
        with (
            _Streams(data, environment["PYTHONIOENCODING"]) as streams,
            _replaced_environment(environment),
            _working_directory(tmp_path),
            _locks_released(),
        ):
            code = _main(list(arguments))
        return subprocess.CompletedProcess([PROGRAM, *arguments], code, *streams.output())

    return call_program


@pytest.fixture
def run_process(tmp_path: Path) -> Run:
    """Run ``implicitgrad`` as a process of its own; the arguments are those of ``run``."""

    def run_program(
        *arguments: str, stdin: str | bytes = "", files: dict[str, str | bytes] | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        write_files(tmp_path, files)
        result = subprocess.run(
            [PROGRAM, *arguments],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=tmp_path,
            env=environment_of(variables),
            timeout=60,
            check=False,
        )
        encoding = variables.get("PYTHONIOENCODING", "utf-8")
        return subprocess.CompletedProcess(
            result.args, result.returncode, result.stdout.decode(encoding), result.stderr.decode("utf-8")
        )

    return run_program


def _main(arguments: list[str]) -> int:
    """Do what ``implicitgrad.__main__.main`` does, but return the exit code."""
    from implicitgrad.__main__ import INTERRUPTED, OVERVIEW_ARGUMENTS
    from implicitgrad.cli.main import run as run_command
    from implicitgrad.cli.overview import run_overview

    try:
        return (run_overview if arguments in OVERVIEW_ARGUMENTS else run_command)(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED


class _Streams:
    """Pipes in the place of sys.stdin, sys.stdout and sys.stderr; each is fed or read by a thread."""

    def __init__(self, stdin: bytes, encoding: str) -> None:
        self.stdin, self.encoding = stdin, encoding
        self.read: dict[str, bytes] = {}

    def __enter__(self) -> "_Streams":
        self.before = sys.stdin, sys.stdout, sys.stderr
        ends = {name: os.pipe() for name in ("stdin", "stdout", "stderr")}
        sys.stdin = io.TextIOWrapper(os.fdopen(ends["stdin"][0], "rb"), encoding=self.encoding)
        sys.stdout = io.TextIOWrapper(os.fdopen(ends["stdout"][1], "wb"), encoding=self.encoding)
        sys.stderr = io.TextIOWrapper(
            os.fdopen(ends["stderr"][1], "wb"), encoding=self.encoding, errors="backslashreplace", line_buffering=True
        )
        self.threads = [
            Thread(target=self._feed, args=[ends["stdin"][1]]),
            *(Thread(target=self._read, args=[name, ends[name][0]]) for name in ("stdout", "stderr")),
        ]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        ours = sys.stdin, sys.stdout, sys.stderr
        sys.stdin, sys.stdout, sys.stderr = self.before
        for stream in ours:
            stream.close()
        for thread in self.threads:
            thread.join()

    def output(self) -> tuple[str, str]:
        return self.read["stdout"].decode(self.encoding), self.read["stderr"].decode("utf-8")

    def _feed(self, descriptor: int) -> None:
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(self.stdin)
        except BrokenPipeError:
            pass  # the command did not read to the end

    def _read(self, name: str, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as stream:
            self.read[name] = stream.read()


@contextmanager
def _replaced_environment(environment: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(environment)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _locks_released() -> Iterator[None]:
    """Release the file locks that the command still holds, as the end of a process does."""
    try:
        yield
    finally:
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):  # the descriptor of the listing itself is closed
                fcntl.flock(int(name), fcntl.LOCK_UN)


@contextmanager
def _working_directory(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)

"""The command ``implicitgrad``, called in this process or run as one of its own."""

import fcntl
import io
import os
import pty
import selectors
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

from implicitgrad.__main__ import run as run_command

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy is imported once for all commands that run in this process
os.environ.setdefault("SYMPY_CACHE_SIZE", "20000")  # many systems share this process, and sympy keeps 1,000 results

PROGRAM = str(Path(sys.executable).with_name("implicitgrad"))
Files = dict[str, str | bytes] | None
SCREEN_VARIABLES = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM", "PYTHONIOENCODING")


def environment_of(variables: dict[str, str]) -> dict[str, str]:
    """Return this process's environment without what describes its screen, updated with ``variables``."""
    inherited = {key: value for key, value in os.environ.items() if key not in SCREEN_VARIABLES}
    return inherited | {"PYTHONIOENCODING": "utf-8"} | variables


def write_files(folder: Path, files: Files) -> None:
    for name, content in (files or {}).items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def call(
    folder: Path,
    *arguments: str,
    stdin: str | bytes = "",
    files: dict[str, str | bytes] | None = None,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Call ``implicitgrad`` in this process, with pipes as its streams, in ``folder``, with an environment of its own.

    Raises whatever the command does not catch.
    """
    needs_process = [name for name in variables if name.startswith("PYTHON") and name != "PYTHONIOENCODING"]
    assert not needs_process, f"only a new process obeys {needs_process}: use run_process"
    write_files(folder, files)
    data = stdin.encode() if isinstance(stdin, str) else stdin
    environment = environment_of(variables)
    with (
        _Streams(data, environment["PYTHONIOENCODING"]) as streams,
        _replaced_environment(environment),
        _working_directory(folder),
        _locks_released(),
    ):
        code = run_command(list(arguments))
    return subprocess.CompletedProcess([PROGRAM, *arguments], code, *streams.output())


def run_in_process_of_its_own(
    folder: Path,
    *arguments: str,
    stdin: str | bytes = "",
    files: dict[str, str | bytes] | None = None,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run the installed command; the arguments are those of ``call``."""
    write_files(folder, files)
    result = subprocess.run(
        [PROGRAM, *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        cwd=folder,
        env=environment_of(variables),
        timeout=60,
        check=False,
    )
    encoding = variables.get("PYTHONIOENCODING", "utf-8")
    return subprocess.CompletedProcess(
        result.args, result.returncode, result.stdout.decode(encoding), result.stderr.decode("utf-8")
    )


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what is waited for does not happen"
        time.sleep(0.01)


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def wait_until_blocked(*pids: int) -> None:
    """Wait until processes and their children have nothing to do: all sleep, and none has worked meanwhile."""
    before: list[list[str]] = []

    def is_blocked() -> bool:
        nonlocal before
        time.sleep(0.1)
        with suppress(FileNotFoundError, ProcessLookupError):
            members = [member for pid in pids for member in (pid, *children(pid))]
            stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split() for pid in members]
            now = [[str(pid), *stat[11:13]] for pid, stat in zip(members, stats, strict=True)]  # its time so far
            before, is_same = now, now == before
            return is_same and all(stat[0] == "S" for stat in stats)
        return False

    wait_until(is_blocked)


LEAST_PIPE = 4096
"""So many bytes a pipe takes on any system before it is read."""


class _Streams:
    """Pipes in the place of sys.stdin, sys.stdout and sys.stderr; threads feed the first and read the others."""

    def __init__(self, stdin: bytes, encoding: str) -> None:
        self.stdin, self.encoding = stdin, encoding
        self.read = {"stdout": bytearray(), "stderr": bytearray()}

    def __enter__(self) -> "_Streams":
        self.before = sys.stdin, sys.stdout, sys.stderr
        ends = {name: os.pipe() for name in ("stdin", "stdout", "stderr")}
        sys.stdin = io.TextIOWrapper(os.fdopen(ends["stdin"][0], "rb"), encoding=self.encoding)
        sys.stdout = io.TextIOWrapper(os.fdopen(ends["stdout"][1], "wb"), encoding=self.encoding)
        sys.stderr = io.TextIOWrapper(
            os.fdopen(ends["stderr"][1], "wb"), encoding=self.encoding, errors="backslashreplace", line_buffering=True
        )
        self.threads = [Thread(target=self._read, args=[{ends[name][0]: name for name in self.read}])]
        if len(self.stdin) > LEAST_PIPE:
            self.threads.append(Thread(target=self._feed, args=[ends["stdin"][1]]))
        else:
            self._feed(ends["stdin"][1])
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

    def _read(self, names: dict[int, str]) -> None:
        with selectors.DefaultSelector() as selector:
            for descriptor in names:
                selector.register(descriptor, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select():
                    if data := os.read(key.fd, 65536):
                        self.read[names[key.fd]] += data
                    else:
                        selector.unregister(key.fd)
                        os.close(key.fd)


@contextmanager
def _replaced_environment(environment: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    try:
        _set_environment(environment)
        yield
    finally:
        _set_environment(before)


def _set_environment(environment: dict[str, str]) -> None:
    """Set os.environ, but only what differs: most of it stays, and each change is a call of the system's library."""
    now = dict(os.environ)
    for name in now.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment.items() - now.items())


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


def on_a_terminal(width: int, *arguments: str, **variables: str) -> str:
    """Return what the program writes to a terminal of 24 lines; ``variables`` are of its environment."""
    master, slave = pty.openpty()
    environment = environment_of({"TERM": "xterm-256color"} | variables)
    try:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        with subprocess.Popen([PROGRAM, *arguments], stdout=slave, env=environment) as process:
            os.close(slave)
            data = b""
            try:
                while chunk := os.read(master, 65536):
                    data += chunk
            except OSError:  # the terminal is gone: everything was read
                pass
        assert process.returncode == 0
    finally:
        os.close(master)
    return data.decode().replace("\r\n", "\n")

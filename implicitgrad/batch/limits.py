"""Work in a forked process, which the kernel ends when its time is over, whatever library it is in.

A call of LAPACK, or of sympy, cannot be interrupted from within. The time of one system is limited by --time-limit, and
that of sympy, which cannot be foreseen, by a budget even where no limit is given; its memory, too.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from implicitgrad.model.spec import NeedsAlgebra, SystemSpec
from implicitgrad.model.system import LinearSystem
from implicitgrad.readers.build import build_all
from implicitgrad.text.errors import ALGEBRA_LIMIT, TIME_LIMIT, WORKER_DIED, InputError, Problem

ALGEBRA_SECONDS = 9.0
"""With the second that a process takes to start and to load sympy, it ends within ten."""
ALGEBRA_BYTES = 400 * 2**20
"""Beside the 100 MiB that a process has with sympy loaded."""
ALGEBRA_MEMORY = "500 MiB"
SMALLER = "Use fewer letters, or numbers in the place of letters and, with --at, of x and y"
DIED = "the process that worked on this system died: killed, or out of memory"
AT_ONCE = 1e-6
"""Seconds; none would be no limit."""
PATIENCE = 0.2
"""Seconds after which a result is long in coming."""
LENGTH = 8
"""Bytes of a message's length, which stands before it."""
PR_SET_PDEATHSIG = 1
"""Of Linux's <sys/prctl.h>."""
CAN_FORK = hasattr(os, "fork")
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

_is_apart = False
"""Whether this process was forked here."""
_has_time_limit = False


class Work(NamedTuple):
    """What is to be done for one system."""

    label: Any
    """What the waiting process knows it by."""
    run: Callable[[], Any]


Works = Sequence[Work]


class Result(NamedTuple):
    """What a Work came to, or the error that it ended with."""

    label: Any
    """None: the works could not be prepared."""
    value: Any
    error: Exception | None


class Slow(NamedTuple):
    """That the next result is long in coming."""

    label: Any


def each_apart(prepare: Callable[[], Works], seconds: float | None = None) -> Iterator[Result]:
    """The results of works in order.

    prepare : makes the works in the forked process, and again in another one if that is ended; where there is only one
    work, that is a part of it. seconds : for each; None: what needs sympy has its budget, and nothing else.
    """
    return (found for found in each_or_slow(prepare, seconds) if isinstance(found, Result))


def each_or_slow(prepare: Callable[[], Works], seconds: float | None = None) -> Iterator[Result | Slow]:
    """As each_apart, each result as soon as it is there; and Slow while one is long in coming."""
    if not CAN_FORK:
        yield from map(_result, prepare())
        return
    labels: list[Any] | None = None
    done = 0
    while labels is None or done < len(labels):
        with _Process(prepare, done, seconds) as process:
            for message in process.messages():
                label = labels[done] if labels and done < len(labels) else None
                if isinstance(message, list):
                    labels = message
                elif message is None:
                    yield Slow(label)
                else:
                    yield Result(label, *message)
                    done += 1
                    if labels is None:
                        return


def build(spec: SystemSpec, arithmetic: str | Callable[[SystemSpec], str]) -> LinearSystem:
    """The system of a spec; one that needs sympy has its budget from here on. Raises InputError."""
    try:
        return build_all([spec], arithmetic, allow_algebra=False)[0]
    except NeedsAlgebra:
        begin_algebra()
        return build_all([spec], arithmetic)[0]


class _Process:
    """A forked process that does one work after another, from that of number ``first`` on."""

    def __init__(self, prepare: Callable[[], Works], first: int, seconds: float | None) -> None:
        self.seconds = seconds
        self.stream, end = os.pipe()
        parent = os.getpid()
        with _no_signals():  # a handler that raises would leave the process without anybody who knows it
            self.pid: int | None = os.fork()
            if self.pid == 0:
                _be_apart(prepare, first, seconds, end, parent)
        os.close(end)

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.stream)
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def messages(self) -> Iterator[Any]:
        """What it sends, and None where that is long in coming; at last why it died, if it did."""
        import select

        while True:
            if not select.select([self.stream], [], [], PATIENCE)[0]:
                yield None
                continue
            length = self._read(LENGTH)
            message = self._read(int.from_bytes(length, "big"))
            if not message:
                break
            yield pickle.loads(message)
        assert self.pid is not None
        _, status = os.waitpid(self.pid, 0)
        self.pid = None
        if status:
            yield None, InputError([self._why(-os.waitstatus_to_exitcode(status))])

    def _read(self, size: int) -> bytes:
        """So many bytes, or none if the process is gone."""
        blocks = []
        while size:
            block = os.read(self.stream, min(size, 2**20))
            if not block:
                return b""
            blocks.append(block)
            size -= len(block)
        return b"".join(blocks)

    def _why(self, number: int) -> Problem:
        if number != signal.SIGALRM:
            return Problem(DIED, code=WORKER_DIED)
        if self.seconds is not None:
            return Problem(f"no answer within {self.seconds:g} s", "--time-limit gives it more", TIME_LIMIT)
        message = f"no answer within {ALGEBRA_SECONDS:g} s, as much as algebra may take"
        return Problem(message, f"{SMALLER}, or give it more with --time-limit", ALGEBRA_LIMIT)


@contextmanager
def _no_signals() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _be_apart(prepare: Callable[[], Works], first: int, seconds: float | None, end: int, parent: int) -> None:
    """Work, send what comes of it, and exit."""
    global _is_apart, _has_time_limit
    try:
        _is_apart, _has_time_limit = True, seconds is not None
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        for number in SIGNALS:  # whoever waits for this process ends it
            signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [*SIGNALS, signal.SIGALRM])
        _die_with(parent)
        import gc

        gc.enable()
        _work(prepare, first, seconds or 0, end)
        os._exit(0)
    finally:
        os._exit(1)


def _die_with(parent: int) -> None:
    """Let Linux end this process with the one that waits for it, however that ends."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended already
        os._exit(1)


def _work(prepare: Callable[[], Works], first: int, seconds: float, end: int) -> None:
    started = time.monotonic()
    prepared = _result(Work(None, prepare))
    if prepared.error is not None:
        _send(end, prepared[1:])
        return
    works: Works = prepared.value
    _send(end, [work.label for work in works])
    left = seconds - (time.monotonic() - started) if len(works) == 1 else seconds
    for work in works[first:]:
        signal.setitimer(signal.ITIMER_REAL, max(left, AT_ONCE) if seconds else 0)
        _, value, error = _result(work)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if isinstance(error, MemoryError | SystemError) and _limit_memory(None):
            message = f"no answer within {ALGEBRA_MEMORY} of memory, as much as algebra may take"
            error = InputError([Problem(message, SMALLER, ALGEBRA_LIMIT)])
        _limit_memory(None)
        _send(end, (value, error))


def _result(work: Work) -> Result:
    try:
        return Result(work.label, work.run(), None)
    except Exception as error:
        return Result(work.label, None, error)


def _send(end: int, message: object) -> None:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    view = memoryview(len(data).to_bytes(LENGTH, "big") + data)
    while view:
        view = view[os.write(end, view) :]


def begin_algebra() -> None:
    """Load sympy, which is none of the work, and limit what it may take, where that can be ended."""
    if not _is_apart:
        return
    left = signal.setitimer(signal.ITIMER_REAL, 0)[0]
    load_algebra()
    _limit_memory(ALGEBRA_BYTES)
    signal.setitimer(signal.ITIMER_REAL, left if _has_time_limit else ALGEBRA_SECONDS)


def load_algebra() -> None:
    """Load sympy, if it is there: processes that are forked after that have it."""
    with suppress(ImportError):
        import implicitgrad.solvers.symbolic
        import implicitgrad.symbolic.linearize  # noqa: F401


def _limit_memory(more: int | None) -> bool:
    """Limit what this process may allocate beside what it has; None: no longer. Linux alone counts it.

    Returns whether it was limited before.
    """
    import resource

    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = hard
    if more is not None and sys.platform == "linux":
        with open("/proc/self/statm") as file:
            soft = int(file.read().split()[5]) * resource.getpagesize() + more
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    return before != hard

"""Run jobs in a forked process that can be killed, whatever library it is in, when a job exceeds its limits.

A call of LAPACK or sympy cannot be interrupted from within the process. ``--time-limit`` limits the wall-clock time of
each system. Algebra, whose cost cannot be predicted, has a budget of CPU time and memory even without that option.

The waiting process and the forked one stand in one file, since each does what the messages of the other call for.
"""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from implicitgrad.model.spec import NeedsAlgebra, SystemSpec
from implicitgrad.readers.systems.several import build_all
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.internal_errors import ALGEBRA_LIMIT, TIME_LIMIT, WORKER_DIED

if TYPE_CHECKING:
    from implicitgrad.readers.systems.build import Question

ALGEBRA_SECONDS = 9.0
"""CPU time, so that the answer does not depend on what else the machine does.

With the second that a process takes to start and to load sympy, it ends within ten.
"""
ALGEBRA_BYTES = 400 * 2**20
"""In addition to the 100 MiB that a process with sympy loaded has."""
ALGEBRA_MEMORY = "500 MiB"
SMALLER = (
    "Use fewer letters, or numbers in the place of letters and, with --at, of x and y; --arithmetic float answers where"
    " there are no letters"
)
DIED = "the process that worked on this system died: killed, or out of memory"
MIN_SECONDS = 1e-6
"""The shortest time that an alarm can be set to; 0 would cancel it."""
PATIENCE = 0.2
"""Seconds without a message after which a job is reported as still running."""
LENGTH_BYTES = 8
"""Size of the length that precedes each message in a pipe."""
PR_SET_PDEATHSIG = 1
"""From Linux's <sys/prctl.h>."""
CAN_FORK = hasattr(os, "fork")
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

_is_isolated = False
"""Whether this process was forked by run_isolated."""
_has_time_limit = False


class Job(NamedTuple):
    """A computation for the isolated process."""

    label: Any
    """Identifies the job to the waiting process."""
    run: Callable[[], Any]
    seconds: float | None = None
    """Its own limit of wall-clock time; None for that of all jobs."""


MakeJobs = Callable[[], Iterable[Job]]


class JobResult(NamedTuple):
    """The value of a job, or the error that it ended with."""

    label: Any
    """None if the jobs could not be made."""
    value: Any
    error: Exception | None


class StillRunning(NamedTuple):
    """A notice that the next result is a long time coming."""

    label: Any
    """None while the jobs are made."""


class _Begun(NamedTuple):
    """The message that a job begins."""

    label: Any


class _Finished(NamedTuple):
    """The message that all jobs have been run."""


def run_isolated(make_jobs: MakeJobs, seconds: float | None = None) -> Generator[JobResult]:
    """Yield the results of jobs in order, each as soon as it is there.

    make_jobs : called in the isolated process, and again in a new one if that was killed; must return the same jobs
    each time. seconds : the limit for each job; None leaves only algebra limited, by its budget.
    """
    return (found for found in watch_isolated(make_jobs, seconds) if isinstance(found, JobResult))


def watch_isolated(make_jobs: MakeJobs, seconds: float | None = None) -> Iterator[JobResult | StillRunning]:
    """Do as run_isolated, and yield StillRunning now and then while waiting for a result."""
    if not CAN_FORK:
        yield from map(_result, make_jobs())
        return
    done = 0
    while True:
        process = _Process(make_jobs, done, seconds)
        try:
            for message in process.messages():
                yield message
                if isinstance(message, JobResult):
                    if not process.has_begun:
                        return
                    done += 1
            if process.has_finished:
                return
        finally:
            process.kill()


def build(spec: SystemSpec, arithmetic: str | Callable[[SystemSpec], str]) -> Question:
    """Build what a spec describes; if that needs sympy, the budget of algebra begins here. Raise InputError."""
    try:
        return build_all([spec], arithmetic, allow_algebra=False)[0]
    except NeedsAlgebra:
        begin_algebra()
        return build_all([spec], arithmetic)[0]


class _Process:
    """A forked process that runs jobs, from the ``first`` on."""

    def __init__(self, make_jobs: MakeJobs, first: int, seconds: float | None) -> None:
        self.seconds = seconds
        self.has_finished = False
        """Whether all jobs have been run."""
        self.has_begun = False
        """Whether a job has begun, so that an error is the job's."""
        parent = os.getpid()
        prctl = _prctl()
        self.replies, replies = os.pipe()
        with _signals_blocked():  # an exception from a handler would leave a process that nothing refers to
            self.pid: int | None = os.fork()
            if self.pid == 0:
                if prctl is not None:
                    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                _run_and_exit(make_jobs, first, seconds, replies, parent)
        os.close(replies)

    def kill(self) -> None:
        """End the process, if it has not ended, and close the pipe."""
        os.close(self.replies)
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def messages(self) -> Iterator[JobResult | StillRunning]:
        """Yield the results of the jobs, and StillRunning while there is none; an error if the process dies."""
        label = None
        while True:
            if not select.select([self.replies], [], [], PATIENCE)[0]:
                yield StillRunning(label)
                continue
            message = _receive(self.replies)
            if message is None:
                break
            if isinstance(message, _Finished):
                self.has_finished = True
                return
            if isinstance(message, _Begun):
                label, self.has_begun = message.label, True
            else:
                yield JobResult(label, *message)
                label, self.has_begun = None, False
        assert self.pid is not None
        _, status = os.waitpid(self.pid, 0)
        self.pid = None
        yield JobResult(label, None, InputError([_cause_of_death(-os.waitstatus_to_exitcode(status), self.seconds)]))


def _cause_of_death(number: int, seconds: float | None) -> Problem:
    """Return the reason for the death of a process by a signal."""
    if number == signal.SIGALRM:
        return Problem(f"no answer within {seconds:g} s", "--time-limit gives it more", TIME_LIMIT)
    if number == signal.SIGPROF:
        message = f"no answer within {ALGEBRA_SECONDS:g} s, as much as algebra may take"
        return Problem(message, f"{SMALLER}; --time-limit gives it more", ALGEBRA_LIMIT)
    return Problem(DIED, code=WORKER_DIED)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prctl() -> Callable[..., int] | None:
    """Return Linux's prctl, loaded before a fork, since loading it takes longer than the fork."""
    if sys.platform != "linux":
        return None
    import ctypes

    prctl: Callable[..., int] = ctypes.CDLL(None).prctl
    return prctl


def _run_and_exit(make_jobs: MakeJobs, first: int, seconds: float | None, replies: int, parent: int) -> None:
    """Run the jobs in the forked process, send their results and exit."""
    global _is_isolated, _has_time_limit
    try:
        if os.getppid() != parent:  # it died before its death would have ended this process
            os._exit(1)
        _is_isolated, _has_time_limit = True, seconds is not None
        alarms = [signal.SIGALRM, signal.SIGPROF]
        for number in (*alarms, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        for number in set(SIGNALS) - {signal.SIGTERM}:  # the waiting process handles them and kills this one
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [*SIGNALS, *alarms])
        gc.enable()
        try:
            for job in islice(make_jobs(), first, None):
                _send(replies, _Begun(job.label))
                _send(replies, _within_limits(job, seconds))
        except Exception as error:
            _send(replies, (None, error))
        _send(replies, _Finished())
        os._exit(0)
    finally:
        os._exit(1)


def _within_limits(job: Job, seconds: float | None) -> tuple[object, Exception | None]:
    if seconds is not None:
        signal.setitimer(signal.ITIMER_REAL, max(seconds if job.seconds is None else job.seconds, MIN_SECONDS))
    _, value, error = _result(job)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.setitimer(signal.ITIMER_PROF, 0)
    if _limit_memory(None) and isinstance(error, MemoryError | SystemError):
        message = f"no answer within {ALGEBRA_MEMORY} of memory, as much as algebra may take"
        error = InputError([Problem(message, SMALLER, ALGEBRA_LIMIT)])
    return value, error


def _result(job: Job) -> JobResult:
    try:
        return JobResult(job.label, job.run(), None)
    except Exception as error:
        return JobResult(job.label, None, error)


def begin_algebra() -> None:
    """Load sympy and, in an isolated process, limit the memory and CPU time that algebra may take.

    The time that loading takes does not count. A time limit replaces the budget of CPU time.
    """
    if not _is_isolated:
        return
    left = signal.setitimer(signal.ITIMER_REAL, 0)[0]
    load_algebra()
    _limit_memory(ALGEBRA_BYTES)
    if _has_time_limit:
        signal.setitimer(signal.ITIMER_REAL, left)
    else:
        signal.setitimer(signal.ITIMER_PROF, ALGEBRA_SECONDS)


def load_algebra() -> None:
    """Load sympy, if it is installed; processes that are forked afterwards have it loaded."""
    with suppress(ImportError):
        import implicitgrad.solvers.symbolic.solver
        import implicitgrad.symbolic.equations.linearize  # noqa: F401


def _limit_memory(more: int | None) -> bool:
    """Limit what this process may allocate in addition to what it has; None lifts the limit. Linux alone counts it.

    Return whether memory was limited before.
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


def _send(pipe: int, message: object) -> None:
    """Write a pickled message to a pipe."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    view = memoryview(len(data).to_bytes(LENGTH_BYTES, "big") + data)
    while view:
        view = view[os.write(pipe, view) :]


def _receive(pipe: int) -> Any:  # noqa: ANN401 (whatever the other process pickled)
    """Return the next message; None if the other process has ended."""
    length = _read(pipe, LENGTH_BYTES)
    message = _read(pipe, int.from_bytes(length, "big"))
    return pickle.loads(message) if message else None


def _read(pipe: int, size: int) -> bytes:
    """Read ``size`` bytes; return none if the other process ends before."""
    blocks = []
    while size:
        block = os.read(pipe, min(size, 2**20))
        if not block:
            return b""
        blocks.append(block)
        size -= len(block)
    return b"".join(blocks)

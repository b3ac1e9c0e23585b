"""The workers of a running Dask scheduler."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, InvalidStateError, wait
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NamedTuple

from implicitgrad.terminal.streams import spinner
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import OutputError, UsageError

if TYPE_CHECKING:
    from distributed import Client

BETWEEN_LOOKS = 1.0
"""Seconds, at most, between questions whether the scheduler is there."""
LOOKS = 4
"""Questions, at least, before it is given up."""


def dask(address: str, timeout: int) -> Callable[[int], Executor]:
    """What makes an executor of a running Dask scheduler's workers.

    timeout : how many seconds are waited for a scheduler that does not answer, or has no worker. Raises UsageError.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--dask needs the package distributed", "pip install 'implicitgrad[dask]'") from None
    logging.disable(logging.CRITICAL)  # what is to be said of it is said here
    answer: SimpleQueue[Any] = SimpleQueue()

    def connect() -> None:
        try:
            answer.put(Client(address, timeout=timeout, set_as_default=False))
        except Exception as error:
            answer.put(error)

    Thread(target=connect, daemon=True).start()
    with spinner(f"waiting for the scheduler {printable(address)}"):
        try:
            client = answer.get(timeout=timeout + BETWEEN_LOOKS)  # one that takes the connection may be silent for ever
        except Empty:
            client = TimeoutError(f"it is silent for {timeout} s")
    if isinstance(client, Exception):
        message = f"--dask {printable(address)}: no scheduler answers: {printable(str(client))}"
        raise UsageError(message, "Start one with: dask scheduler")
    cluster = Cluster(client, address, timeout)
    return lambda workers: cluster


class _Task(NamedTuple):
    """What is to be done on the cluster."""

    function: Callable[..., Any]
    arguments: tuple[object, ...]
    found: Future[Any]


class Cluster(Executor):
    """A Dask client's executor, which outlives a batch's use of it; the cluster is not ours to end.

    What a scheduler has forgotten, because its connection was lost or it began anew, is given to it again.
    """

    def __init__(self, client: Client, address: str, timeout: int) -> None:
        self.client, self.address, self.timeout = client, printable(address), timeout
        self.executor = client.get_executor(pure=False)
        self.last = monotonic()
        """When the cluster was there."""
        self.lock = Lock()
        self.tasks: dict[Future[Any], _Task] = {}
        """Those that are not done."""
        self.forgotten: list[_Task] = []
        self.reason: OutputError | None = None
        """Why the cluster was given up."""
        Thread(target=self._watch, daemon=True).start()

    def submit(self, function: Callable[..., Any], /, *arguments: object, **others: object) -> Future[Any]:
        """What Dask gave up, because workers died of it, is a broken executor's."""
        task = _Task(function, arguments, Future())
        with self.lock:
            self.tasks[task.found] = task
            reason = self.reason
        if reason is None:
            self._hand_over(task)
        else:
            self._finish(task, reason)
        return task.found

    def _hand_over(self, task: _Task) -> None:
        def finish(theirs: Future[Any]) -> None:
            error = CancelledError() if theirs.cancelled() else theirs.exception()
            if isinstance(error, CancelledError | asyncio.CancelledError | OSError):
                self._forget(task)
            elif type(error).__name__ == "KilledWorker":
                self._finish(task, BrokenExecutor(str(error)))
            elif error is not None:
                message = f"--dask {self.address}: its workers cannot answer: {printable(str(error))}"
                self._finish(task, OutputError(message, "They need implicitgrad[dask], of the same version"))
            else:
                self.last = monotonic()
                self._finish(task, None, theirs.result())

        try:
            theirs = self.executor.submit(task.function, *task.arguments)
        except Exception:  # its connection is closed
            self._forget(task)
        else:
            theirs.add_done_callback(finish)

    def _finish(self, task: _Task, error: Exception | None, result: object = None) -> None:
        with self.lock:
            self.tasks.pop(task.found, None)
        with suppress(InvalidStateError):  # it was given up
            if error is None:
                task.found.set_result(result)
            else:
                task.found.set_exception(error)

    def _forget(self, task: _Task) -> None:
        with self.lock:
            self.forgotten.append(task)

    def _watch(self) -> None:
        """Give up every task once the cluster is gone."""
        try:
            what = self._wait_until_gone()
        except Exception as error:  # its client has closed itself
            what = f"the cluster is gone: {printable(str(error) or type(error).__name__)}"
        reason = OutputError(f"--dask {self.address}: {what}", "What was done is written; --resume goes on from there")
        with self.lock:
            self.reason = reason
            tasks = list(self.tasks.values())
        for task in tasks:
            self._finish(task, reason)

    def _wait_until_gone(self) -> str:
        """Ask for the workers again and again; returns what is wrong once there has been none for too long."""
        pause = min(BETWEEN_LOOKS, self.timeout / LOOKS)
        asked: Future[Any] | None = None
        is_answering = True
        while monotonic() - self.last < self.timeout:
            if asked is None:
                asked = asyncio.run_coroutine_threadsafe(self._workers(), self.client.loop.asyncio_loop)
            if wait([asked], pause).done:
                is_answering = not asked.cancelled() and asked.exception() is None
                if is_answering and asked.result():
                    self.last = monotonic()
                asked = None
                sleep(pause)
            else:
                is_answering = False
            if self.client.status == "running":
                with self.lock:
                    again, self.forgotten = self.forgotten, []
                for task in again:
                    self._hand_over(task)
        return f"{'it has had no worker' if is_answering else 'the scheduler has not answered'} for {self.timeout} s"

    async def _workers(self) -> object:
        return await self.client.scheduler.ncores(workers=None)

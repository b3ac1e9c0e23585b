"""Use the workers of a running Dask scheduler."""

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

DASK_TIMEOUT = 60
"""Seconds."""
MAX_POLL_SECONDS = 1.0
"""The longest time between two requests for the workers."""
MIN_POLLS = 4
"""The fewest requests before the scheduler is given up."""


def dask(address: str, timeout: int) -> Callable[[int], Executor]:
    """Return a function that returns an executor of the workers of a running Dask scheduler. Raise UsageError.

    timeout : the seconds after which a scheduler that does not answer, or has no worker, is given up.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--dask needs the package distributed", "pip install 'implicitgrad[dask]'") from None
    logging.disable(logging.CRITICAL)  # problems are reported here
    answer: SimpleQueue[Any] = SimpleQueue()

    def connect() -> None:
        try:
            answer.put(Client(address, timeout=timeout, set_as_default=False))
        except Exception as error:
            answer.put(error)

    Thread(target=connect, daemon=True).start()
    with spinner(f"waiting for the scheduler {printable(address)}"):
        try:
            client = answer.get(timeout=timeout + MAX_POLL_SECONDS)  # a listener may never answer
        except Empty:
            client = TimeoutError(f"it is silent for {timeout} s")
    if isinstance(client, Exception):
        message = f"--dask {printable(address)}: no scheduler answers: {printable(str(client))}"
        raise UsageError(message, "Start one with: dask scheduler")
    cluster = Cluster(client, address, timeout)
    return lambda workers: cluster


class _Task(NamedTuple):
    """A call that the cluster is to make."""

    function: Callable[..., Any]
    arguments: tuple[object, ...]
    found: Future[Any]
    is_last_try: bool = False


class Cluster(Executor):
    """A Dask client's executor; closing it leaves the cluster running.

    Tasks that the scheduler has lost, because the connection broke or it was restarted, are submitted again.
    """

    def __init__(self, client: Client, address: str, timeout: int) -> None:
        self.client, self.address, self.timeout = client, printable(address), timeout
        self.executor = client.get_executor(pure=False)
        self.last = monotonic()
        """The last time at which the cluster answered and had a worker."""
        self.lock = Lock()
        self.tasks: dict[Future[Any], _Task] = {}
        """The tasks that are not done."""
        self.forgotten: list[_Task] = []
        self.reason: OutputError | None = None
        """The reason why the cluster was given up."""
        Thread(target=self._watch, daemon=True).start()

    def submit(self, function: Callable[..., Any], /, *arguments: object, **others: object) -> Future[Any]:
        """Submit a call; its future raises BrokenExecutor if Dask gives it up because it killed workers."""
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
            elif error is not None and not task.is_last_try:  # a worker that is dying can fail any call
                self._forget(task._replace(is_last_try=True))
            elif error is not None:
                message = f"--dask {self.address}: its workers cannot answer: {printable(str(error))}"
                self._finish(task, OutputError(message, "They need implicitgrad[dask], of the same version"))
            else:
                self.last = monotonic()
                self._finish(task, None, theirs.result())

        try:
            theirs = self.executor.submit(task.function, *task.arguments)
        except Exception:  # the connection is closed
            self._forget(task)
        else:
            theirs.add_done_callback(finish)

    def _finish(self, task: _Task, error: Exception | None, result: object = None) -> None:
        with self.lock:
            self.tasks.pop(task.found, None)
        with suppress(InvalidStateError):  # the task was given up
            if error is None:
                task.found.set_result(result)
            else:
                task.found.set_exception(error)

    def _forget(self, task: _Task) -> None:
        with self.lock:
            self.forgotten.append(task)

    def _watch(self) -> None:
        """Wait until the cluster is gone, and then give up every task."""
        try:
            what = self._wait_until_gone()
        except Exception as error:  # the client has closed itself
            what = f"the cluster is gone: {printable(str(error) or type(error).__name__)}"
        reason = OutputError(f"--dask {self.address}: {what}", "What was done is written; --resume goes on from there")
        with self.lock:
            self.reason = reason
            tasks = list(self.tasks.values())
        for task in tasks:
            self._finish(task, reason)

    def _wait_until_gone(self) -> str:
        """Poll the workers, and return what is wrong once there has been none for too long."""
        pause = min(MAX_POLL_SECONDS, self.timeout / MIN_POLLS)
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

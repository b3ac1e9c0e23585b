"""The processes that a batch is spread over: of this machine, or a Dask cluster's."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from typing import Any

from implicitgrad.errors import ImplicitGradError, OutputError, UsageError


def local(workers: int) -> Executor:
    """Processes of this machine."""
    from concurrent.futures import ProcessPoolExecutor

    return ProcessPoolExecutor(workers, initializer=_begin)


def kill_all() -> None:
    """End every worker of this machine at once, whatever it is doing."""
    from multiprocessing import active_children

    for process in active_children():
        process.kill()


def dask(address: str) -> Callable[[int], Executor]:
    """What makes executors of a running Dask scheduler's workers. Raises UsageError."""
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--dask needs the package distributed", "pip install 'implicitgrad[dask]'") from None
    try:
        client = Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"--dask {address}: no scheduler answers: {error}", "Start one with: dask scheduler") from None
    return lambda workers: _Cluster(client, address)


class _Cluster(Executor):
    """A Dask client's executor, which outlives a batch's use of it; the cluster is not ours to end."""

    def __init__(self, client: Any, address: str) -> None:
        self.executor, self.address = client.get_executor(pure=False), address

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **others: Any) -> Future[Any]:
        """What Dask gave up, because workers died of it, is a broken executor's; all else, a cluster's that is gone."""
        found: Future[Any] = Future()

        def finish(theirs: Future[Any]) -> None:
            if found.cancelled():
                return
            error = CancelledError() if theirs.cancelled() else theirs.exception()
            if error is None:
                found.set_result(theirs.result())
            elif type(error).__name__ == "KilledWorker":
                found.set_exception(BrokenExecutor(str(error)))
            else:
                reason = str(error) or type(error).__name__
                lost = OutputError(
                    f"--dask {self.address}: the cluster is gone: {reason}",
                    "What was done is written; --resume goes on from there",
                )
                found.set_exception(lost)

        self.executor.submit(function, *arguments, **others).add_done_callback(finish)
        return found


def _begin() -> None:
    """A worker leaves Ctrl-C and a terminal that is closed to its parent, and does not live on without it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    from threading import Thread

    Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(ImplicitGradError.exit_code)

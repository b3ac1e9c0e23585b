"""The processes that a batch is spread over: of this machine, or a Dask cluster's."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor

from implicitgrad.errors import ImplicitGradError, UsageError


def cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def local(workers: int) -> Executor:
    """Processes of this machine."""
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
    return lambda workers: _Cluster(client)


class _Cluster(Executor):
    """A Dask client's executor, which outlives a batch's use of it; the cluster is not ours to end."""

    def __init__(self, client) -> None:  # type: ignore[no-untyped-def]
        self.executor = client.get_executor(pure=False)

    def submit(self, function, /, *arguments, **others):  # type: ignore[no-untyped-def]
        return self.executor.submit(function, *arguments, **others)


def _begin() -> None:
    """A worker leaves Ctrl-C to its parent, and does not live on without it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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

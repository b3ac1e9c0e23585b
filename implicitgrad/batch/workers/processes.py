"""Worker processes on this machine."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from implicitgrad.text.errors import ImplicitGradError

if TYPE_CHECKING:
    from concurrent.futures import Executor


def cores() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def local(workers: int) -> Executor:
    """Return an executor of processes on this machine."""
    from concurrent.futures import ProcessPoolExecutor

    return ProcessPoolExecutor(workers, initializer=_begin)


def kill_all() -> None:
    """Kill every worker process of this machine."""
    from multiprocessing import active_children

    for process in active_children():
        process.kill()


def _begin() -> None:
    """Set up a worker: its parent handles Ctrl-C and a closed terminal, and it ends with its parent."""
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

"""The processes of this machine that a batch is spread over."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Executor

from implicitgrad.text.errors import ImplicitGradError


def local(workers: int) -> Executor:
    """Processes of this machine."""
    from concurrent.futures import ProcessPoolExecutor

    return ProcessPoolExecutor(workers, initializer=_begin)


def kill_all() -> None:
    """End every worker of this machine at once, whatever it is doing."""
    from multiprocessing import active_children

    for process in active_children():
        process.kill()


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

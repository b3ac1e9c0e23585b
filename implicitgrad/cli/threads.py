"""Processors and threads.

How many threads the linear algebra runs with is set before numpy is loaded, since starting them is what takes time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import click

from implicitgrad.cli.options import Decorated

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
LARGE = 2**22
"""Bytes of input from which more than one thread is worth it, about 700×700 doubles; on busy cores they cost much."""


def cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_option(command: Decorated) -> Decorated:
    """--threads"""
    return click.option(
        "--threads",
        type=click.IntRange(1, 4096),
        metavar="N",
        help="Threads of the linear algebra.  [default: all for large systems, else 1; *_NUM_THREADS are obeyed]",
    )(command)


def set_threads(threads: int | None, inputs: Iterable[str]) -> None:
    """As asked for; else one where the inputs are small and the user's environment says nothing."""
    if threads is None and (any(name in os.environ for name in VARIABLES) or _is_large(inputs)):
        return
    for name in VARIABLES:
        os.environ[name] = str(threads or 1)


def _is_large(inputs: Iterable[str]) -> bool:
    """Whether files together are large; what comes through a pipe is not known to be."""
    total = 0
    for path in inputs:
        try:
            total += os.stat(0 if path == "-" else path).st_size
        except OSError:
            continue
    return total >= LARGE

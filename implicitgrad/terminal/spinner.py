"""A spinner on standard error beside work that takes long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

SPINNER_DELAY = 1.0
"""Seconds of work after which a spinner is shown."""


@contextmanager
def spin(activity: str) -> Iterator[None]:
    """Show a spinner if the work within takes longer than SPINNER_DELAY. activity : what is done, printable."""
    is_done = Event()

    def show() -> None:
        if is_done.wait(SPINNER_DELAY):
            return
        from rich.console import Console
        from rich.text import Text

        with Console(stderr=True).status(Text(activity)):
            is_done.wait()

    thread = Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_done.set()
        thread.join()

"""What long work is doing, said on standard error while it lasts, if that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from implicitgrad.text.characters import printable

PATIENCE = 1.0
"""Seconds until something is said."""


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Show ``what`` beside a spinner if it takes longer than a second."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from threading import Event, Thread

    is_done = Event()

    def show() -> None:
        if is_done.wait(PATIENCE):
            return
        from rich.console import Console
        from rich.text import Text

        with Console(stderr=True).status(Text(printable(what))):
            is_done.wait()

    teller = Thread(target=show, daemon=True)
    teller.start()
    try:
        yield
    finally:
        is_done.set()
        teller.join()

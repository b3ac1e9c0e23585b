"""Turn SIGINT, SIGTERM and SIGHUP into KeyboardInterrupt, but never in the middle of writing a result."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

Element = TypeVar("Element")


class Interruptions:
    """A context in which these signals raise KeyboardInterrupt: at once, or, while they are deferred, afterwards.

    Forking, locking and writing files must not be interrupted, and Python drops an exception raised within a callback
    such as those that ``fork`` calls. So the work runs with interruptions deferred; only a wait or a computation, which
    leaves nothing half done, allows them. One that Python dropped there is raised again at its end.
    """

    def __init__(self) -> None:
        self.is_deferring = False
        self.is_pending = False
        """A signal has arrived."""
        self.is_over = False
        """The work has ended; signals raise nothing any more."""

    def __enter__(self) -> Interruptions:
        numbers = [signal.SIGINT, signal.SIGTERM]
        hang_up = getattr(signal, "SIGHUP", None)
        if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:  # as nohup does
            numbers.append(hang_up)
        self.before = {number: signal.signal(number, self._interrupt) for number in numbers}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        is_interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        for number, handler in self.before.items():
            signal.signal(number, signal.SIG_IGN if is_interrupted else handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.is_pending = True
        is_unwinding = isinstance(sys.exc_info()[1], KeyboardInterrupt)
        if not self.is_deferring and not is_unwinding:
            self.check()

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal has arrived."""
        if self.is_pending and not self.is_over:
            raise KeyboardInterrupt

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Defer signals that arrive within to the end, or to where they are allowed."""
        self.is_deferring = True
        try:
            yield
        finally:
            self.is_deferring = False
        self.check()

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Raise at once for signals that arrive within, and for deferred ones."""
        was_deferring, self.is_deferring = self.is_deferring, False
        try:
            self.check()
            yield
        finally:
            self.is_deferring = was_deferring
        self.check()

    def allowed_between(self, elements: Iterable[Element]) -> Iterator[Element]:
        """Yield the same elements; allow interruptions while waiting for the next."""
        iterator = iter(elements)
        while True:
            with self.allowed():
                try:
                    element = next(iterator)
                except StopIteration:
                    return
            yield element

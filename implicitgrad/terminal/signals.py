"""Ctrl-C, SIGTERM and a terminal that is closed end the work at once, but never in the middle of writing a result."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

Element = TypeVar("Element")


class Interruptions:
    """A context in which all of them raise KeyboardInterrupt: at once, or, where they are deferred, afterwards.

    What forks, takes locks or writes files must not be torn apart, and Python drops an exception that is raised within
    a callback, such as those that ``fork`` calls. So work is done with interruptions deferred, and only a wait or a
    computation, which leaves nothing half done, allows them; one that was dropped there is raised again at its end.
    """

    def __init__(self) -> None:
        self.is_deferring = False
        self.is_pending = False
        """One has come."""
        self.is_over = False
        """The work has ended, and none is raised any more."""

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
        """Raise KeyboardInterrupt if an interruption has come."""
        if self.is_pending and not self.is_over:
            raise KeyboardInterrupt

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Raise what comes within at the end, or where it is allowed."""
        self.is_deferring = True
        try:
            yield
        finally:
            self.is_deferring = False
        self.check()

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Raise at once what comes within, and what was deferred."""
        was_deferring, self.is_deferring = self.is_deferring, False
        try:
            self.check()
            yield
        finally:
            self.is_deferring = was_deferring
        self.check()

    def allowed_between(self, elements: Iterable[Element]) -> Iterator[Element]:
        """The same elements; interruptions are allowed while the next is waited for."""
        iterator = iter(elements)
        while True:
            with self.allowed():
                try:
                    element = next(iterator)
                except StopIteration:
                    return
            yield element

"""Ctrl-C, SIGTERM and a terminal that is closed end the work at once, but never in the middle of writing a result."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interruptions:
    """A context in which all of them raise KeyboardInterrupt; a second one changes nothing any more."""

    def __init__(self) -> None:
        self.is_deferring = False
        self.is_pending = False
        self.is_over = False

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
        if self.is_over:
            return
        if self.is_deferring and not self.is_pending:
            self.is_pending = True  # a second one does not wait: what is written to may be a pipe that nobody empties
            return
        self.is_over = True
        raise KeyboardInterrupt

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Let a write end first."""
        self.is_deferring = True
        try:
            yield
        finally:
            self.is_deferring = False
        if self.is_pending and not self.is_over:
            self.is_over = True
            raise KeyboardInterrupt

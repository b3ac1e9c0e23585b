"""Chunks of a batch on any executor of concurrent.futures.

Items travel to workers in chunks. A chunk that does not come back, because its worker died, is done again one item at a
time, each in a worker of its own: an item whose worker dies again is a failure, and costs nobody else's answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, wait

from implicitgrad.batch import Item, Outcome, Question, Ready, answer_items, failure
from implicitgrad.errors import Problem

WORKER_DIED = "worker-died"
BETWEEN_LOOKS = 1.0
"""Seconds."""


class Pool:
    """Chunks on an executor, answered in the order they were given.

    make : a new executor of so many workers; asked again when one is broken.
    """

    def __init__(
        self,
        make: Callable[[int], Executor],
        workers: int,
        question: Question,
        answer: Callable[[Sequence[Item], Question], list[Outcome]] = answer_items,
    ) -> None:
        self.make, self.workers, self.question, self.answer = make, workers, question, answer
        self.executor = make(workers)
        self.pending: deque[tuple[list[Item], Future[list[Outcome]]]] = deque()

    def submit(self, chunk: list[Item]) -> None:
        """Hand a chunk to the workers."""
        try:
            future = self.executor.submit(self.answer, chunk, self.question)
        except BrokenExecutor as error:  # known only now: whose answer is waited for says so again
            future = Future()
            future.set_exception(error)
        self.pending.append((chunk, future))

    def keep(self, ready: Ready) -> None:
        """Outcomes in their place among the chunks."""
        future: Future[list[Outcome]] = Future()
        future.set_result(ready.outcomes)
        self.pending.append(([], future))

    def next(self) -> list[Outcome]:
        """The outcomes of the chunk handed over first."""
        chunk, future = self.pending.popleft()
        try:
            return _result(future, self.executor)
        except BrokenExecutor:
            self._renew()
            return self._one_by_one(chunk)

    def finished(self) -> Iterator[list[Outcome]]:
        """What is there already of the next chunks, without a wait."""
        while self.pending:
            _, future = self.pending.popleft()
            if not future.done() or future.cancelled() or future.exception() is not None:
                return
            yield future.result()

    def close(self) -> None:
        """Let the workers end, without a wait: one that is killed then may leave the others locked."""
        self.executor.shutdown(wait=False)

    def _renew(self) -> None:
        """Another executor, to which what the broken one had not answered is given again."""
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self.make(self.workers)
        pending, self.pending = self.pending, deque()
        for chunk, future in pending:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.pending.append((chunk, future))
            else:
                self.submit(chunk)

    def _one_by_one(self, chunk: list[Item]) -> list[Outcome]:
        found: list[Outcome] = []
        executor = None
        for item in chunk:
            executor = executor or self.make(1)
            try:
                found += _result(executor.submit(self.answer, [item], self.question), executor)
            except BrokenExecutor:
                executor.shutdown(wait=False, cancel_futures=True)
                executor = None
                message = "the process that worked on this system died, twice: killed, or out of memory"
                found.append(failure(item, Problem(message, code=WORKER_DIED, source=item.source), self.question))
        if executor is not None:
            executor.shutdown(wait=False)
        return found


def _result(future: Future[list[Outcome]], executor: Executor) -> list[Outcome]:
    """What comes of it. Raises BrokenExecutor.

    A process that dies in the midst of sending its answer leaves a ProcessPoolExecutor waiting for the rest of it, and
    the other processes for their turn, for ever. Then all of them are ended.
    """
    looks = 0
    while not wait([future], BETWEEN_LOOKS).done:
        processes = getattr(executor, "_processes", None) or {}  # of a ProcessPoolExecutor
        looks = 0 if all(process.is_alive() for process in processes.values()) else looks + 1
        if looks > 1:
            for process in processes.values():
                process.kill()
            raise BrokenExecutor("a process died in the midst of its answer")
    return future.result()

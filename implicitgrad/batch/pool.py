"""Chunks of a batch on any executor of concurrent.futures.

Items travel to workers in chunks. A chunk that does not come back, because its worker died, is done again one item at a
time, in a worker of its own, and a file of several systems each of them so: a system whose worker dies again is a
failure, and costs nobody else's answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager, nullcontext, suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from implicitgrad.batch.answer import item_failure
from implicitgrad.batch.engine import (
    Answered,
    Columns,
    Context,
    answer_items,
    columns_of,
    count_systems,
    results_of,
)
from implicitgrad.batch.task import BatchResult, BatchTask, Item, ReadyResults
from implicitgrad.text.characters import count
from implicitgrad.text.errors import WORKER_DIED, Problem, UsageError

Answer = TypeVar("Answer")
Returned = tuple[Columns, list[Item]]
"""Outcomes, and the items that were not come to."""
BETWEEN_LOOKS = 1.0
"""Seconds."""


class Pool:
    """Chunks on an executor, answered in the order they were given.

    make : a new executor of so many workers; asked again when one is broken. waiting : a context to wait in, which may
    be interrupted; nothing else here may be, and what was waited for is still pending then.
    """

    def __init__(
        self,
        make: Callable[[int], Executor],
        workers: int,
        task: BatchTask,
        answer: Callable[[Sequence[Item], BatchTask], Answered] = answer_items,
        waiting: Context = nullcontext,
    ) -> None:
        self.make, self.workers, self.task, self.answer, self.waiting = make, workers, task, answer, waiting
        self.executor = self._made(workers)
        self.alone: Executor | None = None
        """Of one worker, for what may kill it."""
        self.pending: deque[tuple[list[Item], Future[Returned]]] = deque()

    def submit(self, chunk: list[Item]) -> None:
        """Hand a chunk to the workers."""
        try:
            with _starting(self.workers):
                future = self.executor.submit(_answered, self.answer, chunk, self.task)
        except BrokenExecutor as error:  # known only now: whose answer is waited for says so again
            future = Future()
            future.set_exception(error)
        self.pending.append((chunk, future))

    def keep(self, ready: ReadyResults) -> None:
        """Outcomes in their place among the chunks."""
        future: Future[Returned] = Future()
        future.set_result((columns_of(ready.results), []))
        self.pending.append(([], future))

    def next(self) -> list[BatchResult]:
        """The results of the chunk handed over first."""
        chunk, future = self.pending[0]  # which stays there while it is waited for: an interruption leaves no gap
        rest: list[Item] = []
        try:
            columns, rest = self._result(future, self.executor)
            results = results_of(columns)
        except BrokenExecutor:
            self._renew()
            results = self._one_by_one(chunk)
        self.pending.popleft()
        if rest:
            self.submit(rest)
            self.pending.rotate(1)
        return results

    def finished(self) -> Iterator[list[BatchResult]]:
        """What is there already of the next chunks, without a wait."""
        while self.pending:
            _, future = self.pending.popleft()
            if not future.done() or future.cancelled() or future.exception() is not None:
                return
            columns, rest = future.result()
            yield results_of(columns)
            if rest:
                return

    def close(self) -> None:
        """Let the workers end, without a wait: one that is killed then may leave the others locked."""
        for executor in (self.executor, self.alone):
            if executor is not None:
                executor.shutdown(wait=False)

    def _made(self, workers: int) -> Executor:
        with _starting(workers):
            return self.make(workers)

    def _renew(self) -> None:
        """Another executor, to which what the broken one had not answered is given again, but for what is next."""
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self._made(self.workers)
        first, *others = self.pending
        self.pending = deque([first])
        for chunk, future in others:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.pending.append((chunk, future))
            else:
                self.submit(chunk)

    def _one_by_one(self, chunk: list[Item]) -> list[BatchResult]:
        return [result for item in chunk for result in self._alone(item)]

    def _alone(self, item: Item) -> list[BatchResult]:
        """The results of an item in a process of its own; of one that kills it, each system in one of its own."""
        try:
            results: list[BatchResult] = []
            rest = [item]
            while rest:
                columns, rest = self._ask(_answered, self.answer, rest, self.task)
                results += results_of(columns)
            return results
        except BrokenExecutor:
            with suppress(BrokenExecutor):
                systems = 1 if item.only is not None else self._ask(count_systems, item, self.task)
                if systems > 1:
                    ones = (item._replace(only=item.since + k) for k in range(systems))
                    return [result for one in ones for result in self._alone(one)]
        message = "the process that worked on this system died, twice: killed, or out of memory"
        source = item.source if not item.only else f"{item.source}#{item.only + 1}"
        problem = Problem(message, code=WORKER_DIED, source=source)
        return [item_failure(source, problem, self.task)]

    def _ask(self, function: Callable[..., Answer], *arguments: object) -> Answer:
        """What a function comes to. Raises BrokenExecutor, after which another process is asked."""
        self.alone = self.alone or self._made(1)
        try:
            with _starting(1):
                future = self.alone.submit(function, *arguments)
            return self._result(future, self.alone)
        except BrokenExecutor:
            self.alone.shutdown(wait=False, cancel_futures=True)
            self.alone = None
            raise

    def _result(self, future: Future[Answer], executor: Executor) -> Answer:
        """What comes of it. Raises BrokenExecutor.

        A process that dies in the midst of sending its answer leaves a ProcessPoolExecutor waiting for the rest of it,
        and the other processes for their turn, for ever. Then all of them are ended.
        """
        arrived: SimpleQueue[object] = SimpleQueue()  # whose locks an interruption does not leave locked
        future.add_done_callback(arrived.put)
        looks = 0
        while not future.done():
            with suppress(Empty), self.waiting():
                arrived.get(timeout=BETWEEN_LOOKS)
                continue
            processes = getattr(executor, "_processes", None) or {}  # of a ProcessPoolExecutor
            looks = 0 if all(process.is_alive() for process in processes.values()) else looks + 1
            if looks > 1:
                for process in processes.values():
                    process.kill()
                raise BrokenExecutor("a process died in the midst of its answer")
        return future.result()


def _answered(
    answer: Callable[[Sequence[Item], BatchTask], Answered], items: Sequence[Item], task: BatchTask
) -> Returned:
    """What a worker does."""
    results, rest = answer(items, task)
    return columns_of(results), rest


@contextmanager
def _starting(workers: int) -> Iterator[None]:
    """Processes, which may be more than the machine allows. Raises UsageError."""
    try:
        yield
    except OSError as error:
        message = f"{count(workers, 'process')} cannot be started: {error.strerror or error}"
        raise UsageError(message, "--jobs asks for fewer") from None

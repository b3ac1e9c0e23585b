"""Distribute the chunks of a batch over the workers of an executor of concurrent.futures.

If a worker dies, the items of its chunk are answered again one by one in a separate worker, and so are the systems of a
file with several. A system whose worker dies again is a failure; no other answer is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager, nullcontext, suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from implicitgrad.batch.answers.schedule import Answered, answer_items, sources_of
from implicitgrad.batch.answers.steps import item_failure
from implicitgrad.batch.task import BatchResult, BatchTask, Context, Item, ReadyResults
from implicitgrad.text.characters import count
from implicitgrad.text.errors import Problem, UsageError
from implicitgrad.text.internal_errors import WORKER_DIED

Answer = TypeVar("Answer")
POLL_SECONDS = 1.0
"""How often it is checked that the workers are alive."""


class Pool:
    """An executor whose workers answer chunks; results are returned in the order of the chunks.

    make : returns a new executor with the given number of workers; called again when one is broken. waiting : a context
    for waiting, in which the process may be interrupted; a chunk that was waited for remains pending.
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
        """An executor with one worker, for items that may kill it."""
        self.pending: deque[tuple[list[Item], Future[Answered]]] = deque()

    def submit(self, chunk: list[Item]) -> None:
        """Give a chunk to the workers."""
        try:
            with _starting(self.workers):
                future = self.executor.submit(self.answer, chunk, self.task)
        except BrokenExecutor as error:  # raised again when the result is waited for
            future = Future()
            future.set_exception(error)
        self.pending.append((chunk, future))

    def keep(self, ready: ReadyResults) -> None:
        """Take ready results, to be returned in their place among the chunks."""
        future: Future[Answered] = Future()
        future.set_result(Answered(ready.results, []))
        self.pending.append(([], future))

    def next(self) -> list[BatchResult]:
        """Return the results of the first pending chunk."""
        chunk, future = self.pending[0]  # it remains there during the wait, so that an interruption leaves no gap
        rest: list[Item] = []
        try:
            results, rest = self._result(future, self.executor)
        except BrokenExecutor:
            self._renew()
            results = self._one_by_one(chunk)
        self.pending.popleft()
        if rest:
            self.submit(rest)
            self.pending.rotate(1)
        return results

    def finished(self) -> Iterator[list[BatchResult]]:
        """Yield the results of the next chunks that are complete, without waiting."""
        while self.pending:
            _, future = self.pending.popleft()
            if not future.done() or future.cancelled() or future.exception() is not None:
                return
            results, rest = future.result()
            yield results
            if rest:
                return

    def close(self) -> None:
        """Let the workers end, without waiting: a killed worker may leave the others locked."""
        for executor in (self.executor, self.alone):
            if executor is not None:
                executor.shutdown(wait=False)

    def _made(self, workers: int) -> Executor:
        with _starting(workers):
            return self.make(workers)

    def _renew(self) -> None:
        """Replace a broken executor and submit its unanswered chunks again, except the first."""
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

    def _alone(self, item: Item, source: str = "") -> list[BatchResult]:
        """Return the results of an item from a separate worker; if it kills that, from one worker for each system.

        source : that of its one system, if it is known.
        """
        try:
            results: list[BatchResult] = []
            rest = [item]
            while rest:
                found, rest = self._ask(self.answer, rest, self.task)
                results += found
            return results
        except BrokenExecutor:
            with suppress(BrokenExecutor):
                sources = [] if item.only is not None else self._ask(sources_of, item, self.task)
                if len(sources) > 1:
                    ones = ((item._replace(only=k), source) for k, source in enumerate(sources, item.since))
                    return [result for one in ones for result in self._alone(*one)]
        message = "the process that worked on this system died, twice: killed, or out of memory"
        source = source or item.source
        problem = Problem(message, code=WORKER_DIED, source=source)
        return [item_failure(source, problem, self.task)]

    def _ask(self, function: Callable[..., Answer], *arguments: object) -> Answer:
        """Call a function in the separate worker. Raise BrokenExecutor; the next call starts another worker."""
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
        """Wait for the result of a future. Raise BrokenExecutor.

        If a process dies while it sends its result, a ProcessPoolExecutor waits for ever for the rest of it, and the
        other processes for their turn. All of them are then killed.
        """
        arrived: SimpleQueue[object] = SimpleQueue()  # an interruption does not leave its locks locked
        future.add_done_callback(arrived.put)
        times_dead = 0
        while not future.done():
            with suppress(Empty), self.waiting():
                arrived.get(timeout=POLL_SECONDS)
                continue
            processes = getattr(executor, "_processes", None) or {}  # only a ProcessPoolExecutor has them
            times_dead = 0 if all(process.is_alive() for process in processes.values()) else times_dead + 1
            if times_dead > 1:
                for process in processes.values():
                    process.kill()
                raise BrokenExecutor("a process died while it sent its result")
        return future.result()


@contextmanager
def _starting(workers: int) -> Iterator[None]:
    """Raise UsageError if the machine does not allow so many processes."""
    try:
        yield
    except OSError as error:
        message = f"{count(workers, 'process')} cannot be started: {error.strerror or error}"
        raise UsageError(message, "--jobs asks for fewer") from None

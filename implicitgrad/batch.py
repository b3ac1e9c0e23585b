"""Many sources → one outcome each, in order, on any executor of concurrent.futures.

Items travel to workers in chunks. A chunk that does not come back, because its worker died, is done again one item at a
time, each in a worker of its own: an item whose worker dies again is a failure, and costs nobody else's answer.
"""

from __future__ import annotations

import hashlib
import json
import os.path
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import NamedTuple

from implicitgrad.draft import AUTO, Draft
from implicitgrad.errors import ImplicitGradError, Problem
from implicitgrad.readers import read_drafts
from implicitgrad.readers.form import UNSTATED, CsvFormat
from implicitgrad.readers.json_lines import read_json_line
from implicitgrad.readers.source import decode, regular_size
from implicitgrad.requirement import unmet
from implicitgrad.solution import Solution
from implicitgrad.solvers import solve_system
from implicitgrad.writers.record import error_record, to_record

FAULT = "fault"
WORKER_DIED = "worker-died"


class Item(NamedTuple):
    """A source with one system, or a file with several."""

    source: str
    data: bytes | None
    """Its bytes; None for a file that is to be read where it is answered."""
    line: int | None = None
    """Where it stands in a stream of JSON lines, 1-based; None for a whole file."""


class Question(NamedTuple):
    """What is asked of every system."""

    arithmetic: str = AUTO
    free: tuple[str, ...] = ()
    rtol: float | None = None
    require: tuple[str, ...] = ()
    csv_form: CsvFormat = UNSTATED
    form: str = "json"
    """What an answer is written as: json, csv, table, npy, npz or arrays."""

    def content_hash(self, item: Item) -> str | None:
        """SHA-256 of an item's bytes, and of what is asked where that changes its answer; None for a FIFO's.

        Raises InputError for a file that cannot be read.
        """
        if item.data is not None:
            found = hashlib.sha256(item.data)
        elif regular_size(item.source) is None:
            return None
        else:
            with open(item.source, "rb") as file:
                found = hashlib.file_digest(file, "sha256")
        asked = self._replace(require=(), form="")
        if asked != Question(form=""):
            found.update(repr(tuple(asked)).encode())
        return found.hexdigest()


class Outcome(NamedTuple):
    """The answer to a system, or what is wrong with it, as it is written."""

    source: str
    status: str
    """The verdict, or "error"."""
    written: object
    """Text or bytes, by ``Question.form``."""
    problem: Problem | None = None
    """What is wrong with it, or with its answer."""

    @property
    def is_failure(self) -> bool:
        """Whether there is no answer."""
        return self.status == "error"


class Ready(NamedTuple):
    """Outcomes that are there already, in their place among the chunks."""

    outcomes: list[Outcome]


def answer_items(items: Sequence[Item], question: Question) -> list[Outcome]:
    """The outcomes of all systems of some items, in order."""
    return [outcome for item in items for outcome in _answer(item, question)]


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
            return future.result()
        except Exception as error:
            if isinstance(error, BrokenExecutor):
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
        """Wait for the workers to end."""
        self.executor.shutdown()

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
                found += executor.submit(self.answer, [item], self.question).result()
            except Exception:
                executor.shutdown(wait=False, cancel_futures=True)
                executor = None
                message = "the process that worked on this system died, twice: killed, or out of memory"
                found.append(failure(item, Problem(message, code=WORKER_DIED, source=item.source), self.question))
        if executor is not None:
            executor.shutdown()
        return found


def answer_all(
    chunks: Iterable[list[Item] | Ready], question: Question, pool: Callable[[], Pool | None], at_once: int
) -> Iterator[list[Outcome]]:
    """The outcomes of chunk after chunk.

    chunks : an empty one says that the next may be long in coming. pool : asked at each chunk whether there are workers
    for it; None solves it here. at_once : how many chunks the workers are given before an answer is waited for.
    """
    workers: Pool | None = None
    for chunk in chunks:
        if isinstance(chunk, Ready):
            if workers is None:
                yield chunk.outcomes
            else:
                workers.keep(chunk)
        elif chunk:
            workers = workers or pool()
            if workers is None:
                for item in chunk:
                    yield answer_items([item], question)
            else:
                workers.submit(chunk)
        while workers is not None and workers.pending and (not chunk or len(workers.pending) >= at_once):
            yield workers.next()
    while workers is not None and workers.pending:
        yield workers.next()


def failure(item: Item, problem: Problem, question: Question, content_hash: str | None = None) -> Outcome:
    """The outcome of an item that could not be answered."""
    return _written_failure(item.source, _name(item.source), problem, question, content_hash)


def _answer(item: Item, question: Question) -> list[Outcome]:
    content_hash = None
    try:
        content_hash = question.content_hash(item)
        drafts = _drafts(item, question)
        return [_solved(draft, question, content_hash) for draft in drafts]
    except Exception as error:
        return [failure(item, _problem(error, item.source), question, content_hash)]


def _drafts(item: Item, question: Question) -> list[Draft]:
    source = item.source
    text = None if item.data is None else decode(source, item.data)
    if text is None or item.line is None:
        return read_drafts(source, question.csv_form, text)
    return [read_json_line(text, source, _name(source), item.line)]


def _solved(draft: Draft, question: Question, content_hash: str | None) -> Outcome:
    try:
        solution = solve_system(draft.build(question.arithmetic), question.free, rtol=question.rtol)
        problem = next((found for one in question.require if (found := unmet(solution, one))), None)
        written = _write(solution, question, content_hash)
        return Outcome(draft.source, str(solution.status), written, problem)
    except Exception as error:
        return _written_failure(draft.source, draft.name, _problem(error, draft.source), question, content_hash)


def _problem(error: Exception, source: str) -> Problem:
    if isinstance(error, ImplicitGradError):
        first, *others = error.problems
        if others:
            first = first._replace(message=f"{first.message} (and {len(others)} more)")
        return first if first.source else first._replace(source=source)
    if isinstance(error, MemoryError):
        return Problem("out of memory; the system is too large for this machine", code="memory", source=source)
    hint = "This is a bug in implicitgrad: please report it with the input"
    return Problem(f"an unexpected fault: {type(error).__name__}: {error}", hint, FAULT, source)


def _name(source: str) -> str:
    return os.path.splitext(os.path.basename(os.path.normpath(source)))[0]


def _written_failure(source: str, name: str, problem: Problem, question: Question, content_hash: str | None) -> Outcome:
    written: object = ""
    if question.form == "csv":
        from implicitgrad.writers.rows import write_failure_row

        written = write_failure_row(source, name, problem, content_hash)
    elif question.form == "json":
        record = error_record(problem._replace(source=source), name) | {"content_hash": content_hash}
        written = json.dumps(record, allow_nan=False) + "\n"
    return Outcome(source, "error", written, problem)


def _write(solution: Solution, question: Question, content_hash: str | None) -> object:
    if question.form == "json":
        return json.dumps(to_record(solution) | {"content_hash": content_hash}, allow_nan=False) + "\n"
    if question.form == "csv":
        from implicitgrad.writers.rows import write_row

        return write_row(solution, content_hash)
    if question.form == "table":
        from implicitgrad.writers.screen import Screen
        from implicitgrad.writers.table import write_table

        return write_table(solution, Screen())
    from implicitgrad.writers.arrays import write_npy, write_npz, write_numbers

    if question.form == "arrays":
        return write_numbers(solution)
    return bytes(write_npy(solution) if question.form == "npy" else write_npz(solution))

"""Many sources → one outcome each, in order, here or by workers."""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, Protocol

from implicitgrad.characters import count, printable
from implicitgrad.draft import AUTO, Draft
from implicitgrad.errors import ImplicitGradError, Problem, UsageError
from implicitgrad.readers import read_drafts
from implicitgrad.readers.form import UNSTATED, CsvFormat
from implicitgrad.readers.json_lines import read_json_line
from implicitgrad.readers.source import decode, regular_size, stem
from implicitgrad.requirement import facts_of, unmet
from implicitgrad.solution import Solution
from implicitgrad.solvers import solve_system
from implicitgrad.system import LinearSystem
from implicitgrad.writers.record import error_record, to_record, write_json

FAULT = "fault"
GROUP_ITEMS = 32
GROUP_BYTES = 2**14
Context = Callable[[], AbstractContextManager[object]]


class Item(NamedTuple):
    """A source with one system, or a file with several."""

    source: str
    data: bytes | None
    """Its bytes; None for a file that is to be read where it is answered."""
    line: int | None = None
    """Where it stands in a stream of JSON lines, 1-based; None for a whole file."""
    only: int | None = None
    """Which of its systems alone is meant, 0-based; None for all."""


class Question(NamedTuple):
    """What is asked of every system."""

    arithmetic: str = AUTO
    free: tuple[str, ...] = ()
    rtol: float | None = None
    require: tuple[str, ...] = ()
    csv_form: CsvFormat = UNSTATED
    form: str = "json"
    """What an answer is written as: json or a row of it, arrays, or a file of its own, in one of solve's formats."""

    def content_hash(self, item: Item) -> str | None:
        """SHA-256 of an item's bytes, and of what is asked where that changes its answer; None for a FIFO's.

        Where a file has several systems, theirs ends with a slash and their number.

        Raises InputError for a file that cannot be read.
        """
        if item.data is not None:
            found = hashlib.sha256(item.data)
        elif regular_size(item.source) is None:
            return None
        else:
            with open(item.source, "rb") as file:
                found = hashlib.file_digest(file, "sha256")
        asked = (self.arithmetic, self.free, self.rtol, (), self.csv_form, "")
        if asked != NOTHING_ASKED:
            found.update(repr(asked).encode())
        return found.hexdigest()


NOTHING_ASKED = (AUTO, (), None, (), UNSTATED, "")
"""Of a Question what may change an answer, where nothing does."""


class Outcome(NamedTuple):
    """The answer to a system, or what is wrong with it, as it is written."""

    source: str
    status: str
    """The verdict, or "error"."""
    written: object
    """Text or bytes, by ``Question.form``; of a failure its record, or row."""
    problem: Problem | None = None
    """What is wrong with it, or with its answer."""
    is_kept: bool = False
    """It is an earlier batch's."""

    @property
    def is_failure(self) -> bool:
        """Whether there is no answer."""
        return self.status == "error"


class Ready(NamedTuple):
    """Outcomes that are there already, in their place among the chunks."""

    outcomes: list[Outcome]


def answer_items(items: Sequence[Item], question: Question) -> list[Outcome]:
    """The outcomes of all systems of some items, in order."""
    return [outcome for group in groups(items) for outcome in _answer(group, question)]


def count_systems(item: Item, question: Question) -> int:
    """How many systems an item has; 1 where it cannot be read."""
    return len(_read(item, question))


def groups(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Items that are answered together: many small ones, a large one alone."""
    group: list[Item] = []
    total = 0
    for item in items:
        size = GROUP_BYTES if item.data is None else len(item.data)
        if group and (total + size > GROUP_BYTES or len(group) == GROUP_ITEMS):
            yield group
            group, total = [], 0
        group.append(item)
        total += size
    if group:
        yield group


class Workers(Protocol):
    """What chunks are handed to, and answered in the order they were given."""

    @property
    def pending(self) -> Sized:
        """What is not answered yet."""

    def submit(self, chunk: list[Item]) -> None:
        """Hand over a chunk."""

    def keep(self, ready: Ready) -> None:
        """Hand over what is answered already, in its place among the chunks."""

    def next(self) -> list[Outcome]:
        """Wait for the outcomes of the chunk handed over first."""


def answer_all(
    chunks: Iterable[list[Item] | Ready],
    question: Question,
    pool: Callable[[], Workers | None],
    at_once: int,
    computing: Context = nullcontext,
) -> Iterator[list[Outcome]]:
    """The outcomes of chunk after chunk.

    chunks : an empty one says that the next may be long in coming. pool : asked at each chunk whether there are workers
    for it; None solves it here. at_once : how many chunks the workers are given before an answer is waited for.
    computing : a context to solve in, which may be interrupted.
    """
    workers: Workers | None = None
    for chunk in chunks:
        if isinstance(chunk, Ready):
            if workers is None:
                yield chunk.outcomes
            else:
                workers.keep(chunk)
        elif chunk:
            workers = workers or pool()
            if workers is None:
                for group in groups(chunk):
                    with computing():
                        outcomes = _answer(group, question)
                    yield outcomes
            else:
                workers.submit(chunk)
        while workers is not None and workers.pending and (not chunk or len(workers.pending) >= at_once):
            yield workers.next()
    while workers is not None and workers.pending:
        yield workers.next()


def failure(item: Item, problem: Problem, question: Question, content_hash: str | None = None) -> Outcome:
    """The outcome of an item that could not be answered."""
    return _written_failure(item.source, _name(item.source), problem, question, content_hash)


class _System:
    """A system on its way to an outcome."""

    __slots__ = ("content_hash", "found", "name", "parts", "source")

    def __init__(self, source: str, name: str, content_hash: str | None, found: object) -> None:
        self.source, self.name, self.content_hash = source, name, content_hash
        self.found = found
        """A Draft, which becomes a LinearSystem, a Solution and an Outcome; a Problem once one is met."""
        self.parts = found.parts if isinstance(found, Draft) else {}
        """The system as it was written."""


def _answer(items: Sequence[Item], question: Question) -> list[Outcome]:
    """The outcomes of a few items, each step for all of them: a processor is faster at what it did just now."""
    systems = [system for item in items for system in _read(item, question)]
    for step in (_build, _solve, _write):
        for system in systems:
            if not isinstance(system.found, Problem):
                try:
                    step(system, question)
                except Exception as error:
                    system.found = _problem(error, system.source)
    return [_outcome(system, question) for system in systems]


def _read(item: Item, question: Question) -> list[_System]:
    content_hash = None
    try:
        content_hash = question.content_hash(item)
        drafts = _drafts(item, question)
        marked = content_hash if content_hash is None or len(drafts) == 1 else f"{content_hash}/{len(drafts)}"
        systems = [_System(draft.source, draft.name, marked, draft) for draft in drafts]
        return systems if item.only is None else [systems[item.only]]
    except Exception as error:
        return [_System(item.source, _name(item.source), content_hash, _problem(error, item.source))]


def _build(system: _System, question: Question) -> None:
    assert isinstance(system.found, Draft)
    if system.found.origin is None and system.found.linearize is None:
        system.found.why_no_letters = "batch reads no letters in A, B and dL_dy; implicitgrad solve does"
    system.found = system.found.build(question.arithmetic)


def _solve(system: _System, question: Question) -> None:
    linear = system.found
    assert isinstance(linear, LinearSystem)
    system.found = found = solve_system(linear, rtol=question.rtol)
    if question.free and found.general.free:
        system.found = solve_system(linear, question.free, rtol=question.rtol)


def _write(system: _System, question: Question) -> None:
    solution = system.found
    assert isinstance(solution, Solution)
    written = _written(solution, question, system)
    problem = None
    if question.require:
        facts = facts_of(solution)
        problem = next((found for one in question.require if (found := unmet(facts, one))), None)
    system.found = Outcome(system.source, str(solution.status), written, problem)


def _outcome(system: _System, question: Question) -> Outcome:
    if isinstance(system.found, Outcome):
        return system.found
    assert isinstance(system.found, Problem)
    return _written_failure(system.source, system.name, system.found, question, system.content_hash)


def _drafts(item: Item, question: Question) -> list[Draft]:
    source = item.source
    if item.data is not None and item.line is not None:
        return [read_json_line(decode(source, item.data, item.line), source, stem(source), item.line)]
    return read_drafts(source, question.csv_form, None if item.data is None else decode(source, item.data))


def _problem(error: Exception, source: str) -> Problem:
    if isinstance(error, ImplicitGradError):
        first, *others = error.problems
        if others:
            first = first._replace(message=f"{first.message} (and {count(len(others), 'more problem')})")
        if isinstance(error, UsageError):
            first = first._replace(message=first.message.removeprefix(f"{printable(source)}: "))
        return first if first.source else first._replace(source=source)
    if isinstance(error, MemoryError):
        return Problem("out of memory; the system is too large for this machine", code="memory", source=source)
    hint = "This is a bug in implicitgrad: please report it with the input"
    return Problem(f"an unexpected fault: {type(error).__name__}: {error}", hint, FAULT, source)


def _name(source: str) -> str:
    return stem(os.path.normpath(source))


def _written_failure(source: str, name: str, problem: Problem, question: Question, content_hash: str | None) -> Outcome:
    written: object = ""
    if question.form == "row":
        from implicitgrad.writers.rows import write_failure_row

        written = write_failure_row(source, name, problem, content_hash)
    elif question.form != "arrays":
        record = error_record(problem._replace(source=source), name) | {"content_hash": content_hash}
        written = write_json(record) + "\n"
    return Outcome(source, "error", written, problem)


def _written(solution: Solution, question: Question, system: _System) -> object:
    if question.form == "json":
        record = to_record(solution)
        record["content_hash"] = system.content_hash
        return write_json(record) + "\n"
    if question.form == "row":
        from implicitgrad.writers.rows import write_row

        return write_row(solution, system.content_hash)
    if question.form == "table":
        from implicitgrad.writers.screen import Screen
        from implicitgrad.writers.table import write_table

        return write_table(solution, Screen())
    if question.form == "markdown":
        from implicitgrad.writers.markdown import write_markdown

        return write_markdown(solution)
    if question.form == "latex":
        from implicitgrad.writers.latex import write_latex

        return write_latex(solution)
    if question.form in ("yaml", "csv"):
        from implicitgrad.writers import restated

        is_yaml = question.form == "yaml"
        return restated.write_yaml(solution, system.parts) if is_yaml else restated.write_csv(solution)
    from implicitgrad.writers.arrays import write_npy, write_npz, write_numbers

    if question.form == "arrays":
        return write_numbers(solution)
    return bytes(write_npy(solution) if question.form == "npy" else write_npz(solution))

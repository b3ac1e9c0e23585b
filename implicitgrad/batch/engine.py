"""Many sources → one outcome each, in order, here or by workers."""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import AbstractContextManager, nullcontext
from enum import Enum, auto
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, Protocol

from implicitgrad.model.requirement import facts_of, unmet
from implicitgrad.model.solution import Solution
from implicitgrad.model.spec import UNSTATED, CsvFormat, SystemSpec
from implicitgrad.model.system import AUTO, LinearSystem
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.readers.build import build_system
from implicitgrad.readers.formats import read_specs
from implicitgrad.readers.json_lines import read_json_line
from implicitgrad.readers.source import decode, regular_size, stem
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.text.characters import count, printable
from implicitgrad.text.errors import INTERNAL_ERROR, ImplicitGradError, Problem, UsageError
from implicitgrad.writers.formats import FORMATS, JSON, BatchFormat, WriteOptions

if TYPE_CHECKING:
    from implicitgrad.batch.limits import Work

SMALL, LARGE_IN_DOUBLES, LARGE_EXACTLY = 8, 400, 2e6
"""Sizes of systems, and size³·digits², up to which and above which they are answered in less than about 0.1 s."""
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
    """Which of its systems alone is meant, 0-based; None for all from ``since`` on."""
    since: int = 0


class BatchTask(NamedTuple):
    """What is asked of every system."""

    arithmetic: str = AUTO
    free: tuple[str, ...] = ()
    rtol: float | None = None
    require: tuple[str, ...] = ()
    csv_form: CsvFormat = UNSTATED
    form: str = JSON
    """The name of the output format."""
    time_limit: float | None = None
    """Seconds for each system."""
    is_combined: bool = True
    """Whether the answers go into one output; else each has a file of its own."""

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
"""Of a BatchTask what may change an answer, where nothing does."""


class BatchResult(NamedTuple):
    """The answer to a system, or what is wrong with it, as it is written."""

    source: str
    status: str
    """The verdict, or "error"."""
    written: object
    """Text or bytes, by ``BatchTask.form``; of a failure its record, or row."""
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

    outcomes: list[BatchResult]


class Answered(NamedTuple):
    """The outcomes of some items, in order, and the items that are left."""

    outcomes: list[BatchResult]
    rest: list[Item]


def answer_items(items: Sequence[Item], question: BatchTask) -> Answered:
    """The outcomes of the systems of some items; of all of them, or of those before one that takes long."""
    outcomes: list[BatchResult] = []
    done = 0
    for group in groups(items):
        for found in _answer(group, question):
            if not isinstance(found, SlowSystem):
                outcomes += found
            elif outcomes:
                slow = done + found.item
                return Answered(outcomes, [items[slow]._replace(since=found.number), *items[slow + 1 :]])
        done += len(group)
    return Answered(outcomes, [])


def count_systems(item: Item, question: BatchTask) -> int:
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

    def next(self) -> list[BatchResult]:
        """Wait for the outcomes of the chunk handed over first."""


def answer_all(
    chunks: Iterable[list[Item] | Ready],
    question: BatchTask,
    pool: Callable[[], Workers | None],
    at_once: int,
    computing: Context = nullcontext,
) -> Iterator[list[BatchResult]]:
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
                    yield from _computed(_answer(group, question), computing)
            else:
                workers.submit(chunk)
        while workers is not None and workers.pending and (not chunk or len(workers.pending) >= at_once):
            yield workers.next()
    while workers is not None and workers.pending:
        yield workers.next()


def failure(item: Item, problem: Problem, question: BatchTask, content_hash: str | None = None) -> BatchResult:
    """The outcome of an item that could not be answered."""
    return _written_failure(item.source, _name(item.source), problem, question, content_hash)


class SlowSystem(NamedTuple):
    """That the next system takes long, or may; what is there need not wait for it."""

    item: int
    """Its item's number among those that are answered together."""
    number: int
    """Its own in the item; both 0-based."""


def _computed(answers: Iterator[list[BatchResult] | SlowSystem], computing: Context) -> Iterator[list[BatchResult]]:
    while True:
        with computing():
            outcomes = next(answers, None)
        if outcomes is None:
            return
        if not isinstance(outcomes, SlowSystem):
            yield outcomes


class _System:
    """A system on its way to an outcome."""

    __slots__ = ("content_hash", "found", "name", "source", "values")

    def __init__(self, source: str, name: str, content_hash: str | None, found: object) -> None:
        self.source, self.name, self.content_hash = source, name, content_hash
        self.found = found
        """A SystemSpec, which becomes a LinearSystem, a Solution and an BatchResult; a Problem once one is met."""
        self.values = found.values if isinstance(found, SystemSpec) else {}
        """The system as it was written."""

    @property
    def needs_algebra(self) -> bool:
        """Whether it is more than numbers."""
        return isinstance(self.found, SystemSpec) and self.found.linearize is not None


def _answer(items: Sequence[Item], question: BatchTask) -> Iterator[list[BatchResult] | SlowSystem]:
    """The outcomes of a few items, some at a time; and SlowSystem before one that may take long, or while it does."""
    if question.time_limit is not None:
        yield from _answer_apart(items, question)
        return
    systems: list[_System] = []
    places: list[SlowSystem] = []
    paces: list[_Pace] = []
    for i, item in enumerate(items):
        read = _read(item, question)
        _step(_build, [system for system in read if not system.needs_algebra], question)
        systems += read
        places += [SlowSystem(i, item.since + k) for k in range(len(read))]
        paces += [_pace(system, item) for system in read]
    start = 0
    for pace, run in groupby(paces):
        start, end = start + len(list(run)), start
        together, where = systems[end:start], places[end:start]
        if pace is _Pace.QUICK:
            yield _solved(together, question)
        elif pace is _Pace.LONG:
            for system, place in zip(together, where, strict=True):
                yield place
                yield _solved([system], question)
        else:
            from implicitgrad.batch.limits import load_algebra

            load_algebra()
            yield from _watched(partial(_works, together, where, question), question, where[0])


class _Pace(Enum):
    """How long a system may take."""

    QUICK = auto()
    LONG = auto()
    UNKNOWN = auto()


def _pace(system: _System, item: Item) -> _Pace:
    """An estimate of the work, by a system's size and how many digits there are to an entry."""
    if system.needs_algebra:
        return _Pace.UNKNOWN
    linear = system.found
    if not isinstance(linear, LinearSystem):
        return _Pace.QUICK
    size = max(len(linear.A), len(linear.y), len(linear.x))
    if size <= SMALL:
        return _Pace.QUICK
    if type(linear.A) is not RationalMatrix:
        return _Pace.LONG if size > LARGE_IN_DOUBLES else _Pace.QUICK
    digits = len(item.data or b"") / size**2
    return _Pace.LONG if size**3 * digits**2 > LARGE_EXACTLY else _Pace.QUICK


def _solved(systems: Sequence[_System], question: BatchTask) -> list[BatchResult]:
    """Each step for all of them: a processor is faster at what it did just now."""
    _step(_solve, systems, question)
    _step(_write, systems, question)
    return [_outcome(system, question) for system in systems]


def _step(step: Callable[[_System, BatchTask], None], systems: Sequence[_System], question: BatchTask) -> None:
    for system in systems:
        if not isinstance(system.found, Problem):
            try:
                step(system, question)
            except Exception as error:
                system.found = _problem(error, system.source)


def _answer_apart(items: Sequence[Item], question: BatchTask) -> Iterator[list[BatchResult] | SlowSystem]:
    """The outcomes of items, each system within the time limit."""
    from implicitgrad.batch.limits import load_algebra

    if any(b"equations" in (item.data or b"") for item in items):
        load_algebra()

    def works() -> list[Work]:
        read = [_read(item, question) for item in items]
        places = [SlowSystem(i, items[i].since + k) for i, systems in enumerate(read) for k in range(len(systems))]
        return _works([system for systems in read for system in systems], places, question)

    yield from _watched(works, question, SlowSystem(0, items[0].since), items)


class _Label(NamedTuple):
    """What is known of a system where another process works on it."""

    place: SlowSystem
    source: str
    name: str
    content_hash: str | None


def _works(systems: Sequence[_System], places: Sequence[SlowSystem], question: BatchTask) -> list[Work]:
    from implicitgrad.batch.limits import Work

    return [
        Work(_Label(place, system.source, system.name, system.content_hash), partial(_whole, system, question))
        for system, place in zip(systems, places, strict=True)
    ]


def _watched(
    works: Callable[[], Sequence[Work]], question: BatchTask, first: SlowSystem, items: Sequence[Item] = ()
) -> Iterator[list[BatchResult] | SlowSystem]:
    """Yield the outcomes of works, which end when their time is over.

    first : the place of the first system, until the works are known. items : what they are made of, if that may fail.
    """
    from implicitgrad.batch.limits import Result, each_or_slow

    for found in each_or_slow(works, question.time_limit):
        label = found.label
        if not isinstance(found, Result):
            yield first if label is None else label.place
        elif found.error is None:
            yield [found.value]
        elif label is not None:
            problem = _problem(found.error, label.source)
            yield [_written_failure(label.source, label.name, problem, question, label.content_hash)]
        elif len(items) == 1:
            yield [failure(items[0], _problem(found.error, items[0].source), question)]
        else:
            for i, item in enumerate(items):
                for one in _answer_apart([item], question):
                    yield one._replace(item=i) if isinstance(one, SlowSystem) else one


def _whole(system: _System, question: BatchTask) -> BatchResult:
    """The outcome of a system. Raises MemoryError."""
    if system.needs_algebra:
        from implicitgrad.batch.limits import begin_algebra

        begin_algebra()
    try:
        for step in (_build, _solve, _write):
            if not isinstance(system.found, Problem):
                step(system, question)
    except MemoryError:
        raise
    except Exception as error:
        system.found = _problem(error, system.source)
    return _outcome(system, question)


def _read(item: Item, question: BatchTask) -> list[_System]:
    content_hash = None
    try:
        content_hash = question.content_hash(item)
        specs = _specs(item, question)
        marked = content_hash if content_hash is None or len(specs) == 1 else f"{content_hash}/{len(specs)}"
        systems = [_System(spec.source, spec.name, marked, spec) for spec in specs]
        return systems[item.since :] if item.only is None else [systems[item.only]]
    except Exception as error:
        return [_System(item.source, _name(item.source), content_hash, _problem(error, item.source))]


def _build(system: _System, question: BatchTask) -> None:
    assert isinstance(system.found, SystemSpec)
    if system.found.origin is None and system.found.linearize is None:
        system.found.no_letters_hint = "batch reads no letters in A, B and dL_dy; implicitgrad solve does"
    system.found = build_system(system.found, question.arithmetic)


def _solve(system: _System, question: BatchTask) -> None:
    linear = system.found
    assert isinstance(linear, LinearSystem)
    system.found = found = solve_system(linear, rtol=question.rtol)
    if question.free and found.general.free:
        system.found = solve_system(linear, question.free, rtol=question.rtol)


def _write(system: _System, question: BatchTask) -> None:
    solution = system.found
    assert isinstance(solution, Solution)
    written = _written(solution, question, system)
    problem = None
    if question.require:
        facts = facts_of(solution)
        problem = next((found for one in question.require if (found := unmet(facts, one))), None)
    system.found = BatchResult(system.source, str(solution.status), written, problem)


def _outcome(system: _System, question: BatchTask) -> BatchResult:
    if isinstance(system.found, BatchResult):
        return system.found
    assert isinstance(system.found, Problem)
    return _written_failure(system.source, system.name, system.found, question, system.content_hash)


def _specs(item: Item, question: BatchTask) -> list[SystemSpec]:
    source = item.source
    if item.data is not None and item.line is not None:
        return [read_json_line(decode(source, item.data, item.line), source, stem(source), item.line)]
    return read_specs(source, question.csv_form, None if item.data is None else decode(source, item.data))


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
    return Problem(f"internal error: {type(error).__name__}: {error}", hint, INTERNAL_ERROR, source)


def _name(source: str) -> str:
    return stem(os.path.normpath(source))


def _written_failure(
    source: str, name: str, problem: Problem, question: BatchTask, content_hash: str | None
) -> BatchResult:
    written = _batch_format(question.form if question.is_combined else JSON).failure(
        source, name, problem, content_hash
    )
    return BatchResult(source, "error", written, problem)


def _batch_format(form: str) -> BatchFormat:
    batch = FORMATS[form].batch
    assert batch is not None
    return batch()


def _written(solution: Solution, question: BatchTask, system: _System) -> object:
    if question.is_combined:
        return _batch_format(question.form).answer(solution, system.content_hash)
    keys = {"content_hash": system.content_hash}
    written = FORMATS[question.form].write(solution, WriteOptions(values=system.values, record_keys=keys))
    return written if isinstance(written, str) else bytes(written)

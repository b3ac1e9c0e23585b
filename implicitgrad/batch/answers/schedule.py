"""Answer the items of a batch in order: small systems together, slow ones so that they hold nothing back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from functools import cache, partial
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, cast

from implicitgrad.batch.answers.steps import (
    BatchSystem,
    Identity,
    Position,
    answer_alone,
    answer_together,
    build_systems,
    failure,
    item_failure,
    problem_of,
    read_item,
)
from implicitgrad.batch.task import BatchResult, BatchTask, Item
from implicitgrad.model.system import AUTO, Arithmetic, LinearSystem
from implicitgrad.numbers.exact import RationalMatrix

if TYPE_CHECKING:
    from implicitgrad.batch.isolation.process import Job, MakeJobs
    from implicitgrad.model.program.problem import QuadraticProgram

SMALL_SIZE, MAX_QUICK_SIZE, MAX_QUICK_EXACT_WORK = 8, 400, 2e6
"""Sizes, and size³·digits² in exact arithmetic, up to which an answer takes less than about 0.1 s."""
SMALL_PROGRAM = 30
"""Unknowns and inequalities of a quadratic program that takes about as little."""
LARGE_BYTES = 2_000
"""The size of an item up to which its system is solved exactly, unless it is asked for in doubles."""
GROUP_ITEMS = 32
GROUP_BYTES = 2**14
GROUP_SECONDS = 0.5
"""The time after which a group of quick systems, which takes some milliseconds, is answered one by one instead."""


class Answered(NamedTuple):
    """The results of some items, in order, and the items that remain."""

    results: list[BatchResult]
    rest: list[Item]


def answer_items(items: Sequence[Item], task: BatchTask) -> Answered:
    """Answer the systems of some items: all of them, or those before one that takes long."""
    results: list[BatchResult] = []
    for found in answers(items, task):
        if not isinstance(found, Position):
            results += found
        elif results:
            slow = items[found.item]._replace(since=found.number)
            return Answered(results, [slow, *items[found.item + 1 :]])
    return Answered(results, [])


def sources_of(item: Item, task: BatchTask) -> list[str]:
    """Return the sources of an item's systems; its own if it cannot be read."""
    return [system.identity.source for system in read_item(item, task)]


def answers(items: Sequence[Item], task: BatchTask) -> Iterator[list[BatchResult] | Position]:
    """Yield the results of items, and the Position of a system before one that may take long and while it does."""
    if task.time_limit is not None:
        yield from _answer_isolated(items, task)
        return
    for pace, systems in _runs(items, task):
        if pace is _Pace.QUICK:
            yield answer_together(systems, task)
        elif pace is _Pace.SLOW:
            for system in systems:
                yield system.identity.position
                yield answer_together([system], task)
        else:
            from implicitgrad.batch.isolation.process import load_algebra

            load_algebra()
            jobs = [_job([system], task) for system in systems]
            yield from _run_jobs(partial(iter, jobs), systems[0].identity.position, items, task)


class _Pace(Enum):
    """The time that a system may take."""

    QUICK = auto()
    SLOW = auto()
    UNKNOWN = auto()
    """It needs algebra."""


def _runs(items: Sequence[Item], task: BatchTask) -> Iterator[tuple[_Pace, list[BatchSystem]]]:
    """Read items, build what is quickly built and yield systems in order, successive ones of one pace together."""
    first = 0
    for group in _groups(items):
        systems: list[BatchSystem] = []
        buildable: list[BatchSystem] = []
        for i, item in enumerate(group, first):
            read = read_item(item, task, i)
            if task.time_limit is None or (item.data is not None and len(item.data) <= GROUP_BYTES * len(read)):
                buildable += [system for system in read if not system.needs_algebra]
            systems += read
        build_systems(buildable, task)
        for pace, run in groupby(systems, lambda system: _pace(system, items[system.identity.position.item])):
            together = list(run)
            for k in range(0, len(together), GROUP_ITEMS):
                yield pace, together[k : k + GROUP_ITEMS]
        first += len(group)


def _groups(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Yield groups of many small items, or of one large one."""
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


def _pace(system: BatchSystem, item: Item) -> _Pace:
    """Estimate the work from a system's size and the number of digits of an entry."""
    if system.needs_algebra:
        return _Pace.UNKNOWN
    linear = system.state
    if not isinstance(linear, LinearSystem):
        if linear is system.spec:  # not built yet
            return _Pace.SLOW
        if getattr(linear, "kind", "") != "program":  # a Problem
            return _Pace.QUICK
        program = cast("QuadraticProgram", linear)
        return _Pace.SLOW if len(program.q) + len(program.h) > SMALL_PROGRAM else _Pace.QUICK
    size = max(len(linear.A), len(linear.y), len(linear.x))
    if size <= SMALL_SIZE:
        return _Pace.QUICK
    if type(linear.A) is not RationalMatrix:
        return _Pace.SLOW if size > MAX_QUICK_SIZE else _Pace.QUICK
    digits = len(item.data or b"") / size**2
    return _Pace.SLOW if size**3 * digits**2 > MAX_QUICK_EXACT_WORK else _Pace.QUICK


def _answer_isolated(items: Sequence[Item], task: BatchTask) -> Iterator[list[BatchResult] | Position]:
    """Answer items in an isolated process, each system within the time limit."""
    from implicitgrad.batch.isolation.process import load_algebra

    _warm_up(task)
    if task.arithmetic == AUTO and any(item.data is None or len(item.data) > LARGE_BYTES for item in items):
        _warm_up(task._replace(arithmetic=Arithmetic.FLOAT))
    if any(b"equations" in (item.data or b"") for item in items):
        load_algebra()

    make_jobs = partial(_make_jobs, items, task)
    yield from _run_jobs(make_jobs, Position(0, items[0].since), items, task)


@cache
def _warm_up(task: BatchTask) -> None:
    """Load what it takes to answer a system in the arithmetic of the task, so that each forked process has it."""
    answer_together(read_item(Item("", b"A: [[1]]"), task), task)


def _make_jobs(items: Sequence[Item], task: BatchTask) -> Iterator[Job]:
    for pace, systems in _runs(items, task):
        if pace is _Pace.QUICK:
            yield _job(systems, task)
        else:
            yield from (_job([system], task) for system in systems)


def _job(systems: Sequence[BatchSystem], task: BatchTask) -> Job:
    """Make the job of answering one system, or a few quick ones."""
    from implicitgrad.batch.isolation.process import Job

    identities = [system.identity for system in systems]
    seconds = task.time_limit
    if len(systems) == 1:
        if seconds is not None:
            seconds -= systems[0].reading_seconds
        return Job(identities, partial(answer_alone, systems[0], task), seconds)
    if seconds is not None:
        seconds = min(seconds, GROUP_SECONDS)
    return Job(identities, partial(answer_together, systems, task), seconds)


def _run_jobs(
    make_jobs: MakeJobs, first: Position, items: Sequence[Item], task: BatchTask
) -> Iterator[list[BatchResult] | Position]:
    """Yield the results of jobs in an isolated process, and the Position of a system while it takes long.

    When that process is killed while it answers several systems or reads several items, each of them is given to a
    process of its own, so that only the system that is slow, or takes too much memory, has no answer.

    first : the position of the first job's system.
    """
    from implicitgrad.batch.isolation.process import JobResult, watch_isolated

    place = first
    """The position of the next system, or the one after the last."""
    for found in watch_isolated(make_jobs, task.time_limit):
        identities: list[Identity] = found.label or []
        if not isinstance(found, JobResult):
            if place.item < len(items):
                yield place
        elif found.error is None:
            yield found.value
        elif not identities and len(items) == 1:
            yield [item_failure(items[0].source, problem_of(found.error, items[0].source), task)]
        elif not identities:
            rest = [
                (place.item, items[place.item]._replace(since=place.number)),
                *list(enumerate(items))[place.item + 1 :],
            ]
            yield from _answer_singly(rest, task)
        elif len(identities) == 1:
            yield [failure(identities[0], problem_of(found.error, identities[0].source), task)]
        else:
            places = [identity.position for identity in identities]
            yield from _answer_singly(((i, items[i]._replace(only=number)) for i, number in places), task)
        if identities and isinstance(found, JobResult):
            place = _next(identities[-1], items)


def _next(identity: Identity, items: Sequence[Item]) -> Position:
    """Return the position that follows that of a system; its item may be one behind the last."""
    i, number = identity.position
    if not identity.is_last:
        return Position(i, number + 1)
    i += 1
    return Position(i, items[i].since if i < len(items) else 0)


def _answer_singly(items: Iterable[tuple[int, Item]], task: BatchTask) -> Iterator[list[BatchResult] | Position]:
    for i, item in items:
        for found in _answer_isolated([item], task):
            yield found._replace(item=i) if isinstance(found, Position) else found

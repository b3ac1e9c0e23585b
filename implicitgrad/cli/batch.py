"""implicitgrad batch: many systems, a line each."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import click

from implicitgrad.cli.options import (
    THREAD_VARIABLES,
    Verb,
    cores,
    csv_options,
    format_of,
    format_option,
    solving_options,
    time_limit_option,
    with_help,
)
from implicitgrad.cli.systems import announce_terminal_input, refuse_values, require_option
from implicitgrad.model.spec import CsvFormat
from implicitgrad.text.errors import UsageError
from implicitgrad.writers.formats import FORMATS, JSON

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from implicitgrad.batch.inputs import Chunk
    from implicitgrad.batch.pool import Pool
    from implicitgrad.batch.results import Results
    from implicitgrad.batch.resume import Old
    from implicitgrad.batch.sources import Sources
    from implicitgrad.batch.task import BatchResult, BatchTask, ReadyResults
    from implicitgrad.terminal.signals import Interruptions

COMBINED = [one for one in FORMATS.values() if one.batch is not None]
LINES = [one.name for one in COMBINED if one.is_text]
RESUME_NEEDS = "--resume needs the JSON lines of an earlier batch: --output results.jsonl"
LOCAL_BYTES = 2**16
LOCAL_ITEMS = 256
"""What is solved before workers are started, which takes as long as solving some hundreds of small systems."""
CHUNKS_A_WORKER = 3
DASK_TIMEOUT = 60
"""Seconds."""
GARBAGE = 20_000
"""Objects that the garbage collector lets come together: more than the systems that are answered together have."""

EXAMPLES = """\
implicitgrad batch systems/ > results.jsonl
implicitgrad batch systems/ --output results.jsonl --resume
implicitgrad batch 'runs/**/*.npz' --output summary.csv
implicitgrad batch systems/ --output-dir answers --format table
producer | implicitgrad batch - | jq -c .dL_dx
find . -name '*.yaml' -print0 | implicitgrad batch --files-from -"""
GROUPS = {
    "Systems": "files_from exclude",
    "Output": "output output_dir form resume quiet",
    "Answers": "free require fail_fast",
    "Processes": "jobs address dask_timeout",
    "CSV": "delimiter decimal header index",
    "Advanced": "arithmetic rtol time_limit",
}
EPILOG = """\
SYSTEMS are files as solve reads them, JSON lines (.jsonl), directories,
patterns such as 'runs/**/*.yaml', or - for standard input: a system in JSON on
each line, or YAML. A failure is a record with the key error, and stops nothing.
More: implicitgrad guide batch

Exit codes: 0 all answered; 1 answered, but --require is not met; 2 bad usage,
or a system without an answer; 3 an internal error; 130 interrupted, with what
was completed written."""


@click.command(
    cls=Verb, examples=EXAMPLES, groups=GROUPS, epilog=EPILOG, short_help="Solve many systems, one JSON line each."
)
@click.argument("systems", nargs=-1, type=click.Path(readable=False))
@click.option("--files-from", metavar="FILE", help="Read file names from FILE or -, separated by NULs or newlines.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out files and directories: 'draft*'.")
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(readable=False),
    help="Write to a file: .jsonl JSON lines, .csv a row each, .npz all numbers.",
)  # fmt: skip
@click.option(
    "--output-dir", metavar="DIR", type=click.Path(readable=False), help="Write a file for each system into DIR."
)
@format_option([*FORMATS.values()], "What to write: json or csv lines; with --output-dir any.  [default: json]")
@click.option("--resume", is_flag=True, help="Keep the answers of unchanged systems in --output, JSON lines.")
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 4096), metavar="N", help="Use N processes.  [default: one for each core]"
)
@click.option("--dask", "address", metavar="ADDRESS", help="Use the cluster of this Dask scheduler.")
@click.option(
    "--dask-timeout", type=click.IntRange(1, 10**6), metavar="SECONDS",
    help="Give up if the scheduler is silent or has no worker for this long.  [default: 60]",
)  # fmt: skip
@click.option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@solving_options
@time_limit_option
@require_option("Exit with 1 unless every answer is this")
@csv_options
@click.option("-q", "--quiet", is_flag=True, help="Report no progress, failures or totals on standard error.")
@click.option("--debug", is_flag=True, help="Show the traceback of an internal error.")
@with_help()
def batch(
    systems: tuple[str, ...],
    files_from: str | None,
    exclude: tuple[str, ...],
    output: str | None,
    output_dir: str | None,
    form: str | None,
    resume: bool,
    jobs: int | None,
    address: str | None,
    dask_timeout: int | None,
    fail_fast: bool,
    free: tuple[str, ...] | None,
    arithmetic: str,
    rtol: float | None,
    time_limit: float | None,
    require: tuple[str, ...],
    delimiter: str | None,
    decimal: str,
    header: bool | None,
    index: bool | None,
    quiet: bool,
    debug: bool,
) -> int:
    """Solve many systems; each gets its answer, or what is wrong with it, on a line of its own, in order."""
    _fill_standard_streams()
    target = _target(output, output_dir, form, resume=resume)
    if "" in systems or files_from == "":
        raise UsageError("expected a file's name, got ''")
    refuse_values(systems)
    if not systems and files_from is None:
        hint = "See implicitgrad batch --help"
        raise UsageError("expected systems' files or directories, - for standard input, or --files-from", hint)
    if [*systems, files_from].count("-") > 1:
        raise UsageError("standard input can be read once; expected - in one place only")
    if jobs is not None and address is not None:
        raise UsageError("expected --jobs or --dask, got both")
    if dask_timeout is not None and address is None:
        raise UsageError("--dask-timeout is about a cluster; expected --dask with it")
    if "-" in (*systems, files_from):
        announce_terminal_input()
    for name in THREAD_VARIABLES:  # each process works on one system
        os.environ.setdefault(name, "1")
    from implicitgrad.batch.task import BatchTask
    from implicitgrad.terminal.signals import Interruptions

    gc.freeze()
    gc.set_threshold(GARBAGE)
    gc.enable()
    question = BatchTask(
        arithmetic, free or (), rtol, require, CsvFormat(delimiter, decimal, header, index), target.form, time_limit,
        is_combined=target.directory is None,
    )  # fmt: skip
    with Interruptions() as interruptions:
        asked = _Asked(
            systems, files_from, exclude, jobs, address, dask_timeout or DASK_TIMEOUT, fail_fast, quiet, resume
        )
        return _run(asked, target, question, interruptions)


def _fill_standard_streams() -> None:
    """Leave no descriptor of a closed one to a file that is opened."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


class _Target(NamedTuple):
    """Where results go, and what each is written as."""

    output: str | None
    directory: str | None
    form: str


class _Asked(NamedTuple):
    systems: tuple[str, ...]
    files_from: str | None
    exclude: tuple[str, ...]
    jobs: int | None
    address: str | None
    dask_timeout: int
    fail_fast: bool
    quiet: bool
    resume: bool


def _target(output: str | None, directory: str | None, form: str | None, *, resume: bool) -> _Target:
    """Raises UsageError for what does not go together."""
    if "" in (output, directory):
        raise UsageError("expected a file's name, got ''")
    if output is not None and directory is not None:
        raise UsageError("expected --output or --output-dir, got both")
    if resume and output in (None, "-"):
        raise UsageError(RESUME_NEEDS)
    if directory is not None:
        return _Target(None, directory, form or JSON)
    if form not in (None, *LINES):
        raise UsageError(f"--format {form} is one file for each system; expected --output-dir with it")
    found = format_of(output, form, COMBINED, JSON)
    if resume and found != JSON:
        raise UsageError(RESUME_NEEDS)
    return _Target(None if output == "-" else output, None, found)


def _run(asked: _Asked, target: _Target, question: BatchTask, interruptions: Interruptions) -> int:
    from implicitgrad.batch.engine import answer_all
    from implicitgrad.batch.progress import Tally
    from implicitgrad.batch.sources import Sources

    sources = Sources(asked.systems, asked.files_from, asked.exclude, target.output, target.directory)
    make = None if asked.address is None else _cluster(asked.address, asked.dask_timeout)
    jobs = asked.jobs or cores()
    submitted = _Submitted()
    started: list[Pool] = []

    def pool() -> Pool | None:
        if started:
            return started[0]
        if make is None and (jobs == 1 or not submitted.is_much):
            return None
        from implicitgrad.batch.pool import Pool
        from implicitgrad.batch.workers import local

        started.append(Pool(make or local, jobs, question, waiting=interruptions.allowed))
        return started[0]

    def total() -> int | None:
        with interruptions.allowed():
            return sources.total()

    at_once = CHUNKS_A_WORKER * (jobs if asked.address is None else 64)
    is_shown = target.output is not None or target.directory is not None
    is_whole = is_interrupted = False
    with interruptions.deferred(), Tally(asked.quiet, total, is_shown=is_shown) as tally:
        results = _results(target, interruptions, is_resumed=asked.resume)
        old: Old | None = getattr(results, "old", None)
        try:
            chunks = interruptions.allowed_between(_held(_chunks(asked, sources, question, old, submitted), submitted))
            for outcomes in answer_all(chunks, question, pool, at_once, interruptions.allowed):
                shown = _to_first_failure(outcomes) if asked.fail_fast else outcomes
                tally.add(results.write(shown))
                if asked.fail_fast and shown and shown[-1].is_failure:
                    tally.is_stopped = True
                    break
            else:
                interruptions.check()
                is_whole = True
        except KeyboardInterrupt:
            interruptions.is_over = is_interrupted = True
            _end(started)
            for outcomes in chain.from_iterable(one.finished() for one in started):
                tally.add(results.write(outcomes))
            raise
        finally:
            interruptions.is_over = True
            for one in started:
                one.close()
            _end(started)
            results.close(is_whole=is_whole, is_interrupted=is_interrupted)
    return tally.exit_code


def _cluster(address: str, timeout: int) -> Callable[[int], Executor]:
    from implicitgrad.batch.cluster import dask

    return dask(address, timeout)


def _end(started: list[Pool]) -> None:
    """End every worker of this machine at once."""
    if started:
        from implicitgrad.batch.workers import kill_all

        kill_all()


def _to_first_failure(outcomes: list[BatchResult]) -> list[BatchResult]:
    failed = next((k for k, outcome in enumerate(outcomes) if outcome.is_failure), None)
    return outcomes if failed is None else outcomes[: failed + 1]


class _Submitted:
    """Counts what was handed to processes so far."""

    def __init__(self) -> None:
        self.bytes = self.items = 0

    @property
    def is_much(self) -> bool:
        return self.bytes > LOCAL_BYTES or self.items > LOCAL_ITEMS


def _held(chunks: Iterator[Chunk | ReadyResults], submitted: _Submitted) -> Iterator[Chunk | ReadyResults]:
    """The same, the first of them together: once there is much to do, or the next may be long in coming."""
    held: list[Chunk | ReadyResults] = []
    for chunk in chunks:
        held.append(chunk)
        if submitted.is_much or not chunk:
            yield from held
            held.clear()
    yield from held


def _chunks(
    asked: _Asked, sources: Sources, question: BatchTask, old: Old | None, submitted: _Submitted
) -> Iterator[Chunk | ReadyResults]:
    """What is to be done, and what is done already."""
    from implicitgrad.batch import inputs as items
    from implicitgrad.batch.answer import item_failure
    from implicitgrad.batch.task import ReadyResults
    from implicitgrad.text.errors import InputError

    for chunk in items.chunks(sources.found(), sources.own(), sends_all=asked.address is not None):
        if isinstance(chunk, InputError):
            problem = chunk.problems[0]
            yield ReadyResults([item_failure(str(problem.source), problem, question)])
            continue
        submitted.items += len(chunk)
        submitted.bytes += sum(len(item.data) if item.data is not None else items.size(item) for item in chunk)
        if old is None:
            yield chunk
        else:
            yield from _changed(chunk, old, question)


def _changed(chunk: Chunk, old: Old, question: BatchTask) -> Iterator[Chunk | ReadyResults]:
    """A chunk, without what has its result already; that stands in its place."""
    from implicitgrad.batch.task import ReadyResults
    from implicitgrad.text.errors import InputError

    left: Chunk = []
    for item in chunk:
        try:
            content_hash = question.content_hash(item)
            outcomes = [] if content_hash is None else old.outcomes(item, content_hash, question.require)
        except InputError:
            outcomes = []
        if outcomes:
            if left:
                yield left
            left = []
            yield ReadyResults(outcomes)
        else:
            left.append(item)
    if left or not chunk:
        yield left


def _results(target: _Target, interruptions: Interruptions, *, is_resumed: bool) -> Results:
    if target.directory is not None:
        from implicitgrad.batch.directory_output import Directory

        return Directory(target.directory, target.form)
    batch = FORMATS[target.form].batch
    assert batch is not None
    header, assemble = batch().header, batch().assemble
    if assemble is not None:
        from implicitgrad.batch.results import Stack

        assert target.output is not None
        return Stack(target.output, assemble)
    from implicitgrad.batch.jsonl_output import lines_to, standard_output

    if target.output is None:
        return standard_output(interruptions, header)
    return lines_to(target.output, interruptions, header, is_resumed=is_resumed)

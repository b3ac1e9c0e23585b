"""Run a batch: chunks of items are answered in this process or by workers, and the results are written in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.batch.answers.schedule import answers
from implicitgrad.batch.answers.steps import Position, item_failure
from implicitgrad.batch.inputs.chunks import chunks, size
from implicitgrad.batch.inputs.sources import Sources
from implicitgrad.batch.progress import ProgressReport
from implicitgrad.batch.task import BatchResult, BatchTask, Chunk, Context, ReadyResults
from implicitgrad.batch.workers.processes import cores, kill_all
from implicitgrad.text.errors import InputError
from implicitgrad.writers.formats import FORMATS, JSON

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from implicitgrad.batch.outputs.arrays import Results
    from implicitgrad.batch.outputs.earlier import EarlierResults
    from implicitgrad.batch.workers.pool import Pool
    from implicitgrad.terminal.signals import Interruptions

MAX_LOCAL_BYTES = 2**16
MAX_LOCAL_ITEMS = 256
"""More work than this is given to workers; starting them takes as long as solving some hundreds of small systems."""
CHUNKS_PER_WORKER = 3
CLUSTER_WORKERS = 64
"""The workers that a cluster is assumed to have."""


class OutputTarget(NamedTuple):
    """Where results go, and in which format."""

    output: str | None
    """A file; None for standard output or a directory."""
    directory: str | None
    form: str


class BatchOptions(NamedTuple):
    """The options that concern the batch as a whole, by the names of their parameters."""

    systems: tuple[str, ...] = ()
    files_from: str | None = None
    exclude: tuple[str, ...] = ()
    jobs: int | None = None
    """None: one for each core."""
    address: str | None = None
    """The address of a Dask scheduler; None for processes of this machine."""
    dask_timeout: int | None = None
    """Seconds."""
    fail_fast: bool = False
    quiet: bool = False
    resume: bool = False


def run_batch(options: BatchOptions, target: OutputTarget, task: BatchTask, interruptions: Interruptions) -> int:
    """Answer all systems and return the exit code. Raise OutputError, ReaderGone or KeyboardInterrupt."""
    sources = Sources(options.systems, options.files_from, options.exclude, target.output, target.directory)
    workers = _WorkerPool(options, task, interruptions)
    max_pending = CHUNKS_PER_WORKER * (workers.jobs if options.address is None else CLUSTER_WORKERS)

    def total() -> int | None:
        with interruptions.allowed():
            return sources.total()

    is_shown = target.output is not None or target.directory is not None
    is_whole = is_interrupted = False
    can_resume = target.output is not None and target.form == JSON
    progress = ProgressReport(options.quiet, total, is_shown=is_shown, can_resume=can_resume)
    with interruptions.deferred(), progress as report:
        output = _open_output(target, interruptions, is_resumed=options.resume)
        work = _work(sources, task, output.earlier, workers, sends_all=options.address is not None)
        try:
            waiting = interruptions.allowed_between(_first_together(work, workers))
            for results in answer_all(waiting, task, workers.pool, max_pending, interruptions.allowed):
                shown = _to_first_failure(results) if options.fail_fast else results
                report.add(output.write(shown))
                if options.fail_fast and shown and shown[-1].is_failure:
                    report.is_stopped = True
                    break
            else:
                interruptions.check()
                is_whole = True
        except KeyboardInterrupt:
            interruptions.is_over = is_interrupted = True
            workers.kill()
            for results in workers.finished():
                report.add(output.write(results))
            raise
        finally:
            interruptions.is_over = True
            workers.close()
            output.close(is_whole=is_whole, is_interrupted=is_interrupted)
    return report.exit_code


def answer_all(
    chunks: Iterable[Chunk | ReadyResults],
    task: BatchTask,
    pool: Callable[[], Pool | None],
    max_pending: int,
    computing: Context = nullcontext,
) -> Iterator[list[BatchResult]]:
    """Yield the results of all chunks in order.

    chunks : an empty one announces that the next may be a long time coming. pool : called at each chunk; None means
    that this process answers it. max_pending : the number of chunks that workers have before their results are waited
    for. computing : the context to compute in.
    """
    workers: Pool | None = None
    for chunk in chunks:
        if isinstance(chunk, ReadyResults):
            if workers is None:
                yield chunk.results
            else:
                workers.keep(chunk)
        elif chunk:
            workers = workers or pool()
            if workers is None:
                yield from _computed(answers(chunk, task), computing)
            else:
                workers.submit(chunk)
        while workers is not None and workers.pending and (not chunk or len(workers.pending) >= max_pending):
            yield workers.next()
    while workers is not None and workers.pending:
        yield workers.next()


def _computed(found: Iterator[list[BatchResult] | Position], computing: Context) -> Iterator[list[BatchResult]]:
    while True:
        with computing():
            results = next(found, None)
        if results is None:
            return
        if isinstance(results, list):
            yield results


class _WorkerPool:
    """The pool of workers, started once there is enough work."""

    def __init__(self, options: BatchOptions, task: BatchTask, interruptions: Interruptions) -> None:
        self.jobs, self.task, self.interruptions = options.jobs or cores(), task, interruptions
        self.connect: Callable[[int], Executor] | None = None
        if options.address is not None:
            from implicitgrad.batch.workers.cluster import DASK_TIMEOUT, dask

            self.connect = dask(options.address, options.dask_timeout or DASK_TIMEOUT)
        self.bytes = self.items = 0
        """The size of the work so far."""
        self.started: Pool | None = None

    def count(self, chunk: Chunk) -> None:
        """Count the work of a chunk."""
        self.items += len(chunk)
        self.bytes += sum(map(size, chunk))

    @property
    def has_enough_work(self) -> bool:
        """Return whether starting workers takes less time than they save."""
        return self.bytes > MAX_LOCAL_BYTES or self.items > MAX_LOCAL_ITEMS

    def pool(self) -> Pool | None:
        """Return the pool; None while all is answered in this process."""
        if self.started is None and (self.connect is not None or (self.jobs > 1 and self.has_enough_work)):
            from implicitgrad.batch.workers.pool import Pool
            from implicitgrad.batch.workers.processes import local

            self.started = Pool(self.connect or local, self.jobs, self.task, waiting=self.interruptions.allowed)
        return self.started

    def finished(self) -> Iterator[list[BatchResult]]:
        """Yield the results that workers have sent before an interruption."""
        if self.started is not None:
            yield from self.started.finished()

    def kill(self) -> None:
        """End every worker of this machine at once."""
        if self.started is not None:
            kill_all()

    def close(self) -> None:
        """End the pool."""
        if self.started is not None:
            self.started.close()
        self.kill()


def _to_first_failure(results: list[BatchResult]) -> list[BatchResult]:
    failed = next((k for k, result in enumerate(results) if result.is_failure), None)
    return results if failed is None else results[: failed + 1]


def _first_together(work: Iterator[Chunk | ReadyResults], workers: _WorkerPool) -> Iterator[Chunk | ReadyResults]:
    """Yield the same, but hold the first chunks back until it is known whether there is enough work for workers.

    An empty chunk says that the next one may be long in coming, and so ends the waiting, too.
    """
    held: list[Chunk | ReadyResults] = []
    for chunk in work:
        held.append(chunk)
        if workers.has_enough_work or not chunk:
            yield from held
            held.clear()
    yield from held


def _work(
    sources: Sources, task: BatchTask, earlier: EarlierResults | None, workers: _WorkerPool, *, sends_all: bool
) -> Iterator[Chunk | ReadyResults]:
    """Yield the chunks to answer, and in their places the results that need no work."""
    for chunk in chunks(sources.found(), sources.own(), sends_all=sends_all):
        if isinstance(chunk, InputError):
            problem = chunk.problems[0]
            yield ReadyResults([item_failure(str(problem.source), problem, task)])
            continue
        workers.count(chunk)
        if earlier is None:
            yield chunk
        else:
            yield from _changed(chunk, earlier, task)


def _changed(chunk: Chunk, earlier: EarlierResults, task: BatchTask) -> Iterator[Chunk | ReadyResults]:
    """Yield the items of a chunk that have no earlier result, and the earlier results of the others."""
    new: Chunk = []
    for item in chunk:
        try:
            content_hash = task.content_hash(item)
            results = [] if content_hash is None else earlier.results_of(item, content_hash, task.require)
        except InputError:
            results = []
        if results:
            if new:
                yield new
            new = []
            yield ReadyResults(results)
        else:
            new.append(item)
    if new or not chunk:
        yield new


def _open_output(target: OutputTarget, interruptions: Interruptions, *, is_resumed: bool) -> Results:
    if target.directory is not None:
        from implicitgrad.batch.outputs.directory import DirectoryOutput

        return DirectoryOutput(target.directory, target.form)
    batch = FORMATS[target.form].batch()
    header, assemble = batch.header, batch.assemble
    if assemble is not None:
        from implicitgrad.batch.outputs.arrays import ArraysOutput

        assert target.output is not None
        return ArraysOutput(target.output, assemble)
    from implicitgrad.batch.outputs.lines import lines_to, standard_output

    if target.output is None:
        return standard_output(interruptions, header)
    return lines_to(target.output, interruptions, header, is_resumed=is_resumed)

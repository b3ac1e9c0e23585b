"""implicitgrad batch: solve many systems, a line each."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import click

from implicitgrad.cli import problems  # noqa: F401 (workers may use up all file descriptors, and no file opens then)
from implicitgrad.cli.options import shared
from implicitgrad.cli.options.shared import Verb, option, taken
from implicitgrad.model.spec import CsvFormat
from implicitgrad.text.errors import UsageError
from implicitgrad.writers.formats import FORMATS, JSON

if TYPE_CHECKING:
    from implicitgrad.batch.run import BatchOptions, OutputTarget

COMBINED = [one for one in FORMATS.values() if one.has_batch]
LINES = [one.name for one in COMBINED if one.is_text]
RESUME_NEEDS = "--resume needs the JSON lines of an earlier batch: --output results.jsonl"
DASK_TIMEOUT = 60
"""Seconds."""
GARBAGE = 20_000
"""The garbage collector's threshold: more objects than the systems that are answered together have."""

GROUPS = {
    "Systems": [
        option("--files-from", metavar="FILE", help="Read file names from FILE or -, separated by NULs or newlines."),
        shared.EXCLUDE,
    ],
    "Output": [
        option(
            "-o", "--output", metavar="FILE", type=shared.PATH,
            help="Write to a file: .jsonl JSON lines, .csv a row each, .npz all numbers.",
        ),
        option("--output-dir", metavar="DIR", type=shared.PATH, help="Write a file for each system into DIR."),
        shared.format_option(
            FORMATS.values(), "What to write: json or csv lines; with --output-dir any.  [default: json]"
        ),
        option("--resume", is_flag=True, help="Keep the answers of unchanged systems in --output, JSON lines."),
        option("-q", "--quiet", is_flag=True, help="Report no progress, failures or totals on standard error."),
    ],
    "Answers": [
        shared.FREE,
        shared.require_option("Exit with 1 unless every answer is this"),
        option("--fail-fast", is_flag=True, help="Stop at the first failure."),
    ],
    "Processes": [
        option(
            "-j", "--jobs", type=click.IntRange(1, 4096), metavar="N",
            help="Use N processes.  [default: one for each core]",
        ),
        option("--dask", "address", metavar="ADDRESS", help="Use the cluster of this Dask scheduler."),
        option(
            "--dask-timeout", type=click.IntRange(1, 10**6), metavar="SECONDS",
            help="Give up if the scheduler is silent or has no worker for this long.  [default: 60]",
        ),
    ],
    "CSV input": shared.CSV_INPUT,
    "Advanced": [shared.ARITHMETIC, shared.RTOL, shared.TIME_LIMIT],
    "Other": [shared.DEBUG],
}  # fmt: skip


@click.command(cls=Verb, groups=GROUPS, short_help="Solve many systems, one JSON line each.")
@click.argument("systems", nargs=-1, type=shared.PATH)
def batch(output: str | None, output_dir: str | None, form: str | None, **others: object) -> int:
    """Solve many systems; each gets its answer, or what is wrong with it, on a line of its own, in order."""
    _fill_standard_streams()
    from implicitgrad.batch.run import BatchOptions, run_batch
    from implicitgrad.batch.task import BatchTask
    from implicitgrad.cli.options.sources import files_read
    from implicitgrad.terminal.signals import Interruptions

    options = taken(BatchOptions, others)
    target = _target(output, output_dir, form, is_resumed=options.resume)
    _refuse_nonsense(options)
    files_read(options.systems, [] if options.files_from is None else [options.files_from])
    for name in shared.THREAD_VARIABLES:  # each process works on one system
        os.environ.setdefault(name, "1")
    gc.freeze()
    gc.set_threshold(GARBAGE)
    gc.enable()
    csv_form = taken(CsvFormat, others)
    is_combined = target.directory is None
    task = taken(BatchTask, others | {"csv_form": csv_form, "form": target.form, "is_combined": is_combined})
    with Interruptions() as interruptions:
        return run_batch(options, target, task, interruptions)


def _refuse_nonsense(options: BatchOptions) -> None:
    if not options.systems and options.files_from is None:
        hint = "See implicitgrad batch --help"
        raise UsageError("expected systems' files or directories, - for standard input, or --files-from", hint)
    if options.jobs is not None and options.address is not None:
        raise UsageError("expected --jobs or --dask, got both")
    if options.dask_timeout is not None and options.address is None:
        raise UsageError("--dask-timeout is about a cluster; expected --dask with it")


def _fill_standard_streams() -> None:
    """Open the null device for each closed standard stream, so that no file gets its descriptor."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def _target(output: str | None, directory: str | None, form: str | None, *, is_resumed: bool) -> OutputTarget:
    """Return where results go. Raise UsageError for options that exclude one another."""
    from implicitgrad.batch.run import OutputTarget
    from implicitgrad.cli.options.values import format_of

    if "" in (output, directory):
        raise UsageError("expected a file's name, got ''")
    if output is not None and directory is not None:
        raise UsageError("expected --output or --output-dir, got both")
    if is_resumed and output in (None, "-"):
        raise UsageError(RESUME_NEEDS)
    if directory is not None:
        return OutputTarget(None, directory, form or JSON)
    if form not in (None, *LINES):
        raise UsageError(f"--format {form} is one file for each system; expected --output-dir with it")
    found = format_of(output, form, COMBINED, JSON)
    if is_resumed and found != JSON:
        raise UsageError(RESUME_NEEDS)
    return OutputTarget(None if output == "-" else output, None, found)

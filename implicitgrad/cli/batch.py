"""implicitgrad batch: solve many systems, a line each."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import click

from implicitgrad.cli import problems  # noqa: F401 (workers may use up all file descriptors, and no file opens then)
from implicitgrad.cli.options.shared import (
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
from implicitgrad.cli.options.system import announce_terminal_input, refuse_values, require_option
from implicitgrad.model.spec import CsvFormat
from implicitgrad.text.errors import UsageError
from implicitgrad.writers.formats import FORMATS, JSON

if TYPE_CHECKING:
    from implicitgrad.batch.run import OutputTarget

COMBINED = [one for one in FORMATS.values() if one.has_batch]
LINES = [one.name for one in COMBINED if one.is_text]
RESUME_NEEDS = "--resume needs the JSON lines of an earlier batch: --output results.jsonl"
DASK_TIMEOUT = 60
"""Seconds."""
GARBAGE = 20_000
"""The garbage collector's threshold: more objects than the systems that are answered together have."""

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
    "CSV input": "delimiter decimal header index",
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
    from implicitgrad.batch.run import BatchOptions, run_batch
    from implicitgrad.batch.task import BatchTask
    from implicitgrad.terminal.signals import Interruptions

    gc.freeze()
    gc.set_threshold(GARBAGE)
    gc.enable()
    task = BatchTask(
        arithmetic, free or (), rtol, require, CsvFormat(delimiter, decimal, header, index), target.form, time_limit,
        is_combined=target.directory is None,
    )  # fmt: skip
    with Interruptions() as interruptions:
        options = BatchOptions(
            systems,
            files_from,
            exclude,
            jobs or cores(),
            address,
            dask_timeout or DASK_TIMEOUT,
            fail_fast,
            quiet,
            resume,
        )
        return run_batch(options, target, task, interruptions)


def _fill_standard_streams() -> None:
    """Open the null device for each closed standard stream, so that no file gets its descriptor."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def _target(output: str | None, directory: str | None, form: str | None, *, resume: bool) -> OutputTarget:
    """Return where results go. Raise UsageError for options that exclude one another."""
    from implicitgrad.batch.run import OutputTarget

    if "" in (output, directory):
        raise UsageError("expected a file's name, got ''")
    if output is not None and directory is not None:
        raise UsageError("expected --output or --output-dir, got both")
    if resume and output in (None, "-"):
        raise UsageError(RESUME_NEEDS)
    if directory is not None:
        return OutputTarget(None, directory, form or JSON)
    if form not in (None, *LINES):
        raise UsageError(f"--format {form} is one file for each system; expected --output-dir with it")
    found = format_of(output, form, COMBINED, JSON)
    if resume and found != JSON:
        raise UsageError(RESUME_NEEDS)
    return OutputTarget(None if output == "-" else output, None, found)

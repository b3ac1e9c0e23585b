"""The files that a command reads: whether their names can be used, and how each is read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from implicitgrad.model.spec import UNSTATED, CsvFormat
from implicitgrad.readers.files.regular_files import regular_size
from implicitgrad.readers.sources import STANDARD_INPUT, file_of, format_by_suffix, read_text
from implicitgrad.terminal.streams import say
from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import UsageError

if TYPE_CHECKING:
    from implicitgrad.cli.options.given import SystemOptions


def files_to_solve(system: str | None, given: SystemOptions | None, csv_form: CsvFormat) -> list[str]:
    """Return the files that solve reads. Raise UsageError for names and options that do not go together."""
    sources = [] if system is None else [system]
    inputs = files_read(sources, named_in(given.values.values()) if given else (), csv_form)
    if system is None and (given is None or not given.is_whole):
        hint = "See implicitgrad solve --help"
        raise UsageError("expected a system's file, - for standard input, -A, -e or --minimize", hint)
    if given is not None:
        from implicitgrad.cli.options.given import refuse_contradictions

        refuse_contradictions(inputs[: len(sources)], given)
    if system is not None and os.path.isdir(system):
        shown = printable(system)
        hint = f"To solve all in it: implicitgrad batch {shown}; to check them: implicitgrad check {shown}"
        raise UsageError(f"expected a system's file, got the directory {quoted(system)}", hint)
    return inputs


def files_read(sources: Sequence[str], more: Sequence[str], csv_form: CsvFormat = UNSTATED) -> list[str]:
    """Return the files that a command reads, and say so if it reads from the terminal. Raise UsageError.

    sources : those of systems. more : those of other things, such as the @FILE of an option.
    """
    inputs = [*map(file_of, sources), *more]
    if "" in inputs:
        raise UsageError("expected a file's name, got ''")
    if csv_form != UNSTATED and not inputs:
        raise UsageError("--delimiter, --decimal, --header and --index are for CSV, and nothing is read from a file")
    absent = [source for source in sources if not set(source).isdisjoint("= ,;[") and not os.path.exists(source)]
    if absent:
        from implicitgrad.cli.suggestions import refuse_equations_and_matrices

        refuse_equations_and_matrices(absent)
    if inputs.count("-") > 1:
        raise UsageError("standard input can be read once; expected - in one place only")
    if "-" in inputs and sys.stdin is not None and sys.stdin.isatty():
        say("implicitgrad: reading from the terminal; Ctrl-D ends the input")
    return inputs


def named_in(values: Iterable[str | None]) -> list[str]:
    """Return the files that values of options name: each @FILE."""
    return [value[1:] for value in values if value and value.startswith("@")]


def read_once(source: str | None) -> str | None:
    """Read standard input or a FIFO, which can be read only once and may block; return None for other files."""
    if source is None or ((found := format_by_suffix(source)) is not None and not found.is_text):
        return None
    return read_text(source) if source == STANDARD_INPUT or regular_size(source) is None else None


def csv_format_of(source: str | None, form: CsvFormat) -> CsvFormat:
    """Return the CSV format of one of several files, which is UNSTATED for a file of another format."""
    found = None if source is None else format_by_suffix(source)
    return UNSTATED if found is not None and found.delimiter is None else form

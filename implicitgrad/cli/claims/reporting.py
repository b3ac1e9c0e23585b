"""Write the results of check: the report, JUnit XML, GitHub annotations, the exit code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from implicitgrad.cli.problems import report
from implicitgrad.model.verdict import Unreadable
from implicitgrad.terminal.files import write_file
from implicitgrad.terminal.streams import write_stderr, write_stdout
from implicitgrad.text.errors import ImplicitGradError, UsageError
from implicitgrad.writers.formats import FORMATS, JSON
from implicitgrad.writers.reports.report import Result, failed


class Reporting(NamedTuple):
    """The options that say what is reported, and where."""

    form: str
    output: str | None = None
    """The report's file; None and - stand for standard output."""
    junit: str | None = None
    github: bool | None = None
    """Whether to print annotations; None: if GITHUB_ACTIONS is set."""
    quiet: bool = False

    @property
    def is_to_stdout(self) -> bool:
        """Whether the report goes to standard output."""
        return self.output in (None, "-")

    def check(self) -> None:
        """Raise UsageError if a file's name cannot be used."""
        if self.junit == "":
            raise UsageError("expected a file's name, got ''")
        if self.junit == "-":
            raise UsageError("--junit: expected a file, got -, where the report goes")
        if self.junit is not None and not self.is_to_stdout and _is_same(self.junit, self.output or ""):
            raise UsageError("--junit and --output name the same file; expected two")


def report_results(results: Sequence[Result], reporting: Reporting, inputs: Sequence[str]) -> int:
    """Report the results and return the exit code.

    inputs : the files that were read, which are never overwritten.
    """
    hinted: set[str | None] = set()
    for result in results:
        if isinstance(result, Unreadable):
            report(result.problems, as_json=reporting.form == JSON, hinted=hinted)
    if reporting.junit is not None:
        from implicitgrad.writers.reports.junit import write_junit

        write_file(reporting.junit, write_junit(results), inputs, "--junit")
    text = FORMATS[reporting.form].report(results, reporting.quiet, reporting.is_to_stdout)
    if not reporting.is_to_stdout:
        write_file(reporting.output or "", text, inputs)
    elif text:
        write_stdout(text)
    if reporting.github or (reporting.github is None and os.environ.get("GITHUB_ACTIONS") == "true"):
        _annotate(results, to_stderr=reporting.form == JSON and reporting.is_to_stdout)
    if any(isinstance(result, Unreadable) for result in results):
        return ImplicitGradError.exit_code
    return 1 if failed(results) else 0


def _annotate(results: Sequence[Result], *, to_stderr: bool) -> None:
    """Print GitHub annotations on standard output, or, if that has JSON, on standard error; GitHub reads both."""
    from implicitgrad.writers.reports.github import write_annotations

    text = write_annotations(results, os.environ.get("GITHUB_WORKSPACE"))
    if text:
        (write_stderr if to_stderr else write_stdout)(text)


def _is_same(a: str, b: str) -> bool:
    return os.path.realpath(a) == os.path.realpath(b)

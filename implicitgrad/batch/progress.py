"""Report on a batch on standard error: progress on a terminal, failures and totals at the end."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from implicitgrad.batch.task import BatchResult
from implicitgrad.terminal.streams import LABEL, say
from implicitgrad.text.characters import count, printable
from implicitgrad.text.errors import (
    MAX_PROBLEMS_SHOWN,
    ImplicitGradError,
    Problem,
    without_repeated_hints,
)
from implicitgrad.text.internal_errors import INTERNAL_ERROR, INTERNAL_ERROR_EXIT

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress

VERDICTS = (
    "determined", "underdetermined", "overdetermined", "rank-deficient",
    "differentiable", "constrained", "one-sided", "not-unique", "infeasible", "unbounded",
)  # fmt: skip
UNMET = 1
MAX_PLACE_WIDTH = 32
REFRESH_SECONDS = 0.1


class ProgressReport:
    """The counts of results by status, and the first problems.

    total : returns the number of systems, or None; called only if progress is shown. is_shown : results do not go to
    standard output, so that progress does not disturb them. can_resume : --resume would complete an interrupted batch.
    """

    def __init__(
        self, is_quiet: bool, total: Callable[[], int | None], *, is_shown: bool, can_resume: bool = False
    ) -> None:
        self.is_quiet, self.total = is_quiet, total
        self.is_shown = is_shown or sys.stdout is None or not sys.stdout.isatty()
        self.can_resume = can_resume
        self.is_stopped = False
        """Whether the first failure ended the batch."""
        self.verdicts: Counter[str] = Counter()
        self.failures: list[Problem] = []
        self.unmet_requirements: list[Problem] = []
        """The first answers that are not as required."""
        self.failed = self.unmet = self.kept = 0
        self.is_internal_error = False
        self.progress: Any = None
        self.next_refresh = 0.0

    def __enter__(self) -> ProgressReport:
        if not self.is_quiet and self.is_shown and sys.stderr is not None and sys.stderr.isatty():
            self.progress = _progress()
            self.known = self.total()
            self.task = self.progress.add_task("", total=self.known, failed="")
            self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.progress is not None:
            self.progress.stop()
        if not self.is_quiet and (kind is None or issubclass(kind, KeyboardInterrupt)):
            self._print(is_whole=kind is None)

    def add(self, results: Sequence[BatchResult]) -> None:
        """Count results, and show the progress."""
        self.verdicts.update([result.status for result in results])
        self.kept += sum([result.is_kept for result in results])
        for result in results:
            if result.problem is None:
                continue
            self.failed += result.is_failure
            self.unmet += not result.is_failure
            self.is_internal_error |= result.problem.code == INTERNAL_ERROR
            problems = self.failures if result.is_failure else self.unmet_requirements
            if len(problems) < MAX_PROBLEMS_SHOWN:
                problems.append(result.problem)
        if self.progress is not None:
            failed = f"{count(self.failed, 'failure')}" if self.failed else ""
            if self.known is not None and sum(self.verdicts.values()) > self.known:  # files of several systems
                self.progress.tasks[0].total = self.known = None
            self.progress.update(self.task, advance=len(results), failed=failed)
            if monotonic() > self.next_refresh:
                self.progress.refresh()
                self.next_refresh = monotonic() + REFRESH_SECONDS

    @property
    def exit_code(self) -> int:
        """Return the exit code of the command."""
        if self.is_internal_error:
            return INTERNAL_ERROR_EXIT
        if self.failed:
            return ImplicitGradError.exit_code
        return UNMET if self.unmet else 0

    def _print(self, *, is_whole: bool) -> None:
        problems = [*self.failures, *self.unmet_requirements][:MAX_PROBLEMS_SHOWN]
        if problems:
            from implicitgrad.terminal.nearest_file import with_nearest_file

            problems = without_repeated_hints(map(with_nearest_file, problems), set())
        if problems and sys.stderr is not None and sys.stderr.isatty():
            _print_table(problems)
        else:
            for problem in problems:
                say(f"implicitgrad: {problem}")
        left_out = self.failed + self.unmet - len(problems)
        if left_out > 0:
            say(f"implicitgrad: ... and {left_out:,} more problems")
        total = sum(self.verdicts.values())
        parts = [f"{self.verdicts[verdict]:,} {verdict}" for verdict in VERDICTS if self.verdicts[verdict]]
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        text = f"{total:,} system{'' if total == 1 else 's'}{': ' if parts else ''}{', '.join(parts)}"
        if self.kept:
            text += f"; {self.kept:,} kept from before"
        if self.unmet:
            text += f"; {self.unmet:,} not as required"
        if self.is_stopped:
            text += "; stopped at the first failure"
        if not is_whole:
            text += "; interrupted"
            if self.can_resume and total:
                text += "; the same command with --resume keeps these and answers the rest"
        say(f"implicitgrad: {text}")


def _print_table(problems: Sequence[Problem]) -> None:
    """Print problems as a table on a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, header_style="", pad_edge=False)
    table.add_column("where", style=LABEL, overflow="fold", max_width=MAX_PLACE_WIDTH)
    table.add_column("what is wrong", overflow="fold")
    for problem in problems:
        place = ":".join(str(part) for part in (problem.source, problem.line, problem.column) if part is not None)
        what = str(problem._replace(source=None, line=None, column=None))
        table.add_row(Text(printable(place)), Text(what))
    Console(stderr=True).print(table)


def _progress() -> Progress:
    from rich import progress as rich_progress
    from rich.console import Console
    from rich.text import Text

    class Rate(rich_progress.ProgressColumn):
        def render(self, task: rich_progress.Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:,.0f} a second")

    return rich_progress.Progress(
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        Rate(),
        rich_progress.TimeRemainingColumn(),
        rich_progress.TextColumn("{task.fields[failed]}"),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,  # without a thread, since processes are forked from this one
    )

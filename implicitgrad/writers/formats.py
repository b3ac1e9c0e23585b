"""The registry of output formats: the name and the suffixes of each, what it is for, and the module that writes it.

A new format is one module and its line in FORMATS. The module has ``write(solution, options)``, ``limitation(solution,
options)`` if it leaves something out, and ``batch_format()`` if its line says so. The module of its reports has
``write_results(results, only_failures, is_on_screen)``. A module is imported when it is first needed: a one-liner loads
the format that it prints and no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from implicitgrad.text.characters import listed

if TYPE_CHECKING:
    from implicitgrad.writers.data.batch_format import BatchFormat
    from implicitgrad.writers.options import AnySolution, WriteOptions
    from implicitgrad.writers.reports.report import Result

TABLE, JSON, PLAIN = "table", "json", "plain"
"""The default of solve and check, that of batch, and that of --plain."""
PLAIN_SUFFIX = ".txt"
"""The suffix of a file in the command's default format."""


class Format(NamedTuple):
    """A format of output."""

    name: str
    suffixes: tuple[str, ...]
    """The suffixes of --output that choose it, the usual one first."""
    module: str
    """The module of writers/ that writes it."""
    description: str = ""
    separator: str | None = None
    """The separator of the answers to several systems; None if the format holds one."""
    is_text: bool = True
    has_steps: bool = False
    """Whether it shows a derivation."""
    has_batch: bool = False
    """Whether batch writes many answers into one output."""
    reports: str = ""
    """The module of writers/ that writes the results of check in it; none if there are no such reports."""

    def write(self, solution: AnySolution, options: WriteOptions) -> str | memoryview:
        """Write the answer to one system. Raise ImplicitGradError if the format has no place for it."""
        written: str | memoryview = _writer(self.module).write(solution, options)
        return written

    def limitation(self, solution: AnySolution, options: WriteOptions) -> str | None:
        """Return a message on what the format leaves out of an answer; None if that is nothing."""
        find = getattr(_writer(self.module), "limitation", None)
        return find(solution, options) if find is not None else None

    def batch(self) -> BatchFormat:
        """Return how batch writes the answers to many systems into one output."""
        found: BatchFormat = _writer(self.module).batch_format()
        return found

    def report(self, results: Sequence[Result], only_failures: bool, is_on_screen: bool) -> str:
        """Write the results of check."""
        text: str = _writer(self.reports).write_results(results, only_failures, is_on_screen)
        return text


@cache
def _writer(module: str) -> Any:  # noqa: ANN401 (a module)
    return import_module(f"implicitgrad.writers.{module}")


FORMATS = {
    one.name: one
    for one in (
        Format(TABLE, (PLAIN_SUFFIX,), "screen.page", "", "\n\n", has_steps=True, reports="reports.report"),
        Format(
            JSON,
            (".json", ".jsonl", ".ndjson"),
            "data.json",
            "an object a line",
            "",
            has_batch=True,
            reports="reports.verdict_record",
        ),
        Format(PLAIN, (), "pages.plain", "a fact a line", "\n", reports="pages.plain"),
        Format("markdown", (".md",), "pages.markdown", "", "\n", has_steps=True),
        Format("html", (".html", ".htm"), "pages.html", "a page for a browser", has_steps=True, reports="pages.html"),
        Format("latex", (".tex",), "pages.latex", "for amsmath", "\n", has_steps=True),
        Format("yaml", (".yaml", ".yml"), "data.yaml", "the system with its answer for check", "---\n"),
        Format("csv", (".csv",), "data.csv", "a spreadsheet", has_batch=True),
        Format("npy", (".npy",), "data.npy", is_text=False),
        Format("npz", (".npz",), "data.npz", is_text=False, has_batch=True),
    )
}
"""Each format by its name, in the order in which help lists them."""
WITH_STEPS = listed((one.name for one in FORMATS.values() if one.has_steps), "or")
"""The formats that show a derivation, in words."""

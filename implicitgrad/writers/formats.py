"""The registry of output formats: the name and the suffixes of each, what it is for, and its writers.

A new format is one file with its writer, and its entry in FORMATS. A writer is imported when it is first called: a
one-liner loads the format that it prints and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from implicitgrad.numbers.number_form import DEFAULT, NumberOptions
from implicitgrad.text.errors import UsageError

if TYPE_CHECKING:
    from implicitgrad.model.program_solution import ProgramSolution
    from implicitgrad.model.selection import Selection
    from implicitgrad.model.solution import Solution
    from implicitgrad.model.spec import SourceValue
    from implicitgrad.text.errors import Problem
    from implicitgrad.writers.csv import Sheet
    from implicitgrad.writers.record import Json
    from implicitgrad.writers.report import Result

    AnySolution = Solution | ProgramSolution

TABLE, JSON, PLAIN = "table", "json", "plain"
"""The default of solve and check, that of batch, and that of --plain."""
PLAIN_SUFFIX = ".txt"
"""The suffix of a file in the command's default format."""
BatchAnswer = tuple[str, str, Any]
"""A source, a verdict or "error", and what ``BatchFormat.answer`` returned."""


class WriteOptions(NamedTuple):
    """The options of writing one answer, each obeyed by the formats that it concerns."""

    numbers: NumberOptions = DEFAULT
    is_full: bool = True
    """Whether a large answer is written entry by entry, and not summarised."""
    is_on_screen: bool = False
    """Whether a page is laid out for the screen behind standard output, and not for a file."""
    values: Mapping[str, SourceValue] = MappingProxyType({})
    """The system's values as they were written, by key."""
    record_keys: Mapping[str, Json] = MappingProxyType({})
    """Further keys of a JSON record."""
    wrt: tuple[str, ...] = ()
    """The parameters of a program whose derivatives a page shows, by their keys; none for the usual ones."""
    has_steps: bool = False
    """Whether a page on a program has the derivation."""
    selection: Selection | None = None
    """The rows and the columns that a page or a spreadsheet shows; None for all."""


class BatchFormat(NamedTuple):
    """How batch writes the answers to many systems into one output."""

    answer: Callable[[AnySolution, str | None], Any]
    """Write a Solution with the hash of its source's content."""
    failure: Callable[[str, str, Problem, str | None], str]
    """Write a source, its name, the problem with it and the hash."""
    header: str = ""
    """The text before the answers."""
    assemble: Callable[[Sequence[BatchAnswer], BinaryIO], None] | None = None
    """Write all answers at the end; None if each is a line of text, written at once."""


class Format(NamedTuple):
    """A format of output."""

    name: str
    suffixes: tuple[str, ...]
    """The suffixes of --output that choose it, the usual one first."""
    write: Callable[[AnySolution, WriteOptions], str | memoryview]
    """Write the answer to one system. Raise ImplicitGradError if the format has no place for it."""
    description: str = ""
    separator: str | None = None
    """The separator of the answers to several systems; None if the format holds one."""
    is_text: bool = True
    has_steps: bool = False
    """Whether it shows a derivation."""
    needs_values: bool = False
    """Whether it repeats the system's values as they were written."""
    limitation: Callable[[AnySolution, WriteOptions], str | None] = lambda solution, options: None
    """Return a message on what the format leaves out of an answer."""
    batch: Callable[[], BatchFormat] | None = None
    report: Callable[[Sequence[Result], bool, bool], str] | None = None
    """Write the results of check: results, whether only failures, whether for a screen."""


def either(words: Iterable[str]) -> str:
    """Return ``a, b or c``."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _table(solution: AnySolution, options: WriteOptions) -> str:
    from implicitgrad.terminal.screen import Screen, stdout_screen

    screen = stdout_screen() if options.is_on_screen else Screen()
    if solution.kind == "program":
        from implicitgrad.writers.notation import PlainNotation
        from implicitgrad.writers.program_document import ProgramDocument
        from implicitgrad.writers.table import lay_out

        notation = PlainNotation(options.numbers, screen.label, screen.label)
        document = ProgramDocument(solution, notation, options.wrt, options.selection, has_steps=options.has_steps)
        return lay_out(document, screen)
    if _is_large(solution, options.selection) and not options.is_full:
        from implicitgrad.writers.summary import write_summary

        return write_summary(solution, screen, options.numbers, options.selection)
    from implicitgrad.writers.table import write_table

    return write_table(solution, screen, options.numbers, options.selection)


def _is_large(solution: Solution, selection: Selection | None) -> bool:
    """Return whether what is shown of ∂y/∂x is too large to read as a table."""
    if selection is None:
        return solution.is_large
    from implicitgrad.model.solution import MAX_TABLE_SIZE

    rows = 0 if solution.is_gradient_alone else len(selection.rows)
    return max(rows, len(selection.columns)) > MAX_TABLE_SIZE


def _table_report(results: Sequence[Result], only_failures: bool, is_on_screen: bool) -> str:
    from implicitgrad.terminal.screen import Screen, stdout_screen
    from implicitgrad.writers.report import write_report

    return write_report(results, stdout_screen() if is_on_screen else Screen(), only_failures=only_failures)


def _plain(solution: AnySolution, options: WriteOptions) -> str:
    from implicitgrad.writers.plain import FactNotation, lay_out

    notation = FactNotation(options.numbers)
    if solution.kind == "program":
        from implicitgrad.writers.program_document import ProgramDocument

        return lay_out(ProgramDocument(solution, notation, options.wrt, options.selection))
    from implicitgrad.writers.document import Document, refuse_long

    document = Document(solution, notation, options.selection)
    refuse_long(document)
    return lay_out(document)


def _plain_report(results: Sequence[Result], only_failures: bool, is_on_screen: bool) -> str:
    from implicitgrad.writers.plain import write_report

    return write_report(results, only_failures=only_failures)


def _json(solution: AnySolution, options: WriteOptions) -> str:
    return _record(solution, options.record_keys) + "\n"


def _record(solution: AnySolution, more: Mapping[str, Json]) -> str:
    if solution.kind == "program":
        from implicitgrad.writers.program_record import write_program_record

        return write_program_record(solution, more)
    from implicitgrad.writers.record import write_record

    return write_record(solution, more)


@cache
def _json_batch() -> BatchFormat:
    from implicitgrad.writers.record import error_record, write_json

    def failure(source: str, name: str, problem: Problem, content_hash: str | None) -> str:
        record = error_record(problem._replace(source=source), name) | {"content_hash": content_hash}
        return write_json(record) + "\n"

    return BatchFormat(lambda solution, hash_: _record(solution, {"content_hash": hash_}) + "\n", failure)


def _json_report(results: Sequence[Result], only_failures: bool, is_on_screen: bool) -> str:
    from implicitgrad.writers.verdict_record import write_result

    shown = [result for result in results if not (only_failures and getattr(result, "holds", False))]
    return "".join(write_result(result) + "\n" for result in shown)


def _markdown(solution: AnySolution, options: WriteOptions) -> str:
    from implicitgrad.writers.markdown import lay_out, notation, write_markdown

    if solution.kind == "program":
        from implicitgrad.writers.program_document import ProgramDocument

        shown = notation(options.numbers)
        return lay_out(ProgramDocument(solution, shown, options.wrt, options.selection, has_steps=options.has_steps))
    return write_markdown(solution, options.numbers, options.selection)


def _latex(solution: AnySolution, options: WriteOptions) -> str:
    if solution.kind == "program":
        from implicitgrad.writers.program_latex import write_program_latex

        numbers, has_steps = options.numbers, options.has_steps
        return write_program_latex(solution, numbers, options.wrt, options.selection, has_steps=has_steps)
    from implicitgrad.writers.latex import write_latex

    return write_latex(solution, options.numbers, options.selection)


def _html(solution: AnySolution, options: WriteOptions) -> str:
    from implicitgrad.writers.html import lay_out, notation

    shown = notation(options.numbers)
    if solution.kind == "program":
        from implicitgrad.writers.program_document import ProgramDocument

        return lay_out(ProgramDocument(solution, shown, options.wrt, options.selection, has_steps=options.has_steps))
    from implicitgrad.writers.document import Document, refuse_long

    document = Document(solution, shown, options.selection)
    refuse_long(document)
    return lay_out(document, document)


def _html_report(results: Sequence[Result], only_failures: bool, is_on_screen: bool) -> str:
    from implicitgrad.writers.html import write_report

    return write_report(results, only_failures=only_failures)


def _linear(solution: AnySolution) -> Solution:
    """Return the solution of a linear system. Raise UsageError for that of a program."""
    if solution.kind == "program":
        raise UsageError(
            f"{solution.program.source}: this format has no place for a quadratic program", "--format json"
        )
    return solution


def _yaml(solution: AnySolution, options: WriteOptions) -> str:
    if solution.kind == "program":
        from implicitgrad.writers.program_yaml import write_program_yaml

        return write_program_yaml(solution)
    from implicitgrad.writers.yaml import write_yaml

    return write_yaml(solution, options.values)


def _sheet(solution: AnySolution, options: WriteOptions) -> Sheet:
    from implicitgrad.writers.csv import program_sheet_of, sheet_of

    if solution.kind == "program":
        return program_sheet_of(solution, options.wrt, options.selection)
    return sheet_of(solution, options.selection)


def _csv(solution: AnySolution, options: WriteOptions) -> str:
    from implicitgrad.writers.csv import number_writer

    return _sheet(solution, options).write(number_writer(options.numbers))


def _csv_limitation(solution: AnySolution, options: WriteOptions) -> str | None:
    return _sheet(solution, options).limitation()


@cache
def _csv_batch() -> BatchFormat:
    from implicitgrad.writers.csv import write_failure_row, write_header, write_row

    return BatchFormat(lambda solution, hash_: write_row(_linear(solution), hash_), write_failure_row, write_header())


def _npy(solution: AnySolution, options: WriteOptions) -> memoryview:
    from implicitgrad.writers.numpy_files import write_npy

    return write_npy(_linear(solution))


def _npy_limitation(solution: AnySolution, options: WriteOptions) -> str | None:
    from implicitgrad.writers.numpy_files import npy_limitation

    return npy_limitation(_linear(solution))


def _npz(solution: AnySolution, options: WriteOptions) -> memoryview:
    from implicitgrad.writers.numpy_files import write_npz

    if solution.kind == "program":
        from implicitgrad.writers.program_numpy import write_program_npz

        return write_program_npz(solution)
    return write_npz(solution)


@cache
def _npz_batch() -> BatchFormat:
    from implicitgrad.writers.numpy_files import write_numbers, write_stack

    return BatchFormat(lambda solution, _: write_numbers(solution), lambda *_: "", assemble=write_stack)


FORMATS = {
    one.name: one
    for one in (
        Format(TABLE, (PLAIN_SUFFIX,), _table, "", "\n\n", has_steps=True, report=_table_report),
        Format(
            JSON, (".json", ".jsonl", ".ndjson"), _json, "an object a line", "", batch=_json_batch, report=_json_report
        ),
        Format(PLAIN, (), _plain, "a fact a line", "\n", report=_plain_report),
        Format("markdown", (".md",), _markdown, "", "\n", has_steps=True),
        Format("html", (".html", ".htm"), _html, "a page for a browser", has_steps=True, report=_html_report),
        Format("latex", (".tex",), _latex, "for amsmath", "\n", has_steps=True),
        Format("yaml", (".yaml", ".yml"), _yaml, "the system with its answer for check", "---\n", needs_values=True),
        Format("csv", (".csv",), _csv, "a spreadsheet", limitation=_csv_limitation, batch=_csv_batch),
        Format("npy", (".npy",), _npy, is_text=False, limitation=_npy_limitation),
        Format("npz", (".npz",), _npz, is_text=False, batch=_npz_batch),
    )
}
"""Each format by its name, in the order in which help lists them."""

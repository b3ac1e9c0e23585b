"""check --update: rewrite the claims of files so that they hold, and nothing else in them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from difflib import unified_diff
from typing import TYPE_CHECKING

from implicitgrad.checks.expected import arithmetic_of, check_specs
from implicitgrad.checks.update import Edit, apply_edits, find_edits
from implicitgrad.cli.options.sources import csv_format_of
from implicitgrad.cli.problems import report
from implicitgrad.model.spec import CsvFormat, NeedsAlgebra, SystemSpec
from implicitgrad.readers.sources import decode, format_by_suffix, read_bytes, read_specs
from implicitgrad.readers.systems.several import build_all
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.terminal.files import write_file
from implicitgrad.terminal.streams import say, write_stdout
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import ImplicitGradError, InputError, Problem, UsageError

if TYPE_CHECKING:
    from implicitgrad.readers.systems.build import Question

UTF_8 = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def update_files(files: Iterable[str], errors: list[InputError], form: CsvFormat, *, may_write: bool) -> int:
    """Print a diff of every file whose claims change, write the files, and return the exit code.

    may_write : write even if run on a terminal, where otherwise only the diff is printed.
    """
    changed: dict[str, str] = {}
    problems = [problem for error in errors for problem in error.problems]
    diffs = []
    for path in files:
        try:
            mark, before, after = _updated_within(path, csv_format_of(path, form))
        except ImplicitGradError as error:
            problems.extend(error.problems)
            continue
        if after != before:
            changed[path] = mark + after
            diffs += _diff(path, before, after)
    report(problems)
    if diffs:
        write_stdout("".join(diffs))
    elif not problems:
        say("implicitgrad: nothing to update, every claim holds")
    if changed and not may_write and any(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        raise UsageError("nothing was written", "If the diff is right, --yes writes it")
    for path, text in changed.items():
        write_file(path, text)
    return ImplicitGradError.exit_code if problems else 0


def _updated_within(path: str, form: CsvFormat) -> tuple[str, str, str]:
    """Do as _updated, within the budget of algebra if the file needs algebra."""
    try:
        return _updated(path, form, allow_algebra=False)
    except NeedsAlgebra:
        from implicitgrad.batch.isolation.process import Job, begin_algebra, run_isolated

    def work() -> tuple[str, str, str]:
        begin_algebra()
        return _updated(path, form)

    ((_, value, error),) = run_isolated(lambda: [Job(path, work)])
    if isinstance(error, InputError):
        raise InputError(problem._replace(source=problem.source or path) for problem in error.problems)
    if error is not None:
        raise error
    updated: tuple[str, str, str] = value
    return updated


def _updated(path: str, form: CsvFormat, *, allow_algebra: bool = True) -> tuple[str, str, str]:
    """Return a file's byte order mark, its text, and the text in which every claim holds. Raise InputError.

    allow_algebra : if false, raise NeedsAlgebra instead of doing algebra.
    """
    mark, text = _text(path)
    specs = read_specs(path, form, text)
    questions = build_all(specs, arithmetic_of, allow_algebra=allow_algebra)
    found = format_by_suffix(path)
    as_json = found is not None and found.is_json
    edits = [
        edit
        for spec, question in zip(specs, questions, strict=True)
        for edit in _edits(spec, question, path, as_json=as_json)
    ]
    after = apply_edits(text, edits)
    if after != text and not _is_as_meant(path, form, after, questions):
        message = "what is expected cannot be changed without changing more"
        raise InputError([Problem(message, "Edit it by hand; check says what was found", "cannot-update", path)])
    return mark, text, after


def _edits(spec: SystemSpec, question: Question, path: str, *, as_json: bool) -> list[Edit]:
    """Return the edits of a document. Raise InputError for a program unless it has claims and all hold."""
    if question.kind == "linear":
        return find_edits(spec, solve_system(question), as_json=as_json)
    (verdict,) = check_specs([spec])
    if not verdict.strictly():
        message = f"--update writes claims about linear systems; {question.name} is a quadratic program"
        hint = "The record that solve --format json prints can stand under expect"
        raise InputError([Problem(message, hint, "cannot-update", path)])
    return []


def _is_as_meant(path: str, form: CsvFormat, text: str, questions: list[Question]) -> bool:
    """Return whether a text describes the same systems, and every claim in it holds."""
    try:
        specs = read_specs(path, form, text)
        return build_all(specs, arithmetic_of) == questions and all(check_specs(specs))
    except ImplicitGradError:
        return False


def _text(path: str) -> tuple[str, str]:
    """Return a file's byte order mark, if any, and its text."""
    data = read_bytes(path)
    text = decode(path, data)
    if data.startswith(UTF_16):
        message = "expected UTF-8 text, which is what --update writes, got UTF-16"
        raise InputError([Problem(message, "Save the file as UTF-8", "not-text", path)])
    return "\ufeff" if data.startswith(UTF_8) else "", text


def _diff(path: str, before: str, after: str) -> list[str]:
    name = path.lstrip(os.sep) if os.path.isabs(path) else path
    old, new = (printable(f"{side}/{name}") for side in "ab")
    lines = unified_diff(_lines(before), _lines(after), old, new, lineterm="")
    return [f"{line}\n" for line in lines]


def _lines(text: str) -> list[str]:
    """Return the lines of a text with control characters escaped."""
    lines = re.split(r"\r\n|\r|\n", text)
    return ["\t".join(map(printable, line.split("\t"))) for line in (lines if lines[-1] else lines[:-1])]

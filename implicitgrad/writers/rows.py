"""A system's answer as a row of CSV."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from io import StringIO

from implicitgrad.model.solution import Solution
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import Problem
from implicitgrad.writers.record import to_record

COLUMNS = (
    "name", "source", "status", "rank", "equations", "unknowns", "inputs", "condition", "dL_dx", "free_parameters",
    "error", "content_hash",
)  # fmt: skip


_STREAM = re.compile("-(#[0-9]+)?")
"""The source of what comes through standard input."""


def write_header() -> str:
    """The first line."""
    return _line(COLUMNS)


def write_row(solution: Solution, content_hash: str | None) -> str:
    """What can be said of an answer in a line; ∂L/∂x and the free parameters as JSON lists."""
    record = to_record(solution)
    values = dict(record) | dict(record["shape"])  # type: ignore[arg-type]
    values |= {"free_parameters": solution.free_parameters, "error": None, "content_hash": content_hash}
    for key in ("dL_dx", "free_parameters"):
        values[key] = json.dumps(values[key]) if values[key] else None
    return _line([values[key] for key in COLUMNS])


def write_failure_row(source: str, name: str, problem: Problem, content_hash: str | None) -> str:
    """The row of a system without an answer."""
    values = {"name": name, "source": source, "status": "error", "error": str(problem), "content_hash": content_hash}
    return _line([values.get(key) for key in COLUMNS])


def _line(values: Iterable[object]) -> str:
    stream = StringIO()
    csv.writer(stream, lineterminator="\n").writerow([_cell(value) for value in values])
    return stream.getvalue()


def _cell(value: object) -> object:
    """What a spreadsheet does not take for a formula, nor a terminal for a command."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) and not _STREAM.fullmatch(text) else text

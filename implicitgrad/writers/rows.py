"""A system's answer as a row of CSV."""

from __future__ import annotations

import csv
import json
from io import StringIO

from implicitgrad.errors import Problem
from implicitgrad.solution import Solution
from implicitgrad.writers.record import to_record

COLUMNS = (
    "name", "source", "status", "rank", "equations", "unknowns", "inputs", "condition", "dL_dx", "free_parameters",
    "error", "content_hash",
)  # fmt: skip


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


def _line(values: object) -> str:
    stream = StringIO()
    csv.writer(stream, lineterminator="\n").writerow(values)  # type: ignore[arg-type]
    return stream.getvalue()

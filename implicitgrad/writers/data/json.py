"""Write answers as JSON, an object a line."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from implicitgrad.text.errors import Problem
from implicitgrad.writers.data.batch_format import BatchFormat
from implicitgrad.writers.record import Json, error_record, write_json, write_record

if TYPE_CHECKING:
    from implicitgrad.writers.options import AnySolution, WriteOptions


def write(solution: AnySolution, options: WriteOptions) -> str:
    """Write the answer to one system. Raise ImplicitGradError if the format has no place for it."""
    return _record(solution, options.record_keys) + "\n"


def _record(solution: AnySolution, more: Mapping[str, Json]) -> str:
    if solution.kind == "program":
        from implicitgrad.writers.program.record import program_record

        return write_json(program_record(solution) | {**more})
    return write_record(solution, more)


@cache
def batch_format() -> BatchFormat:
    """Return how batch writes the answers to many systems into one output."""

    def failure(source: str, name: str, problem: Problem, content_hash: str | None) -> str:
        record = error_record(problem._replace(source=source), name) | {"content_hash": content_hash}
        return write_json(record) + "\n"

    return BatchFormat(lambda solution, hash_: _record(solution, {"content_hash": hash_}) + "\n", failure)

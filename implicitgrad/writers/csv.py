"""Write a system and its answer as a CSV table that check reads again, and the rows that batch writes."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from io import StringIO

from implicitgrad.model.solution import Solution
from implicitgrad.symbolic.element import Symbolic
from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import Problem, UsageError
from implicitgrad.text.number_grammar import is_number
from implicitgrad.text.number_texts import looks_like_number
from implicitgrad.writers.expectation import certified_claims, write_flow
from implicitgrad.writers.record import to_record
from implicitgrad.writers.yaml import NOT_CERTIFIED, matrix_texts

GRADIENT = "dL/dy"
FORMULA_STARTS = ("=", "+", "-", "@")
"""The first characters of cells that a spreadsheet evaluates as formulas."""
COLUMNS = (
    "name", "source", "status", "rank", "equations", "unknowns", "inputs", "condition", "dL_dx", "free_parameters",
    "error", "content_hash",
)  # fmt: skip
_STREAM = re.compile("-(#[0-9]+)?")
"""Matches the source of systems from standard input."""


def write_csv(solution: Solution) -> str:
    """Return columns y, rows x and rows named dL/dy, below a comment with the answer.

    A name that a spreadsheet would evaluate begins with '. Raises UsageError for systems that such a table cannot hold.
    """
    solution = _without_formulas(solution)
    system = solution.system
    origin = system.origin
    if system.B is not None or (origin is not None and (origin.point or system.is_local)):
        what = "B" if origin is None else "equations at a point" if origin.point else "nonlinear equations"
        raise UsageError(f"{system.source}: CSV has no place for {what}", "--format yaml has")
    if system.x_value is not None:
        raise UsageError(f"{system.source}: CSV has no place for the value of x", "--format yaml has")
    if system.dL_dy is not None and len(system.dL_dy) == 1 and not system.has_one_loss:
        raise UsageError(
            f"{system.source}: in CSV one dL/dy is a vector, not a matrix of one row", "--format yaml has both"
        )
    for name in (*system.x, *system.y):
        if not _is_label(name):
            raise UsageError(f"{system.source}: CSV has no place for the name {quoted(name)}", "--format yaml has")
    answer = certified_claims(solution)
    rows = [
        ["", *system.y],
        *([x, *row] for x, row in zip(system.x, matrix_texts(system.A, solution, _entry), strict=True)),
    ]
    rows += [
        [GRADIENT, *row] for row in (matrix_texts(system.dL_dy, solution, _entry) if system.dL_dy is not None else ())
    ]
    stream = StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    comment = f"expect: {write_flow(answer)}" if answer else NOT_CERTIFIED
    return f"# {comment}\n{stream.getvalue()}"


def write_header() -> str:
    """Return the header line."""
    return _line(COLUMNS)


def write_row(solution: Solution, content_hash: str | None) -> str:
    """Return the summary of an answer in one line, with ∂L/∂x and the free parameters as JSON lists."""
    record = to_record(solution)
    values = dict(record) | dict(record["shape"])  # type: ignore[arg-type]
    values |= {"free_parameters": solution.free_parameters, "error": None, "content_hash": content_hash}
    for key in ("dL_dx", "free_parameters"):
        values[key] = json.dumps(values[key]) if values[key] else None
    return _line([values[key] for key in COLUMNS])


def write_failure_row(source: str, name: str, problem: Problem, content_hash: str | None) -> str:
    """Return the row of a system without an answer."""
    values = {"name": name, "source": source, "status": "error", "error": str(problem), "content_hash": content_hash}
    return _line([values.get(key) for key in COLUMNS])


def _line(values: Iterable[object]) -> str:
    stream = StringIO()
    csv.writer(stream, lineterminator="\n").writerow([_cell(value) for value in values])
    return stream.getvalue()


def _cell(value: object) -> object:
    """Escape a text that a spreadsheet would evaluate or a terminal would interpret."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not _STREAM.fullmatch(text) else text


def _entry(value: Symbolic) -> str:
    """Write an expression so that a spreadsheet does not evaluate it."""
    text = value.text
    return f"({text})" if text.startswith("-") and value.fraction is None else text


def _without_formulas(solution: Solution) -> Solution:
    def label(name: str) -> str:
        return f"'{name}" if name.startswith(FORMULA_STARTS) else name

    def labels(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(map(label, names))

    if not any(name != label(name) for name in (*solution.x, *solution.y)):
        return solution
    constraints = solution.constraints
    return solution._replace(
        system=solution.system._replace(x=labels(solution.x), y=labels(solution.y)),
        independent=labels(solution.independent),
        constraints=constraints and constraints._replace(dependent=labels(constraints.dependent)),
        general=solution.general._replace(free=labels(solution.general.free)),
    )


def _is_label(name: str) -> bool:
    """Return whether a cell with this name is read as the name."""
    letters = "".join(filter(str.isalpha, name.lower().replace("∂", "d")))
    return (
        name == name.strip()
        and name == printable(name)
        and not is_number(name)
        and not looks_like_number(name)
        and not name.startswith("#")
        and letters not in ("dldy", "dldx", "grad", "gradient")
        and not any(c in name for c in ";|\t")
    )

"""The JSON record of a Solution: one object, one line; its keys are public API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import chain
from math import gcd
from types import MappingProxyType
from typing import Any, cast

from implicitgrad.model.at_value import has_given_x
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import Arithmetic, Status
from implicitgrad.model.validity import Validity
from implicitgrad.numbers.exact import IntegerRow, RationalMatrix, exact_square_root
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.numbers.rounding import float_square_root, to_float
from implicitgrad.symbolic.function_field.element import Symbolic
from implicitgrad.text.characters import format_fraction, printable
from implicitgrad.text.errors import Problem

Rows = Any
"""Lists for JSON, or a large matrix of doubles, which is kept as it is."""
Json = None | bool | int | float | str | Sequence["Json"] | dict[str, "Json"]
MAX_PLAIN_INTEGER = 2**53
ENCODER = json.JSONEncoder(allow_nan=False, check_circular=False)

LARGE = 2**16
"""Entries of a matrix that is written in blocks of rows, because lists of its numbers would take much more memory."""


def write_record(solution: Solution, more: Mapping[str, Json] = MappingProxyType({})) -> str:
    """Return the record as one line of ASCII JSON without newline. more : further keys after the others."""
    doubles = _BallRows(keeps_large=True)
    record = _record(solution, doubles)
    record.update(more)
    return "".join(_pieces(record)) if doubles.is_any_kept else write_json(record)


def _pieces(value: Json | BaseMatrix[Any]) -> Iterator[str]:
    """Yield the JSON of a record that may contain matrices, in pieces."""
    if isinstance(value, dict) and value:
        for number, (key, part) in enumerate(value.items()):
            yield f"{', ' if number else '{'}{write_json(key)}: "
            yield from _pieces(part)
        yield "}"
    elif isinstance(value, BaseMatrix):
        rows = max(1, LARGE // value.shape[1])
        for top in range(0, len(value), rows):
            block = value.rows_at(range(top, min(top + rows, len(value)))).plain_rows()
            yield f"{', ' if top else '['}{write_json(block)[1:-1]}"
        yield "]"
    else:
        yield write_json(value)


def write_json(record: Json) -> str:
    """Return a record as one line of ASCII JSON without newline, which a workflow's log does not take for a command."""
    return ENCODER.encode(record).replace("##[", r"\u0023#[")


def to_record(solution: Solution) -> dict[str, Json]:
    """Return the record as plain values.

    Numbers are the doubles nearest to the exact fractions, integers without a point up to 2⁵³. A number beyond the
    largest double is null, with a warning, and a fraction in ``exact``. Numbers computed in doubles are written as they
    are, without ``exact``.
    """
    return _record(solution, _BallRows())


def _record(solution: Solution, doubles: _BallRows) -> dict[str, Json]:
    system = solution.system
    answers = _answers(solution, doubles)
    arithmetic = solution.arithmetic
    exact = None if arithmetic is Arithmetic.FLOAT else _answers(solution, _Texts())
    condition = None
    if solution.condition_squared is not None:
        condition = doubles.checked(float_square_root(solution.condition_squared))
        root = exact_square_root(solution.condition_squared)
        if exact is not None and root is not None:
            exact["condition"] = format_fraction(root)
    record: dict[str, Json] = {
        "name": system.name,
        "source": system.source,
        "kind": solution.kind,
        "arithmetic": str(arithmetic),
        "shape": {"equations": system.equations, "unknowns": system.unknowns, "inputs": system.inputs},
        "x": system.x,
        "y": system.y,
        "rank": solution.rank,
        "rank_tolerance": _plain(solution.rank_tolerance),
        "condition": condition,
        "status": str(solution.status),
        "dy_dx": answers["dy_dx"],
        "dL_dx": answers["dL_dx"],
        "free_parameters": solution.free_parameters,
        "independent": solution.independent,
        "constraints": answers["constraints"],
        "general": answers["general"],
        "dependent_equations": solution.dependent_equations,
        "residual": None if solution.is_gradient_alone else _plain(solution.residual),
        "error_bound": {key: _plain(bound) for key, bound in _error_bounds(solution).items()},
        "warnings": (),
        "exact": exact,
    }
    if system.origin is not None:
        record["equations"] = system.origin.equations
        record["at"] = dict(system.origin.point) or None
        record["solve_for"] = system.origin.found or None
    if solution.along is not None or solution.at_value is not None or solution.second is not None:
        _add_derived(record, exact, solution, doubles)
    record["warnings"] = _warnings(solution, doubles)  # once all numbers are written
    if solution.validity is not None:
        record["validity"] = _validity(solution.validity)
    return record


def _add_derived(
    record: dict[str, Json], exact: dict[str, Json] | None, solution: Solution, doubles: _BallRows
) -> None:
    """Add what was asked for beside ∂y/∂x and ∂L/∂x, and the value of x."""
    from implicitgrad.writers.derived_record import derived_keys

    system = solution.system
    in_doubles, in_texts = partial(_written, numbers=doubles), partial(_written, numbers=_Texts())
    at: dict[str, Json] = {}
    if solution.at_value is not None and system.origin is None and system.x_value is not None and has_given_x(system):
        (values,) = (in_doubles if exact is None else in_texts)(system.x_value)
        at["at"] = dict(zip(system.x, values, strict=True))
    record |= derived_keys(solution, in_doubles, at)
    if exact is not None:
        exact |= derived_keys(solution, in_texts, {})


def _error_bounds(solution: Solution) -> dict[str, float | None]:
    """Return the bounds on the errors of what the record has."""
    jacobian, gradient = solution.error_bounds
    found = {
        "dy_dx": None if solution.is_gradient_alone else jacobian,
        "dL_dx": None if solution.dL_dx_rows is None else gradient,
    }
    if (along := solution.along) is not None:
        found |= {key: along.error_bound(key) for key in ("dy", "dL") if getattr(along, key) is not None}
    if (at := solution.at_value) is not None:
        values = {"y_value": at.y, "dL_dA": at.dL_dA, "dL_dB": at.dL_dB, "dL_dletters": at.dL_dletters}
        found |= {key: at.error_bound(key) for key, value in values.items() if value is not None}
    return found if solution.second is None else found | {"d2y_dx2": solution.second_error_bound}


def _validity(validity: Validity) -> Json:
    return {
        "nonzero": [value.text for value in validity.nonzero],
        "cases": [
            {
                "zeros": [value.text for value in case.zeros],
                "rank": case.rank,
                "status": None if case.status is None else str(case.status),
                "free": case.free or None,
            }
            for case in validity.cases
        ],
        "has_all_cases": validity.has_all_cases,
    }


def error_record(problem: Problem, name: str | None = None) -> dict[str, Json]:
    """Return the record of a failure."""
    return {
        "name": name,
        "source": problem.source,
        "error": {
            "code": problem.code,
            "message": printable(problem.message),
            "line": problem.line,
            "column": problem.column,
            "hint": problem.hint and printable(problem.hint),
        },
    }


def nearest_double(value: Fraction) -> Json:
    """Return the double nearest to ``value``, an integer without a point; None beyond the largest double.

    A value with letters is a text.
    """
    if isinstance(value, Symbolic):
        return nearest_double(value.approximation()) if value.is_number else value.text
    return _plain(to_float(value))


def exact_text(value: Fraction) -> str:
    """Return ``p/q``, or the text of a value with letters."""
    return value.text if isinstance(value, Symbolic) else format_fraction(value)


def _plain(double: float | None) -> float | int | None:
    if double is None:
        return None
    return int(double) if double.is_integer() and -MAX_PLAIN_INTEGER <= double <= MAX_PLAIN_INTEGER else double


class _Texts:
    """Writes p/q."""

    def number(self, value: Fraction) -> Json:
        return exact_text(value)

    def doubles(self, matrix: BaseMatrix[Any]) -> Rows:
        return matrix.plain_rows()

    def quotients(self, numerators: list[IntegerRow], denominator: int) -> list[Any]:
        try:
            return self._quotients(numerators, denominator)
        except ValueError:  # Python writes no more than 4,300 digits of an integer
            return [[format_fraction(Fraction(n, denominator)) for n in row] for row in numerators]

    @staticmethod
    def _quotients(numerators: list[IntegerRow], denominator: int) -> list[Any]:
        sign = 1 if denominator > 0 else -1
        endings: dict[int, str] = {}
        """The text after a numerator, by the common factor."""
        rows = []
        for row in numerators:
            texts = []
            for n in row:
                common = sign * gcd(n, denominator)
                ending = endings.get(common)
                if ending is None:
                    ending = endings[common] = "" if common == denominator else f"/{denominator // common}"
                texts.append(f"{n // common}{ending}")
            rows.append(texts)
        return rows


class _BallRows:
    """Writes doubles, and expressions with letters as text; records whether any number was out of range."""

    def __init__(self, *, keeps_large: bool = False) -> None:
        self.keeps_large = keeps_large
        """Whether large matrices of doubles are kept as they are."""
        self.is_any_kept = False
        self.is_any_too_large = False
        self.is_any_lost = False

    def number(self, value: Fraction) -> Json:
        if isinstance(value, Symbolic):
            if not value.is_number:
                return value.text
            value = value.approximation()
        ((double,),) = self.quotients([[value.numerator]], value.denominator)
        return cast("float | None", double)

    def quotients(self, rows: list[IntegerRow], d: int) -> list[Any]:
        doubles: list[float | None]
        try:
            doubles = [n / d for row in rows for n in row]
        except OverflowError:
            self.is_any_too_large = True
            doubles = [to_float(Fraction(n, d)) for row in rows for n in row]
        if 0 in doubles and any(n and double == 0 for n, double in zip(chain(*rows), doubles, strict=True)):
            self.is_any_lost = True
        if self.is_any_too_large or any(map(float.is_integer, doubles)):  # type: ignore[arg-type]
            doubles = list(map(_plain, doubles))
        width = len(rows[0]) if rows else 0
        return [doubles[width * i : width * (i + 1)] for i in range(len(rows))]

    def doubles(self, matrix: BaseMatrix[Any]) -> Rows:
        if not self.keeps_large or len(matrix) == 1 or len(matrix) * matrix.shape[1] < LARGE:
            return matrix.plain_rows()
        self.is_any_kept = True
        return matrix

    def checked(self, double: float | None) -> float | int | None:
        self.is_any_too_large |= double is None
        return _plain(double)


def _written(matrix: BaseMatrix[Any], numbers: _Texts | _BallRows) -> Rows:
    """Return the rows with their numbers written, and None for entries that are not determined."""
    if isinstance(matrix, RationalMatrix):
        return numbers.quotients(matrix.numerators, matrix.denominator)
    if matrix.has_bounds:
        return numbers.doubles(matrix)
    return [[entry if entry is None else numbers.number(entry) for entry in row] for row in matrix.rows]


def _answers(solution: Solution, numbers: _Texts | _BallRows) -> dict[str, Json]:
    """Return the numbers of the answer, for the record."""
    rows = partial(_written, numbers=numbers)

    def losses(matrix: BaseMatrix[Fraction | None]) -> Rows:
        return rows(matrix)[0] if solution.system.has_one_loss else rows(matrix)

    general, constraints = solution.general, solution.constraints
    has_jacobian = not solution.is_gradient_alone
    return {
        "dy_dx": rows(solution.dy_dx) if has_jacobian else None,
        "dL_dx": None if solution.dL_dx_rows is None else losses(solution.dL_dx_rows),
        "constraints": None
        if constraints is None
        else {"dependent": constraints.dependent, "matrix": rows(constraints.matrix)},
        "general": None
        if solution.status is Status.DETERMINED
        else {
            "free": general.free,
            "particular": rows(general.particular) if has_jacobian else None,
            "null_space": rows(general.null_space) if has_jacobian else None,
            "minimum_norm": rows(general.minimum_norm) if has_jacobian else None,
            "dL_dx": None
            if general.dL_dx_particular is None or general.dL_dx_coefficients is None
            else {
                "particular": losses(general.dL_dx_particular),
                "coefficients": losses(general.dL_dx_coefficients),
            },
        },
    }


def _warnings(solution: Solution, doubles: _BallRows) -> Json:
    found: list[Json] = [{"code": code, "message": message} for code, message in solution.warnings]
    if doubles.is_any_too_large:
        message = "a number is beyond the largest double and null here; under 'exact' it is a fraction"
        found.append({"code": "double-overflow", "message": message})
    if doubles.is_any_lost:
        message = "a number is below the smallest double and 0 here; under 'exact' it is a fraction"
        found.append({"code": "double-underflow", "message": message})
    return found

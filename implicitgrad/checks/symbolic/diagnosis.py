"""Diagnose a wrong claim with letters by trying mistakes at numbers for the letters."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from implicitgrad.checks.context import Context
from implicitgrad.checks.derivatives.claim import Claim
from implicitgrad.checks.derivatives.coefficients import judge_coefficients, with_coefficients
from implicitgrad.checks.derivatives.judge import judge_matrix
from implicitgrad.checks.tolerances import COEFFICIENTS
from implicitgrad.model.claims import ClaimedMatrix, Claims
from implicitgrad.model.solution import Solution
from implicitgrad.model.verdict import Suspicion
from implicitgrad.readers.arrays.python_values import linear_system
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.symbolic.equations.sampling import SamplePoint
from implicitgrad.symbolic.function_field.field import Field, expression_of

MIN_POINTS = 2
"""The number of points at which a mistake must explain the claim."""
POINT_ERROR = Fraction(1, 10**30)
"""The relative error allowed in a value at a point of the equations."""


def diagnose_at_values(solution: Solution, matrix: ClaimedMatrix) -> tuple[Suspicion, ...]:
    """Return the suspicions that a failing claim has at random values of the letters.

    Return none if there are functions of letters, whose values are not rational.
    """
    system = solution.system
    own: list[Any] = [system.A, system.B or (), system.dL_dy or (), system.x_value or ()]
    expressions = [expression_of(entry) for rows in own for row in rows for entry in row]
    field = Field([*expressions, *(entry for row in matrix.entries for entry in row if entry is not None)])
    if field.has_functions:
        return ()
    generator = random.Random(1)
    found = []
    for _ in range(MIN_POINTS):
        point = [Fraction(generator.randrange(100, 1000), generator.randrange(1, 10)) for _ in field.letters]
        found.append(_diagnose_at(solution, matrix, partial(_value_at, field, point)))
    return _common(found)


def diagnose_at_points(
    solution: Solution, matrix: ClaimedMatrix, points: Sequence[SamplePoint]
) -> tuple[Suspicion, ...]:
    """Return the suspicions that a failing claim has at points of nonlinear equations."""
    return _common([_diagnose_at(solution, matrix, point.value, POINT_ERROR) for point in points])


def _value_at(field: Field, point: Sequence[Fraction], expression: object) -> Fraction:
    return field.at(field.value(expression), point)


def _common(found: Sequence[tuple[Suspicion, ...] | None]) -> tuple[Suspicion, ...]:
    """Return the suspicions that all conclusive points share, if there are enough of these."""
    diagnoses = [one for one in found if one is not None]
    if len(diagnoses) < MIN_POINTS:
        return ()
    first, *others = diagnoses
    return tuple(suspicion for suspicion in first if all(suspicion in other for other in others))


def _diagnose_at(
    solution: Solution,
    matrix: ClaimedMatrix,
    value_of: Callable[[Any], Fraction | None],
    error: Fraction = Fraction(0),
) -> tuple[Suspicion, ...] | None:
    """Return the suspicions at one point; None for a correct claim of zeros, which fits any sign or factor."""

    def number(expression: object) -> Fraction:
        value = value_of(expression)
        if value is None:
            raise ZeroDivisionError
        return value

    def numbers(rows: Iterable[Sequence[Fraction]]) -> list[list[Fraction]]:
        return [[number(expression_of(entry)) for entry in row] for row in rows]

    system = solution.system
    try:
        A = numbers(system.A)
        B, dL_dy, x = (None if rows is None else numbers(rows) for rows in (system.B, system.dL_dy, system.x_value))
        entries = tuple(tuple(None if entry is None else number(entry) for entry in row) for row in matrix.entries)
    except ZeroDivisionError:
        return ()
    numeric = solve_system(
        linear_system(
            A, dL_dy[0] if dL_dy and system.has_one_loss else dL_dy, B=B,
            x=system.x, y=system.y, at=x and x[0], name=system.name, arithmetic="exact",
        ),
        solution.general.free,
    )  # fmt: skip
    if (numeric.status, numeric.independent) != (solution.status, solution.independent):
        return ()
    texts = tuple(tuple(map(str, row)) for row in entries)
    roundings = tuple(tuple(error * (1 + abs(entry or Fraction(0))) for entry in row) for row in entries)
    there = matrix._replace(entries=entries, texts=texts, roundings=roundings)
    if matrix.key in COEFFICIENTS:
        outcome = judge_coefficients(there, Context(with_coefficients(numeric), Claims()))
    else:
        outcome, _ = judge_matrix(Claim(there, Context(numeric, Claims())))
    return None if outcome.holds and not any(map(any, entries)) else outcome.suspicions

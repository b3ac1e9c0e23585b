"""The usual mistakes in a claim with letters: those that the same claim has with numbers for its letters."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from implicitgrad.checks.context import Setting
from implicitgrad.checks.gradient import judge_gradient
from implicitgrad.checks.jacobian import judge_jacobian
from implicitgrad.model.claims import Claims, Numbers
from implicitgrad.model.solution import Solution
from implicitgrad.model.verdict import Suspicion
from implicitgrad.readers.python_values import linear_system
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.symbolic.field import Field, expression_of
from implicitgrad.symbolic.sampling import SamplePoint

POINTS = 2
"""At which a mistake must explain the claim."""
NEGLIGIBLE = Fraction(1, 10**30)
"""What a value at a point of equations may be wrong by, beside its size."""


def suspicions_at_values(solution: Solution, numbers: Numbers) -> tuple[Suspicion, ...]:
    """What explains a failing claim whole, in the same words, at random values of the letters.

    Nothing where there are functions of letters, whose values are no fractions.
    """
    system = solution.system
    matrices: list[Any] = [system.A, system.B or (), system.dL_dy or ()]
    expressions = [expression_of(entry) for matrix in matrices for row in matrix for entry in row]
    field = Field([*expressions, *(entry for row in numbers.entries for entry in row if entry is not None)])
    if field.has_functions:
        return ()
    generator = random.Random(1)
    found = []
    for _ in range(POINTS):
        point = [Fraction(generator.randrange(100, 1000), generator.randrange(1, 10)) for _ in field.letters]
        found.append(_suspicions(solution, numbers, partial(_at, field, point)))
    return _common(found)


def suspicions_at_points(solution: Solution, numbers: Numbers, points: Sequence[SamplePoint]) -> tuple[Suspicion, ...]:
    """The same at points of nonlinear equations; there may be functions."""
    return _common([_suspicions(solution, numbers, point.value, NEGLIGIBLE) for point in points])


def _common(found: list[tuple[Suspicion, ...] | None]) -> tuple[Suspicion, ...]:
    told = [one for one in found if one is not None]
    if len(told) < POINTS:
        return ()
    first, *others = told
    return tuple(suspicion for suspicion in first if all(suspicion in other for other in others))


def _suspicions(
    solution: Solution, numbers: Numbers, value_of: Callable[[Any], Fraction | None], rounding: Fraction = Fraction(0)
) -> tuple[Suspicion, ...] | None:
    """Those at some values; None where all that is claimed is 0 and right, which it is with any sign and factor."""

    def values(matrix: Any) -> Any:
        return matrix and [[_needed(value_of(expression_of(entry))) for entry in row] for row in matrix]

    system = solution.system
    try:
        A, B, dL_dy = map(values, (system.A, system.B, system.dL_dy))
        entries = tuple(
            tuple(None if entry is None else _needed(value_of(entry)) for entry in row) for row in numbers.entries
        )
    except ZeroDivisionError:
        return ()
    numeric = solve_system(
        linear_system(
            A, dL_dy[0] if dL_dy and system.has_one_loss else dL_dy, B=B,
            x=system.x, y=system.y, name=system.name, arithmetic="exact",
        ),
        solution.general.free,
    )  # fmt: skip
    if (numeric.status, numeric.independent) != (solution.status, solution.independent):
        return ()
    texts = tuple(tuple(map(str, row)) for row in entries)
    roundings = tuple(tuple(rounding * (1 + abs(entry or Fraction(0))) for entry in row) for row in entries)
    there = numbers._replace(entries=entries, texts=texts, roundings=roundings)
    setting = Setting(numeric, Claims())
    if numbers.key == "dy_dx":
        outcome, _ = judge_jacobian(there, setting)
    else:
        outcome = judge_gradient(there, setting, None)
    return None if outcome.holds and not any(map(any, entries)) else outcome.suspicions


def _at(field: Field, point: Sequence[Fraction], expression: Any) -> Fraction:
    return field.at(field.value(expression), point)


def _needed(value: Fraction | None) -> Fraction:
    if value is None:
        raise ZeroDivisionError
    return value

"""The usual mistakes in a claim with letters: those that the same claim has with numbers for its letters."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from implicitgrad.claims import Claims, Numbers
from implicitgrad.draft import linear_system
from implicitgrad.solution import Solution
from implicitgrad.solvers import solve_system
from implicitgrad.symbolic.field import Field, expression_of
from implicitgrad.verdict import Suspicion

POINTS = 2
"""At which a mistake must explain the claim."""


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
        try:
            found.append(_suspicions(field, solution, numbers, point))
        except ZeroDivisionError:
            return ()
    first, *others = found
    return tuple(suspicion for suspicion in first if all(suspicion in other for other in others))


def _suspicions(field: Field, solution: Solution, numbers: Numbers, point: Sequence[Fraction]) -> tuple[Suspicion, ...]:
    from implicitgrad.judges import judge

    def values(matrix: Any) -> Any:
        return matrix and [[field.at(field.value(expression_of(entry)), point) for entry in row] for row in matrix]

    system = solution.system
    dL_dy = values(system.dL_dy)
    numeric = solve_system(
        linear_system(
            values(system.A), dL_dy[0] if dL_dy and system.has_one_loss else dL_dy, B=values(system.B),
            x=system.x, y=system.y, name=system.name, arithmetic="exact",
        ),
        solution.general.free,
    )  # fmt: skip
    if (numeric.status, numeric.independent) != (solution.status, solution.independent):
        return ()
    entries = tuple(
        tuple(None if entry is None else field.at(field.value(entry), point) for entry in row)
        for row in numbers.entries
    )
    texts = tuple(tuple(map(str, row)) for row in entries)
    there = numbers._replace(entries=entries, texts=texts)
    claims = Claims(dy_dx=there) if numbers.key == "dy_dx" else Claims(dL_dx=there)
    (outcome,) = judge(numeric, claims).outcomes
    return outcome.suspicions

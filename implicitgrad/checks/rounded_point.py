"""Claims where the point of the equations is rounded: they hold, or fail, only as far as the rounding leaves it sure.

A claim fails if no solution that rounds to the point has numbers within its tolerance, and holds if all have. One with
letters holds, too, if it does wherever the equations hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import ROUND_CEILING, Context
from fractions import Fraction

from implicitgrad.checks.context import Setting
from implicitgrad.model.claims import Claims, Numbers
from implicitgrad.model.solution import Solution
from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.model.verdict import Outcome, show
from implicitgrad.numbers.ball import Ball, BallMatrix
from implicitgrad.readers.build import build_system
from implicitgrad.readers.claims import build_claims
from implicitgrad.readers.equations import EquationLine, read_equations
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.symbolic.grammar import has_letters

NEGLIGIBLE = Fraction(1, 2**33)
"""A bound so small, beside 1 and the number, is of floating point and not of the point."""
Judge = Callable[[Numbers, Setting], Outcome]
HoldsAnywhere = Callable[[Solution, Claims], bool]


def as_far_as_known(
    outcome: Outcome, numbers: Numbers, setting: Setting, judge: Judge, holds_anywhere: HoldsAnywhere
) -> Outcome:
    """The outcome of a claim that was judged with all that the rounding allows: it may be undecided after all."""
    bound = setting.solution.error_bounds[numbers.key == "dL_dx"]
    if not outcome.holds and bound is not None:
        worst = outcome.worst
        return outcome._replace(worst=worst and worst._replace(correct=Ball(worst.correct, bound)))
    strict = Setting(setting.solution, setting.claims, error_counts_against=True)
    gradients = setting.system.dL_dy if numbers.key == "dL_dx" else None
    tolerances = strict.tolerances(numbers, gradients)
    is_told = bound is not None and all(
        tolerance >= 0
        for row, entries in zip(tolerances, numbers.entries, strict=True)
        for tolerance, entry in zip(row, entries, strict=True)
        if entry is not None
    )
    if is_told and judge(numbers, strict).holds:
        return outcome
    if _has_letters(numbers) and holds_anywhere(*_anywhere(setting, numbers)):
        return outcome
    return Outcome(numbers.key, False, outcome.claimed, _undecided(setting, numbers, bound), is_undecided=True)


def _undecided(setting: Setting, numbers: Numbers, bound: float | None) -> str:
    what = "∂L/∂x" if numbers.key == "dL_dx" else "∂y/∂x"
    system = setting.system
    hint = "more decimals of it decide more"
    if system.equations == system.unknowns:
        hint = f"--solve-for {','.join(system.y)} decides more"
    if bound is None:
        return f"the point is rounded, and nothing bounds {what} near it; {hint}"
    known = next(_known(setting, numbers), "")
    return f"the point is rounded, and decides {what} only to ±{_above(bound)}{known}; {hint}"


def _known(setting: Setting, numbers: Numbers) -> Iterator[str]:
    """What is known of the first claimed number that is not known to be within its tolerance, if it is determined."""
    solution = setting.solution
    answer = solution.dL_dx_rows if numbers.key == "dL_dx" else solution.dy_dx
    if not isinstance(answer, BallMatrix) or len(numbers.entries[0]) != setting.system.inputs:
        return
    for i, row in enumerate(answer.bounded_rows()):
        for j, number in enumerate(row):
            value = numbers.entries[i][j]
            if number is None or value is None or number.error <= NEGLIGIBLE:
                continue
            if abs(value - number) + Fraction(number.error) > numbers.roundings[i][j]:
                yield f": {numbers.name(i, j)} is {show(number)}, claimed {numbers.texts[i][j]}"


def _above(bound: float) -> str:
    return str(Context(prec=2, rounding=ROUND_CEILING).create_decimal_from_float(bound)).lower()


def _has_letters(numbers: Numbers) -> bool:
    return any(has_letters(text) for row in numbers.texts for text in row)


def _anywhere(setting: Setting, numbers: Numbers) -> tuple[Solution, Claims]:
    """The equations solved at no point, and the claim as it was written."""
    system = setting.system
    assert system.origin is not None
    lines = [EquationLine(text, system.source) for text in system.origin.equations]
    read = read_equations(lines, SourceValue(list(system.y)), SourceValue(list(system.x)), system.source)
    spec = SystemSpec(system.name, {}, system.source)
    spec.take(read)
    solution = solve_system(build_system(spec))
    rows = [list(row) for row in numbers.texts]
    return solution, build_claims({numbers.key: SourceValue(rows)}, solution)

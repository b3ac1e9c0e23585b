"""Solve a quadratic program with the options of solve that concern it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from implicitgrad.model.program.problem import QuadraticProgram
from implicitgrad.model.program.solution import ProgramSolution
from implicitgrad.solvers.program.derivatives import directional_derivative
from implicitgrad.solvers.program.pieces import MAX_PIECES, find_pieces
from implicitgrad.solvers.program.solver import solve_in_any_arithmetic
from implicitgrad.text.errors import UsageError


def solve_program(
    program: QuadraticProgram,
    linear_options: Mapping[str, object],
    *,
    steps: bool,
    is_gradient_alone: bool,
    pieces: bool,
    direction: Mapping[str, Fraction] | None,
) -> ProgramSolution:
    """Solve a program, with the pieces and the directional derivative that are asked for. Raise ImplicitGradError.

    linear_options : the options that concern linear systems alone.
    """
    for option, value in linear_options.items():
        if value:
            raise UsageError(f"{program.source}: {option} is for linear systems and equations, not for a program")
    solution = solve_in_any_arithmetic(program)
    if steps:
        from implicitgrad.writers.program.steps import refuse_unfit

        refuse_unfit(solution)
    solution = solution._replace(is_gradient_alone=is_gradient_alone)
    if pieces and solution.is_unique:
        found = find_pieces(solution)
        if found is None:
            remark = ("too-many-pieces", f"there are more than {MAX_PIECES} pieces, and none of them is listed")
            solution = solution._replace(remarks=(*solution.remarks, remark))
        else:
            solution = solution._replace(pieces=tuple(found))
    if direction is not None:
        slope = directional_derivative(solution, direction)
        solution = solution._replace(directional=(direction, slope))
    return solution

"""The arithmetic of a quadratic program: exact, or doubles with error bounds where that takes too much work."""

from __future__ import annotations

from implicitgrad.model.program import QuadraticProgram
from implicitgrad.model.program_solution import ProgramSolution
from implicitgrad.solvers.program.solver import solve_program
from implicitgrad.text.errors import InputError


def solve_in_any_arithmetic(program: QuadraticProgram) -> ProgramSolution:
    """Solve a convex quadratic program exactly, or in doubles with error bounds where that takes too much work.

    Raise InputError where neither decides.
    """
    try:
        return solve_program(program)
    except InputError as error:
        if program.letters is not None or [problem.code for problem in error.problems] != ["too-large"]:
            raise
        from implicitgrad.solvers.program.doubles import solve_in_doubles

        return solve_in_doubles(program, error)

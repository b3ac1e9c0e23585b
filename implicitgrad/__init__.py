"""Implicit differentiation of linear systems B·x = A·y: what is known of ∂y/∂x and ∂L/∂x, exactly.

>>> import implicitgrad
>>> implicitgrad.solve([[1, 2], [3, 4]], dL_dy=[1, 1]).dL_dx
(Fraction(-1, 2), Fraction(1, 2))
"""

TYPE_CHECKING = False  # typing need not be loaded for it
if TYPE_CHECKING:
    from implicitgrad.api import check, check_program, read_systems, solve, solve_program
    from implicitgrad.model.program.problem import QuadraticProgram
    from implicitgrad.model.program.solution import ProgramSolution, ProgramStatus
    from implicitgrad.model.solution import Constraints, General, Solution
    from implicitgrad.model.stack_verdict import StackVerdict
    from implicitgrad.model.system import LinearSystem, Status
    from implicitgrad.model.verdict import Outcome, Verdict
    from implicitgrad.readers.arrays.python_values import linear_system
    from implicitgrad.solvers.stacks import Solutions
    from implicitgrad.text.errors import ImplicitGradError, InputError, OutputError, Problem, UsageError
    from implicitgrad.text.version import __version__ as __version__

_NAMES = {
    "text.errors": ("ImplicitGradError", "InputError", "OutputError", "Problem", "UsageError"),
    "api": ("check", "check_program", "read_systems", "solve", "solve_program"),
    "model.solution": ("Constraints", "General", "Solution"),
    "solvers.stacks": ("Solutions",),
    "model.stack_verdict": ("StackVerdict",),
    "model.system": ("Status", "LinearSystem"),
    "model.program.solution": ("ProgramSolution", "ProgramStatus"),
    "model.program.problem": ("QuadraticProgram",),
    "readers.arrays.python_values": ("linear_system",),
    "model.verdict": ("Outcome", "Verdict"),
    "text.version": ("__version__",),
}

__all__ = [
    "Constraints", "General", "ImplicitGradError", "InputError", "LinearSystem", "Outcome", "OutputError",
    "Problem", "ProgramSolution", "ProgramStatus", "QuadraticProgram", "Solution", "Solutions", "StackVerdict",
    "Status", "UsageError", "Verdict", "check", "check_program", "linear_system", "read_systems", "solve",
    "solve_program",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """Import a public name where it is first used: `implicitgrad --help` needs none of them."""
    from importlib import import_module

    for module, names in _NAMES.items():
        if name in names:
            return getattr(import_module(f"implicitgrad.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})

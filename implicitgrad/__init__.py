"""Implicit differentiation of linear systems B·x = A·y: what is known of ∂y/∂x and ∂L/∂x, exactly.

>>> import implicitgrad
>>> implicitgrad.solve([[1, 2], [3, 4]], dL_dy=[1, 1]).dL_dx
(Fraction(-1, 2), Fraction(1, 2))
"""

TYPE_CHECKING = False  # typing need not be loaded for it
if TYPE_CHECKING:
    from implicitgrad.draft import linear_system
    from implicitgrad.errors import ImplicitGradError, InputError, OutputError, Problem, UsageError
    from implicitgrad.judges import check
    from implicitgrad.readers import read_systems
    from implicitgrad.solution import Constraints, General, Solution, Status
    from implicitgrad.solvers import solve
    from implicitgrad.system import LinearSystem
    from implicitgrad.verdict import Outcome, Verdict

__version__ = "0.1.0"

_HOME = {
    "ImplicitGradError": "errors",
    "InputError": "errors",
    "OutputError": "errors",
    "Problem": "errors",
    "UsageError": "errors",
    "check": "judges",
    "read_systems": "readers",
    "Constraints": "solution",
    "General": "solution",
    "Solution": "solution",
    "Status": "solution",
    "solve": "solvers",
    "LinearSystem": "system",
    "linear_system": "draft",
    "Outcome": "verdict",
    "Verdict": "verdict",
}

__all__ = [
    "Constraints",
    "General",
    "ImplicitGradError",
    "InputError",
    "LinearSystem",
    "Outcome",
    "OutputError",
    "Problem",
    "Solution",
    "Status",
    "UsageError",
    "Verdict",
    "check",
    "linear_system",
    "read_systems",
    "solve",
]


def __getattr__(name: str) -> object:
    """Import a public name where it is first used: `implicitgrad --help` needs none of them."""
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"implicitgrad.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

"""Refuse options of solve that exclude one another, and systems that have not what options or formats need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from implicitgrad.model.spec import UNIQUE_GRADIENT
from implicitgrad.model.system import Arithmetic, LinearSystem
from implicitgrad.text.characters import listed, printable, quoted
from implicitgrad.text.errors import InputError, Problem, UsageError
from implicitgrad.writers.formats import FORMATS, WITH_STEPS

if TYPE_CHECKING:
    from implicitgrad.model.program.solution import ProgramSolution
    from implicitgrad.model.solution import Solution
    from implicitgrad.readers.systems.build import Question

PARAMETERS: tuple[str, ...] = ("q", "h", "b", "lb", "ub", "P", "G", "A", "x")
"""What --wrt may name of a program."""


def refuse_both(form: str, options: Mapping[str, object]) -> None:
    """Raise UsageError for options, by name, of which one says nothing beside the other, or beside the format."""
    if options["steps"] and not FORMATS[form].has_steps:
        raise UsageError(f"--steps is for --format {WITH_STEPS}, got {form}")
    if options["steps"] and (options["sort"] or options["show"]):
        option = "--show" if options["show"] else "--sort"
        raise UsageError(f"{option} is for the table, and --steps prints none; expected one of them, got both")
    if options["rtol"] is not None and options["arithmetic"] == "exact":
        raise UsageError("--rtol is a cutoff for doubles; --arithmetic exact has none")


def refuse_strange(system: Question, wrt: Sequence[str]) -> None:
    """Raise UsageError for what a system or a program has no derivatives in."""
    known = PARAMETERS
    if system.kind == "linear":
        known = ("x", *system.letters) if system.is_local else ("x", "A", "B", *system.letters)
    for key in wrt:
        if key not in known:
            listed = ", ".join(map(printable, known))
            raise UsageError(f"{printable(system.source)}: --wrt: expected some of {listed}, got {quoted(key)}")


def refuse_beside_linear(system: Question, options: Mapping[str, bool]) -> None:
    """Raise UsageError for a linear system beside an option, if it is given, that is for programs."""
    option = next((option for option, is_given in options.items() if is_given), None)
    if option is not None and system.kind == "linear":
        raise UsageError(f"{system.source}: {option} is for quadratic programs")


def require_exact(solution: Solution | ProgramSolution) -> None:
    """Raise UsageError for an answer in doubles, which --notation fraction cannot write."""
    if solution.kind == "program":
        source, is_in_doubles = solution.program.source, solution.error_bound is not None
    else:
        source, is_in_doubles = solution.system.source, solution.arithmetic is Arithmetic.FLOAT
    if is_in_doubles:
        message = f"{source}: --notation fraction needs an exact answer, and this one is in doubles"
        raise UsageError(message, "--arithmetic exact gives one, where the question has one")


def refuse_several(systems: Sequence[object], form: str, file: str | None) -> None:
    """Raise UsageError for several systems in a format that holds one answer."""
    if len(systems) == 1 or FORMATS[form].separator is not None:
        return
    option = f"--format {form}" if FORMATS[form].is_text else f"--output {file}"
    others = listed((one.name for one in FORMATS.values() if one.separator is not None), "or")
    message = f"{option} holds one system's answer, and there are {len(systems)}"
    in_batch = "; implicitgrad batch writes the numbers of all" if FORMATS[form].has_batch else ""
    raise UsageError(message, f"--format {others} holds several{in_batch}")


def require_gradients(
    systems: Sequence[Question], require: Sequence[str], only: str | None, wrt: Sequence[str]
) -> None:
    """Raise InputError for systems without a gradient if an option needs one."""
    needed = {
        f"--require {UNIQUE_GRADIENT}": UNIQUE_GRADIENT in require,
        f"--only {only}": only is not None,
    }
    for option, is_asked in needed.items():
        lacking = [system for system in systems if not _has_loss(system)] if is_asked else []
        if lacking:
            raise InputError(map(partial(_lacks_gradient, option), lacking))
    if any(key != "x" for key in wrt):
        option = f"--wrt {next(key for key in wrt if key != 'x')}"
        linear = [system for system in systems if isinstance(system, LinearSystem)]
        for system in linear:
            refuse_strange(system, wrt)
        problems = [_lacks_gradient(option, system) for system in linear if not _has_loss(system)]
        problems += [_lacks_value(option, one) for one in linear if one.x_value is None and not one.is_local]
        if problems:
            raise InputError(problems)


def _lacks_gradient(option: str, system: Question) -> Problem:
    key = "dL_dz" if system.kind == "program" else "dL_dy"
    return Problem(f"{option} needs {key}, and there is none", "Give it in the file or with -g", source=system.source)


def _lacks_value(option: str, system: LinearSystem) -> Problem:
    hint = f"Give it with --at {','.join(f'{name}=1' for name in system.x[:2])}, or in the file as at"
    return Problem(f"{option} needs the value of x, and there is none", hint, source=system.source)


def _has_loss(system: Question) -> bool:
    return bool(system.losses) if system.kind == "program" else system.dL_dy is not None

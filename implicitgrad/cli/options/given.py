"""Read the system that a command's options describe, or what they override in a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.cli.options.shared import INLINE
from implicitgrad.model.program.spec import ProgramSpec
from implicitgrad.model.spec import CsvFormat, SourceValue, SystemSpec
from implicitgrad.readers.options import read_value
from implicitgrad.readers.sources import read_specs
from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import UsageError

if TYPE_CHECKING:
    from implicitgrad.model.program.problem import QuadraticProgram
    from implicitgrad.readers.equations.reader import EquationLine, Linearization

MATRIX_OPTIONS = {"A": "-A", "B": "-B", "dL_dy": "-g", "dx": "--dx"}
OPTION_OF = MATRIX_OPTIONS | {"x_value": "--at"}


class SystemOptions(NamedTuple):
    """The values of the options that describe a system."""

    A: str | None = None
    B: str | None = None
    dL_dy: str | None = None
    x: tuple[str, ...] = ()
    y: tuple[str, ...] = ()
    equations: tuple[str, ...] = ()
    at: tuple[str, ...] = ()
    solve_for: tuple[str, ...] = ()
    minimize: str | None = None
    maximize: str | None = None
    subject_to: tuple[str, ...] = ()
    dx: str | None = None

    @property
    def objective(self) -> str | None:
        """The objective of a program, if there is one."""
        return self.maximize if self.minimize is None else self.minimize

    @property
    def is_whole(self) -> bool:
        """Whether the options describe a system without a file."""
        return self.A is not None or bool(self.equations) or self.objective is not None or bool(self.subject_to)

    @property
    def values(self) -> dict[str, str]:
        """The matrices given, by key."""
        given = {"A": self.A, "B": self.B, "dL_dy": self.dL_dy, "dx": self.dx}
        return {key: value for key, value in given.items() if value is not None}


def refuse_contradictions(files: Sequence[str], given: SystemOptions) -> None:
    """Raise UsageError if options exclude one another or the files."""
    if files and given.is_whole:
        _refuse_second_system(files[0], given)
    if given.equations and (given.A is not None or given.B is not None):
        raise UsageError("expected equations, -e, or matrices, -A and -B, got both")
    if given.minimize is not None and given.maximize is not None:
        raise UsageError("expected --minimize or --maximize, got both")
    if given.subject_to and given.objective is None:
        raise UsageError("--subject-to states a constraint; expected --minimize or --maximize beside it")
    if given.objective is not None:
        _refuse_beside_program(given)
    if given.solve_for and not given.at:
        raise UsageError(
            "--solve-for needs a point to start from; expected it beside --at (in a file with at: solve_for)"
        )
    if given.solve_for and not given.equations:
        raise UsageError("--solve-for is for equations; expected it beside -e")
    for one in given.at:
        name, *values = one.split("=")
        if len(values) != 1 or not name.strip() or (given.equations and not name.strip().isidentifier()):
            from implicitgrad.cli.suggestions import point_hint

            raise UsageError(f"--at: expected NAME=VALUE, got {quoted(one)}", point_hint(given.at))
    named = [one.partition("=")[0].strip() for one in given.at]
    for name in given.solve_for:
        if name not in named:
            raise UsageError(f"--solve-for: expected a name that --at has a value for, got {quoted(name)}")
    if len(set(named)) < len(named):
        raise UsageError("--at: expected each name once")


def _refuse_second_system(file: str, given: SystemOptions) -> None:
    """Raise UsageError for a file beside a system given by options."""
    from implicitgrad.cli.suggestions import QUOTES

    hint = QUOTES
    if os.path.exists(file):
        hint = "Leave out one of them"
    elif given.equations and file.replace(",", "").isidentifier():
        hint = f"Name the unknowns: --unknowns {printable(file)}"
    option = "-e" if given.equations else "-A" if given.A is not None else "--minimize or --maximize"
    raise UsageError(f"expected a system's file or {option}, got both", hint)


def _refuse_beside_program(given: SystemOptions) -> None:
    """Raise UsageError if an option that concerns linear systems is given beside a program."""
    beside = {"-A": given.A, "-B": given.B, "-e": given.equations, "--inputs": given.x, "--solve-for": given.solve_for}
    option = next((option for option, value in beside.items() if value), None)
    if option is not None:
        hint = "The inputs are the names of --at" if option == "--inputs" else None
        raise UsageError(f"{option} is for linear systems and equations, not for a program", hint)


class OptionValues(NamedTuple):
    """The parsed values of a system's options."""

    values: dict[str, SourceValue]
    equations: Linearization | None = None
    """The parsed equations of -e."""
    program: Callable[[SourceValue | None], QuadraticProgram] | None = None
    """Reads the program of --minimize or --maximize, given the unknowns' names."""
    shown: tuple[str, ...] = ()
    """The names and patterns of --show in check."""


def parse_options(given: SystemOptions, csv_form: CsvFormat) -> OptionValues:
    """Parse the values of a system's options."""
    parts = {
        key: read_value(value, MATRIX_OPTIONS[key], is_matrix=key in ("A", "B"), csv_format=csv_form)
        for key, value in given.values.items()
    }
    named = {"x": given.x, "y": given.y}
    parts |= {key: SourceValue(list(value), f"--{key}") for key, value in named.items() if value}
    if given.objective is not None:
        return OptionValues(parts, program=_program(given))
    if not given.equations:
        if given.at:
            values = {name: line.text for name, line in _values_at(given.at).items()}
            parts["x_value"] = SourceValue(values, "--at")
        return OptionValues(parts)
    return OptionValues(parts, _equations(given, parts))


def _equations(given: SystemOptions, parts: dict[str, SourceValue]) -> Linearization:
    """Parse the equations of -e, which stand for A and B."""
    from implicitgrad.readers.equations.reader import Point, read_equations

    point = Point(_values_at(given.at), given.solve_for, "--at") if given.at else None
    return read_equations(_lines("-e", given.equations), parts.get("y"), parts.get("x"), "-e", point)


def _program(given: SystemOptions) -> Callable[[SourceValue | None], QuadraticProgram]:
    """Parse the program of --minimize or --maximize."""
    from implicitgrad.readers.equations.reader import Point
    from implicitgrad.readers.program.expressions import Objective, read_program, split_name

    option = "--minimize" if given.maximize is None else "--maximize"
    (objective,) = _lines(option, [given.objective or ""])
    constraints = list(map(split_name, _lines("--subject-to", given.subject_to)))
    point = Point(_values_at(given.at), source="--at")
    return partial(
        read_program, Objective(objective, given.maximize is not None), constraints, point=point, source=option
    )


def _lines(option: str, texts: Iterable[str]) -> list[EquationLine]:
    """Return the values of an option with their positions: each is a line."""
    from implicitgrad.readers.equations.reader import EquationLine

    return [EquationLine(text, option, partial(_position, row)) for row, text in enumerate(texts, start=1)]


def _position(row: int, offset: int) -> tuple[int, int]:
    """Return the position of an offset in the row-th value of an option."""
    return row, offset + 1


def _values_at(pairs: Iterable[str]) -> dict[str, EquationLine]:
    """Return the values of --at by their names."""
    from implicitgrad.readers.equations.reader import EquationLine

    split = [[part.strip() for part in one.split("=", 1)] for one in pairs]
    return {name: EquationLine(value, "--at") for name, value in split}


def specs_of(source: str | None, given: OptionValues, csv_form: CsvFormat, text: str | None = None) -> list[SystemSpec]:
    """Read the systems of a file, or the inline one for None; options replace what the file says.

    text : the content of the file if it was read already.
    """
    kind = SystemSpec if given.program is None else ProgramSpec
    specs = [kind(INLINE, {}, INLINE)] if source is None else read_specs(source, csv_form, text)
    for spec in specs:
        spec.shown = given.shown
        if isinstance(spec, ProgramSpec):
            _take_options(spec, given)
            continue
        if "A" in given.values or "B" in given.values:
            if spec.linearize is not None:
                spec.linearize()
            spec.origin = None
            for key in ("hessian", "x_value", "constants", "by_letter", "letters"):
                spec.values.pop(key, None)
        if "x_value" in given.values and (spec.linearize is not None or spec.origin is not None):
            hint = "The point of its equations is its key at"
            raise UsageError(f"{spec.source}: --at is for matrices and for -e", hint)
        spec.values |= given.values
        if given.equations is not None:
            from implicitgrad.readers.equations.reader import add_linearization

            add_linearization(spec, given.equations)
    if any(getattr(value.value, "ndim", 0) > 1 for value in given.values.values()):
        return _in_stacks(specs, given)
    return specs


def _in_stacks(specs: Sequence[SystemSpec], given: OptionValues) -> list[SystemSpec]:
    """Split the stack that the options describe, or give each system of a file its part of their arrays."""
    from implicitgrad.readers.arrays.stacks import at_place, is_stack, split

    found: list[SystemSpec] = []
    for spec in specs:
        if is_stack(spec):
            found += split(spec)
            continue
        spec.values |= {key: at_place(key, value, spec.place, spec.source) for key, value in given.values.items()}
        found.append(spec)
    return found


def _take_options(spec: ProgramSpec, given: OptionValues) -> None:
    """Replace values of a program by those of options. Raise UsageError for an option of linear systems."""
    if given.program is not None:
        spec.expressions = given.program
    keys = {"dL_dy": "dL_dz", "y": "names.z" if spec.expressions is None else "z"}
    for key, value in given.values.items():
        if key not in keys:
            option = OPTION_OF.get(key, f"--{key}")
            raise UsageError(f"{spec.source}: {option} is for linear systems and equations, not for a program")
        spec.values[keys[key]] = value

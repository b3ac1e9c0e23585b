"""Build the systems that a command's arguments and options describe."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

from implicitgrad.cli.options import QUOTES, Decorated, names, once
from implicitgrad.model.spec import REQUIREMENTS, UNIQUE_GRADIENT, UNSTATED, CsvFormat
from implicitgrad.terminal.streams import say
from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import UsageError

if TYPE_CHECKING:
    from implicitgrad.model.program import QuadraticProgram
    from implicitgrad.model.program_spec import ProgramSpec
    from implicitgrad.model.spec import Linearization, SourceValue, SystemSpec
    from implicitgrad.readers.equations import EquationLine

INLINE = "<inline>"
SEVERAL_LOSSES = ". Several losses are rows of one: '1 0; 0 1'"
MATRIX_OPTIONS = {"A": "-A", "B": "-B", "dL_dy": "-g"}


class SystemOptions(NamedTuple):
    """The values of the options that describe a system."""

    A: str | None
    B: str | None
    dL_dy: str | None
    x: tuple[str, ...] | None
    y: tuple[str, ...] | None
    equations: tuple[str, ...]
    at: tuple[str, ...] | None
    solve_for: tuple[str, ...] | None
    csv_form: CsvFormat
    minimize: str | None = None
    maximize: str | None = None
    subject_to: tuple[str, ...] = ()

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
        given = {"A": self.A, "B": self.B, "dL_dy": self.dL_dy}
        return {key: value for key, value in given.items() if value is not None}


def system_options(command: Decorated) -> Decorated:
    """Add -A, -B, -e, --minimize, --maximize, --subject-to, --at, --solve-for, -g, --x and --y."""
    for option in reversed(
        (
            click.option(
                "-A", "A", **once(), metavar="MATRIX", help="The matrix A: '1 2; 3 4', '[[1, 2], [3, 4]]' or @FILE."
            ),
            click.option(
                "-B", "B", **once(), metavar="MATRIX", help="The matrix B of B·x = A·y.  [default: the identity]"
            ),
            click.option(
                "-e",
                "--equation",
                "equations",
                multiple=True,
                metavar="EQUATION",
                help="An equation instead of matrices, 'x = 2*y1 + y2/3' or 'x**2 + y**2 = 25'; can be repeated.",
            ),
            click.option(
                "--minimize",
                **once(),
                metavar="EXPRESSION",
                help="The objective of a quadratic program: '(z1 - c)^2 + z2^2'.",
            ),
            click.option("--maximize", **once(), metavar="EXPRESSION", help="The same, to be maximised."),
            click.option(
                "--subject-to",
                "subject_to",
                multiple=True,
                metavar="CONSTRAINT",
                help="A constraint, 'z1 + z2 <= cap', 'z1 = c' or 'box: 0 <= z1 <= 1' with a name; can be repeated.",
            ),
            click.option(
                "--at",
                **once(names, ". Several values are separated by commas: --at x=3,y=4"),
                metavar="NAME=VALUE,...",
                help="Differentiate at this point: x=3,y=4.",
            ),
            click.option(
                "--solve-for",
                **once(names),
                metavar="NAMES",
                help="Find these values at the point by Newton's method, starting from --at.",
            ),
            click.option(
                "-g",
                "--dldy",
                "dL_dy",
                **once(hint=SEVERAL_LOSSES),
                metavar="VECTOR",
                help="The gradient ∂L/∂y, or ∂L/∂z of a program: '1 1' or @FILE; a row for each loss.",
            ),
            click.option("--x", "--inputs", "x", **once(names), metavar="NAMES", help="Name the inputs: x1,x2."),
            click.option("--y", "--unknowns", "y", **once(names), metavar="NAMES", help="Name the unknowns: y1,y2."),
        )
    ):
        command = option(command)
    return command


def require_option(help: str) -> Callable[[Decorated], Decorated]:
    """Add --require VERDICT, which can be given several times."""
    verdicts = f"{', '.join(REQUIREMENTS[:-1])} or {UNIQUE_GRADIENT}"
    return click.option(
        "--require",
        type=click.Choice(REQUIREMENTS),
        multiple=True,
        metavar="VERDICT",
        help=f"{help}: {verdicts}; can be repeated.",
    )


def files_read(sources: Sequence[str], values: Iterable[str | None], csv_form: CsvFormat) -> list[str]:
    """Return the files that a command reads: its systems and each @FILE of an option. Raise UsageError."""
    at = [value[1:] for value in values if value and value.startswith("@")]
    inputs = [*map(_file_of, sources), *at]
    if "" in inputs:
        raise UsageError("expected a file's name, got ''")
    if csv_form != UNSTATED and not inputs:
        raise UsageError("--delimiter, --decimal, --header and --index are for CSV, and nothing is read from a file")
    refuse_values(sources)
    if inputs.count("-") > 1:
        raise UsageError("standard input can be read once; expected - in one place only")
    if "-" in inputs:
        announce_terminal_input()
    return inputs


def _file_of(source: str) -> str:
    """Return the file of a source such as four.npy[1,2]."""
    if not source.endswith("]"):
        return source
    from implicitgrad.readers.formats import file_of

    return file_of(source)


def refuse_values(sources: Iterable[str]) -> None:
    """Raise UsageError if the name of a file is an equation or a matrix, and there is no such file."""
    for source in sources:
        if not set(source).isdisjoint("= ,;[") and not os.path.exists(source) and source == _file_of(source):
            from implicitgrad.cli.suggestions import for_value

            hint = for_value(click.get_current_context().info_name or "", source)
            if hint is not None:
                raise UsageError(f"expected a file, got {quoted(source)}", hint)


def refuse_second_system(files: Sequence[str], given: SystemOptions) -> None:
    """Raise UsageError if there are files and a system given by options."""
    if not files or not given.is_whole:
        return
    hint = QUOTES
    if os.path.exists(files[0]):
        hint = "Leave out one of them"
    elif given.equations and files[0].replace(",", "").isidentifier():
        hint = f"Name the unknowns: --unknowns {printable(files[0])}"
    option = "-e" if given.equations else "-A" if given.A is not None else "--minimize or --maximize"
    raise UsageError(f"expected a system's file or {option}, got both", hint)


def refuse_both(given: SystemOptions) -> None:
    """Raise UsageError if both equations and matrices are given, or a point without equations."""
    if given.equations and (given.A is not None or given.B is not None):
        raise UsageError("expected equations, -e, or matrices, -A and -B, got both")
    if given.minimize is not None and given.maximize is not None:
        raise UsageError("expected --minimize or --maximize, got both")
    if given.subject_to and given.objective is None:
        raise UsageError("--subject-to states a constraint; expected --minimize or --maximize beside it")
    if given.objective is not None:
        _refuse_beside_program(given)
    if given.at is not None and not given.equations and given.objective is None:
        raise UsageError("--at is where equations are differentiated; expected it beside -e")
    if given.solve_for is not None and given.at is None:
        raise UsageError("--solve-for needs a point to start from; expected it beside --at")
    for one in given.at or ():
        if one.count("=") != 1 or not one.partition("=")[0].strip():
            raise UsageError(f"--at: expected NAME=VALUE, got {quoted(one)}", "Write --at x=3,y=4")
    named = [one.partition("=")[0].strip() for one in given.at or ()]
    for name in given.solve_for or ():
        if name not in named:
            raise UsageError(f"--solve-for: expected a name that --at has a value for, got {quoted(name)}")
    if len(set(named)) < len(named):
        raise UsageError("--at: expected each name once")


def _refuse_beside_program(given: SystemOptions) -> None:
    """Raise UsageError if an option that concerns linear systems is given beside a program."""
    beside = {"-A": given.A, "-B": given.B, "-e": given.equations, "--inputs": given.x, "--solve-for": given.solve_for}
    option = next((option for option, value in beside.items() if value), None)
    if option is not None:
        hint = "The inputs are the names of --at" if option == "--inputs" else None
        raise UsageError(f"{option} is for linear systems and equations, not for a program", hint)


def announce_terminal_input() -> None:
    """Tell the user that input is read from the terminal, if it is."""
    if sys.stdin is not None and sys.stdin.isatty():
        say("implicitgrad: reading from the terminal; Ctrl-D ends the input")


class OptionValues(NamedTuple):
    """The parsed values of a system's options."""

    values: dict[str, SourceValue]
    equations: Linearization | None = None
    """The parsed equations of -e."""
    program: Callable[[SourceValue | None], QuadraticProgram] | None = None
    """Reads the program of --minimize or --maximize, given the unknowns' names."""


def parse_options(given: SystemOptions) -> OptionValues:
    """Parse the values of a system's options."""
    from implicitgrad.model.spec import SourceValue
    from implicitgrad.readers.formats import read_value

    parts = {
        key: read_value(value, MATRIX_OPTIONS[key], is_matrix=key != "dL_dy", csv_format=given.csv_form)
        for key, value in given.values.items()
    }
    named = {"x": given.x, "y": given.y}
    parts |= {key: SourceValue(list(value), f"--{key}") for key, value in named.items() if value is not None}
    if given.objective is not None:
        return OptionValues(parts, program=_program(given))
    if not given.equations:
        return OptionValues(parts)
    return OptionValues(parts, _equations(given, parts))


def _equations(given: SystemOptions, parts: dict[str, SourceValue]) -> Linearization:
    """Parse the equations of -e, which stand for A and B."""
    from implicitgrad.readers.equations import EquationLine, Point, read_equations

    lines = [EquationLine(text, "-e", partial(_position, row)) for row, text in enumerate(given.equations, start=1)]
    point = None
    if given.at is not None:
        point = Point(_values_at(given.at), given.solve_for or (), "--at")
    return read_equations(lines, parts.get("y"), parts.get("x"), "-e", point)


def _program(given: SystemOptions) -> Callable[[SourceValue | None], QuadraticProgram]:
    """Parse the program of --minimize or --maximize."""
    from implicitgrad.readers.equations import EquationLine, Point
    from implicitgrad.readers.program_expressions import Objective, read_program, split_name

    option = "--minimize" if given.maximize is None else "--maximize"
    objective = EquationLine(given.objective or "", option, partial(_position, 1))
    lines = [
        EquationLine(text, "--subject-to", partial(_position, row))
        for row, text in enumerate(given.subject_to, start=1)
    ]
    point = Point(_values_at(given.at or ()), source="--at")
    constraints = list(map(split_name, lines))
    return partial(
        read_program, Objective(objective, given.maximize is not None), constraints, point=point, source=option
    )


def _position(row: int, offset: int) -> tuple[int, int]:
    """Return the position of an offset in the row-th value of an option."""
    return row, offset + 1


def _values_at(pairs: Iterable[str]) -> dict[str, EquationLine]:
    """Return the values of --at by their names."""
    from implicitgrad.readers.equations import EquationLine

    split = [[part.strip() for part in one.split("=", 1)] for one in pairs]
    return {name: EquationLine(value, "--at") for name, value in split}


def specs_of(source: str | None, given: OptionValues, csv_form: CsvFormat, text: str | None = None) -> list[SystemSpec]:
    """Read the systems of a file, or the inline one for None; options replace what the file says.

    text : the content of the file if it was read already.
    """
    from implicitgrad.model.program_spec import ProgramSpec
    from implicitgrad.model.spec import SystemSpec
    from implicitgrad.readers.formats import read_specs

    kind = SystemSpec if given.program is None else ProgramSpec
    specs = [kind(INLINE, {}, INLINE)] if source is None else read_specs(source, csv_form, text)
    for spec in specs:
        if isinstance(spec, ProgramSpec):
            _take_options(spec, given)
            continue
        if "A" in given.values or "B" in given.values:
            spec.complete()
            spec.origin = None
            spec.values.pop("hessian", None)
        spec.values |= given.values
        if given.equations is not None:
            spec.take(given.equations)
    if any(getattr(value.value, "ndim", 0) > 1 for value in given.values.values()):
        return _in_stacks(specs, given)
    return specs


def _in_stacks(specs: Sequence[SystemSpec], given: OptionValues) -> list[SystemSpec]:
    """Split the stack that the options describe, or give each system of a file its part of their arrays."""
    from implicitgrad.readers.stacks import at_place, is_stack, split

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
            option = MATRIX_OPTIONS.get(key, f"--{key}")
            raise UsageError(f"{spec.source}: {option} is for linear systems and equations, not for a program")
        spec.values[keys[key]] = value


def read_once(source: str | None) -> str | None:
    """Read standard input or a FIFO, which can be read only once and may block; return None for other files."""
    from implicitgrad.readers.formats import format_by_suffix
    from implicitgrad.readers.source import STANDARD_INPUT, read_text, regular_size

    if source is None or ((found := format_by_suffix(source)) is not None and not found.is_text):
        return None
    return read_text(source) if source == STANDARD_INPUT or regular_size(source) is None else None


def csv_format_of(source: str | None, form: CsvFormat) -> CsvFormat:
    """Return the CSV format of one of several files, which is UNSTATED for a file of another format."""
    from implicitgrad.readers.formats import format_by_suffix

    found = None if source is None else format_by_suffix(source)
    return UNSTATED if found is not None and found.delimiter is None else form

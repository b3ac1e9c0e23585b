"""Build the systems that a command's arguments and options describe."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import click

from implicitgrad.cli.options.shared import Decorated, names, once
from implicitgrad.model.spec import REQUIREMENTS, UNIQUE_GRADIENT, UNSTATED, CsvFormat
from implicitgrad.terminal.streams import say
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import UsageError

INLINE = "<inline>"
SEVERAL_LOSSES = ". Several losses are rows of one: '1 0; 0 1'"


class SystemOptions(NamedTuple):
    """The values of the options that describe a system."""

    A: str | None = None
    B: str | None = None
    dL_dy: str | None = None
    x: tuple[str, ...] | None = None
    y: tuple[str, ...] | None = None
    equations: tuple[str, ...] = ()
    at: tuple[str, ...] | None = None
    solve_for: tuple[str, ...] | None = None
    csv_form: CsvFormat = UNSTATED
    minimize: str | None = None
    maximize: str | None = None
    subject_to: tuple[str, ...] = ()
    dx: str | None = None

    @property
    def objective(self) -> str | None:
        """The objective of a program, if there is one."""
        return self.maximize if self.minimize is None else self.minimize

    @property
    def is_empty(self) -> bool:
        """Whether no option says anything of a system."""
        return self == SystemOptions(csv_form=self.csv_form)

    @property
    def is_whole(self) -> bool:
        """Whether the options describe a system without a file."""
        return self.A is not None or bool(self.equations) or self.objective is not None or bool(self.subject_to)

    @property
    def values(self) -> dict[str, str]:
        """The matrices given, by key."""
        given = {"A": self.A, "B": self.B, "dL_dy": self.dL_dy, "dx": self.dx}
        return {key: value for key, value in given.items() if value is not None}


def system_options(command: Decorated) -> Decorated:
    """Add -A, -B, -e, --minimize, --maximize, --subject-to, --at, --solve-for, -g, --x and --y."""
    for option in reversed(
        (
            click.option(
                "-A",
                "A",
                **once(),
                metavar="MATRIX",
                help="The matrix A: '1 2; 3 4', '[[1, 2], [3, 4]]', as another program prints it, or @FILE.",
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
                help="Differentiate equations at this point: x=3,y=4. Beside matrices, the value of x: x1=5,x2=6.",
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


def announce_terminal_input() -> None:
    """Tell the user that input is read from the terminal, if it is."""
    if sys.stdin is not None and sys.stdin.isatty():
        say("implicitgrad: reading from the terminal; Ctrl-D ends the input")

"""The options that describe a system, and the files that a command reads."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import click

from implicitgrad.cli.options.shared import once, option
from implicitgrad.model.spec import UNSTATED, CsvFormat
from implicitgrad.terminal.streams import say
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import UsageError

INLINE = "<inline>"
SEVERAL_LOSSES = ". Several losses are rows of one: '1 0; 0 1'"

MATRICES = [
    once(
        "-A", "A", metavar="MATRIX",
        help="The matrix A: '1 2; 3 4', '[[1, 2], [3, 4]]', as another program prints it, or @FILE.",
    ),
    once("-B", "B", metavar="MATRIX", help="The matrix B of B·x = A·y.  [default: the identity]"),
    once(
        "-g", "--dldy", "dL_dy", metavar="VECTOR", hint=SEVERAL_LOSSES,
        help="The gradient ∂L/∂y, or ∂L/∂z of a program: '1 1' or @FILE; a row for each loss.",
    ),
    once("--x", "--inputs", "x", parser="parse_names", metavar="NAMES", help="Name the inputs: x1,x2."),
    once("--y", "--unknowns", "y", parser="parse_names", metavar="NAMES", help="Name the unknowns: y1,y2."),
]  # fmt: skip
EQUATIONS = [
    option(
        "-e", "--equation", "equations", multiple=True, metavar="EQUATION",
        help="An equation instead of matrices, 'x = 2*y1 + y2/3' or 'x**2 + y**2 = 25'; can be repeated.",
    ),
    once(
        "--at", parser="parse_names", metavar="NAME=VALUE,...",
        hint=". Several values are separated by commas: --at x=3,y=4",
        help="Differentiate equations at this point: x=3,y=4. Beside matrices, the value of x: x1=5,x2=6.",
    ),
    once(
        "--solve-for", parser="parse_names", metavar="NAMES",
        help="Find these values at the point by Newton's method, starting from --at.",
    ),
]  # fmt: skip
PROGRAMS = [
    once("--minimize", metavar="EXPRESSION", help="The objective of a quadratic program: '(z1 - c)^2 + z2^2'."),
    once("--maximize", metavar="EXPRESSION", help="The same, to be maximised."),
    option(
        "--subject-to", multiple=True, metavar="CONSTRAINT",
        help="A constraint, 'z1 + z2 <= cap', 'z1 = c' or 'box: 0 <= z1 <= 1' with a name; can be repeated.",
    ),
]  # fmt: skip


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


def files_read(sources: Sequence[str], values: Iterable[str | None], csv_form: CsvFormat) -> list[str]:
    """Return the files that a command reads: its systems and each @FILE of an option. Raise UsageError."""
    from implicitgrad.readers.formats import file_of

    at = [value[1:] for value in values if value and value.startswith("@")]
    inputs = [*map(file_of, sources), *at]
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


def refuse_values(sources: Iterable[str]) -> None:
    """Raise UsageError if the name of a file is an equation or a matrix, and there is no such file."""
    from implicitgrad.readers.formats import file_of

    for source in sources:
        if not set(source).isdisjoint("= ,;[") and not os.path.exists(source) and source == file_of(source):
            from implicitgrad.cli.suggestions import for_value

            hint = for_value(click.get_current_context().info_name or "", source)
            if hint is not None:
                raise UsageError(f"expected a file, got {quoted(source)}", hint)


def announce_terminal_input() -> None:
    """Tell the user that input is read from the terminal, if it is."""
    if sys.stdin is not None and sys.stdin.isatty():
        say("implicitgrad: reading from the terminal; Ctrl-D ends the input")

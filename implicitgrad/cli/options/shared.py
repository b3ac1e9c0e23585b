"""Options that several commands share, and the threads of the linear algebra."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from implicitgrad.terminal.streams import write_stdout
from implicitgrad.text.errors import UsageError
from implicitgrad.writers.formats import PLAIN

if TYPE_CHECKING:
    from implicitgrad.writers.formats import Format

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
MULTITHREADED_BYTES = 2**22
"""Input size from which several threads gain time, about 700×700 doubles; on busy cores they cost much."""

QUOTES = "A value with blanks needs quotes: -g '1 1'"

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Verb(click.Command):
    """A command whose help shows examples first and its options in groups, and ends with its epilog."""

    def __init__(self, name: str | None = None, *, examples: str, groups: Mapping[str, str], **settings: Any) -> None:  # noqa: ANN401 (click's own)
        """Take what click.Command takes, and two more.

        examples : a command a line. groups : the names of the parameters under each heading, separated by blanks; the
        others come last, under "Other".
        """
        super().__init__(name, add_help_option=False, **settings)
        self.examples, self.groups = examples, groups

    def format_help_text(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does, and the examples."""
        super().format_help_text(context, formatter)
        with formatter.section("Examples"):
            formatter.write("".join(f"  {line}\n" for line in self.examples.splitlines()))

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under the headings of their groups."""
        from implicitgrad.cli.options.help import write_options

        write_options(self.params, self.groups, context, formatter)


def with_help(
    text: Callable[[click.Context], str] = lambda context: context.get_help(),
) -> Callable[[Decorated], Decorated]:
    """Add -h and --help, whose text is written like all output: escaped, and with an exit code if that fails."""

    def show(context: click.Context, parameter: click.Parameter, is_asked: bool) -> None:
        if is_asked and not context.resilient_parsing:
            write_stdout(text(context).rstrip("\n") + "\n")
            context.exit()

    return click.option(
        "-h",
        "--help",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Show this message and exit.",
    )


def show_version(context: click.Context, parameter: click.Parameter, is_asked: bool) -> None:
    """Print the version, the callback of --version."""
    if is_asked and not context.resilient_parsing:
        from implicitgrad.text.version import __version__

        write_stdout(f"implicitgrad {__version__}\n")
        context.exit()


Parser = Callable[[str], object]
"""Parses the value of an option. Raises click.BadParameter."""


def once(then: Parser | None = None, hint: str = "") -> dict[str, Any]:
    """Return arguments for click.option that make giving the option twice an error.

    By default click silently drops the first value. then : parses the value.
    """

    def check(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> object:
        if len(values) > 1:
            raise click.BadParameter(f"expected it once, got it {len(values)} times{hint}")
        value = values[0] if values else None
        return value if then is None or value is None else then(value)

    return {"multiple": True, "callback": check}


def parsed(then: Parser) -> Callable[[click.Context, click.Parameter, str | None], object]:
    """Return an option's callback that parses the value, if there is one."""
    return lambda context, parameter, value: None if value is None else then(value)


def names(value: str) -> tuple[str, ...]:
    """Parse names separated by commas."""
    from implicitgrad.cli.options.values import parse_names

    return parse_names(value)


def positive(value: str) -> float:
    """Parse a number of at least 0 and less than 1."""
    from implicitgrad.cli.options.values import parse_positive

    return parse_positive(value)


def seconds(value: str) -> float:
    """Parse the seconds of --time-limit."""
    from implicitgrad.cli.options.values import parse_seconds

    return parse_seconds(value)


def delimiter(value: str) -> str:
    """Parse the character of --delimiter."""
    from implicitgrad.cli.options.values import parse_delimiter

    return parse_delimiter(value)


def time_limit_option(command: Decorated) -> Decorated:
    """Add --time-limit."""
    return click.option(
        "--time-limit",
        callback=parsed(seconds),
        metavar="SECONDS",
        help="Give up on a system after this time.  [default: none; 9 of CPU time for letters and nonlinear equations]",
    )(command)


def format_option(formats: Sequence[Format], help_text: str) -> Callable[[Decorated], Decorated]:
    """Return the option --format, a choice of ``formats``."""
    return click.option("-f", "--format", "form", type=click.Choice([one.name for one in formats]), help=help_text)


def plain_option(command: Decorated) -> Decorated:
    """Add --plain."""
    return click.option("--plain", is_flag=True, help="Print a fact a line, for screen readers and grep.")(command)


def format_of(
    output: str | None, asked: str | None, formats: Iterable[Format], default: str, *, is_plain: bool = False
) -> str:
    """Return the name of the format of --format or --plain, or else that of the suffix of --output, or the default."""
    if is_plain and asked not in (None, PLAIN):
        raise UsageError(f"--plain is --format {PLAIN}; expected it or --format {asked}, got both")
    asked = PLAIN if is_plain else asked
    if asked is not None or output is None:
        return asked or default
    from implicitgrad.cli.options.values import format_by_suffix

    return format_by_suffix(output, formats, default)


def csv_options(command: Decorated) -> Decorated:
    """Add --delimiter, --decimal, --header and --index, the fields of CsvFormat."""
    for option in (
        click.option(
            "--index/--no-index",
            default=None,
            help="The first column names the rows, or does not.  [default: it does if no cell in it is a number, or if "
            "it is a data frame's index]",
        ),
        click.option(
            "--header/--no-header",
            default=None,
            help="The first row names the unknowns, or does not.  [default: it does if no cell in it is a number]",
        ),
        click.option(
            "--decimal", type=click.Choice([".", ","]), default=".", show_default=True, help="The decimal mark."
        ),
        click.option(
            "--delimiter",
            callback=parsed(delimiter),
            metavar="CHARACTER",
            help="The field separator.  [default: , for .csv, tab for .tsv]",
        ),
    ):
        command = option(command)
    return command


def solving_options(command: Decorated) -> Decorated:
    """Add --free, --arithmetic and --rtol."""
    for option in reversed(
        (
            click.option(
                "--free",
                callback=parsed(names),
                metavar="NAMES",
                help="Choose the free unknowns where ∂y/∂x is not unique.",
            ),
            click.option(
                "--arithmetic",
                type=click.Choice(["auto", "exact", "float"]),
                default="auto",
                help="Exact fractions, or doubles with error bounds.  [default: auto: exact for text if that takes "
                "less than about 0.1 s]",
            ),
            click.option(
                "--rtol",
                callback=parsed(positive),
                metavar="X",
                help="In doubles, treat singular values up to X times the largest as 0.  [default: max(M, N)·2⁻⁵²]",
            ),
        )
    ):
        command = option(command)
    return command


def cores() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_option(command: Decorated) -> Decorated:
    """Add --threads."""
    return click.option(
        "--threads",
        type=click.IntRange(1, 4096),
        metavar="N",
        help="Threads of the linear algebra.  [default: 1; all, or OMP_NUM_THREADS, for large systems]",
    )(command)


def set_threads(threads: int | None, inputs: Iterable[str]) -> None:
    """Set the number of threads of the linear algebra, before numpy is loaded and starts them.

    Unless ``threads`` or the environment says otherwise, small inputs get one.
    """
    if threads is None and (any(name in os.environ for name in THREAD_VARIABLES) or _is_large(inputs)):
        return
    for name in THREAD_VARIABLES:
        os.environ[name] = str(threads or 1)


def _is_large(inputs: Iterable[str]) -> bool:
    """Return whether the files together are large; a pipe counts as small."""
    total = 0
    for path in inputs:
        try:
            total += os.stat(0 if path == "-" else path).st_size
        except OSError:
            continue
    return total >= MULTITHREADED_BYTES

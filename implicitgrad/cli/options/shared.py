"""How commands declare their options, the options that several of them share, and the threads of linear algebra."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import click

from implicitgrad.model.spec import REQUIREMENTS, UNIQUE_GRADIENT
from implicitgrad.terminal.streams import write_stdout
from implicitgrad.text.errors import UsageError
from implicitgrad.writers.formats import PLAIN

if TYPE_CHECKING:
    from implicitgrad.writers.formats import Format

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
MULTITHREADED_BYTES = 2**22
"""Input size from which several threads gain time, about 700×700 doubles; on busy cores they cost much."""
PATH = click.Path(readable=False)
"""The type of an argument or option that names a file: it is checked when the file is opened."""
QUOTES = "A value with blanks needs quotes: -g '1 1'"

Values = TypeVar("Values")


class Verb(click.Command):
    """A command whose options stand in groups."""

    def __init__(
        self,
        name: str | None,
        *,
        params: Sequence[click.Parameter],
        groups: Mapping[str, Sequence[click.Option]],
        **settings: Any,  # noqa: ANN401 (click's own)
    ) -> None:
        """Take what click.Command takes, with ``params`` the arguments alone, and the options under each heading.

        --help joins those under "Other".
        """
        self.groups = {**groups, "Other": [*groups.get("Other", ()), HELP]}
        options = chain.from_iterable(self.groups.values())
        super().__init__(name, params=[*params, *options], add_help_option=False, **settings)

    def get_help(self, context: click.Context) -> str:
        """Return the command's help page."""
        from implicitgrad.cli.help_pages import command_page

        return command_page(context, self.groups)


def option(*names: str, parser: str = "", **settings: Any) -> click.Option:  # noqa: ANN401 (click's own)
    """Declare an option with the settings of click.Option. parser : the function of options.values for its value."""

    def parse(context: click.Context, parameter: click.Parameter, value: str | None) -> object:
        return _parsed(parser, value)

    return click.Option(names, callback=parse, **settings)


def once(*names: str, parser: str = "", hint: str = "", **settings: Any) -> click.Option:  # noqa: ANN401 (click's own)
    """Declare an option as ``option`` does; giving it twice is an error, where click drops the first value."""

    def parse(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> object:
        if len(values) > 1:
            raise click.BadParameter(f"expected it once, got it {len(values)} times{hint}")
        return _parsed(parser, values[0] if values else None)

    return click.Option(names, callback=parse, multiple=True, **settings)


def _parsed(parser: str, value: str | None) -> object:
    if value is None or not parser:
        return value
    from implicitgrad.cli.options import values

    return getattr(values, parser)(value)


def taken(kind: type[Values], options: Mapping[str, object]) -> Values:
    """Make a NamedTuple of the options that its fields name; an option that is not given leaves the field's default."""
    make: Callable[..., Values] = kind
    return make(**{name: options[name] for name in kind.__annotations__ if options.get(name) is not None})


def _show_help(context: click.Context, parameter: click.Parameter, is_asked: bool) -> None:
    """Write the help like all output: escaped, and with an exit code if that fails."""
    if is_asked and not context.resilient_parsing:
        write_stdout(context.get_help().rstrip("\n") + "\n")
        context.exit()


HELP = click.Option(
    ["-h", "--help"], is_flag=True, is_eager=True, expose_value=False, callback=_show_help,
    help="Show this message and exit.",
)  # fmt: skip
DEBUG = option("--debug", is_flag=True, help="Show the traceback of an internal error.")
EXCLUDE = option("--exclude", multiple=True, metavar="PATTERN", help="Leave out files and directories: 'draft*'.")
PLAIN_OPTION = option("--plain", is_flag=True, help="Print a fact a line, for screen readers and grep.")
TIME_LIMIT = option(
    "--time-limit", parser="parse_seconds", metavar="SECONDS",
    help="Give up on a system after this time.  [default: none; 9 of CPU time for letters and nonlinear equations]",
)  # fmt: skip
FREE = option(
    "--free", parser="parse_names", metavar="NAMES", help="Choose the free unknowns where ∂y/∂x is not unique."
)
ARITHMETIC = option(
    "--arithmetic", type=click.Choice(["auto", "exact", "float"]), default="auto",
    help="Exact fractions, or doubles with error bounds.  [default: auto: exact for text if that takes less than "
    "about 0.1 s]",
)  # fmt: skip
RTOL = option(
    "--rtol", parser="parse_positive", metavar="X",
    help="In doubles, treat singular values up to X times the largest as 0.  [default: max(M, N)·2⁻⁵²]",
)  # fmt: skip
CSV_INPUT = [
    option(
        "--delimiter", parser="parse_delimiter", metavar="CHARACTER",
        help="The field separator.  [default: , for .csv, tab for .tsv]",
    ),
    option("--decimal", type=click.Choice([".", ","]), default=".", show_default=True, help="The decimal mark."),
    option(
        "--header/--no-header", default=None,
        help="The first row names the unknowns, or does not.  [default: it does if no cell in it is a number]",
    ),
    option(
        "--index/--no-index", "index_column", default=None,
        help="The first column names the rows, or does not.  [default: it does if no cell in it is a number, or if "
        "it is a data frame's index]",
    ),
]  # fmt: skip
"""The fields of CsvFormat."""


def format_option(formats: Iterable[Format], help_text: str) -> click.Option:
    """Return the option --format, a choice of ``formats``."""
    return option("-f", "--format", "form", type=click.Choice([one.name for one in formats]), help=help_text)


def require_option(help_text: str) -> click.Option:
    """Return the option --require VERDICT, which can be given several times."""
    verdicts = f"{', '.join(REQUIREMENTS[:-1])} or {UNIQUE_GRADIENT}"
    return option(
        "--require", type=click.Choice(REQUIREMENTS), multiple=True, metavar="VERDICT",
        help=f"{help_text}: {verdicts}; can be repeated.",
    )  # fmt: skip


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
        with suppress(OSError):
            total += os.stat(0 if path == "-" else path).st_size
    return total >= MULTITHREADED_BYTES

"""How commands declare their options, the options that several of them share, and the threads of linear algebra."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import click

from implicitgrad.model.spec import REQUIREMENTS, UNIQUE_GRADIENT
from implicitgrad.terminal.streams import write_stdout

if TYPE_CHECKING:
    from implicitgrad.writers.formats import Format

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
MULTITHREADED_BYTES = 2**22
"""Input size from which several threads gain time, about 700×700 doubles; on busy cores they cost much."""
PATH = click.Path(readable=False)
"""The type of an argument or option that names a file: it is checked when the file is opened."""
INLINE = "<inline>"
"""The source of a system that options describe."""
SEVERAL_LOSSES = ". Several losses are rows of one: '1 0; 0 1'"

Groups = Mapping[str, Sequence[click.Option]]
Values = TypeVar("Values")


class Verb(click.Command):
    """A command whose options stand in groups."""

    def __init__(self, *, groups: Groups, params: list[click.Parameter], **settings: Any) -> None:  # noqa: ANN401
        """Take what click.Command takes, with ``params`` the arguments alone, and the options under each heading.

        --help joins those under "Other".
        """
        self.groups = {**groups, "Other": [*groups.get("Other", ()), HELP]}
        options = chain.from_iterable(self.groups.values())
        super().__init__(params=[*params, *options], add_help_option=False, **settings)

    def get_help(self, context: click.Context) -> str:
        """Return the command's help page."""
        from implicitgrad.cli.help_pages import command_page

        return command_page(context, self.groups)


def option(
    *names: str,
    parser: str = "",
    is_once: bool = False,
    hint: str = "",
    **settings: Any,  # noqa: ANN401 (click's own)
) -> click.Option:
    """Declare an option with the settings of click.Option.

    parser : the function of options.values for its value. is_once : giving it twice is an error, whose message ends
    with the hint; else click drops the first value.
    """

    def parse(context: click.Context, parameter: click.Parameter, value: Any) -> object:  # noqa: ANN401 (click's own)
        if is_once:
            if len(value) > 1:
                raise click.BadParameter(f"expected it once, got it {len(value)} times{hint}")
            value = value[0] if value else None
        if value is None or not parser:
            return value
        from implicitgrad.cli.options import values

        return getattr(values, parser)(value)

    if is_once:
        settings["multiple"] = True
    return click.Option(names, callback=parse, **settings)


once = partial(option, is_once=True)


def taken(kind: type[Values], options: Mapping[str, object]) -> Values:
    """Make a NamedTuple of the options that its fields name; an option that is not given leaves the field's default."""
    make: Callable[..., Values] = kind
    return make(**{name: options[name] for name in kind.__annotations__ if options.get(name) is not None})


def page_option(*names: str, page: Callable[[click.Context], str], **settings: Any) -> click.Option:  # noqa: ANN401
    """Declare a flag that writes a page like all output, escaped and with an exit code if that fails, and exits."""

    def show(context: click.Context, parameter: click.Parameter, is_asked: bool) -> None:
        if is_asked and not context.resilient_parsing:
            write_stdout(page(context).rstrip("\n") + "\n")
            context.exit()

    return click.Option(names, is_flag=True, is_eager=True, expose_value=False, callback=show, **settings)


HELP = page_option("-h", "--help", page=click.Context.get_help, help="Show this message and exit.")
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
OF_SYSTEMS = ("dx", *(str(one.name) for one in (*MATRICES, *EQUATIONS, *PROGRAMS)))
"""The names of the options that describe a system: the fields of SystemOptions."""


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


def set_threads(threads: int | None, inputs: Iterable[str]) -> None:
    """Set the number of threads of the linear algebra, before numpy is loaded and starts them.

    Unless ``threads`` or the environment says otherwise, small inputs get one; a pipe counts as small.
    """
    files = [0 if path == "-" else path for path in inputs]
    is_large = sum(map(os.path.getsize, filter(os.path.exists, files))) >= MULTITHREADED_BYTES
    if threads is None and (is_large or any(name in os.environ for name in THREAD_VARIABLES)):
        return
    for name in THREAD_VARIABLES:
        os.environ[name] = str(threads or 1)

"""implicitgrad solve: one question, one answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from implicitgrad.characters import count
from implicitgrad.cli.options import JSON_SUFFIXES, csv_options, format_of, solving_options, with_help
from implicitgrad.cli.progress import telling
from implicitgrad.cli.streams import report, say, write_stdout
from implicitgrad.cli.systems import (
    Given,
    drafts_of,
    files_read,
    given_parts,
    refuse_both,
    require_option,
    system_options,
)
from implicitgrad.cli.threads import set_threads, threads_option
from implicitgrad.errors import InputError, Problem, UsageError
from implicitgrad.readers.form import CsvFormat
from implicitgrad.requirement import UNIQUE_GRADIENT, facts_of, unmet

if TYPE_CHECKING:
    from implicitgrad.part import Part
    from implicitgrad.solution import Solution
    from implicitgrad.system import LinearSystem
    from implicitgrad.writers.screen import Screen

FORMATS = ("table", "json", "markdown", "latex", "yaml", "csv")
ARRAYS = ("npy", "npz")
FORMATS_OF_SUFFIXES = JSON_SUFFIXES | {
    ".md": "markdown", ".tex": "latex", ".yaml": "yaml", ".yml": "yaml", ".csv": "csv", ".npy": "npy", ".npz": "npz",
}  # fmt: skip
BETWEEN = {"table": "\n\n", "markdown": "\n", "latex": "\n", "yaml": "---\n"}
"""What stands between the answers to several systems."""

EXAMPLES = """\b
Examples:
  implicitgrad solve system.yaml
  implicitgrad solve table.csv -g '1 1'
  implicitgrad solve -A '1 2; 3 4' -g '1 1'
  implicitgrad solve -A '3 5' -g '7 11' --free y2
  implicitgrad solve -e 'x = 3*y1 + 5*y2' --unknowns y1,y2 -g '7 11'
  implicitgrad solve -A 'a1 a2; a3 a4' --steps
  implicitgrad solve -e 'x**2 + y**2 = 25' --unknowns y --at x=3,y=4
  implicitgrad solve system.yaml --format json | jq .dL_dx
  implicitgrad solve system.yaml --require determined > /dev/null"""


@click.command(epilog=EXAMPLES, add_help_option=False, short_help="Print ∂y/∂x and ∂L/∂x of a system.")
@click.argument("system", required=False, type=click.Path(readable=False))
@system_options
@solving_options
@click.option(
    "--only", type=click.Choice(["dL_dx"]), help="Leave out ∂y/∂x; of a large system no inverse is formed then."
)
@click.option("--order", type=click.IntRange(1, 2), default=1, help="2: ∂²y/∂x², too, of one equation in one unknown.")
@click.option("--steps", is_flag=True, help="Print the derivation, as table, markdown or latex.")
@click.option(
    "-f", "--format", "form", type=click.Choice(FORMATS),
    help="What to print. json: an object a line; markdown; latex: for amsmath; yaml, csv: the system again, with its "
    "answer as what check expects.  [default: by the name of --output, .json, .md, .tex, .yaml or .csv, or table]",
)  # fmt: skip
@click.option(
    "--digits",
    type=click.IntRange(1, 100),
    default=6,
    show_default=True,
    help="At most so many significant digits of a decimal.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(readable=False),
    help="Write to a file, whole or not at all; .npy gets ∂y/∂x, .npz all matrices.",
)
@click.option("--full", is_flag=True, help="Print every entry of a ∂y/∂x that does not fit a screen.")
@threads_option
@require_option("Exit with 1 if the answer, which is printed, is not this, or not all of several")
@csv_options
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected fault.")
@with_help()
def solve(
    system: str | None,
    A: str | None,
    B: str | None,
    equations: tuple[str, ...],
    at: tuple[str, ...] | None,
    solve_for: tuple[str, ...] | None,
    dL_dy: str | None,
    x: tuple[str, ...] | None,
    y: tuple[str, ...] | None,
    free: tuple[str, ...] | None,
    arithmetic: str,
    rtol: float | None,
    only: str | None,
    order: int,
    steps: bool,
    full: bool,
    threads: int | None,
    form: str | None,
    digits: int,
    output: str | None,
    require: tuple[str, ...],
    delimiter: str | None,
    decimal: str,
    header: bool | None,
    index: bool | None,
    debug: bool,
) -> int:
    """Print ∂y/∂x and ∂L/∂x of the linear system x = A·y, or B·x = A·y, or of equations F(x, y) = 0.

    SYSTEM is a YAML, JSON, CSV or TSV text of at most 256 MiB, NumPy's .npy (A) or .npz (A, dL_dy, B), or - for
    standard input (YAML, or CSV with --delimiter). A YAML file may hold several systems. Options override what the
    file says.

    Exit codes: 0 answered; 1 answered, but not as --require asks; 2 bad usage or bad input; 3 a fault of the program.
    """
    given = Given(A, B, dL_dy, x, y, equations, at, solve_for, CsvFormat(delimiter, decimal, header, index))
    if output == "":
        raise UsageError("expected a file's name, got ''")
    inputs = files_read([] if system is None else [system], given.values.values(), given.csv_form)
    if system is None and not given.is_whole:
        raise UsageError("expected a system's file, - for standard input, -A or -e", "See implicitgrad solve --help")
    if system is not None and given.is_whole:
        option = "-A" if A is not None else "-e"
        raise UsageError(
            f"expected a system's file or {option}, got both", "A value with blanks needs quotes: -g '1 1'"
        )
    refuse_both(given)

    sources = [0 if path == "-" else path for path in inputs]
    if output is not None:
        from implicitgrad.cli.files import refuse_inputs

        refuse_inputs(output, sources)
    form = format_of(output, form, FORMATS_OF_SUFFIXES, "table")
    if steps and form not in ("table", "markdown", "latex"):
        raise UsageError(f"--steps is for --format table, markdown or latex, got {form}")
    if rtol is not None and arithmetic == "exact":
        raise UsageError("--rtol is a cutoff for doubles; --arithmetic exact has none")
    set_threads(threads, inputs)
    from implicitgrad.readers import build_all
    from implicitgrad.solvers import solve_system

    with telling(f"reading {', '.join(inputs)}"):
        drafts = list(drafts_of(system, given_parts(given), given.csv_form))
        systems = build_all(drafts, arithmetic)
        parts = [draft.parts for draft in drafts] if form == "yaml" else []
        del drafts
    if UNIQUE_GRADIENT in require:
        _require_gradients(systems, f"--require {UNIQUE_GRADIENT}")
    if only is not None:
        _require_gradients(systems, f"--only {only}")
    with telling(f"solving {count(len(systems), 'system')}"):
        solutions = [
            solve_system(one, free or (), rtol=rtol, gradient_alone=only is not None, order=order, steps=steps)
            for one in systems
        ]
    if output in (None, "-"):
        write_stdout("".join(_texts(solutions, parts, form, digits, is_full=full, to_file=False)))
    else:
        from implicitgrad.cli.files import write_file

        if form in ARRAYS:
            write_file(output, _arrays(solutions, output, form), sources)
            if form == "npy":
                _tell_of_nan(solutions[0], output)
        else:
            write_file(output, "".join(_texts(solutions, parts, form, digits, is_full=full, to_file=True)), sources)
    problems = [problem for solution in solutions for one in require if (problem := unmet(facts_of(solution), one))]
    report(problems, as_json=form == "json")
    return 1 if problems else 0


def _require_gradients(systems: list[LinearSystem], option: str) -> None:
    lacking = [system.source for system in systems if system.dL_dy is None]
    message = f"{option} needs dL_dy, and there is none"
    if lacking:
        raise InputError(Problem(message, "Give it in the file or with -g", source=source) for source in lacking)


def _arrays(solutions: list[Solution], output: str, form: str) -> memoryview:
    """What goes into a .npy or .npz file, which holds one system."""
    from implicitgrad.writers.arrays import write_npy, write_npz

    if len(solutions) != 1:
        raise UsageError(f"--output {output}: a NumPy file holds one system's answer, and there are {len(solutions)}")
    return write_npy(solutions[0]) if form == "npy" else write_npz(solutions[0])


def _tell_of_nan(solution: Solution, output: str) -> None:
    """Say how much of what was written to a .npy file, which has no place for more, is not known."""
    from implicitgrad.writers.arrays import undetermined

    if lacking := undetermined(solution):
        hint = "a name that ends in .npz gets the general solution"
        say(f"implicitgrad: {output}: {count(lacking, 'entry')} not determined, and NaN there; {hint}")


def _texts(
    solutions: list[Solution], parts: list[dict[str, Part]], form: str, digits: int, *, is_full: bool, to_file: bool
) -> list[str]:
    if form == "csv" and len(solutions) > 1:
        hint = "--format yaml has a document each"
        raise UsageError(f"--format csv is one system's answer, and there are {len(solutions)}", hint)
    if form == "table":
        texts = _tables(solutions, digits, is_full=is_full, to_file=to_file)
    elif form == "yaml":
        from implicitgrad.writers.restated import write_yaml

        texts = list(map(write_yaml, solutions, parts))
    else:
        write = _writer(form, digits)
        texts = [write(solution) for solution in solutions]
    return [text if number == 0 else BETWEEN.get(form, "") + text for number, text in enumerate(texts)]


def _writer(form: str, digits: int) -> Callable[[Solution], str]:
    if form == "json":
        from implicitgrad.writers.record import write_record

        return lambda solution: write_record(solution) + "\n"
    if form == "markdown":
        from implicitgrad.writers.markdown import write_markdown

        return lambda solution: write_markdown(solution, digits)
    if form == "latex":
        from implicitgrad.writers.latex import write_latex

        return lambda solution: write_latex(solution, digits)
    from implicitgrad.writers.restated import write_csv

    return write_csv


def _tables(solutions: list[Solution], digits: int, *, is_full: bool, to_file: bool) -> list[str]:
    from implicitgrad.cli.screen import stdout_screen
    from implicitgrad.writers.screen import Screen
    from implicitgrad.writers.table import write_table

    screen = Screen() if to_file else stdout_screen()
    return [
        _summary(solution, screen, digits)
        if solution.is_large and not (is_full or to_file)
        else write_table(solution, screen, digits)
        for solution in solutions
    ]


def _summary(solution: Solution, screen: Screen, digits: int) -> str:
    from implicitgrad.writers.summary import write_summary

    return write_summary(solution, screen, digits)

"""implicitgrad solve: one question, one answer."""

from __future__ import annotations

import os
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import click

from implicitgrad.cli.boundary import report
from implicitgrad.cli.options import (
    Verb,
    csv_options,
    format_of,
    format_option,
    names,
    once,
    plain_option,
    set_threads,
    solving_options,
    threads_option,
    time_limit_option,
    with_help,
)
from implicitgrad.cli.systems import (
    INLINE,
    SystemOptions,
    files_read,
    parse_options,
    read_once,
    refuse_both,
    refuse_second_system,
    require_option,
    specs_of,
    system_options,
)
from implicitgrad.model.spec import CsvFormat
from implicitgrad.terminal.streams import say, spinner, write_stdout
from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import ImplicitGradError, UsageError
from implicitgrad.writers.formats import FORMATS, JSON, TABLE, either

if TYPE_CHECKING:
    from fractions import Fraction

    from implicitgrad.cli.answers import Answer

PARAMETERS = ("q", "h", "b", "lb", "ub", "P", "G", "A", "x")
PRINTED = [one for one in FORMATS.values() if one.is_text]
WITH_STEPS = either(one.name for one in PRINTED if one.has_steps)

EXAMPLES = """\
implicitgrad solve system.yaml
implicitgrad solve -A '1 2; 3 4' -g '1 1'
implicitgrad solve -e 'x = 3*y1 + 5*y2' --unknowns y1,y2 -g '7 11'
implicitgrad solve -e 'x**2 + y**2 = 25' --unknowns y --at x=3,y=4
implicitgrad solve -e 'x**2 + y**2 = 25' --unknowns y --steps
implicitgrad solve system.yaml --format json | jq .dL_dx
implicitgrad solve system.yaml --require determined > /dev/null"""
GROUPS = {
    "System": "A B dL_dy x y",
    "Equations": "equations at solve_for order",
    "Quadratic programs": "minimize maximize subject_to wrt pieces direction",
    "Answer": "steps free only require",
    "Output": "form plain output digits full",
    "CSV": "delimiter decimal header index",
    "Advanced": "arithmetic rtol time_limit threads",
}
EPILOG = """\
SYSTEM is a file (.yaml, .json, .jsonl, .csv, .tsv, .npy, .npz) or - for standard input. Options override what it says.
More: implicitgrad guide input

Exit codes: 0 answered; 1 answered, but --require is not met; 2 bad usage or
bad input; 3 an internal error."""


def _described() -> str:
    """Return the names of the formats whose name does not say what they are, with what each is."""
    groups = groupby((one for one in PRINTED if one.name != TABLE), lambda one: one.description)
    named = ((", ".join(one.name for one in group), description) for description, group in groups)
    return "; ".join(f"{names}: {description}" for names, description in named if description)


@click.command(
    cls=Verb, examples=EXAMPLES, groups=GROUPS, epilog=EPILOG, short_help="Print ∂y/∂x and ∂L/∂x of a system."
)
@click.argument("system", required=False, type=click.Path(readable=False))
@system_options
@solving_options
@click.option(
    "--only", type=click.Choice(["dL_dx"]), help="Leave out ∂y/∂x, which saves the inverse of a large system."
)
@click.option(
    "--order", type=click.IntRange(1, 2), default=1, metavar="N", help="2 adds ∂²y/∂x² of one equation in one unknown."
)
@click.option("--steps", is_flag=True, help=f"Print the derivation ({WITH_STEPS}).")
@click.option(
    "--wrt",
    **once(names),
    metavar="KEYS",
    help="Show a quadratic program's derivatives in these: q,h,b,lb,ub,P,G,A, or x, its letters.  [default: x if "
    "there are letters, else q,h,b,lb,ub]",
)
@click.option("--pieces", is_flag=True, help="List all Jacobians around a kink of a quadratic program.")
@click.option(
    "--direction",
    **once(names),
    metavar="NAME=RATE,...",
    help="Differentiate a quadratic program in one direction: h1=1,b2=-1.",
)
@format_option(
    PRINTED,
    f"What to print. {_described()}.  [default: by the suffix of --output, else {TABLE}]",
)
@plain_option
@click.option(
    "--digits",
    type=click.IntRange(1, 100),
    default=6,
    metavar="N",
    help="Round decimals to N significant digits.  [default: 6]",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(readable=False),
    help="Write to a file. Its suffix chooses the format; .npy gets ∂y/∂x, .npz all matrices.",
)
@click.option("--full", is_flag=True, help="Print every entry of a large ∂y/∂x, not a summary.")
@time_limit_option
@threads_option
@require_option("Exit with 1 unless the answer is this")
@csv_options
@click.option("--debug", is_flag=True, help="Show the traceback of an internal error.")
@with_help()
def solve(
    system: str | None,
    A: str | None,
    B: str | None,
    equations: tuple[str, ...],
    minimize: str | None,
    maximize: str | None,
    subject_to: tuple[str, ...],
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
    time_limit: float | None,
    threads: int | None,
    form: str | None,
    plain: bool,
    digits: int,
    output: str | None,
    require: tuple[str, ...],
    delimiter: str | None,
    decimal: str,
    header: bool | None,
    index: bool | None,
    wrt: tuple[str, ...] | None,
    pieces: bool,
    direction: tuple[str, ...] | None,
    debug: bool,
) -> int:
    """Print ∂y/∂x and ∂L/∂x of the linear system x = A·y, or B·x = A·y, or of equations F(x, y) = 0."""
    csv_form = CsvFormat(delimiter, decimal, header, index)
    given = SystemOptions(A, B, dL_dy, x, y, equations, at, solve_for, csv_form, minimize, maximize, subject_to)
    if output == "":
        raise UsageError("expected a file's name, got ''")
    inputs = files_read([] if system is None else [system], given.values.values(), given.csv_form)
    if system is None and not given.is_whole:
        raise UsageError(
            "expected a system's file, - for standard input, -A, -e or --minimize", "See implicitgrad solve --help"
        )
    refuse_second_system(inputs[:1] if system is not None else [], given)
    refuse_both(given)
    if system is not None and os.path.isdir(system):
        shown = printable(system)
        hint = f"To solve all in it: implicitgrad batch {shown}; to check them: implicitgrad check {shown}"
        raise UsageError(f"expected a system's file, got the directory {quoted(system)}", hint)

    sources = [0 if path == "-" else path for path in inputs]
    if output is not None:
        from implicitgrad.terminal.files import refuse_inputs

        refuse_inputs(output, sources)
    form = format_of(output, form, FORMATS.values(), TABLE, is_plain=plain)
    if steps and not FORMATS[form].has_steps:
        raise UsageError(f"--steps is for --format {WITH_STEPS}, got {form}")
    if rtol is not None and arithmetic == "exact":
        raise UsageError("--rtol is a cutoff for doubles; --arithmetic exact has none")
    set_threads(threads, inputs)
    from implicitgrad.cli.answers import SolveOptions, answers_in_time, answers_to, build_systems

    file = None if output == "-" else output
    if wrt is not None and (unknown := [key for key in wrt if key not in PARAMETERS]):
        expected = ", ".join(PARAMETERS)
        raise UsageError(f"--wrt: expected some of {expected}, got {quoted(unknown[0])}")
    options = SolveOptions(
        arithmetic,
        free or (),
        rtol,
        only,
        order,
        steps,
        require,
        form,
        digits,
        full,
        file,
        wrt or (),
        pieces,
        None if direction is None else _rates(direction),
    )
    with spinner(f"reading {', '.join(inputs)}"):
        specs = partial(specs_of, system, parse_options(given), given.csv_form)
        if time_limit is None:
            systems = build_systems(specs(), options)
        else:
            specs = partial(specs, read_once(system))
    with spinner(f"solving {system or INLINE}"):
        if time_limit is None:
            answers, problems = answers_to(systems, options)
        else:
            answers, problems = answers_in_time(time_limit, specs, system or INLINE, options)
    if file is None:
        write_stdout("".join(_joined(answers, form)))
    elif not problems:
        from implicitgrad.terminal.files import write_file

        written = answers[0].written
        write_file(file, "".join(_joined(answers, form)) if isinstance(written, str) else memoryview(written), sources)
        for answer in answers:
            if answer.note is not None:
                say(answer.note)
    not_met = [problem for answer in answers for problem in answer.unmet]
    report([*problems, *not_met], as_json=form == JSON)
    if problems:
        return ImplicitGradError.exit_code
    return 1 if not_met else 0


def _rates(direction: tuple[str, ...]) -> dict[str, Fraction]:
    """Parse NAME=RATE of --direction. Raise UsageError."""
    from implicitgrad.text.number_grammar import NumberError, parse_number

    rates: dict[str, Fraction] = {}
    for one in direction:
        name, sign, text = one.rpartition("=")
        try:
            rate = parse_number(text.strip())
        except NumberError as error:
            raise UsageError(f"--direction: {error.problem.message}", "--direction h1=1,b2=-1") from None
        if not sign or not name.strip() or name.strip() in rates:
            raise UsageError(f"--direction: expected NAME=RATE, each name once, got {quoted(one)}", "h1=1,b2=-1")
        rates[name.strip()] = rate
    return rates


def _joined(answers: list[Answer], form: str) -> list[str]:
    return [
        (FORMATS[form].separator or "" if number else "") + str(answer.written) for number, answer in enumerate(answers)
    ]

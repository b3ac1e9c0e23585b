"""implicitgrad solve: one question, one answer."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import click

from implicitgrad.cli.options.shared import (
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
from implicitgrad.cli.options.system import INLINE, SystemOptions, files_read, require_option, system_options
from implicitgrad.model.spec import CsvFormat, SystemSpec
from implicitgrad.numbers.number_form import DEFAULT, NumberForm, NumberOptions
from implicitgrad.terminal.streams import spinner, write_stdout
from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import ImplicitGradError, UsageError
from implicitgrad.writers.formats import FORMATS, JSON, TABLE, either

if TYPE_CHECKING:
    from fractions import Fraction

    from implicitgrad.cli.answers.answer import Answer, SolveOptions
    from implicitgrad.text.errors import Problem

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
    "Quadratic programs": "minimize maximize subject_to pieces direction",
    "Answer": "wrt dx steps free only require",
    "Output": "form plain output show sort notation digits full",
    "CSV input": "delimiter decimal header index",
    "Advanced": "arithmetic rtol time_limit threads",
}
EPILOG = """\
SYSTEM is a file (.yaml, .json, .jsonl, .csv, .tsv, .npy, .npz, .mtx) or - for standard input. Options override what it
says.
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
    "--order", type=click.IntRange(1, 2), default=1, metavar="N", help="2 adds ∂²y/∂x², a table for each unknown."
)
@click.option(
    "--dx",
    **once(),
    metavar="VECTOR",
    help="Also print dy = J·dx and dL along this change of x, the JVP: '5 6' or @FILE. The gradient ∂L/∂x = Jᵀ·∂L/∂y "
    "is the VJP.",
)
@click.option("--steps", is_flag=True, help=f"Print the derivation ({WITH_STEPS}).")
@click.option(
    "--wrt",
    **once(names),
    metavar="KEYS",
    help="Show the derivatives in these. Of a system: x, A and B (with --at), or letters.  [default: x] Of a quadratic "
    "program: q,h,b,lb,ub,P,G,A, or x, its letters.  [default: x if there are letters, else q,h,b,lb,ub]",
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
    metavar="N",
    help="Round decimals to N significant digits.  [default: 6; in the summary of a large answer 3; in CSV all]",
)
@click.option(
    "--notation",
    type=click.Choice([form.value for form in NumberForm]),
    default=NumberForm.AUTO.value,
    help="Write the numbers of a table as fractions, or as decimals.  [default: auto: as fractions if all numerators "
    "and denominators of the table have at most three digits]",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(readable=False),
    help="Write to a file. Its suffix chooses the format; .npy gets ∂y/∂x, .npz all matrices.",
)
@click.option(
    "--show",
    **once(names),
    metavar="NAMES",
    help="Show these rows and columns: names and patterns of unknowns and inputs, 'Energy,feed*'.",
)
@click.option("--sort", is_flag=True, help="Put the rows and the columns with the largest entries first.")
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
    dx: str | None,
    steps: bool,
    show: tuple[str, ...] | None,
    sort: bool,
    full: bool,
    time_limit: float | None,
    threads: int | None,
    form: str | None,
    plain: bool,
    digits: int | None,
    notation: str,
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
    given = SystemOptions(A, B, dL_dy, x, y, equations, at, solve_for, csv_form, minimize, maximize, subject_to, dx)
    if output == "":
        raise UsageError("expected a file's name, got ''")
    inputs = files_read([] if system is None else [system], given.values.values(), given.csv_form)
    if system is None and not given.is_whole:
        raise UsageError(
            "expected a system's file, - for standard input, -A, -e or --minimize", "See implicitgrad solve --help"
        )
    if not given.is_empty:
        from implicitgrad.cli.options.given import refuse_contradictions

        refuse_contradictions(inputs[:1] if system is not None else [], given)
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
    if steps and (sort or show is not None):
        option = "--sort" if show is None else "--show"
        raise UsageError(f"{option} is for the table, and --steps prints none; expected one of them, got both")
    if rtol is not None and arithmetic == "exact":
        raise UsageError("--rtol is a cutoff for doubles; --arithmetic exact has none")
    set_threads(threads, inputs)
    from implicitgrad.cli.answers.answer import SolveOptions

    file = None if output == "-" else output
    rates = None if direction is None else _rates(direction)
    options = SolveOptions(
        arithmetic,
        free or (),
        rtol,
        only,
        order,
        steps,
        require,
        form,
        _numbers(digits, NumberForm(notation)),
        full,
        file,
        wrt or (),
        pieces,
        rates,
        show or (),
        sort,
    )
    answers, problems = _answers(system, given, inputs, options, time_limit)
    if file is None:
        write_stdout("".join(_joined(answers, form)))
    elif not problems:
        from implicitgrad.cli.answers.output import write_answers

        write_answers(file, answers, "".join(_joined(answers, form)), sources)
    not_met = [problem for answer in answers for problem in answer.unmet]
    if problems or not_met:
        from implicitgrad.cli.problems import report

        report([*problems, *not_met], as_json=form == JSON)
        return ImplicitGradError.exit_code if problems else 1
    return 0


def _numbers(digits: int | None, form: NumberForm) -> NumberOptions:
    return DEFAULT._replace(form=form) if digits is None else NumberOptions(digits, form, digits, digits)


def _rates(direction: tuple[str, ...]) -> dict[str, Fraction]:
    from implicitgrad.cli.options.values import parse_rates

    return parse_rates(direction)


def _answers(
    source: str | None, given: SystemOptions, inputs: list[str], options: SolveOptions, time_limit: float | None
) -> tuple[list[Answer], list[Problem]]:
    """Return the answers, and the problems of systems without one. Raise ImplicitGradError."""
    from implicitgrad.cli.answers.answer import answer, build_systems

    with spinner(f"reading {', '.join(inputs)}"):
        read = _reader(source, given)
        if time_limit is None:
            systems = build_systems(read(), options)
        else:
            from implicitgrad.cli.options.sources import read_once

            read = partial(read, read_once(source))
    with spinner(f"solving {source or INLINE}"):
        if time_limit is not None:
            from implicitgrad.cli.answers.isolated import answers_in_time

            return answers_in_time(time_limit, read, source or INLINE, options)
        if len(systems) != 1:
            from implicitgrad.cli.answers.refusals import refuse_several

            refuse_several(systems, options.form, options.file)
        numbers = [(one.system, one.parts) for one in systems if not isinstance(one.system, SystemSpec)]
        if options.require or options.only is not None or options.wrt:
            from implicitgrad.cli.answers.refusals import require_gradients

            require_gradients([system for system, _ in numbers], options.require, options.only, options.wrt)
        if len(numbers) == len(systems):
            return [answer(system, parts, options) for system, parts in numbers], []
        from implicitgrad.cli.answers.isolated import answers_to

        return answers_to(systems, options)


def _reader(source: str | None, given: SystemOptions) -> Callable[..., list[SystemSpec]]:
    """Return the function that reads the systems of a file, with what options override, or the one of options alone.

    It takes the text of the file, if that was read already.
    """
    if source is not None and given.is_empty:
        from implicitgrad.readers.formats import read_specs

        return partial(read_specs, source, given.csv_form)
    from implicitgrad.cli.options.given import parse_options, specs_of

    return partial(specs_of, source, parse_options(given), given.csv_form)


def _joined(answers: list[Answer], form: str) -> list[str]:
    return [
        (FORMATS[form].separator or "" if number else "") + str(answer.written) for number, answer in enumerate(answers)
    ]

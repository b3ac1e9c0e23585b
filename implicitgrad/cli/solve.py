"""implicitgrad solve: one question, one answer."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import click

from implicitgrad.cli.options import shared
from implicitgrad.cli.options.shared import Verb, once, option, taken
from implicitgrad.model.spec import CsvFormat
from implicitgrad.numbers.display.form import NumberForm
from implicitgrad.terminal.streams import say, spinner, write_stdout
from implicitgrad.text.errors import ImplicitGradError
from implicitgrad.writers.formats import FORMATS, JSON, TABLE, WITH_STEPS

if TYPE_CHECKING:
    from implicitgrad.cli.answers.answer import Answer, SolveOptions
    from implicitgrad.cli.options.given import SystemOptions
    from implicitgrad.text.errors import Problem

PRINTED = [one for one in FORMATS.values() if one.is_text]
DESCRIBED = "; ".join(f"{one.name}: {one.description}" for one in PRINTED if one.description)

GROUPS = {
    "System": shared.MATRICES,
    "Equations": [
        *shared.EQUATIONS,
        option(
            "--order", type=click.IntRange(1, 2), default=1, metavar="N",
            help="2 adds ∂²y/∂x², a table for each unknown.",
        ),
    ],
    "Quadratic programs": [
        *shared.PROGRAMS,
        option("--pieces", is_flag=True, help="List all Jacobians around a kink of a quadratic program."),
        once(
            "--direction", parser="parse_rates", metavar="NAME=RATE,...",
            help="Differentiate a quadratic program in one direction: h1=1,b2=-1.",
        ),
    ],
    "Answer": [
        once(
            "--wrt", parser="parse_names", metavar="KEYS",
            help="Show the derivatives in these. Of a system: x, A and B (with --at), or letters.  [default: x] Of a "
            "quadratic program: q,h,b,lb,ub,P,G,A, or x, its letters.  [default: x if there are letters, else "
            "q,h,b,lb,ub]",
        ),
        once(
            "--dx", metavar="VECTOR",
            help="Also print dy = J·dx and dL along this change of x, the JVP: '5 6' or @FILE. The gradient ∂L/∂x = "
            "Jᵀ·∂L/∂y is the VJP.",
        ),
        option("--steps", is_flag=True, help=f"Print the derivation ({WITH_STEPS})."),
        shared.FREE,
        option(
            "--only", type=click.Choice(["dL_dx"]), help="Leave out ∂y/∂x, which saves the inverse of a large system."
        ),
        shared.require_option("Exit with 1 unless the answer is this"),
    ],
    "Output": [
        shared.format_option(
            PRINTED, f"What to print. {DESCRIBED}.  [default: by the suffix of --output, else {TABLE}]"
        ),
        shared.PLAIN_OPTION,
        option(
            "-o", "--output", metavar="FILE", type=shared.PATH,
            help="Write to a file. Its suffix chooses the format; .npy gets ∂y/∂x, .npz all matrices.",
        ),
        once(
            "--show", parser="parse_names", metavar="NAMES",
            help="Show these rows and columns: names and patterns of unknowns and inputs, 'Energy,feed*'.",
        ),
        option("--sort", is_flag=True, help="Put the rows and the columns with the largest entries first."),
        option(
            "--notation", type=click.Choice([form.value for form in NumberForm]), default=NumberForm.AUTO.value,
            help="Write the numbers of a table as fractions, or as decimals.  [default: auto: as fractions if all "
            "numerators and denominators of the table have at most three digits]",
        ),
        option(
            "--digits", type=click.IntRange(1, 100), metavar="N",
            help="Round decimals to N significant digits.  [default: 6; in the summary of a large answer 3; in CSV "
            "all]",
        ),
        option("--full", is_flag=True, help="Print every entry of a large ∂y/∂x, not a summary."),
    ],
    "CSV input": shared.CSV_INPUT,
    "Advanced": [
        shared.ARITHMETIC,
        shared.RTOL,
        shared.TIME_LIMIT,
        option(
            "--threads", type=click.IntRange(1, 4096), metavar="N",
            help="Threads of the linear algebra.  [default: 1; all, or OMP_NUM_THREADS, for large systems]",
        ),
    ],
    "Other": [shared.DEBUG],
}  # fmt: skip


@click.command(cls=Verb, groups=GROUPS, short_help="Print ∂y/∂x and ∂L/∂x of a system.")
@click.argument("system", required=False, type=shared.PATH)
def solve(
    system: str | None, output: str | None, form: str | None, plain: bool, threads: int | None, **others: object
) -> int:
    """Print ∂y/∂x and ∂L/∂x of the linear system x = A·y, or B·x = A·y, or of equations F(x, y) = 0."""
    csv_form = taken(CsvFormat, others)
    given = None
    if any(others[name] not in (None, ()) for name in shared.OF_SYSTEMS):
        from implicitgrad.cli.options.given import SystemOptions

        given = taken(SystemOptions, others)
    if system is not None and given is None and os.path.isfile(system):
        inputs = [system]
    else:
        from implicitgrad.cli.options.sources import files_to_solve

        inputs = files_to_solve(system, given, csv_form)
    if output is not None:
        from implicitgrad.terminal.files import refuse_inputs

        refuse_inputs(output, inputs)
    shared.set_threads(threads, inputs)
    from implicitgrad.cli.answers.answer import SolveOptions

    if output is not None or plain:
        from implicitgrad.cli.options.values import format_of

        form = format_of(output, form, FORMATS.values(), TABLE, is_plain=plain)
    options = taken(SolveOptions, others | {"form": form or TABLE, "file": None if output == "-" else output})
    if options.steps or options.rtol is not None:
        from implicitgrad.cli.answers.refusals import refuse_both

        refuse_both(options.form, others)
    answers, problems = _answers(system, given, csv_form, inputs, options)
    text = (FORMATS[options.form].separator or "").join(str(answer.written) for answer in answers)
    if options.file is None:
        write_stdout(text)
    elif not problems:
        from implicitgrad.terminal.files import write_file

        only = answers[0].written
        write_file(options.file, text if isinstance(only, str) else only, inputs)
    if options.file is None or not problems:
        for limitation in filter(None, (answer.limitation for answer in answers)):
            say(f"implicitgrad: {options.file or 'standard output'}: {limitation}")
    not_met = [problem for answer in answers for problem in answer.unmet]
    if problems or not_met:
        from implicitgrad.cli.problems import report

        report([*problems, *not_met], as_json=options.form == JSON)
        return ImplicitGradError.exit_code if problems else 1
    return 0


def _answers(
    source: str | None, given: SystemOptions | None, csv_form: CsvFormat, inputs: list[str], options: SolveOptions
) -> tuple[list[Answer], list[Problem]]:
    """Return the answers, and the problems of systems without one. Raise ImplicitGradError."""
    from implicitgrad.cli.answers.answer import answer, build_systems

    with spinner(f"reading {', '.join(inputs)}"):
        if source is not None and given is None:
            from implicitgrad.readers.sources import read_specs

            read = partial(read_specs, source, csv_form)
        else:
            from implicitgrad.cli.options.given import SystemOptions, parse_options, specs_of

            read = partial(specs_of, source, parse_options(given or SystemOptions(), csv_form), csv_form)
        specs = read() if options.time_limit is None else []
        systems = build_systems(specs, options)
    if options.time_limit is not None:
        from implicitgrad.cli.answers.isolated import answers_in_time

        return answers_in_time(options.time_limit, read, source, options)
    with spinner(f"solving {source or shared.INLINE}"):
        if len(specs) != 1:
            from implicitgrad.cli.answers.refusals import refuse_several

            refuse_several(specs, options.form, options.file)
        if systems is None:
            from implicitgrad.cli.answers.isolated import answers_to

            return answers_to(specs, options)
        if options.require or options.only is not None or options.wrt:
            from implicitgrad.cli.answers.refusals import require_gradients

            require_gradients(systems, options.require, options.only, options.wrt)
        return [answer(system, spec.values, options) for system, spec in zip(systems, specs, strict=True)], []

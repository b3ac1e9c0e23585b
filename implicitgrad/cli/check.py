"""implicitgrad check: many claims, one exit code."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import click

from implicitgrad.cli.options.shared import (
    QUOTES,
    Verb,
    csv_options,
    format_of,
    format_option,
    names,
    once,
    plain_option,
    time_limit_option,
    with_help,
)
from implicitgrad.cli.options.system import (
    INLINE,
    SEVERAL_LOSSES,
    SystemOptions,
    files_read,
    require_option,
    system_options,
)
from implicitgrad.model.spec import UNIQUE_GRADIENT, CsvFormat
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import ImplicitGradError, Problem, UsageError
from implicitgrad.writers.formats import FORMATS, JSON, TABLE

if TYPE_CHECKING:
    from implicitgrad.cli.claims.reporting import Reporting
    from implicitgrad.cli.options.given import OptionValues
    from implicitgrad.model.spec import SourceValue, SystemSpec
    from implicitgrad.writers.reports.report import Result

REPORTS = [one for one in FORMATS.values() if one.has_report]
CLAIM_OPTIONS = {
    "dy_dx": "--dydx", "dL_dx": "--dldx", "dL_dA": "--dlda", "dL_dB": "--dldb", "condition.max": "--max-condition",
    "tolerance.rtol": "--rtol", "tolerance.atol": "--atol",
}  # fmt: skip
SINGLE_NUMBERS = {"condition.max", "tolerance.rtol", "tolerance.atol"}

EXAMPLES = """\
implicitgrad check systems/
implicitgrad check system.yaml --dldx '-0.5 0.5'
implicitgrad check -A '1 2; 3 4' -g '1 1' --dldx @gradient.npy
implicitgrad check systems/ --require determined --max-condition 1e8
implicitgrad check systems/ --strict --junit report.xml
implicitgrad check --update system.yaml"""
GROUPS = {
    "Claims": "dydx dldx dlda dldb show require max_condition rtol atol",
    "Files": "exclude strict update yes",
    "System": "A B dL_dy x y",
    "Equations": "equations at solve_for",
    "Quadratic programs": "minimize maximize subject_to",
    "Output": "form plain output junit github quiet",
    "CSV input": "delimiter decimal header index",
    "Advanced": "time_limit",
}
EPILOG = """\
SYSTEMS are files as solve reads them, directories, or - for standard input.
A file claims under its key expect: implicitgrad guide check

Exit codes: 0 every claim holds; 1 a claim fails or cannot be decided; 2 bad
usage, or a file cannot be read (the others are checked); 3 an internal error."""


@click.command(
    cls=Verb, examples=EXAMPLES, groups=GROUPS, epilog=EPILOG, short_help="Check claimed gradients and ranks."
)
@click.argument("systems", nargs=-1, type=click.Path(readable=False))
@system_options
@click.option("--dydx", **once(), metavar="MATRIX", help="Claim ∂y/∂x: a row for each unknown, or @FILE.")
@click.option(
    "--dldx",
    **once(hint=SEVERAL_LOSSES),
    metavar="VECTOR",
    help="Claim ∂L/∂x: '-0.5 0.5' or @FILE; a row for each loss.",
)
@click.option(
    "--dlda", **once(), metavar="MATRIX", help="Claim ∂L/∂A: a row for each equation, or @FILE; it needs --at."
)
@click.option("--dldb", **once(), metavar="MATRIX", help="Claim ∂L/∂B likewise.")
@click.option(
    "--show",
    **once(names),
    metavar="NAMES",
    help="Of a large sparse system: the unknowns and inputs whose rows and columns the claims have.",
)
@require_option("Claim this of the answer")
@click.option("--max-condition", metavar="X", help="Claim a condition number of at most X.")
@click.option("--rtol", metavar="X", help="Allow an error of X·|claimed|.  [default: half of the last digit written]")
@click.option("--atol", metavar="X", help="Allow an error of X.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out files and directories: 'draft*'.")
@click.option("--strict", is_flag=True, help="Fail on a system without claims, and on a claim that fixes nothing.")
@format_option(
    REPORTS, f"What to print; {JSON}: an object for each system.  [default: by the suffix of --output, else {TABLE}]",
)  # fmt: skip
@plain_option
@click.option("-o", "--output", metavar="FILE", type=click.Path(readable=False), help="Write the report to a file.")
@click.option("--junit", metavar="FILE", type=click.Path(readable=False), help="Also write JUnit XML to a file.")
@click.option(
    "--github/--no-github",
    default=None,
    help="Also print GitHub annotations.  [default: if GITHUB_ACTIONS is set]",
)
@click.option("-q", "--quiet", is_flag=True, help="Print failures only.")
@click.option("--update", is_flag=True, help="Rewrite the files' claims so that they hold, and show the change.")
@click.option("--yes", is_flag=True, help="Let --update write when run on a terminal.")
@time_limit_option
@csv_options
@click.option("--debug", is_flag=True, help="Show the traceback of an internal error.")
@with_help()
def check(
    systems: tuple[str, ...],
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
    dydx: str | None,
    dldx: str | None,
    dlda: str | None,
    dldb: str | None,
    show: tuple[str, ...] | None,
    require: tuple[str, ...],
    max_condition: str | None,
    rtol: str | None,
    atol: str | None,
    exclude: tuple[str, ...],
    strict: bool,
    form: str | None,
    plain: bool,
    output: str | None,
    junit: str | None,
    github: bool | None,
    quiet: bool,
    update: bool,
    yes: bool,
    delimiter: str | None,
    decimal: str,
    header: bool | None,
    index: bool | None,
    time_limit: float | None,
    debug: bool,
) -> int:
    """Check claimed gradients and ranks: those in the files, under expect, and those given here."""
    csv_form = CsvFormat(delimiter, decimal, header, index)
    given = SystemOptions(A, B, dL_dy, x, y, equations, at, solve_for, csv_form, minimize, maximize, subject_to)
    matrices = {"dy_dx": dydx, "dL_dx": dldx, "dL_dA": dlda, "dL_dB": dldb}
    numbers = {"condition.max": max_condition, "tolerance.rtol": rtol, "tolerance.atol": atol}
    claimed = {key: value for key, value in (matrices | numbers).items() if value is not None}
    inputs = files_read(systems, [*given.values.values(), *matrices.values()], given.csv_form)
    from implicitgrad.batch.inputs.walk import find_files
    from implicitgrad.cli.claims.reporting import Reporting, report_results
    from implicitgrad.model.verdict import Unreadable
    from implicitgrad.readers.formats import file_of, suffixes_of
    from implicitgrad.terminal.files import refuse_inputs

    _refuse_nonsense(systems, given, claimed)
    files, errors = find_files(
        systems, exclude, suffixes_of(lambda one: one.has_claims and (one.is_text or not update))
    )
    if systems and not files and not errors:
        raise UsageError("expected a file to check, got none: --exclude leaves all out")
    if output is not None:
        refuse_inputs(output, [0 if path == "-" else file_of(path) for path in [*inputs, *files]])
    reporting = Reporting(format_of(output, form, REPORTS, TABLE, is_plain=plain), output, junit, github, quiet)
    reporting.check()
    if update or yes:
        _refuse_for_update(files, claimed, given, reporting, update=update, strict=strict, require=require)
        if time_limit is not None:
            raise UsageError("--time-limit is for checks; expected --update without it")
        from implicitgrad.cli.claims.update import update_files

        return update_files(files, errors, given.csv_form, may_write=yes)

    from implicitgrad.cli.options.given import parse_options

    parts = parse_options(given)._replace(shown=show or ())
    claims, more = _claims(claimed, given.csv_form), _required(require)
    results: list[Result] = [Unreadable(str(error.problems[0].source), error.problems) for error in errors]
    for source in [None] if given.is_whole else files:
        results += _checked(source, parts, claims, more, given.csv_form, time_limit)
    if strict:
        results = [result if isinstance(result, Unreadable) else result.strictly() for result in results]
    return report_results(results, reporting, [*inputs, *map(file_of, files)])


def _checked(
    source: str | None,
    given: OptionValues,
    claims: dict[str, SourceValue],
    more: list[dict[str, SourceValue]],
    form: CsvFormat,
    time_limit: float | None,
) -> list[Result]:
    """Return the verdict on each system of a file, or what is wrong with the file.

    source : the file; None for the system that the options describe. Raise ImplicitGradError if there is no file.
    """
    from implicitgrad.checks.expected import check_specs
    from implicitgrad.cli.options.given import specs_of
    from implicitgrad.cli.options.sources import csv_format_of, read_once
    from implicitgrad.model.spec import NeedsAlgebra
    from implicitgrad.model.verdict import Unreadable

    try:
        if time_limit is None:
            specs = specs_of(source, given, csv_format_of(source, form))
            with suppress(NeedsAlgebra):
                return list(check_specs(specs, claims, more, numbers_alone=True))
            read: Callable[[], list[SystemSpec]] = partial(list, specs)
        else:
            read = partial(specs_of, source, given, csv_format_of(source, form), read_once(source))
        from implicitgrad.batch.isolation.checks import check_within

        return list(check_within(time_limit, read, claims, more, source or INLINE))
    except ImplicitGradError as error:
        if source is None:
            raise
        return [Unreadable(source, tuple(_of_file(problem, source) for problem in error.problems))]


def _of_file(problem: Problem, source: str) -> Problem:
    """Return the problem, placed in the file if it was placed in an option."""
    if not (problem.source or "").startswith("-") or problem.source == source:
        return problem
    return problem._replace(message=f"{problem.source}: {problem.message}").at(source, None)


def _refuse_nonsense(systems: tuple[str, ...], given: SystemOptions, claimed: dict[str, str]) -> None:
    from implicitgrad.cli.options.given import refuse_contradictions
    from implicitgrad.text.number_grammar import NumberError, is_number, parse_number

    if not systems and not given.is_whole:
        hint = "See implicitgrad check --help"
        raise UsageError("expected files or directories to check, - for standard input, -A, -e or --minimize", hint)
    refuse_contradictions(systems, given)
    stray = next((path for path in systems if is_number(path) and not os.path.exists(path)), None)
    if stray is not None:
        raise UsageError(f"expected a file or directory, got {quoted(stray)}", QUOTES)
    for key in SINGLE_NUMBERS & set(claimed):
        try:
            is_negative = parse_number(claimed[key]) < 0
        except NumberError as error:
            raise UsageError(f"{CLAIM_OPTIONS[key]}: {error.problem.message}", error.problem.hint) from None
        if is_negative and key != "condition.max":
            raise UsageError(f"{CLAIM_OPTIONS[key]}: expected a number of 0 or more, got {quoted(claimed[key])}")


def _refuse_for_update(
    files: list[str],
    claimed: dict[str, str],
    given: SystemOptions,
    reporting: Reporting,
    *,
    update: bool,
    strict: bool,
    require: tuple[str, ...],
) -> None:
    if not update:
        raise UsageError("--yes lets --update write; expected --update with it")
    if "-" in files:
        raise UsageError("--update writes files; expected none of them to be -")
    if claimed or require or not given.is_empty:
        raise UsageError("--update writes what a file expects; expected files alone, without claims or -A, -B, -g")
    if strict or reporting._replace(github=None) != (TABLE, None, None, None, False):
        raise UsageError("--update prints a diff; expected it without --strict, --format, --output, --junit or --quiet")


def _claims(given: dict[str, str], form: CsvFormat) -> dict[str, SourceValue]:
    """Parse the claims of the options."""
    from implicitgrad.model.spec import SourceValue
    from implicitgrad.readers.options import read_value

    claims = {}
    for key, value in given.items():
        option = CLAIM_OPTIONS[key]
        is_matrix = key not in SINGLE_NUMBERS
        claims[key] = (
            read_value(value, option, is_matrix=False, csv_format=form) if is_matrix else SourceValue(value, option)
        )
    return claims


def _required(require: Iterable[str]) -> list[dict[str, SourceValue]]:
    from implicitgrad.model.spec import SourceValue

    return [
        {"dL_dx_unique": SourceValue("true", "--require")}
        if one == UNIQUE_GRADIENT
        else {"status": SourceValue(one, "--require")}
        for one in require
    ]

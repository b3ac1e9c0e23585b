"""implicitgrad check: many claims, one exit code."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from implicitgrad.cli.options import shared
from implicitgrad.cli.options.shared import Verb, once, option, taken
from implicitgrad.model.spec import UNIQUE_GRADIENT, CsvFormat, NeedsAlgebra, SourceValue
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import ImplicitGradError, Problem, UsageError
from implicitgrad.writers.formats import FORMATS, JSON, TABLE

if TYPE_CHECKING:
    from implicitgrad.cli.options.given import OptionValues, SystemOptions
    from implicitgrad.model.spec import SystemSpec
    from implicitgrad.writers.reports.report import Result

REPORTS = [one for one in FORMATS.values() if one.reports]
MATRIX_CLAIMS = {"dy_dx": "--dydx", "dL_dx": "--dldx", "dL_dA": "--dlda", "dL_dB": "--dldb"}
NUMBER_CLAIMS = {"condition.max": "--max-condition", "tolerance.rtol": "--rtol", "tolerance.atol": "--atol"}
CLAIM_OPTIONS = MATRIX_CLAIMS | NUMBER_CLAIMS

GROUPS = {
    "Claims": [
        once("--dydx", metavar="MATRIX", help="Claim ∂y/∂x: a row for each unknown, or @FILE."),
        once(
            "--dldx", hint=shared.SEVERAL_LOSSES, metavar="VECTOR",
            help="Claim ∂L/∂x: '-0.5 0.5' or @FILE; a row for each loss.",
        ),
        once(
            "--dlda", metavar="MATRIX", help="Claim ∂L/∂A: a row for each equation, or @FILE; it needs --at."
        ),
        once("--dldb", metavar="MATRIX", help="Claim ∂L/∂B likewise."),
        once(
            "--show", parser="parse_names", metavar="NAMES",
            help="Of a large sparse system: the unknowns and inputs whose rows and columns the claims have.",
        ),
        shared.require_option("Claim this of the answer"),
        option("--max-condition", metavar="X", help="Claim a condition number of at most X."),
        option(
            "--rtol", metavar="X", help="Allow an error of X·|claimed|.  [default: half of the last digit written]"
        ),
        option("--atol", metavar="X", help="Allow an error of X."),
    ],
    "Files": [
        shared.EXCLUDE,
        option(
            "--strict", is_flag=True, help="Fail on a system without claims, and on a claim that fixes nothing."
        ),
        option(
            "--update", is_flag=True, help="Rewrite the files' claims so that they hold, and show the change."
        ),
        option("--yes", is_flag=True, help="Let --update write when run on a terminal."),
    ],
    "System": shared.MATRICES,
    "Equations": shared.EQUATIONS,
    "Quadratic programs": shared.PROGRAMS,
    "Output": [
        shared.format_option(
            REPORTS,
            f"What to print; {JSON}: an object for each system.  [default: by the suffix of --output, else {TABLE}]",
        ),
        shared.PLAIN_OPTION,
        option("-o", "--output", metavar="FILE", type=shared.PATH, help="Write the report to a file."),
        option("--junit", metavar="FILE", type=shared.PATH, help="Also write JUnit XML to a file."),
        option(
            "--github/--no-github", default=None,
            help="Also print GitHub annotations.  [default: if GITHUB_ACTIONS is set]",
        ),
        option("-q", "--quiet", is_flag=True, help="Print failures only."),
    ],
    "CSV input": shared.CSV_INPUT,
    "Advanced": [shared.TIME_LIMIT],
    "Other": [shared.DEBUG],
}  # fmt: skip


@click.command(cls=Verb, groups=GROUPS, short_help="Check claimed gradients and ranks.")
@click.argument("systems", nargs=-1, type=shared.PATH)
def check(
    systems: tuple[str, ...],
    exclude: tuple[str, ...],
    require: tuple[str, ...],
    show: tuple[str, ...] | None,
    form: str | None,
    plain: bool,
    output: str | None,
    strict: bool,
    update: bool,
    yes: bool,
    time_limit: float | None,
    **others: Any,  # noqa: ANN401 (of several types)
) -> int:
    """Check claimed gradients and ranks: those in the files, under expect, and those given here."""
    from implicitgrad.cli.options.given import SystemOptions, parse_options
    from implicitgrad.cli.options.sources import files_read, named_in
    from implicitgrad.cli.options.values import format_of

    given, csv_form = taken(SystemOptions, others), taken(CsvFormat, others)
    names = {key: option.removeprefix("--").replace("-", "_") for key, option in CLAIM_OPTIONS.items()}
    claimed = {key: others[name] for key, name in names.items() if others[name] is not None}
    inputs = files_read(systems, named_in([*given.values.values(), *map(claimed.get, MATRIX_CLAIMS)]), csv_form)
    from implicitgrad.batch.inputs.walk import find_files
    from implicitgrad.cli.claims.reporting import Reporting, report_results
    from implicitgrad.model.verdict import Unreadable
    from implicitgrad.readers.sources import BY_SUFFIX, file_of
    from implicitgrad.terminal.files import refuse_inputs

    _refuse_nonsense(systems, given, claimed)
    kept = [suffix for suffix, one in BY_SUFFIX.items() if one.has_claims and (one.is_text or not update)]
    files, errors = find_files(systems, exclude, tuple(kept))
    if systems and not files and not errors:
        raise UsageError("expected a file to check, got none: --exclude leaves all out")
    if output is not None:
        refuse_inputs(output, [*inputs, *map(file_of, files)])
    form = format_of(output, form, REPORTS, TABLE, is_plain=plain)
    reporting = taken(Reporting, others | {"form": form, "output": output})
    reporting.check()
    if update or yes:
        has_claims = bool(claimed or require or given != SystemOptions())
        is_reported = strict or reporting._replace(github=None) != Reporting(TABLE)
        _refuse_for_update(
            files, update=update, has_claims=has_claims, is_reported=is_reported, is_timed=time_limit is not None
        )
        from implicitgrad.cli.claims.update import update_files

        return update_files(files, errors, csv_form, may_write=yes)

    parts = parse_options(given, csv_form)._replace(shown=show or ())
    claims, more = _claims(claimed, csv_form), _required(require)
    results: list[Result] = [Unreadable(str(error.problems[0].source), error.problems) for error in errors]
    for source in [None] if given.is_whole else files:
        results += _checked(source, parts, claims, more, csv_form, time_limit)
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

        return list(check_within(time_limit, read, claims, more, source or shared.INLINE))
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
        from implicitgrad.cli.suggestions import QUOTES

        raise UsageError(f"expected a file or directory, got {quoted(stray)}", QUOTES)
    for key in NUMBER_CLAIMS.keys() & claimed.keys():
        try:
            is_negative = parse_number(claimed[key]) < 0
        except NumberError as error:
            raise UsageError(f"{CLAIM_OPTIONS[key]}: {error.problem.message}", error.problem.hint) from None
        if is_negative and key != "condition.max":
            raise UsageError(f"{CLAIM_OPTIONS[key]}: expected a number of 0 or more, got {quoted(claimed[key])}")


def _refuse_for_update(files: list[str], *, update: bool, has_claims: bool, is_reported: bool, is_timed: bool) -> None:
    if not update:
        raise UsageError("--yes lets --update write; expected --update with it")
    if "-" in files:
        raise UsageError("--update writes files; expected none of them to be -")
    if has_claims:
        raise UsageError("--update writes what a file expects; expected files alone, without claims or -A, -B, -g")
    if is_reported:
        raise UsageError("--update prints a diff; expected it without --strict, --format, --output, --junit or --quiet")
    if is_timed:
        raise UsageError("--time-limit is for checks; expected --update without it")


def _claims(given: dict[str, str], form: CsvFormat) -> dict[str, SourceValue]:
    """Parse the claims of the options."""
    from implicitgrad.readers.options import read_value

    return {
        key: SourceValue(value, NUMBER_CLAIMS[key])
        if key in NUMBER_CLAIMS
        else read_value(value, MATRIX_CLAIMS[key], is_matrix=False, csv_format=form)
        for key, value in given.items()
    }


def _required(require: Iterable[str]) -> list[dict[str, SourceValue]]:
    """Return the claims that --require makes, each to be checked by itself."""
    claims = (("dL_dx_unique", "true") if one == UNIQUE_GRADIENT else ("status", one) for one in require)
    return [{key: SourceValue(value, "--require")} for key, value in claims]

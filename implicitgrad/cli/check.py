"""implicitgrad check: many claims, one exit code."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from implicitgrad.cli.options import csv_options, with_help
from implicitgrad.cli.streams import report, say, write_stdout
from implicitgrad.cli.systems import (
    INLINE,
    REQUIREMENTS,
    UNIQUE_GRADIENT,
    Given,
    drafts_of,
    files_read,
    form_of,
    given_parts,
    system_options,
)
from implicitgrad.errors import ImplicitGradError, UsageError
from implicitgrad.readers.form import CsvFormat

if TYPE_CHECKING:
    from implicitgrad.draft import Part
    from implicitgrad.writers.report import Result

CLAIM_OPTIONS = {
    "dy_dx": "--dydx", "dL_dx": "--dldx", "condition.max": "--max-condition", "tolerance.rtol": "--rtol",
    "tolerance.atol": "--atol",
}  # fmt: skip

EXAMPLES = """\b
Examples:
  implicitgrad check systems/
  implicitgrad check system.yaml --dldx '-0.5 0.5'
  implicitgrad check -A '1 2; 3 4' -g '1 1' --dldx @gradient.npy
  implicitgrad check systems/ --require determined --max-condition 1e8
  implicitgrad check systems/ --strict --junit report.xml
  implicitgrad check --update system.yaml"""


@click.command(
    epilog=EXAMPLES, add_help_option=False, short_help="Hold systems against what is claimed of their answers."
)
@click.argument("systems", nargs=-1, type=click.Path())
@system_options
@click.option("--dydx", metavar="MATRIX", help="Claim ∂y/∂x: a row for each unknown, inline or @FILE.")
@click.option("--dldx", metavar="VECTOR", help="Claim ∂L/∂x, inline or @FILE; several rows for several losses.")
@click.option(
    "--require", type=click.Choice(REQUIREMENTS), multiple=True, help="Claim the verdict; may be given twice."
)
@click.option("--max-condition", metavar="X", help="Claim a condition number of at most X.")
@click.option("--rtol", metavar="X", help="Allow an error of X·|claimed|.  [default: half of the last digit written]")
@click.option("--atol", metavar="X", help="Allow an error of X.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out files and directories: 'draft*'.")
@click.option("--strict", is_flag=True, help="A system without a claim fails, and so does a claim that fixes nothing.")
@click.option(
    "-f", "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
    help="What to print; json is one object a line, a system each.",
)  # fmt: skip
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="Write the report to a file.")
@click.option("--junit", metavar="FILE", type=click.Path(), help="Write JUnit XML to a file, too.")
@click.option(
    "--github/--no-github",
    default=None,
    help="Print GitHub annotations, too.  [default: where GITHUB_ACTIONS is set]",
)
@click.option("-q", "--quiet", is_flag=True, help="Print failures only.")
@click.option("--update", is_flag=True, help="Show what would make the files' claims hold, and write it.")
@click.option("--yes", is_flag=True, help="Let --update write on a terminal.")
@csv_options
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected fault.")
@with_help()
def check(
    systems: tuple[str, ...],
    A: str | None,
    B: str | None,
    dL_dy: str | None,
    x: tuple[str, ...] | None,
    y: tuple[str, ...] | None,
    dydx: str | None,
    dldx: str | None,
    require: tuple[str, ...],
    max_condition: str | None,
    rtol: str | None,
    atol: str | None,
    exclude: tuple[str, ...],
    strict: bool,
    form: str,
    output: str | None,
    junit: str | None,
    github: bool | None,
    quiet: bool,
    update: bool,
    yes: bool,
    delimiter: str | None,
    decimal: str,
    header: bool | None,
    debug: bool,
) -> int:
    """Hold systems against what their files expect, and against claims given here.

    SYSTEMS are files as solve reads them, - for standard input, or directories, which are searched for *.yaml, *.yml,
    *.json and *.csv. A file claims under its key expect, a CSV file in a comment # expect: {...}. A claimed ∂y/∂x holds
    exactly if A·∂y/∂x = B; a claimed ∂L/∂x if a valid ∂y/∂x yields it, the claimed one if both are. A decimal claims
    the digits it has, an integer or a fraction is exact.

    Exit codes: 0 every claim holds; 1 a claim fails; 2 bad usage, or a file that cannot be read (the others are
    checked); 3 a fault of the program.
    """
    given = Given(A, B, dL_dy, x, y, CsvFormat(delimiter, decimal, header))
    numbers = {"dy_dx": dydx, "dL_dx": dldx, "condition.max": max_condition, "tolerance.rtol": rtol}
    claimed = {key: value for key, value in (numbers | {"tolerance.atol": atol}).items() if value is not None}
    inputs = files_read(systems, [*given.values.values(), dydx, dldx], given.csv_form)
    _refuse_nonsense(systems, A, [output, junit])

    from implicitgrad.cli.walk import find_files
    from implicitgrad.verdict import Unreadable

    files, errors = find_files(systems, exclude)
    if systems and not files and not errors:
        raise UsageError("expected a file to check, got none: --exclude leaves all out")
    if update:
        from implicitgrad.cli.update import update_files

        if "-" in files:
            raise UsageError("--update writes files; expected none of them to be -")
        if claimed or require or given != Given(None, None, None, None, None, given.csv_form):
            raise UsageError("--update writes what a file expects; expected files alone, without claims or -A, -B, -g")
        return update_files(files, errors, given.csv_form, may_write=yes)

    parts, claims, more = given_parts(given), _claims(claimed, given.csv_form), _required(require)
    results: list[Result] = [Unreadable(str(error.problems[0].source), error.problems) for error in errors]
    for source in files if A is None else [None]:
        results += _checked(source, parts, claims, more, given.csv_form)
    for result in results:
        if isinstance(result, Unreadable):
            report(result.problems, as_json=form == "json")
    read = [*inputs, *files]
    _write(output, _text(results, form, to_file=output not in (None, "-"), is_strict=strict, is_quiet=quiet), read)
    if junit is not None:
        from implicitgrad.writers.junit import write_junit

        _write(junit, write_junit(results, is_strict=strict), read)
    if github or (github is None and os.environ.get("GITHUB_ACTIONS") == "true"):
        _annotate(results, strict, to_stderr=form == "json" and output in (None, "-"))
    return _exit_code(results, strict)


def _checked(
    source: str | None, parts: dict[str, Part], claims: dict[str, Part], more: list[dict[str, Part]], form: CsvFormat
) -> list[Result]:
    """The verdict of each system in a file, None for the one that the options give; or what is wrong with the file."""
    from implicitgrad.judges.drafts import check_drafts
    from implicitgrad.verdict import Unreadable

    try:
        return list(check_drafts(drafts_of(source, parts, form_of(source, form)), claims, more))
    except ImplicitGradError as error:
        return [Unreadable(source or INLINE, error.problems)]


def _refuse_nonsense(systems: tuple[str, ...], A: str | None, outputs: list[str | None]) -> None:
    if not systems and A is None:
        hint = "See implicitgrad check --help"
        raise UsageError("expected files or directories to check, - for standard input, or -A", hint)
    if systems and A is not None:
        raise UsageError("expected systems' files or -A, got both", "A value with blanks needs quotes: -g '1 1'")
    if "" in outputs:
        raise UsageError("expected a file's name, got ''")


def _claims(given: dict[str, str], form: CsvFormat) -> dict[str, Part]:
    """What the options claim."""
    from implicitgrad.draft import Part
    from implicitgrad.readers import read_part

    claims = {}
    for key, value in given.items():
        option = CLAIM_OPTIONS[key]
        is_matrix = key in ("dy_dx", "dL_dx")
        claims[key] = read_part(value, option, is_matrix=False, form=form) if is_matrix else Part(value, option)
    return claims


def _required(require: Iterable[str]) -> list[dict[str, Part]]:
    from implicitgrad.draft import Part

    return [
        {"dL_dx_unique": Part("true", "--require")} if one == UNIQUE_GRADIENT else {"status": Part(one, "--require")}
        for one in require
    ]


def _text(results: list[Result], form: str, *, to_file: bool, is_strict: bool, is_quiet: bool) -> str:
    if form == "json":
        from implicitgrad.writers.verdict_record import write_result

        shown = [result for result in results if not (is_quiet and getattr(result, "holds", False))]
        return "".join(write_result(result) + "\n" for result in shown)
    from implicitgrad.cli.screen import stdout_screen
    from implicitgrad.writers.report import write_report
    from implicitgrad.writers.screen import Screen

    screen = Screen() if to_file else stdout_screen()
    return write_report(results, screen, is_strict=is_strict, only_failures=is_quiet)


def _write(path: str | None, text: str, inputs: list[str]) -> None:
    """To a file, or to standard output, which is the place of what has no other."""
    if path in (None, "-"):
        if text:
            write_stdout(text)
        return
    from implicitgrad.cli.files import write_file

    assert path is not None
    write_file(path, text, [0 if source == "-" else source for source in inputs])


def _annotate(results: list[Result], is_strict: bool, *, to_stderr: bool) -> None:
    """On standard output, unless that has JSON; GitHub reads both."""
    from implicitgrad.writers.github import write_annotations

    text = write_annotations(results, is_strict=is_strict, workspace=os.environ.get("GITHUB_WORKSPACE"))
    if to_stderr:
        say(text.rstrip("\n"))
    elif text:
        write_stdout(text)


def _exit_code(results: list[Result], is_strict: bool) -> int:
    from implicitgrad.verdict import Unreadable
    from implicitgrad.writers.report import failed

    if any(isinstance(result, Unreadable) for result in results):
        return ImplicitGradError.exit_code
    return 1 if failed(results, is_strict) else 0

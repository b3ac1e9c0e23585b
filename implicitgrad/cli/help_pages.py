"""The help pages: the program's own, printed without loading click, and those of its commands."""

from __future__ import annotations

from implicitgrad.terminal.streams import write_stderr, write_stdout
from implicitgrad.text.version import __version__

TYPE_CHECKING = False  # typing need not be loaded for it
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import click

OVERVIEW = """\
Usage: implicitgrad COMMAND [OPTIONS] [ARGUMENTS]

  Exact implicit differentiation of linear and nonlinear systems and
  quadratic programs, and a checker for hand-written gradients.

Commands:
  solve  Print ∂y/∂x and ∂L/∂x of a system.
  check  Check claimed gradients and ranks.
  batch  Solve many systems, one JSON line each.
  guide  Read the manual.

Examples:
  implicitgrad solve -A '1 2; 3 4' -g '1 1'
  implicitgrad solve -e 'x**2 + y**2 = 25' --unknowns y --steps
  implicitgrad check systems/
  implicitgrad batch systems/ --output results.jsonl
  implicitgrad guide

Options:
  -V, --version  Show the version and exit.
  -h, --help     Show this message and exit.

  implicitgrad help COMMAND shows the options of a command.
"""
MAX_TERM = 26
"""Columns of an option; a longer one has a line of its own."""
EXAMPLES = {
    "solve": """\
implicitgrad solve system.yaml
implicitgrad solve -A '1 2; 3 4' -g '1 1'
implicitgrad solve -e 'x = 3*y1 + 5*y2' --unknowns y1,y2 -g '7 11'
implicitgrad solve -e 'x**2 + y**2 = 25' --unknowns y --at x=3,y=4
implicitgrad solve -e 'x**2 + y**2 = 25' --unknowns y --steps
implicitgrad solve system.yaml --format json | jq .dL_dx
implicitgrad solve system.yaml --require determined > /dev/null""",
    "check": """\
implicitgrad check systems/
implicitgrad check system.yaml --dldx '-0.5 0.5'
implicitgrad check -A '1 2; 3 4' -g '1 1' --dldx @gradient.npy
implicitgrad check systems/ --require determined --max-condition 1e8
implicitgrad check systems/ --strict --junit report.xml
implicitgrad check --update system.yaml""",
    "batch": """\
implicitgrad batch systems/ > results.jsonl
implicitgrad batch systems/ --output results.jsonl --resume
implicitgrad batch 'runs/**/*.npz' --output summary.csv
implicitgrad batch systems/ --output-dir answers --format table
producer | implicitgrad batch - | jq -c .dL_dx
find . -name '*.yaml' -print0 | implicitgrad batch --files-from -""",
    "guide": """\
implicitgrad guide
implicitgrad guide check
implicitgrad guide equations > equations.md""",
}
"""Commands, one a line."""
ENDINGS = {
    "solve": """\
SYSTEM is a file (.yaml, .json, .jsonl, .csv, .tsv, .npy, .npz, .mtx) or - for standard input. Options override what it
says.
More: implicitgrad guide input

Exit codes: 0 answered; 1 answered, but --require is not met; 2 bad usage or
bad input; 3 an internal error.""",
    "check": """\
SYSTEMS are files as solve reads them, directories, or - for standard input.
A file claims under its key expect: implicitgrad guide check

Exit codes: 0 every claim holds; 1 a claim fails or cannot be decided; 2 bad
usage, or a file cannot be read (the others are checked); 3 an internal error.""",
    "batch": """\
SYSTEMS are files as solve reads them, JSON lines (.jsonl), directories,
patterns such as 'runs/**/*.yaml', or - for standard input: a system in JSON on
each line, or YAML. A failure is a record with the key error, and stops nothing.
More: implicitgrad guide batch

Exit codes: 0 all answered; 1 answered, but --require is not met; 2 bad usage,
or a system without an answer; 3 an internal error; 130 interrupted, with what
was completed written.""",
}


def show_overview(arguments: list[str]) -> int:
    """Print the page, or the version; without arguments it is an error that shows the page. Returns the exit code."""
    if not arguments:
        write_stderr(OVERVIEW)
        return 2
    write_stdout(f"implicitgrad {__version__}\n" if arguments in (["-V"], ["--version"]) else OVERVIEW)
    return 0


def command_page(context: click.Context, groups: Mapping[str, Sequence[click.Option]]) -> str:
    """Return the page of a command: its examples, its options under the headings of their groups, and its ending."""
    command, formatter = context.command, context.make_formatter()
    command.format_usage(context, formatter)
    command.format_help_text(context, formatter)
    name = command.name or ""
    with formatter.section("Examples"):
        formatter.write("".join(f"  {line}\n" for line in EXAMPLES[name].splitlines()))
    records = {
        title: [record for one in options if (record := one.get_help_record(context))]
        for title, options in groups.items()
    }
    width = max(min(len(term), MAX_TERM) for rows in records.values() for term, _ in rows)
    for title, rows in records.items():
        with formatter.section(title):
            formatter.write_dl([(f"{term:<{width}}", text) for term, text in rows], col_max=MAX_TERM)
    if name in ENDINGS:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(ENDINGS[name])
    return formatter.getvalue()

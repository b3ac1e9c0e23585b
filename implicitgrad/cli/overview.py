"""The program's own help page, printed without loading the parser of its commands' options."""

from __future__ import annotations

from implicitgrad.terminal.streams import write_stderr, write_stdout
from implicitgrad.text.version import __version__

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


def run_overview(arguments: list[str]) -> int:
    """Print the page, or the version; without arguments it is an error that shows the page. Returns the exit code."""
    if not arguments:
        write_stderr(OVERVIEW)
        return 2
    try:
        write_stdout(f"implicitgrad {__version__}\n" if arguments in (["-V"], ["--version"]) else OVERVIEW)
        return 0
    except Exception as error:
        from implicitgrad.cli.problems import report_error

        return report_error(error)

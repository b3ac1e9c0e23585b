"""The program's own help page, printed without loading the parser of its commands' options."""

from __future__ import annotations

from implicitgrad.cli.boundary import run_safely
from implicitgrad.terminal.streams import write_stderr, write_stdout
from implicitgrad.text.version import __version__

OVERVIEW = """\
Usage: implicitgrad COMMAND [OPTIONS] [ARGUMENTS]

  Implicit differentiation of linear systems x = A·y or B·x = A·y: what is
  known of ∂y/∂x and, given ∂L/∂y, of ∂L/∂x. Exact fractions; what a system
  does not determine is never printed as a number.

Commands:
  solve  Print ∂y/∂x and ∂L/∂x of a system.
  check  Check claims about the answers of systems.
  batch  Solve many systems, one JSON line each.
  guide  Read the manual.

Options:
  --version   Show the version and exit.
  -h, --help  Show this message and exit.

Examples:
  implicitgrad solve system.yaml
  implicitgrad solve -A '1 2; 3 4' -g '1 1'
  implicitgrad check systems/
  implicitgrad batch systems/ --output results.jsonl
  implicitgrad solve --help
"""


def run_overview(arguments: list[str]) -> int:
    """Print the page, or the version; without arguments it is an error that shows the page. Returns the exit code."""
    if arguments == ["--version"]:
        return run_safely(lambda: write_stdout(f"implicitgrad {__version__}\n"))
    if arguments:
        return run_safely(lambda: write_stdout(OVERVIEW))
    write_stderr(OVERVIEW)
    return 2

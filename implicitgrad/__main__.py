"""python -m implicitgrad, and the console script."""

import gc
import os
import sys

OVERVIEW_ARGUMENTS: tuple[list[str], ...] = ([], ["help"], ["-h"], ["--help"], ["-V"], ["--version"])
INTERRUPTED = 130


def main() -> None:
    """Run the command line, and exit.

    A small answer's time is that of loading modules. The garbage collector, which finds nothing to collect in them, is
    off; and the process ends at once, for all that it wrote is flushed, and taking the modules apart again would take a
    fifth of the time.
    """
    gc.disable()
    code = run(sys.argv[1:])
    if sys.stderr is not None:
        sys.stderr.flush()
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line, report what it raises on standard error, and return the exit code."""
    try:
        if arguments in OVERVIEW_ARGUMENTS and "_IMPLICITGRAD_COMPLETE" not in os.environ:
            from implicitgrad.cli.help_pages import show_overview

            return show_overview(arguments)
        from implicitgrad.cli.main import run_command

        return run_command(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        from implicitgrad.cli.problems import report_error

        return report_error(error, arguments)


if __name__ == "__main__":
    main()

"""python -m implicitgrad, and the console script."""

import os
import sys

OVERVIEW_ARGUMENTS: tuple[list[str], ...] = ([], ["-h"], ["--help"], ["--version"])
INTERRUPTED = 130


def main() -> None:
    """Run the command line, and exit.

    The process ends at once: all that it wrote is flushed, and to take the interpreter's modules apart would take a
    fifth of a small answer's time.
    """
    arguments = sys.argv[1:]
    try:
        if arguments in OVERVIEW_ARGUMENTS and "_IMPLICITGRAD_COMPLETE" not in os.environ:
            from implicitgrad.cli.overview import run_overview as run
        else:
            from implicitgrad.cli.main import run
        code = run(arguments)
    except KeyboardInterrupt:  # while the modules were loaded
        code = INTERRUPTED
    if sys.stderr is not None:
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()

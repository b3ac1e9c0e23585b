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
    arguments = sys.argv[1:]
    try:
        if arguments in OVERVIEW_ARGUMENTS and "_IMPLICITGRAD_COMPLETE" not in os.environ:
            from implicitgrad.cli.help_pages import run_overview as run
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

"""python -m implicitgrad, and the console script."""

import os
import sys


def main() -> None:
    """Run the command line, and exit."""
    arguments = sys.argv[1:]
    if arguments in ([], ["-h"], ["--help"], ["--version"]) and "_IMPLICITGRAD_COMPLETE" not in os.environ:
        from implicitgrad.cli.overview import run_overview

        sys.exit(run_overview(arguments))
    from implicitgrad.cli.main import run

    sys.exit(run(arguments))


if __name__ == "__main__":
    main()

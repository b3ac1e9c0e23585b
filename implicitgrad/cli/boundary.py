"""The error boundary: run a command, and report what it raises on standard error.

The errors are imported where one is raised or caught: the help page needs none of them.
"""

from __future__ import annotations

from implicitgrad.terminal.streams import write_stderr

TYPE_CHECKING = False  # typing need not be loaded for it
if TYPE_CHECKING:
    from collections.abc import Callable


def run_safely(command: Callable[[], int | None], *, as_json: bool = False, shows_traceback: bool = False) -> int:
    """Run ``command``, report what it raises on standard error, and return the exit code."""
    try:
        return command() or 0
    except Exception as error:
        from implicitgrad.cli.problems import report
        from implicitgrad.text.errors import INTERNAL_ERROR, INTERNAL_ERROR_EXIT, ImplicitGradError, Problem, ReaderGone

        if isinstance(error, ReaderGone):
            return error.exit_code
        if isinstance(error, ImplicitGradError):
            report(error.problems, as_json=as_json)
            return error.exit_code
        if isinstance(error, MemoryError):
            report([Problem("out of memory; the system is too large for this machine", code="memory")], as_json=as_json)
            return ImplicitGradError.exit_code
        if shows_traceback:
            import traceback

            write_stderr(traceback.format_exc())
        message = f"internal error: {type(error).__name__}: {error}"
        hint = "This is a bug in implicitgrad: please report it with the command and the input; --debug shows where"
        report([Problem(message, hint, INTERNAL_ERROR)], as_json=as_json)
        return INTERNAL_ERROR_EXIT

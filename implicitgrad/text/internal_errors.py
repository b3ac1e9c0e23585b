"""What no input is to blame for: a bug in the program, too little time or memory."""

from __future__ import annotations

from implicitgrad.text.errors import Problem

INTERNAL_ERROR = "fault"
"""The code of a problem that is a bug in the program."""
INTERNAL_ERROR_EXIT = 3
"""The exit code of a run that met one."""
TIME_LIMIT, ALGEBRA_LIMIT, WORKER_DIED = LIMITS = ("time-limit", "symbolic-limit", "worker-died")
"""Codes of systems that were not answered for reasons other than their content."""


def unforeseen_problem(error: Exception, report: str, source: str | None = None) -> Problem:
    """Describe an exception that is not one of ours. report : what to send with the report of a bug."""
    if isinstance(error, MemoryError):
        return Problem("out of memory; the system is too large for this machine", code="memory", source=source)
    hint = f"This is a bug in implicitgrad: please report it with {report}"
    return Problem(f"internal error: {type(error).__name__}: {error}", hint, INTERNAL_ERROR, source)

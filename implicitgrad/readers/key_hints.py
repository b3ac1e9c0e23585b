"""Hint at a misspelt key of a system, and tell the record of an answer from claims."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from implicitgrad.model.spec import CLAIMS
from implicitgrad.text.characters import quoted
from implicitgrad.text.hints import nearest

MEANT = {
    "grad": "dL_dy",
    "gradient": "dL_dy",
    "g": "dL_dy",
    "matrix": "A",
    "a": "A",
    "b": "B",
    "input": "x",
    "inputs": "x",
    "unknown": "y",
    "unknowns": "y",
    "output": "y",
    "outputs": "y",
    "variables": "y",
    "expected": "expect",
    "expects": "expect",
    "claim": "expect",
    "claims": "expect",
    "equation": "equations",
    "point": "at",
}
ANSWER = (
    "source", "kind", "arithmetic", "shape", "rank_tolerance", "independent", "general", "residual", "error_bound",
    "warnings", "validity", "dependent_equations", "y_value", "d2y_dx2", "content_hash", "exact",
)  # fmt: skip
"""The keys of a solution's JSON record that are neither keys of a system nor claims."""
NOT_JUDGED = (*ANSWER, "name", "x", "y", "condition", "equations", "at", "solve_for")
"""The keys of a record under ``expect`` that are no claims."""


def is_record(keys: Collection[str]) -> bool:
    """Return whether these are the keys of a solution's JSON record."""
    return "source" in keys and "status" in keys


def hint_at_key(written: str, known: Iterable[str], where_claimed: str) -> str | None:
    """Return a hint at the key that was meant, if any; a key of an answer is never one of the system.

    where_claimed : how a claim of the key {} is written.
    """
    if not written:
        return None
    if written == "<<":
        return "Merge keys are refused; write the entries out"
    letters = "".join(filter(str.isalpha, written.lower().replace("∂", "d")))
    claim = {"dldx": "dL_dx", "dydx": "dy_dx", "jacobian": "dy_dx", "dlda": "dL_dA", "dldb": "dL_dB"}.get(
        letters, written
    )
    if claim in CLAIMS:
        return f"{claim} is of the answer, not of the system; a claim of it is written {where_claimed.format(claim)}"
    if written in ANSWER:
        return f"{quoted(written)} is of an answer, not of a system"
    meant = MEANT.get(written.lower())
    if meant is None and letters == "dldy":
        meant = "dL_dy"
    if meant is not None:
        return f"Did you mean {meant}?" if meant in known else None
    is_derivative = letters.startswith("dl") or (len(letters) == 4 and letters[::2] == "dd")
    return nearest(written, [key for key in known if not (key == "dL_dy" and is_derivative)])

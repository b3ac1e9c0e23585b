"""The keys of a system and of what is claimed of its answer: how they may be spelled, and which one was meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from implicitgrad.model.spec import CLAIMS
from implicitgrad.text.characters import nearest, quoted

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
    "warnings", "validity", "dependent_equations", "y_value", "dL_dA", "dL_dB", "d2y_dx2", "content_hash", "exact",
)  # fmt: skip
"""The keys of a solution's JSON record that are no keys of a system, and claim nothing."""
PASSED_OVER = (*ANSWER, "name", "x", "y", "condition", "equations", "at", "solve_for")
"""The keys of a whole record, under ``expect``, that are not judged."""


def spelled(key: str) -> str:
    """The key that a spelling such as dL/dy or ∂L/∂y stands for."""
    return key.replace("∂", "d").replace("/", "_") if "/" in key else key


def is_record(keys: Collection[str]) -> bool:
    """Whether these are the keys of a solution's JSON record."""
    return "source" in keys and "status" in keys


def hint_at_key(written: str, known: Iterable[str], where_claimed: str) -> str | None:
    """A hint at the key of a system that was meant; no answer is taken for a part of the question.

    where_claimed : how the claim of a key, {}, is written.
    """
    if not written:
        return None
    if written == "<<":
        return "Merge keys are refused; write the entries out"
    letters = "".join(filter(str.isalpha, written.lower().replace("∂", "d")))
    claim = {"dldx": "dL_dx", "dydx": "dy_dx", "jacobian": "dy_dx"}.get(letters, written)
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

"""Describe the error bounds of an answer in doubles."""

from __future__ import annotations


def describe_bounds(jacobian: float | None, gradient: float | None) -> str:
    """Return the bounds on the errors of ∂y/∂x and ∂L/∂x in words; None if one is not certified."""
    if jacobian is None or gradient is None:
        return "float, not certified"
    if not (jacobian or gradient):
        return "float, error 0"
    shown = {what: power_of_ten_above(bound) for what, bound in (("∂y/∂x", jacobian), ("∂L/∂x", gradient)) if bound}
    if len(set(shown.values())) == 1:
        return f"float, error ≤ {next(iter(shown.values()))}"
    return "float, error ≤ " + ", ≤ ".join(f"{bound} in {what}" for what, bound in shown.items())


def power_of_ten_above(error: float) -> str:
    """Return a bound on an error: 1e-12."""
    text = f"{error:.0e}"
    exponent = int(text.partition("e")[2])
    return f"1e{exponent}" if float(f"1e{exponent}") >= error else f"1e{exponent + 1}"

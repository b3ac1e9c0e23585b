"""Whether a claim that is whole can hold, by doubles, where they can tell; that takes no time."""

from __future__ import annotations

from typing import NamedTuple

from implicitgrad.checks.context import Along, Setting, complete
from implicitgrad.model.system import Arithmetic, Matrix

LEAST_WORK = 1000
"""Products that are done exactly sooner than numpy is loaded."""


class Rows(NamedTuple):
    """What is claimed of particular + coefficients·Z, Z the free parameters."""

    claim: Along
    particular: Matrix
    coefficients: Matrix


def of_jacobian(claim: Along, setting: Setting) -> Rows:
    """∂y/∂x"""
    return Rows(claim, setting.solution.general.particular, setting.solution.general.null_space)


def of_gradient(claim: Along, setting: Setting) -> Rows:
    """∂L/∂x"""
    general = setting.solution.general
    return Rows(claim, general.dL_dx_particular or (), general.dL_dx_coefficients or ())


def can_hold(setting: Setting, *claims: Rows) -> bool | None:
    """Whether some Z makes all of it true; None where that cannot be said at once. ∂y/∂x, if claimed, comes first.

    Where x is constrained and the claim has a number for every input, those of dependent inputs may be as they are, and
    then the sums along the constraint must be within the tolerances of the independent ones. At best they are allowed
    the sums of all tolerances. Between the two, numbers of dependent inputs must change.
    """
    claimed = [complete(rows.claim.values) for rows in claims]
    if not setting.x or None in claimed:
        return None
    unknown = len(setting.free) + setting.system.inputs - len(setting.x)
    work = sum(len(values or ()) for values in claimed) * setting.system.inputs * unknown
    if work < LEAST_WORK and setting.solution.arithmetic is Arithmetic.EXACT:
        return None
    from implicitgrad.checks.floating_feasibility import Sought, is_there_one

    c = [
        tuple([value - p for value, p in zip(*pair, strict=True)])
        for rows, values in zip(claims, claimed, strict=True)
        for pair in zip(values or (), rows.particular, strict=True)
    ]
    C = claims[0].coefficients if len(claims) == 1 else [row for rows in claims for row in rows.coefficients]
    enough = [row for rows in claims for row in rows.claim.own_tolerances]
    needed = [row for rows in claims for row in rows.claim.tolerances]
    has_jacobian = claims[0].coefficients is setting.solution.general.null_space
    changes = [row for rows in claims for row in rows.claim.dependent_tolerances]
    T = [setting.T()[k] for k in setting.dependent] if len(changes) == len(c) else []
    return is_there_one(Sought(c, C, enough, needed, setting.free if has_jacobian else (), T, changes))

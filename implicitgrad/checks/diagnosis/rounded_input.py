"""Suspect that A and ∂L/∂y are rounded, as printed arrays are, and that this alone makes a claim wrong."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import partial

from implicitgrad.checks.context import Context
from implicitgrad.checks.derivatives.claim import Claim
from implicitgrad.checks.diagnosis.suspicions import stated
from implicitgrad.checks.matrices import absolute, product
from implicitgrad.model.system import Arithmetic, Matrix, Status
from implicitgrad.model.verdict import Suspicion, show_short

FEWEST_PLACES, MOST_PLACES = 4, 20
"""The decimal places with which a matrix is taken for a printed one."""


def with_rounded_input(claim: Claim) -> Claim | None:
    """Return the claim with tolerances enlarged by what the rounding of A and ∂L/∂y can change.

    Return None if A is not invertible, or does not look rounded.
    """
    context = claim.context
    solution, system = context.solution, context.system
    is_inverse = solution.status is Status.DETERMINED and system.B is None and system.equations == system.unknowns
    of_A = _half_unit(system.A)
    if not is_inverse or not of_A or solution.arithmetic is not Arithmetic.EXACT or claim.jacobian is not None:
        return None
    slack = partial(_slack, solution.general.particular, of_A, _half_unit(system.dL_dy or ()))
    return Claim(claim.matrix, Context(solution, context.claims, slack=slack))


def _slack(J: Matrix, of_A: Fraction, of_g: Fraction, gradients: Matrix | None) -> Matrix:
    """Return bounds on the changes, to first order: of J = A⁻¹ by −J·E·J, of ∂L/∂x = g·J by −∂L/∂x·E·J and e·J."""
    columns = [sum(column) for column in zip(*absolute(J), strict=True)]
    if gradients is None:
        sizes = [of_A * sum(row) for row in absolute(J)]
    else:
        sizes = [of_A * sum(row) + of_g for row in absolute(product(gradients, J))]
    return tuple([tuple([size * column for column in columns]) for size in sizes])


def rounded_input(claim: Claim) -> Suspicion:
    """Return the suspicion of a claim that holds as ``with_rounded_input`` has it."""
    system = claim.context.system
    largest = max(difference for _, _, difference in claim.unique_differences)
    tolerance = f"1e{next(n for n in range(-400, 400) if largest <= Fraction(10) ** n)}"
    is_rounded = {"A": True, "dL_dy": claim.is_gradient and _half_unit(system.dL_dy or ()) > 0}
    names = " and ".join(name for name, is_so in is_rounded.items() if is_so)
    return Suspicion(
        "rounded-input",
        f"the digits of {names} allow a difference of {show_short(largest)}: if they are rounded, check "
        f"the unrounded numbers, or state a tolerance ({stated({'atol': tolerance}, system.source)})",
    )


def _half_unit(rows: Iterable[Iterable[Fraction]]) -> Fraction:
    """Return half a unit of the last decimal place of a matrix.

    Return 0 if its places are few or many, if it has other fractions, and for doubles: all denominators powers of two.
    """
    numbers = {entry for row in rows for entry in row}
    entries = {number * 10**MOST_PLACES for number in numbers}
    are_dyadic = all(number.denominator & (number.denominator - 1) == 0 for number in numbers)
    if are_dyadic or any(entry.denominator != 1 for entry in entries):
        return Fraction(0)
    zeros = min((_trailing_zeros(entry.numerator) for entry in entries if entry), default=MOST_PLACES)
    places = MOST_PLACES - zeros
    return Fraction(10) ** -places / 2 if places >= FEWEST_PLACES else Fraction(0)


def _trailing_zeros(number: int) -> int:
    text = str(number)
    return len(text) - len(text.rstrip("0"))

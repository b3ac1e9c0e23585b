"""Compute the tolerance of each entry of a claimed matrix."""

from __future__ import annotations

from fractions import Fraction
from operator import add

from implicitgrad.checks.context import Context, is_at_rounded_point
from implicitgrad.checks.matrices import root_above, squared_norm
from implicitgrad.model.claims import ClaimedMatrix
from implicitgrad.model.system import Arithmetic, Matrix

MAX_GROWTH = Fraction(1, 2**10)
"""The largest relative error that is attributed to floating-point arithmetic."""
HALF_OF_SMALLEST = {
    Fraction(1, 2**53): Fraction(1, 2**1075),
    Fraction(1, 2**24): Fraction(1, 2**150),
    Fraction(1, 2**11): Fraction(1, 2**25),
    Fraction(1, 2**8): Fraction(1, 2**134),
}
"""Half the smallest positive number of a floating-point type, by its unit roundoff: the absolute error of underflow."""
COEFFICIENTS = ("dL_dA", "dL_dB")
NOISE = Fraction(1, 2**33)
"""The error, relative to the largest entry, of an answer in doubles whose rank was decided by a cutoff."""


def tolerances_of(matrix: ClaimedMatrix, context: Context, gradients: Matrix | None = None) -> Matrix:
    """Return the largest allowed distance of each true value from its claim, in rows of the claim's shape.

    A stated tolerance comes first, then half a unit of the last written decimal place. A claim computed in floating
    point may have the error of a stable solution of the system in that arithmetic, ρ·(‖claimed‖ + ‖B‖/‖A‖), or for each
    loss ρ·(‖claimed‖ + ‖∂L/∂y‖·‖B‖/‖A‖), with ρ = k·condition, at most 2⁻¹⁰ or k, and k = 4·max(M, N, P)·u.

    The error bound of a solution in doubles is added; in a strict context the error of a rounded point is subtracted.

    gradients : (R, N), the ∂L/∂y of the rows of a claimed ∂L/∂x; by default those of the system.
    """
    gradients = _gradients(matrix, context, gradients)
    exact = _exact_tolerances(matrix, context, gradients)
    if context.slack is not None:
        return tuple([tuple(map(add, *row)) for row in zip(exact, context.slack(gradients), strict=True)])
    if context.solution.arithmetic is Arithmetic.EXACT:
        return exact
    if matrix.key in COEFFICIENTS:
        return _with_bounds_of_coefficients(exact, matrix, context)
    bound = context.solution.error_bounds[0 if gradients is None else 1]
    slack = _noise(context, gradients) if bound is None else Fraction(bound)
    if not is_at_rounded_point(context.system):
        return tuple([tuple([tolerance + slack for tolerance in row]) for row in exact])
    errors = _point_errors(matrix, context, slack)
    rows = zip(exact, matrix.entries, errors, strict=True)
    return tuple([tuple([_widened(context, *entry) for entry in zip(*row, strict=True)]) for row in rows])


def stated_tolerances(matrix: ClaimedMatrix, rtol: Fraction | None, atol: Fraction | None) -> Matrix | None:
    """Return atol + rtol·|claimed| for each entry; None if neither was stated."""
    if rtol is None and atol is None:
        return None
    relative, absolute = rtol or Fraction(0), atol or Fraction(0)
    return tuple([tuple([absolute + relative * abs(c or Fraction(0)) for c in row]) for row in matrix.entries])


def tolerances_of_ill_conditioned(matrix: ClaimedMatrix, context: Context) -> Matrix | None:
    """Return the tolerances without the limit on ρ if condition·u > 1, where rounding may have any effect.

    Return None if the floating-point type of the claim can carry the answer.
    """
    condition, unit = context.solution.condition_squared, matrix.unit_roundoff
    is_stated = context.claims.rtol is not None or context.claims.atol is not None
    if condition is None or unit is None or is_stated or unit**2 * condition < 1:
        return None
    return _floating_tolerances(matrix, context, _gradients(matrix, context), _k(context, unit) ** 2 * condition)


def tolerances_of_well_conditioned(matrix: ClaimedMatrix, context: Context) -> Matrix:
    """Return the tolerances of a claim computed in floating point that it would have with a condition of 1."""
    growth = _k(context, matrix.unit_roundoff or Fraction(0)) ** 2
    return _floating_tolerances(matrix, context, _gradients(matrix, context), growth)


def _gradients(matrix: ClaimedMatrix, context: Context, gradients: Matrix | None = None) -> Matrix | None:
    return context.system.dL_dy if gradients is None and matrix.key == "dL_dx" else gradients


def _exact_tolerances(matrix: ClaimedMatrix, context: Context, gradients: Matrix | None) -> Matrix:
    """Return the tolerances for an exact answer."""
    stated = stated_tolerances(matrix, context.claims.rtol, context.claims.atol)
    if stated is not None:
        return stated
    if matrix.unit_roundoff is None or context.solution.condition_squared is None:
        return matrix.roundings
    k = _k(context, matrix.unit_roundoff)
    growth = min(k**2 * context.solution.condition_squared, max(MAX_GROWTH, k) ** 2)
    return _floating_tolerances(matrix, context, gradients, growth)


def _k(context: Context, unit_roundoff: Fraction) -> Fraction:
    return 4 * max(context.system.equations, context.system.unknowns, context.system.inputs) * unit_roundoff


def _floating_tolerances(matrix: ClaimedMatrix, context: Context, gradients: Matrix | None, growth: Fraction) -> Matrix:
    """Return ρ·(‖claimed‖ + ‖B‖/‖A‖) for each entry. growth : ρ²."""
    usual = context.usual_size_squared
    claimed = tuple([tuple([entry or Fraction(0) for entry in row]) for row in matrix.entries])
    if matrix.key in COEFFICIENTS:
        sizes = _sizes_of_coefficients(matrix.key, claimed, context)
    elif gradients is None:
        sizes = [(squared_norm(claimed), usual)] * len(claimed)
    else:
        sizes = [(squared_norm((c,)), usual * squared_norm((g,))) for c, g in zip(claimed, gradients, strict=True)]
    allowed = {size: root_above(growth * size[0]) + root_above(growth * size[1]) for size in sizes}
    underflow = HALF_OF_SMALLEST.get(matrix.unit_roundoff or Fraction(0), Fraction(0))
    return tuple(
        tuple([allowed[size] + rounding if rounding else max(allowed[size], underflow) for rounding in roundings])
        for size, roundings in zip(sizes, matrix.roundings, strict=True)
    )


def _sizes_of_coefficients(key: str, claimed: Matrix, context: Context) -> list[tuple[Fraction, Fraction]]:
    """Return for each row of a ∂L/∂A or ∂L/∂B the squares of 2·‖claimed‖ and 2·‖u‖·‖y‖ or 2·‖u‖·‖x‖.

    These are of the usual sizes ‖u‖ = ‖∂L/∂y‖/‖A‖ and ‖y‖ = ‖B‖/‖A‖·‖x‖; u and y have an error each.
    """
    system, M = context.system, context.system.equations
    assert system.x_value is not None
    of_factor = squared_norm(system.x_value) * (context.usual_size_squared if key == "dL_dA" else 1)
    found = []
    for k, g in enumerate(system.dL_dy or ()):
        usual = squared_norm((g,)) / squared_norm(system.A) * of_factor
        found += [(4 * squared_norm(claimed[M * k : M * (k + 1)]), 4 * usual)] * M
    return found


def _with_bounds_of_coefficients(tolerances: Matrix, matrix: ClaimedMatrix, context: Context) -> Matrix:
    """Return the tolerances, enlarged by the error bound of the answer in doubles."""
    at = context.solution.at_value
    assert at is not None
    bound = at.error_bound(matrix.key)
    if bound is None:
        numbers = [abs(value) for one in getattr(at, matrix.key) or () for row in one for value in row if value]
        bound = float(NOISE * max(numbers, default=Fraction(0)))
    return tuple([tuple([tolerance + Fraction(bound) for tolerance in row]) for row in tolerances])


def _noise(context: Context, gradients: Matrix | None) -> Fraction:
    """Return the tolerance for an answer without an error bound."""
    general = context.solution.general
    answer = general.minimum_norm if gradients is None else general.dL_dx_particular
    return NOISE * max([abs(value) for row in answer or () for value in row], default=Fraction(0))


def _point_errors(matrix: ClaimedMatrix, context: Context, largest: Fraction) -> list[list[Fraction]]:
    """Return the error of each entry of the answer at a rounded point, if one answers one entry of the claim."""
    general = context.solution.general
    answer = general.particular if matrix.key == "dy_dx" else general.dL_dx_particular
    is_direct = matrix.key in ("dy_dx", "dL_dx") and not context.has_choices
    if not is_direct or answer is None or answer.largest_error() is None:
        sizes = sum(abs(entry) for row in matrix.entries for entry in row if entry is not None)
        return [[largest * (1 + sizes)] * len(row) for row in matrix.entries]  # free parameters multiply the error
    return [[Fraction(number.error) for number in row] for row in answer.bounded_rows()]


def _widened(context: Context, tolerance: Fraction, entry: Fraction | None, error: Fraction) -> Fraction:
    is_of_the_point = error > NOISE * (1 + abs(entry or Fraction(0)))
    return tolerance - error if context.is_strict and is_of_the_point else tolerance + error

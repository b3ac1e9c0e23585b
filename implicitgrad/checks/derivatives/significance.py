"""Find claims that hold only because their tolerance is as large as the answer, and so prove nothing.

A claim c of a column of ∂y/∂x with N numbers must be within ½·rms(J⁺) of a valid one in each number, where J⁺ = A⁺·B is
the part of the column that the system determines, in the row space of A. Then ‖c − J‖ ≤ ½·‖J⁺‖, which no c with
A·c = 0 satisfies. The same is required of each loss in ∂L/∂x. Numbers far below the usual size ‖B‖/‖A‖ count as
rounding errors of a computation, and a stated absolute tolerance is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.checks.context import Context
from implicitgrad.checks.derivatives.claim import Claim
from implicitgrad.checks.matrices import complete, product, root_above, squared_norm, transpose
from implicitgrad.checks.outcomes import proves_nothing
from implicitgrad.checks.tolerances import MAX_GROWTH
from implicitgrad.model.system import Matrix
from implicitgrad.model.verdict import Outcome
from implicitgrad.numbers.exact import Row
from implicitgrad.numbers.values import is_ball_matrix


class SignificantTolerances(NamedTuple):
    """The tolerances of a claim, limited so that it proves something."""

    tolerances: Matrix
    entry: tuple[int, int]
    """The entry of the claim whose tolerance exceeds its limit most."""
    size: Fraction
    """The size of the answer at that entry."""


def significant_tolerances(claim: Claim) -> SignificantTolerances | None:
    """Return the limited tolerances of a claim, or None if all are small relative to the answer."""
    context, allowed = claim.context, claim.written_tolerances
    usual, width = context.usual_size, len(claim.matrix.entries[0])
    if not usual:
        return None
    dL_dy = context.system.dL_dy or ()
    floors = [usual * root_above(squared_norm((g,))) for g in dL_dy] if claim.is_gradient else [usual] * len(allowed)
    if all(max(row) <= MAX_GROWTH * floor for row, floor in zip(allowed, floors, strict=True)):
        return None
    J = None if claim.jacobian is None else complete(claim.jacobian.values)
    J = context.solution.general.minimum_norm if J is None else J
    if claim.is_gradient:
        by_loss = _root_mean_squares(transpose(product(dL_dy, J)))
        sizes = [(size,) * len(context.x) for size in by_loss]
        limits = [_limits(row, floor, context, width) for row, floor in zip(sizes, floors, strict=True)]
    else:
        sizes = [_root_mean_squares(J)] * len(allowed)
        limits = [_limits(sizes[0], usual, context, width)] * len(allowed)
    stated = context.claims.atol or Fraction(0)
    limited = tuple(
        tuple([t if limit is None else min(t, max(limit, stated)) for t, limit in zip(*rows, strict=True)])
        for rows in zip(allowed, limits, strict=True)
    )
    beyond = [
        (t / limited[i][j], i, j) for i, row in enumerate(allowed) for j, t in enumerate(row) if t > limited[i][j]
    ]
    if not beyond:
        return None
    _, i, j = max(beyond)
    size = sizes[i][0] if claim.is_gradient else _as_written(sizes[i], context, width)[j]
    return SignificantTolerances(limited, (i, j), size or Fraction(0))


def insignificant(outcome: Outcome, claim: Claim, limit: SignificantTolerances) -> Outcome:
    """Return the undecided outcome of a claim that holds only by a tolerance larger than its limit."""
    i, j = limit.entry
    reason = proves_nothing(claim.written_tolerances[i][j], claim.matrix.name(i, j), limit.size)
    solution, system = claim.context.solution, claim.context.system
    if claim.matrix.unit_roundoff is None:
        reason += "; more digits decide"
    elif solution.rank < system.unknowns == system.equations:
        reason += "; A is singular, and an inverse computed of it is rounding error alone"
    return outcome.undecided(reason)


def _limits(sizes: Row, usual: Fraction, context: Context, width: int) -> list[Fraction | None]:
    """Return for each column the largest tolerance with which a claim is significant; None for an answer of 0."""
    return _as_written([max(size / 2, MAX_GROWTH * usual) if size else None for size in sizes], context, width)


def _root_mean_squares(X: Matrix) -> Row:
    """Return the root mean square of each column."""
    if is_ball_matrix(X):
        return X.column_sizes()
    return tuple([root_above(squared_norm((column,)) / len(column)) for column in zip(*X, strict=True)])


def _as_written(by_input: Sequence[Fraction | None], context: Context, width: int) -> list[Fraction | None]:
    """Convert limits on sums along a constraint to limits by column of the claim, its share of the smallest."""
    if context.solution.constraints is None or width != context.system.inputs:
        return list(by_input)
    columns = list(zip(*context.T, strict=True))
    shares = [
        None if limit is None else limit / sum(map(abs, column))
        for limit, column in zip(by_input, columns, strict=True)
    ]
    return [
        min((share for share, column in zip(shares, columns, strict=True) if column[k] and share), default=None)
        for k in range(width)
    ]

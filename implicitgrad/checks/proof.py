"""Claims that hold for their tolerance alone: where it is as large as the answer, they prove nothing.

A claim c of a column of ∂y/∂x, of N numbers, is to be within ½·rms(J⁺) of a valid one in each, where J⁺ = A⁺·B is what
the system determines of the column, its part in the row space of A. Then ‖c − J‖ ≤ ½·‖J⁺‖, and no c with A·c = 0 is
so near. Of ∂L/∂x the same is asked of each loss. Numbers far below the usual size ‖B‖/‖A‖ count as rounding errors of
a computation, and an absolute tolerance that was stated is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.checks.context import CRUDEST, Along, Setting, complete, product, root_above, transpose
from implicitgrad.model.claims import Numbers
from implicitgrad.model.system import Matrix, squared_norm
from implicitgrad.model.verdict import Outcome, show_short
from implicitgrad.numbers.ball import BallMatrix

MAX_PRODUCTS = 5000
"""Up to this many products, exact arithmetic is faster than loading numpy."""
Sizes = tuple[Fraction, ...]
"""The root mean square of each column of ∂y/∂x, or of each loss's ∂L/∂x."""


class Limit(NamedTuple):
    """The tolerance beyond which a claim proves nothing."""

    most: Matrix
    """The tolerances, none larger than this bound."""
    entry: tuple[int, int]
    """The entry of the claim whose tolerance exceeds the bound most."""
    size: Fraction
    """The size of the answer in that entry's column."""


def limit_of_jacobian(numbers: Numbers, setting: Setting, tolerances: Matrix) -> Limit | None:
    """None where the tolerances of a claimed ∂y/∂x are small beside the answer."""
    usual, largest = setting.usual_size(), _largest(tolerances)
    if not usual or largest <= CRUDEST * usual:
        return None
    sizes = _sizes(setting.solution.general.minimum_norm)
    caps = _as_written([_cap(size, usual) for size in sizes], setting, len(numbers.entries[0]))
    by_column = _as_written(sizes, setting, len(numbers.entries[0]))
    return _limit(setting, tolerances, [caps] * len(tolerances), [by_column] * len(tolerances))


def limit_of_gradient(numbers: Numbers, setting: Setting, tolerances: Matrix, jacobian: Along | None) -> Limit | None:
    """The same of a claimed ∂L/∂x; jacobian : the valid ∂y/∂x that is claimed too, which then says what it is."""
    usual, dL_dy = setting.usual_size(), setting.system.dL_dy or ()
    if not usual:
        return None
    floors = [usual * root_above(squared_norm((row,))) for row in dL_dy]
    if all(_largest((row,)) <= CRUDEST * floor for row, floor in zip(tolerances, floors, strict=True)):
        return None
    J = None if jacobian is None else complete(jacobian.values)
    sizes = _sizes(transpose(product(dL_dy, setting.solution.general.minimum_norm if J is None else J)))
    width, x = len(numbers.entries[0]), len(setting.x)
    caps = [_as_written([_cap(*pair)] * x, setting, width) for pair in zip(sizes, floors, strict=True)]
    return _limit(setting, tolerances, caps, [[size] * width for size in sizes])


def proves_nothing(outcome: Outcome, numbers: Numbers, tolerances: Matrix, limit: Limit, setting: Setting) -> Outcome:
    """Return the undecided outcome of a claim that holds only by a tolerance larger than the limit."""
    i, j = limit.entry
    allowed, size = show_short(tolerances[i][j]), show_short(limit.size)
    reason = (
        f"it proves nothing: its own rounding allows an error of {allowed} in {numbers.name(i, j)},"
        f" where what the system determines is of the size {size}"
    )
    solution = setting.solution
    if numbers.unit_roundoff is None:
        reason += "; more digits decide"
    elif solution.rank < setting.system.unknowns == setting.system.equations:
        reason += "; A is singular, and an inverse computed of it is rounding error alone"
    return Outcome(numbers.key, False, outcome.claimed, reason, is_undecided=True)


def beyond_its_type(outcome: Outcome, numbers: Numbers, setting: Setting) -> Outcome:
    """The outcome of a claim that is wrong by no more than the rounding of so ill-conditioned an answer may be."""
    condition = show_short(root_above(setting.solution.condition_squared or Fraction(0)))
    bits = (numbers.unit_roundoff or Fraction(1)).denominator.bit_length() - 1
    reason = (
        f"the condition of A is {condition}, and floating-point numbers of {bits} bits cannot carry the"
        " answer: rounding alone may have made the claim of it"
    )
    return Outcome(numbers.key, False, outcome.claimed, reason, is_undecided=True)


def farthest(J: Matrix, setting: Setting) -> tuple[int, int] | None:
    """The place of the entry of A·J − B·T that is farthest from 0; None where doubles that are needed overflow."""
    A, BT = setting.system.A, setting.BT()
    if len(A) * len(J) * len(setting.x) <= MAX_PRODUCTS:
        AJ = product(A, J)
        places = [(i, m) for i in range(len(A)) for m in range(len(setting.x))]
        return max(places, key=lambda place: abs(AJ[place[0]][place[1]] - BT[place[0]][place[1]]), default=None)
    from implicitgrad.checks.floating_feasibility import largest_residual

    return largest_residual(BT, A, J)


def _cap(size: Fraction, usual: Fraction) -> Fraction | None:
    """Return the largest tolerance at which a claim proves something; None if there is no limit, for an answer of 0."""
    return max(size / 2, CRUDEST * usual) if size else None


def _sizes(X: Matrix) -> Sizes:
    if isinstance(X, BallMatrix):
        return X.column_sizes()
    return tuple([root_above(squared_norm((column,)) / len(column)) for column in zip(*X, strict=True)])


def _as_written(by_input: Sequence[Fraction | None], setting: Setting, width: int) -> list[Fraction | None]:
    """What is so of sums along a constraint, by the columns of the claim: of each its share of the smallest."""
    if setting.solution.constraints is None or width != setting.system.inputs:
        return list(by_input)
    columns = list(zip(*setting.T(), strict=True))
    shares = [
        None if cap is None else cap / sum(map(abs, column)) for cap, column in zip(by_input, columns, strict=True)
    ]
    found: list[Fraction | None] = []
    for k in range(width):
        own = [share for share, column in zip(shares, columns, strict=True) if column[k] and share is not None]
        found.append(min(own, default=None))
    return found


def _limit(
    setting: Setting,
    tolerances: Matrix,
    caps: Sequence[Sequence[Fraction | None]],
    sizes: Sequence[Sequence[Fraction | None]],
) -> Limit | None:
    stated = setting.claims.atol or Fraction(0)
    most = tuple(
        tuple(t if cap is None else min(t, max(cap, stated)) for t, cap in zip(*rows, strict=True))
        for rows in zip(tolerances, caps, strict=True)
    )
    beyond = [
        (tolerance / most[i][j], i, j)
        for i, row in enumerate(tolerances)
        for j, tolerance in enumerate(row)
        if tolerance > most[i][j]
    ]
    if not beyond:
        return None
    _, i, j = max(beyond)
    return Limit(most, (i, j), sizes[i][j] or Fraction(0))


def _largest(rows: Matrix) -> Fraction:
    return max((tolerance for row in rows for tolerance in row), default=Fraction(0))

"""Solutions: the answers to the systems of a stack, computed when they are first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from implicitgrad.model.solution import Solution
from implicitgrad.model.stack import Index, SystemStack
from implicitgrad.model.system import Status
from implicitgrad.numbers.ball import Array, BallMatrix
from implicitgrad.solvers.dispatch import refuse_cutoff, solve_system
from implicitgrad.solvers.floating.stacked import MAX_SIZE, solve_stacked
from implicitgrad.solvers.free_unknowns import indices
from implicitgrad.text.errors import InputError

if TYPE_CHECKING:
    from implicitgrad.model.system import LinearSystem
    from implicitgrad.numbers.matrix import BaseMatrix

NO_ANSWER = "error"
"""The status of a system whose answer is beyond the range of doubles, or takes too much work."""


class Columns(NamedTuple):
    """The answers of all systems, in one leading axis."""

    status: Array
    rank: Array
    condition: Array
    dy_dx: Array
    dL_dx: Array | None
    error_bounds: Array
    """(S, 2)"""


class LazyAnswers:
    """What the views of one stack share."""

    def __init__(self, stack: SystemStack, free: Sequence[str], rtol: float | None, wrt: Sequence[str] = ()) -> None:
        """wrt : as for solve_system, of one system with a value of x."""
        self.stack, self.free, self.rtol, self.wrt = stack, free, rtol, wrt
        refuse_cutoff(rtol)
        if prod(stack.shape):
            indices(stack.system((0,) * len(stack.shape)), free)

    def solve(self, index: Index) -> Solution:
        """Solve one system as solve() does; unknowns are free where some are. Raise InputError."""
        return self._solved(self.stack.system(index))

    def _solved(self, system: LinearSystem) -> Solution:
        found = solve_system(system, rtol=self.rtol, wrt=self.wrt)
        if self.free and found.general.free:
            return solve_system(system, self.free, rtol=self.rtol, wrt=self.wrt)
        return found

    @cached_property
    def columns(self) -> Columns:
        """The answers to all systems: those that the stacked calls do not certify are solved one by one."""
        stack, S = self.stack, prod(self.stack.shape)
        M, N, _ = stack.sizes
        if stack.doubles is None:
            singles = list(map(self._answer, range(S)))
            columns = self._empty(are_doubles=not any(one and one.arithmetic != "float" for one in singles))
            for k, one in enumerate(singles):
                _put(columns, k, one)
        else:
            if M == N <= MAX_SIZE:
                columns, is_certified = self._certified(*stack.doubles)
            else:
                columns, is_certified = self._empty(are_doubles=True), np.zeros(S, dtype=bool)
            for k in np.flatnonzero(~is_certified).tolist():
                _put(columns, k, self._answer(k))
        for array in columns:
            if array is not None:
                array.flags.writeable = False
        return columns

    def _certified(self, A: Array, B: Array | None, g: Array | None) -> tuple[Columns, Array]:
        """Return columns, and for which systems they have the answer."""
        found = solve_stacked(A, B, g, self.rtol)
        columns = Columns(
            np.full(len(A), str(Status.DETERMINED), dtype="U16"),
            np.full(len(A), A.shape[-1]),
            found.condition,
            found.dy_dx,
            found.dL_dx if found.dL_dx is None or self.stack.losses else found.dL_dx[:, 0],
            np.stack([found.dy_dx_error, found.dL_dx_error], axis=1),
        )
        return columns, found.is_certified

    def _answer(self, k: int) -> Solution | None:
        """Return the answer to the k-th system; None if there is none. Raise InputError if it is no system."""
        system = self.stack.system(tuple(map(int, np.unravel_index(k, self.stack.shape))))
        try:
            return self._solved(system._replace(x_value=None))
        except InputError:
            return None

    def _empty(self, *, are_doubles: bool) -> Columns:
        """Return columns without answers."""
        (_, N, P), losses, S = self.stack.sizes, self.stack.losses, prod(self.stack.shape)
        kind, nothing = (float, np.nan) if are_doubles else (object, None)
        return Columns(
            np.full(S, NO_ANSWER, dtype="U16"),
            np.full(S, -1),
            np.full(S, np.nan),
            np.full((S, N, P), nothing, dtype=kind),
            None if losses is None else np.full((S, *losses, P), nothing, dtype=kind),
            np.full((S, 2), np.nan),
        )


def _put(columns: Columns, k: int, found: Solution | None) -> None:
    """Enter the answer to a system, NaN or None for what is not determined."""
    nothing = None if columns.dy_dx.dtype == object else np.nan
    columns.status[k], columns.rank[k], columns.condition[k] = NO_ANSWER, -1, np.nan
    columns.dy_dx[k], columns.error_bounds[k] = nothing, np.nan
    if columns.dL_dx is not None:
        columns.dL_dx[k] = nothing
    if found is None:
        return
    columns.status[k], columns.rank[k], columns.condition[k] = str(found.status), found.rank, found.condition
    columns.dy_dx[k], columns.error_bounds[k] = _array(found.dy_dx), found.error_bounds
    if columns.dL_dx is not None and found.dL_dx_rows is not None:
        rows = _array(found.dL_dx_rows)
        columns.dL_dx[k] = rows[0] if found.has_one_loss else rows


def _array(matrix: BaseMatrix[Any]) -> Array:
    return matrix.array if isinstance(matrix, BallMatrix) else np.array([*map(list, matrix)], dtype=object)


class Solutions(Sequence[Any]):
    """The answers to the systems of a stack: a Solution at each index, and arrays of all.

    With several leading axes, an index is (i, j) or several, as of an array; an index of fewer axes, a slice or an
    array of truth values selects some as Solutions. Everything is computed when it is first asked for: the arrays for
    all systems at once, a Solution for one.
    """

    def __init__(self, answers: LazyAnswers, places: Array | None = None) -> None:
        self._answers = answers
        shape = answers.stack.shape
        self._places: Array = np.arange(prod(shape)).reshape(shape) if places is None else places
        """The numbers of the systems among all."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the lengths of the leading axes."""
        lengths: tuple[int, ...] = self._places.shape
        return lengths

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 (what NumPy's arrays take, and a Solution or Solutions)
        chosen = self._places[index]
        if chosen.ndim:
            return Solutions(self._answers, chosen)
        return self._answers.solve(tuple(map(int, np.unravel_index(int(chosen), self._answers.stack.shape))))

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def __repr__(self) -> str:
        M, N, P = self._answers.stack.sizes
        return f"<{'×'.join(map(str, self.shape))} solutions of {M} equations in {N} unknowns and {P} inputs>"

    @property
    def status(self) -> Array:
        """Return each system's status as a text; "error" for an answer that doubles cannot hold."""
        return self._chosen(self._answers.columns.status)

    @property
    def rank(self) -> Array:
        """Return the rank of each A; −1 without an answer."""
        return self._chosen(self._answers.columns.rank)

    @property
    def condition(self) -> Array:
        """Return each ‖A‖_F·‖A⁺‖_F, NaN for A = 0."""
        return self._chosen(self._answers.columns.condition)

    @property
    def dy_dx(self) -> Array:
        """Return (…, N, P), NaN for each entry that is not determined; Fractions and None in exact arithmetic."""
        return self._chosen(self._answers.columns.dy_dx)

    @property
    def dL_dx(self) -> Array | None:
        """Return (…, P), or (…, K, P) for K losses, likewise; None without dL_dy."""
        found = self._answers.columns.dL_dx
        return None if found is None else self._chosen(found)

    @property
    def error_bounds(self) -> tuple[Array, Array]:
        """Return bounds for all numbers of each ∂y/∂x and ∂L/∂x, NaN where nothing is certified."""
        jacobian, gradient = self._answers.columns.error_bounds.T
        return self._chosen(jacobian), self._chosen(gradient)

    def _chosen(self, column: Array) -> Array:
        if self._places.size == len(column) and self.shape == self._answers.stack.shape:
            return column.reshape(*self.shape, *column.shape[1:])
        chosen: Array = column[self._places]
        return chosen

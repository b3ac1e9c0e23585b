"""Answer the systems of a stack together where only their numbers are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from implicitgrad.batch.task import BatchResult, BatchTask
from implicitgrad.model.spec import SystemSpec
from implicitgrad.model.system import Status
from implicitgrad.numbers.doubles import is_array_of_doubles
from implicitgrad.readers.build import build_system
from implicitgrad.solvers.floating.stacked import MAX_SIZE, solve_stacked
from implicitgrad.text.errors import InputError
from implicitgrad.writers.numpy_files import numbers_of

if TYPE_CHECKING:
    from implicitgrad.batch.answer import BatchSystem
    from implicitgrad.numbers.ball import Array

MATRICES = ("A", "B", "dL_dy")


def answer_stacks(systems: Sequence[BatchSystem], task: BatchTask) -> None:
    """Give their results to those systems of stacks that the stacked calls certify."""
    for _, together in groupby(systems, _kind):
        group = list(together)
        if len(group) > 1 and isinstance(group[0].state, SystemSpec):
            _answer(group, group[0].state, task)


def _kind(system: BatchSystem) -> object:
    """Return what the systems that are solved together have in common; another object for every other system."""
    spec = system.state
    if not isinstance(spec, SystemSpec) or spec.place is None or "x_value" in spec.values:
        return system
    shapes = [getattr(spec.values[key].value, "shape", None) if key in spec.values else None for key in MATRICES]
    M, N = shapes[0] or (0, 0)
    return (system.identity.item, *shapes) if 0 < M == N <= MAX_SIZE else system


def _answer(group: Sequence[BatchSystem], first: SystemSpec, task: BatchTask) -> None:
    specs = [system.state for system in group if isinstance(system.state, SystemSpec)]
    arrays: list[Array | None] = []
    for key in MATRICES:
        parts: list[Any] = [spec.values[key].value for spec in specs if key in spec.values]
        found = np.stack(parts) if parts else None
        if found is not None and not is_array_of_doubles(found):
            return
        arrays.append(None if found is None else found.astype(float, copy=False))
    try:
        build_system(first, task.arithmetic)  # the shapes and names of all
    except InputError:
        return
    A, B, g = arrays
    assert A is not None
    has_one_loss = g is not None and g.ndim == 2
    answers = solve_stacked(A, B, g[:, None] if g is not None and has_one_loss else g, task.rtol)
    n, P = answers.dy_dx.shape[1:]
    for k in np.flatnonzero(answers.is_certified).tolist():
        numbers = numbers_of(
            (n, n, P),
            n,
            float(answers.condition[k]),
            (float(answers.dy_dx_error[k]), float(answers.dL_dx_error[k])),
            answers.dy_dx[k],
            None if answers.dL_dx is None else answers.dL_dx[k],
            has_one_loss=has_one_loss,
        )
        group[k].state = BatchResult(group[k].identity.source, str(Status.DETERMINED), numbers)

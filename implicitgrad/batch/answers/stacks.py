"""Answer the systems of a stack together where only their numbers are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from implicitgrad.batch.task import BatchResult, BatchTask
from implicitgrad.model.spec import SystemSpec
from implicitgrad.model.stack import numbered
from implicitgrad.model.system import Status
from implicitgrad.numbers.ball import Array
from implicitgrad.numbers.doubles import is_array_of_doubles
from implicitgrad.readers.systems.build import build_system
from implicitgrad.solvers.floating.stacked import MAX_SIZE, solve_stacked
from implicitgrad.text.errors import InputError
from implicitgrad.writers.data.npz import AnswerNumbers

MATRICES = ("A", "B", "dL_dy")


def answer_stacks(specs: Sequence[SystemSpec | None], task: BatchTask) -> dict[int, BatchResult]:
    """Return the results of those systems of stacks that the stacked calls certify, by their places in ``specs``."""
    results: dict[int, BatchResult] = {}
    for kind, group in groupby(range(len(specs)), lambda k: _kind(specs[k])):
        together = list(group)
        if kind is not None and len(together) > 1:
            found = _answer([spec for k in together if (spec := specs[k]) is not None], task)
            results |= {together[k]: result for k, result in found.items()}
    return results


def _kind(spec: SystemSpec | None) -> object:
    """Return what the systems that are solved together have in common; None for others."""
    if spec is None or spec.place is None or "x_value" in spec.values:
        return None
    shapes = [getattr(spec.values[key].value, "shape", None) if key in spec.values else None for key in MATRICES]
    M, N = shapes[0] or (0, 0)
    return (numbered(spec.source)[0], *shapes) if 0 < M == N <= MAX_SIZE else None


def _answer(specs: Sequence[SystemSpec], task: BatchTask) -> dict[int, BatchResult]:
    arrays: list[Array | None] = []
    for key in MATRICES:
        parts: list[Any] = [spec.values[key].value for spec in specs if key in spec.values]
        found = np.stack(parts) if parts else None
        if found is not None and not is_array_of_doubles(found):
            return {}
        arrays.append(None if found is None else found.astype(float, copy=False))
    try:
        build_system(specs[0], task.arithmetic)  # the shapes and names of all
    except InputError:
        return {}
    A, B, g = arrays
    assert A is not None
    has_one_loss = g is not None and g.ndim == 2
    answers = solve_stacked(A, B, g[:, None] if g is not None and has_one_loss else g, task.rtol)
    n, P = answers.dy_dx.shape[1:]
    results = {}
    for k in np.flatnonzero(answers.is_certified).tolist():
        numbers = AnswerNumbers(
            (n, n, P),
            n,
            float(answers.condition[k]),
            (float(answers.dy_dx_error[k]), float(answers.dL_dx_error[k])),
            answers.dy_dx[k],
            None if answers.dL_dx is None else answers.dL_dx[k],
            has_one_loss,
        )
        results[k] = BatchResult(specs[k].source, str(Status.DETERMINED), numbers)
    return results

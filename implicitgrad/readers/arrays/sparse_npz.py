"""Read the .npz files of scipy.sparse.save_npz, each of one matrix, with NumPy alone.

Entries in the same place are summed, as SciPy does.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any

import numpy as np

from implicitgrad.model.spec import SourceValue
from implicitgrad.numbers.doubles import BITS
from implicitgrad.readers.arrays.npy import is_numeric, not_numeric, refused, unit_roundoff_of
from implicitgrad.readers.arrays.sparse_limits import is_sparse, refuse_empty_sides
from implicitgrad.readers.arrays.stacks import refuse_infinite
from implicitgrad.readers.arrays.triplets import Triplets, to_sparse
from implicitgrad.text.characters import quoted

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

MEMBERS = {
    "csr": ("indices", "indptr", "data"),
    "csc": ("indices", "indptr", "data"),
    "bsr": ("indices", "indptr", "data"),
    "coo": ("row", "col", "data"),
    "dia": ("offsets", "data"),
}
"""The arrays of each of SciPy's formats, beside ``format`` and ``shape``."""
MARKS = {"format", "shape", "data"}


def is_of_scipy(names: Set[str]) -> bool:
    """Return whether the arrays of an archive are those of a sparse matrix."""
    return names >= MARKS


def sparse_value(path: str, arrays: Mapping[str, Array]) -> SourceValue:
    """Return the matrix: an array with its zeros, or a SparseMatrix if it is large. Raise InputError."""
    form = _format(path, arrays)
    shape = _shape(path, arrays["shape"])
    data = arrays["data"]
    if not is_numeric(data):
        raise not_numeric(path, "data: ", data)
    refuse_infinite(path, "data", data)
    refuse_empty_sides(path, shape, data.size)
    try:
        rows, columns, data = _entries(form, arrays, shape)
    except (IndexError, ValueError, TypeError):
        raise refused(path, f"the arrays of the {form} matrix do not fit one another", "bad-syntax") from None
    if rows.size and (min(rows.min(), columns.min()) < 0 or rows.max() >= shape[0] or columns.max() >= shape[1]):
        raise refused(path, f"expected indices within {shape[0]}×{shape[1]}, got others", "bad-syntax")
    if is_sparse(shape):
        return SourceValue(_summed(path, shape, rows, columns, data), path, unit_roundoff=unit_roundoff_of(data))
    dense = np.zeros(shape, dtype=data.dtype)
    np.add.at(dense, (rows, columns), data)
    refuse_infinite(path, "A", dense)
    return SourceValue(dense, path, unit_roundoff=unit_roundoff_of(data))


def _format(path: str, arrays: Mapping[str, Array]) -> str:
    written = arrays["format"]
    form = written.item() if written.ndim == 0 else ""
    form = form.decode("ascii", "replace") if isinstance(form, bytes) else str(form)
    if form not in MEMBERS:
        raise refused(path, f"format: expected one of {', '.join(MEMBERS)}, got {quoted(form)}", "bad-syntax")
    for name in MEMBERS[form]:
        if name not in arrays:
            raise refused(path, f"the array {name} of a {form} matrix is missing", "bad-syntax")
        if name != "data" and (arrays[name].dtype.kind not in "iu" or arrays[name].ndim != 1):
            raise refused(path, f"{name}: expected a row of integers, got {arrays[name].dtype}", "bad-syntax")
    return form


def _shape(path: str, written: Array) -> tuple[int, int]:
    if written.dtype.kind not in "iu" or written.shape != (2,) or (written < 0).any():
        raise refused(path, "shape: expected the numbers of rows and columns, got something else", "bad-shape")
    M, N = map(int, written.tolist())
    if not (M and N):
        raise refused(path, f"the matrix is empty, of shape {M}×{N}; expected at least one number", "bad-shape")
    return M, N


def _entries(form: str, arrays: Mapping[str, Array], shape: tuple[int, int]) -> tuple[Array, Array, Array]:
    """Return rows, columns and values. Raise ValueError, IndexError or TypeError if the arrays do not fit."""
    data = arrays["data"]
    if form == "coo":
        rows, columns = arrays["row"].astype(np.int64), arrays["col"].astype(np.int64)
    elif form == "dia":
        if data.ndim != 2:
            raise ValueError
        columns = np.broadcast_to(np.arange(data.shape[1]), data.shape)
        rows = columns - arrays["offsets"].astype(np.int64)[:, None]
        there = (rows >= 0) & (rows < shape[0]) & (columns < shape[1])
        return rows[there], columns[there], data[there]
    else:
        indptr, minor = arrays["indptr"].astype(np.int64), arrays["indices"].astype(np.int64)
        height, width = data.shape[1:] if form == "bsr" else (1, 1)
        sides = shape[0] // height, shape[1] // width
        if indptr[0] != 0 or indptr[-1] != len(minor) or len(indptr) != sides[form == "csc"] + 1:
            raise ValueError
        major = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
        rows, columns = (minor, major) if form == "csc" else (major, minor)
        if form == "bsr":
            down, across = np.arange(height)[:, None], np.arange(width)
            rows, columns, data = np.broadcast_arrays(
                rows[:, None, None] * height + down, columns[:, None, None] * width + across, data
            )
            rows, columns, data = rows.ravel(), columns.ravel(), data.ravel()
    if not data.ndim == 1 == rows.ndim or not len(rows) == len(columns) == len(data):
        raise ValueError
    return rows, columns, data


def _summed(path: str, shape: tuple[int, int], rows: Array, columns: Array, data: Array) -> object:
    """Return a SparseMatrix of the sums of the entries in each place. Raise InputError."""
    values = data.astype(float)
    if data.dtype.kind != "f" and np.abs(values).max(initial=0.0) >= 2.0**BITS:
        raise refused(path, f"data: expected integers below 2^{BITS}, which are doubles, got larger ones", "too-large")
    try:
        return to_sparse(path, shape, Triplets(rows, columns, values, 0.0, True))
    except ValueError:  # two entries in one place
        places = rows * shape[1] + columns
        order = np.argsort(places, kind="stable")
        first = np.flatnonzero(np.diff(places[order], prepend=-1))
        values, rows, columns = np.add.reduceat(values[order], first), rows[order][first], columns[order][first]
        refuse_infinite(path, "A", values)
        return to_sparse(path, shape, Triplets(rows, columns, values, 0.0, True))

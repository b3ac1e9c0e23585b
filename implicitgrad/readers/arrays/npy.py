"""NumPy's .npy files, each of one array; read without pickle."""

from __future__ import annotations

import errno
from fractions import Fraction
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.readers.arrays.stacks import refuse_infinite, split
from implicitgrad.readers.files.regular_files import regular_size
from implicitgrad.readers.sources import file_of, read_bytes, stem
from implicitgrad.text.characters import MAX_QUOTED, count, printable, quoted
from implicitgrad.text.errors import InputError, Problem

if TYPE_CHECKING:
    from typing import BinaryIO

    Array = np.ndarray[Any, Any]

MAGIC = b"\x93NUMPY"
UNIT_ROUNDOFFS = {"f2": Fraction(1, 2**11), "f4": Fraction(1, 2**24), "f8": Fraction(1, 2**53)}
DIMENSIONS = {"A": (2,), "B": (2,), "dL_dy": (1, 2), "x_value": (1, 2)}
MAX_MAPPED = 4 * 2**30
"""Bytes of a .npy file, which is mapped into memory, not read."""


def read_systems(source: str) -> list[SystemSpec]:
    """Return the systems whose A a .npy file holds: one, or each of a stack. Raise InputError."""
    path = file_of(source)
    with open_path(path, MAX_MAPPED) as file:
        array = load_array(path, file, is_mapped=not isinstance(file, BytesIO))
    return split(SystemSpec(source, {"A": numeric_value(path, "A", array)}, stem(path)))


def read_matrix(path: str) -> SourceValue:
    """Return the array in a file, its floats at their exact binary values. Raise InputError."""
    array = load_array(path, BytesIO(read_bytes(path)))
    if not is_numeric(array):
        raise not_numeric(path, "", array)
    if not array.ndim:
        raise refused(path, "expected one or two dimensions, got 0", "bad-shape")
    return SourceValue(array, path, unit_roundoff=unit_roundoff_of(array))


def open_path(path: str, most: int) -> BinaryIO:
    """Open a file, or read a FIFO whole. Raise InputError beyond ``most`` bytes."""
    size = regular_size(path)
    if size is None:
        return BytesIO(read_bytes(path))
    if size > most:
        raise refused(path, f"expected at most {most >> 20} MiB, got more", "too-large")
    return open(path, "rb")


def load_array(path: str, file: IO[bytes], what: str = "", *, is_mapped: bool = False) -> Array:
    """Return the array in an open .npy file; ``what`` begins each message. Raise InputError."""
    beginning = file.read(len(MAGIC))
    if beginning != MAGIC:
        found = "something else" if beginning else "an empty file"
        raise refused(path, f"{what}expected a NumPy .npy file, got {found}", "bad-syntax" if beginning else "empty")
    try:
        if is_mapped:
            with np.errstate(all="ignore"):  # a header may claim any shape
                # as a plain array, which takes the same memory and no notice of being mapped
                return np.asarray(np.lib.format.open_memmap(path, mode="r"))
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
    except Exception as error:  # whatever a broken header makes it raise
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            raise MemoryError from None
        raise refused(path, f"{what}not a readable .npy file: {reason_of(error)}", "bad-syntax") from None


def numeric_value(path: str, key: str, array: Array, dimensions: tuple[int, ...] = ()) -> SourceValue:
    """Return an array as the value of a key. Raise InputError.

    dimensions : those that it may have; () for those of A, B or dL_dy, and more, beside a stack. The numbers of a stack
    are not looked at, because each of its systems is built by itself.
    """
    if not is_numeric(array):
        raise not_numeric(path, f"{key}: ", array)
    is_of_stack = not dimensions and array.ndim > 2
    dimensions = dimensions or DIMENSIONS[key]
    if array.ndim not in dimensions and not is_of_stack:
        texts: dict[tuple[int, ...], str] = {(1,): "one dimension", (2,): "two dimensions (rows, columns)"}
        expected = texts.get(dimensions, "one dimension, or two (losses, unknowns)")
        found = f"{count(array.ndim, 'dimension')}, the shape {shown_shape(array)}"
        hint = "A.reshape(1, -1) is one equation, A.reshape(-1, 1) one unknown" if array.ndim == 1 else None
        raise InputError([Problem(f"{key}: expected {expected}, got {found}", hint, "bad-shape", path)])
    if not array.size:
        raise refused(path, f"{key} is empty, of shape {shown_shape(array)}; expected at least one number", "bad-shape")
    if not is_of_stack:
        refuse_infinite(path, key, array)
    return SourceValue(array, path, unit_roundoff=unit_roundoff_of(array))


def is_numeric(array: Array) -> bool:
    """Return whether an array has integers or floats of at most 64 bits."""
    return array.dtype.kind in "iuf" and array.dtype.itemsize <= 8


def not_numeric(path: str, what: str, array: Array) -> InputError:
    """Return the error for an array of other entries."""
    dtype = str(array.dtype)
    found = dtype if len(dtype) <= MAX_QUOTED else quoted(dtype)
    is_long = array.dtype.kind in "iuf"
    hint = "A.astype(float) is one" if is_long or array.dtype.kind == "O" else None
    message = f"{what}expected an array of integers or floats{' of at most 64 bits' if is_long else ''}, got {found}"
    return InputError([Problem(message, hint, "bad-number", path)])


def unit_roundoff_of(array: Array) -> Fraction | None:
    """Return the unit roundoff of an array's floating-point type; None for integers."""
    return UNIT_ROUNDOFFS.get(array.dtype.str[1:])


def shown_shape(array: Array) -> str:
    """Return a shape as 2×3."""
    return "×".join(map(str, array.shape)) if array.ndim > 1 else str(array.shape)


def reason_of(error: Exception) -> str:
    """Return an exception's message in one line."""
    reason = printable(str(error).partition("\n")[0]) or type(error).__name__
    if "malformed node" in reason or "descr" in reason:
        return "its header is broken"
    return "it holds Python objects" if "allow_pickle" in reason or "Python objects" in reason else reason


def refused(path: str, message: str, code: str) -> InputError:
    """Return the error for a file."""
    return InputError([Problem(message, code=code, source=path)])

"""A NumPy .npy file that holds one matrix or vector of numbers, read without pickle."""

from __future__ import annotations

from fractions import Fraction

from implicitgrad.characters import printable
from implicitgrad.draft import Part
from implicitgrad.errors import InputError, Problem
from implicitgrad.readers.source import read_bytes

MAGIC = b"\x93NUMPY"
UNIT_ROUNDOFFS = {"f2": Fraction(1, 2**11), "f4": Fraction(1, 2**24), "f8": Fraction(1, 2**53)}


def read_npy_value(path: str) -> Part:
    """The array in a file, its floats at their exact binary values. Raises InputError."""
    from io import BytesIO

    import numpy as np

    data = read_bytes(path)
    if not data.startswith(MAGIC):
        raise _refused(path, "expected a NumPy .npy file, got something else", "bad-syntax")
    try:
        array = np.load(BytesIO(data), allow_pickle=False)
    except Exception as error:  # whatever a broken header makes it raise
        reason = printable(str(error).partition("\n")[0])
        if "allow_pickle" in reason:
            reason = "it holds Python objects"
        raise _refused(path, f"not a readable .npy file: {reason}", "bad-syntax") from None
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise _refused(path, f"expected an array of integers or floats, got {array.dtype}", "bad-number")
    if array.ndim not in (1, 2):
        raise _refused(path, f"expected one or two dimensions, got {array.ndim}", "bad-shape")
    unit_roundoff = UNIT_ROUNDOFFS.get(array.dtype.str[1:])
    return Part(array.tolist(), path, unit_roundoff=unit_roundoff)


def _refused(path: str, message: str, code: str) -> InputError:
    return InputError([Problem(message, code=code, source=path)])

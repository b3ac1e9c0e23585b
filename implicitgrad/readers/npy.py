"""NumPy's .npy files, of one matrix or vector, and .npz files, of a system; read without pickle."""

from __future__ import annotations

import errno
import zipfile
from fractions import Fraction
from io import SEEK_END, BytesIO
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from implicitgrad.model.spec import CLAIMS, SourceValue, SystemSpec
from implicitgrad.readers.keys import hint_at_key, spelled
from implicitgrad.readers.source import read_bytes, regular_size
from implicitgrad.text.characters import MAX_QUOTED, count, nearest, printable, quoted
from implicitgrad.text.errors import MAX_PROBLEMS_SHOWN, InputError, Problem

if TYPE_CHECKING:
    from typing import BinaryIO

    Array = np.ndarray[Any, Any]

MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK"
UNIT_ROUNDOFFS = {"f2": Fraction(1, 2**11), "f4": Fraction(1, 2**24), "f8": Fraction(1, 2**53)}
KEYS = ("A", "B", "dL_dy", "x", "y")
CLAIM = "expect_"
MATRICES = ("dy_dx", "dL_dx", "constraints.matrix")
CLAIMED = {
    key.replace(".", "_"): key
    for key in (
        *(key for key in CLAIMS if key not in ("condition", "tolerance")),
        "constraints.dependent",
        MATRICES[2],
        "condition.max",
        "tolerance.rtol",
        "tolerance.atol",
    )
}
"""The claims by what stands behind ``expect_`` in the name of an array."""
DIMENSIONS = {"A": (2,), "B": (2,), "dL_dy": (1, 2)}
MAX_MAPPED = 4 * 2**30
"""Bytes of a .npy file, which is not read but mapped into memory."""
MAX_UNPACKED = 2**30
"""Bytes that an .npz file may hold when unpacked; a small one can claim any number."""
ALWAYS_UNPACKED = 16 * 2**20
"""Bytes, its numbers as doubles, that it may hold whatever its own size."""
MAX_TIMES_UNPACKED = 100
"""Times its own size."""


def read_npy_value(path: str) -> SourceValue:
    """The array in a file, its floats at their exact binary values. Raises InputError."""
    array = _load(path, BytesIO(read_bytes(path)))
    if not _is_numeric(array):
        raise _not_numeric(path, "", array)
    if array.ndim not in (1, 2):
        raise _refused(path, f"expected one or two dimensions, got {array.ndim}", "bad-shape")
    return SourceValue(array, path, unit_roundoff=_unit_roundoff(array))


def read_npy(path: str, name: str) -> list[SystemSpec]:
    """The system whose A a .npy file holds. Raises InputError."""
    with _opened(path, MAX_MAPPED) as file:
        array = _load(path, file, is_mapped=not isinstance(file, BytesIO))
    return [_spec(path, name, {"A": array})]


def read_npz(path: str, name: str) -> list[SystemSpec]:
    """The system whose parts an .npz file holds by their names. Raises InputError."""
    with _opened(path, MAX_UNPACKED) as file:
        beginning = file.read(len(ZIP_MAGIC))
        if beginning != ZIP_MAGIC:
            found = "something else" if beginning else "an empty file"
            raise _refused(path, f"expected a NumPy .npz file, got {found}", "bad-syntax" if beginning else "empty")
        most = max(ALWAYS_UNPACKED, MAX_TIMES_UNPACKED * file.seek(0, SEEK_END))
        arrays: dict[str, Array] = {}
        try:
            with zipfile.ZipFile(file) as archive:
                members = _members(path, archive)
                _refuse_compressed(path, archive, members, most)
                for key, member in members.items():
                    with archive.open(member) as stream:
                        arrays[key] = _load(path, stream, f"{key}: ")
        except InputError:
            raise
        except Exception as error:  # whatever a broken or locked archive makes zipfile raise
            raise _refused(path, f"not a readable .npz file: {_reason(error)}", "bad-syntax") from None
    return [_spec(path, name, arrays)]


def _opened(path: str, most: int) -> BinaryIO:
    size = regular_size(path)
    if size is None:
        return BytesIO(read_bytes(path))
    if size > most:
        raise _refused(path, f"expected at most {most >> 20} MiB, got more", "too-large")
    return open(path, "rb")


def _members(path: str, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The file in an archive that each key of a system stands for."""
    members: dict[str, zipfile.ZipInfo] = {}
    problems: list[Problem] = []
    for member in archive.infolist():
        written = member.filename.removesuffix(".npy")
        key = spelled(written)
        claim = key.removeprefix(CLAIM).replace(".", "_")
        if key.startswith(CLAIM) and claim in CLAIMED:
            key = f"{CLAIM}{claim}"
        elif key not in KEYS:
            problems.append(_unknown(path, written))
            continue
        if key in members:
            problems.append(Problem(f"duplicate key {quoted(key)}", "Keep one of them", "bad-key", path))
        members[key] = member
    if "A" not in members:
        problems.append(Problem("the key A is missing; expected A, a matrix", None, "missing-A", path))
    if problems:
        raise InputError(problems)
    if sum(member.file_size for member in members.values()) > MAX_UNPACKED:
        raise _refused(path, f"expected at most {MAX_UNPACKED >> 20} MiB when unpacked, got more", "too-large")
    return members


def _refuse_compressed(path: str, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], most: int) -> None:
    """Refuse what takes far more memory, and time, than its file lets expect, before it is unpacked."""
    if sum(member.file_size for member in members.values()) <= most:
        total = 0
        for member in members.values():
            with archive.open(member) as stream:
                total += _bytes_as_doubles(stream, member.file_size)
        if total <= most:
            return
    message = f"expected at most {ALWAYS_UNPACKED >> 20} MiB when unpacked, or {MAX_TIMES_UNPACKED} times the file's "
    problem = Problem(f"{message}size, got more", "np.savez writes a larger one without compression", "too-large", path)
    raise InputError([problem])


def _bytes_as_doubles(stream: Any, size: int) -> int:
    """What an array takes with its numbers as doubles, by its header; 0 for what has none that can be read.

    size : of the whole, in bytes.
    """
    try:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(stream)
    except ValueError:
        return 0
    return min(prod(shape), size // max(1, dtype.itemsize)) * max(8, dtype.itemsize)


def _unknown(path: str, written: str) -> Problem:
    if written.startswith(CLAIM):
        names = [f"{CLAIM}{claim}" for claim in CLAIMED]
        return Problem(
            f"unknown key {quoted(written)}; expected one of {', '.join(names)}",
            nearest(written, names),
            "bad-key",
            path,
        )
    hint = hint_at_key(written, KEYS, f"{CLAIM}{{}}")
    if written == "arr_0":
        hint = "np.savez(file, A=A, dL_dy=g) gives them their names"
    message = f"unknown key {quoted(written)}; expected one of {', '.join(KEYS)}, or a claim, {CLAIM}…"
    return Problem(message, hint, "bad-key", path)


def _load(path: str, file: Any, what: str = "", *, is_mapped: bool = False) -> Array:
    beginning = file.read(len(MAGIC))
    if beginning != MAGIC:
        found = "something else" if beginning else "an empty file"
        raise _refused(path, f"{what}expected a NumPy .npy file, got {found}", "bad-syntax" if beginning else "empty")
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
        raise _refused(path, f"{what}not a readable .npy file: {_reason(error)}", "bad-syntax") from None


def _spec(path: str, name: str, arrays: dict[str, Array]) -> SystemSpec:
    """The system that arrays are. Raises InputError with every one that is no part of one."""
    spec = SystemSpec(path, {}, name)
    claims: dict[str, SourceValue] = {}
    for key, array in arrays.items():
        try:
            if key.startswith(CLAIM):
                claims |= _claim(path, CLAIMED[key.removeprefix(CLAIM)], array)
                continue
            spec.values[key] = _names(path, key, array) if key in ("x", "y") else _numbers(path, key, array)
        except InputError as error:
            spec.problems.extend(error.problems)
    if spec.problems:
        raise InputError(spec.problems)
    if mapping := {key.partition(".")[2]: part.value for key, part in claims.items() if key.startswith("constraints.")}:
        claims["constraints"] = SourceValue(mapping, path)
    spec.expect = lambda: claims
    return spec


def _claim(path: str, key: str, array: Array) -> dict[str, SourceValue]:
    """An array as a claim: of what is no matrix, as the text that a file would have."""
    name = CLAIM + key.replace(".", "_")
    if key in MATRICES:
        if not _is_numeric(array):
            raise _not_numeric(path, f"{name}: ", array)
        return {key: SourceValue(np.atleast_1d(array), path, unit_roundoff=_unit_roundoff(array))}
    is_list = key in ("free_parameters", "constraints.dependent") and array.ndim == 1
    if array.dtype.kind not in "Ubiuf" or not (is_list or array.ndim == 0):
        message = f"{name}: expected one text or number, got an array of {array.dtype} of shape {_shape(array)}"
        raise _refused(path, message, "bad-claim")
    return {key: SourceValue(list(map(str, array.tolist())) if is_list else str(array.item()), path)}


def _names(path: str, key: str, array: Array) -> SourceValue:
    if array.dtype.kind != "U" or array.ndim > 1:
        message = f"{key}: expected a row of texts, got an array of {array.dtype} of shape {_shape(array)}"
        raise _refused(path, message, "bad-name")
    return SourceValue(np.atleast_1d(array).tolist(), path)


def _numbers(path: str, key: str, array: Array) -> SourceValue:
    if not _is_numeric(array):
        raise _not_numeric(path, f"{key}: ", array)
    if array.ndim not in DIMENSIONS[key]:
        expected = "two dimensions (rows, columns)" if key in ("A", "B") else "one dimension, or two (losses, unknowns)"
        found = f"{count(array.ndim, 'dimension')}, the shape {_shape(array)}"
        hint = "A.reshape(1, -1) is one equation, A.reshape(-1, 1) one unknown" if array.ndim == 1 else None
        raise InputError([Problem(f"{key}: expected {expected}, got {found}", hint, "bad-shape", path)])
    if not array.size:
        raise _refused(path, f"{key} is empty, of shape {_shape(array)}; expected at least one number", "bad-shape")
    _refuse_infinite(path, key, array)
    return SourceValue(array, path, unit_roundoff=_unit_roundoff(array))


def _refuse_infinite(path: str, key: str, array: Array) -> None:
    """nan and ±inf by their names, or their number where there are many."""
    is_finite = np.isfinite(array)
    if is_finite.all():
        return
    places = np.argwhere(~is_finite)
    problems = []
    for place in places[:MAX_PROBLEMS_SHOWN].tolist():
        entry = key + "".join(f"[{index + 1}]" for index in place)
        problems.append(
            Problem(f"{entry}: expected a finite number, got {array[tuple(place)]}", None, "bad-number", path)
        )
    if len(places) > len(problems):
        message = f"{problems[0].message}, and so for {len(places) - 1:,} more entries of {key}"
        problems = [problems[0]._replace(message=message)]
    raise InputError(problems)


def _is_numeric(array: Array) -> bool:
    return array.dtype.kind in "iuf" and array.dtype.itemsize <= 8


def _not_numeric(path: str, what: str, array: Array) -> InputError:
    dtype = str(array.dtype)
    found = dtype if len(dtype) <= MAX_QUOTED else quoted(dtype)
    is_long = array.dtype.kind in "iuf"
    hint = "A.astype(float) is one" if is_long or array.dtype.kind == "O" else None
    message = f"{what}expected an array of integers or floats{' of at most 64 bits' if is_long else ''}, got {found}"
    return InputError([Problem(message, hint, "bad-number", path)])


def _unit_roundoff(array: Array) -> Fraction | None:
    return UNIT_ROUNDOFFS.get(array.dtype.str[1:])


def _shape(array: Array) -> str:
    return "×".join(map(str, array.shape)) if array.ndim > 1 else str(array.shape)


def _reason(error: Exception) -> str:
    """What an exception says, in one line."""
    reason = printable(str(error).partition("\n")[0]) or type(error).__name__
    if "malformed node" in reason or "descr" in reason:
        return "its header is broken"
    return "it holds Python objects" if "allow_pickle" in reason or "Python objects" in reason else reason


def _refused(path: str, message: str, code: str) -> InputError:
    return InputError([Problem(message, code=code, source=path)])

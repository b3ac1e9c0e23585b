"""Read NumPy's .npz files, each of a whole system: A, dL_dy etc., claims as expect_dL_dx; without pickle."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from io import SEEK_END
from math import prod
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from implicitgrad.model.program.spec import ONE_SIDED, PROGRAM_CLAIMS
from implicitgrad.model.spec import CLAIMS, PROGRAM_MARKS, SourceValue, SystemSpec, spelled
from implicitgrad.readers.arrays.npy import (
    DIMENSIONS,
    is_numeric,
    load_array,
    not_numeric,
    numeric_value,
    open_path,
    reason_of,
    refused,
    shown_shape,
    unit_roundoff_of,
)
from implicitgrad.readers.arrays.sparse_npz import is_of_scipy, sparse_value
from implicitgrad.readers.arrays.stacks import split
from implicitgrad.readers.key_hints import hint_at_key
from implicitgrad.readers.sources import split_source, stem
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.hints import nearest

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

ZIP_MAGIC = b"PK"
MEMBER_SUFFIX = ".npy"
KEYS = ("A", "B", "dL_dy", "x", "y", "x_value")
PROGRAM_KEYS = (
    "P", "q", "G", "h", "A", "b", "lb", "ub", "l", "u", "dL_dz", "dL_dlambda", "dL_dnu",
    "names_z", "names_G", "names_A",
)  # fmt: skip
"""l and u are those of OSQP: l ≤ A·z ≤ u."""
CLAIM = "expect_"
MATRICES = ("dy_dx", "dL_dx", "dL_dA", "dL_dB", "constraints.matrix")
CLAIMED = {
    key.replace(".", "_"): key
    for key in (
        *(key for key in CLAIMS if key not in ("condition", "tolerance")),
        "constraints.dependent",
        MATRICES[-1],
        "condition.max",
        "tolerance.rtol",
        "tolerance.atol",
    )
}
"""The claims by the rest of an array's name after ``expect_``."""
PROGRAM_CLAIMED = {
    key.replace(".", "_"): key
    for key in (
        *(key for key in PROGRAM_CLAIMS if key != "tolerance"),
        *(f"{key}.{side}" for key in PROGRAM_CLAIMS if key in ONE_SIDED for side in ("left", "right")),
        "tolerance.rtol",
        "tolerance.atol",
    )
}
"""Those of a quadratic program."""
MAX_UNPACKED = 2**30
"""The most bytes that an .npz file may unpack to; a small one can claim any number."""
ALWAYS_UNPACKED = 16 * 2**20
"""The bytes, with numbers as doubles, that a file of any size may unpack to."""
MAX_TIMES_UNPACKED = 100
"""The factor of its own size that a larger one may unpack to."""


def read_matrix(path: str) -> SourceValue:
    """Return the sparse matrix in a file of SciPy. Raise InputError for others: they are whole systems."""
    found = _load(path)
    if isinstance(found, SourceValue):
        return found
    hint = "An .npz file is a whole system: give it as the SYSTEM"
    raise InputError([Problem("expected a .npy file for one matrix, got an .npz", hint, "bad-syntax", path)])


def read_systems(source: str) -> list[SystemSpec]:
    """Return the systems that an .npz file holds: by the names of their values, one or a stack, or a sparse A.

    Raises InputError.
    """
    path, selection = split_source(source)
    found = _load(path)
    if isinstance(found, SourceValue):
        if selection:
            raise refused(source, "expected a stack of linear systems, got a sparse matrix", "bad-shape")
        return [SystemSpec(path, {"A": found}, stem(path))]
    if not found.keys().isdisjoint(PROGRAM_MARKS):
        if selection:
            raise refused(source, "expected a stack of linear systems, got a quadratic program", "bad-shape")
        from implicitgrad.readers.arrays.npz_program import program_spec

        return [program_spec(path, stem(path), found, PROGRAM_CLAIMED)]
    return _specs(source, path, found)


def _load(path: str) -> dict[str, Array] | SourceValue:
    """Return the arrays of a system or program by key, or the matrix of a sparse file. Raise InputError."""
    with open_path(path, MAX_UNPACKED) as file:
        beginning = file.read(len(ZIP_MAGIC))
        if beginning != ZIP_MAGIC:
            found = "something else" if beginning else "an empty file"
            raise refused(path, f"expected a NumPy .npz file, got {found}", "bad-syntax" if beginning else "empty")
        most = max(ALWAYS_UNPACKED, MAX_TIMES_UNPACKED * file.seek(0, SEEK_END))
        arrays: dict[str, Array] = {}
        try:
            with zipfile.ZipFile(file) as archive:
                names = {member.filename.removesuffix(MEMBER_SUFFIX): member for member in archive.infolist()}
                is_sparse = is_of_scipy(names.keys())
                members = names if is_sparse else _members(path, archive)
                if not members.keys().isdisjoint(PROGRAM_MARKS):
                    members = _without_nones(path, archive, members)
                _refuse_large(path, archive, members, most)
                for key, member in members.items():
                    with archive.open(member) as stream:
                        arrays[key] = load_array(path, stream, f"{key}: ")
        except InputError:
            raise
        except Exception as error:  # a broken or locked archive makes zipfile raise any exception
            raise refused(path, f"not a readable .npz file: {reason_of(error)}", "bad-syntax") from None
    return sparse_value(path, arrays) if is_sparse else arrays


def _members(path: str, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the archive's member for each key of a system. Raises InputError."""
    members: dict[str, zipfile.ZipInfo] = {}
    problems: list[Problem] = []
    is_program = any(member.filename.removesuffix(MEMBER_SUFFIX) in PROGRAM_MARKS for member in archive.infolist())
    for member in archive.infolist():
        written = member.filename.removesuffix(MEMBER_SUFFIX)
        key = spelled(written)
        claim = key.removeprefix(CLAIM).replace(".", "_")
        keys, claims = (PROGRAM_KEYS, PROGRAM_CLAIMED) if is_program else (KEYS, CLAIMED)
        if key.startswith(CLAIM) and claim in claims:
            key = f"{CLAIM}{claim}"
        elif key not in keys:
            problems.append(_unknown(path, written, keys, claims))
            continue
        if key in members:
            problems.append(Problem(f"duplicate key {quoted(key)}", "Keep one of them", "bad-key", path))
        members[key] = member
    if "A" not in members and not is_program:
        problems.append(Problem("the key A is missing; expected A, a matrix", None, "missing-A", path))
    if problems:
        raise InputError(problems)
    return members


def _without_nones(
    path: str, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]
) -> dict[str, zipfile.ZipInfo]:
    """Leave out members that hold None, as qpsolvers writes what is not given. Raise InputError if P or q does."""
    kept = {}
    for key, member in members.items():
        with archive.open(member) as stream:
            shape, dtype = read_header(stream)
        if not (shape == () and dtype is not None and dtype.hasobject):
            kept[key] = member
        elif key in PROGRAM_MARKS:
            raise refused(path, f"{key}: expected an array, got None", "bad-number")
    return kept


def _refuse_large(path: str, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], most: int) -> None:
    """Raise InputError, before unpacking, if the arrays take far more memory and time than the file's size suggests."""
    if sum(member.file_size for member in members.values()) > MAX_UNPACKED:
        raise refused(path, f"expected at most {MAX_UNPACKED >> 20} MiB when unpacked, got more", "too-large")
    if sum(member.file_size for member in members.values()) <= most:
        total = 0
        for member in members.values():
            with archive.open(member) as stream:
                shape, dtype = read_header(stream)
            if dtype is not None:  # the bytes with its numbers as doubles
                total += min(prod(shape), member.file_size // max(1, dtype.itemsize)) * max(8, dtype.itemsize)
        if total <= most:
            return
    message = f"expected at most {ALWAYS_UNPACKED >> 20} MiB when unpacked, or {MAX_TIMES_UNPACKED} times the file's "
    problem = Problem(f"{message}size, got more", "np.savez writes a larger one without compression", "too-large", path)
    raise InputError([problem])


def read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any] | None]:
    """Return the shape and the type of an array in a .npy file; None for a type that cannot be read."""
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
    except ValueError:
        return (), None
    return shape, dtype


def _unknown(path: str, written: str, keys: tuple[str, ...], claims: Iterable[str]) -> Problem:
    if written.startswith(CLAIM):
        names = [f"{CLAIM}{claim}" for claim in claims]
        return Problem(
            f"unknown key {quoted(written)}; expected one of {', '.join(names)}",
            nearest(written, names),
            "bad-key",
            path,
        )
    hint = hint_at_key(written, keys, f"{CLAIM}{{}}")
    if written == "at":
        hint = "Did you mean x_value?"
    if written == "arr_0":
        hint = "np.savez(file, A=A, dL_dy=g) gives them their names"
    message = f"unknown key {quoted(written)}; expected one of {', '.join(keys)}, or a claim, {CLAIM}…"
    return Problem(message, hint, "bad-key", path)


def _specs(source: str, path: str, arrays: dict[str, Array]) -> list[SystemSpec]:
    """Return the systems that arrays describe. Raises InputError with every array that is wrong."""
    spec = SystemSpec(source, {}, stem(path))
    is_one = arrays["A"].ndim <= 2
    claims: dict[str, SourceValue] = {}
    for key, array in arrays.items():
        try:
            if key.startswith(CLAIM):
                claims[CLAIMED[key.removeprefix(CLAIM)]] = SourceValue(array, path)
            elif key in ("x", "y"):
                spec.values[key] = _names(path, key, array)
            else:
                spec.values[key] = numeric_value(path, key, array, DIMENSIONS[key] if is_one else ())
        except InputError as error:
            spec.problems.extend(error.problems)
    read: dict[str, SourceValue] = {}
    if is_one:
        try:
            read = _claims(claims)
        except InputError as error:
            spec.problems.extend(error.problems)
    if spec.problems:
        raise InputError(spec.problems)
    spec.expect = lambda: read
    return split(spec, claims, _claims)


def _claims(arrays: Mapping[str, SourceValue]) -> dict[str, SourceValue]:
    """Return the claims that the arrays of one system are. Raises InputError with every array that is wrong."""
    claims: dict[str, SourceValue] = {}
    problems: list[Problem] = []
    for key, value in arrays.items():
        try:
            claims |= _claim(value.source or "", key, np.asarray(value.value))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    if mapping := {key.partition(".")[2]: part.value for key, part in claims.items() if key.startswith("constraints.")}:
        claims["constraints"] = SourceValue(mapping, next(iter(arrays.values())).source)
    return claims


def _claim(path: str, key: str, array: Array) -> dict[str, SourceValue]:
    """Return an array as a claim; one that is no matrix as a text in a file would be."""
    name = CLAIM + key.replace(".", "_")
    if key in MATRICES:
        if not is_numeric(array):
            raise not_numeric(path, f"{name}: ", array)
        return {key: SourceValue(np.atleast_1d(array), path, unit_roundoff=unit_roundoff_of(array))}
    is_list = key in ("free_parameters", "constraints.dependent") and array.ndim == 1
    if array.dtype.kind not in "Ubiuf" or not (is_list or array.ndim == 0):
        message = f"{name}: expected one text or number, got an array of {array.dtype} of shape {shown_shape(array)}"
        raise refused(path, message, "bad-claim")
    return {key: SourceValue(list(map(str, array.tolist())) if is_list else str(array.item()), path)}


def _names(path: str, key: str, array: Array) -> SourceValue:
    if array.dtype.kind != "U" or array.ndim > 1:
        message = f"{key}: expected a row of texts, got an array of {array.dtype} of shape {shown_shape(array)}"
        raise refused(path, message, "bad-name")
    return SourceValue(np.atleast_1d(array).tolist(), path)


def stack_shape(path: str) -> tuple[int, ...]:
    """Return the lengths of the leading axes of A in a NumPy file; () if there are none, or it cannot be read."""
    try:
        if not zipfile.is_zipfile(path):
            with open(path, "rb") as stream:
                return read_header(stream)[0][:-2]
        with zipfile.ZipFile(path) as archive, archive.open(f"A{MEMBER_SUFFIX}") as stream:
            return read_header(stream)[0][:-2]
    except Exception:  # reading it will say what is wrong
        return ()

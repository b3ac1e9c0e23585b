"""Which files a list of files and directories stands for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch

from implicitgrad.errors import InputError, Problem

PATTERNS = (".yaml", ".yml", ".json", ".csv")


def find_files(paths: Iterable[str], exclude: Iterable[str] = ()) -> tuple[list[str], list[InputError]]:
    """The files, each once, in the order given and in directories by name; and the directories that are of no use.

    exclude : patterns of a file's or directory's name or path. A directory's hidden entries are passed over.
    """
    patterns = tuple(exclude)
    found: dict[str, str] = {}
    errors: list[InputError] = []
    for path in paths:
        if _is_excluded(path, patterns):
            continue
        if not os.path.isdir(path):
            found.setdefault(_identity(path), path)
            continue
        files = list(_walk(path, patterns, errors))
        if not files:
            expected = ", ".join(f"*{suffix}" for suffix in PATTERNS)
            message = f"a directory without a system's file; expected {expected}"
            errors.append(InputError([Problem(message, code="empty", source=path)]))
        for file in files:
            found.setdefault(_identity(file), file)
    return list(found.values()), errors


def _walk(directory: str, patterns: tuple[str, ...], errors: list[InputError]) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        problem = Problem(f"cannot be read: {error.strerror}", code="cannot-read", source=error.filename)
        errors.append(InputError([problem]))

    for folder, folders, files in os.walk(directory, onerror=refuse):
        folders[:] = sorted(name for name in folders if _is_wanted(os.path.join(folder, name), name, patterns))
        for name in sorted(files):
            path = os.path.normpath(os.path.join(folder, name))
            if name.lower().endswith(PATTERNS) and _is_wanted(path, name, patterns):
                yield path


def _is_wanted(path: str, name: str, patterns: tuple[str, ...]) -> bool:
    return not name.startswith(".") and not _is_excluded(path, patterns)


def _is_excluded(path: str, patterns: tuple[str, ...]) -> bool:
    normal = os.path.normpath(path)
    names = (os.path.basename(normal), normal, os.path.abspath(path))
    return any(fnmatch(name, os.path.normpath(pattern)) for pattern in patterns for name in names)


def _identity(path: str) -> str:
    return path if path == "-" else os.path.normpath(path)

"""Find the files that a list of files, directories and patterns denotes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fnmatch import fnmatch
from functools import cache
from glob import has_magic, iglob

from implicitgrad.readers.sources import split_source
from implicitgrad.text.errors import InputError, Problem

PAUSE = ""
"""Stands for a path; announces that the next one may be a long time coming."""


def find_files(
    paths: Iterable[str], exclude: Iterable[str], suffixes: tuple[str, ...]
) -> tuple[list[str], list[InputError]]:
    """Return the files, each once, in the order given and sorted in directories, and the problems with directories."""
    found = list(walk(paths, exclude, suffixes))
    files = [one for one in found if isinstance(one, str)]
    return files, [one for one in found if isinstance(one, InputError)]


def walk(paths: Iterable[str], exclude: Iterable[str], suffixes: tuple[str, ...]) -> Iterator[str | InputError]:
    """Yield each file once, whatever links lead to its directory, and the problems with directories.

    exclude : patterns for names or paths of files and directories. suffixes : those of the files that are taken from
    directories; hidden entries are skipped. A path that does not exist and contains *, ? or [ is a pattern; ** matches
    any depth. A PAUSE is passed on.
    """
    patterns = tuple(exclude)
    seen: set[int] = set()
    real_path = cache(_real_path)
    for path in paths:
        if path == PAUSE:
            yield path
            continue
        for found in _below(path, patterns, suffixes):
            if isinstance(found, str):
                directory, name = os.path.split(os.path.normpath(found))  # a link that the file itself is stays
                identity = hash(found if found == "-" else os.path.join(real_path(directory), name))
                if identity in seen:
                    continue
                seen.add(identity)
            yield found


def _real_path(directory: str) -> str:
    with suppress(OSError, ValueError):  # not a valid path; reading it reports that
        return os.path.realpath(directory) or directory
    return directory


def _below(path: str, patterns: tuple[str, ...], suffixes: tuple[str, ...]) -> Iterator[str | InputError]:
    """Yield the files that one path denotes."""
    if _is_excluded(path, patterns):
        return
    file, index = split_source(path)
    if os.path.isdir(path):
        yield from _in_directory(path, patterns, suffixes)
    elif index:
        yield from (found + index if isinstance(found, str) else found for found in _below(file, patterns, suffixes))
    elif has_magic(path) and not os.path.lexists(path):
        matches = sorted(iglob(path, recursive=True))
        if not matches:
            yield InputError([Problem("a pattern that no file matches", code="empty", source=path)])
        for match in matches:
            yield from _below(match, patterns, suffixes)
    else:
        yield path


def _in_directory(directory: str, patterns: tuple[str, ...], suffixes: tuple[str, ...]) -> Iterator[str | InputError]:
    errors: list[InputError] = []

    def refuse(error: OSError) -> None:
        problem = Problem(f"cannot be read: {error.strerror}", code="cannot-read", source=error.filename)
        errors.append(InputError([problem]))

    is_any = False
    for folder, folders, files in os.walk(directory, onerror=refuse):
        folders[:] = sorted(name for name in folders if _is_wanted(os.path.join(folder, name), name, patterns))
        files.sort()
        for name in files:
            path = os.path.normpath(os.path.join(folder, name))
            if name.lower().endswith(suffixes) and _is_wanted(path, name, patterns):
                is_any = True
                yield path
    yield from errors
    if not is_any and not errors:
        expected = ", ".join(f"*{suffix}" for suffix in suffixes)
        message = f"a directory without a system's file; expected {expected}"
        yield InputError([Problem(message, code="empty", source=directory)])


def _is_wanted(path: str, name: str, patterns: tuple[str, ...]) -> bool:
    return not name.startswith(".") and not _is_excluded(path, patterns)


def _is_excluded(path: str, patterns: tuple[str, ...]) -> bool:
    if not patterns:
        return False
    normal = os.path.normpath(path)
    names = (os.path.basename(normal), normal, os.path.abspath(path))
    return any(fnmatch(name, os.path.normpath(pattern)) for pattern in patterns for name in names)

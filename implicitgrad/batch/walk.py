"""Which files a list of files, directories and patterns stands for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fnmatch import fnmatch
from glob import has_magic, iglob

from implicitgrad.text.errors import InputError, Problem

PAUSE = ""
"""In the place of a path: the next may be long in coming."""


def find_files(
    paths: Iterable[str], exclude: Iterable[str], suffixes: tuple[str, ...]
) -> tuple[list[str], list[InputError]]:
    """The files, each once, in the order given and in directories by name; and the directories that are of no use."""
    found = list(walk(paths, exclude, suffixes))
    files = [one for one in found if isinstance(one, str)]
    return files, [one for one in found if isinstance(one, InputError)]


def walk(paths: Iterable[str], exclude: Iterable[str], suffixes: tuple[str, ...]) -> Iterator[str | InputError]:
    """The files one by one, each once, whatever ways lead to its directory; and what is wrong with a directory.

    exclude : patterns of a file's or directory's name or path. suffixes : of the files that are taken from directories;
    hidden entries are passed over. A path that does not exist and has * or ? or [ in it is a pattern; ** is any depth.
    A PAUSE is passed on.
    """
    patterns = tuple(exclude)
    seen: set[int] = set()
    real_path = RealPaths()
    for path in paths:
        if path == PAUSE:
            yield path
            continue
        for found in _below(path, patterns, suffixes):
            if isinstance(found, str):
                identity = hash(found if found == "-" else real_path(found))
                if identity in seen:
                    continue
                seen.add(identity)
            yield found


class RealPaths:
    """Where files are, whatever way leads to their directories; a file's own link is a name of its own."""

    def __init__(self) -> None:
        self.directories: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        """The path, the links in its directories followed."""
        directory, name = os.path.split(os.path.normpath(path))
        found = self.directories.get(directory)
        if found is None:
            with suppress(OSError, ValueError):  # no path at all, which who reads it says
                found = os.path.realpath(directory)
            found = self.directories[directory] = found or directory
        return os.path.join(found, name)


def _below(path: str, patterns: tuple[str, ...], suffixes: tuple[str, ...]) -> Iterator[str | InputError]:
    """The files that one path stands for."""
    if _is_excluded(path, patterns):
        return
    if os.path.isdir(path):
        yield from _in_directory(path, patterns, suffixes)
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

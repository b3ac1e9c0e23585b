"""The file that was probably meant by a name that no file has."""

from __future__ import annotations

import os
from difflib import get_close_matches

from implicitgrad.text.errors import Problem

MAX_NAMES = 2000
"""Entries of a folder that are compared with a name."""


def with_nearest_file(problem: Problem) -> Problem:
    """Return the problem; if it is that a file does not exist, with a hint that names the nearest one."""
    if problem.code != "cannot-read" or problem.hint or not problem.source or os.path.lexists(problem.source):
        return problem
    found = nearest_file(problem.source)
    return problem if found is None else problem._replace(hint=f"Did you mean {found}?")


def nearest_file(path: str) -> str | None:
    """Return the existing file or folder whose name without its suffix, and then with it, is nearest to ``path``'s."""
    folder, name = os.path.split(path)
    if folder and not os.path.isdir(folder):
        nearer = nearest_file(folder)
        if nearer is None or not os.path.isdir(nearer):
            return None
        path = os.path.join(nearer, name)
        return path if os.path.exists(path) else nearest_file(path)
    try:
        names = sorted(one for one in os.listdir(folder or ".")[:MAX_NAMES] if not one.startswith("."))
    except (OSError, ValueError):
        return None
    by_stem: dict[str, list[str]] = {}
    for one in names:
        by_stem.setdefault(os.path.splitext(one.lower())[0], []).append(one)
    close = get_close_matches(os.path.splitext(name.lower())[0], by_stem, n=1)
    if not close:
        return None
    lowered = {one.lower(): one for one in by_stem[close[0]]}
    (nearest,) = get_close_matches(name.lower(), lowered, n=1, cutoff=0)
    return os.path.join(folder, lowered[nearest])

"""Read a system from a line of JSON: plain ones directly, all others by the YAML reader, which knows positions."""

from __future__ import annotations

import json
from functools import partial

from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.readers.sources import stem
from implicitgrad.text.characters import MAX_DIGITS, quoted
from implicitgrad.text.errors import InputError, Problem


def _refuse(constant: str) -> None:
    raise ValueError(constant)


DECODER = json.JSONDecoder(parse_float=str, parse_constant=_refuse, object_pairs_hook=tuple)
"""Decodes integers as such, other numbers as their texts, and objects as pairs."""
LONG_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse, object_pairs_hook=tuple)
"""Decodes all numbers as their texts, in lines that may have numbers of too many digits."""
BLANKS = " \t\r\n"
MAX_BLANKS = 2**12
"""Characters between two lines."""
NO_SYSTEM = ("", "---")
"""Lines without a system; the second separates YAML documents."""
KEYS = {"name", "A", "B", "dL_dy", "x", "y"}


def are_json_lines(text: str) -> bool:
    """Return whether an object on a line of its own is followed by another, or by --- and lines of objects alone."""
    first, _, rest = text.partition("\n")
    if not (first.startswith("{") and first.rstrip().endswith("}")):
        return False
    following = rest[:MAX_BLANKS].lstrip()
    if following.startswith("---"):
        lines = map(str.strip, rest.split("\n"))
        return all(line in NO_SYSTEM or (line[0] == "{" and line[-1] == "}") for line in lines)
    return following.startswith("{")


def read_json_line(text: str, source: str, line: int) -> SystemSpec:
    """Return the system on a line, the ``line``-th of its stream. Raises InputError."""
    stripped = _object(text, source, line)
    reread = partial(_reread, text, source, line)
    values = _values(stripped)
    if values is None:
        return reread()
    name = values.pop("name", stem(source))
    if not isinstance(name, str) or not name.strip():
        return reread()
    spec = SystemSpec(source, {key: SourceValue(value) for key, value in values.items()}, name)
    spec.reread = reread
    return spec


def read_systems(text: str, source: str) -> list[SystemSpec]:
    """Return the systems of a text, one a line. Raise InputError with the problems of all lines."""
    specs: list[SystemSpec] = []
    problems: list[Problem] = []
    lines = [(line, one) for line, one in enumerate(text.split("\n"), start=1) if one.strip(BLANKS) not in NO_SYSTEM]
    for number, (line, one) in enumerate(lines, start=1):
        try:
            _object(one, source, line)
            spec = _reread(one, source, line)
        except InputError as error:
            problems += error.problems
        else:
            spec.source = source if number == 1 else f"{source}#{number}"
            specs.append(spec)
    if problems:
        raise InputError(problems)
    return specs


def _object(text: str, source: str, line: int) -> str:
    """Return a line without surrounding blanks. Raises InputError if it is no JSON object."""
    stripped = text.strip(BLANKS)
    if not stripped.startswith("{"):
        message = f"expected a JSON object, a complete system on one line, got {quoted(stripped)}"
        raise InputError([Problem(message, None, "bad-syntax", source, line, 1)])
    return stripped


def _values(text: str) -> dict[str, object] | None:
    """Return the values by key; None if JSON and YAML may differ, or there are other keys."""
    if not text.isascii() or "\\u" in text or "\x7f" in text:
        return None
    try:
        pairs, end = (DECODER if len(text) <= MAX_DIGITS else LONG_DECODER).raw_decode(text)
    except (ValueError, RecursionError):
        return None
    values = dict(pairs)
    is_plain = end == len(text) and len(values) == len(pairs) and KEYS.issuperset(values)
    return values if is_plain else None


def _reread(text: str, source: str, line: int) -> SystemSpec:
    """Read the line by the YAML reader, which knows positions. Raises InputError."""
    from implicitgrad.readers.yaml.reader import read_systems

    try:
        specs = read_systems(text, source, line)
    except InputError as error:
        raise InputError([_within(problem, line, text) for problem in error.problems]) from None
    if len(specs) != 1:
        message = f"expected one system a line, got {len(specs)}"
        raise InputError([Problem(message, None, "bad-syntax", source, line)])
    return specs[0]


def _within(problem: Problem, line: int, text: str) -> Problem:
    """Place a problem at the end of the line if it is reported after that."""
    if problem.line is None or problem.line <= line:
        return problem
    return problem._replace(line=line, column=len(text) + 1)

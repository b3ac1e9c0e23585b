"""One line of JSON → Draft: what is plainly a system is taken at once, all else read with care, or refused."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from implicitgrad.characters import quoted
from implicitgrad.draft import Draft
from implicitgrad.errors import InputError, Problem
from implicitgrad.part import Part, Path
from implicitgrad.values import are_rows_of_texts, are_texts


def _refuse(constant: str) -> None:
    raise ValueError(constant)


DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse, object_pairs_hook=tuple)
"""Numbers as their texts, objects as pairs."""
MATRICES = {"A", "B", "dL_dy"}
NAMES = {"x", "y"}


def read_json_line(text: str, source: str, name: str, line: int) -> Draft:
    """The system on a line, which is the ``line``-th of its stream. Raises InputError."""
    if not text.lstrip().startswith("{"):
        message = f"expected a JSON object, a whole system on its line, got {quoted(text.strip())}"
        raise InputError([Problem(message, None, "bad-syntax", source, line, 1)])
    careful = _Careful(text, source, name, line)
    if "\\u" in text or "\x7f" in text or not text.isascii():  # which JSON allows more of
        return careful.draft
    try:
        pairs = DECODER.decode(text)
    except (ValueError, RecursionError):
        return careful.draft
    values = _plain_values(pairs)
    if values is None:
        return careful.draft
    name = values.pop("name", name)
    return Draft(source, {key: Part(value, None, careful.locate(key)) for key, value in values.items()}, name)


class _Careful:
    """The same line read by the reader that knows where everything stands."""

    def __init__(self, text: str, source: str, name: str, line: int) -> None:
        self.text, self.source, self.name, self.line = text, source, name, line

    @cached_property
    def draft(self) -> Draft:
        from implicitgrad.readers.yaml import read_yaml

        try:
            drafts = read_yaml("\n" * (self.line - 1) + self.text, self.source, self.name)
        except InputError as error:
            raise InputError(map(self._within, error.problems)) from None
        if len(drafts) != 1:
            message = f"expected one system a line, got {len(drafts)}"
            raise InputError([Problem(message, None, "bad-syntax", self.source, self.line)])
        return drafts[0]

    def _within(self, problem: Problem) -> Problem:
        """What is missing at the end is said of the end."""
        if problem.line is None or problem.line <= self.line:
            return problem
        return problem._replace(line=self.line, column=len(self.text) + 1)

    def locate(self, key: str):  # type: ignore[no-untyped-def]
        def position(path: Path) -> tuple[int, int] | None:
            return self.draft.parts[key].locate(path)

        return position


def _plain_values(pairs: object) -> dict[str, Any] | None:
    """A mapping of the known keys, each once, to texts, lists of texts, or lists of those; None for anything else."""
    if not isinstance(pairs, tuple):
        return None
    values = dict(pairs)
    if len(values) != len(pairs) or "A" not in values:
        return None
    for key, value in values.items():
        if key in MATRICES:
            if not isinstance(value, list) or not are_rows_of_texts(value if list in map(type, value) else [value]):
                return None
        elif key in NAMES:
            if not are_texts(value):
                return None
        elif key != "name" or not isinstance(value, str) or not value.strip():
            return None
    return values

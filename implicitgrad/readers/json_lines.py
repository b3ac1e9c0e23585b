"""One line of JSON → Draft: what is plainly a system is taken at once, all else read with care, or refused."""

from __future__ import annotations

import json
from functools import cached_property

from implicitgrad.characters import quoted
from implicitgrad.draft import Draft
from implicitgrad.errors import InputError, Problem
from implicitgrad.part import Part, Path


def _refuse(constant: str) -> None:
    raise ValueError(constant)


DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse, object_pairs_hook=tuple)
"""Numbers as their texts, objects as pairs."""
KEYS = {"name", "A", "B", "dL_dy", "x", "y"}


def read_json_line(text: str, source: str, name: str, line: int) -> Draft:
    """The system on a line, which is the ``line``-th of its stream. Raises InputError."""
    if not text.lstrip().startswith("{"):
        message = f"expected a JSON object, a whole system on its line, got {quoted(text.strip())}"
        raise InputError([Problem(message, None, "bad-syntax", source, line, 1)])
    careful = _Careful(text, source, name, line)
    if not _is_of_texts(text):
        return careful.draft
    try:
        pairs = DECODER.decode(text)
    except (ValueError, RecursionError):
        return careful.draft
    values = dict(pairs)
    if len(values) < len(pairs) or not KEYS.issuperset(values) or "A" not in values:
        return careful.draft
    name = values.pop("name", name)
    if not isinstance(name, str) or not name.strip():
        return careful.draft
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


def _is_of_texts(text: str) -> bool:
    """Whether there is one object on a line, without null, true and false, and nothing that JSON allows more of."""
    if not text.isascii() or text.count("{") > 1:
        return False
    return not ("null" in text or "true" in text or "false" in text or "\\u" in text or "\x7f" in text)

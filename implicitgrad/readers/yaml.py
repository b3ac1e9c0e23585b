"""YAML, and JSON as its subset, from parse events: a number is what its text says, and nothing is constructed.

The events carry positions and the text of every scalar. Aliases, anchors, tags and merge keys are refused where they
stand, and depth is counted, so that no document can grow when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

from implicitgrad.characters import printable, quoted
from implicitgrad.draft import Draft, Part, Path
from implicitgrad.errors import MOST_PROBLEMS_SHOWN, InputError, Problem

KEYS = ("name", "A", "B", "dL_dy", "x", "y", "expect")
CLAIMS = (
    "status", "rank", "dy_dx", "dL_dx", "free_parameters", "dL_dx_unique", "constraints", "condition", "tolerance",
)  # fmt: skip
DEEPEST = 8

_SPELLINGS = {"dL/dy": "dL_dy"}
_MEANT = {"grad": "dL_dy", "gradient": "dL_dy", "g": "dL_dy", "matrix": "A", "a": "A", "b": "B", "expected": "expect"}
_SURROGATES = r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
"""A pair of JSON escapes for one character beyond U+FFFF, which YAML writes as one escape."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Node(NamedTuple):
    """A piece of a document: a scalar's text, a list's items, or a mapping's pairs of key and value."""

    mark: Any
    """The PyYAML mark where it starts; line and column 0-based."""
    text: str | None = None
    items: list[Node] | None = None
    pairs: list[tuple[Node, Node]] | None = None

    @property
    def position(self) -> tuple[int, int]:
        """(line, column), 1-based."""
        return self.mark.line + 1, self.mark.column + 1

    def __str__(self) -> str:
        if self.text is not None:
            return quoted(self.text) if self.text else "nothing"
        return "a list" if self.pairs is None else "a mapping"


def read_yaml(text: str, source: str, name: str) -> list[Draft]:
    """The systems of a YAML stream, one a document. Raises InputError."""
    drafts = []
    for number, node in enumerate(_documents(text, source), start=1):
        drafts.append(_draft(node, source if number == 1 else f"{source}#{number}", source, name))
    if not drafts:
        raise InputError([Problem("empty; expected a system", code="empty", source=source)])
    return drafts


def read_yaml_value(text: str, source: str) -> Part:
    """A file that holds one bare matrix or vector. Raises InputError."""
    nodes = list(_documents(text, source))
    if len(nodes) != 1 or nodes[0].pairs is not None:
        found = "a mapping" if len(nodes) == 1 else f"{len(nodes)} documents"
        raise InputError([Problem(f"expected one list of numbers, got {found}", source=source)])
    return _part(nodes[0], source)


def _draft(node: Node, document: str, source: str, name: str) -> Draft:
    draft = Draft(document, {}, name)

    def refuse(message: str, at: Node, hint: str | None = None, code: str = "bad-key") -> None:
        draft.problems.append(Problem(message, hint, code).at(source, at.position))

    if node.pairs is None:
        hint = "For CSV give the file a .csv name, or --delimiter" if node.text != "" else "The document is empty"
        refuse(f"expected a mapping with the key A, got {node}", node, hint, "bad-syntax")
        raise InputError(draft.problems)
    seen: dict[str, Node] = {}
    for key_node, value in node.pairs:
        written = key_node.text or ""
        key = _SPELLINGS.get(written, written)
        if key not in KEYS:
            nearest = _nearest(written) if len(draft.problems) < MOST_PROBLEMS_SHOWN else None
            refuse(f"unknown key {key_node}; expected one of {', '.join(KEYS)}", key_node, nearest)
            continue
        if key in seen:
            refuse(f"duplicate key {quoted(key)}, first on line {seen[key].position[0]}", key_node, "Keep one of them")
            continue
        seen[key] = key_node
        if key == "name":
            draft.name = value.text or ""
            if not draft.name.strip():
                refuse(f"name: expected a text, got {value}", value, code="bad-name")
        elif key == "expect":
            if value.pairs is None:
                refuse(f"expect: expected a mapping, got {value}", value, code="bad-shape")
            _check_claims(value, refuse)
        else:
            draft.parts[key] = _part(value, source)
    if "A" not in seen:
        refuse("the key A is missing; expected A: [[...], ...]", node, code="missing-A")
    return draft


def _check_claims(claims: Node, refuse: Callable[[str, Node, str | None], None]) -> None:
    """The keys of `expect`, whose values solve passes over."""
    seen: dict[str, Node] = {}
    for key_node, _ in claims.pairs or ():
        key = key_node.text or ""
        if key not in CLAIMS:
            refuse(f"expect: unknown key {key_node}; expected one of {', '.join(CLAIMS)}", key_node, None)
        elif key in seen:
            message = f"expect: duplicate key {quoted(key)}, first on line {seen[key].position[0]}"
            refuse(message, key_node, "Keep one of them")
        seen.setdefault(key, key_node)


def _part(node: Node, source: str) -> Part:
    def locate(path: Path) -> tuple[int, int]:
        here = node
        for index in path:
            assert here.items is not None
            here = here.items[index]
        return here.position

    return Part(_plain(node), source, locate)


def _plain(node: Node) -> object:
    """Nested lists of texts; a mapping, which no key takes, as an empty one."""
    if node.items is not None:
        return [_plain(item) for item in node.items]
    return {} if node.text is None else node.text


def _nearest(key: str) -> str | None:
    if not key:
        return None
    if key == "<<":
        return "Merge keys are refused; write the entries out"
    from difflib import get_close_matches

    lowered = {known.lower(): known for known in KEYS}
    close = [lowered[match] for match in get_close_matches(key.lower(), lowered, n=1, cutoff=0.5)]
    best = _MEANT.get(key.lower()) or next(iter(close), None)
    return f"Did you mean {best}?" if best else None


def _documents(text: str, source: str) -> Iterator[Node]:
    """The root node of each document."""
    _refuse_control_characters(text, source)
    if text.lstrip().startswith("{") and "\\u" in text:
        text = re.sub(_SURROGATES, _one_escape, text)
    loader = _LOADER(text)
    try:
        while True:
            event = loader.get_event()
            if isinstance(event, yaml.StreamEndEvent):
                return
            if isinstance(event, yaml.DocumentStartEvent):
                yield _node(loader, loader.get_event(), source, 0)
    except yaml.YAMLError as error:
        raise _syntax_error(error, text, source) from None
    finally:
        loader.dispose()


def _one_escape(pair: re.Match[str]) -> str:
    backslashes, high, low = pair.groups()
    return f"{backslashes}\\U{0x10000 + (int(high, 16) - 0xD800) * 0x400 + int(low, 16) - 0xDC00:08X}"


def _node(loader: Any, event: Any, source: str, depth: int) -> Node:
    mark = event.start_mark
    kind = type(event)
    if kind is yaml.AliasEvent:
        raise _refused(f"expected plain values, got {quoted('*' + event.anchor)}", mark, source, "Write the values out")
    if event.anchor is not None:
        raise _refused(f"expected plain values, got {quoted('&' + event.anchor)}", mark, source, "Write the values out")
    if event.tag is not None:
        raise _refused(f"expected plain values, got the tag {quoted(event.tag)}", mark, source, "Leave the tag out")
    if kind is yaml.ScalarEvent:
        return Node(mark, event.value)
    if depth == DEEPEST:
        raise _refused(f"expected at most {DEEPEST} levels of nesting, got more", mark, source)
    items: list[Node] = []
    closing = yaml.SequenceEndEvent if kind is yaml.SequenceStartEvent else yaml.MappingEndEvent
    while type(child := loader.get_event()) is not closing:
        items.append(_node(loader, child, source, depth + 1))
    if kind is yaml.SequenceStartEvent:
        return Node(mark, items=items)
    return Node(mark, pairs=list(zip(items[::2], items[1::2], strict=True)))


def _refused(message: str, mark: Any, source: str, hint: str | None = None) -> InputError:
    return InputError([Problem(message, hint, "bad-syntax").at(source, (mark.line + 1, mark.column + 1))])


def _refuse_control_characters(text: str, source: str) -> None:
    """libyaml refuses most of them too, but says where in bytes; the others it takes for ends of lines."""
    match = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if match is None and not text.isascii():
        match = re.search("[\x85\u2028\u2029]", text)
    if match:
        before = text[: match.start()].split("\n")
        problem = Problem(f"expected text, got the character {quoted(match.group())}", "Remove it", "bad-syntax")
        raise InputError([problem.at(source, (len(before), len(before[-1]) + 1))])


def _syntax_error(error: yaml.YAMLError, text: str, source: str) -> InputError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reasons = [getattr(error, "context", None), getattr(error, "problem", None)]
    reason = ", ".join(part for part in reasons if part) or printable(str(error))
    position = hint = None
    if mark is not None:
        position = mark.line + 1, mark.column + 1
        lines = text.splitlines()
        if mark.line < len(lines) and "\t" in lines[mark.line]:
            hint = "The line has a tab; YAML indents with spaces"
    return InputError([Problem(f"not valid YAML: {reason}", hint, "bad-syntax").at(source, position)])

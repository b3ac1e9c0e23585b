"""The nodes of a YAML text, from parse events: numbers keep their texts, and no objects are constructed.

The events carry positions and the text of every scalar. Aliases, anchors, tags and merge keys are refused where they
stand, and depth is counted, so that no document can grow when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from implicitgrad.model.spec import Path, SourceValue
from implicitgrad.text.characters import quoted

if TYPE_CHECKING:
    from implicitgrad.model.site import Span
    from implicitgrad.text.errors import InputError

MAX_DEPTH = 8
LARGE = 2**12
"""Entries of a matrix; loading numpy takes longer than reading fewer one by one."""

Event = Any
Loader = Any
Mark = Any
"""PyYAML's stubs know no attributes of the kinds of events, and have two unrelated classes of marks."""

_SCALAR = yaml.ScalarEvent
_SEQUENCE, _SEQUENCE_END, _MAPPING_END = yaml.SequenceStartEvent, yaml.SequenceEndEvent, yaml.MappingEndEvent
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlNode(NamedTuple):
    """A node of a document: a scalar's text, a list's items, or a mapping's pairs of key and value."""

    mark: Mark
    """The PyYAML mark of its start; line and column 0-based."""
    end_mark: Mark
    """The mark of its end, which is after following comments unless it is in flow style."""
    text: str | None = None
    items: list[YamlNode] | Scalars | None = None
    pairs: list[tuple[YamlNode, YamlNode]] | None = None
    is_flow: bool = False

    @property
    def position(self) -> tuple[int, int]:
        """Return (line, column), 1-based."""
        return self.mark.line + 1, self.mark.column + 1

    def __str__(self) -> str:
        if self.text is not None:
            return quoted(self.text) if self.text else "nothing"
        return "a list" if self.pairs is None else "a mapping"


class YamlPlace(NamedTuple):
    """The line and column of a PyYAML mark."""

    line: int
    column: int


class Scalars:
    """The items of a list of scalars only, which become nodes on access; a matrix has many."""

    def __init__(self, texts: list[str], places: list[int]) -> None:
        self.texts = texts
        self.places = places
        """Four numbers for each item: the line and column of its start, and of its end; 0-based."""

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[YamlNode]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, index: int) -> YamlNode:
        i = range(len(self))[index]
        line, column, end_line, end_column = self.places[4 * i : 4 * i + 4]
        return YamlNode(YamlPlace(line, column), YamlPlace(end_line, end_column), self.texts[i])


def documents(text: str, source: str, above: int = 0) -> Iterator[YamlNode]:
    """Yield the root node of each document. Raise InputError."""
    control = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if control is None and not text.isascii():
        control = re.search("[\x85\u2028\u2029]", text)  # libyaml takes these for line endings
    if control is not None:
        from implicitgrad.readers.yaml.faults import control_character

        raise control_character(text, control.start(), source, above)
    if "\\u" in text and text.lstrip().startswith("{"):
        from implicitgrad.readers.yaml.faults import join_surrogates

        text = join_surrogates(text)
    loader = _LOADER(text)
    try:
        while True:
            event = loader.get_event()
            if isinstance(event, yaml.StreamEndEvent):
                return
            if isinstance(event, yaml.DocumentStartEvent):
                yield _node(loader, loader.get_event(), source, above, 0)
    except yaml.YAMLError as error:
        from implicitgrad.readers.yaml.faults import syntax_error

        raise syntax_error(error, text, MAX_DEPTH, source, above) from None
    finally:
        loader.dispose()


def _node(loader: Loader, event: Event, source: str, above: int, depth: int) -> YamlNode:
    mark = _below(above, event.start_mark)
    kind = type(event)
    if kind is yaml.AliasEvent or event.anchor is not None or event.tag is not None:
        raise _refused(event, mark, source)
    if kind is _SCALAR:
        return YamlNode(mark, _below(above, event.end_mark), event.value)
    if depth == MAX_DEPTH:
        raise _refused(event, mark, source)
    is_flow = event.flow_style
    items: list[YamlNode] = []
    if kind is _SEQUENCE:
        scalars, child = _scalars(loader, above)
        if type(child) is _SEQUENCE_END:
            return YamlNode(mark, _below(above, child.end_mark), items=scalars, is_flow=is_flow)
        items += scalars
    else:
        child = loader.get_event()
    closing = _SEQUENCE_END if kind is _SEQUENCE else _MAPPING_END
    while type(child) is not closing:
        items.append(_node(loader, child, source, above, depth + 1))
        child = loader.get_event()
    end_mark = _below(above, child.end_mark)
    if kind is _SEQUENCE:
        return YamlNode(mark, end_mark, items=items, is_flow=is_flow)
    return YamlNode(mark, end_mark, pairs=list(zip(items[::2], items[1::2], strict=True)), is_flow=is_flow)


def _refused(event: Event, mark: Mark, source: str) -> InputError:
    from implicitgrad.readers.yaml.faults import refused

    return refused(event, MAX_DEPTH, source, (mark.line + 1, mark.column + 1))


def _below(above: int, mark: Mark) -> Mark:
    """Return a mark of a text as one of the source that contains it."""
    return YamlPlace(mark.line + above, mark.column) if above else mark


def _scalars(loader: Loader, above: int) -> tuple[Scalars, Event]:
    """Return the plain scalars that follow, and the event after them."""
    texts: list[str] = []
    places: list[int] = []
    get_event = loader.get_event
    while type(event := get_event()) is _SCALAR and event.anchor is None and event.tag is None:
        start: Any = event.start_mark
        end: Any = event.end_mark
        texts.append(event.value)
        places += (start.line + above, start.column, end.line + above, end.column)
    return Scalars(texts, places), event


def source_value(node: YamlNode, source: str) -> SourceValue:
    """Return a node as a value with its places."""

    def at(path: Path) -> YamlNode:
        here = node
        for index in path:
            assert here.items is not None
            here = here.items[index]
        return here

    return SourceValue(_plain(node), source, lambda path: at(path).position, span=lambda path: span_of(at(path)))


def source_list(node: YamlNode, source: str) -> SourceValue:
    """Return a node that is a list as a value; one name or number stands for a list of it."""
    if not node.text or "," in node.text:
        return source_value(node, source)
    return source_value(YamlNode(node.mark, node.end_mark, items=[node], is_flow=True), source)


def source_matrix(node: YamlNode, source: str) -> SourceValue:
    """Return a node that is a matrix as a value; the numbers of a large one are parsed as doubles at once."""
    part = source_value(node, source)
    rows = [row.items.texts for row in node.items or () if isinstance(row.items, Scalars)]
    columns = len(rows[0]) if rows else 0
    if len(rows) * columns < LARGE or len(rows) != len(node.items or ()) or {len(row) for row in rows} != {columns}:
        return part
    from implicitgrad.readers.arrays.decimals import large_matrix

    found = large_matrix(rows)
    return part if found is None else part._replace(value=found)


def span_of(node: YamlNode) -> Span:
    """Return the start of a node and the end of its last child, without the comments and blank lines that follow."""
    children = node.items if node.items is not None else [part for pair in node.pairs or () for part in pair]
    if children and not node.is_flow:
        return node.position, span_of(children[-1])[1]
    return node.position, (node.end_mark.line + 1, node.end_mark.column + 1)


def _plain(node: YamlNode) -> object:
    """Return nested lists and mappings of texts."""
    if isinstance(node.items, Scalars):
        return node.items.texts
    if node.items is not None:
        return [_plain(item) for item in node.items]
    if node.pairs is not None:
        return {key.text or "": _plain(value) for key, value in node.pairs}
    return node.text

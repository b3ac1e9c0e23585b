"""The nodes of a YAML text, from parse events: numbers keep their texts, and no objects are constructed.

The events carry positions and the text of every scalar. Aliases, anchors, tags and merge keys are refused where they
stand, and depth is counted, so that no document can grow when it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from implicitgrad.model.spec import Path, SourceValue
from implicitgrad.text.characters import quoted

if TYPE_CHECKING:
    from implicitgrad.model.site import Span

MAX_DEPTH = 8
LINE_ENDINGS = "\x85\u2028\u2029"
"""Characters that libyaml takes for line endings, and editors do not."""

Untyped = Any
"""A loader, an event or a mark of PyYAML, whose stubs lack attributes of them."""

_SCALAR, _SEQUENCE, _END = yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.CollectionEndEvent
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlNode(NamedTuple):
    """A node of a document: a scalar's text, a list's items, or a mapping's pairs of key and value."""

    position: tuple[int, int]
    """The line and column of its start, 1-based."""
    end: tuple[int, int]
    """Those of its end, which is after following comments unless it is in flow style."""
    text: str | None = None
    items: list[YamlNode] | Scalars | None = None
    pairs: list[tuple[YamlNode, YamlNode]] | None = None
    is_flow: bool = False

    @property
    def value(self) -> object:
        """Return the text, or nested lists and mappings of texts."""
        if isinstance(self.items, Scalars):
            return self.items.texts
        if self.items is not None:
            return [item.value for item in self.items]
        if self.pairs is not None:
            return {key.text or "": node.value for key, node in self.pairs}
        return self.text

    @property
    def span(self) -> Span:
        """Return its start and the end of its last child, without the comments and blank lines that follow."""
        children = self.items if self.items is not None else [part for pair in self.pairs or () for part in pair]
        return self.position, children[-1].span[1] if children and not self.is_flow else self.end

    def at(self, path: Path) -> YamlNode:
        """Return the item at a path."""
        here = self
        for index in path:
            assert here.items is not None
            here = here.items[index]
        return here

    def __str__(self) -> str:
        if self.text is not None:
            return quoted(self.text) if self.text else "nothing"
        return "a list" if self.pairs is None else "a mapping"


class Scalars:
    """The items of a list of scalars only, which become nodes on access; a matrix has many."""

    def __init__(self, texts: list[str], places: list[int], first_line: int) -> None:
        self.texts, self.places, self.first_line = texts, places, first_line
        """Four places for each item: the line and column of its start, and of its end; 0-based in the text."""

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[YamlNode]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, index: int) -> YamlNode:
        i = range(len(self))[index]
        line, column, end_line, end_column = self.places[4 * i : 4 * i + 4]
        start, end = (line + self.first_line, column + 1), (end_line + self.first_line, end_column + 1)
        return YamlNode(start, end, self.texts[i])


def documents(text: str, source: str, first_line: int = 1) -> Iterator[YamlNode]:
    """Yield the root node of each document. Raise InputError.

    first_line : the line of the source on which the text begins.
    """
    if "\\u" in text or any(one in text for one in LINE_ENDINGS) or yaml.reader.Reader.NON_PRINTABLE.search(text):
        from implicitgrad.readers.yaml.faults import with_known_characters

        text = with_known_characters(text, LINE_ENDINGS, source, first_line)
    loader = _LOADER(text)
    try:
        while loader.check_event():
            if isinstance(loader.get_event(), yaml.DocumentStartEvent):
                yield _node(loader, loader.get_event(), source, first_line, 0)
    except yaml.YAMLError as error:
        from implicitgrad.readers.yaml.faults import syntax_error

        raise syntax_error(error, text, MAX_DEPTH, source, first_line) from None
    finally:
        loader.dispose()


def _node(loader: Untyped, event: Untyped, source: str, first_line: int, depth: int) -> YamlNode:
    start, kind = _place(event.start_mark, first_line), type(event)
    if event.anchor is not None or event.tag is not None or (depth == MAX_DEPTH and kind is not _SCALAR):
        from implicitgrad.readers.yaml.faults import refused

        raise refused(event, MAX_DEPTH, source, start)
    if kind is _SCALAR:
        return YamlNode(start, _place(event.end_mark, first_line), event.value)
    nodes: list[YamlNode] = []
    if kind is _SEQUENCE:
        scalars, child = _scalars(loader, first_line)
        if isinstance(child, _END):
            return YamlNode(start, _place(child.end_mark, first_line), items=scalars, is_flow=event.flow_style)
        nodes += scalars
    else:
        child = loader.get_event()
    while not isinstance(child, _END):
        nodes.append(_node(loader, child, source, first_line, depth + 1))
        child = loader.get_event()
    end = _place(child.end_mark, first_line)
    if kind is _SEQUENCE:
        return YamlNode(start, end, items=nodes, is_flow=event.flow_style)
    return YamlNode(start, end, pairs=list(zip(nodes[::2], nodes[1::2], strict=True)), is_flow=event.flow_style)


def _place(mark: Untyped, first_line: int) -> tuple[int, int]:
    return mark.line + first_line, mark.column + 1


def _scalars(loader: Untyped, first_line: int) -> tuple[Scalars, Untyped]:
    """Return the plain scalars that follow, and the event after them."""
    texts: list[str] = []
    places: list[int] = []
    get_event = loader.get_event
    while type(event := get_event()) is _SCALAR and event.anchor is None and event.tag is None:
        start: Untyped = event.start_mark
        end: Untyped = event.end_mark
        texts.append(event.value)
        places += (start.line, start.column, end.line, end.column)
    return Scalars(texts, places, first_line), event


def source_value(node: YamlNode, source: str) -> SourceValue:
    """Return a node as a value with its places."""
    return SourceValue(node.value, source, lambda path: node.at(path).position, span=lambda path: node.at(path).span)


def source_list(node: YamlNode, source: str) -> SourceValue:
    """Return a node that is a list as a value; one name or number stands for a list of it."""
    if node.text and "," not in node.text:
        node = YamlNode(node.position, node.end, items=[node], is_flow=True)
    return source_value(node, source)

"""YAML, and JSON as its subset, from parse events: a number is what its text says, and nothing is constructed.

The events carry positions and the text of every scalar. Aliases, anchors, tags and merge keys are refused where they
stand, and depth is counted, so that no document can grow when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import yaml

from implicitgrad.model.spec import CLAIMS, UNSTATED, CsvFormat, Path, Site, SourceValue, Span, SystemSpec
from implicitgrad.numbers.ball import Decimals
from implicitgrad.readers.keys import PASSED_OVER, hint_at_key, is_record, spelled
from implicitgrad.readers.source import stem
from implicitgrad.text.characters import nearest, printable, quoted
from implicitgrad.text.errors import MAX_PROBLEMS_SHOWN, InputError, Problem
from implicitgrad.text.number_grammar import NumberError, parse_number, to_float

KEYS = ("name", "A", "B", "dL_dy", "x", "y", "equations", "at", "solve_for", "expect")
DEEPEST = 8
TOO_DEEP = f"expected at most {DEEPEST} levels of nesting, got more"
MATRICES = ("dy_dx", "dL_dx")
NULLS = ("null", "~")
LARGE = 2**12
"""Entries of a matrix; numpy takes longer to be loaded than fewer take to be read one by one."""

_SURROGATES = r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
"""A pair of JSON escapes for one character beyond U+FFFF, which YAML writes as one escape."""
_SCALAR = yaml.ScalarEvent
_SEQUENCE, _SEQUENCE_END, _MAPPING_END = yaml.SequenceStartEvent, yaml.SequenceEndEvent, yaml.MappingEndEvent
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlNode(NamedTuple):
    """A piece of a document: a scalar's text, a list's items, or a mapping's pairs of key and value."""

    mark: Any
    """The PyYAML mark where it starts; line and column 0-based."""
    end_mark: Any
    """Where it ends; what is not in flow style ends late, behind comments."""
    text: str | None = None
    items: Sequence[YamlNode] | None = None
    pairs: list[tuple[YamlNode, YamlNode]] | None = None
    is_flow: bool = False

    @property
    def position(self) -> tuple[int, int]:
        """(line, column), 1-based."""
        return self.mark.line + 1, self.mark.column + 1

    def __str__(self) -> str:
        if self.text is not None:
            return quoted(self.text) if self.text else "nothing"
        return "a list" if self.pairs is None else "a mapping"


if TYPE_CHECKING:
    from implicitgrad.readers.equations import EquationLine, Point

    Nodes = Sequence[YamlNode]
else:
    Nodes = object  # to ask whether something is an instance of an abstract class takes ten times as long


class YamlPlace(NamedTuple):
    """As much of a PyYAML mark as is kept of each of many."""

    line: int
    column: int


class Scalars(Nodes):
    """A list's items where all of them are scalars: a matrix has many, and few are ever looked at."""

    def __init__(self, texts: list[str], places: list[int]) -> None:
        self.texts = texts
        self.places = places
        """Of each item four numbers: the line and column where it starts, and where it ends; 0-based."""

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, index: int) -> YamlNode: ...
    @overload
    def __getitem__(self, index: slice) -> list[YamlNode]: ...
    def __getitem__(self, index: int | slice) -> YamlNode | list[YamlNode]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        i = range(len(self))[index]
        line, column, end_line, end_column = self.places[4 * i : 4 * i + 4]
        return YamlNode(YamlPlace(line, column), YamlPlace(end_line, end_column), self.texts[i])


def read_yaml(text: str, source: str, name: str, above: int = 0) -> list[SystemSpec]:
    """The systems of a YAML stream, one a document. Raises InputError.

    above : how many lines of the source stand before the text.
    """
    specs = []
    for number, node in enumerate(_documents(text, source, above), start=1):
        specs.append(_spec(node, source if number == 1 else f"{source}#{number}", source, name, text))
    if not specs:
        raise InputError([Problem("empty; expected a system", code="empty", source=source)])
    return specs


def read_systems(text: str, source: str, _: CsvFormat = UNSTATED) -> list[SystemSpec]:
    """Return the systems of a file, one a document. Raise InputError."""
    return read_yaml(text, source, stem(source))


def read_matrix(text: str, source: str, _: CsvFormat = UNSTATED) -> SourceValue:
    """Return the one bare matrix or vector of a file. Raise InputError."""
    nodes = list(_documents(text, source))
    if len(nodes) != 1 or nodes[0].pairs is not None:
        found = "a mapping" if len(nodes) == 1 else f"{len(nodes)} documents"
        raise InputError([Problem(f"expected one list of numbers, got {found}", source=source)])
    return _part(nodes[0], source)


def _spec(node: YamlNode, document: str, source: str, name: str, text: str) -> SystemSpec:
    spec = SystemSpec(document, {}, name)
    spec.site = partial(_site, node)

    def refuse(message: str, at: YamlNode, hint: str | None = None, code: str = "bad-key") -> None:
        spec.problems.append(Problem(message, hint, code).at(source, at.position))

    if node.pairs is None:
        hint = "For CSV give the file a .csv name, or --delimiter" if node.text != "" else "The document is empty"
        refuse(f"expected a mapping with the key A, got {node}", node, hint, "bad-syntax")
        raise InputError(spec.problems)
    seen: dict[str, YamlNode] = {}
    equations: dict[str, YamlNode] = {}
    for key_node, value in node.pairs:
        written = key_node.text or ""
        key = spelled(written)
        if key not in KEYS:
            is_shown = len(spec.problems) < MAX_PROBLEMS_SHOWN
            likely = hint_at_key(written, KEYS, "expect: {{{}: ...}}") if is_shown else None
            refuse(f"unknown key {key_node}; expected one of {', '.join(KEYS)}", key_node, likely)
            continue
        if key in seen:
            refuse(f"duplicate key {quoted(key)}, first on line {seen[key].position[0]}", key_node, "Keep one of them")
            continue
        seen[key] = key_node
        if key == "name":
            spec.name = value.text or ""
            if not spec.name.strip():
                refuse(f"name: expected a text, got {value}", value, code="bad-name")
        elif key == "expect":
            if value.pairs is None:
                refuse(f"expect: expected a mapping, got {value}", value, code="bad-shape")
            value = _judged(value)
            _check_claims(value, refuse)
            spec.expect = partial(_claims, value, source)
            spec.site = partial(_site, node, value)
        elif key in ("equations", "at", "solve_for"):
            equations[key] = value
        else:
            spec.values[key] = _matrix(value, source) if key in ("A", "B") else _list(value, source)
    for key in ("at", "solve_for"):
        if key in seen and "equations" not in seen:
            refuse(f"{key}: expected it beside equations, got none", seen[key])
    if "equations" in equations:
        _add_equations(spec, equations, seen, source, text)
    elif "A" not in seen:
        refuse("the key A is missing; expected A: [[...], ...]", node, code="missing-A")
    return spec


def _add_equations(
    spec: SystemSpec, given: dict[str, YamlNode], keys: dict[str, YamlNode], source: str, text: str
) -> None:
    """Equations in the place of A and B."""
    from implicitgrad.readers.equations import read_equations

    node = given["equations"]
    for key in ("A", "B"):
        if key in keys:
            message = f"expected {key} or equations, got both"
            spec.problems.append(Problem(message, "Keep one of them", "bad-key").at(source, keys[key].position))
    items = node.items if node.items is not None else [node]
    if any(item.text is None for item in items):
        message = f"equations: expected a list of texts, got {node}"
        spec.problems.append(Problem(message, '- "x1 = 2*y1 + y2"', "bad-shape").at(source, node.position))
    point = _point(spec, given, source)
    if spec.problems:
        raise InputError(spec.problems)
    lines = [line for item in items for line in _lines(item, source, text)]
    found = read_equations(lines, spec.values.get("y"), spec.values.get("x"), source, point)
    spec.take(found)


def _lines(node: YamlNode, source: str, text: str) -> Iterator[EquationLine]:
    """The equations of a scalar, one a line where it has several, as a block has: ``equations: |``.

    text : the whole file.
    """
    from implicitgrad.readers.equations import EquationLine

    if "\n" not in (node.text or ""):
        yield _line(node, source)
        return
    below = text.split("\n")[node.mark.line + 1 : node.end_mark.line + 1]
    for number, line in enumerate((node.text or "").split("\n")):
        equation = line.partition("#")[0].strip()
        if equation:
            column = below[number].find(equation) if number < len(below) else -1
            first = node.position if column < 0 else (node.position[0] + number + 1, column + 1)
            yield EquationLine(equation, source, partial(_behind, first, is_known=column >= 0))


def _behind(first: tuple[int, int], offset: int, *, is_known: bool) -> tuple[int, int]:
    """Where a place in an equation stands; where the equation starts if its text is escaped."""
    return first[0], first[1] + offset * is_known


def _line(node: YamlNode, source: str) -> EquationLine:
    from implicitgrad.readers.equations import EquationLine

    return EquationLine(node.text or "", source, partial(_within, node))


def _point(spec: SystemSpec, given: dict[str, YamlNode], source: str) -> Point | None:
    """What ``at`` and ``solve_for`` say."""
    from implicitgrad.readers.equations import Point

    def refuse(message: str, at: YamlNode) -> None:
        spec.problems.append(Problem(message, "at: {x: 3, y: 4}", "bad-shape").at(source, at.position))

    at, solve_for = given.get("at"), given.get("solve_for")
    if at is None:
        if solve_for is not None:
            refuse("solve_for: expected the point to start from, at, beside it, got none", solve_for)
        return None
    if at.pairs is None or any(value.text is None for _, value in at.pairs):
        refuse(f"at: expected a number for each name, got {at}", at)
        return None
    for first, second in _duplicates(at):
        refuse(f"at: duplicate name {quoted(second.text or '')}, first on line {first.position[0]}", second)
    names: Sequence[YamlNode] = ()
    if solve_for is not None:
        names = solve_for.items if solve_for.items is not None else [solve_for]
    for name in names:
        if name.text not in {key.text for key, _ in at.pairs}:
            refuse(f"solve_for: expected a name that at has a value for, to start from, got {name}", name)
    values = {key.text or "": _line(value, source) for key, value in at.pairs}
    return Point(values, [name.text or "" for name in names], source, at.position)


def _within(node: YamlNode, offset: int) -> tuple[int, int]:
    """Where a place in a scalar's text stands, if that is on one line as it is; else where the scalar starts."""
    line, column = node.position
    surplus = node.end_mark.column - node.mark.column - len(node.text or "")
    is_plain = node.end_mark.line == node.mark.line and surplus in (0, 2)
    return (line, column + offset + surplus // 2) if is_plain else (line, column)


def _judged(claims: YamlNode) -> YamlNode:
    """Of a whole record of a solution what is judged; of any other mapping everything."""
    if not is_record([key.text or "" for key, _ in claims.pairs or ()]):
        return claims
    exact = next((dict(_by_key(value)) for key, value in claims.pairs or () if key.text == "exact"), {})
    kept = [
        (key, (_exactly(value, exact[key.text]) if key.text in exact else None) or value)
        for key, value in claims.pairs or ()
        if key.text not in PASSED_OVER and not (key.text == "dL_dx" and value.text in NULLS)
    ]
    return claims._replace(pairs=kept)


def _by_key(node: YamlNode) -> Iterator[tuple[str | None, YamlNode]]:
    for key, value in node.pairs or ():
        yield key.text, value


def _exactly(rounded: YamlNode, exact: YamlNode) -> YamlNode | None:
    """The exact numbers of a record in the place of its doubles; None where these are not the same rounded."""
    if rounded.text is not None and exact.text is not None:
        return rounded._replace(text=exact.text) if _is_rounded(rounded.text, exact.text) else None
    if rounded.items is not None and exact.items is not None and len(rounded.items) == len(exact.items):
        items = [_exactly(*both) for both in zip(rounded.items, exact.items, strict=True)]
        whole = [item for item in items if item is not None]
        return rounded._replace(items=whole) if len(whole) == len(items) else None
    if rounded.pairs is not None and exact.pairs is not None and len(rounded.pairs) == len(exact.pairs):
        by_key = dict(_by_key(exact))
        pairs = [(key, _exactly(value, by_key[key.text])) for key, value in rounded.pairs if key.text in by_key]
        known = [(key, value) for key, value in pairs if value is not None]
        return rounded._replace(pairs=known) if len(known) == len(rounded.pairs) else None
    return None


def _is_rounded(rounded: str, exact: str) -> bool:
    if rounded == exact:
        return True
    try:
        double = to_float(parse_number(exact))
        return rounded in NULLS if double is None else float(rounded) == double
    except (NumberError, ValueError):
        return False


def _check_claims(claims: YamlNode, refuse: Callable[[str, YamlNode, str | None], None]) -> None:
    """The keys of `expect`; what they claim is read by who checks it."""
    for key_node, _ in claims.pairs or ():
        if spelled(key_node.text or "") not in CLAIMS:
            likely = nearest(key_node.text or "", CLAIMS)
            refuse(f"expect: unknown key {key_node}; expected one of {', '.join(CLAIMS)}", key_node, likely)
    for first, second in _duplicates(claims):
        message = f"expect: duplicate key {quoted(second.text or '')}, first on line {first.position[0]}"
        refuse(message, second, "Keep one of them")


def _duplicates(node: YamlNode) -> Iterator[tuple[YamlNode, YamlNode]]:
    """Keys given twice in a mapping or in one inside it: the first and the second."""
    seen: dict[str, YamlNode] = {}
    for key_node, value in node.pairs or ():
        key = spelled(key_node.text or "")
        if key in seen:
            yield seen[key], key_node
        seen.setdefault(key, key_node)
        yield from _duplicates(value)


def read_yaml_claims(text: str, source: str) -> tuple[dict[str, SourceValue], Span]:
    """The claims of a text that holds one mapping of them, and where that stands. Raises InputError."""
    problems: list[Problem] = []

    def refuse(message: str, at: YamlNode, hint: str | None) -> None:
        problems.append(Problem(message, hint, "bad-key").at(source, at.position))

    nodes = list(_documents(text, source))
    if len(nodes) != 1:
        found = "nothing" if not nodes else f"{len(nodes)} documents"
        raise InputError([Problem(f"expect: expected a mapping, got {found}", code="bad-shape", source=source)])
    (node,) = nodes
    if node.pairs is None:
        refuse(f"expect: expected a mapping, got {node}", node, None)
    node = _judged(node)
    _check_claims(node, refuse)
    if problems:
        raise InputError(problems)
    return _claims(node, source), _span(node)


def _claims(node: YamlNode, source: str, prefix: str = "") -> dict[str, SourceValue]:
    """Each claim by its key, and what a mapping holds by the path to it, constraints.matrix."""
    claims: dict[str, SourceValue] = {}
    for key_node, value in node.pairs or ():
        key = f"{prefix}{spelled(key_node.text or '')}"
        part = _list(value, source) if key in MATRICES and value.text not in NULLS else _part(value, source)
        claims[key] = part._replace(key=key_node.position)
        claims |= _claims(value, source, f"{key}.")
    return claims


def _site(root: YamlNode, expect: YamlNode | None = None) -> Site:
    assert root.pairs is not None
    span = None if expect is None else _span(expect)
    (first, _), (_, last) = root.pairs[0], root.pairs[-1]
    line, column = _span(last)[1]
    if root.is_flow:
        is_on_one_line = first.mark.line == root.mark.line
        return Site("flow", (line, column), None if is_on_one_line else first.mark.column, span)
    return Site("block", (line + 1, 1), root.mark.column, span)


def _part(node: YamlNode, source: str) -> SourceValue:
    def at(path: Path) -> YamlNode:
        here = node
        for index in path:
            assert here.items is not None
            here = here.items[index]
        return here

    return SourceValue(_plain(node), source, lambda path: at(path).position, span=lambda path: _span(at(path)))


def _list(node: YamlNode, source: str) -> SourceValue:
    """A part that is a list; one name or number stands for a list of it."""
    if not node.text or "," in node.text:
        return _part(node, source)
    return _part(YamlNode(node.mark, node.end_mark, items=[node], is_flow=True), source)


def _matrix(node: YamlNode, source: str) -> SourceValue:
    """A part whose numbers, if there are very many, are doubles at once."""
    part = _part(node, source)
    rows = [row.items.texts for row in node.items or () if isinstance(row.items, Scalars)]
    columns = len(rows[0]) if rows else 0
    if len(rows) * columns < LARGE or len(rows) != len(node.items or ()) or {len(row) for row in rows} != {columns}:
        return part
    lines = [",".join(row) for row in rows]
    if any(" " in line or "\t" in line for line in lines):
        return part
    from implicitgrad.readers.decimals import from_lines

    found = from_lines(lines, ",", columns)
    return part if found is None else part._replace(value=Decimals(*found, lambda: list(rows)))


def _span(node: YamlNode) -> Span:
    """From where a node starts to where the last of it ends, without the comments and blank lines that follow."""
    children = node.items if node.items is not None else [part for pair in node.pairs or () for part in pair]
    if children and not node.is_flow:
        return node.position, _span(children[-1])[1]
    return node.position, (node.end_mark.line + 1, node.end_mark.column + 1)


def _plain(node: YamlNode) -> object:
    """Nested lists and mappings of texts."""
    if isinstance(node.items, Scalars):
        return node.items.texts
    if node.items is not None:
        return [_plain(item) for item in node.items]
    if node.pairs is not None:
        return {key.text or "": _plain(value) for key, value in node.pairs}
    return node.text


def _documents(text: str, source: str, above: int = 0) -> Iterator[YamlNode]:
    """The root node of each document."""
    _refuse_control_characters(text, source, above)
    if text.lstrip().startswith("{") and "\\u" in text:
        text = re.sub(_SURROGATES, _one_escape, text)
    loader = _LOADER(text)
    try:
        while True:
            event = loader.get_event()
            if isinstance(event, yaml.StreamEndEvent):
                return
            if isinstance(event, yaml.DocumentStartEvent):
                yield _node(loader, loader.get_event(), source, above, 0)
    except yaml.YAMLError as error:
        raise _syntax_error(error, text, source, above) from None
    finally:
        loader.dispose()


def _one_escape(pair: re.Match[str]) -> str:
    backslashes, high, low = pair.groups()
    return f"{backslashes}\\U{0x10000 + (int(high, 16) - 0xD800) * 0x400 + int(low, 16) - 0xDC00:08X}"


def _node(loader: Any, event: Any, source: str, above: int, depth: int) -> YamlNode:
    mark = _below(above, event.start_mark)
    kind = type(event)
    if kind is _SCALAR and event.anchor is None and event.tag is None:
        return YamlNode(mark, _below(above, event.end_mark), event.value)
    if kind is yaml.AliasEvent:
        raise _refused(f"expected plain values, got {quoted('*' + event.anchor)}", mark, source, "Write the values out")
    if event.anchor is not None:
        raise _refused(f"expected plain values, got {quoted('&' + event.anchor)}", mark, source, "Write the values out")
    if event.tag is not None:
        raise _refused(f"expected plain values, got the tag {quoted(event.tag)}", mark, source, "Leave the tag out")
    if depth == DEEPEST:
        raise _refused(TOO_DEEP, mark, source)
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


def _below(above: int, mark: Any) -> Any:
    """A mark of a text as one of the source that it is in."""
    return YamlPlace(mark.line + above, mark.column) if above else mark


def _scalars(loader: Any, above: int) -> tuple[Scalars, Any]:
    """The plain scalars that come next, and the event that ends them."""
    texts: list[str] = []
    places: list[int] = []
    get_event = loader.get_event
    while type(event := get_event()) is _SCALAR and event.anchor is None and event.tag is None:
        start: Any = event.start_mark
        end: Any = event.end_mark
        texts.append(event.value)
        places += (start.line + above, start.column, end.line + above, end.column)
    return Scalars(texts, places), event


def _refused(message: str, mark: Any, source: str, hint: str | None = None) -> InputError:
    return InputError([Problem(message, hint, "bad-syntax").at(source, (mark.line + 1, mark.column + 1))])


def _refuse_control_characters(text: str, source: str, above: int) -> None:
    """libyaml refuses most of them too, but says where in bytes; the others it takes for ends of lines."""
    match = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if match is None and not text.isascii():
        match = re.search("[\x85\u2028\u2029]", text)
    if match:
        before = text[: match.start()].split("\n")
        problem = Problem(f"expected text, got the character {quoted(match.group())}", "Remove it", "bad-syntax")
        raise InputError([problem.at(source, (len(before) + above, len(before[-1]) + 1))])


def _syntax_error(error: yaml.YAMLError, text: str, source: str, above: int) -> InputError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reasons = [getattr(error, "context", None), getattr(error, "problem", None)]
    reason = ", ".join(part for part in reasons if part) or printable(str(error))
    position = hint = None
    if mark is not None:
        position = mark.line + 1 + above, mark.column + 1
        lines = text.splitlines()
        if mark.line < len(lines) and "\t" in lines[mark.line]:
            hint = "The line has a tab; YAML indents with spaces"
    message = TOO_DEEP if "nesting depth" in reason else f"not valid YAML: {reason}"  # the C parser counts, too
    return InputError([Problem(message, hint, "bad-syntax").at(source, position)])

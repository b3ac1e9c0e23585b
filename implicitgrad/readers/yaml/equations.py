"""Read the equations in a YAML document, with the point of the derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from implicitgrad.model.spec import SystemSpec
from implicitgrad.readers.equations.reader import EquationLine, Point, add_linearization, read_equations
from implicitgrad.readers.yaml.keys import duplicates
from implicitgrad.readers.yaml.nodes import YamlNode
from implicitgrad.text.errors import InputError


def add_equations(
    spec: SystemSpec,
    given: dict[str, YamlNode],
    keys: dict[str, YamlNode],
    source: str,
    text: str,
    refuse: Callable[..., None],
) -> None:
    """Add the equations of a document to a spec, in place of A and B. Raise InputError."""
    node = given["equations"]
    for key in ("A", "B"):
        if key in keys:
            refuse(f"expected {key} or equations, got both", keys[key], "Keep one of them")
    items = node.items if node.items is not None else [node]
    if any(item.text is None for item in items):
        refuse(f"equations: expected a list of texts, got {node}", node, '- "x1 = 2*y1 + y2"', "bad-shape")
    point = read_point(given, source, refuse)
    if spec.problems:
        raise InputError(spec.problems)
    lines = [line for item in items for line in equation_lines(item, source, text)]
    add_linearization(spec, read_equations(lines, spec.values.get("y"), spec.values.get("x"), source, point))


def equation_lines(node: YamlNode, source: str, text: str) -> Iterator[EquationLine]:
    """Yield the equations of a scalar, one a line if it has several, as in a block: ``equations: |``.

    text : that of the file.
    """
    if "\n" not in (node.text or ""):
        yield equation_line(node, source)
        return
    below = text.split("\n")[node.position[0] : node.end[0]]
    for number, line in enumerate((node.text or "").split("\n")):
        equation = line.partition("#")[0].strip()
        if equation:
            column = below[number].find(equation) if number < len(below) else -1
            first = node.position if column < 0 else (node.position[0] + number + 1, column + 1)
            yield EquationLine(equation, source, partial(_shifted, first, is_known=column >= 0))


def _shifted(first: tuple[int, int], offset: int, *, is_known: bool) -> tuple[int, int]:
    """Return the position of an offset in an equation; that of its start if its text is escaped."""
    return first[0], first[1] + offset * is_known


def equation_line(node: YamlNode, source: str) -> EquationLine:
    """Return the one line that a scalar is."""
    return EquationLine(node.text or "", source, partial(_within, node))


def read_point(given: dict[str, YamlNode], source: str, refuse: Callable[..., None]) -> Point | None:
    """Return the point that ``at`` and ``solve_for`` state, if any."""
    refuse = partial(refuse, hint="at: {x: 3, y: 4}", code="bad-shape")
    at, solve_for = given.get("at"), given.get("solve_for")
    if at is None:
        if solve_for is not None:
            refuse("solve_for: expected the point to start from, at, beside it, got none", solve_for)
        return None
    if at.pairs is None or any(value.text is None for _, value in at.pairs):
        refuse(f"at: expected a number for each name, got {at}", at)
        return None
    for name, value in at.pairs:
        if not value.text:
            from implicitgrad.text.hints import DECIMAL_POINT

            message = f"at: expected a number for {name}, got none"
            hint = {"hint": DECIMAL_POINT} if (name.text or "").isdigit() else {}
            refuse(message, name, code="bad-syntax", **hint)
    for message, second in duplicates(at, "at: duplicate name"):
        refuse(message, second)
    names: list[YamlNode] = []
    if solve_for is not None:
        names = list(solve_for.items) if solve_for.items is not None else [solve_for]
    for name in names:
        if name.text not in {key.text for key, _ in at.pairs}:
            refuse(f"solve_for: expected a name that at has a value for, to start from, got {name}", name)
    values = {key.text or "": equation_line(value, source) for key, value in at.pairs}
    return Point(values, [name.text or "" for name in names], source, at.position)


def _within(node: YamlNode, offset: int) -> tuple[int, int]:
    """Return the position of an offset in a scalar's text; that of its start if it spans lines or is escaped."""
    line, column = node.position
    last_line, end = node.end
    surplus = end - column - len(node.text or "")
    is_plain = last_line == line and surplus in (0, 2)
    return (line, column + offset + surplus // 2) if is_plain else (line, column)

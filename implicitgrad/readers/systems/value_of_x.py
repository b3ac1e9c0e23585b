"""Read the value of x beside matrices: a list in the order of x, or a mapping by names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.readers.systems.matrices import MatrixParser, ParsedMatrix
from implicitgrad.readers.yaml.keys import duplicates
from implicitgrad.readers.yaml.nodes import YamlNode, source_list
from implicitgrad.text.characters import count, printable, quoted
from implicitgrad.text.hints import DECIMAL_POINT, nearest

OPTION = "--at"
MAX_LISTED = 10
"""The most names that a message lists."""


def add_value_of_x(
    spec: SystemSpec,
    given: Mapping[str, YamlNode],
    keys: Mapping[str, YamlNode],
    source: str,
    refuse: Callable[[str, YamlNode], None],
) -> None:
    """Add the value of x in a YAML document of matrices to its spec. refuse : reports a problem at a node."""
    if "solve_for" in given:
        refuse("solve_for: expected it beside equations, got none", keys["solve_for"])
    if "at" not in given:
        return
    at = given["at"]
    if at.pairs is None:
        spec.values["x_value"] = source_list(at, source)
        return
    for message, second in duplicates(at, "at: duplicate name"):
        refuse(message, second)
    nodes = [number for _, number in at.pairs]
    spec.values["x_value"] = SourceValue(
        {name.text or "": number.value for name, number in at.pairs},
        source,
        lambda path: nodes[path[0]].position if path else at.position,
    )


def parse_value_of_x(parser: MatrixParser, x: tuple[str, ...], y: tuple[str, ...]) -> ParsedMatrix | None:
    """Return the value of x as one row; None if something was refused."""
    spec = parser.spec
    given = spec.values["x_value"]
    if isinstance(given.value, Mapping):
        if not _has_each_name(parser, given.value, x, y):
            return None
        order = [list(given.value).index(name) for name in x]
        listed = [given.value[name] for name in x]
        spec.values["x_value"] = given._replace(
            value=listed, locate=lambda path: given.locate((order[path[0]],) if path else ()), span=None
        )
    return parse_row(parser, "x_value", x)


def parse_row(parser: MatrixParser, key: str, x: tuple[str, ...]) -> ParsedMatrix | None:
    """Return a number for each input as one row; None if something was refused."""
    found, is_vector = parser.rows_or_vector(key)
    if found is not None and (not is_vector or found.shape[1] != len(x)):
        got = count(found.shape[1], "entry") if is_vector else count(len(found), "row")
        parser.refuse(key, (), f"{key} has {got}; expected {count(len(x), 'entry')}, one for each input x")
        return None
    return found


def _has_each_name(parser: MatrixParser, given: Mapping[str, object], x: tuple[str, ...], y: tuple[str, ...]) -> bool:
    """Return whether each input has a value and nothing else has, and report what is wrong."""
    before = len(parser.problems)
    prefix = "" if parser.spec.values["x_value"].source == OPTION else "at: "
    inputs = ", ".join(map(printable, x[:MAX_LISTED])) + (", …" if len(x) > MAX_LISTED else "")
    for i, name in enumerate(given):
        if name not in x:
            hint = "y is solved for" if name in y else nearest(name, x)
            if name.isdigit() and not given[name]:  # {x1: 3,5}
                hint = DECIMAL_POINT
            message = f"{prefix}expected values of the inputs, {inputs}, got one of {quoted(name)}"
            parser.refuse("x_value", (i,), message, hint, "bad-point")
    if missing := [name for name in x if name not in given]:
        listed = ", ".join(map(printable, missing[:MAX_LISTED]))
        rest = f" and {len(missing) - MAX_LISTED:,} more" if len(missing) > MAX_LISTED else ""
        message = f"{prefix}expected a value for {listed}{rest}, got none"
        parser.refuse("x_value", (), message, code="bad-point")
    return len(parser.problems) == before

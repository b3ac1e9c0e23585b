"""Read the objective and the constraints in a YAML document as expressions, with the point of the derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from implicitgrad.model.program.spec import ProgramSpec
from implicitgrad.model.spec import SystemSpec
from implicitgrad.readers.equations.reader import EquationLine
from implicitgrad.readers.program.expressions import ConstraintLine, Objective, read_program, split_name
from implicitgrad.readers.yaml.equations import equation_line, equation_lines, read_point
from implicitgrad.readers.yaml.keys import duplicates
from implicitgrad.readers.yaml.nodes import YamlNode, source_list
from implicitgrad.text.errors import InputError

ARRAYS = ("P", "q", "G", "h", "A", "b", "lb", "ub", "names")


def add_expressions(
    spec: SystemSpec,
    given: dict[str, YamlNode],
    keys: dict[str, YamlNode],
    source: str,
    text: str,
    refuse: Callable[..., None],
) -> None:
    """Add the names in a document, and its expressions in place of P, q, G and so on, to a ProgramSpec.

    Raise InputError.
    """
    assert isinstance(spec, ProgramSpec)
    if "names" in given:
        _add_names(spec, given["names"], source, refuse)
    key = next((key for key in given if key in ("minimize", "maximize")), None)
    if key is None:
        strange = [one for one in ("subject_to", "z", "at") if one in keys]
        for one in strange:
            refuse(f"{one}: expected it beside minimize or maximize, got none", keys[one])
        if strange:
            raise InputError(spec.problems)
        return
    if "minimize" in given and "maximize" in given:
        refuse("expected minimize or maximize, got both", keys["maximize"], "Keep one of them")
    for array in ARRAYS:
        if array in keys:
            refuse(f"expected {array} or {key}, got both", keys[array], "Keep one of them")
    if given[key].text is None:
        refuse(f"{key}: expected an expression, got {given[key]}", given[key], f"{key}: (z1 - c)^2", "bad-shape")
    constraints = list(_constraints(given["subject_to"], source, text, refuse)) if "subject_to" in given else []
    point = read_point(given, source, refuse)
    if spec.problems:
        raise InputError(spec.problems)
    objective = Objective(_on_one_line(given[key], source), key == "maximize")
    spec.expressions = partial(read_program, objective, constraints, point=point, source=spec.source)


def _constraints(node: YamlNode, source: str, text: str, refuse: Callable[..., None]) -> Iterator[ConstraintLine]:
    """Yield the constraints of a mapping by name, of a list, or of a text."""

    def refuse_nested(at: YamlNode) -> None:
        hint = "subject_to: {capacity: z1 + z2 <= 4, sign: z1 >= 0}"
        refuse(f"subject_to: expected constraints as texts, got {at}", at, hint, "bad-shape")

    for message, second in duplicates(node, "subject_to: duplicate name"):
        refuse(message, second, code="bad-name")
    for item in node.items if node.items is not None else [node]:
        if item.pairs is not None:
            for name, value in item.pairs:
                if value.text is None:
                    refuse_nested(value)
                else:
                    yield ConstraintLine(_on_one_line(value, source), name.text or "")
        elif item.text is None:
            refuse_nested(item)
        else:
            yield from map(split_name, equation_lines(item, source, text))


def _on_one_line(node: YamlNode, source: str) -> EquationLine:
    line = equation_line(node, source)
    return line._replace(text=line.text.replace("\n", " "))


def _add_names(spec: ProgramSpec, value: YamlNode, source: str, refuse: Callable[..., None]) -> None:
    """Read the names of a quadratic program's unknowns and constraints."""
    if value.pairs is None:
        refuse(f"names: expected a mapping such as {{z: [bread, cake]}}, got {value}", value, code="bad-shape")
    for key_node, names in value.pairs or ():
        if key_node.text not in ("z", "G", "A"):
            refuse(f"names: unknown key {key_node}; expected one of z, G, A", key_node)
        spec.values[f"names.{key_node.text}"] = source_list(names, source)

"""Read systems from YAML, and JSON as its subset, one a document."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from implicitgrad.model.spec import CLAIMS, PROGRAM_MARKS, SourceValue, SystemSpec, spelled
from implicitgrad.readers.sources import stem
from implicitgrad.readers.yaml.nodes import YamlNode, documents, source_list, source_value
from implicitgrad.text.errors import MAX_PROBLEMS_SHOWN, InputError, Problem

if TYPE_CHECKING:
    from implicitgrad.model.site import Site

KEYS: tuple[str, ...] = ("name", "A", "B", "dL_dy", "x", "y", "equations", "at", "solve_for", "expect")
READ_LAST = ("equations", "at", "solve_for", "minimize", "maximize", "subject_to", "names")
"""Keys whose values need the others, and readers that a system of plain matrices does not load."""
NO_LISTS = ("A", "B", "P", "G", "lb", "ub")
"""Keys of which one number does not stand for a list of it; it may stand for the bounds of all unknowns."""


def read_systems(text: str, source: str, first_line: int = 1) -> list[SystemSpec]:
    """Return the systems of a YAML stream, one a document. Raise InputError.

    first_line : the line of the source on which the text begins.
    """
    specs = []
    for number, node in enumerate(documents(text, source, first_line), start=1):
        specs.append(_spec(node, source if number == 1 else f"{source}#{number}", source, text))
    if not specs:
        raise InputError([Problem("empty; expected a system", code="empty", source=source)])
    return specs


def read_matrix(text: str, source: str) -> SourceValue:
    """Return the one bare matrix or vector of a file. Raise InputError."""
    nodes = list(documents(text, source))
    if len(nodes) != 1 or nodes[0].pairs is not None:
        found = "a mapping" if len(nodes) == 1 else f"{len(nodes)} documents"
        raise InputError([Problem(f"expected one list of numbers, got {found}", source=source)])
    return source_value(nodes[0], source)


def _spec(node: YamlNode, document: str, source: str, text: str) -> SystemSpec:
    spec, keys, claims = SystemSpec(document, {}, stem(source)), KEYS, CLAIMS
    if any(key.text in PROGRAM_MARKS for key, _ in node.pairs or ()):
        from implicitgrad.model.program.spec import PROGRAM_CLAIMS, PROGRAM_KEYS, ProgramSpec

        spec, keys, claims = ProgramSpec(document, {}, stem(source)), PROGRAM_KEYS, PROGRAM_CLAIMS

    def refuse(message: str, at: YamlNode, hint: str | None = None, code: str = "bad-key") -> None:
        spec.problems.append(Problem(message, hint, code).at(source, at.position))

    if node.pairs is None:
        hint = "For CSV give the file a .csv name, or --delimiter" if node.text != "" else "The document is empty"
        refuse(f"expected a mapping with the key A, got {node}", node, hint, "bad-syntax")
        raise InputError(spec.problems)
    seen: dict[str, YamlNode] = {}
    others: dict[str, YamlNode] = {}
    for key_node, value in node.pairs:
        key = spelled(key_node.text or "")
        if key not in keys or key in seen:
            from implicitgrad.readers.yaml.keys import problem_of

            refuse(*problem_of(key_node, keys, seen, has_hint=len(spec.problems) < MAX_PROBLEMS_SHOWN))
            continue
        seen[key] = key_node
        if key == "name":
            spec.name = value.text or ""
            if not spec.name.strip():
                refuse(f"name: expected a text, got {value}", value, code="bad-name")
        elif key == "expect":
            _check_claims(value, claims, refuse)
            spec.expect = partial(_claims, value, claims, source)
        elif key in READ_LAST:
            others[key] = value
        else:
            spec.values[key] = source_value(value, source) if key in NO_LISTS else source_list(value, source)
    if spec.kind == "program" and (others or "z" in seen):
        from implicitgrad.readers.yaml.program import add_expressions

        add_expressions(spec, others, seen, source, text, refuse)
    elif "equations" in others:
        from implicitgrad.readers.yaml.equations import add_equations

        add_equations(spec, others, seen, source, text, refuse)
    elif others:
        from implicitgrad.readers.systems.value_of_x import add_value_of_x

        add_value_of_x(spec, others, seen, source, refuse)
    if spec.kind == "linear" and seen.keys().isdisjoint(("A", "equations")):
        refuse("the key A is missing; expected A: [[...], ...]", node, code="missing-A")
    spec.site = partial(_site, node)
    return spec


def _check_claims(expect: YamlNode, known: tuple[str, ...], refuse: Callable[..., None]) -> None:
    """Report unknown and duplicate keys of `expect`; only to check them its values are read."""
    if expect.pairs is None:
        refuse(f"expect: expected a mapping, got {expect}", expect, code="bad-shape")
    keys = [spelled(key.text or "") for key, _ in expect.pairs or ()]
    is_nested = any(value.pairs for _, value in expect.pairs or ())
    if is_nested or len(set(keys)) < len(keys) or not set(keys) <= set(known):
        from implicitgrad.readers.yaml.claims import check_claims

        check_claims(expect, known, refuse)


def _claims(expect: YamlNode, known: tuple[str, ...], source: str) -> dict[str, SourceValue]:
    from implicitgrad.readers.yaml.claims import claims_of

    return claims_of(expect, known, source)


def _site(root: YamlNode) -> Site:
    from implicitgrad.readers.yaml.claims import site_of

    return site_of(root)

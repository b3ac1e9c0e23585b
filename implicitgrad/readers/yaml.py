"""Read systems from YAML, and JSON as its subset, one a document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from implicitgrad.model.spec import (
    CLAIMS,
    PROGRAM_CLAIMS,
    PROGRAM_MARKS,
    UNSTATED,
    CsvFormat,
    ProgramSpec,
    Site,
    SourceValue,
    Span,
    SystemSpec,
)
from implicitgrad.readers.keys import NOT_JUDGED, hint_at_key, is_record, spelled
from implicitgrad.readers.source import stem
from implicitgrad.readers.yaml_nodes import (
    YamlNode,
    documents,
    duplicates,
    source_list,
    source_matrix,
    source_value,
    span_of,
)
from implicitgrad.text.characters import nearest, quoted
from implicitgrad.text.errors import MAX_PROBLEMS_SHOWN, InputError, Problem
from implicitgrad.text.number_grammar import MAX_DIGITS, NumberError, parse_number, to_float

KEYS = ("name", "A", "B", "dL_dy", "x", "y", "equations", "at", "solve_for", "expect")
PROGRAM_KEYS = (
    "name", "P", "q", "G", "h", "A", "b", "lb", "ub", "names", "dL_dz", "dL_dlambda", "dL_dnu",
    "minimize", "maximize", "subject_to", "z", "at", "expect",
)  # fmt: skip
EXPRESSION_KEYS = ("equations", "at", "solve_for", "minimize", "maximize", "subject_to")
READ = dict.fromkeys(("A", "B", "P", "G"), source_matrix) | dict.fromkeys(("lb", "ub"), source_value)
"""The readers of values that are not lists; one number may stand for the bounds of all unknowns."""
MATRICES = ("dy_dx", "dL_dx")
NULLS = ("null", "~")
TOO_LONG = (
    f"its exact numbers have more than {MAX_DIGITS:,} digits, which are not read, and doubles cannot stand for them"
)
UNCERTIFIED = "it is of an answer that is not certified, whose rank or zeros a cutoff decided"
UNIT_ROUNDOFF = Fraction(1, 2**53)

Refuse = Callable[..., None]
"""Adds a problem: its message, the node at which it is, a hint, and a code."""


def read_yaml(text: str, source: str, name: str, above: int = 0) -> list[SystemSpec]:
    """Return the systems of a YAML stream, one a document. Raise InputError.

    above : the number of lines of the source before the text.
    """
    specs = []
    for number, node in enumerate(documents(text, source, above), start=1):
        specs.append(_spec(node, source if number == 1 else f"{source}#{number}", source, name, text))
    if not specs:
        raise InputError([Problem("empty; expected a system", code="empty", source=source)])
    return specs


def read_systems(text: str, source: str, _: CsvFormat = UNSTATED) -> list[SystemSpec]:
    """Return the systems of a file, one a document. Raise InputError."""
    return read_yaml(text, source, stem(source))


def read_matrix(text: str, source: str, _: CsvFormat = UNSTATED) -> SourceValue:
    """Return the one bare matrix or vector of a file. Raise InputError."""
    nodes = list(documents(text, source))
    if len(nodes) != 1 or nodes[0].pairs is not None:
        found = "a mapping" if len(nodes) == 1 else f"{len(nodes)} documents"
        raise InputError([Problem(f"expected one list of numbers, got {found}", source=source)])
    return source_value(nodes[0], source)


def _spec(node: YamlNode, document: str, source: str, name: str, text: str) -> SystemSpec:
    is_program = any(key.text in PROGRAM_MARKS for key, _ in node.pairs or ())
    kind, keys, claims = (ProgramSpec, PROGRAM_KEYS, PROGRAM_CLAIMS) if is_program else (SystemSpec, KEYS, CLAIMS)
    spec = kind(document, {}, name)
    spec.site = partial(_site, node)

    def refuse(message: str, at: YamlNode, hint: str | None = None, code: str = "bad-key") -> None:
        spec.problems.append(Problem(message, hint, code).at(source, at.position))

    if node.pairs is None:
        hint = "For CSV give the file a .csv name, or --delimiter" if node.text != "" else "The document is empty"
        refuse(f"expected a mapping with the key A, got {node}", node, hint, "bad-syntax")
        raise InputError(spec.problems)
    seen: dict[str, YamlNode] = {}
    expressions: dict[str, YamlNode] = {}
    for key_node, value in node.pairs:
        key = spelled(key_node.text or "")
        if _is_refused(spec, key_node, keys, seen, refuse):
            continue
        seen[key] = key_node
        if key == "name":
            spec.name = value.text or ""
            if not spec.name.strip():
                refuse(f"name: expected a text, got {value}", value, code="bad-name")
        elif key == "expect":
            if value.pairs is None:
                refuse(f"expect: expected a mapping, got {value}", value, code="bad-shape")
            record = _record(value, claims)
            _check_claims(record.claims, claims, refuse)
            spec.expect = partial(_claims_of, record, source)
            spec.site = partial(_site, node, value)
        elif key in EXPRESSION_KEYS:
            expressions[key] = value
        elif key == "names":
            _add_names(spec, value, source, refuse)
        else:
            spec.values[key] = READ.get(key, source_list)(value, source)
    if isinstance(spec, ProgramSpec):
        if expressions or "z" in seen:
            from implicitgrad.readers.yaml_program import add_expressions

            add_expressions(spec, expressions, seen, source, text)
    elif "equations" in expressions:
        from implicitgrad.readers.yaml_equations import add_equations

        add_equations(spec, expressions, seen, source, text)
    else:
        _refuse_without_equations(node, seen, refuse)
    return spec


def _refuse_without_equations(node: YamlNode, seen: Mapping[str, YamlNode], refuse: Refuse) -> None:
    """Refuse a point without equations, and a linear system without A."""
    for key in ("at", "solve_for"):
        if key in seen:
            refuse(f"{key}: expected it beside equations, got none", seen[key])
    if "A" not in seen:
        refuse("the key A is missing; expected A: [[...], ...]", node, code="missing-A")


def _is_refused(
    spec: SystemSpec, key_node: YamlNode, keys: tuple[str, ...], seen: Mapping[str, YamlNode], refuse: Refuse
) -> bool:
    """Refuse a key that is unknown or was seen before."""
    written = key_node.text or ""
    key = spelled(written)
    if key not in keys:
        is_shown = len(spec.problems) < MAX_PROBLEMS_SHOWN
        likely = hint_at_key(written, keys, "expect: {{{}: ...}}") if is_shown else None
        if key in PROGRAM_KEYS:
            likely = f"{key} is of a quadratic program, which has P, q, minimize or maximize beside it"
        refuse(f"unknown key {key_node}; expected one of {', '.join(keys)}", key_node, likely)
        return True
    if key in seen:
        refuse(f"duplicate key {quoted(key)}, first on line {seen[key].position[0]}", key_node, "Keep one of them")
    return key in seen


def _add_names(spec: SystemSpec, value: YamlNode, source: str, refuse: Refuse) -> None:
    """Read the names of a quadratic program's unknowns and constraints."""
    if value.pairs is None:
        refuse(f"names: expected a mapping such as {{z: [bread, cake]}}, got {value}", value, code="bad-shape")
    for key_node, names in value.pairs or ():
        if key_node.text not in ("z", "G", "A"):
            refuse(f"names: unknown key {key_node}; expected one of z, G, A", key_node)
        spec.values[f"names.{key_node.text}"] = source_list(names, source)


class _Record(NamedTuple):
    """A mapping of claims, which may be the record of a solution."""

    claims: YamlNode
    caveats: Mapping[str, str] = MappingProxyType({})
    """By key why a claim is undecided if it fails."""
    is_float: bool = False
    """Whether all its numbers were computed in doubles."""


def _record(claims: YamlNode, known: tuple[str, ...] = CLAIMS) -> _Record:
    """Return the claims in a solution's record; any other mapping unchanged."""
    if not is_record([key.text or "" for key, _ in claims.pairs or ()]):
        return _Record(claims)
    exact = next((dict(_by_key(value)) for key, value in claims.pairs or () if key.text == "exact"), {})
    kept = [
        (key, (_exactly(value, exact[key.text]) if key.text in exact else None) or value)
        for key, value in claims.pairs or ()
        if (key.text not in NOT_JUDGED if known is CLAIMS else key.text in known)
        and not ((key.text or "").startswith("dL_") and value.text in NULLS)
    ]
    caveats = {key: TOO_LONG for key, value in exact.items() if key and _has_long_number(value)}
    if _is_uncertified(claims):
        caveats = {key.text: UNCERTIFIED for key, _ in kept if key.text}
    is_float = any(key == "arithmetic" and value.text == "float" for key, value in _by_key(claims))
    return _Record(claims._replace(pairs=kept), caveats, is_float)


def _has_long_number(node: YamlNode) -> bool:
    if node.text is not None:
        return len(node.text) > MAX_DIGITS and sum(map(str.isdigit, node.text)) > MAX_DIGITS
    return any(map(_has_long_number, node.items or [value for _, value in node.pairs or ()]))


def _is_uncertified(record: YamlNode) -> bool:
    """Return whether a record's error bound of ∂y/∂x is null beside a ∂y/∂x, or that of ∂L/∂x beside a ∂L/∂x."""
    by_key = dict(_by_key(record))
    bounds = dict(_by_key(by_key["error_bound"])) if "error_bound" in by_key else {}
    return any(bounds[key].text in NULLS and by_key[key].text not in NULLS for key in bounds if key in by_key)


def _by_key(node: YamlNode) -> Iterator[tuple[str | None, YamlNode]]:
    for key, value in node.pairs or ():
        yield key.text, value


def _exactly(rounded: YamlNode, exact: YamlNode) -> YamlNode | None:
    """Replace a record's doubles by its exact numbers; return None if these do not round to the doubles."""
    if rounded.text is not None and exact.text is not None:
        return rounded._replace(text=exact.text) if _is_rounded(rounded.text, exact.text) else None
    if rounded.items is not None and exact.items is not None and len(rounded.items) == len(exact.items):
        items = [_exactly(*both) for both in zip(rounded.items, exact.items, strict=True)]
        known = [item for item in items if item is not None]
        return rounded._replace(items=known) if len(known) == len(items) else None
    if rounded.pairs is not None and exact.pairs is not None and len(rounded.pairs) == len(exact.pairs):
        by_key = dict(_by_key(exact))
        pairs = [(key, _exactly(value, by_key[key.text])) for key, value in rounded.pairs if key.text in by_key]
        kept = [(key, value) for key, value in pairs if value is not None]
        return rounded._replace(pairs=kept) if len(kept) == len(rounded.pairs) else None
    return None


def _is_rounded(rounded: str, exact: str) -> bool:
    if rounded == exact:
        return True
    try:
        double = to_float(parse_number(exact))
        return rounded in NULLS if double is None else float(rounded) == double
    except (NumberError, ValueError):
        return False


def _check_claims(
    claims: YamlNode, known: tuple[str, ...], refuse: Callable[[str, YamlNode, str | None], None]
) -> None:
    """Report unknown and duplicate keys of `expect`; build_claims checks their values."""
    for key_node, _ in claims.pairs or ():
        if spelled(key_node.text or "") not in known:
            likely = nearest(key_node.text or "", known)
            refuse(f"expect: unknown key {key_node}; expected one of {', '.join(known)}", key_node, likely)
    for first, second in duplicates(claims):
        message = f"expect: duplicate key {quoted(second.text or '')}, first on line {first.position[0]}"
        refuse(message, second, "Keep one of them")


def read_yaml_claims(text: str, source: str) -> tuple[dict[str, SourceValue], Span]:
    """Return the claims of a text that holds one mapping of them, and its span. Raise InputError."""
    problems: list[Problem] = []

    def refuse(message: str, at: YamlNode, hint: str | None) -> None:
        problems.append(Problem(message, hint, "bad-key").at(source, at.position))

    nodes = list(documents(text, source))
    if len(nodes) != 1:
        found = "nothing" if not nodes else f"{len(nodes)} documents"
        raise InputError([Problem(f"expect: expected a mapping, got {found}", code="bad-shape", source=source)])
    (node,) = nodes
    if node.pairs is None:
        refuse(f"expect: expected a mapping, got {node}", node, None)
    record = _record(node)
    _check_claims(record.claims, CLAIMS, refuse)
    if problems:
        raise InputError(problems)
    return _claims_of(record, source), span_of(node)


def _claims_of(record: _Record, source: str) -> dict[str, SourceValue]:
    """Return each claim by its key, and the values of mappings by their path, constraints.matrix."""
    claims = _claims(record.claims, source)
    for key, part in claims.items():
        caveat = record.caveats.get(key.partition(".")[0])
        if caveat is not None or record.is_float:
            claims[key] = part._replace(caveat=caveat, unit_roundoff=UNIT_ROUNDOFF)
    return claims


def _claims(node: YamlNode, source: str, prefix: str = "") -> dict[str, SourceValue]:
    claims: dict[str, SourceValue] = {}
    for key_node, value in node.pairs or ():
        key = f"{prefix}{spelled(key_node.text or '')}"
        part = (
            source_list(value, source) if key in MATRICES and value.text not in NULLS else source_value(value, source)
        )
        claims[key] = part._replace(key=key_node.position)
        claims |= _claims(value, source, f"{key}.")
    return claims


def _site(root: YamlNode, expect: YamlNode | None = None) -> Site:
    assert root.pairs is not None
    span = None if expect is None else span_of(expect)
    (first, _), (_, last) = root.pairs[0], root.pairs[-1]
    line, column = span_of(last)[1]
    if root.is_flow:
        is_on_one_line = first.mark.line == root.mark.line
        return Site("flow", (line, column), None if is_on_one_line else first.mark.column, span)
    return Site("block", (line + 1, 1), root.mark.column, span)

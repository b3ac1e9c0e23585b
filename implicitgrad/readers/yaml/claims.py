"""Read the claims of ``expect`` from YAML: a mapping of them, or the record of a solution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

from implicitgrad.model.site import Site, Span
from implicitgrad.model.spec import CLAIMS, SourceValue, spelled
from implicitgrad.numbers.rounding import to_float
from implicitgrad.readers.key_hints import NOT_JUDGED, is_record
from implicitgrad.readers.yaml.keys import duplicates
from implicitgrad.readers.yaml.nodes import YamlNode, documents, source_list, source_value
from implicitgrad.text.characters import MAX_DIGITS
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.hints import nearest
from implicitgrad.text.number_grammar import NumberError, parse_number

MATRICES = ("dy_dx", "dL_dx", "dL_dA", "dL_dB")
NULLS = ("null", "~")
TOO_LONG = (
    f"its exact numbers have more than {MAX_DIGITS:,} digits, which are not read, and doubles cannot stand for them"
)
UNCERTIFIED = "it is of an answer that is not certified, whose rank or zeros a cutoff decided"
UNIT_ROUNDOFF = Fraction(1, 2**53)


class _Record(NamedTuple):
    """A mapping of claims, which may be the record of a solution."""

    claims: YamlNode
    caveats: Mapping[str, str] = MappingProxyType({})
    """By key why a claim is undecided if it fails."""
    is_float: bool = False
    """Whether all its numbers were computed in doubles."""


def _record(claims: YamlNode, known: tuple[str, ...]) -> _Record:
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


def check_claims(expect: YamlNode, known: tuple[str, ...], refuse: Callable[[str, YamlNode, str | None], None]) -> None:
    """Report unknown and duplicate keys of `expect`; build_claims checks their values."""
    claims = _record(expect, known).claims
    for key_node, _ in claims.pairs or ():
        if spelled(key_node.text or "") not in known:
            likely = nearest(key_node.text or "", known)
            refuse(f"expect: unknown key {key_node}; expected one of {', '.join(known)}", key_node, likely)
    for message, second in duplicates(claims, "expect: duplicate key"):
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
    check_claims(node, CLAIMS, refuse)
    if problems:
        raise InputError(problems)
    return claims_of(node, CLAIMS, source), node.span


def claims_of(expect: YamlNode, known: tuple[str, ...], source: str) -> dict[str, SourceValue]:
    """Return each claim by its key, and the values of mappings by their path, constraints.matrix."""
    record = _record(expect, known)
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


def site_of(root: YamlNode) -> Site:
    """Return the place of ``expect`` in a document, or the place for it."""
    assert root.pairs is not None
    span = next((value.span for key, value in root.pairs if key.text == "expect"), None)
    (first, _), (_, last) = root.pairs[0], root.pairs[-1]
    line, column = last.span[1]
    if root.is_flow:
        is_on_one_line = first.position[0] == root.position[0]
        return Site("flow", (line, column), None if is_on_one_line else first.position[1] - 1, span)
    return Site("block", (line + 1, 1), root.position[1] - 1, span)

"""Keys of a YAML mapping that are unknown, or given twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from implicitgrad.model.spec import spelled
from implicitgrad.readers.key_hints import hint_at_key
from implicitgrad.readers.yaml.nodes import YamlNode
from implicitgrad.text.characters import quoted


def problem_of(
    key_node: YamlNode, known: tuple[str, ...], seen: Mapping[str, YamlNode], *, has_hint: bool
) -> tuple[str, YamlNode, str | None]:
    """Return the message, the node and the hint for a key that is unknown or was seen before.

    has_hint : whether to look for the key that was meant.
    """
    written = key_node.text or ""
    key = spelled(written)
    if key in known:
        return f"duplicate key {quoted(key)}, first on line {seen[key].position[0]}", key_node, "Keep one of them"
    from implicitgrad.model.program.spec import PROGRAM_KEYS

    hint = hint_at_key(written, known, "expect: {{{}: ...}}") if has_hint else None
    if "dL_dz" in known and key in ("y", "unknowns", "variables"):
        hint = "The unknowns of a quadratic program are z: names: {z: [...]}, or z: [...] beside minimize"
    elif key in PROGRAM_KEYS:
        hint = f"{key} is of a quadratic program, which has P, q, minimize or maximize beside it"
    return f"unknown key {key_node}; expected one of {', '.join(known)}", key_node, hint


def duplicates(node: YamlNode, what: str) -> Iterator[tuple[str, YamlNode]]:
    """Yield the message and the node for each key that is given twice in a mapping or in one inside it.

    what : the beginning of the message, "at: duplicate name".
    """
    seen: dict[str, YamlNode] = {}
    for key_node, value in node.pairs or ():
        key = spelled(key_node.text or "")
        if key in seen:
            yield f"{what} {quoted(key_node.text or '')}, first on line {seen[key].position[0]}", key_node
        seen.setdefault(key, key_node)
        yield from duplicates(value, what)

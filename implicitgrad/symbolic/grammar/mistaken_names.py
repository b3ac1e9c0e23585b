"""Warn of names that probably mean something else: xy for x*y, sinx for sin(x), e for the number, I for √−1."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from implicitgrad.symbolic.grammar.expressions import Node
from implicitgrad.symbolic.grammar.functions import FUNCTIONS, as_product, is_run

Remark = tuple[str, str]
"""A warning's code and message."""
_EXPONENT = r"(?<!\w){}[ \t]*(?:\*\*|\^)[ \t]*([-+−]?[\w.]+(?:\([^()]*\))?|\((?:[^()]|\([^()]*\))*\))"
"""Matches a power of a name, and captures its exponent."""


class WrittenEntry(NamedTuple):
    """A text and its parsed expressions."""

    text: str
    nodes: tuple[Node, ...]
    """Both sides, if it is an equation."""


def remarks_on(
    written: Sequence[WrittenEntry],
    declared: Collection[str],
    *,
    defined: Collection[str] = (),
    are_entries: bool = False,
) -> tuple[Remark, ...]:
    """Return warnings of undeclared names with another likely meaning.

    defined : names alone on a left side, which may begin like a function: cost = 3*t. are_entries : whether these are
    entries of a matrix, where a multiple of I is unlikely to be a current.
    """
    nodes = [node for one in written for node in one.nodes]
    names = dict.fromkeys(name for node in nodes for name in node.names())
    known, unused, found = set(declared), set(declared) - names.keys(), []
    all_names = names.keys() | declared
    for name in sorted(names.keys() - known, key=lambda name: (len(name), name)):
        product = as_product(name, known)
        if product is None and is_run(name) and any(letter in unused for letter in name):
            product = "*".join(name)
        if product is None:
            known.add(name)
        call = None if product or name in defined else _as_call(name, all_names)
        if meant := product or call:
            kind = "product" if product else "function"
            found.append(("names-run-together", f"{name} is read as one name; where a {kind} is meant, write {meant}"))
    for base in ("e", "E"):
        exponents = [node.parts[1] for node in _parts(nodes, "**") if node.parts[0].text == base]
        if base not in declared and any(base == "e" or any(exponent.names()) for exponent in exponents):
            message = f"{base} is read as a letter; where the number e is meant, write {_exp(base, written)}"
            found.append(("letter-e", message))
    if "I" not in declared and any(_is_complex(node, are_entries=are_entries) for node in nodes):
        found.append(("letter-I", "I is read as a letter that stands for a real number; complex numbers are not taken"))
    return tuple(found)


def _as_call(name: str, known: Collection[str]) -> str | None:
    """Return sin(2*x) for sin2x, or None."""
    for function in sorted(FUNCTIONS, key=len, reverse=True):
        match = re.fullmatch(rf"{function}([0-9]*)(\D\w*)", name)
        if match is None:
            continue
        argument = match[2] if match[2] in known or match[2] in ("x", "y", "z") else as_product(match[2], known)
        if argument is not None:
            return f"{function}({match[1]}{'*' if match[1] else ''}{argument})"
    return None


def _exp(base: str, written: Sequence[WrittenEntry]) -> str:
    for one in written:
        if match := re.search(_EXPONENT.format(base), one.text):
            exponent = match[1]
            return f"exp{exponent}" if exponent.startswith("(") else f"exp({exponent})"
    return "exp(u)"


def _parts(nodes: Sequence[Node], kind: str) -> Iterator[Node]:
    """Yield all nodes of a kind."""
    for node in nodes:
        if node.kind == kind:
            yield node
        yield from _parts(node.parts, kind)


def _is_complex(node: Node, *, are_entries: bool) -> bool:
    """Return whether it contains a number like 1+2*I, or is a multiple of I."""
    if are_entries and node.kind in ("*", "neg") and _is_multiple_of_I(node):
        return True
    return any(
        any(map(_is_multiple_of_I, total.parts)) and any(not any(part.names()) for part in total.parts)
        for total in _parts([node], "+")
    )


def _is_multiple_of_I(node: Node) -> bool:
    """Return whether it is I, -I, or 2*I."""
    return list(node.names()) == ["I"] and not any(any(_parts([node], kind)) for kind in ("+", "**", "call"))

"""Warn of names that probably mean something else: xy for x*y, sinx for sin(x), e for the number, I for √−1, dy/dx."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from implicitgrad.symbolic.grammar.expressions import Equation, ExpressionError, Node
from implicitgrad.symbolic.grammar.functions import FUNCTIONS, as_product, is_run
from implicitgrad.text.characters import quoted

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
    is_alone = len(all_names) == len(known) + 1
    for name in sorted(names.keys() - known, key=lambda name: (len(name), name)):
        product = as_product(name, known)
        if product is None and is_run(name) and any(letter in unused for letter in name):
            product = "*".join(name)
        if product is None:
            known.add(name)
        call = None if product or name in defined else _as_call(name, all_names)
        is_other = product or call or (name in defined and not is_alone)
        power = None if is_other else _as_power_of_e(name, all_names, is_alone=is_alone)
        if meant := product or call or power:
            kind = "a product" if product else "a function" if call else f"e^{name[1:]}"
            found.append(("names-run-together", f"{name} is read as one name; where {kind} is meant, write {meant}"))
        elif name in ("Pi", "PI", "π") and name not in defined:
            found.append(("letter-pi", f"{name} is read as a letter; where the number is meant, write pi"))
        elif are_entries and name in ("O", "o"):
            found.append(("letter-O", f"{name} is read as a letter; where the number is meant, write 0"))
        elif not name.isascii() and (remark := _of_another_alphabet(name, all_names)):
            found.append(remark)
    for base in ("e", "E"):
        exponents = [node.parts[1] for node in _parts(nodes, "**") if node.parts[0].text == base]
        if base not in declared and any(base == "e" or any(exponent.names()) for exponent in exponents):
            message = f"{base} is read as a letter; where the number e is meant, write {_exp(base, written)}"
            found.append(("letter-e", message))
    for unit in "Iij":
        if unit not in declared and any(_is_complex(unit, node, are_entries=are_entries) for node in nodes):
            message = f"{unit} is read as a letter that stands for a real number; complex numbers are not taken"
            found.append((f"letter-{unit}", message))
    return tuple(found)


def refuse_derivative(
    equation: Equation, unknowns: Collection[str], known: Collection[str], declared: Collection[str]
) -> None:
    """Raise ExpressionError for a quotient such as dy/dx of an unknown and another name, which is the answer.

    known : all names declared, or in any equation. declared : names that mean themselves.
    """
    for product in _parts([equation.left, equation.right], "*"):
        over = [part for part in product.parts if part.kind == "name" and part.text not in unknowns]
        under = [part.parts[0] for part in product.parts if part.kind == "inverse" and part.parts[0].kind == "name"]
        for above, below in itertools.product(over, under):
            if above.text in declared and below.text in declared:
                continue
            y, x = (re.fullmatch("d([2-9]?)(.+)", name.text) for name in (above, below))
            if y and x and y[2] in unknowns and (x[2] in known or re.fullmatch("[a-zA-Z][0-9]*", x[2])):
                written = f"{above.text}/{below.text}"
                claim = "--dydx (in a file, expect: {dy_dx: ...})"
                hint = f"{written} is the answer: leave it out; a claim of it is {claim}"
                raise ExpressionError(f"expected no derivative, got {quoted(written)}", above.offset, hint)


def likely_spelling(unknown: str, names: Collection[str]) -> str | None:
    """Return a clause on a name that may be meant by an unknown in none of the equations: y2 for its square, or Y."""
    other = [name for name in names if name.lower() == unknown.lower()]
    if other:
        return f"{other[0]} is another name"
    powers = [name for name in names if re.fullmatch(f"{re.escape(unknown)}[0-9]+", name)]
    if len(powers) == 1 and powers[0][-1] not in "01":
        return f"where {powers[0]} is its power, write {unknown}^{powers[0][len(unknown) :]}"
    return None


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


def _as_power_of_e(name: str, names: Collection[str], *, is_alone: bool) -> str | None:
    """Return exp(x) for ex beside x, or if ex is the only name that is not declared; elsewhere it may be exports."""
    match = re.fullmatch("e([0-9]*)([a-z])", name)
    if match is None or not (match[2] in names or (match[2] in "xyz" and is_alone)):
        return None
    return f"exp({match[1]}{'*' if match[1] else ''}{match[2]})"


def _of_another_alphabet(name: str, names: Collection[str]) -> Remark | None:
    """Warn of a name with letters of typeset mathematics: 𝑥 beside x, or aⁿ."""
    import unicodedata

    plain = unicodedata.normalize("NFKC", name)
    if plain != name and plain in names:
        return "letter-lookalike", f"{name} and {plain} are read as two names"
    base = "".join(itertools.takewhile(lambda c: not unicodedata.decomposition(c).startswith("<super>"), name))
    if base and base != name:
        exponent = unicodedata.normalize("NFKC", name[len(base) :])
        meant = f"exp({exponent})" if base == "e" else f"{base}^{exponent}"
        return "names-run-together", f"{name} is read as one name; where a power is meant, write {meant}"
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


def _is_complex(unit: str, node: Node, *, are_entries: bool) -> bool:
    """Return whether it contains a number like 1+2*I, or is a multiple of I; 1+i is rather a rate of interest."""
    if unit == "I" and are_entries and node.kind in ("*", "neg") and _is_multiple(unit, node):
        return True
    return any(
        any(_is_multiple(unit, part) for part in total.parts)
        and any(not any(part.names()) and (unit == "I" or part.value != 1) for part in total.parts)
        for total in _parts([node], "+")
    )


def _is_multiple(unit: str, node: Node) -> bool:
    """Return whether it is I, -I, or 2*I."""
    return list(node.names()) == [unit] and not any(any(_parts([node], kind)) for kind in ("+", "**", "call"))

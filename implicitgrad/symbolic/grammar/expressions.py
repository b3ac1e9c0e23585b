"""Parse equations and expressions into trees: a1*y1 + sin(x)/2, x**2 + y**2 = 25.

    equation = sum "=" sum
    sum      = [sign] product {sign product}
    product  = factor {("*" | "·" | "×" | "/") factor}
    factor   = sign factor | atom [("**" | "^") factor | superscript]
    atom     = number | name | function "(" sum {"," sum} ")" | "(" sum ")"
    name     = letter {letter | digit | "_"}

Every text is parsed by this grammar, and nothing is ever evaluated. The rules and their refusals stand together: only
the rule that stops knows what it expected.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from fractions import Fraction
from itertools import pairwise, takewhile
from typing import NamedTuple

from implicitgrad.symbolic.grammar.functions import (
    ALIASES,
    CONSTANTS,
    DATE,
    FUNCTIONS,
    MAX_NAME_LENGTH,
    NO_LETTERS,
    OF_TWO,
    ONE_BASE,
    OTHER_WORDS,
    as_product,
    is_run,
)
from implicitgrad.text.characters import MAX_QUOTED, quoted
from implicitgrad.text.hints import nearest
from implicitgrad.text.number_grammar import NumberError, parse_number

MAX_DEPTH = 50
MAX_LENGTH = 20_000
"""The most characters of an expression."""
TOO_LARGE = "expected expressions that can be computed with, got one that is too large, or too deep"
SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_TOKEN = re.compile(
    r"[ \t]*(?:(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d]\w*)|(?P<sign>\*\*|==|[-+*/()=,^·×⋅∗∙÷∕⁄−–]))"
)
TYPESET = {**dict.fromkeys("×⋅∗∙", "*"), **dict.fromkeys("÷∕⁄", "/"), "–": "-"}
"""Signs of typeset mathematics, which are read but never written."""
_SPELLINGS = {"^": "**", "·": "*", "−": "-", **TYPESET}


class Node(NamedTuple):
    """A number, a name, a function call, a sum or product of any length, or the result of **, neg or inverse."""

    kind: str
    """number, name, call, +, *, **, neg (of a term) or inverse (of a factor)."""
    offset: int
    """Where it starts in the text; for an operation, where the operator is."""
    text: str = ""
    """The name, or the function's name."""
    value: Fraction = Fraction(0)
    parts: tuple[Node, ...] = ()

    def names(self) -> Iterator[str]:
        """Yield every name, in order of appearance."""
        if self.kind == "name" and self.text not in CONSTANTS:
            yield self.text
        for part in self.parts:
            yield from part.names()


class Equation(NamedTuple):
    """The equation left = right."""

    left: Node
    right: Node

    @property
    def lone(self) -> str | None:
        """Return the name that is the whole left side, if it is one."""
        return self.left.text if self.left.kind == "name" and self.left.text not in CONSTANTS else None

    def begins_with_inputs(self, unknowns: Collection[str]) -> bool:
        """Return whether the left side has no unknown, as in B·x = A·y."""
        return not any(name in unknowns for name in self.left.names())

    def names(self) -> Iterator[str]:
        """Yield every name, in order of appearance."""
        yield from self.left.names()
        yield from self.right.names()


class ExpressionError(Exception):
    """A text that is no expression: the reason, and where."""

    def __init__(self, message: str, offset: int, hint: str | None = None, code: str = "bad-syntax") -> None:
        super().__init__(message)
        self.message, self.offset, self.hint, self.code = message, offset, hint, code


def read_equation(text: str, known: Collection[str] = ()) -> Equation:
    """Parse an equation. Raises ExpressionError.

    known : names in other equations, of which a run of letters may be a product.
    """
    return _Parser(text, "an equation", known).equation()


def read_expression(text: str, known: Collection[str] = ()) -> Node:
    """Parse an expression. Raises ExpressionError. known : as of ``read_equation``."""
    return _Parser(text, "an expression", known).expression()


def has_letters(text: str) -> bool:
    """Return whether a text in place of a number is meant as an expression: a1, x*y/2, or 2**(1/3)."""
    if len(text) > MAX_LENGTH or text.isdecimal():
        return False
    try:
        tokens = _tokens(text, "")
    except ExpressionError:
        return False
    names = [token for kind, token, _ in tokens if kind == "name"]
    is_unseparated = any(a[0] == "number" and b[0] in ("name", "number") for a, b in pairwise(tokens))
    has_root = any(a[1] == "**" and b[1] == "(" for a, b in pairwise(tokens))
    return (bool(names) or has_root) and not is_unseparated and all(len(name) <= MAX_NAME_LENGTH for name in names)


def why_no_coefficient(text: str) -> str | None:
    """Return the explanation why a word in an expression is no coefficient; None if there is no such word.

    The explanation is empty for words such as yes and null.
    """
    names = [token for kind, token, _ in _tokens(text, "") if kind == "name"]
    if any(re.fullmatch("[xy][0-9]*|[ABL]", name) for name in names):
        return "A, B, L, x and y are reserved; use another name"
    word = text.strip().lstrip("+-")
    if word.lower() not in NO_LETTERS and re.fullmatch(DATE, word) is None:
        return None
    return "n alone is no to other programs; give the letter another name" if word.lower() == "n" else ""


def names_in(text: str) -> set[str]:
    """Return every part of a text that looks like a name, whether or not the text is an expression."""
    return set(re.findall(f"[^\\W\\d{SUPERSCRIPTS}][^\\W{SUPERSCRIPTS}]*", text)) - set(FUNCTIONS)


def _tokens(text: str, what: str) -> list[tuple[str, str, int]]:
    """Return kind, text and offset of each token, and an empty one at the end. Raises ExpressionError."""
    found = []
    offset = 0
    while text[offset:].strip():
        match = _TOKEN.match(text, offset)
        if match is None:
            at = offset + len(text[offset:]) - len(text[offset:].lstrip(" \t"))
            raise _strange(text, at, what, text[at])
        kind = str(match.lastgroup)
        token, start = match[kind], match.start(kind)
        offset = match.end()
        if kind == "name":  # regular expressions take superscripts for letters
            letters = "".join(takewhile(lambda c: c not in SUPERSCRIPTS, token))
            if not letters:
                kind, letters = "power", "".join(takewhile(lambda c: c in SUPERSCRIPTS, token))
            elif not letters.isidentifier():
                raise _strange(text, start, what, letters)
            token, offset = letters, start + len(letters)
        found.append((kind, _SPELLINGS.get(token, token), start))
    return [*found, ("end", "", len(text.rstrip()))]


def _strange(text: str, offset: int, what: str, found: str) -> ExpressionError:
    """Return the error at a character that no expression has; with a hint if ``what`` was expected."""
    from implicitgrad.symbolic.grammar.hints import hint_at

    hint = hint_at(text, offset, what) if what else None
    return ExpressionError(f"expected {what}, got {quoted(found)}", offset, hint)


class _Parser:
    """A recursive descent parser of one text."""

    def __init__(self, text: str, what: str, known: Collection[str] = ()) -> None:
        self.depth = 0
        self.text, self.what = text, what
        if len(text) > MAX_LENGTH:
            raise ExpressionError(f"expected at most {MAX_LENGTH:,} characters, got {len(text):,}", 0)
        self.tokens = _tokens(text, what)
        self.elsewhere = known
        self.next = 0

    @property
    def known(self) -> set[str]:
        """Return the names in this and other equations."""
        return {*self.elsewhere, *(token for kind, token, _ in self.tokens if kind == "name")} - set(FUNCTIONS)

    def equation(self) -> Equation:
        left = self.sum()
        if self.tokens[self.next][1] != "=":
            is_end = self.tokens[self.next][0] == "end"
            hint = "If the expression is to be 0, end it with = 0" if is_end else None
            self.refuse("expected = and the other side", hint)
        self.next += 1
        right = self.sum()
        if self.tokens[self.next][0] != "end":
            self.refuse("expected the end of the equation")
        return Equation(left, right)

    def expression(self) -> Node:
        found = self.sum()
        if self.tokens[self.next][0] != "end":
            self.refuse("expected the end of the expression")
        return found

    def refuse(self, expected: str, hint: str | None = None) -> None:
        kind, text, offset = self.tokens[self.next]
        before = self.tokens[self.next - 1] if self.next else ("", "", 0)
        found = quoted(self.written(self.next)) if text else "the end"
        if kind == before[0] == "number" and offset == before[2] + len(before[1]):
            hint = "A number has one decimal point"
        elif before[0] == "number" and before[1].isdecimal() and re.fullmatch("_?[0-9]{3}|_[0-9]{3}_[0-9_]+", text):
            hint = "Leave out the thousands separators"
        elif kind in ("name", "number") and (before[0] in ("name", "number", "power") or before[1] == ")"):
            hint = self.product_hint()
        elif text == "(":
            hint = "A product is written with *"
        elif text == "==":
            hint = "An equation has one ="
        elif text == "=" and self.what != "an equation":
            hint = "Write its value alone, without ="
        elif text == "=":
            hint = self.several()
        elif text == ")" and not self.depth:
            hint = "There is no ( for it"
        elif text == ",":
            hint = hint or self.comma_hint()
        elif before[1] == "**" and text in ("*", "**"):
            hint = "A power is written u^v or u**v"
        raise ExpressionError(f"{expected}, got {found}", offset, hint)

    def written(self, token: int) -> str:
        """Return a token as it was typed, such as ^ for **."""
        _, text, offset = self.tokens[token]
        return self.text[offset] if _SPELLINGS.get(self.text[offset]) == text else text

    def comma_hint(self) -> str | None:
        """Return a hint at a decimal comma, or at several equations in one."""
        (_, left, start), (_, _, comma), (kind, right, end) = (*self.tokens, ("", "", 0))[self.next - 1 : self.next + 2]
        if self.next and kind == "number" and comma == start + len(left) and end == comma + 1:
            if not left.isdecimal():
                return "A number has no thousands separators, and one decimal point"
            return f"Write the decimal mark as a point: {left}.{right}"
        return self.several()

    def several(self) -> str | None:
        """Return a hint at several equations in one."""
        if self.depth or self.what != "an equation":
            return None
        from implicitgrad.symbolic.grammar.hints import SEVERAL

        return SEVERAL

    def product_hint(self) -> str:
        """Spell out the product of the factor before and of the name or number that follows."""
        _, right, offset = self.tokens[self.next]
        left = self.text[self.tokens[self.start_of_factor(self.next - 1)][2] : offset].strip()
        if len(left) > MAX_QUOTED:
            return "A product is written with *"
        left = as_product(left, self.known) or left
        if self.tokens[self.next + 1][1] == "(" and right in FUNCTIONS:
            return f"A product is written {left}*{right}(...)"
        product = as_product(right, self.known)
        hint = f"A product is written {left}*{product or right}"
        if product is not None or not is_run(right):
            return hint
        return f"{hint}, or {left}*{'*'.join(right)} where {right} is a product"

    def start_of_factor(self, last: int) -> int:
        """Return the index of the first token of the factor that ends with the token ``last``."""
        first = last
        while True:
            if self.tokens[first][1] == ")":
                depth = 1
                while depth:
                    first -= 1
                    depth += {")": 1, "(": -1}.get(self.tokens[first][1], 0)
                first -= self.tokens[first - 1][0] == "name"
            if self.tokens[first][0] == "power":
                first -= 1
            elif first and self.tokens[first - 1][1] == "**":
                first -= 2
            else:
                return first

    def sum(self) -> Node:
        terms: list[Node] = []
        start = self.tokens[self.next][2]
        while True:
            _, text, offset = self.tokens[self.next]
            if text in ("+", "-"):
                self.next += 1
            elif terms:
                return terms[0] if len(terms) == 1 else Node("+", start, parts=tuple(terms))
            term = self.product()
            terms.append(Node("neg", offset, parts=(term,)) if text == "-" else term)

    def product(self) -> Node:
        start = self.tokens[self.next][2]
        factors = [self.factor()]
        while self.tokens[self.next][1] in ("*", "/"):
            _, operator, offset = self.tokens[self.next]
            self.next += 1
            factor = self.factor()
            factors.append(Node("inverse", offset, parts=(factor,)) if operator == "/" else factor)
        return factors[0] if len(factors) == 1 else Node("*", start, parts=tuple(factors))

    def factor(self) -> Node:
        _, text, offset = self.tokens[self.next]
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"expected at most {MAX_DEPTH} levels of parentheses and signs, got more", offset)
        try:
            if text in ("+", "-"):
                self.next += 1
                found = self.factor()
                return Node("neg", offset, parts=(found,)) if text == "-" else found
            base = self.atom()
            kind, text, offset = self.tokens[self.next]
            if kind == "power":
                self.next += 1
                exponent = Fraction(text.translate(str.maketrans(SUPERSCRIPTS, "0123456789")))
                return Node("**", offset, parts=(base, Node("number", offset, value=exponent)))
            if text == "**":
                self.next += 1
                return Node("**", offset, parts=(base, self.factor()))
            return base
        finally:
            self.depth -= 1

    def atom(self) -> Node:
        kind, text, offset = self.tokens[self.next]
        if kind == "number":
            self.next += 1
            try:
                return Node("number", offset, text, parse_number(text))
            except NumberError as error:
                raise ExpressionError(error.problem.message, offset, error.problem.hint, "bad-number") from None
        if kind == "name":
            self.next += 1
            if self.tokens[self.next][1] == "(":
                return self.call(text, offset)
            if text in FUNCTIONS:
                from implicitgrad.symbolic.grammar.hints import hint_behind_function

                _, found, at = self.tokens[self.next]
                got = quoted(self.written(self.next)) if found else "the end"
                message = f"expected ( behind the function {quoted(text)}, got {got}"
                raise ExpressionError(message, at, hint_behind_function(text, self.text[at:]))
            return Node("name", offset, text)
        if text != "(":
            self.refuse("expected a number, a name or (")
        return self.inside()

    def call(self, written: str, offset: int) -> Node:
        name = ALIASES.get(written, written)
        if name not in FUNCTIONS:
            hint = OTHER_WORDS.get(name) or nearest(name, FUNCTIONS)
            product = as_product(name, self.known)
            if len(name) == 1 or product:
                hint = f"A product is written {product or name}*(...)"
                (kind, argument, _), (_, closing, _) = (*self.tokens, ("", "", 0))[self.next + 1 : self.next + 3]
                if kind == "name" and closing == ")":
                    hint += f"; an unknown that depends on {argument} is written without it: {name}"
                elif kind == "name" and closing == "," and len(name) == 1:
                    hint = "No function is defined here; write the equation alone"
            message = f"expected one of the functions {', '.join(FUNCTIONS)}, got {quoted(name)}"
            raise ExpressionError(message, offset, hint)
        first = self.inside(ONE_BASE if name == "log" else None, is_last=name not in OF_TWO)
        if name not in OF_TWO:
            return Node("call", offset, name, parts=(first,))
        if self.tokens[self.next][1] != ",":
            self.refuse("expected a comma and the second argument")
        return Node("call", offset, name, parts=(first, self.inside()))

    def inside(self, hint: str | None = None, *, is_last: bool = True) -> Node:
        """Parse what is in parentheses, or an argument."""
        self.next += 1
        found = self.sum()
        if is_last:
            if self.tokens[self.next][1] != ")":
                self.refuse("expected )", hint)
            self.next += 1
        return found

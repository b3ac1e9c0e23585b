"""Linear equations as a note writes them → A and B: x1 = 2*y1 + y2/3.

    equation = sum "=" sum
    sum      = [sign] product {sign product}
    product  = factor {("*" | "·" | "/") factor}
    factor   = number | name | "(" sum ")" | sign factor
    name     = letter {letter | digit | "_"}

Every text is read by this grammar, and nothing is ever evaluated. What is no number is an unknown or an input;
constants fall away when one differentiates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.characters import quoted
from implicitgrad.draft import Part
from implicitgrad.errors import InputError, Problem
from implicitgrad.rational import NumberError, format_fraction, parse_number

DEEPEST = 50
_TOKEN = re.compile(
    r"[ \t]*(?:(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d]\w*)|(?P<sign>\*\*|==|[-+*/()=·−^]))"
)
_NAME = re.compile(r"[^\W\d]\w*")
_SPELLINGS = {"−": "-", "·": "*"}

Sum = dict[str, Fraction]
"""Σ coefficient·name by name; the constant is under ""."""


class Line(NamedTuple):
    """An equation as written."""

    text: str
    source: str
    locate: Callable[[int], tuple[int, int] | None] = lambda offset: None
    """(line, column) of a place in the text, 0-based."""


class Equation(NamedTuple):
    """left − right = 0"""

    terms: Sum
    lone: str | None
    """The name that stands alone on the left."""


class _Misplaced(Exception):
    def __init__(self, message: str, offset: int, hint: str | None = None, code: str = "bad-syntax") -> None:
        super().__init__(message)
        self.message, self.offset, self.hint, self.code = message, offset, hint, code


def read_equations(lines: Sequence[Line], y: Part | None, x: Part | None, source: str) -> dict[str, Part]:
    """The parts A, B, x and y of a system. Raises InputError.

    y : the unknowns' names. x : the inputs'; unless given, those that stand alone on a left side, or else all that are
    no unknowns.
    """
    problems: list[Problem] = []
    equations = []
    for line in lines:
        try:
            equations.append(_Reader(line.text).equation())
        except _Misplaced as error:
            problems.append(Problem(error.message, error.hint, error.code).at(line.source, line.locate(error.offset)))
    if not lines:
        problems.append(Problem("equations: expected at least one, got none", code="bad-shape", source=source))
    unknowns = _given_names("y", y, source, problems)
    inputs = None if x is None else _given_names("x", x, source, problems)
    if y is None:
        hint = "y: [y1, y2], or --unknowns y1,y2"
        problems.append(Problem("equations: expected y, the unknowns' names, got none", hint, "missing-y", source))
    if problems or unknowns is None:
        raise InputError(problems)
    inputs = inputs or _inputs(equations, unknowns)
    for line, equation in zip(lines, equations, strict=True):
        strange = next((name for name in equation.terms if name and name not in (*unknowns, *inputs)), None)
        if strange is not None:
            at = re.search(rf"(?<!\w){re.escape(strange)}(?!\w)", line.text)
            message = (
                f"expected the unknowns {', '.join(unknowns)} and the inputs {', '.join(inputs)}, got {quoted(strange)}"
            )
            hint = "Name it in y or in x; coefficients are numbers"
            place = line.locate(at.start() if at else 0)
            problems.append(Problem(message, hint, "bad-name").at(line.source, place))
    if not inputs:
        message = "equations: expected an input, a name that is no unknown, got none"
        problems.append(Problem(message, "x1 = 2*y1 + 3*y2", "missing-x", source))
    if problems:
        raise InputError(problems)
    return _parts(lines, equations, unknowns, inputs, y, x)


def _parts(
    lines: Sequence[Line],
    equations: Sequence[Equation],
    unknowns: Sequence[str],
    inputs: Sequence[str],
    y: Part | None,
    x: Part | None,
) -> dict[str, Part]:
    A, B = [], []
    for equation in equations:
        sign = -1 if equation.lone in inputs else 1  # B·x = A·y as in x1 = ..., else as in ... - x1 = 0
        A.append([sign * equation.terms.get(name, Fraction(0)) for name in unknowns])
        B.append([-sign * equation.terms.get(name, Fraction(0)) for name in inputs])

    def locate(path: tuple[int, ...]) -> tuple[int, int] | None:
        return lines[path[0] if path else 0].locate(0)

    def part(matrix: list[list[Fraction]]) -> Part:
        return Part([[format_fraction(entry) for entry in row] for row in matrix], lines[0].source, locate)

    found = {"A": part(A), "y": y or Part(list(unknowns)), "x": x or Part(list(inputs))}
    is_identity = len(B) == len(inputs) and all(b == (i == k) for i, row in enumerate(B) for k, b in enumerate(row))
    return found if is_identity else found | {"B": part(B)}


def _inputs(equations: Iterable[Equation], unknowns: Sequence[str]) -> list[str]:
    """The names alone on a left side, or else all that are no unknowns, in the order in which they appear."""
    others = dict.fromkeys(name for equation in equations for name in equation.terms if name and name not in unknowns)
    lone = [equation.lone for equation in equations if equation.lone is not None and equation.lone not in unknowns]
    return list(dict.fromkeys(lone)) or list(others)


def _given_names(key: str, part: Part | None, source: str, problems: list[Problem]) -> list[str] | None:
    if part is None:
        return None
    value = part.value if isinstance(part.value, list) else [part.value]
    for i, name in enumerate(value):
        if not isinstance(name, str) or _NAME.fullmatch(name) is None:
            shown = quoted(name) if isinstance(name, str) else "a list"
            message = f"{key}[{i + 1}]: expected a name of letters, digits and _, to stand in an equation, got {shown}"
            problems.append(Problem(message, None, "bad-name").at(part.source or source, part.locate((i,))))
    return [str(name) for name in value]


class _Reader:
    """One equation, by recursive descent."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0
        self.tokens: list[tuple[str, str, int]] = []
        """Kind, text and offset of each; an empty one at the end."""
        offset = 0
        while text[offset:].strip():
            match = _TOKEN.match(text, offset)
            if match is None:
                at = offset + len(text[offset:]) - len(text[offset:].lstrip())
                raise _Misplaced(f"expected a linear equation, got {quoted(text[at])}", at)
            kind = str(match.lastgroup)
            token = match[kind]
            self.tokens.append((kind, _SPELLINGS.get(token, token), match.start(kind)))
            offset = match.end()
        self.tokens.append(("end", "", len(text.rstrip())))
        self.next = 0

    def equation(self) -> Equation:
        start = self.next
        left = self.sum()
        if self.tokens[self.next][1] != "=":
            self.refuse("expected = and the other side")
        is_lone = self.next - start == 1 and self.tokens[start][0] == "name"
        lone = self.tokens[start][1] if is_lone else None
        self.next += 1
        right = self.sum()
        if self.tokens[self.next][0] != "end":
            self.refuse("expected the end of the equation")
        terms = dict(left)
        for name, value in right.items():
            terms[name] = terms.get(name, Fraction(0)) - value
        return Equation(terms, lone)

    def refuse(self, expected: str) -> None:
        kind, text, offset = self.tokens[self.next]
        before = self.tokens[self.next - 1] if self.next else ("", "", 0)
        found = quoted(text) if text else "the end"
        hint = None
        if text in ("**", "^"):
            expected, hint = "expected a linear equation", "A power is not linear"
        elif text == "(" and before[0] == "name":
            expected, found = "expected a linear equation", f"the function {quoted(before[1])}"
        elif kind in ("name", "number") and before[0] in ("name", "number"):
            hint = f"A product is written {before[1]}*{text}"
        elif text == "(":
            hint = "A product is written with *"
        elif text == "==":
            hint = "An equation has one ="
        raise _Misplaced(f"{expected}, got {found}", offset, hint)

    def sum(self) -> Sum:
        total: Sum = {}
        sign = 1
        if self.tokens[self.next][1] in ("+", "-"):
            sign = -1 if self.tokens[self.next][1] == "-" else 1
            self.next += 1
        while True:
            for name, value in self.product().items():
                total[name] = total.get(name, Fraction(0)) + sign * value
            if self.tokens[self.next][1] not in ("+", "-"):
                return total
            sign = -1 if self.tokens[self.next][1] == "-" else 1
            self.next += 1

    def product(self) -> Sum:
        found = self.factor()
        while self.tokens[self.next][1] in ("*", "/"):
            _, operator, offset = self.tokens[self.next]
            self.next += 1
            other = self.factor()
            constant = other.get("", Fraction(0))
            if any(other[name] for name in other if name):
                if operator == "/" or any(found[name] for name in found if name):
                    what = "a quotient by names" if operator == "/" else "a product of names"
                    raise _Misplaced(f"expected a linear equation, got {what}", offset, code="not-linear")
                constant, found = found.get("", Fraction(0)), other
            if operator == "/" and not constant:
                raise _Misplaced("expected a divisor that is not 0", offset, code="bad-number")
            factor = 1 / constant if operator == "/" else constant
            found = {name: factor * value for name, value in found.items()}
        return found

    def factor(self) -> Sum:
        kind, text, offset = self.tokens[self.next]
        self.depth += 1
        if self.depth > DEEPEST:
            raise _Misplaced(f"expected at most {DEEPEST} levels of parentheses and signs, got more", offset)
        try:
            if kind == "number":
                self.next += 1
                return {"": self.number(text, offset)}
            if kind == "name":
                self.next += 1
                if self.tokens[self.next][1] == "(":
                    self.refuse("expected a linear equation")
                return {text: Fraction(1)}
            if text in ("+", "-"):
                self.next += 1
                sign = -1 if text == "-" else 1
                return {name: sign * value for name, value in self.factor().items()}
            if text != "(":
                self.refuse("expected a number, a name or (")
            self.next += 1
            found = self.sum()
            if self.tokens[self.next][1] != ")":
                self.refuse("expected )")
            self.next += 1
            return found
        finally:
            self.depth -= 1

    @staticmethod
    def number(text: str, offset: int) -> Fraction:
        try:
            return parse_number(text)
        except NumberError as error:
            raise _Misplaced(error.problem.message, offset, error.problem.hint, "bad-number") from None

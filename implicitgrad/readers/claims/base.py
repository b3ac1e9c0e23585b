"""ClaimReader: what reading the claims about systems and about programs has in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction

from implicitgrad.model.claims import ClaimedNumber, Place
from implicitgrad.model.spec import Path, SourceValue
from implicitgrad.numbers.values import as_fraction, described
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import MAX_PROBLEMS_SHOWN, Problem
from implicitgrad.text.hints import nearest
from implicitgrad.text.number_grammar import NumberError, parse_number

REQUIRED = "--require"
"""The source of a status that an option requires."""


class ClaimReader:
    """Reads claims and collects what is wrong with them."""

    def __init__(self, parts: Mapping[str, SourceValue], source: str) -> None:
        self.parts, self.source = parts, source
        self.problems: list[Problem] = []

    def places_of(self, keys: Iterable[str]) -> dict[str, Place]:
        """Return where each claim is written, or its greatest allowed value."""
        places = {}
        for key in keys:
            part = self.parts.get(key) or self.parts.get(f"{key}.max")
            if part is not None and key != "tolerance":
                is_option = part.key is None and (part.source or "-").startswith("-")
                places[key] = Place(part.source, *(() if is_option else part.key or part.locate(()) or ()))
        return places

    def refuse(self, key: str, path: Path, message: str, hint: str | None = None, code: str = "bad-claim") -> None:
        """Report a problem with the value at a path of a claim."""
        part = self.parts[key]
        position = part.locate(path) if len(self.problems) < MAX_PROBLEMS_SHOWN else None
        prefix = "" if part.key is None else "expect."
        self.problems.append(Problem(prefix + message, hint, code).at(part.source or self.source, position))

    def check_mapping(self, key: str, known: tuple[str, ...], expected: str) -> None:
        """Report a claim that is no mapping, or has other keys than those known. expected : what it should be."""
        if key not in self.parts:
            return
        value = self.parts[key].value
        if not isinstance(value, Mapping):
            self.refuse(key, (), f"{key}: expected {expected}, got {described(value)}")
            return
        for name in value:
            if name not in known:
                found = f"{key}: unknown key {quoted(str(name))}; expected {' and '.join(known)}"
                self.refuse(f"{key}.{name}", (), found, code="bad-key")

    def status(self, known: Iterable[str], required: Collection[object]) -> str | None:
        """Return the claimed status, one of those known; an option may require any of ``required``."""
        if "status" not in self.parts:
            return None
        value, known = self.parts["status"].value, list(known)
        if value in known or (self.parts["status"].source == REQUIRED and value in required):
            return str(value)
        likely = nearest(str(value), known)
        self.refuse("status", (), f"status: expected one of {', '.join(known)}, got {described(value)}", likely)
        return None

    def number(self, key: str, hint: str | None = None) -> ClaimedNumber | None:
        """Return a single number, such as a rank; any number is a claim, though it may be wrong."""
        if key not in self.parts:
            return None
        value = self.parts[key].value
        try:
            number = parse_number(value) if isinstance(value, str) else as_fraction(value)
        except NumberError as error:
            self.refuse(key, (), f"{key}: {error.problem.message}", error.problem.hint or hint, "bad-number")
            return None
        return ClaimedNumber(number, str(value))

    def tolerance(self, name: str) -> Fraction | None:
        """Return rtol or atol."""
        key = f"tolerance.{name}"
        number = self.number(key)
        if number is None:
            return None
        if number.value < 0:
            self.refuse(key, (), f"{key}: expected a number of 0 or more, got {quoted(number.text)}")
        return number.value

    def names(self, key: str, value: list[object]) -> tuple[str, ...]:
        """Return names, each of which stands once; report the others."""
        names: list[str] = []
        for i, name in enumerate(value):
            here = f"{key}[{i + 1}]"
            if not isinstance(name, str):
                self.refuse(key, (i,), f"{here}: expected a name, got {described(name)}", code="bad-name")
            elif name in names:
                self.refuse(key, (i,), f"{here}: duplicate name {quoted(name)}", code="bad-name")
            else:
                names.append(name)
        return tuple(names)

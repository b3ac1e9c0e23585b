"""Edit a file's text so that its claims hold, at the places of the claims that fail."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from implicitgrad.checks.context import Context
from implicitgrad.checks.judge import judge
from implicitgrad.checks.tolerances import tolerances_of
from implicitgrad.model.claims import ClaimedMatrix, Claims
from implicitgrad.model.site import Span
from implicitgrad.model.solution import Solution
from implicitgrad.model.spec import CLAIMS, SourceValue, SystemSpec
from implicitgrad.model.system import Arithmetic
from implicitgrad.readers.claims.reader import build_claims
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.number_grammar import is_number, parse_number
from implicitgrad.writers.data.expectation import (
    Value,
    all_claims,
    short_claims,
    write_flow,
    write_mapping,
)

Parts = Mapping[str, SourceValue]


class Edit(NamedTuple):
    """A text that replaces a span of another, or is inserted at an empty span."""

    span: Span
    text: str


def find_edits(spec: SystemSpec, solution: Solution, *, as_json: bool) -> list[Edit]:
    """Return the edits that make a file's claims hold: of wrong numbers, or of an ``expect`` that is missing.

    as_json : write only JSON.
    """
    expected = spec.expect()
    if not expected:
        return [_new(spec, solution, as_json)]
    if all(key.partition(".")[0] == "tolerance" for key in expected):
        message = "expect has a tolerance and no claim; expected a claim to update, such as status"
        raise InputError([Problem(message, code="cannot-update", source=solution.system.source)])
    if solution.system.x_value is not None:
        from implicitgrad.checks.derivatives.coefficients import with_coefficients

        solution = with_coefficients(solution)
    edits = []
    for key, claims, undecided in _wrong(expected, solution):
        changes = list(_changes(key, expected, solution, claims, as_json))
        if undecided and not changes:
            problem = Problem(f"{key} is not decided: {undecided}", None, "cannot-update")
            raise InputError([problem.at(spec.source, expected[key].key)])
        edits += changes
    return edits


def apply_edits(text: str, edits: list[Edit]) -> str:
    """Apply all edits, with the text's own line endings; lines inserted at a line's start remain separate lines."""
    newline = next((end for end in ("\r\n", "\n", "\r") if end in text), "\n")
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]

    def offset(position: tuple[int, int]) -> int:
        line, column = position
        return starts[line - 1] + column - 1 if line <= len(starts) else len(text)

    for edit in sorted(edits, key=lambda edit: edit.span, reverse=True):
        start, end = map(offset, edit.span)
        new = edit.text
        if new.endswith("\n") and start and text[start - 1] not in "\r\n":
            new = "\n" + new[:-1]
        text = text[:start] + new.replace("\n", newline) + text[end:]
    return text


def _wrong(expected: Parts, solution: Solution) -> list[tuple[str, Claims | None, str]]:
    """Return the keys of the claims that do not hold, with all claims, and with why one is undecided.

    Instead of the claims, None for a claim that no longer makes sense for this system.
    """
    good: dict[str, SourceValue] = {}
    broken: list[tuple[str, Claims | None, str]] = []
    for key in CLAIMS:
        own = {name: part for name, part in expected.items() if name.partition(".")[0] == key}
        try:
            build_claims(own, solution)
            good |= own
        except InputError:
            if key == "tolerance":
                raise
            broken.append((key, None, ""))
    claims = build_claims(good, solution)
    outcomes = [outcome for outcome in judge(solution, claims).outcomes if not outcome.holds]
    return broken + [(one.key, claims, one.reason if one.is_undecided else "") for one in outcomes]


def _changes(key: str, expected: Parts, solution: Solution, claims: Claims | None, as_json: bool) -> Iterator[Edit]:
    """Yield edits of a matrix's wrong entries if its shape stays, otherwise one of the whole value."""
    part = expected[key]
    assert part.span is not None
    found = all_claims(solution, counts_parameters=isinstance(part.value, str))[key]
    if isinstance(found, dict) and all(f"{key}.{name}" in expected for name in found):
        for name, value in found.items():
            inner = expected[f"{key}.{name}"]
            if write_flow(value, as_json=as_json) != write_flow(_written(inner.value), as_json=as_json):
                yield _edit_value(inner, value, as_json)
        return
    numbers = {"dy_dx": claims.dy_dx, "dL_dx": claims.dL_dx}.get(key) if claims is not None else None
    if numbers is not None and claims is not None:
        wrong = _wrong_entries(numbers, solution, claims)
        if wrong is not None:
            for (i, j), value in wrong.items():
                path = (i + j,) if numbers.is_flat else (i, j)
                yield Edit(part.span(path), write_flow(value, as_json=as_json))
            return
    yield _edit_value(part, found, as_json)


def _edit_value(part: SourceValue, value: Value, as_json: bool) -> Edit:
    """Replace the value of a key, indented further than the key if that is on an earlier line."""
    assert part.span is not None
    (line, column), _ = span = part.span(())
    is_at_key = part.key is not None and line > part.key[0] and column <= part.key[1]
    return Edit(span, "  " * is_at_key + write_flow(value, as_json=as_json))


def _written(value: object) -> Value:
    """Convert a claim's texts to numbers."""
    if isinstance(value, list):
        return tuple(_written(item) for item in value)
    assert isinstance(value, str)
    return parse_number(value) if is_number(value) else value


def _wrong_entries(numbers: ClaimedMatrix, solution: Solution, claims: Claims) -> dict[tuple[int, int], Value] | None:
    """Return the correct values of entries beyond their tolerance; None for another shape, and for letters."""
    right = solution.dy_dx if numbers.key == "dy_dx" else solution.dL_dx_rows
    if right is None or len(numbers.entries[0]) != solution.system.inputs or solution.arithmetic is Arithmetic.SYMBOLIC:
        return None
    tolerances = tolerances_of(numbers, Context(solution, claims))
    written = right.plain_rows()
    found: dict[tuple[int, int], Value] = {}
    for i, row in enumerate(numbers.entries):
        for j, value in enumerate(row):
            expected = right[i][j]
            if value is None or expected is None:
                if value is not expected:
                    found[i, j] = written[i][j]
            elif abs(value - expected) > tolerances[i][j]:
                found[i, j] = written[i][j]
    return found


def _new(spec: SystemSpec, solution: Solution, as_json: bool) -> Edit:
    """Return the edit that adds the answer as an ``expect``."""
    assert spec.site is not None
    site = spec.site()
    found = short_claims(solution)
    text = write_flow(found, as_json=as_json)
    if site.expect is not None:
        return Edit(site.expect, text)
    if site.kind == "flow":
        gap = " " if site.indent is None else "\n" + " " * site.indent
        return Edit((site.place, site.place), f',{gap}"expect": {write_flow(found, as_json=True)}')
    if site.kind == "comment":
        return Edit((site.place, site.place), f"# expect: {text}\n")
    indent = " " * (site.indent or 0)
    return Edit((site.place, site.place), f"{indent}expect:\n{write_mapping(found, indent + '  ')}")

"""Read the claims in a comment of a CSV file: # expect: {status: determined}."""

from __future__ import annotations

import re

from implicitgrad.model.site import Site, Span
from implicitgrad.model.spec import SourceValue
from implicitgrad.readers.csv.cells import Table
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import InputError, Problem

COMMENT = r"[ \t]*#[ \t]*expect:"
NEARLY = r"[ \t]*#[ \t]*expect(s|ed|ation)?[ \t]*[:={[]"
HINT = "A claim is one mapping on one line: # expect: {rank: 2}"


def read_csv_claims(table: Table) -> dict[str, SourceValue]:
    """Return the claims by key, from YAML on one line. Raises InputError."""
    try:
        found = _read(table)
    except InputError as error:
        raise InputError(p if p.hint else p._replace(hint=HINT) for p in error.problems) from None
    return {} if found is None else found[0]


def csv_site(table: Table) -> Site:
    """Return the place of the mapping in the comment, or of a new line above the first row."""
    found = _read(table)
    return Site("comment", (table.starts[0], 1), expect=None if found is None else found[1])


def _read(table: Table) -> tuple[dict[str, SourceValue], Span] | None:
    """Return the claims and the span of their mapping, which is read at its own line and column."""
    place = _find(table)
    if place is None:
        return None
    from implicitgrad.readers.yaml.claims import read_yaml_claims

    line, column = place
    return read_yaml_claims("\n" * line + " " * column + table.lines[line][column:], table.source)


def _find(table: Table) -> tuple[int, int] | None:
    """Return the line of the comment and the column where its mapping begins, 0-based."""
    found = None
    for line, text in enumerate(table.lines):
        match = re.match(COMMENT, text)
        if match is None and re.match(NEARLY, text, re.IGNORECASE):
            message = f"expected a claim as # expect: {{...}}, got {quoted(text.strip())}"
            raise InputError([Problem(message, HINT, "bad-key").at(table.source, (line + 1, 1))])
        if match is not None and found is not None:
            message = f"duplicate comment '# expect:', first on line {found[0] + 1}"
            raise InputError([Problem(message, "Keep one of them", "bad-key").at(table.source, (line + 1, 1))])
        if match is not None:
            found = line, match.end()
    return found

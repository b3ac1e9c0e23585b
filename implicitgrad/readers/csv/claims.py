"""Read the claims in a comment of a CSV file: # expect: {status: determined}."""

from __future__ import annotations

import re

from implicitgrad.model.site import Site
from implicitgrad.model.spec import SourceValue
from implicitgrad.readers.csv.cells import Table
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import InputError, Problem

COMMENT = r"[ \t]*#[ \t]*expect:"
NEARLY = r"[ \t]*#[ \t]*expect(s|ed|ation)?[ \t]*[:={[]"
HINT = "A claim is one mapping on one line: # expect: {rank: 2}"


def read_csv_claims(table: Table) -> dict[str, SourceValue]:
    """Return the claims by key, from YAML on one line. Raises InputError."""
    place = _find(table)
    if place is None:
        return {}
    from implicitgrad.readers.yaml.claims import read_yaml_claims

    try:
        return read_yaml_claims(_padded(table, *place), table.source)[0]
    except InputError as error:
        raise InputError(p if p.hint else p._replace(hint=HINT) for p in error.problems) from None


def csv_site(table: Table) -> Site:
    """Return the place of the mapping in the comment, or of a new line above the first row."""
    place = _find(table)
    span = None
    if place is not None:
        from implicitgrad.readers.yaml.claims import read_yaml_claims

        span = read_yaml_claims(_padded(table, *place), table.source)[1]
    return Site("comment", (table.starts[0], 1), expect=span)


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


def _padded(table: Table, line: int, column: int) -> str:
    """Return the mapping alone, at its own line and column."""
    return "\n" * line + " " * column + table.lines[line][column:]

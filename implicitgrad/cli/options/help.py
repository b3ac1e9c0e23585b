"""The options on a command's help page, in groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click

MAX_TERM = 26
"""Columns of an option in a help page; a longer one has a line of its own."""


def write_options(
    params: Iterable[click.Parameter],
    groups: Mapping[str, str],
    context: click.Context,
    formatter: click.HelpFormatter,
) -> None:
    """Write the options under the headings of their groups, those of none last."""
    options = (one for one in params if isinstance(one, click.Option))
    records = {one.name: record for one in options if (record := one.get_help_record(context))}
    grouped = {title: [records.pop(name) for name in names.split()] for title, names in groups.items()}
    grouped["Other"] = list(records.values())
    width = max(min(len(term), MAX_TERM) for rows in grouped.values() for term, _ in rows)
    for title, rows in grouped.items():
        padded = [(f"{term:<{width}}", text) for term, text in rows]
        with formatter.section(title):
            formatter.write_dl(padded, col_max=MAX_TERM)

"""Write verdicts as GitHub's workflow commands, which annotate the line of each failing claim.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Sequence

from implicitgrad.model.stack import numbered
from implicitgrad.model.verdict import Unreadable
from implicitgrad.text.characters import printable
from implicitgrad.writers.reports.report import Result, failed

Properties = dict[str, str | int | None]


def write_annotations(results: Sequence[Result], workspace: str | None = None) -> str:
    """Return one line per failure; file names are relative to ``workspace``, where GitHub looks them up."""
    return "".join(f"{line}\n" for line in _annotations(results, workspace))


def _annotations(results: Sequence[Result], workspace: str | None) -> Iterator[str]:
    for result in results:
        if isinstance(result, Unreadable):
            for problem in result.problems:
                at = _at(problem.source and numbered(problem.source)[0], problem.line, problem.column, workspace)
                message = problem._replace(source=None, line=None, column=None)
                yield _command({**at, "title": "not read"}, [str(message)])
    for verdict, outcome in failed(results):
        source, place = verdict.source, outcome.place
        path, index = numbered(source.rpartition("#")[0] or source)
        file = path if place.line is None else place.source
        of_what = "" if file == path and not index else f" of {source}"
        title = f"{outcome.key}{of_what} {outcome.verb}"
        lines = (outcome.headline, *(suspicion.message for suspicion in outcome.suspicions))
        yield _command({**_at(file, place.line, place.column, workspace), "title": title}, lines)


def _at(path: str | None, line: int | None, column: int | None, workspace: str | None) -> Properties:
    """Return the properties that place a message in a file, if there is one."""
    if path is None or path == "-" or path.startswith(("<", "--")):
        return {}
    relative = os.path.relpath(os.path.abspath(path), workspace) if workspace else path
    return {"file": path if relative.startswith(os.pardir) else relative, "line": line, "col": column}


def _command(properties: Properties, lines: Sequence[str]) -> str:
    written = [f"{key}={_escaped(str(value), is_property=True)}" for key, value in properties.items() if value]
    return f"::error {','.join(written)}::{_escaped(chr(10).join(map(printable, lines)))}"


def _escaped(text: str, *, is_property: bool = False) -> str:
    escapes = {"%": "%25", "\r": "%0D", "\n": "%0A"} | ({":": "%3A", ",": "%2C"} if is_property else {})
    return "".join(escapes.get(character, character) for character in text)

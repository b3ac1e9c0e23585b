"""Verdicts as JUnit XML: one suite, a case a claim, as Surefire's and Jenkins' schemas have it."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from implicitgrad.characters import printable
from implicitgrad.verdict import Outcome, Unreadable, Verdict
from implicitgrad.writers.report import Result, is_failure

NAME = "implicitgrad check"


def write_junit(results: Sequence[Result], *, is_strict: bool = False) -> str:
    """The whole file. A system that claims nothing is a case that is skipped, or, if strict, one that fails."""
    suite = Element("testsuite", name=NAME, time="0")
    for result in results:
        if isinstance(result, Unreadable):
            first = _text(str(result.problems[0]))
            case = _case(suite, result.source, "read")
            error = SubElement(case, "error", type=result.problems[0].code, message=first)
            error.text = "\n".join(_text(str(problem)) for problem in result.problems)
        elif not result.outcomes:
            case = _case(suite, result.solution.system.source, "claims")
            kind = "failure" if is_strict else "skipped"
            message = SubElement(case, kind, message="nothing is claimed")
            if is_strict:
                message.set("type", "claims")
        else:
            for outcome in result.outcomes:
                _add(suite, result, outcome, is_strict)
    kinds = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    suite.set("tests", str(len(suite)))
    for attribute, tag in kinds.items():
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def _add(suite: Element, verdict: Verdict, outcome: Outcome, is_strict: bool) -> None:
    case = _case(suite, verdict.solution.system.source, outcome.key)
    if not is_failure(outcome, is_strict):
        return
    lines = [_text(line) for line in outcome.explanation]
    failure = SubElement(case, "failure", type=outcome.key, message=lines[0])
    failure.text = "\n".join(lines)


def _case(suite: Element, source: str, name: str) -> Element:
    return SubElement(suite, "testcase", classname=_text(source), name=name, time="0")


def _text(text: str) -> str:
    """A text with what XML cannot hold as escapes."""
    return printable(text)

"""Write verdicts as JUnit XML: one suite, one case per claim, following Surefire's and Jenkins' schemas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from implicitgrad.model.verdict import NOTHING, Unreadable
from implicitgrad.text.characters import printable
from implicitgrad.writers.reports.report import Result, place_of

NAME = "implicitgrad check"


def write_junit(results: Sequence[Result]) -> str:
    """Return the file, with characters escaped that XML cannot hold. A system without claims is a skipped case."""
    suite = Element("testsuite", name=NAME, time="0")
    for result in results:
        if isinstance(result, Unreadable):
            texts = list(map(str, result.problems))
            _report(_case(suite, result.source, "read"), "error", result.problems[0].code, texts[0], texts)
            continue
        source = result.source
        if not result.outcomes:
            SubElement(_case(suite, source, "expect"), "skipped", message=NOTHING)
        for outcome in result.outcomes:
            case = _case(suite, source, outcome.key)
            if not outcome.holds:
                first = f"not decided: {outcome.headline}" if outcome.is_undecided else outcome.headline
                text = (f"{place_of(result, outcome)}: {first}", *(one.message for one in outcome.suspicions))
                _report(case, "failure", outcome.key, first, text)
    suite.set("tests", str(len(suite)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def _report(case: Element, tag: str, kind: str, message: str, lines: Iterable[str]) -> None:
    SubElement(case, tag, type=kind, message=printable(message)).text = "\n".join(map(printable, lines))


def _case(suite: Element, source: str, name: str) -> Element:
    return SubElement(suite, "testcase", classname=printable(source), name=name, time="0")

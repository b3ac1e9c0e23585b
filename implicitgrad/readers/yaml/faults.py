"""Refuse a text that is no plain YAML, saying where and why; write the escapes that JSON has and YAML lacks."""

from __future__ import annotations

import re
from typing import Any

import yaml

from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import InputError, Problem

TOO_DEEP = "expected at most {} levels of nesting, got more"
_SURROGATES = r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
"""Matches a pair of JSON escapes for one character beyond U+FFFF, which YAML writes as one escape."""


def with_known_characters(text: str, strange: str, source: str, first_line: int) -> str:
    """Return a text in which escapes of JSON for one character beyond U+FFFF are YAML's. Raise InputError.

    Control characters, and the strange ones, are refused here, because libyaml reports only bytes.
    """
    control = yaml.reader.Reader.NON_PRINTABLE.search(text) or re.search(f"[{strange}]", text)
    if control is not None:
        before = text[: control.start()].split("\n")
        problem = Problem(f"expected text, got the character {quoted(control[0])}", "Remove it", "bad-syntax")
        raise InputError([problem.at(source, (len(before) + first_line - 1, len(before[-1]) + 1))])
    return re.sub(_SURROGATES, _one_escape, text) if text.lstrip().startswith("{") else text


def _one_escape(pair: re.Match[str]) -> str:
    backslashes, high, low = pair.groups()
    return f"{backslashes}\\U{0x10000 + (int(high, 16) - 0xD800) * 0x400 + int(low, 16) - 0xDC00:08X}"


def refused(event: Any, most: int, source: str, position: tuple[int, int]) -> InputError:  # noqa: ANN401 (of PyYAML)
    """Return the error for an event of an alias, an anchor, a tag, or of one level beyond ``most``."""
    hint: str | None = "Write the values out"
    if isinstance(event, yaml.AliasEvent):
        message = f"expected plain values, got {quoted(f'*{event.anchor}')}"
    elif event.anchor is not None:
        message = f"expected plain values, got {quoted(f'&{event.anchor}')}"
    elif event.tag is not None:
        message, hint = f"expected plain values, got the tag {quoted(event.tag)}", "Leave the tag out"
    else:
        message, hint = TOO_DEEP.format(most), None
    return InputError([Problem(message, hint, "bad-syntax").at(source, position)])


def syntax_error(error: yaml.YAMLError, text: str, most: int, source: str, first_line: int) -> InputError:
    """Return the error for what the parser refuses.

    most : the levels of nesting that are allowed. first_line : that of the text in the source.
    """
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reasons = [getattr(error, "context", None), getattr(error, "problem", None)]
    reason = ", ".join(part for part in reasons if part) or printable(str(error))
    position = hint = None
    if mark is not None:
        position = mark.line + first_line, mark.column + 1
        lines = text.splitlines()
        if mark.line < len(lines) and "\t" in lines[mark.line]:
            hint = "The line has a tab; YAML indents with spaces"
    is_too_deep = "nesting depth" in reason  # the C parser limits it, too
    message = TOO_DEEP.format(most) if is_too_deep else f"not valid YAML: {reason}"
    return InputError([Problem(message, hint, "bad-syntax").at(source, position)])

"""Rewrite a text in place, by rules that keep every character behind them where it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import NoReturn

from implicitgrad.readers.printed.dialects import Rule
from implicitgrad.readers.printed.inline import NEWLINES, SAME_ROW, InlineError, Token


def rewritten(text: str, rules: Iterable[Rule]) -> str:
    """Apply rules to a text, whose length and lines stay."""
    for pattern, replacement in rules:
        text = re.sub(pattern, partial(_padded, replacement), text)
    return text


def _padded(replacement: object, match: re.Match[str]) -> str:
    """Return what replaces a match, as long as the match, with its newlines where they were but within one row."""
    new = replacement(match) if callable(replacement) else match.expand(str(replacement))
    old = match[0]
    if "\n" in old[: len(new)] and "\n" not in new:
        blanks = len(old) - len(new)
        return "".join(SAME_ROW if c in NEWLINES else " " for c in old[:blanks]) + new
    return new + "".join(SAME_ROW if c in NEWLINES else " " for c in old[len(new) :])


def refuse_at(message: str, text: str, offset: int, hint: str | None = None) -> NoReturn:
    """Raise InlineError for what stands at an offset."""
    position = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
    raise InlineError(message, Token("", position), hint)

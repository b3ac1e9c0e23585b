"""Prepare lists in brackets, as another program prints them, for the reader of the command line's notation."""

from __future__ import annotations

import re

from implicitgrad.readers.printed.dialects import Dialect
from implicitgrad.readers.printed.inline import SAME_ROW
from implicitgrad.readers.printed.rewriting import refuse_at
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import InputError

LINE_WIDTH = 70
"""NumPy breaks lines at 75 characters unless told otherwise; a row of MATLAB's is rarely that long."""
NOTHING_COMPUTED = "Nothing is computed; expected one matrix as it is printed"


def in_brackets(text: str, *, is_literal: bool) -> str:
    """Return a text of lists in square brackets, with the newlines and commas that inline.py reads.

    is_literal : newlines may separate rows, as in MATLAB.
    """
    if "(" in text:
        text = _without_tuples(text)
    text = re.sub(r"(?<=[^\s,\[]),(?=\s*\])", " ", text)
    if text.count("[") == 1 and ";" not in text and "\n" in text.strip():
        if is_literal and not _is_wrapped(text):
            return text
        head, _, tail = text.partition("]")
        return head.replace("\n", SAME_ROW) + "]" + tail
    return text


def _without_tuples(text: str) -> str:
    """Write tuples as lists, and leave out parentheses around lists; others belong to expressions."""
    characters = list(text)
    stack: list[list[int]] = []
    for i, character in enumerate(text):
        if character == "(":
            stack.append([i, 0])
        elif character == "," and stack:
            stack[-1][1] += 1
        elif character == "[" and stack:
            stack.append([i, 0])
        elif character in "])" and stack:
            start, commas = stack.pop()
            if text[start] != "(" or character != ")":
                continue
            if re.search(r"[\w)\]]\Z", text[max(0, start - 1) : start]):
                if "[" in text[start:i]:
                    name = re.search(r"[\w.]*\Z", text[:start])
                    assert name is not None
                    refuse_at(
                        f"expected a matrix, got the call {quoted(name[0] + '(…)')}",
                        text,
                        name.start(),
                        NOTHING_COMPUTED,
                    )
                continue
            if commas or "[" in text[start:i]:
                characters[start], characters[i] = "[]" if commas else "  "
    return "".join(characters)


def _is_wrapped(text: str) -> bool:
    """Return whether the lines in brackets are one row. Raise InlineError if they may also be several."""
    lines = [line for line in text.strip().split("\n") if line.strip(" []")]
    rows = [line.strip(" []").split() for line in lines]
    counts = [len(row) for row in rows]
    if not all(line.rstrip().endswith(",") for line in lines[:-1]):
        width = max(len(entry) for row in rows for entry in row)
        is_full = all(len(line.rstrip()) + 2 * width >= LINE_WIDTH for line in lines[:-1])
        is_indented = all(line.startswith(" ") for line in lines[1:])
        if "," in text or not is_full or not is_indented or len({*counts[:-1]}) > 1 or counts[-1] > counts[0]:
            return False
    if len(lines) > 1 and counts[0] > 1 and len({*counts}) == 1:
        message = "expected to be told whether this is one row on several lines, or several rows"
        refuse_at(message, text, text.index("["), "Write it on one line, or a semicolon after each row")
    return True


def in_its_words(error: InputError, dialect: Dialect) -> InputError:
    """Return an error of inline.py about the notation as it was written."""
    problems = []
    for one in error.problems:
        hint = one.hint
        if one.message.endswith((r"got '\n'", "got ';'")) and "end after" in one.message:
            hint = "Give each matrix by an option of its own, -A, -B or -g"
        if one.code == "bad-syntax" and re.match("expected (the end after|brackets around)", one.message):
            hint = hint or NOTHING_COMPUTED
        message = one.message.translate(str.maketrans("[]", "{}")) if "braces" in dialect.name else one.message
        problems.append(one._replace(message=message, hint=hint))
    return InputError(problems)

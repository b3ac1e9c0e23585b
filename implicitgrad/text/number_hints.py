"""Hint at how to mend a text that is nearly a number."""

from __future__ import annotations

import re
from collections.abc import Callable

from implicitgrad.text.characters import printable


def number_hint(text: str, is_number: Callable[[str], bool]) -> str | None:
    """Return how to mend a common misspelling of a number; None if it is none of these.

    is_number : that of the grammar, which imports this file for the texts that it refuses.
    """
    stripped = text.strip(" \t")
    if not stripped:
        return "An entry is empty; write 0 if it is zero"
    if stripped != text and is_number(stripped):
        return "Remove the blanks around it"
    strange = next((c for c in text if not (" " <= c <= "~")), None)
    if strange is not None:
        name = printable(strange)
        if strange == "\u2212":
            return "It has a typographic minus sign (U+2212); write - instead"
        if strange < " " or strange == "\x7f":
            return f"It has the control character U+{ord(strange):04X}; remove it"
        shown = "" if name != strange else f" {strange}"
        return f"It has the character U+{ord(strange):04X}{shown}; numbers are written in plain ASCII"
    if re.fullmatch(r"[+-]?0[0-9]+(\.[0-9]*)?(/[0-9]+)?", text) or re.fullmatch(r"[+-]?[0-9]+/0[0-9]+", text):
        return "Leading zeros are octal to some programs and decimal to others; leave them out"
    if re.fullmatch(r"[+-]?[0-9]+/[+-]?[0-9]*", text):
        return "A fraction is an integer over a positive integer"
    if re.fullmatch(r"[+-]?[0-9.]+[dD][+-]?[0-9]+", text):
        return "Write the exponent with e"
    if re.fullmatch(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?", text):
        return "Leave out the thousands separators (decimal commas are read from CSV with --decimal ,)"
    if re.fullmatch(r"[+-]?[0-9.]+%", text):
        return "Write 0.5 for 50%"
    if re.fullmatch(r"[+-]?[0-9]+,[0-9]+", text):
        return "Write the decimal mark as a point (in CSV, --decimal , reads decimal commas)"
    if re.fullmatch(r"[0-9./]+ *[-+*/] *[0-9./]+", text):
        return "A number is not computed; blanks around a sign make one entry of two"
    if ";" in text:
        return "Is ';' the delimiter? --delimiter ';' says so"
    if " " in stripped and all(map(is_number, stripped.split())):
        return "Is a comma missing?"
    return None

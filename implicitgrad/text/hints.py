"""Hint at the word that was probably meant, and at how to mend a text that is nearly a number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from implicitgrad.text.characters import printable

_MISSPELT = (
    (r"[+-]?0[0-9]+(?:\.[0-9]*)?(?:/[0-9]+)?|[+-]?[0-9]+/0[0-9]+",
     "Leading zeros are octal to some programs and decimal to others; leave them out"),
    (r"[+-]?[0-9]+/[+-]?[0-9]*", "A fraction is an integer over a positive integer"),
    (r"[+-]?[0-9]+L", "Leave out the L of a long integer"),
    (r"(?:(?:np|numpy|jnp|torch)\.\w+|[Tt]ensor|[Aa]rray|Decimal|u?int\d*|float\d*)"
     r"\(['\"]?([-+]?[0-9][0-9.]*(?:[eE][-+]?[0-9]+)?)['\"]?(?:,.*)?\)",
     "This is Python's repr of a number; write {}, as str() does"),
    (r"[+-]?(?:nan|inf|infinity|NaN|Inf|NA)", "Missing and infinite values are not read"),
    (r"[+-]?[0-9.eE]*[+-][0-9.eE]*[ijI]", "Complex numbers are not read"),
    (r"[+-]?[0-9.]+[dD][+-]?[0-9]+", "Write the exponent with e"),
    (r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?",
     "Leave out the thousands separators (decimal commas are read from CSV with --decimal ,)"),
    (r"[+-]?[0-9.]+%", "Write 0.5 for 50%"),
    (r"[+-]?[0-9]+,[0-9]+", "Write the decimal mark as a point (in CSV, --decimal , reads decimal commas)"),
    (r"[0-9./]+ *[-+*/] *[0-9./]+", "A number is not computed; blanks around a sign make one entry of two"),
)  # fmt: skip
"""Patterns of texts that are no numbers, and how to mend them."""


def nearest(text: str, known: Iterable[str]) -> str | None:
    """Return "Did you mean …?" with the known word closest to ``text``; None if none is close."""
    from difflib import get_close_matches

    lowered = {word.lower(): word for word in known}
    close = get_close_matches(text.lower(), lowered, n=1, cutoff=0.6)
    return f"Did you mean {lowered[close[0]]}?" if close else None


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
    for pattern, hint in _MISSPELT:
        if (match := re.fullmatch(pattern, text)) is not None:
            return hint.format(*match.groups())
    if ";" in text:
        return "Is ';' the delimiter? --delimiter ';' says so"
    if " " in stripped and all(map(is_number, stripped.split())):
        return "Is a comma missing?"
    return None

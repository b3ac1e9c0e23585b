"""Hint at the word that was probably meant, and at how to mend a text that is nearly a number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from implicitgrad.text.characters import printable

MISSING = "It stands for a missing value; write the number, or 0 if it is zero"
DECIMAL_POINT = "Write the decimal mark as a point: 3.5"
_THOUSANDS = "Leave out the thousands separators"
_GROUPED = r"[+-]?[1-9][0-9]{0,2}([.'\u2019_\u00a0\u2009\u202f])[0-9]{3}(?:\1[0-9]{3})*"
"""Matches groups of three digits between points, apostrophes, or blanks that are no ASCII."""
_GROUPED_BY_BLANKS = r"[+-]?[1-9][0-9]{0,2}(?: [0-9]{3})+"
_DASHES = "\u2010-\u2015\u2212\ufe63\uff0d"
_MISSPELT = (
    (r"[+-]?0[0-9]+(?:\.[0-9]*)?(?:/[0-9]+)?|[+-]?[0-9]+/0[0-9]+",
     "Leading zeros are octal to some programs and decimal to others; leave them out"),
    (r"[+-]?[0-9]+/[+-]?[0-9]*", "A fraction is an integer over a positive integer"),
    (r"[+-]?[0-9]+L", "Leave out the L of a long integer"),
    (r"(?:(?:np|numpy|jnp|torch)\.\w+|[Tt]ensor|[Aa]rray|Decimal|u?int\d*|float\d*)"
     r"\(['\"]?([-+]?[0-9][0-9.]*(?:[eE][-+]?[0-9]+)?)['\"]?(?:,.*)?\)",
     "This is Python's repr of a number; write {0}, as str() does"),
    (r"[+-]?(?:nan|inf|infinity|NaN|Inf)|[+-]?[0-9]\.#[A-Z]+[0-9]*", "Missing and infinite values are not read"),
    (r"(?i)[+-]?(?:<?na>?|n/a|n\. ?a\.?|k\. ?a\.?|n\. ?[dv]\.|#n/?[av](?: n/a)?|nil|none|null|missing|unknown|tb[ad]"
     rf"|fehlt|unbekannt|offen)|[-.?\u2026{_DASHES}]+|[(\[](?:none|null)[)\]]", MISSING),
    (r"#+|#[A-Z\u00c0-\u00de][A-Z0-9/\u00c0-\u00de]*[!?]",
     "A spreadsheet could not compute or show it; write the number"),
    (r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[ T].*)?|[0-9]{1,2}\.[0-9]{1,2}\.(?:[0-9]{4}|[0-9]{2})"
     r"|[0-9]{1,2}\. ?[A-Z\u00c4][\w\u00e4]{2,}\.?|[0-9]{1,2}-[A-Z][a-z\u00e4]{2}|[A-Z][a-z\u00e4]{2}-[0-9]{2}",
     "It is a date, perhaps of a spreadsheet that took a number for one; write the number"),
    (r"=.+", "It is a spreadsheet's formula; write its value"),
    (r"[+-]?[0-9.eE]*[+-][0-9.eE]*[ijI]", "Complex numbers are not read"),
    (r"[+-]?[0-9.]+[dD][+-]?[0-9]+", "Write the exponent with e"),
    (r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?",
     f"{_THOUSANDS} (decimal commas are read from CSV with --decimal ,)"),
    (rf"{_GROUPED}(?:\.[0-9]*)?", _THOUSANDS),
    (rf"(?:{_GROUPED}|{_GROUPED_BY_BLANKS}),[0-9]+",
     f"{_THOUSANDS}; a decimal comma is read from CSV with --decimal ,"),
    (rf"{_GROUPED_BY_BLANKS}(?:\.[0-9]*)?", "Is a comma missing? A thousands separator is left out"),
    (r"[+-]?[0-9]+(?:\.[0-9]*){2,}", "A number has one decimal point"),
    (r"[+-]?[0-9.,]+ ?%", "Write 0.5 for 50%"),
    (r"[+-]?[0-9]+,[0-9]+", "Write the decimal mark as a point (in CSV, --decimal , reads decimal commas)"),
    (r"\(([0-9]+(?:\.[0-9]*)?)\)", "Write -{0} if the parentheses mean that it is negative, else {0}"),
    (r"([0-9]+(?:\.[0-9]*)?)-", "Write the sign first: -{0}"),
    (r"[+-]? ?(?:[$€£¥]|(?:EUR|USD|CHF|GBP) )[+-]? ?[0-9][0-9.,]*|[+-]?[0-9][0-9.,]* ?(?:[$€£¥]|EUR|USD|CHF|GBP)",
     "Leave out the currency"),
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
    for pattern, hint in _MISSPELT:
        if (match := re.fullmatch(pattern, stripped)) is not None:
            return hint.format(*match.groups())
    if (strange := _strange_character(text)) is not None:
        return strange
    if ";" in text:
        return "Is ';' the delimiter? --delimiter ';' says so"
    if " " in stripped and all(map(is_number, stripped.split())):
        return "Is a comma missing?"
    return None


def _strange_character(text: str) -> str | None:
    """Return how to mend a number that has a character besides those of ASCII; None if the text is none."""
    strange = next((c for c in text if not (" " <= c <= "~")), None)
    if strange is None:
        return None
    if strange < " " or strange == "\x7f":
        return f"It has the control character U+{ord(strange):04X}; remove it"
    if re.fullmatch(r"[-+0-9.,/eE() ]*", "".join(c for c in text if " " <= c <= "~")) is None:
        return None
    if re.fullmatch("[+-]?[\u00bc-\u00be\u2150-\u215e]", text):
        return f"Write {typed(text)}"
    name = f"U+{ord(strange):04X}"
    if strange == "\u2212":
        return f"It has a typographic minus sign ({name}); write - instead"
    if re.fullmatch(f"[{_DASHES}]", strange):
        return f"It has a typographic dash ({name}); write - instead"
    shown = f" {strange}" if printable(strange) == strange else ""
    return f"It has the character {name}{shown}; numbers are written in plain ASCII"


def typed(text: str) -> str:
    """Return a text in the characters of a keyboard: 1/2 for ½, x1 for x₁."""
    import unicodedata

    return unicodedata.normalize("NFKC", text).replace("\u2044", "/").replace("\u2212", "-")

"""What to type instead of what no expression has. Loaded only after a mistake."""

from __future__ import annotations

import re

from implicitgrad.symbolic.grammar.functions import FUNCTIONS
from implicitgrad.text.hints import typed

LATEX = r"LaTeX is not read here: write \frac{u}{v} as (u)/(v), and u^{2} as u^2"
SEVERAL = "Each equation is an -e of its own, or an item of the list in a file"
_QUOTES = "'′″‴’‘ʹ´`\"“”„"
_RELATION = "An equation has =; inequalities are of --subject-to, beside --minimize"
_HINTS = {
    "√": "A square root is written sqrt(u)",
    "∛": "A cube root is written cbrt(u)",
    "∜": "A root is written u^(1/4)",
    **dict.fromkeys("|∣‖", "An absolute value is written abs(u)"),
    **dict.fromkeys("[]{}", "Parentheses are round: ( )"),
    **dict.fromkeys("⁻⁺", "A power is written u^(-1)"),
    **dict.fromkeys("<>≤≥⩽⩾", _RELATION),
    **dict.fromkeys("≈≡≃≅", "An equation has ="),
    **dict.fromkeys("•@∘⊙", "A product is written with *"),
    **dict.fromkeys("—―‒‐‑﹣", "A minus sign is written -"),
    **dict.fromkeys("∑∏…", "Write every term"),
    "∂": "∂y/∂x is the answer: leave it out; a claim of it is --dydx (in a file, expect: {dy_dx: ...})",
    "°": "Angles are in radians: write u*pi/180",
    "%": "A percentage is written u/100",
    "$": "Leave out the $",
    "#": "Leave out the comment",
}
"""By character."""
_EXPONENT = (
    r"(?:\*\*|\^)\s*(?:\(((?:[^()]|\([^()]*\))+)\)"
    r"|([-+−]?\s*\d+(?:\.\d+)?|[-+−]?\s*[^\W\d]\w*)(?![\w.]|\s*(?:\*\*|\^)))"
)
"""Matches a power of an expression in parentheses, or of one number or name alone."""


def hint_at(text: str, offset: int, what: str) -> str | None:
    """Return a hint at a character of no grammar, or None. what : what was expected, an equation or an expression."""
    character = text[offset]
    if re.search(r"\\[a-zA-Z({\[,;!]|[\^_]\{", text):
        return LATEX
    if not character.isprintable():
        hint = "Type a blank for" if character.isspace() else "Remove"
        return f"{hint} the character U+{ord(character):04X}"
    if character in _QUOTES and re.search(r"[0-9]$", text[:offset]) and re.match(r"[0-9]{3}", text[offset + 1 :]):
        return "Leave out the thousands separators"
    if character in _QUOTES:
        name = re.search(r"[^\W\d]\w*$", text[:offset])
        if name is None:
            return "Leave out the quotation marks"
        return f"{name[0]}{character} is a derivative, which is the answer: leave it out; a name has no primes"
    if character == "." and not text[offset + 1 :].strip():
        return "Leave out the . at the end"
    if character == ":":
        return _hint_at_colon(text, offset)
    if character == ";":
        return _hint_at_semicolon(text, offset, what)
    if character == "⁻" and (function := _function_before(text, offset)) and text[offset + 1 : offset + 2] == "¹":
        return _inverse(function)
    if character in _HINTS:
        hint = _HINTS[character]
        return None if hint == _RELATION and what != "an equation" else hint
    word = re.match(r"\w*", text[offset:])
    written = word[0] if word and word[0] else character
    plain = typed(written)
    if plain == written or not plain.isascii():
        return None
    if "/" in plain and not plain.replace("/", "").isdigit():
        return "A fraction is written (1/2), and a product with *"
    if "/" in plain and offset and text[offset - 1].isdigit():
        return f"Write a mixed number as a sum, 2 + {plain}"
    return f"Write ({plain})" if "/" in plain else f"Write {plain}"


def _hint_at_colon(text: str, offset: int) -> str:
    if text[offset : offset + 2] == ":=":
        return "An equation has one ="
    quotient = "A quotient is written with /"
    return quotient if "=" in text[:offset] else f"{quotient}; an equation has no name before it"


def _hint_at_semicolon(text: str, offset: int, what: str) -> str | None:
    if not text[offset + 1 :].strip():
        return "Leave out the ; at the end"
    if text.count("(", 0, offset) > text.count(")", 0, offset):
        return "Arguments are separated by commas"
    return SEVERAL if what == "an equation" else None


def _function_before(text: str, offset: int) -> str | None:
    name = re.search(r"[^\W\d]\w*$", text[:offset])
    return name[0] if name and name[0] in FUNCTIONS else None


def _inverse(function: str) -> str:
    """Return what to write for a power of -1 of a function."""
    if f"a{function}" in FUNCTIONS:
        return f"Write a{function}(u) for the inverse function, 1/{function}(u) for the reciprocal"
    return f"Write 1/{function}(u)"


def hint_behind_function(function: str, rest: str) -> str:
    """Return what to write instead of a function without parentheses. rest : the text behind its name."""
    superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹"
    if re.match(rf"\*\*|\^|[{superscripts}]", rest):
        power = re.match(_EXPONENT, rest) or re.match(f"([{superscripts}]+)", rest)
        exponent = "" if power is None else typed(next(filter(None, power.groups()))).replace(" ", "")
        if function == "exp":
            return f"Write exp({exponent or 'u'})"
        if exponent == "-1":
            return _inverse(function)
        is_plain = re.fullmatch(r"\w+(\.\d+)?", exponent) is not None
        return f"Write {function}(u)**{exponent if is_plain else f'({exponent})' if exponent else 'v'}"
    argument = re.match(rf"([^\W\d{superscripts}][^\W{superscripts}]*)\s*(?:[-+−=),]|$)", rest)
    return f"Write {function}({argument[1] if argument else 'u'})"

"""What a message is made of: escaped and quoted text, symbols that an encoding lacks, counts and fractions."""

from __future__ import annotations

TYPE_CHECKING = False  # typing need not be loaded for it
if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction

MAX_QUOTED = 40
MAX_DIGITS = 1000
"""The most digits of a number that is read."""

IN_ASCII = str.maketrans({
    "∂": "d", "·": "*", "×": "x", "−": "-", "≈": "~", "─": "-", "±": "+-", "≤": "<=", "≠": "!=", "←": "<-",
    "∝": "proportional to", "ᵀ": "^T", "⁻": "^-", "¹": "1", "…": "...", "′": "'", "″": "''", "²": "^2", "³": "^3",
    "⁴": "^4", "⁵": "^5", "⁶": "^6", "⁷": "^7", "⁸": "^8", "⁹": "^9",
})  # fmt: skip
"""A table for str.translate()."""
SYMBOLS = "".join(map(chr, IN_ASCII))


def can_encode(text: str, encoding: str) -> bool:
    """Return whether ``encoding`` has all characters of ``text``."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def encodable(text: str, encoding: str) -> str:
    """Return ``text``; if ``encoding`` lacks some of it, with symbols in ASCII and the rest escaped."""
    if can_encode(text, encoding):
        return text
    return text.translate(IN_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def printable(text: str) -> str:
    r"""Return ``text`` as one line in which control characters are escapes: ``\x1b``, ``\u202e``, ``\n``.

    A terminal acts on control characters and hides others. The log of a GitHub workflow takes a line that begins with
    ``::``, and ``##[`` anywhere, for a command. Escaping twice changes nothing.
    """
    text = _escaped(text)
    if "##[" in text:
        text = text.replace("##[", r"\x23#[")
    if text.lstrip().startswith("::"):
        text = text.replace(":", r"\x3a", 1)
    return text


def printable_lines(text: str) -> str:
    """Return the lines of a page with control characters escaped, except colours and tabs."""
    if text.replace("\n", "").isprintable():
        return text
    import re

    return "".join(
        piece if number % 2 else _escaped(piece)
        for number, piece in enumerate(re.split(r"(\n|\t|\x1b\[[0-9;]*m)", text))
    )


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def quoted(text: str) -> str:
    """Return ``text`` in quotes for a message: escaped, and cut at 40 characters."""
    shown = printable(text[: MAX_QUOTED + 1])
    return f"'{shown[: MAX_QUOTED - 1]}…'" if len(shown) > MAX_QUOTED else f"'{shown}'"


def listed(texts: Iterable[str], word: str = "and") -> str:
    """Return ``a, b and c``."""
    *most, last = texts
    return f"{', '.join(most)} {word} {last}" if most else last


def count(number: int, noun: str) -> str:
    """Return the number with its noun: ``1 entry``, ``2 entries``, ``3 rows``, ``4 processes``."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}es" if noun.endswith("ss") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def format_fraction(value: Fraction | int) -> str:
    """Return ``p/q``, or ``p`` for an integer, of any length."""
    try:
        return str(value)
    except ValueError:  # Python writes no more than 4,300 digits of an integer
        from decimal import Decimal

        p, q = (format(Decimal(part), "f") for part in (value.numerator, value.denominator))
        return p if q == "1" else f"{p}/{q}"

"""Plain values as YAML on one line, {status: determined, dL_dx: [-1/2, 1/2]}, or as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction

from implicitgrad.symbolic.element import Symbolic
from implicitgrad.text.number_grammar import MAX_DIGITS, MAX_EXPONENT, format_fraction

LONGEST_LINE = 100
LONGEST_FRACTION = 40
LARGEST_SHORT_ESCAPE = 0xFFFF
"""What is beyond has an escape of its own in YAML, a pair of them in JSON."""
SURROGATES = range(0xD800, 0xE000)
DIGITS = 15
"""Of a decimal in the place of a longer fraction: so many claim no more than they say."""
_PLAIN = re.compile(r"[^\W\d]([\w/. -]*[\w/.])?")
_NOT_TEXTS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}

Value = None | bool | int | float | Fraction | str | Sequence["Value"] | Mapping[str, "Value"]


def write_flow(value: Value, *, as_json: bool = False) -> str:
    """``value`` on one line."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, Symbolic):
        text = value.text
        is_number = value.fraction is not None and not as_json
        return text if is_number or (not as_json and _is_plain(text)) else json.dumps(text)
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, int | Fraction):
        return _number(Fraction(value), as_json)
    if isinstance(value, str):
        return value if not as_json and _is_plain(value) else _quoted(value, as_json)
    if isinstance(value, Mapping):
        pairs = (
            f"{write_flow(key, as_json=as_json)}: {write_flow(item, as_json=as_json)}" for key, item in value.items()
        )
        return f"{{{', '.join(pairs)}}}"
    return f"[{', '.join(write_flow(item, as_json=as_json) for item in value)}]"


def write_mapping(values: Mapping[str, Value], indent: str = "") -> str:
    """A mapping in block style, a key a line, what is long a row a line."""
    lines = []
    for key, value in values.items():
        line = f"{indent}{key}: {write_flow(value)}"
        is_list = not isinstance(value, str | int | float | Fraction | Mapping | None)
        if len(line) > LONGEST_LINE and is_list:
            lines += [f"{indent}{key}:", *(f"{indent}  - {write_flow(row)}" for row in value or ())]  # type: ignore[union-attr]
        else:
            lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def _quoted(text: str, as_json: bool) -> str:
    """In double quotes, with escapes for what a file may not hold or a reader would act on."""
    quoted = json.dumps(text, ensure_ascii=False).replace("##[", r"\u0023#[")
    return quoted if quoted.isprintable() else "".join([_escaped(character, as_json) for character in quoted])


def _escaped(character: str, as_json: bool) -> str:
    if character.isprintable():
        return character
    if ord(character) in SURROGATES:  # a byte that is no text; YAML has no place for it
        return f"\\\\u{ord(character):x}"
    is_long = ord(character) > LARGEST_SHORT_ESCAPE and not as_json
    return f"\\U{ord(character):08X}" if is_long else json.dumps(character)[1:-1]


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and text.lower() not in _NOT_TEXTS


def _number(value: Fraction, as_json: bool) -> str:
    """As a fraction, or rounded where that is too long for anybody to read."""
    text = format_fraction(value)
    if len(text) > LONGEST_FRACTION:
        return _decimal(value) or text
    return f'"{text}"' if as_json and "/" in text else text


def _decimal(value: Fraction) -> str:
    """A decimal that is read as one, within the largest exponent; empty where there is none of so few digits."""
    rounded = Context(prec=DIGITS).divide(Decimal(value.numerator), Decimal(value.denominator))
    exponent = rounded.adjusted()
    if abs(exponent) <= MAX_EXPONENT:
        return f"{rounded:.{DIGITS - 1}e}"
    digits = f"{abs(rounded):.{DIGITS - 1}e}".partition("e")[0].replace(".", "")
    sign, shift = "-" if value < 0 else "", exponent - DIGITS + 2
    if exponent < 0:
        places = "0" * (-exponent - MAX_EXPONENT - 1) + digits
        return f"{sign}0.{places}e-{MAX_EXPONENT}" if len(places) < MAX_DIGITS - 4 else ""
    return f"{sign}{digits[:-1]}.{digits[-1]}e+{shift}" if shift <= MAX_EXPONENT else ""

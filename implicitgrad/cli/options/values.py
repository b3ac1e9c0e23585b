"""Parse the values of options: names, numbers, a delimiter; choose the format of --output by its suffix."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from fractions import Fraction

import click

from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import UsageError
from implicitgrad.text.number_grammar import NumberError, parse_number
from implicitgrad.writers.formats import PLAIN, PLAIN_SUFFIX, Format

MIN_TIME_LIMIT, MAX_TIME_LIMIT = 0.001, 10**6
"""Seconds."""


def parse_names(value: str) -> tuple[str, ...]:
    """Parse names separated by commas; quotes as in CSV keep a comma inside a name."""
    try:
        found = tuple(name.strip() for name in next(csv.reader([value], strict=True, skipinitialspace=True), []))
    except csv.Error as error:
        raise click.BadParameter(f"expected names such as y1,y3, got {quoted(value)} ({error})") from None
    if not found or not all(found):
        raise click.BadParameter(f"expected names such as y1,y3, got {quoted(value)}")
    return found


def _number(value: str) -> Fraction:
    """Parse an option's number in the grammar of a system's numbers."""
    try:
        return parse_number(value)
    except NumberError as error:
        raise click.BadParameter(str(error)) from None


def parse_positive(value: str) -> float:
    """Parse a number of at least 0 and less than 1."""
    number = _number(value)
    if not 0 <= number < 1:
        raise click.BadParameter(f"expected a number from 0 to 1, got {quoted(value)}")
    return float(number)


def parse_seconds(value: str) -> float:
    """Parse the seconds of --time-limit."""
    number = _number(value)
    if not MIN_TIME_LIMIT <= number <= MAX_TIME_LIMIT:
        raise click.BadParameter(
            f"expected a number of seconds from {MIN_TIME_LIMIT} to {MAX_TIME_LIMIT}, got {quoted(value)}"
        )
    if not hasattr(os, "fork"):
        raise click.BadParameter("it needs a system that forks processes, as Linux and macOS do")
    return float(number)


def parse_delimiter(value: str) -> str:
    r"""Parse one character; ``\t`` and ``tab`` are a tab."""
    character = {"\\t": "\t", "tab": "\t"}.get(value, value)
    is_shown = character.isprintable() or character == "\t"
    if len(character) != 1 or character.isalnum() or character in "\".+-/'#" or not is_shown:
        raise click.BadParameter(f"expected one character such as , ; | or tab, got {quoted(character)}")
    return character


def parse_rates(value: str) -> dict[str, Fraction]:
    """Parse NAME=RATE,... of --direction. Raise UsageError."""
    rates: dict[str, Fraction] = {}
    for one in parse_names(value):
        name, sign, text = one.rpartition("=")
        try:
            rate = parse_number(text.strip())
        except NumberError as error:
            raise UsageError(f"--direction: {error.problem.message}", "--direction h1=1,b2=-1") from None
        if not sign or not name.strip() or name.strip() in rates:
            raise UsageError(f"--direction: expected NAME=RATE, each name once, got {quoted(one)}", "h1=1,b2=-1")
        rates[name.strip()] = rate
    return rates


def format_of(
    output: str | None, asked: str | None, formats: Iterable[Format], default: str, *, is_plain: bool = False
) -> str:
    """Return the name of the format of --format or --plain, or else that of the suffix of --output.

    default : that of standard output, devices, .txt and names without a suffix. Raise UsageError for a suffix of none
    of ``formats``.
    """
    if output == "":
        raise UsageError("expected a file's name, got ''")
    if is_plain and asked not in (None, PLAIN):
        raise UsageError(f"--plain is --format {PLAIN}; expected it or --format {asked}, got both")
    asked = PLAIN if is_plain else asked
    if asked is not None or output is None:
        return asked or default
    suffix = os.path.splitext(output)[1].lower()
    if suffix in ("", ".", PLAIN_SUFFIX):
        return default
    known = {suffix: one.name for one in formats for suffix in one.suffixes}
    if suffix in known:
        return known[suffix]
    is_device = output.startswith("/dev/") and not output.startswith("/dev/shm/")
    if is_device or (os.path.exists(output) and not os.path.isfile(output)):
        return default
    listed = ", ".join({PLAIN_SUFFIX: default} | known)
    message = f"--output {output}: expected a name ending in {listed}, got {quoted(suffix)}"
    raise UsageError(message, "With --format the name may be any")

"""The options of writing numbers on a page."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

ROUNDED = "≈"
"""The mark before a rounded number."""


class NumberForm(StrEnum):
    """How a table writes the numbers that are not integers."""

    AUTO = "auto"
    """As fractions if all of the table are short, else as decimals."""
    FRACTION = "fraction"
    DECIMAL = "decimal"


class NumberOptions(NamedTuple):
    """How the numbers of a page are written."""

    digits: int = 6
    """The significant digits of a rounded decimal."""
    form: NumberForm = NumberForm.AUTO
    summary_digits: int = 3
    """The same in a summary."""
    sheet_digits: int | None = None
    """The same in a spreadsheet; None for all that a double has."""


DEFAULT = NumberOptions()

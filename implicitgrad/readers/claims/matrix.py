"""Parse a claimed matrix: its shape, its entries, and the accuracy that their digits imply."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from math import isfinite
from numbers import Rational, Real
from typing import Any, NamedTuple, TypeGuard

from implicitgrad.model.claims import ClaimedMatrix
from implicitgrad.model.spec import Path, SourceValue
from implicitgrad.numbers.doubles import Decimals
from implicitgrad.numbers.values import as_fraction, described, plain, with_others
from implicitgrad.symbolic.grammar.expressions import ExpressionError, has_letters
from implicitgrad.text.characters import count
from implicitgrad.text.errors import Problem
from implicitgrad.text.number_grammar import NumberError, parse_number
from implicitgrad.text.number_texts import last_place

DOUBLE = Fraction(1, 2**53)
"""The unit roundoff of a double."""
DIGITS_OF_DOUBLES = 16
"""A number with so many significant digits or more was not written by hand."""
NOT_DETERMINED = ("null", "~")
BAD = "bad-claim"
ZERO = Fraction(0)


class Shape(NamedTuple):
    """The shape required of a claimed matrix."""

    height: int
    rows_are: str
    widths: tuple[int, ...]
    """Any of these."""
    columns_are: str
    is_vector: bool = False
    """Whether the only row may be written as a column."""

    def __str__(self) -> str:
        return f"{self.height}×{' or '.join(map(str, self.widths))}"


Entry = tuple[Any, Fraction, bool]
"""The value, half a unit of its last decimal place, and whether it was computed in floating point."""
Read = Callable[[object], Entry]
"""Reads an entry. Raises NumberError."""
Refuse = Callable[[Path, str, str | None, str], None]
"""Reports a problem with a claim: its path, the message, a hint, and the code."""


def read_numbers(
    key: str, part: SourceValue, shape: Shape, refuse: Refuse, read: Read, height: int = 0
) -> ClaimedMatrix | None:
    """Return the matrix in ``part``, a single row or column also from a flat list; None if something was refused.

    read : reads an entry, as read_entry, or as read_expression for SymPy expressions. height : as in ClaimedMatrix.
    """
    value = plain(part.value) if hasattr(part.value, "dtype") else part.value
    refuse = partial(_refuse_with_hint, refuse, key, value)
    if isinstance(value, Decimals):
        value = value.texts()
    if part.with_fewer_entries is not None and not _fits(value, shape):
        fewer = part.with_fewer_entries()
        if _fits(fewer.value, shape):
            part, value = fewer, fewer.value
    if not isinstance(value, list):
        refuse((), f"{key}: expected a list of numbers ({shape}), got {described(value)}", None, BAD)
        return None
    if shape.is_vector and len(value) in shape.widths and len(value) > shape.height == 1 and _is_column(value):
        value, locate = [row[0] for row in value], part.locate
        part = part._replace(locate=lambda path: locate((*path, 0) if path else ()))
    is_flat = bool(value) and not any(isinstance(row, list) for row in value)
    written = _flat_rows(value, shape) if is_flat else value
    if written is None:
        found = f"{key} has {count(len(value), 'entry')}"
        refuse((), f"{found}; expected {shape.height} rows of {shape.widths[0]}", None, BAD)
        return None
    rows = [row for row in written if isinstance(row, list)]
    if len(written) != shape.height:
        is_transpose = len(written) in shape.widths and all(len(row) == shape.height for row in rows)
        hint = "It has the shape of the transpose" if is_transpose else None
        refuse((), f"{key} has {count(len(written), 'row')}; expected {shape.height}, {shape.rows_are}", hint, BAD)
        return None
    for i, row in enumerate(written):
        here, path = (key, ()) if is_flat else (f"{key}[{i + 1}]", (i,))
        if not isinstance(row, list):
            refuse(path, f"{here}: expected a row, got {described(row)}", None, BAD)
            return None
        if len(row) not in shape.widths or len(row) != len(rows[0]):
            expected = " or ".join(map(str, shape.widths))
            refuse(path, f"{here} has {count(len(row), 'entry')}; expected {expected}, {shape.columns_are}", None, BAD)
            return None
    return _entries(ClaimedMatrix(key, (), (), (), None, is_flat, height=height), part, rows, refuse, read)


def _refuse_with_hint(
    refuse: Refuse, key: str, value: object, path: Path, message: str, hint: str | None, code: str
) -> None:
    """Report a problem, with a hint at a value of another kind if it resembles one."""
    from implicitgrad.readers.value_hints import value_hint

    refuse(path, message, value_hint(key, value, is_claim=True) or hint, code)


def _is_column(value: list[Any]) -> bool:
    return all(isinstance(row, list) and len(row) == 1 for row in value)


def _fits(value: object, shape: Shape) -> bool:
    rows = value if isinstance(value, list) else []
    if rows and not any(isinstance(row, list) for row in rows):
        rows = _flat_rows(rows, shape) or []
    return len(rows) == shape.height and len(rows[0]) in shape.widths and len({*map(len, rows)}) == 1


def _flat_rows(value: list[object], shape: Shape) -> list[object] | None:
    """Return a flat list as one column or one row, whichever is expected; None if neither is."""
    if 1 in shape.widths and len(value) == shape.height:
        return [[item] for item in value]
    return [value] if shape.height == 1 else None


def _entries(
    numbers: ClaimedMatrix, part: SourceValue, rows: list[list[object]], refuse: Refuse, read: Read
) -> ClaimedMatrix | None:
    """Fill in the entries, after whose names those of ``numbers`` are named."""
    entries, texts, roundings = [], [], []
    is_complete = True
    computed: list[Fraction] = []
    non_finite: list[str] = []
    strange: list[tuple[Path, Problem]] = []
    for i, row in enumerate(rows):
        values: list[Fraction | None] = []
        units: list[Fraction] = []
        for j, item in enumerate(row):
            if _is_computed(item) and not isfinite(item):
                non_finite.append(f"{numbers.name(i, j)} is {item}")
                item = None
            try:
                value, unit, is_computed = read(item)
            except NumberError as error:
                path = (i + j,) if numbers.is_flat else (i, j)
                hint = _hint_at_missing(error.problem.hint)
                if hint is None and isinstance(item, str) and read is not read_entry and not has_letters(item):
                    from implicitgrad.readers.equations.entries import syntax_error_in

                    hint = syntax_error_in(item)
                problem = error.problem._replace(message=f"{numbers.name(i, j)}: {error.problem.message}", hint=hint)
                is_complete = False
                if isinstance(item, str) or part.locate(path) is not None:
                    refuse(path, problem.message, problem.hint, "bad-number")
                else:
                    strange.append((path, problem))
                continue
            values.append(value)
            units.append(ZERO if part.unit_roundoff else unit)  # the digits of a double claim no accuracy
            if is_computed:
                computed.append(unit)
        entries.append(tuple(values))
        roundings.append(tuple(units))
        texts.append(tuple(["null" if item is None else str(item) for item in row]))
    if strange:  # Python values, usually all of one kind
        first, problem = strange[0]
        problem = with_others(problem, len(strange) - 1)
        refuse(first, problem.message, problem.hint, "bad-number")
    if not is_complete:
        return None
    if any(computed):  # beside 0.3333333333333333, 0.0 and 1.43 are no more rounded
        coarsest = max(computed)
        roundings = [tuple([min(unit, coarsest) for unit in row]) for row in roundings]
    return numbers._replace(
        entries=tuple(entries),
        texts=tuple(texts),
        roundings=tuple(roundings),
        unit_roundoff=part.unit_roundoff or (DOUBLE if computed else None),
        non_finite=tuple(non_finite),
    )


def _hint_at_missing(hint: str | None) -> str | None:
    """Return a hint as it is, but for a claim that is missing what claims that it is not determined."""
    from implicitgrad.text.hints import MISSING

    return "null claims that an entry is not determined" if hint == MISSING else hint


def _is_computed(item: object) -> TypeGuard[Real]:
    """Return whether it is a binary float of any length."""
    return isinstance(item, Real) and not isinstance(item, Rational)


def read_expression(item: object) -> Entry:
    """Read an entry as read_entry, as a SymPy expression that may have letters."""
    from implicitgrad.symbolic.to_sympy import read_value

    if not isinstance(item, str) or not has_letters(item) or item.lower() in NOT_DETERMINED:
        value, unit, is_computed = read_entry(item)
        return (None if value is None else read_value(str(value))), unit, is_computed
    try:
        return read_value(item), ZERO, False
    except ExpressionError as error:
        raise NumberError(error.message, error.hint) from None


def read_entry(item: object) -> Entry:
    """Return an entry's value, half a unit of its last decimal place, and whether it was computed in floating point."""
    if item is None or (isinstance(item, str) and item.lower() in NOT_DETERMINED):
        return None, ZERO, False
    if _is_computed(item):
        return as_fraction(item), ZERO, True
    text = str(item) if isinstance(item, Decimal) else item
    if not isinstance(text, str):
        return as_fraction(item), ZERO, False
    value = parse_number(text)
    mantissa = text.lower().partition("e")[0]
    unit = last_place(text) if mantissa.partition(".")[2] else None
    if unit is None:
        return value, ZERO, False
    digits = "".join(filter(str.isdigit, mantissa)).lstrip("0")
    return value, unit / 2, len(digits) >= DIGITS_OF_DOUBLES
